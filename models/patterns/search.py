"""What a search after the relaxation consists of: steps that raise the bound, MIPs over columns at
hand, and a first plan for moves to improve. `turns` and `beside` say when each of them is done.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from models.patterns.columns import Columns
from models.patterns.cutting import Cutting
from models.patterns.dive import dive
from models.patterns.improving import Improver, expanded_lines
from models.patterns.part import overfull
from models.patterns.restricted import RESTRICTED, polish, restricted
from models.patterns.root import Generation
from models.patterns.tree import Tree
from models.patterns.watch import Watch
from models.problem import Bools, Ints

Mip = Literal["polish", "restricted"]

#: Streams up to which a MIP over all columns at hand is worth its time before the first turn.
FEW = 2_000
#: First cycles of moves after which the plan is polished, then after twice as many.
POLISHING = 4
#: Growth of the columns at hand after which a MIP over all of them is solved again.
AGAIN = 1.5


class Search:
    """Plans and bound of one solve, from its relaxation on.

    `tree` is None until cuts and lines have raised the bound of the relaxation.
    """

    def __init__(self, generation: Generation, watch: Watch, until: float) -> None:
        """Cuts are added up to `until` seconds of the watch."""
        self.generation, self.watch = generation, watch
        self.lagrangian, self.master = generation.lagrangian, generation.master
        self.streams = max(1, len(self.lagrangian.rows))
        self.cutting = Cutting(generation, until)
        self.cutting.done = not generation.result.converged
        self.tree: Tree | None = None
        #: whether the tree may still raise the bound
        self.growing = True
        #: turns of moves after which the plan is polished
        self.polishing = 0
        #: columns from which on a MIP over all of them is solved again
        self.again = 0.0

    @property
    def settled(self) -> tuple[Columns, Bools] | None:
        """What the last node's relaxation nearly chose, for moves to start from."""
        return None if self.tree is None else self.tree.settled

    def plant(self) -> None:
        """Let the lines raise the bound of the relaxation, and begin the tree."""
        self.tree = Tree(self.lagrangian, self.master, self.generation.result, self.watch)

    def begin(self) -> Improver:
        """A first plan, and what will improve it."""
        lagrangian, master, watch = self.lagrangian, self.master, self.watch
        given, layout = watch.decision, lagrangian.layout
        improver = self.improver()
        pool = master.columns.take(np.flatnonzero(np.isin(master.columns.option, improver.rows)))
        grown = expanded_lines(layout.expand, master.side_values)
        start = pool.take(np.empty(0, np.int64))
        improver.construct(start, grown)
        if not np.isfinite(improver.top):  # the rules leave moves at guiding prices no plan
            half = watch.seconds + 0.3 * watch.left
            start, more = dive(lagrangian.book, improver.rows, pool, watch, half)
            pool = more if len(more) <= RESTRICTED else pool
            improver.construct(start, grown | overfull(lagrangian.book, start))
        alone = watch.settings.threads == 1
        if (self.streams <= FEW and alone) or not np.isfinite(improver.top):
            restricted(lagrangian.book, improver.rows, pool, watch, master.tally)
        if watch.objective is not None and watch.objective < improver.top:
            given = watch.decision
        if given is not None and watch.decision is given:
            assert watch.objective is not None
            improver.load(given, watch.objective)
        self.polishing = POLISHING * improver.shortest
        self.again = AGAIN * max(master.count, 100)
        return improver

    def improver(self, again: int = 0) -> Improver:
        """Moves guided by the relaxation as it stands."""
        relaxation, seed = self.generation.result, self.watch.settings.seed + again
        return Improver(self.lagrangian, relaxation, self.master, self.watch, seed)

    def prove(self) -> bool:
        """A step for the bound: a round of cuts, then the lines, then the tree.

        Whether the moves should be guided anew.
        """
        if self.tree is not None:
            self.growing = self.growing and not self.watch.over() and self.tree.step()
            return False
        if self.cutting.step() or self.watch.over():
            return False
        self.plant()
        return True

    def due(self, turns: int, ready: bool, tied: bool) -> Mip | None:
        """Which MIP over columns is worth its time now, after so many turns of moves.

        `ready`: moves have a plan; `tied`: a limit on spend shares matters to it.
        """
        if self.tree is None or not ready:
            return None
        if turns >= self.polishing:
            return "polish"
        return "restricted" if tied and self.again <= self.master.count <= RESTRICTED else None

    def solve_mip(self, kind: Mip, turns: int, rows: Ints, ends: tuple[Columns, ...]) -> bool:
        """Solve a MIP that is due; whether it found a better plan.

        `rows` are the options that moves know, `ends` plans at which they ended.
        """
        if kind == "polish":
            assert self.tree is not None
            self.polishing = 2 * max(turns, 1)
            return polish(self.tree, self.watch, ends)
        columns = self.master.columns
        self.again = AGAIN * len(columns)
        known = columns.take(np.isin(columns.option, rows))
        return restricted(self.lagrangian.book, rows, known, self.watch, self.master.tally)
