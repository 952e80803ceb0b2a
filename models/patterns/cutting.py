"""The relaxation strengthened by cuts on line-days, in rounds of cuts and column generation."""

from __future__ import annotations

import numpy as np

from models.patterns.root import Generation

#: Column generation between two rounds of cuts: distance to the bound, and rounds, that end it.
CLOSE, ROUNDS = 1e-3, 5
#: The distance that ends it after the last round; lines and tree raise the bound by more than what
#: is left.
SETTLED = 5e-4
#: Rounds of cuts between two removals of those that no longer bind.
CLEAN = 4
#: Cuts of one round at most, and cuts per program from which on there is no further round: the
#: simplex slows down with them more than they raise the bound.
MOST, PER_PROGRAM = 3_000, 15
#: Rise of the master over PATIENCE rounds, as share of it, below which cutting stops.
RISE, PATIENCE = 3e-4, 3


class Cutting:
    """Rounds of cuts on a solved relaxation, until they raise it no more or `until` seconds."""

    def __init__(self, generation: Generation, until: float) -> None:
        self.generation, self.until = generation, until
        self.values = [generation.master.objective]
        self.rounds = 0
        self.done = False

    def step(self) -> bool:
        """One round; whether another one is worth it. The last one solves the relaxation."""
        if self.done:
            return False
        if not self._round():
            self.generation.run(self.until, SETTLED)
            self.done = True
        return not self.done

    def finish(self) -> None:
        """All rounds that are left."""
        while self.step():
            pass

    def _round(self) -> bool:
        generation, until, watch = self.generation, self.until, self.generation.watch
        master, values = generation.master, self.values
        if watch.seconds >= until or watch.over():
            return False
        if len(master.book.cuts) >= PER_PROGRAM * master.layout.P:
            return False
        self.rounds += 1
        if not master.solve(until - watch.seconds):
            return False
        if self.rounds % CLEAN == 0 and generation.centre is not None:
            generation.centre = master.drop_slack(generation.centre)
            generation.result.duals = generation.centre  # the same duals, by the rows left
            if not master.solve(until - watch.seconds):
                return False
        if not add_cuts(generation, MOST):
            return False
        generation.run(until, CLOSE, ROUNDS)
        values.append(master.objective)
        rise = values[-1] - values[-1 - min(PATIENCE, len(values) - 1)]
        return len(values) <= PATIENCE or rise >= RISE * abs(values[-1])


def add_cuts(generation: Generation, most: int) -> int:
    """Add cuts that the last solution of the master violates, at most `most`; how many."""
    fresh = generation.master.cut(most)
    if fresh and generation.centre is not None:
        generation.centre = np.append(generation.centre, np.zeros(fresh))
    return fresh
