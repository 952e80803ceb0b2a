"""Proofs that no plan survives: which multiplier is asked next, and when a proof is left.

The proofs of all answers share one process, so that what the first ones do not need goes to the
last one, whose proofs take longest.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from math import sqrt

from allocator.growth.bisect import HIGHEST, LOWEST, WITHIN
from allocator.growth.ends import Pace
from allocator.growth.service import Probe, Search
from allocator.growth.sides import SAME, Own, Side
from allocator.tradeoff.crew import Report, Stop

#: How far below the upper end, as share of it, a proof is first tried. The next is tried twice as
#: far below that one where it took less than EASY of the time, half as far where it took more than
#: QUICK.
FIRST_DOWN, EASY, QUICK = 0.02, 0.01, 0.05
#: How far a new proof stays from what failed and from where one was left, as share of WITHIN, and
#: how far below what is needed one that was left is still gone on with.
APART, BELOW = 0.25, 0.2
#: Where a proof was left and more than AMPLE times what it took is left, the next one is only half
#: as far up as its bound would do.
AMPLE = 2.0
#: Seconds after which another answer may have its turn, and what each of those leaves to the others
#: of the time.
SLICE, OTHERS = 5.0, 0.25
#: Share of the time left for a proof that cannot be taken up again.
AT_ONCE = 0.25


def fall(sides: Sequence[Side], progress: Report, stop: Stop) -> list[list[Probe]]:
    """Proofs for all answers, by turns for the first and the last that are not close enough yet.

    Plans are looked for in the order of the answers, so the first one waits for its proof.
    """
    descents = [Descent(side, progress, stop) for side in sides]
    while going := [each for each in descents if each.going()]:
        fresh = [each for each in going if not each.total]
        turn = fresh[0] if fresh else min((going[0], going[-1]), key=lambda each: each.total)
        share = 1.0 - OTHERS * (len(going) - 1)
        turn.step(SLICE, share * turn.own.left)
    return [each.own.probes for each in descents]


class Descent:
    """Proofs for one answer at ever smaller multipliers, some seconds at a time.

    A proof that will hardly be had in time is left for one further up, and taken up again once
    that is had.
    """

    def __init__(self, side: Side, progress: Report, stop: Stop) -> None:
        self.side, self.own = side, Own(side, progress, stop)
        self.level, self.stride = self.own.ask.level, FIRST_DOWN
        high = self.own.ends.high
        self.aim = None if high is None else high * (1.0 - self.stride)
        #: proofs that were left with the seconds that they took so far, the highest last
        self.paused: list[tuple[Search, float]] = []
        #: the proof under way, whether it gets all the time, and its seconds so far
        self.search: Search | None = None
        self.last, self.spent, self.pace = False, 0.0, Pace(self.level)
        self.total, self.ended = 0.0, False

    def going(self) -> bool:
        """Whether there is something to prove, and time."""
        return not self.ended and self.own.going()

    def step(self, seconds: float, left: float) -> None:
        """Go on for some seconds; `left` are those that are there for all proofs to come."""
        if self.search is None and not self._choose():
            self.ended = True
            return
        search = self.search
        assert search is not None
        begun, slow, sliced = time.monotonic(), False, False

        def leave(limit: float | None) -> bool:
            nonlocal slow, sliced
            now = time.monotonic() - begun
            if limit is not None and not self.last:
                slow = self.pace.hopeless(limit, self.spent + now, left - now)
            sliced = now >= seconds
            return slow or sliced

        more = search.exclude(self.own.left if search.resumable else AT_ONCE * left, leave)
        took = time.monotonic() - begun
        self.spent, self.total = self.spent + took, self.total + took
        if slow or not sliced or search.survives is False:
            self.search = None
            self._settle(search, more, left - took)

    def _choose(self) -> bool:
        """The proof that comes next; False where there is none."""
        low, high = self.own.ends.low, self.own.ends.high
        step, away = 1.0 + WITHIN, 1.0 + APART * WITHIN
        top = HIGHEST if high is None else high
        needed = low * step  # a proof there is close enough
        least = needed / (1.0 + BELOW * WITHIN)
        self.paused = [each for each in self.paused if least <= each[0].multiplier < top]
        wall = self.paused[-1][0].multiplier if self.paused else None
        if high is None:
            m = 2.0 * (wall or low)
        else:
            bottom = max(low, wall or 0.0)
            m = sqrt(bottom * high) if self.aim is None else self.aim
            m = min(max(m, bottom * away), high / away)
            m = needed if m < needed * away else m
        if not LOWEST <= m <= HIGHEST:
            return False
        # as close as it gets: where one was left, with all the time
        self.last = high is not None and wall is not None and m < wall * away * (1.0 - SAME)
        if self.last:
            self.search, self.spent = self.paused.pop()
        else:
            self.search, self.spent = self.own.search(m, step / away), 0.0
        self.pace = Pace(self.level)
        return True

    def _settle(self, search: Search, more: bool, left: float) -> None:
        """Take in how a proof ended, or was left, and where the next one should be."""
        probe, m = self.own.keep(search), search.multiplier
        if probe.survives is False:
            share = self.spent / max(self.spent + left, 1e-9)
            self.stride *= 2.0 if share < EASY else 0.5 if share > QUICK else 1.0
            self.aim = m * (1.0 - self.stride)
        elif not more or (self.last and not search.settled) or self.own.left <= 0.0:
            self.ended = True
        else:
            self.aim, self.stride = None, FIRST_DOWN
            self.paused.append((search, self.spent))
            if probe.limit is not None and self.side.slope:
                share = 0.5 if left > AMPLE * self.spent else 1.0
                self.aim = m + share * (probe.limit - self.level) / self.side.slope
