"""One part under test: the least that is missed, and whether every program keeps its level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from models.problem import Floats, Ints
from models.recourse.scene import Scene
from models.recourse.search import Effort, Found, PartSearch

#: Whether every program keeps its service level: a plan shows it, a bound rules it out, or neither.
Kept = Literal["yes", "no", "open"]
#: Share of demand by which a program may be below its level as rounding, on top of that which
#: `models.recourse.exposure_limit` grants, so that what meets the one meets the other.
HAIR = 1e-8


@dataclass(frozen=True)
class Tried:
    """What a trial knows, to go on from; `level` None where no program was below its level."""

    least: Found
    level: Found | None


class Trial:
    """Two searches of one part: `least` money missed, and `level`, money beyond the levels.

    `limit` (P,) are the units that each program may be short and keep its level. The second search
    begins where the first one's plan exposes a program.
    """

    def __init__(self, scene: Scene, limit: Floats, batches: Ints) -> None:
        self.scene, self.limit = scene, limit
        self.least = PartSearch(scene, scene.planned_unmet, batches)
        self.level: PartSearch | None = None

    @property
    def tried(self) -> Tried:
        """All that is known."""
        return Tried(self.least.found, None if self.level is None else self.level.found)

    def resume(self, tried: Tried) -> None:
        """Go on from what an earlier trial of the same part knew."""
        self.least.resume(tried.least)
        if tried.level is not None:
            self.level = PartSearch(self.scene, self.limit, tried.level.batches)
            self.level.resume(tried.level)

    def work(self, effort: Effort) -> None:
        """Look for the cheapest re-routing; where it exposes a program, for one that does not."""
        self.least.glance(effort)
        self._meet_level(effort)  # most outages that expose a program do so whatever is re-routed
        self.least.work(effort)
        self._meet_level(effort)
        if self.level is not None and self.kept == "open":
            self.level.work(effort)

    def keep(self, effort: Effort) -> None:
        """Look only for a re-routing that keeps every level."""
        self._meet_level(effort)
        if self.level is not None:
            self.level.work(effort)

    def _meet_level(self, effort: Effort) -> None:
        """Begin the search for a re-routing that exposes nobody where the cheapest does."""
        if self.level is not None:
            self.level.take(self.least.best)
        elif self.exposes(self.least.best):
            self.level = PartSearch(self.scene, self.limit, self.least.best)
            self.level.glance(effort)

    def exposes(self, batches: Ints) -> bool:
        """Whether a re-routing leaves a program below its level."""
        more = self.scene.unmet(batches).sum(1) - self.limit
        return bool((more > HAIR * self.scene.demand).any())

    @property
    def kept(self) -> Kept:
        """Whether every program can keep its service level."""
        if self.level is None:
            return "open" if self.exposes(self.least.best) else "yes"
        if self.level.value <= 0:
            return "yes"
        return "no" if self.level.bound > 1e-9 * self.least.value else "open"

    def open(self, gap: float) -> bool:
        """Whether more work could tell more."""
        return self.kept == "open" or not self.least.met(gap)

    @property
    def doubt(self) -> float:
        """Money between what is attained and what is proven."""
        return self.least.value - self.least.bound
