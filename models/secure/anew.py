"""A step of the search for secure plans: a few programs placed anew all at once, by a MIP.

One by one, each finds the line-days taken that the others have, with and without outages. The MIP
is that of `group.py`, in the days that all other programs leave, with re-routings in fractions; its
plan then gets re-routings in whole batches like any other.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np

from models.result import Decision
from models.secure.group import Group

if TYPE_CHECKING:
    from models.secure.rebuilding import Rebuilder

#: Most programs at once, and seconds for each of them.
MOST, SECONDS = 3, 1.5
#: Times that programs are drawn again which the same plan was tried with.
DRAWS = 8


class Anew:
    """Places programs of a search anew; knows what it tried."""

    def __init__(self) -> None:
        #: objective of the plan with which some programs were last tried
        self.tried: dict[tuple[int, ...], float] = {}

    def step(self, search: Rebuilder, stop: Callable[[], bool]) -> bool:
        """Place some programs of the best plan anew; whether the outcome is kept."""
        if search.best is None:
            return False
        programs = self.drawn(search)
        search.restore(search.best)
        standing, former = search.standing, list(search.standing.entries)
        plan = standing.decision()
        out = frozenset(np.flatnonzero(standing.programs_at == 0).tolist())
        for p in programs:
            standing.drop(p)
        group = Group(search.problem, search.terms, np.array(programs, np.int64), standing)
        seconds = SECONDS * len(programs)
        found = group.beside(out, seconds, plan, stop) if group.complete else None
        if found is not None:
            self.settle(search, programs, found)
        left = [p for p in programs if standing.entries[p] is None]
        search.insert(search.order(left), stop)
        return search.judged(former)

    def drawn(self, search: Rebuilder) -> tuple[int, ...]:
        """Programs that cost much more than they must, near each other."""
        assert search.best is not None
        for _ in range(DRAWS):
            count = int(search.rng.integers(1, MOST + 1))
            programs = tuple(sorted(search.ruined()[:count]))
            if self.tried.get(programs) != search.best.objective:
                break
        self.tried[programs] = search.best.objective
        return programs

    def settle(self, search: Rebuilder, programs: tuple[int, ...], plan: Decision) -> None:
        """Put the programs in as planned, in the order in which most of them can be re-routed."""
        standing, before = search.standing, list(search.standing.entries)
        for order in permutations(programs):
            for hope in (0.0, 1.0):
                search.inserter.hope = hope
                for p in order:
                    search.take_over(p, int(plan.option[p]), plan.batches)
                sourced = [p for p in programs if plan.option[p] != search.problem.options.start[p]]
                if all(standing.entries[p] is not None for p in sourced):
                    return
                for p, entry in enumerate(before):
                    if standing.entries[p] is not entry:
                        standing.drop(p)
                        if entry is not None:
                            standing.add(p, entry)
