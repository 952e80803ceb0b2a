"""The best re-routing after an outage, with the bound that none does better.

Few programs are touched by most outages. So a small set of programs is re-planned, twice: with all
others kept as they are (a plan), and with all others gone (a bound). Where the two meet, both hold
for the whole portfolio. Where they do not, the bound comes from all programs that are connected
through lines, and plans from neighbourhoods of the programs that are short, larger and larger.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.problem import Bools, Floats, Ints
from models.recourse.bounds import proven
from models.recourse.events import Situation, trimmed
from models.recourse.linear import Duals, build, layout
from models.recourse.solver import relaxed, whole

#: Seconds that one neighbourhood may take.
NEIGHBOURHOOD_SECONDS = 0.5
#: Most cells (usable offer, period) that are given to the solver as one problem at once.
WHOLE_CELLS = 400
#: Neighbourhoods without a better plan after which all programs are re-planned together.
PATIENCE = 12


@dataclass(frozen=True)
class Effort:
    """How long to look: `gap` relative, `until` on the clock of time.monotonic (None: no end)."""

    gap: float = 0.005
    until: float | None = None
    threads: int = 1
    stop: Callable[[], bool] | None = None

    @property
    def over(self) -> bool:
        """Whether the time is up or a stop was asked for."""
        late = self.until is not None and time.monotonic() >= self.until
        return late or (self.stop is not None and self.stop())

    @property
    def left(self) -> float | None:
        """Seconds left, None without a limit."""
        return None if self.until is None else max(0.0, self.until - time.monotonic())

    def seconds(self, most: float) -> float:
        """Seconds left, at most `most`."""
        return most if self.left is None else min(most, self.left)


@dataclass(frozen=True)
class Replanned:
    """A re-routing and its proof, in money of units short beyond what is allowed.

    `batches` (A, T) from the start of the outage on, `value` what it costs, `bound` what any costs
    at least, `linear` the part of the bound that `duals` prove without a solver (None: 0).
    `finished` tells whether value and bound meet within the gap.
    """

    batches: Ints
    value: float
    bound: float
    linear: float
    duals: Duals | None
    finished: bool


def replan(situation: Situation, allowed: Floats, effort: Effort) -> Replanned:
    """Re-route supply so that units short beyond `allowed` (P,) cost least."""
    search = Search(situation, allowed, situation.kept)
    search.work(effort)
    return search.result(effort.gap)


def cost(situation: Situation, batches: Ints, allowed: Floats) -> float:
    """Money of units short beyond `allowed` (P,) under a re-routing."""
    price = situation.position.problem.programs.shortage_price
    return float(price @ over(situation, batches, allowed))


def over(situation: Situation, batches: Ints, allowed: Floats) -> Floats:
    """Units short beyond what is allowed, (P,); rounding noise counts as none."""
    more = situation.unmet(batches).sum(1) - allowed
    return np.where(more > 1e-9 * np.maximum(situation.demand, 1.0), more, 0.0)


class Search:
    """The state of one re-routing, which can be worked on again and again."""

    def __init__(self, situation: Situation, allowed: Floats, batches: Ints) -> None:
        self.situation = situation
        self.allowed = allowed
        self.best = batches
        self.value = cost(situation, batches, allowed)
        self.bound = self.linear = 0.0
        self.duals: Duals | None = None
        self.stage = 0
        self.failures = 0
        self.rng = np.random.default_rng(0)

    def met(self, gap: float) -> bool:
        """Whether value and bound meet within the relative gap."""
        return self.value - self.bound <= max(gap, 1e-6) * self.value

    def result(self, gap: float) -> Replanned:
        """What is known so far."""
        linear, bound = min(self.linear, self.value), min(self.bound, self.value)
        return Replanned(self.best, self.value, bound, linear, self.duals, self.met(gap))

    def work(self, effort: Effort) -> None:
        """Go on until value and bound meet, the time is up, or nothing is left to try."""
        steps = (self.needed, self.alone, self.together, self.neighbourhoods, self.everything)
        while self.stage < len(steps) and not self.met(effort.gap) and not effort.over:
            if steps[self.stage](effort):
                self.stage += 1

    def glance(self, effort: Effort) -> None:
        """A first bound, if there is none yet and one is needed."""
        if self.stage == 0 and not self.met(effort.gap):
            self.stage += self.needed(effort)

    def needed(self, effort: Effort) -> bool:
        """Bound by what the programs that are short need were all others gone."""
        self.bound_of(over(self.situation, self.best, self.allowed) > 0, effort)
        return True

    def alone(self, effort: Effort) -> bool:
        """Re-plan the programs that are short in the days that all others leave."""
        inside = over(self.situation, self.best, self.allowed) > 0
        self.improve(inside, effort, effort.seconds(2 * NEIGHBOURHOOD_SECONDS))
        return True

    def together(self, effort: Effort) -> bool:
        """Bound by all programs that are connected through lines."""
        self.bound_of(self.connected(), effort)
        return True

    def neighbourhoods(self, effort: Effort) -> bool:
        """Re-plan a few programs that compete with those that are short."""
        connected = self.connected()
        cells = (self.situation.most[connected[self.situation.position.program]] > 0).sum()
        if cells <= WHOLE_CELLS or self.failures >= PATIENCE:
            return True
        before = self.value
        inside = self.neighbours(4 + self.failures // 2 * 3)
        self.improve(inside, effort, effort.seconds(NEIGHBOURHOOD_SECONDS))
        self.failures = 0 if self.value < before * (1 - 1e-6) else self.failures + 1
        return False

    def everything(self, effort: Effort) -> bool:
        """Re-plan all connected programs at once: what the solver proves holds for all."""
        connected = self.connected()
        model = build(layout(self.situation, connected), self.situation.room, self.allowed, True)
        solved = whole(model, effort.gap, effort.left, effort.threads, self.best, effort.stop)
        self.bound = max(self.bound, solved.bound)
        if solved.batches is not None:
            kept = self.best * ~connected[self.situation.position.program][:, None]
            self.take(kept + solved.batches)
        return solved.finished

    def bound_of(self, inside: Bools, effort: Effort) -> None:
        """Raise the bound by the relaxation of some programs with all lines to themselves."""
        model = build(layout(self.situation, inside), self.situation.room, self.allowed, False)
        duals = relaxed(model, effort.threads).duals
        if duals is None:
            return
        linear = proven(self.situation, duals, self.allowed)
        if linear > self.linear:
            self.linear, self.duals = linear, duals
            self.bound = max(self.bound, linear)

    def improve(self, inside: Bools, effort: Effort, seconds: float) -> None:
        """Re-plan some programs in the days that all others leave."""
        situation = self.situation
        mine = inside[situation.position.program][:, None]
        others = self.best * ~mine
        room = np.maximum(situation.room - situation.used(others), 0.0)
        model = build(layout(situation, inside), room, self.allowed, True)
        start = self.best * mine
        solved = whole(model, effort.gap / 2, seconds, effort.threads, start, effort.stop)
        if solved.batches is not None:
            self.take(others + solved.batches)

    def take(self, batches: Ints) -> None:
        """Keep a re-routing if it costs less."""
        batches = trimmed(self.situation, batches)
        value = cost(self.situation, batches, self.allowed)
        if value < self.value:
            self.best, self.value = batches, value

    def connected(self) -> Bools:
        """Programs that are short, and all that share lines with them, and so on, (P,)."""
        inside = over(self.situation, self.best, self.allowed) > 0
        while True:
            more = grown(self.situation, inside)
            if more.sum() == inside.sum():
                return inside
            inside = more

    def neighbours(self, count: int) -> Bools:
        """Some programs that are short, and `count` that take days of lines they could use."""
        situation, position = self.situation, self.situation.position
        money = over(situation, self.best, self.allowed)
        money = money * position.problem.programs.shortage_price
        short = np.flatnonzero(money > 0)
        picked = self.rng.choice(
            short, min(3, len(short)), replace=False, p=money[short] / money[short].sum()
        )
        inside = np.zeros(len(money), np.bool_)
        inside[picked] = True
        for _ in range(2):  # those on the same lines, then those on the lines these could go to
            able = situation.most.any(1) & inside[position.program]
            lines = np.zeros(situation.room.shape[0], np.bool_)
            lines[position.line[able]] = True
            there = lines[position.line] & ~inside[position.program] & self.best.any(1)
            rivals = np.unique(position.program[there])
            some = self.rng.choice(rivals, min(-(-count // 2), len(rivals)), replace=False)
            inside[some] = True
        return inside


def grown(situation: Situation, inside: Bools) -> Bools:
    """`inside` with the programs that could use a line which one of them could use."""
    position = situation.position
    able = situation.most.any(1)
    lines = np.zeros(situation.room.shape[0], np.bool_)
    lines[position.line[able & inside[position.program]]] = True
    more = inside.copy()
    more[position.program[able & lines[position.line]]] = True
    return more
