"""What the two sides of a breakpoint tell each other while both work, and when a proof is given up.

Processes of a crew share nothing but files, so each end, and the plan that survives the lower one,
stands in a small file of a common folder.
"""

from __future__ import annotations

import os
import pickle
import time
from bisect import bisect_left
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.result import Decision

#: Seconds between two looks at what the other side told.
LOOK_SECONDS = 0.2
#: Share of the time left before which no proof is given up, and how many times as slow as lately a
#: bound is taken to rise from now on: what is left to prove is the hardest.
SURE, SLOWER = 0.15, 1.5
#: A limit this close to the level is waited for.
NEAR = 5e-5


class Ends:
    """The largest multiplier known to survive and the smallest one known to fail, of both sides.

    `low` and `high` (None: nothing is known to fail) are at most LOOK_SECONDS old.
    """

    def __init__(self, folder: str | Path, low: float, high: float | None) -> None:
        self.folder = Path(folder)
        self._low, self._high = low, high
        self._next = 0.0

    def tell(
        self, low: float | None = None, high: float | None = None, plan: Decision | None = None
    ) -> None:
        """Move an end, here and for the other side; an end that is not better stays.

        `plan` is what survives `low`.
        """
        if low is not None and low > self._low:
            self._low = low
            self._write("low", low)
            if plan is not None:
                self._write("plan", plan)
        if high is not None and (self._high is None or high < self._high):
            self._high = high
            self._write("high", high)

    def _write(self, name: str, value: object) -> None:
        """Put a value in its file at once, so that nobody reads half of it."""
        fresh = self.folder / f"{name}.{os.getpid()}"
        fresh.write_bytes(pickle.dumps(value))
        fresh.replace(self.folder / name)

    def _look(self) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + LOOK_SECONDS
        low, high = self._read("low"), self._read("high")
        self._low = self._low if low is None else max(self._low, low)
        if high is not None:
            self._high = high if self._high is None else min(self._high, high)

    def _read(self, name: str) -> Any:
        try:
            return pickle.loads((self.folder / name).read_bytes())
        except FileNotFoundError:
            return None

    @property
    def plan(self) -> Decision | None:
        """The plan that survives the lower end, None where nobody told one."""
        found: Decision | None = self._read("plan")
        return found

    @property
    def low(self) -> float:
        """The largest multiplier known to survive."""
        self._look()
        return self._low

    @property
    def high(self) -> float | None:
        """The smallest multiplier known to fail."""
        self._look()
        return self._high

    def met(self, within: float) -> bool:
        """Whether the ends are within this share of the lower."""
        high = self.high
        return high is not None and high <= self.low * (1.0 + within)


class Pace:
    """How fast a limit of service falls towards a level, and whether it gets there in time.

    Judged by the later half of the seconds since the first limit: the first ones fall much faster.
    """

    def __init__(self, level: float) -> None:
        self.level = level
        self.when: list[float] = []
        self.limits: list[float] = []

    def hopeless(self, limit: float, spent: float, left: float) -> bool:
        """Take the limit in as it stands after `spent` seconds of work.

        Whether at this pace `left` seconds more are not enough.
        """
        self.when.append(spent)
        self.limits.append(limit)
        since = spent - self.when[0]
        if since < SURE * (since + left) or left < spent or limit - self.level < NEAR:
            return False  # or too little is left for any other
        half = max(0, bisect_left(self.when, spent - since / 2.0) - 1)
        fall = self.limits[half] - limit
        needed = SLOWER * (limit - self.level) * (spent - self.when[half])
        return needed > fall * left
