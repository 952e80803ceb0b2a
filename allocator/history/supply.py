"""What a plan delivers of one program in each period, and what those units cost in batches."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from allocator.portfolio import Offer, Portfolio


@dataclass(frozen=True)
class Supply:
    """One program. `served[s][t]` are units that source s serves in period t, `price[s]` is its
    money per good unit, `made[s]` are the good units that it makes over the horizon.
    """

    demand: tuple[float, ...]
    served: tuple[tuple[float, ...], ...]
    price: tuple[float, ...]
    made: tuple[float, ...]

    def served_share(self, t: int) -> float:
        """Share of the demand of a period that is served."""
        served = math.fsum(source[t] for source in self.served)
        return min(1.0, served / self.demand[t]) if self.demand[t] > 0 else 1.0

    def cost_of_served(self, t: int) -> float:
        """Batch cost of the units served in a period, and of no others."""
        return math.fsum(s[t] * price for s, price in zip(self.served, self.price, strict=True))

    @property
    def over_production_cost(self) -> float:
        """Batch cost of the units made and not served within the horizon."""
        return math.fsum(
            (made - math.fsum(served)) * price
            for served, price, made in zip(self.served, self.price, self.made, strict=True)
        )

    def agrees(self, entry: Mapping[str, Any]) -> bool:
        """Whether the program's entry in plan.json has the same unmet units and batch cost.

        Where it has not, the plan was made with other demand, prices or lines, by a scenario say.
        """
        served = math.fsum(units for source in self.served for units in source)
        unmet = math.fsum(self.demand) - served
        cost = math.fsum(made * price for made, price in zip(self.made, self.price, strict=True))
        return math.isclose(
            unmet, entry["unmet_units"], rel_tol=1e-6, abs_tol=1e-6 * sum(self.demand)
        ) and math.isclose(cost, entry["costs"]["batches"], rel_tol=1e-6, abs_tol=1e-6)


def supply_of(portfolio: Portfolio, entry: Mapping[str, Any]) -> Supply:
    """The supply of a program by its entry in plan.json, which names offers of the portfolio.

    Each source serves its share of demand from its own stock (docs/model.md); a program with an
    offer that the portfolio does not have delivers nothing.
    """
    program = portfolio.programs[entry["program_id"]]
    labels = [period.label for period in portfolio.periods]
    sources = [s for s in entry["sources"] if s["offer_id"] in portfolio.offers]
    starts = [labels.index(source["first_supply_period"]) for source in sources]
    served, price, made = [], [], []
    for source, start in zip(sources, starts, strict=True):
        offer = portfolio.offers[source["offer_id"]]
        shares = [_share(source["share"], start, starts, t) for t in range(len(labels))]
        demand = [share * units for share, units in zip(shares, program.demand, strict=True)]
        after = source["share"] * _after(program.demand, portfolio.periods[0].months)
        released = _released(offer, source["batches"], labels, portfolio.periods[0].months)
        life = program.shelf_life_months / portfolio.periods[0].months
        served.append(_serve(demand, released, after, life))
        price.append(offer.price_per_batch / offer.good_per_batch)
        made.append(offer.good_per_batch * sum(source["batches"].values()))
    return Supply(program.demand, tuple(served), tuple(price), tuple(made))


def _share(share: float, start: int, starts: Sequence[int], t: int) -> float:
    """Share of demand: the earlier source carries all of it until the later one can supply."""
    if len(starts) < 2 or starts[0] == starts[1] or t >= max(starts):
        return share
    return 1.0 if start == min(starts) else 0.0


def _after(demand: Sequence[float], months: int) -> float:
    """Demand per period beyond the horizon: the mean of its last 12 months."""
    tail = demand[-(12 // months) :]
    return math.fsum(tail) / len(tail)


def _released(
    offer: Offer, batches: Mapping[str, int], labels: Sequence[str], months: int
) -> list[float]:
    """Good units that come free in each period."""
    lag = math.floor(offer.release_months / months + 0.5)
    units = [0.0] * len(labels)
    for label, count in batches.items():
        at = labels.index(label) + lag
        if at < len(labels):
            units[at] += count * offer.good_per_batch
    return units


def _serve(
    demand: Sequence[float], released: Sequence[float], after: float, life: float
) -> tuple[float, ...]:
    """Units served in each period: demand first, then stock up to what the shelf life allows."""
    stock, served = 0.0, []
    for t, wanted in enumerate(demand):
        have = stock + released[t]
        served.append(min(wanted, have))
        stock = min(have - served[-1], _ahead(demand, after, t + 1, life))
    return tuple(served)


def _ahead(demand: Sequence[float], after: float, start: int, periods: float) -> float:
    """Demand of the next `periods` periods from `start` on; a part of a period counts in part."""
    total, t, left = 0.0, start, periods
    while left > 0 and t < len(demand):
        total += min(left, 1.0) * demand[t]
        t, left = t + 1, left - 1.0
    return total + max(left, 0.0) * after
