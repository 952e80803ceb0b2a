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


def by_turns(search: Search, improver: Improver) -> None:
    """Moves and MIPs over columns for about as long as what raises the bound.

    With the cuts done and the tree planted, until the watch is over.
    """
    watch, tally = search.watch, search.master.tally
    dear = PLANS_FIRST if search.streams > LARGE else 1.0
    #: units of work so far for plans and for the bound
    plans = proofs = 0.0
    idle = turns = weary = 0
    while not watch.over() and (search.growing or weary < PATIENCE):
        before = replace(tally)
        due = search.due(turns, bool(np.isfinite(improver.top)), improver.breaks or improver.tied)
        if due is not None:
            improver.adopt(search.solve_mip(due, turns, improver.rows, improver.ends))
            plans += tally.units(before, search.streams)
        elif plans <= proofs or not search.growing:
            idle = 0 if improver.run() else idle + 1
            weary = min(idle // improver.length, PATIENCE)
            turns += 1
            plans += 1.0
        else:
            former = search.settled
            search.prove()
            proofs += dear * tally.units(before, search.streams)
            if search.growing and search.settled is not None and search.settled is not former:
                improver.attempt(*search.settled)
