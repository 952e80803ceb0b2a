"""The best re-routing of a whole portfolio after an outage: that of its parts, together.

The portfolio falls into parts that share no scarce days (`models.recourse.parts`); only those in
which somebody is short need work, and their values and bounds add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.problem import Floats, Ints
from models.recourse.bounds import proven
from models.recourse.events import Situation
from models.recourse.linear import Duals
from models.recourse.parts import Part, parts
from models.recourse.scene import Scene
from models.recourse.search import Effort, PartSearch, over


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


class Search:
    """The re-routing of a scene, which can be worked on again and again, from `batches` (A, T)."""

    def __init__(self, situation: Scene, allowed: Floats, batches: Ints) -> None:
        self.situation = situation
        self.allowed = allowed
        self._begun = batches
        self.parts = parts(situation, over(situation, batches, allowed) > 0)
        self.searches = [
            PartSearch(part.scene, allowed[part.programs], batches[part.offers])
            for part in self.parts
        ]

    @property
    def best(self) -> Ints:
        """The best re-routing found, (A, T)."""
        return merged(self._begun, self.parts, [search.best for search in self.searches])

    @property
    def value(self) -> float:
        """What it costs."""
        return sum(search.value for search in self.searches)

    @property
    def bound(self) -> float:
        """What any costs at least."""
        return sum(search.bound for search in self.searches)

    def met(self, gap: float) -> bool:
        """Whether value and bound meet within the relative gap."""
        return self.value - self.bound <= max(gap, 1e-6) * self.value

    def result(self, gap: float) -> Replanned:
        """What is known so far."""
        duals = joined(self.situation, self.parts, [search.duals for search in self.searches])
        linear = 0.0 if duals is None else proven(self.situation, duals, self.allowed)
        value, bound = self.value, max(self.bound, linear)
        return Replanned(
            self.best, value, min(bound, value), min(linear, value), duals, self.met(gap)
        )

    def work(self, effort: Effort) -> None:
        """Go on until value and bound meet, the time is up, or nothing is left to try."""
        for number, search in enumerate(self.searches):
            search.work(effort.share(len(self.searches) - number))

    def glance(self, effort: Effort) -> None:
        """A first bound, if there is none yet and one is needed."""
        for search in self.searches:
            search.glance(effort)


def merged(batches: Ints, parts: Sequence[Part], found: Sequence[Ints]) -> Ints:
    """Batches (A, T) of a scene with those found for its parts in their place."""
    batches = batches.copy()
    for part, own in zip(parts, found, strict=True):
        batches[part.offers] = own
    return batches


def joined(scene: Scene, parts: Sequence[Part], found: Sequence[Duals | None]) -> Duals | None:
    """Duals of the parts as duals of the scene; None where no part has any.

    Days that are not scarce may be priced by two parts: the sum is valid, as any duals are.
    """
    if all(duals is None for duals in found):
        return None
    flow, days = np.zeros(scene.wanted.shape), np.zeros(scene.room.shape)
    short = np.zeros(len(scene.price))
    for part, duals in zip(parts, found, strict=True):
        if duals is not None:
            flow[part.programs] = duals.flow
            days[part.lines] += duals.line_days
            short[part.programs] = duals.short
    return Duals(flow, days, short)
