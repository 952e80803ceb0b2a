"""Terms of capacity contracts: what each kind costs beyond the batches made.

A reserved line-day costs the contract's `price_per_day`, else what the plan pays per line-day of
batches on the line. Of the reserved value v with batches worth s made within it:
- `take_or_pay`: in each period the share a of v is paid whether used or not: max(0, a v - s),
- `min_spend`: the same over each calendar year, so that busy periods make up for idle ones,
- `suite_fee`: the fee (blank: v) stands in place of the price of the days, so it is paid and s is
  not; of the part of it that buys unused days a share is resold and comes back,
- `cancellation`: unused days are cancelled at the ladder's share for the notice that there is,
  counted from the period in which demand turns out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from allocator.growth.settings import KINDS, terms
from allocator.portfolio import Contract, Portfolio

if TYPE_CHECKING:
    from collections.abc import Mapping

    from models.problem import Floats, Ints, Problem
    from models.result import Decision

#: Where the share of a kind stands in the policy.
SHARES = {
    "take_or_pay": "take_or_pay_share",
    "min_spend": "min_spend_share",
    "suite_fee": "resold_share",
}


@dataclass(frozen=True)
class Agreement:
    """One kind of contract for `reserved` (L, T) line-days.

    `given` are its terms by line as `line_terms` says, `year` (T,) the calendar year of each
    period, `notice` (T,) the months from when demand turns out.
    """

    kind: str
    given: Mapping[str, Floats]
    reserved: Floats
    year: Ints
    notice: Floats

    def owed(self, used: Floats) -> Floats:
        """What is owed on each line, (L,), beyond batches made on the `used` (L, T) line-days."""
        return contract_cost(self.kind, self.given, self.reserved, used, self.year, self.notice)

    def owed_on(self, line: int, used: Floats) -> Floats:
        """What is owed on one line for each of N ways to use its days, (N, T) to (N,)."""
        count = len(used)
        given = {name: np.repeat(values[line], count) for name, values in self.given.items()}
        reserved = np.repeat(self.reserved[line][None, :], count, axis=0)
        return contract_cost(self.kind, given, reserved, used, self.year, self.notice)


def agreements(
    portfolio: Portfolio, problem: Problem, decision: Decision, reserved: Floats, since: str
) -> list[Agreement]:
    """Every kind of contract for the line-days (L, T) of a plan, where demand turns out `since`."""
    price = day_price(problem, decision)
    start = problem.period_labels.index(since) if since else 0
    months = float(portfolio.periods[0].months)
    notice = np.asarray((np.arange(problem.periods) - start) * months)
    given = {kind: line_terms(portfolio, problem.lines.ids, kind, price) for kind in KINDS}
    return [Agreement(kind, given[kind], reserved, problem.year, notice) for kind in KINDS]


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
    Below 0 where a suite fee is less than the price of the days used. Raises KeyError for another
    kind.
    """
    within = np.minimum(used, reserved)
    value = given["price"][:, None] * reserved
    spent = given["price"][:, None] * within
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
        busy = np.divide(within, reserved, out=np.zeros_like(reserved), where=reserved > 0)
        cost = (fee - spent - share * fee * (1.0 - busy)).sum(1)
    elif kind == "cancellation":
        ladder = (given["short"], given["mid"], given["long"])
        short, mid, late = (part[:, None] for part in ladder)
        rung = np.where(notice < 3.0, short, np.where(notice < 6.0, mid, late))
        cost = ((value - spent) * rung).sum(1)
    else:
        raise KeyError(kind)
    return cost
