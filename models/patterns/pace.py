"""Two sides that work at the same time, kept in step by the work they do and not by a clock.

What one side finds reaches the other after an amount of work of its own that depends on nothing but
work. So equal inputs give equal plans, however fast each side is, and neither waits for the other
unless their work was guessed far from the time that it takes.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any

#: Units of work by which a side may be ahead of the other: at first, and more for each unit done,
#: at most.
SLACK, GROWTH, MOST = 1.0, 1 / 8, 6.0


@dataclass
class Side:
    """How far a side is: the end of its step, finished unless `busy`, and what it has found.

    `done` counts units of work. `news` are stamped with the units done when they were found.
    """

    done: float = 0.0
    busy: bool = False
    left: bool = False
    news: deque[tuple[float, Any]] = field(default_factory=deque)


class Pace:
    """Lets two sides, 0 and 1, take their steps; each calls `begin` and `finish` by turns."""

    def __init__(self) -> None:
        self.sides = Side(), Side()
        self.change = threading.Condition()
        #: whether a side ended by an error, so that the other one ends too
        self.failed = False

    def begin(self, side: int, units: float) -> list[Any]:
        """Begin a step of so many units as soon as the other side is near.

        Returns what that has found up to some units before, the same however fast it is.
        """
        mine, other = self.sides[side], self.sides[1 - side]
        seen = mine.done - min(SLACK + GROWTH * mine.done, MOST)

        def near() -> bool:
            if other.left or self.failed:
                return True
            return other.done > seen or (other.done >= seen and not other.busy)

        with self.change:
            self.change.wait_for(near)
            found = []
            while other.news and other.news[0][0] <= seen:
                found.append(other.news.popleft()[1])
            mine.done += units
            mine.busy = True
            self.change.notify_all()
        return found

    def finish(self, side: int, news: Any) -> None:
        """End the step begun last, and tell what it found."""
        mine = self.sides[side]
        with self.change:
            mine.news.append((mine.done, news))
            mine.busy = False
            self.change.notify_all()

    def leave(self, side: int, failed: bool = False) -> None:
        """Take no more steps."""
        with self.change:
            self.sides[side].left = True
            self.failed = self.failed or failed
            self.change.notify_all()
