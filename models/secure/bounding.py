"""A lower bound of all secure plans: the cheapest choice of options at what each costs at least.

Line-days, spend and budgets without an outage are priced at the duals of the plain relaxation,
rules that count are kept in full, and after an outage every program has all lines to itself.
Options are looked at closer and closer, and only those that the choice falls on. Then so are groups
of programs that compete for lines, with and without an outage (`grouping.py`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from models.patterns.solving import start_generation
from models.patterns.watch import Watch
from models.problem import Floats, Ints, Problem
from models.result import Decision
from models.secure.choosing import Choice
from models.secure.group import Money
from models.secure.grouping import Groups
from models.secure.insertion import Inserter
from models.secure.pricing import Alone
from models.solve import Settings

#: Labels expanded for an option at most, the first time that it is looked at and later.
EFFORTS = (500, 5_000, 50_000, 300_000)
#: How many of these come before the groups.
BEFORE = 2
#: Share of the time for the plain relaxation.
RELAXATION = 0.2
#: Seconds that a label of an option takes while none is known, a safe guess; more labels of one
#: option take so many times as long each.
PER_LABEL, SLOWER = 1e-4, 3.0
#: Seconds that the last choice may take when time is up.
LAST = 1.0


class Bounding:
    """Options with what each costs at least, and the bound that follows; `run` raises it."""

    def __init__(
        self,
        problem: Problem,
        inserter: Inserter,
        settings: Settings,
        until: float,
        plan: Decision | None = None,
    ) -> None:
        """`plan`: a secure plan, so that what costs much more in it is looked at first."""
        self.problem, self.threads, self.until = problem, settings.threads, until
        self.stop = settings.stop
        self.bound: float | None = None
        watch = Watch(problem, replace(settings, time_limit=None, progress=None))
        generation = start_generation(watch)
        self.lagrangian = generation.lagrangian
        layout = self.lagrangian.layout
        self.choice = Choice(problem, layout)
        left = until - time.monotonic()
        found = generation.run(watch.seconds + RELAXATION * left)
        known = found.duals is not None and generation.scale == 1.0
        duals = self._duals(found.duals if known else None)
        master = generation.master
        side = master.side_costs(np.append(duals, np.zeros(len(master.added))))
        self._at(duals, side)
        self.alone = Alone(self.lagrangian.pricer, inserter)
        self.groups = Groups(problem, inserter.terms, plan, self._paid(plan))

    def _duals(self, duals: Floats | None) -> Floats:
        """Those of the layout's rows that the choice does not keep itself, else 0."""
        count = len(self.lagrangian.layout.lower)
        kept = np.zeros(count) if duals is None else np.array(duals[:count])
        kept[: self.lagrangian.layout.P] = 0.0
        kept[self.choice.rows] = 0.0
        return kept

    def _at(self, duals: Floats, side: Floats) -> None:
        """Value everything at some duals: options by their plain schedules first.

        `side` are the reduced costs of the layout's side variables.
        """
        lagrangian, none = self.lagrangian, np.empty((0, 2), np.int64)
        layout, streams = lagrangian.layout, self.problem.streams
        prices = lagrangian.prices(duals, none)
        self.costs, once = lagrangian.costs(prices)
        plain = np.full(len(streams.offer), np.nan)
        plain[lagrangian.rows] = lagrangian.pricer.values(lagrangian.rows, self.costs)
        with np.errstate(invalid="ignore"):
            self.values = lagrangian.option_values(prices, once, plain)
            value = np.append(plain, 0.0)
            options = self.problem.options
            self.base = self.values - value[options.first] - value[options.second]
        self.per_label = np.full(len(self.values), PER_LABEL)
        self.looked = np.where(options.first >= 0, 0, EFFORTS[-1])
        lower, upper = np.array(layout.side.lower), np.array(layout.side.upper)
        gain = np.minimum(side * lower, side * upper)
        gain[layout.y] = 0.0
        self.engagement = side[layout.y]
        expand = np.append(side, 0.0)[layout.expand]
        expand = np.where(layout.expand >= 0, np.maximum(expand, 0.0), 0.0)
        self.money = Money(self.base, self.costs.batch, self.costs.setup, expand)
        fixed = lagrangian.fixed(duals)
        self.rest = float(gain.sum() + fixed.sum())
        self.error = 1e-9 * float(np.abs(gain).sum() + np.abs(fixed).sum())

    @property
    def over(self) -> bool:
        """Whether to end."""
        return time.monotonic() >= self.until or (self.stop is not None and self.stop())

    def run(self) -> float | None:
        """Look closer at what the choice falls on until time is up or nothing is left to see."""
        chosen = self.choose()
        for effort in EFFORTS[:BEFORE]:
            chosen = self.closer(chosen, effort)
        chosen = self.together(chosen)
        for effort in EFFORTS[BEFORE:]:
            chosen = self.closer(chosen, effort)
        return self.bound

    def closer(self, chosen: Ints, effort: int) -> Ints:
        """Look at options with so many labels until the choice falls on no others.

        `chosen` is the choice before; the choice then.
        """
        while not self.over:
            rough = chosen[self.looked[chosen] < effort]
            if not len(rough) or not self.look(rough, effort):
                break
            chosen = self.choose()
        return chosen

    def together(self, chosen: Ints) -> Ints:
        """Look at groups of programs, the most promising first; the choice then."""
        program = self.problem.options.program
        known = (self.costs.factor == 1.0).all()  # where budgets bind, stock has another price
        if not known or not len(chosen):
            return chosen
        self.groups.form(self.choice.paid)
        while not self.over:
            rough = program[chosen[self.looked[chosen] < EFFORTS[-1]]]
            out = self.groups.out(self.choice.engaged)
            left = self.until - time.monotonic()
            key = self.groups.next(self.choice.paid, rough, out, left)
            if key is None:
                break
            self.groups.search(
                key, self.money, self.values, self.choice.paid, self.stop, self.until
            )
            chosen = self.closer(self.choose(), EFFORTS[BEFORE - 1])
        return chosen

    def _paid(self, plan: Decision | None) -> Floats:
        """What each program pays in a plan at the prices of the bound, (P,); inf without one."""
        book, options = self.lagrangian.book, self.problem.options
        paid = np.full(len(self.problem.programs.ids), np.inf)
        if plan is not None:
            columns = book.columns_of(plan)
            paid[options.program[columns.option]] = columns.cost
        return paid

    def choose(self) -> Ints:
        """The cheapest choice at the values so far, and the bound that follows."""
        left = max(self.until - time.monotonic(), LAST)
        value, chosen = self.choice.best(self.values, self.engagement, left, self.groups.covers())
        if value is not None:
            bound = value + self.rest
            bound -= self.error + 1e-9 * abs(value)
            self.bound = bound if self.bound is None else max(self.bound, bound)
        return chosen

    def look(self, rough: Ints, effort: int) -> bool:
        """Value some options with so many labels; whether there was time for any of them."""
        idle = self.values[self.problem.options.start[:-1]]

        def value(o: int) -> bool:
            began = time.monotonic()
            if self.over or began + effort * float(self.per_label[o]) > self.until:
                return False
            cutoff = float(idle[self.problem.options.program[o]] - self.base[o])
            found, exact = self.alone.value(o, self.costs, cutoff, effort)
            self.values[o] = max(float(self.values[o]), float(self.base[o]) + found)
            self.looked[o] = EFFORTS[-1] if exact else effort
            self.per_label[o] = SLOWER * (time.monotonic() - began) / effort
            return True

        with ThreadPoolExecutor(max(1, self.threads)) as pool:
            return any(list(pool.map(value, rough.tolist())))


def secure_bound(
    problem: Problem,
    inserter: Inserter,
    settings: Settings,
    seconds: float,
    stop: Callable[[], bool] | None = None,
    plan: Decision | None = None,
) -> float | None:
    """What any secure plan costs at least; None where nothing was proven within `seconds`.

    `plan` is a secure one that it may be led by.
    """
    until = time.monotonic() + seconds
    bounding = Bounding(problem, inserter, replace(settings, stop=stop), until, plan)
    return None if bounding.over else bounding.run()
