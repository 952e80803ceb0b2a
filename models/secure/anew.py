"""Steps of the search for secure plans: some programs placed anew all at once, by a MIP.

One by one, each finds the line-days taken that the others have, with and without outages. The MIP
is that of `group.py`, in the days that all other programs leave, with re-routings in fractions; its
plan then gets re-routings in whole batches like any other.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from math import factorial
from typing import TYPE_CHECKING

import numpy as np

from models.patterns.apart import components
from models.result import Decision
from models.secure.group import Group

if TYPE_CHECKING:
    from models.secure.rebuilding import Rebuilder

#: Most programs at once, and seconds for each of them.
MOST, SECONDS = 3, 1.5
#: Most programs that share lines with no others and are placed all at once, and seconds for each.
WHOLE, WHOLE_SECONDS = 10, 4.0
#: Share of the seconds left that this may take, where so many are left: in a short search other
#: steps find more.
WHOLE_SHARE, WHOLE_LEFT = 0.25, 60.0
#: Orders at most in which programs are put in as the MIP has them.
ORDERS = 12
#: Times that programs are drawn again which the same plan was tried with.
DRAWS = 8


class Anew:
    """Places programs of a search anew; knows what it tried."""

    def __init__(self) -> None:
        #: objective of the plan with which some programs were last tried
        self.tried: dict[tuple[int, ...], float] = {}
        #: what the programs of a part cost when they were last placed all at once
        self.known: dict[tuple[int, ...], float] = {}

    def step(self, search: Rebuilder, stop: Callable[[], bool]) -> bool:
        """Place some programs of the best plan anew; whether the outcome is kept."""
        if search.best is None:
            return False
        programs = self.drawn(search)
        return self.place(search, programs, SECONDS * len(programs), stop)

    def part(self, search: Rebuilder, left: float, stop: Callable[[], bool]) -> bool:
        """Place all programs anew that share lines, directly or through others; as `step`.

        Those first that cost most above the least they may; no plan of theirs is tried twice.
        `left` are the seconds for all that follows.
        """
        if search.best is None or left < WHOLE_LEFT:
            return False
        search.restore(search.best)
        cost, regret = search.costs(), search.regret()
        for part in sorted(self.parts(search), key=lambda part: -float(regret[list(part)].sum())):
            known = float(cost[list(part)].sum())
            if self.known.get(part) != known:
                self.known[part] = known
                seconds = min(WHOLE_SECONDS * len(part), WHOLE_SHARE * left)
                return self.place(search, part, seconds, stop)
        return False

    def parts(self, search: Rebuilder) -> list[tuple[int, ...]]:
        """Programs that share lines with no others, where they are more than a step takes."""
        found = [tuple(part.tolist()) for part in components(search.problem)]
        return [part for part in found if MOST < len(part) <= WHOLE]

    def place(
        self,
        search: Rebuilder,
        programs: tuple[int, ...],
        seconds: float,
        stop: Callable[[], bool],
    ) -> bool:
        """Place these programs of the best plan anew; whether the outcome is kept."""
        assert search.best is not None
        search.restore(search.best)
        standing, former = search.standing, list(search.standing.entries)
        plan = standing.decision()
        out = frozenset(np.flatnonzero(standing.programs_at == 0).tolist())
        for p in programs:
            standing.drop(p)
        group = Group(search.problem, search.terms, np.array(programs, np.int64), standing)
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
        """Put the programs in as planned, in an order in which all of them can be re-routed."""
        standing, before = search.standing, list(search.standing.entries)
        for order in orders(programs, search.rng):
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


def orders(programs: tuple[int, ...], rng: np.random.Generator) -> list[tuple[int, ...]]:
    """All orders of a few programs, of more of them some by chance."""
    if factorial(len(programs)) <= ORDERS:
        return list(permutations(programs))
    return [tuple(int(p) for p in rng.permutation(programs)) for _ in range(ORDERS)]
