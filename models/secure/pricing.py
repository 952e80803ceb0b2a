"""What options cost at least in any secure plan, at any duals: the pricing behind a secure bound.

Each option is priced alone, with every line to itself after an outage. What programs take of each
other's line-days after an outage is left out, so the bound holds for all secure plans.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from models.patterns.bound import Lagrangian, Priced
from models.patterns.columns import Book, Columns
from models.patterns.pricing import Costs, Pricer
from models.problem import Floats, Ints
from models.recourse.events import ROUNDING
from models.secure.insertion import Inserter
from models.secure.paths import cheapest
from models.secure.sources import (
    Source,
    by_release,
    released,
    source_of,
    spans,
    started,
    view_of,
)
from models.secure.standby import needs

#: Entries of a table of what outages leave unmet, by stock.
GRID = 400
#: Labels expanded for an option's bound: in a round of column generation, and in the end.
ROUND, END = 500, 12_000


def never() -> bool:
    """No end to the work."""
    return False


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


class SecureLagrangian(Lagrangian):
    """The Lagrangian whose options have schedules that withstand each outage alone."""

    def __init__(self, book: Book, pricer: Pricer, inserter: Inserter) -> None:
        super().__init__(book, pricer)
        self.inserter, self.terms = inserter, inserter.terms
        self.full = inserter.full
        self.paths: dict[int, Path] = {}
        self.schedules: dict[int, tuple[Ints, float]] = {}
        self.effort = ROUND
        #: whether options are to keep the values that no outage tests
        self.over: Callable[[], bool] = never

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

        def price(p: int) -> None:
            if not self.over():
                rows = np.arange(table.start[p], table.start[p + 1])
                self.price(rows, options, bases, plain.costs)

        with ThreadPoolExecutor(max(1, self.pricer.threads)) as pool:
            list(pool.map(price, range(self.layout.P)))
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
        source, n, T = path.source, path.source.count, self.layout.T
        mine = source.offers[:n]
        p = int(self.book.problem.options.program[option])
        _, _, *money = self.pricer.scaled(costs)
        batches = np.zeros((2, T), np.int64)
        value = cheapest(  # type: ignore[no-untyped-call]
            True,
            self.effort,
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
            np.array([each[p] for each in money]),
            costs.factor,
            path.need,
            path.step,
            path.others,
            path.own,
            path.waiting,
            path.span,
            cutoff,
            batches,
        )
        if value < cutoff:
            offers, lines = self.book.problem.offers, self.book.problem.lines
            planned = started(batches, source.lag)[:n]
            extra = costs.batch[mine] - offers.price[mine][:, None]
            change = lines.changeover_cost[offers.line[mine]][:, None]
            extra = extra * planned + (costs.setup[mine] - change) * (planned > 0)
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
