"""Supply to re-plan, as plain arrays: what is there, what may start, and what it makes.

A scene is what is left of a plan after an outage, or a part of that which shares no days with the
rest (`models.recourse.parts`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.problem import Floats, Ints

#: Units and days smaller than this share of their scale are rounding noise.
NOISE = 1e-9


@dataclass(frozen=True)
class Scene:
    """P programs, A offers, L lines, T periods; periods before `start` are past: 0 where counted.

    `wanted` (P, T) demand, `cap` (P, T) most stock at the end of each period, `price` (P,) money
    per unit short, `supply` (P, T) units that come from before, `planned_unmet` (P,) units from the
    start on that the plan itself leaves unmet. Offers have their `program`, `line`, `good` units
    and `days` per batch, and `lag` in periods; lines their `changeover` days. `room` (L, T)
    line-days for batches and changeovers, `most` (A, T) batches that may start and could be of use.
    """

    start: int
    wanted: Floats
    cap: Floats
    price: Floats
    supply: Floats
    planned_unmet: Floats
    program: Ints
    line: Ints
    good: Floats
    days: Floats
    lag: Ints
    changeover: Floats
    room: Floats
    most: Ints

    @property
    def periods(self) -> int:
        """Number of periods, T."""
        return int(self.wanted.shape[1])

    @cached_property
    def demand(self) -> Floats:
        """Demand from the start on, (P,)."""
        total: Floats = self.wanted[:, self.start :].sum(1)
        return total

    def used(self, batches: Ints) -> Floats:
        """Line-days of batches (A, T) and their changeovers, (L, T)."""
        days = self.days[:, None] * batches
        days = days + self.changeover[self.line][:, None] * (batches > 0)
        used = np.zeros(self.room.shape)
        np.add.at(used, self.line, days)
        return used

    def unmet(self, batches: Ints) -> Floats:
        """Demand unmet from the start on when `batches` (A, T) are started from then on, (P, T)."""
        free = self.supply.copy()
        row, t = np.nonzero(batches)
        released = t + self.lag[row]
        row, t, released = (part[released < self.periods] for part in (row, t, released))
        np.add.at(free, (self.program[row], released), self.good[row] * batches[row, t])
        unmet = np.zeros(free.shape)
        held = np.zeros(len(free))
        for period in range(self.start, self.periods):
            left = held + free[:, period] - self.wanted[:, period]
            unmet[:, period] = np.maximum(-left, 0.0)
            held = np.clip(left, 0.0, self.cap[:, period])
        return unmet

    def extra(self, batches: Ints) -> Floats:
        """Units that each program is short beyond what the plan itself leaves unmet, (P,)."""
        more = self.unmet(batches).sum(1) - self.planned_unmet
        return np.where(more > NOISE * np.maximum(self.demand, 1.0), more, 0.0)


def trimmed(scene: Scene, batches: Ints) -> Ints:
    """Batches (A, T) with as few less as make every line fit."""
    batches = batches.copy()
    over = scene.used(batches) > scene.room * (1 + 1e-9) + 1e-6
    for line, t in np.argwhere(over):
        _cut(scene, batches, int(line), int(t))
    return batches


def _cut(scene: Scene, kept: Ints, line: int, t: int) -> None:
    """Take batches off an overloaded line, those worth least per day first."""
    mine = np.flatnonzero((scene.line == line) & (kept[:, t] > 0))
    days = scene.days[mine]
    worth = scene.price[scene.program[mine]] * scene.good[mine] / days
    change = float(scene.changeover[line])
    over = float((days * kept[mine, t]).sum() + change * len(mine) - scene.room[line, t])
    for place in np.argsort(worth, kind="stable"):
        row, each = int(mine[place]), float(days[place])
        while over > 1e-6 and kept[row, t] > 0:
            kept[row, t] -= 1
            over -= each + (change if kept[row, t] == 0 else 0.0)
