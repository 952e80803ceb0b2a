"""The search after the relaxation: plans improved and the bound raised by turns.

With a second thread the two go on side by side. What they find is exchanged between turns, never
within one, so that equal seeds and threads find equal plans however fast each of them is.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from models.patterns.cutting import Cutting
from models.patterns.dive import dive
from models.patterns.improving import Improver, expanded_lines
from models.patterns.part import overfull
from models.patterns.restricted import RESTRICTED, polish, restricted
from models.patterns.root import Generation
from models.patterns.tree import Tree
from models.patterns.watch import Watch

#: Turns without a better plan after which the search gives up once the tree can grow no more.
PATIENCE = 12
#: Streams that the nodes of one turn may price together; larger problems have a node less often.
#: A round of cuts prices about half as many as a node.
NODES_PER_TURN, CUTS_PER_TURN = 4_000, 8_000
#: Streams for each turn of moves beside one for the bound, which takes longer the more there are.
STREAMS_PER_RUN, MOST_RUNS = 2_000, 8
#: Streams of a large problem. On one thread its nodes are rarer still, as each proves less. With
#: two, so many turns of moves may go on beside them, each the longer the more programs there are.
LARGE, MOST_RUNS_LARGE, PROGRAMS_PER_PACE = 50_000, 120, 200
#: Steps of the lines' searches in one turn for each further turn of moves beside the next.
STEPS_PER_RUN = 20_000_000
#: The same for the master's simplex, in iterations times rows.
SIMPLEX_PER_RUN = 3_000_000
#: Times as many turns of moves beside a MIP over columns.
RUNS_PER_MIP = 2
#: First cycles of moves after which the plan is polished, then after twice as many.
POLISHING = 4
#: Growth of the columns at hand after which a MIP over all of them is solved again.
AGAIN = 1.5


class Search:
    """Plans and bound of one solve, from its relaxation on; `run` until the watch is over.

    `tree` is None until cuts and lines have raised the bound of the relaxation.
    """

    def __init__(self, generation: Generation, watch: Watch, until: float) -> None:
        """Cuts are added up to `until` seconds of the watch."""
        self.generation, self.watch = generation, watch
        self.lagrangian, self.master = generation.lagrangian, generation.master
        self.cutting = Cutting(generation, until)
        self.cutting.done = not generation.result.converged
        self.tree: Tree | None = None
        streams = max(1, len(self.lagrangian.rows))
        self.beside = watch.settings.threads > 1
        self.large = streams > LARGE
        self.nodes = int(np.clip(NODES_PER_TURN // streams, 1, 30))
        self.cuts = int(np.clip(CUTS_PER_TURN // streams, 1, 30))
        #: turns from one with nodes to the next
        self.every = 1
        if not self.beside:
            self.every = max(1, streams // NODES_PER_TURN) * max(1, streams // LARGE)
        self.runs = int(np.clip(1 + streams // STREAMS_PER_RUN, 1, MOST_RUNS))
        pace = 1 + self.lagrangian.layout.P // PROGRAMS_PER_PACE if self.large else 1
        self.simplex_per_run = SIMPLEX_PER_RUN * pace
        self.growing = True
        #: steps of the lines' searches, and work of the simplex, in the last turn
        self.work = self.simplex = 0

    def run(self) -> None:
        """The whole search."""
        self.watch.report("cuts")
        if not self.beside:
            self.cutting.finish()
            self.plant(self.watch.settings.threads)
        self.watch.report("first plan")
        improver = self.begin()
        self.watch.report("search")
        self.turns(improver)

    def plant(self, threads: int) -> None:
        """Let the lines raise the bound of the relaxation, and begin the tree."""
        relaxation = self.generation.result
        self.tree = Tree(self.lagrangian, self.master, relaxation, self.watch, threads)

    def begin(self) -> Improver:
        """A first plan, and what will improve it."""
        lagrangian, master, watch = self.lagrangian, self.master, self.watch
        given, layout = watch.decision, lagrangian.layout
        improver = self.improver(watch)
        pool = master.columns.take(np.flatnonzero(np.isin(master.columns.option, improver.rows)))
        grown = expanded_lines(layout.expand, master.side_values)
        start = pool.take(np.empty(0, np.int64))
        improver.construct(start, grown)
        if not np.isfinite(improver.top):  # the rules leave moves at guiding prices no plan
            half = watch.seconds + 0.3 * watch.left
            start, more = dive(lagrangian.book, improver.rows, pool, watch, half)
            pool = more if len(more) <= RESTRICTED else pool
            improver.construct(start, grown | overfull(lagrangian.book, start))
        few = len(lagrangian.rows) <= NODES_PER_TURN // 2
        if (few and not self.beside) or not np.isfinite(improver.top):
            restricted(lagrangian.book, improver.rows, pool, watch)
        if watch.objective is not None and watch.objective < improver.top:
            given = watch.decision
        if given is not None and watch.decision is given:
            improver.load(given)
        return improver

    def improver(self, watch: Watch, again: int = 0) -> Improver:
        """Moves guided by the relaxation as it stands."""
        relaxation, seed = self.generation.result, self.watch.settings.seed + again
        return Improver(self.lagrangian, relaxation, self.master, watch, seed)

    def prove(self) -> bool:
        """A turn for the bound: rounds of cuts, then the lines, then nodes of the tree.

        Whether the moves should be guided anew.
        """
        before, simplex = 0, self.master.work
        planting = self.tree is None
        if self.tree is None:
            for _ in range(self.cuts):
                if not self.cutting.step():
                    break
            if self.cutting.done and not self.watch.over():
                self.plant(1)
        else:
            before = self.tree.work
            for _ in range(self.nodes):
                self.growing = self.growing and not self.watch.over() and self.tree.step()
        if self.tree is not None:
            self.work = self.tree.work - before
        self.simplex = self.master.work - simplex
        return planting and self.tree is not None

    def runs_beside(self, polishes: bool) -> int:
        """Turns of moves for about the time that raising the bound takes, guessed from its work."""
        if self.every > 1:
            return 1
        most = MOST_RUNS_LARGE if self.large else MOST_RUNS
        if polishes and self.beside:
            return most if self.large else self.runs * RUNS_PER_MIP
        runs = self.runs if self.tree is not None or self.large else 1
        runs += self.work // STEPS_PER_RUN + self.simplex // self.simplex_per_run
        return min(runs, most)

    def turns(self, improver: Improver) -> None:
        """Turns of moves and of what raises the bound, or of moves and of a MIP over columns."""
        watch = self.watch
        aside = watch.aside()
        improver.watch = aside
        turn = idle = weary = made = 0
        polishing = POLISHING * improver.shortest
        again = AGAIN * max(self.master.count, 100)
        with ThreadPoolExecutor(1) as pool:
            while not watch.over() and (self.growing or weary < PATIENCE):
                turn += 1
                weary = min(idle // improver.length, PATIENCE)
                ready = self.tree is not None and np.isfinite(improver.top)
                polishes = ready and made >= polishing
                count = self.master.count
                tied = improver.breaks or improver.tied
                remakes = tied and ready and not polishes and again <= count <= RESTRICTED
                runs = self.runs_beside(polishes or remakes)
                moving: Future[bool] | None = None
                # rarer while they find nothing
                if self.beside or not self.growing or turn % (1 + weary) == 0:
                    moving = pool.submit(run, improver, runs)
                    if not self.beside:
                        moving.result()
                        watch.exchange(aside)
                better = anew = False
                if polishes and self.tree is not None:
                    polishing = 2 * max(made, 1)
                    better = polish(self.tree, watch)
                elif remakes:
                    again = AGAIN * count
                    columns = self.master.columns
                    known = columns.take(np.isin(columns.option, improver.rows))
                    better = restricted(self.lagrangian.book, improver.rows, known, watch)
                elif turn % self.every == 0:
                    anew = self.prove()
                if moving is not None:
                    idle = 0 if moving.result() else idle + 1
                    made += runs
                settled = self.tree.settled if self.tree is not None and self.growing else None
                if settled is not None and turn % self.every == 0:
                    improver.attempt(*settled)
                watch.exchange(aside)
                if anew and np.isfinite(improver.top):
                    improver, better = self.improver(aside, 1), True
                improver.adopt(better)


def run(improver: Improver, runs: int) -> bool:
    """Some turns of moves; whether any found a better plan."""
    found = [improver.run() for _ in range(runs) if not improver.watch.over()]
    return any(found)
