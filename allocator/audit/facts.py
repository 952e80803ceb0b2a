"""What the input tables say, turned into periods and prices by docs/model.md alone.

Slow and plain on purpose: one small function per sentence of the page, loops over dictionaries.
"""

from __future__ import annotations

import math
from functools import cached_property

from allocator.portfolio import Answer, Offer, Portfolio, Program

#: Guards the rounding of months to periods against noise.
EPS = 1e-9


class Facts:
    """The portfolio with its conventions. Periods are numbers 0 to T - 1, years are labels."""

    def __init__(self, portfolio: Portfolio) -> None:
        self.portfolio = portfolio
        self.labels = [period.label for period in portfolio.periods]
        self.T = len(self.labels)
        self.M = portfolio.periods[0].months
        self.year = [str(period.year) for period in portfolio.periods]
        self.years = list(dict.fromkeys(self.year))

    def period(self, label: str) -> int | None:
        """Number of a period, None for no label of the horizon."""
        return self._number.get(label)

    @cached_property
    def _number(self) -> dict[str, int]:
        return {label: t for t, label in enumerate(self.labels)}

    def last_period(self, year: str) -> int:
        """Last period of a calendar year inside the horizon."""
        return max(t for t in range(self.T) if self.year[t] == year)

    def months_of_year(self, year: str) -> float:
        """Months of a calendar year inside the horizon."""
        return float(sum(self.M for t in range(self.T) if self.year[t] == year))

    def periods_up(self, months: float) -> int:
        """Whole periods that so many months need."""
        return math.ceil(months / self.M - EPS)

    def cmo_of(self, offer: Offer) -> str:
        """CMO that owns the line of an offer."""
        return self.portfolio.lines[offer.line_id].cmo_id

    @cached_property
    def offers_for(self) -> dict[str, list[Offer]]:
        """Offers of each program of the portfolio."""
        found: dict[str, list[Offer]] = {program_id: [] for program_id in self.portfolio.programs}
        for offer in self.portfolio.offers.values():
            found[offer.program_id].append(offer)
        return found

    @cached_property
    def answers_of(self) -> dict[str, dict[str, Answer]]:
        """Answers to due diligence by CMO and question."""
        found: dict[str, dict[str, Answer]] = {cmo_id: {} for cmo_id in self.portfolio.cmos}
        for answer in self.portfolio.diligence:
            found.setdefault(answer.cmo_id, {})[answer.question] = answer
        return found

    # ---- offers ----------------------------------------------------------------------------

    def ready(self, offer: Offer) -> int:
        """First period in which a commercial batch may start."""
        if offer.qualified:
            return 0
        return self.periods_up(offer.transfer_months_mode + offer.filing_months)

    def lag(self, offer: Offer) -> int:
        """Periods from the start of a batch to its release, rounded to the nearest."""
        return math.floor(offer.release_months / self.M + 0.5 + EPS)

    def first_supply(self, offer: Offer) -> int:
        """First period in which a batch can serve demand."""
        return self.ready(offer) + self.lag(offer)

    def good(self, offer: Offer) -> float:
        """Expected saleable units of one batch started."""
        return offer.batch_size * offer.yield_ * (1.0 - offer.fail_rate)

    def validation_period(self, offer: Offer) -> int:
        """Period in which the validation batches run."""
        last_of_transfer = self.periods_up(offer.transfer_months_mode) - 1
        return min(max(last_of_transfer, 0), self.T - 1)

    def validation_cost(self, offer: Offer) -> float:
        """Price of the validation batches, nothing where the offer is qualified."""
        return 0.0 if offer.qualified else offer.ppq_batches * offer.price_per_batch

    def transfer_cost(self, offer: Offer) -> float:
        """Price of the technology transfer, nothing where the offer is qualified."""
        return 0.0 if offer.qualified else offer.transfer_cost

    def validation_days(self, offer: Offer) -> float:
        """Line-days of the validation batches and their changeover."""
        if offer.qualified or not offer.ppq_batches:
            return 0.0
        change = self.portfolio.lines[offer.line_id].changeover_days
        return offer.ppq_batches * offer.days_per_batch + change

    # ---- programs --------------------------------------------------------------------------

    def mean_demand(self, program: Program) -> float:
        """Mean demand over the periods that have any, 0 where none has."""
        busy = [quantity for quantity in program.demand if quantity > 0]
        return sum(busy) / len(busy) if busy else 0.0

    def demand_after(self, program: Program) -> float:
        """Demand per period beyond the horizon: the mean of the last 12 months of the table."""
        last = program.demand[-max(1, round(12 / self.M)) :]
        return sum(last) / len(last)

    def months_per_unit(self, program: Program) -> float:
        """Months of missing supply that one unit of unmet demand counts as."""
        mean = self.mean_demand(program)
        return self.M / mean if mean > 0 else 0.0

    def shortage_price(self, program: Program) -> float:
        """Money per unit of unmet demand."""
        return program.delay_cost_per_month * self.months_per_unit(program)

    def safety_price(self, program: Program) -> float:
        """Money per unit and period below the safety-stock target."""
        return self.shortage_price(program) * self.portfolio.policy.safety_stock_charge * self.M

    def holding_price(self, program: Program) -> float:
        """Money per unit and period kept, in stock or as scrap awaiting destruction."""
        return program.holding_cost_per_unit_month * self.M


def ahead(demand: list[float], after: float, t: int, periods: float) -> float:
    """Demand of the next `periods` periods after period t; the last one may count in part."""
    total, at, rest = 0.0, t + 1, periods
    while rest > 0.0 and at < len(demand):
        part = min(1.0, rest)
        total += part * demand[at]
        rest -= part
        at += 1
    return total + max(rest, 0.0) * after
