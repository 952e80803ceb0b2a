"""Where two plans differ independently: parts that share no line, which can be swapped alone.

Two plans that are each better than the other in some part of the portfolio make a third one that is
better than both, since what happens on lines elsewhere does not change (the partition crossover of
Whitley, Hains and Howe 2009, for tours). What parts still share, fees, rebates, limits on CMOs, is
little and counted when a part is tried.
"""

from __future__ import annotations

import numpy as np

from models.patterns.moves import Ground, State
from models.problem import Bools, Ints

#: Programs placed otherwise in two plans, and all lines that they use.
Difference = tuple[Ints, Ints]


def differences(ground: Ground, one: State, other: State) -> list[Difference]:
    """Parts in which the plans differ.

    Lines are expanded in only one of the plans likewise belong to a part.
    """
    differ = (one.option != other.option) | (one.batches != other.batches).any((1, 2))
    line = np.append(ground.offer["line"], -1)
    part = np.arange(len(ground.line))
    touched: Bools = one.grown != other.grown
    programs = np.flatnonzero(differ)
    at = np.full(len(programs), -1, np.int64)
    for i, p in enumerate(programs.tolist()):
        used = line[np.concatenate([one.offer[p], other.offer[p]])]
        used = used[used >= 0]
        touched[used] = True
        if len(used):
            at[i] = used[0]
            part[np.isin(part, part[used])] = part[used].min()
    belongs = part[at]
    return [
        (programs[(belongs == each) & (at >= 0)], np.flatnonzero(touched & (part == each)))
        for each in np.unique(part[touched]).tolist()
    ]


def take_over(state: State, other: State, part: Difference) -> None:
    """Make a part of a plan that of another one; what follows from it is to be settled yet."""
    programs, lines = part
    for mine, theirs in (
        (state.option, other.option),
        (state.offer, other.offer),
        (state.batches, other.batches),
        (state.own, other.own),
    ):
        mine[programs] = theirs[programs]
    state.grown[lines] = other.grown[lines]
    state.moved[programs] = True


def within_limits(ground: Ground, state: State) -> bool:
    """Whether a settled plan keeps the limits on CMOs and on programs at them."""
    few = (state.engaged_count <= ground.engaged_limit[0]).all()
    return bool(few and (state.group_count <= ground.group_limit).all())
