"""The relaxation strengthened by cuts on line-days, in rounds of cuts and column generation."""

from __future__ import annotations

import numpy as np

from models.patterns.root import CONVERGED, Generation

#: Column generation between two rounds of cuts: distance to the bound, and rounds, that end it.
CLOSE, ROUNDS = 1e-3, 5
#: Rounds of cuts between two removals of those that no longer bind.
CLEAN = 4
#: Cuts of one round at most.
MOST = 3_000
#: Rise of the master over PATIENCE rounds, as share of it, below which cutting stops.
RISE, PATIENCE = 3e-4, 3


def strengthen(generation: Generation, until: float) -> None:
    """Add cuts to a solved relaxation until they raise it no more, or `until` seconds."""
    master, watch = generation.master, generation.watch
    values = [master.objective]
    turn = 0
    while watch.seconds < until and not watch.over():
        turn += 1
        if not master.solve(until - watch.seconds):
            break
        if turn % CLEAN == 0 and generation.centre is not None:
            generation.centre = master.drop_slack(generation.centre)
            generation.result.duals = generation.centre  # the same duals, by the rows left
            if not master.solve(until - watch.seconds):
                break
        if not add_cuts(generation, MOST):
            break
        generation.run(until, CLOSE, ROUNDS)
        values.append(master.objective)
        if len(values) > PATIENCE and values[-1] - values[-1 - PATIENCE] < RISE * abs(values[-1]):
            break
    generation.run(until, CONVERGED)


def add_cuts(generation: Generation, most: int) -> int:
    """Add cuts that the last solution of the master violates, at most `most`; how many."""
    fresh = generation.master.cut(most)
    if fresh and generation.centre is not None:
        generation.centre = np.append(generation.centre, np.zeros(fresh))
    return fresh
