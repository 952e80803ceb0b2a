"""Terms of capacity contracts compared: what each costs in each scenario beyond the batches made.

Money per reserved line-day is what the plan pays per line-day of batches on the line. With unused
days u of the reserved r:
- `take_or_pay`: in each period the share a of the reserved value is paid whether used or not,
- `min_spend`: the same over each calendar year, so that busy periods make up for idle ones,
- `suite_fee`: the whole reserved value is paid; what is resold of the unused days comes back,
- `cancellation`: unused days are cancelled at the ladder's share for the notice that there is,
  counted from the period in which demand turns out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from allocator.growth.settings import DemandScenario, terms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from allocator.growth.case import Case
    from models.problem import Floats, Ints, Problem
    from models.result import Decision

KINDS = ("take_or_pay", "min_spend", "suite_fee", "cancellation")


def compare_terms(
    case: Case,
    found: Sequence[DemandScenario],
    problem: Problem,
    decision: Decision,
    reserved: Floats,
    used: Sequence[Floats],
    benefits: Sequence[float],
) -> list[dict[str, Any]]:
    """Each kind of contract: its cost by scenario, expected cost and regret, break-even demand.

    `reserved` and `used` (L, T) line-days; `benefits` are what the reservation saves against
    today's plan in each scenario, before any contract is paid for.
    """
    price = day_price(problem, decision)
    months = case.portfolio.periods[0].months
    given = terms(case.portfolio.policy)
    costs = np.array(
        [
            [
                float(contract_cost(kind, given, price, reserved, u, problem.year, start, months))
                for u, start in zip(used, _starts(problem, found), strict=True)
            ]
            for kind in KINDS
        ]
    )
    regret = costs - costs.min(0)
    odds = [s.probability for s in found]
    demand = [s.growth.demand for s in found]
    rows = []
    for kind, row, worst in zip(KINDS, costs, regret.max(1), strict=True):
        expected = None
        if all(p is not None for p in odds):
            expected = float(row @ np.array(odds, np.float64))
        rows.append(
            {
                "kind": kind,
                "costs": row.tolist(),
                "expected_cost": expected,
                "worst_cost": float(row.max()),
                "worst_regret": float(worst),
                "break_even_demand": break_even(demand, np.array(benefits) - row),
            }
        )
    order = "worst_regret" if any(p is None for p in odds) else "expected_cost"
    return sorted(rows, key=lambda r: (r[order], r["kind"]))


def _starts(problem: Problem, found: Sequence[DemandScenario]) -> list[int]:
    """The period in which each scenario's demand turns out."""
    labels = problem.period_labels
    return [labels.index(s.growth.since) if s.growth.since else 0 for s in found]


def day_price(problem: Problem, decision: Decision) -> Floats:
    """Money per line-day of batches on each line under a plan, (L,); 0 where it makes none."""
    paid, days = np.zeros(len(problem.lines.ids)), np.zeros(len(problem.lines.ids))
    for f, batches in decision.batches.items():
        line, count = int(problem.offers.line[f]), float(batches.sum())
        paid[line] += problem.offers.price[f] * count
        days[line] += problem.offers.days[f] * count
    price: Floats = np.divide(paid, days, out=np.zeros_like(paid), where=days > 0)
    return price


def contract_cost(
    kind: str,
    given: Mapping[str, float],
    price: Floats,
    reserved: Floats,
    used: Floats,
    year: Ints,
    start: int,
    months: int,
) -> float:
    """What one kind of contract costs beyond the batches that are made. KeyError for no kind."""
    value = price[:, None] * reserved
    spent = price[:, None] * np.minimum(used, reserved)
    unused = value - spent
    if kind == "take_or_pay":
        return float(np.maximum(given["take_or_pay_share"] * value - spent, 0.0).sum())
    if kind == "min_spend":
        years = [year == y for y in np.unique(year)]
        owed = [given["min_spend_share"] * value[:, y].sum(1) - spent[:, y].sum(1) for y in years]
        return float(sum(np.maximum(row, 0.0).sum() for row in owed))
    if kind == "suite_fee":
        return float(((1.0 - given["resold_share"]) * unused).sum())
    if kind == "cancellation":
        notice = (np.arange(reserved.shape[1]) - start) * float(months)
        share = np.where(
            notice < 3.0,
            given["cancel_under_3_months"],
            np.where(notice < 6.0, given["cancel_3_to_6_months"], given["cancel_beyond_6_months"]),
        )
        return float((unused * share[None, :]).sum())
    raise KeyError(kind)


def break_even(demand: Sequence[float], gain: Floats) -> float | None:
    """The least multiplier from which reserving pays, between scenarios on a straight line.

    None where it pays in none of them. The lowest scenario where it pays in all.
    """
    order = np.argsort(demand, kind="stable")
    x, y = np.array(demand, np.float64)[order], gain[order]
    paying = np.flatnonzero(y >= 0)
    if not len(paying):
        return None
    last = np.flatnonzero(y < 0)
    if not len(last):
        return float(x[0])
    below = int(last[-1])
    if below == len(x) - 1:
        return None
    share = -y[below] / (y[below + 1] - y[below])
    return float(x[below] + share * (x[below + 1] - x[below]))
