"""What options cost at least in any secure plan, at any duals: the pricing behind a secure bound.

Each option is priced alone, with every line to itself after an outage. What programs take of each
other's line-days after an outage is left out, so the bound holds for all secure plans.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.patterns.pricing import Costs, Pricer
from models.problem import Floats, Ints
from models.recourse.events import ROUNDING
from models.secure.insertion import Inserter
from models.secure.paths import cheapest
from models.secure.sources import (
    Source,
    by_release,
    flow_prices,
    released,
    source_of,
    spans,
    view_of,
)
from models.secure.standby import needs

#: Entries of a table of what outages leave unmet, by stock.
GRID = 400


@dataclass(frozen=True)
class Path:
    """An option ready for `cheapest`: what no duals change."""

    source: Source
    need: Floats
    step: float
    others: Floats
    own: Floats
    waiting: Ints
    span: Ints


class Alone:
    """Prices options by schedules that withstand each outage with every line to themselves."""

    def __init__(self, pricer: Pricer, inserter: Inserter) -> None:
        self.pricer, self.problem = pricer, pricer.problem
        self.terms, self.full = inserter.terms, inserter.full
        self.paths: dict[int, Path] = {}

    def value(self, option: int, costs: Costs, cutoff: float, effort: int) -> tuple[float, bool]:
        """Least cost of an option's schedule, a lower bound; `cutoff` where it is not below.

        At most `effort` labels are expanded. The flag tells that no more of them would raise it.
        """
        path = self.path(option)
        source, n, T = path.source, path.source.count, self.problem.periods
        mine = source.offers[:n]
        p = int(self.problem.options.program[option])
        _, _, shortage, safety, holding = self.pricer.scaled(costs)
        batches = np.zeros((2, T), np.int64)
        value = cheapest(  # type: ignore[no-untyped-call]
            True,
            effort,
            n,
            source.demand,
            source.cap,
            source.target,
            source.opening,
            source.good,
            source.lag,
            released(costs.limit[mine], source.lag),
            by_release(costs.batch[mine], source.lag),
            by_release(costs.setup[mine], source.lag),
            flow_prices(shortage[p], safety[p], holding[p], costs.factor),
            path.need,
            path.step,
            path.others,
            path.own,
            path.waiting,
            path.span,
            cutoff,
            batches,
        )
        return float(value), bool(value >= cutoff or batches.any())

    def path(self, option: int) -> Path:
        """The option's tables, made once."""
        known = self.paths.get(option)
        if known is None:
            known = self.paths[option] = self._path(option)
        return known

    def _path(self, option: int) -> Path:
        problem, offers = self.problem, self.problem.offers
        p, T = int(problem.options.program[option]), problem.periods
        source = source_of(problem, option)
        mine, count, lag = source.offers, source.count, source.lag
        able = (offers.program == p) & offers.qualified
        able[mine] = False
        rows = np.concatenate([mine, np.flatnonzero(able)])
        demand, cap = problem.programs.demand[p], self.full.case.cap[p]
        step = max(float(demand.sum() + problem.programs.opening_stock[p]), 1e-9) / (GRID - 1)
        view = view_of(self.full, rows)
        need = np.empty((2, T + 1, GRID))
        others, own, waiting = np.empty((2, T + 1)), np.empty((2, T + 1)), np.empty(2, np.int64)
        needs(  # type: ignore[no-untyped-call]
            True,
            view.free,
            view.slot,
            self.full.case.cover,
            view.stopped,
            view.inputs,
            self.full.case.lengths,
            self.terms.first,
            *view.facts,
            offers.validation_period[rows],
            count,
            demand,
            cap,
            1.0 - self.terms.service_level + 2.0 * ROUNDING,
            step,
            need,
            others,
            own,
            waiting,
        )
        span = spans(problem, mine)
        for i in range(count):  # what such long times leave in the making is not followed
            for span_of, place in ((int(lag[i]), slice(T)), (int(span[i]), slice(T, T + 1))):
                if span_of > 2 or (count == 2 and lag[1 - i] > span_of + 1):
                    need[i, place] = -np.inf
        return Path(source, need, step, others, own, waiting, span)
