"""Terms of capacity contracts compared: what each costs in each scenario beyond the batches made.

A reserved line-day costs the contract's `price_per_day`, else what the plan pays per line-day of
batches on the line. Of the reserved value v with batches worth s made within it:
- `take_or_pay`: in each period the share a of v is paid whether used or not: max(0, a v - s),
- `min_spend`: the same over each calendar year, so that busy periods make up for idle ones,
- `suite_fee`: the fee (blank: v) is paid; of what it buys unused a share is resold and comes back,
- `cancellation`: unused days are cancelled at the ladder's share for the notice that there is,
  counted from the period in which demand turns out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from allocator.growth.settings import DemandScenario, terms
from allocator.portfolio import Contract, Portfolio

if TYPE_CHECKING:
    from collections.abc import Mapping

    from allocator.growth.case import Case
    from models.problem import Floats, Ints, Problem
    from models.result import Decision

KINDS = ("take_or_pay", "min_spend", "suite_fee", "cancellation")
#: Where the share of a kind stands in the policy.
SHARES = {
    "take_or_pay": "take_or_pay_share",
    "min_spend": "min_spend_share",
    "suite_fee": "resold_share",
}


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
    by_line = np.array(
        [
            [
                contract_cost(
                    kind,
                    line_terms(case.portfolio, problem.lines.ids, kind, price),
                    reserved,
                    u,
                    problem.year,
                    np.asarray((np.arange(problem.periods) - start) * float(months)),
                )
                for u, start in zip(used, _starts(problem, found), strict=True)
            ]
            for kind in KINDS
        ]
    )
    costs = by_line.sum(2)
    regret = costs - costs.min(0)
    odds = [s.probability for s in found]
    demand = [s.growth.demand for s in found]
    rows = []
    for kind, row, lines, worst in zip(KINDS, costs, by_line, regret.max(1), strict=True):
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
                "lines": {
                    problem.lines.ids[line]: lines[:, line].tolist()
                    for line in np.flatnonzero(reserved.sum(1) > 0).tolist()
                },
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


def line_terms(
    portfolio: Portfolio, line_ids: Sequence[str], kind: str, price: Floats
) -> dict[str, Floats]:
    """The terms of one kind by line, (L,) each: contracts.csv, else the policy, else assumed.

    `share`, `price` per line-day, `fee` per period (nan: the reserved value), `short`, `mid` and
    `long` shares of the cancellation ladder.
    """
    usual = terms(portfolio.policy)
    rows = [portfolio.contracts.get((i, kind), Contract(i, kind)) for i in line_ids]

    def column(name: str, otherwise: float | Floats) -> Floats:
        given = np.array([np.nan if (v := getattr(r, name)) is None else v for r in rows])
        return np.where(np.isnan(given), otherwise, given)

    return {
        "share": column("share", usual[SHARES[kind]]) if kind in SHARES else np.zeros(len(rows)),
        "price": column("price_per_day", price),
        "fee": column("fee_per_period", np.nan),
        "short": column("cancel_under_3_months", usual["cancel_under_3_months"]),
        "mid": column("cancel_3_to_6_months", usual["cancel_3_to_6_months"]),
        "long": column("cancel_beyond_6_months", usual["cancel_beyond_6_months"]),
    }


def contract_cost(
    kind: str,
    given: Mapping[str, Floats],
    reserved: Floats,
    used: Floats,
    year: Ints,
    notice: Floats,
) -> Floats:
    """What one kind of contract costs on each line beyond the batches that are made, (L,).

    `given` as `line_terms` says, `reserved` and `used` (L, T) line-days, `notice` (T,) months.
    Raises KeyError for another kind.
    """
    value = given["price"][:, None] * reserved
    spent = given["price"][:, None] * np.minimum(used, reserved)
    share = given["share"][:, None]
    cost: Floats
    if kind == "take_or_pay":
        cost = np.maximum(share * value - spent, 0.0).sum(1)
    elif kind == "min_spend":
        years = [year == y for y in np.unique(year)]
        owed = [given["share"] * value[:, y].sum(1) - spent[:, y].sum(1) for y in years]
        cost = np.maximum(owed, 0.0).sum(0)
    elif kind == "suite_fee":
        held = reserved.sum(1)[:, None] > 0
        fee = np.where(np.isnan(given["fee"])[:, None], value, given["fee"][:, None] * held)
        cost = ((1.0 - share) * np.maximum(fee - spent, 0.0)).sum(1)
    elif kind == "cancellation":
        ladder = (given["short"], given["mid"], given["long"])
        short, mid, late = (part[:, None] for part in ladder)
        rung = np.where(notice < 3.0, short, np.where(notice < 6.0, mid, late))
        cost = ((value - spent) * rung).sum(1)
    else:
        raise KeyError(kind)
    return cost


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
