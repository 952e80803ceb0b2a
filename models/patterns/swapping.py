"""Another CMO for one of the plan: a step that moves of a few programs hardly get to.

Between the two stand the fees of a CMO, the limits on their number, and a plan that is worse until
most programs concerned have moved.
"""

from __future__ import annotations

import numpy as np

from models.patterns.moves import Ground, State
from models.patterns.placing import Work
from models.patterns.plan import settle
from models.problem import Floats, Ints

#: Shares of swaps that only engage a CMO, and that only leave one.
ONLY = 0.2
#: Weight of CMOs on which the relaxation is decided, and most programs that a swap invites.
EVEN, INVITED = 0.03, 12


def take_out(
    ground: Ground, state: State, work: Work, engaged: Floats, rng: np.random.Generator
) -> Ints:
    """Take out the programs of a CMO, and some that could go to another one; they are returned.

    The one is closed, the other welcome, until the caller says otherwise. They are drawn by how
    little and how much the relaxation is `engaged` with them (K,), 0 to 1.
    """
    uses, way = state.programs_at > 0, rng.random()
    leaves = guest = -1
    if way < 1.0 - ONLY:
        leaves = drawn(rng, np.where(uses, 1.0 - engaged + EVEN, 0.0))
    if way > ONLY:
        guest = drawn(rng, np.where(uses, 0.0, engaged + EVEN))
    cmo = np.append(ground.offer["cmo"], -2)
    there = np.flatnonzero((cmo[state.offer] == leaves).any(1))
    could = np.unique(ground.offer_program[ground.offer_row[cmo[ground.offer_row] == guest]])
    some = rng.permutation(could)[: rng.integers(1, INVITED + 1)]
    taken = rng.permutation(np.union1d(there, some))
    state.option[taken], state.offer[taken], state.own[taken] = -1, -1, 0.0
    settle(ground, state, state)
    if leaves >= 0:
        state.closed[leaves] = True
    work.welcome[0] = guest
    return taken


def drawn(rng: np.random.Generator, weights: Floats) -> int:
    """A place drawn by weight, -1 where none has any."""
    total = float(weights.sum())
    return int(rng.choice(len(weights), p=weights / total)) if total > 0.0 else -1
