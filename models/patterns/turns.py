"""The search on one thread: plans improved and the bound raised by turns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.patterns.improving import Improver
from models.patterns.search import Search

#: Cycles of moves without a better plan after which the search gives up once the tree can grow no
#: more.
PATIENCE = 12
#: Streams of a large problem, whose tree proves less for its work, and how many times as much of it
#: goes to plans.
LARGE, PLANS_FIRST = 50_000, 3.0


class Turns:
    """Moves and MIPs over columns for about as long as what raises the bound.

    With the cuts done and the tree planted, `step` by step.
    """

    def __init__(self, search: Search, improver: Improver) -> None:
        self.search, self.improver = search, improver
        self.dear = PLANS_FIRST if search.streams > LARGE else 1.0
        #: units of work so far for plans and for the bound
        self.plans = self.proofs = 0.0
        self.idle = self.turns = self.weary = 0

    @property
    def over(self) -> bool:
        """Whether the watch is over, or neither side finds anything more."""
        search = self.search
        return search.watch.over() or not (search.growing or self.weary < PATIENCE)

    def step(self) -> None:
        """A step of the side that has had less of the work."""
        search, improver, tally = self.search, self.improver, self.search.master.tally
        before = replace(tally)
        ready = bool(np.isfinite(improver.top))
        due = search.due(self.turns, ready, improver.breaks or improver.tied)
        if due is not None:
            improver.adopt(search.solve_mip(due, self.turns, improver.rows, improver.ends))
            self.plans += tally.units(before, search.streams)
        elif self.plans <= self.proofs or not search.growing:
            self.idle = 0 if improver.run() else self.idle + 1
            self.weary = min(self.idle // improver.length, PATIENCE)
            self.turns += 1
            self.plans += 1.0
        else:
            former = search.settled
            search.prove()
            self.proofs += self.dear * tally.units(before, search.streams)
            if search.growing and search.settled is not None and search.settled is not former:
                improver.attempt(*search.settled)


def by_turns(search: Search, improver: Improver) -> None:
    """All steps until the watch is over or nothing more is found."""
    turns = Turns(search, improver)
    while not turns.over:
        turns.step()
