"""The best re-routing of one part after an outage, with the bound that none does better.

The relaxation gives a bound, emptying and refilling lines (`models.recourse.refill`) a plan. Where
the two do not meet, the part is given to the solver, beginning with that plan.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from models.problem import Floats, Ints
from models.recourse.bounds import proven
from models.recourse.linear import Duals, build, layout
from models.recourse.scene import Scene, trimmed
from models.recourse.solver import relaxed, whole

#: Rounds of refilling lines: tens of milliseconds for a large part.
REFILLS = 500


@dataclass(frozen=True)
class Effort:
    """How long to look: `gap` relative, `until` on the clock of time.monotonic (None: no end).

    `looks` bounds the solver by a count that repeats (`models.recourse.solver.whole`); it gets no
    part with more cells than looks. None: no end.
    """

    gap: float = 0.005
    until: float | None = None
    threads: int = 1
    stop: Callable[[], bool] | None = None
    looks: int | None = None

    @property
    def over(self) -> bool:
        """Whether the time is up or a stop was asked for."""
        late = self.until is not None and time.monotonic() >= self.until
        return late or (self.stop is not None and self.stop())

    @property
    def left(self) -> float | None:
        """Seconds left, None without a limit."""
        return None if self.until is None else max(0.0, self.until - time.monotonic())

    def share(self, of: int) -> Effort:
        """The effort with one of so many equal shares of the time that is left."""
        left = self.left
        return self if left is None else replace(self, until=time.monotonic() + left / max(1, of))


def cost(scene: Scene, batches: Ints, allowed: Floats) -> float:
    """Money of units short beyond `allowed` (P,) under a re-routing."""
    return float(scene.price @ over(scene, batches, allowed))


def over(scene: Scene, batches: Ints, allowed: Floats) -> Floats:
    """Units short beyond what is allowed, (P,); rounding noise counts as none."""
    more = scene.unmet(batches).sum(1) - allowed
    return np.where(more > 1e-9 * np.maximum(scene.demand, 1.0), more, 0.0)


@dataclass(frozen=True)
class Found:
    """What the search of a part knows, to go on from: see `PartSearch`."""

    batches: Ints
    bound: float
    linear: float
    duals: Duals | None
    stage: int


class PartSearch:
    """The re-routing of one part, which can be worked on again and again.

    `best` (A, T) costs `value`, none costs less than `bound`, of which `duals` prove `linear`.
    """

    def __init__(self, scene: Scene, allowed: Floats, batches: Ints) -> None:
        self.scene = scene
        self.allowed = allowed
        self.best = batches
        self.value = cost(scene, batches, allowed)
        self.bound = self.linear = 0.0
        self.duals: Duals | None = None
        self.stage = 0
        self.cells = int(np.count_nonzero(scene.most))

    def met(self, gap: float) -> bool:
        """Whether value and bound meet within the relative gap."""
        return self.value - self.bound <= max(gap, 1e-6) * self.value

    @property
    def found(self) -> Found:
        """All that is known."""
        return Found(self.best, self.bound, self.linear, self.duals, self.stage)

    def resume(self, found: Found) -> None:
        """Go on from what an earlier search of the same part knew."""
        self.best = found.batches
        self.value = cost(self.scene, found.batches, self.allowed)
        self.bound, self.linear, self.duals = found.bound, found.linear, found.duals
        self.stage = found.stage

    def work(self, effort: Effort) -> None:
        """Go on until value and bound meet, the effort is spent, or nothing is left to try."""
        steps = (self.relaxation, self.refilling, self.everything)
        while self.stage < len(steps) and not self.met(effort.gap) and not effort.over:
            if not steps[self.stage](effort):
                return
            self.stage += 1

    def glance(self, effort: Effort) -> None:
        """A first bound, if there is none yet and one is needed."""
        if self.stage == 0 and not self.met(effort.gap):
            self.stage += self.relaxation(effort)

    def relaxation(self, effort: Effort) -> bool:
        """Bound by the relaxation of the part."""
        everyone = np.ones(len(self.scene.price), np.bool_)
        model = build(layout(self.scene, everyone), self.scene.room, self.allowed, False)
        duals = relaxed(model, effort.threads).duals
        if duals is not None:
            self.linear, self.duals = proven(self.scene, duals, self.allowed), duals
            self.bound = max(self.bound, self.linear)
        return True

    def refilling(self, effort: Effort) -> bool:
        """Empty and refill lines, from the best re-routing on, until the bound is near."""
        from models.recourse.refill import refill

        scene = self.scene
        batches: Ints = refill(  # type: ignore[no-untyped-call]
            scene.start,
            (scene.wanted, scene.cap, scene.price, self.allowed),
            (scene.program, scene.line, scene.good, scene.days, scene.lag, scene.changeover),
            scene.supply,
            scene.room,
            scene.most,
            self.best,
            REFILLS,
            self.bound / (1.0 - min(effort.gap, 0.5)),
            0,
        )
        self.take(batches)
        return True

    def everything(self, effort: Effort) -> bool:
        """Re-plan the whole part: what the solver proves counts."""
        if effort.looks is not None and self.cells > effort.looks:
            return False
        everyone = np.ones(len(self.scene.price), np.bool_)
        model = build(layout(self.scene, everyone), self.scene.room, self.allowed, True)
        solved = whole(
            model, effort.gap, effort.left, effort.threads, self.best, effort.stop, effort.looks
        )
        self.bound = max(self.bound, solved.bound)
        if solved.batches is not None:
            self.take(solved.batches)
        return solved.finished

    def take(self, batches: Ints) -> None:
        """Keep a re-routing if it costs less."""
        batches = trimmed(self.scene, batches)
        value = cost(self.scene, batches, self.allowed)
        if value < self.value:
            self.best, self.value = batches, value
