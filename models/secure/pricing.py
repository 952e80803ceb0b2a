"""What options cost at least in any secure plan, at any duals: the pricing behind a secure bound.

Each option is priced alone, with every line to itself after an outage. What programs take of each
other's line-days after an outage is left out, so the bound holds for all secure plans.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models.patterns.bound import Lagrangian, Priced
from models.patterns.columns import Book, Columns
from models.patterns.pricing import Costs, Pricer
from models.problem import Bools, Floats, Ints
from models.recourse.events import ROUNDING
from models.secure.insertion import Inserter
from models.secure.paths import least
from models.secure.sources import (
    by_release,
    pooled_cap,
    released,
    started,
    streams_of,
    two,
    view_of,
)
from models.secure.standby import needs

#: Entries of a table of what outages leave unmet, by stock, and buckets of stock of each source.
GRID = 400
SINGLE, DEBTS_SINGLE = 400, 20
PAIR, DEBTS_PAIR = 200, 8


@dataclass(frozen=True)
class Path:
    """An option ready for `cheapest`: what no duals change."""

    offers: Ints
    demand: Floats
    cap: Floats
    opening: float
    good: Floats
    lag: Ints
    joins: Bools
    recent: Bools
    need: Floats
    step: float
    extra: Floats
    reach: float
    owing: float


class SecureLagrangian(Lagrangian):
    """The Lagrangian whose options have schedules that withstand each outage alone."""

    def __init__(self, book: Book, pricer: Pricer, inserter: Inserter) -> None:
        super().__init__(book, pricer)
        self.inserter, self.terms = inserter, inserter.terms
        self.full = inserter.full
        self.paths: dict[int, Path] = {}
        self.schedules: dict[int, tuple[Ints, float]] = {}
        self.calls = 0

    def evaluate(
        self,
        duals: Floats,
        added: Ints,
        scale: float,
        side: Floats,
        limits: tuple[Floats, Floats],
    ) -> Priced:
        """Price everything: options that could be a program's best by their secure schedules."""
        plain = super().evaluate(duals, added, scale, side, limits)
        if not np.isfinite(plain.bound) or scale == 0.0:
            return plain
        options = plain.options.copy()
        table = self.book.problem.options
        bases = self.bases(plain)
        self.schedules.clear()
        for p in range(self.layout.P):
            rows = np.arange(table.start[p], table.start[p + 1])
            self.price(rows, options, bases, plain.costs)
        start = table.start
        least = np.minimum.reduceat(options, start[:-1])
        bound = plain.bound + float((least - plain.least).sum())
        error = 1e-9 * float(np.abs(least).sum())
        return replace(
            plain, options=options, best=self.best(options, least), least=least, bound=bound - error
        )

    def bases(self, plain: Priced) -> Floats:
        """What an option costs apart from its schedule, (O,)."""
        options = self.book.problem.options
        stream = np.append(plain.streams, 0.0)
        with np.errstate(invalid="ignore"):
            base = plain.options - stream[options.first] - stream[options.second]
        return np.asarray(base)

    def price(self, rows: Ints, options: Floats, bases: Floats, costs: Costs) -> None:
        """Raise the values of one program's options until the least of them is secure."""
        first = self.book.problem.options.first
        best = np.inf
        for o in rows[np.argsort(options[rows], kind="stable")].tolist():
            if options[o] >= best:
                break
            if first[o] >= 0:
                value = self.value(o, costs, best - float(bases[o]))
                options[o] = max(options[o], float(bases[o]) + value)
            best = min(best, float(options[o]))

    def value(self, option: int, costs: Costs, cutoff: float) -> float:
        """Least cost of an option's schedule, a lower bound; `cutoff` where it is not below."""
        path = self.path(option)
        n = len(path.offers)
        batch = by_release(costs.batch[path.offers], path.lag)
        setup = by_release(costs.setup[path.offers], path.lag)
        most = released(costs.limit[path.offers], path.lag)
        programs, offers = self.book.problem.programs, self.book.problem.offers
        p = int(self.book.problem.options.program[option])
        self.calls += 1
        batches = np.zeros((2, self.layout.T), np.int64)
        levels, debts = (SINGLE, DEBTS_SINGLE) if n == 1 else (PAIR, DEBTS_PAIR)
        price = np.array(
            [
                programs.shortage_price[p] * costs.scale,
                programs.holding_price[p] * costs.scale * float(costs.factor.min()),
            ]
        )
        value = least(  # type: ignore[no-untyped-call]
            n,
            path.demand,
            path.cap,
            path.opening,
            path.good,
            most,
            batch,
            setup,
            price,
            path.joins,
            path.need,
            path.step,
            path.extra,
            path.recent,
            levels,
            path.reach / levels,
            debts,
            path.owing,
            cutoff,
            batches,
        )
        if value < cutoff:
            planned = started(batches, path.lag)[:n]
            extra = costs.batch[path.offers] - offers.price[path.offers][:, None]
            change = self.book.problem.lines.changeover_cost[offers.line[path.offers]][:, None]
            extra = extra * planned + (costs.setup[path.offers] - change) * (planned > 0)
            self.schedules[option] = planned, float(value) - float(extra.sum())
        return float(value)

    def columns(self, option: Ints, costs: Costs) -> Columns:
        """Columns of some options as they were priced last: what they cost is a lower bound too.

        So the master's value is that of the bound, towards which it converges.
        """
        rows: list[int] = []
        cost: list[float] = []
        one = np.zeros((len(option), self.layout.T), np.int16)
        two_batches = np.zeros((len(option), self.layout.T), np.int16)
        for o in option.tolist():
            if self.book.problem.options.first[o] < 0:
                cost.append(float(self.book.idle[self.book.problem.options.program[o]]))
            else:
                if o not in self.schedules:
                    self.value(o, costs, np.inf)
                if o not in self.schedules:
                    continue
                planned, money = self.schedules[o]
                one[len(rows)] = planned[0]
                if len(planned) > 1:
                    two_batches[len(rows)] = planned[1]
                cost.append(money + float(self.book.fixed[o]))
            rows.append(o)
        n = len(rows)
        return Columns(np.array(rows, np.int64), one[:n], two_batches[:n], np.array(cost))

    def path(self, option: int) -> Path:
        """The option's tables, made once."""
        known = self.paths.get(option)
        if known is None:
            known = self.paths[option] = self._path(option)
        return known

    def _path(self, option: int) -> Path:
        problem, offers = self.book.problem, self.book.problem.offers
        p, T = int(problem.options.program[option]), problem.periods
        mine = problem.streams.offer[streams_of(problem, option)]
        able = (offers.program == p) & offers.qualified
        able[mine] = False
        rows, count = np.concatenate([mine, np.flatnonzero(able)]), len(mine)
        lag = two(offers.lag[mine])
        demand, cap = problem.programs.demand[p], pooled_cap(problem, p)
        step = max(float(demand.sum() + problem.programs.opening_stock[p]), 1e-9) / (GRID - 1)
        view = view_of(self.full, rows)
        need, extra = np.empty((2, T, GRID)), np.empty((2, T))
        needs(  # type: ignore[no-untyped-call]
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
            True,
            need,
            extra,
            np.empty(2, np.int64),
            np.empty((2, GRID)),
        )
        for i in range(count):  # what such long lags leave in the making is not followed
            if lag[i] > 1 or (count == 2 and lag[1 - i] > lag[i] + 1):
                need[i] = -np.inf
        joins = lag[::-1] == lag + 1 if count == 2 else np.zeros(2, np.bool_)
        good = two(offers.good_per_batch[mine])
        top = min(float(cap.max(initial=0.0)), float(demand.sum()))
        return Path(
            mine,
            demand,
            cap,
            float(problem.programs.opening_stock[p]),
            good,
            lag,
            joins,
            lag == 1,
            need,
            step,
            extra,
            max(top, 1e-9),
            max(0.5 * float(demand.max(initial=0.0)), 1e-9),
        )
