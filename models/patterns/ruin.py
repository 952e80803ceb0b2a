"""Compiled: ruin and recreate, the improvement loop over `models.patterns.moves`.

Searching, sorting and copying are plain loops here: numpy's own took a quarter of the compile time.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,assignment,no-any-return"

from __future__ import annotations

import numpy as np

from models.patterns.dp import compiled, internal
from models.patterns.moves import IN, OUT, OVERLOOKED, PUSHES, put_back, shift, total_cost


@internal
def violation(ground, state):
    """How far the plan is from keeping spend shares (money) and least numbers of CMOs."""
    short = 0.0
    total = state.spend.sum()
    for r in range(ground.share_most.shape[0]):
        spent = 0.0
        for k in range(ground.share_of.shape[1]):
            if ground.share_of[r, k]:
                spent += state.spend[k].sum()
        short += max(0.0, spent - ground.share_most[r] * total)
    for e in range(ground.engaged_limit.shape[1]):
        short += 1e3 * max(0, ground.engaged_limit[1, e] - state.engaged_count[e])
    return short


@internal
def transfer(source, into, p):
    """Copy what one plan says of program `p` into another."""
    into.option[p] = source.option[p]
    into.own[p] = source.own[p]
    for i in range(2):
        into.offer[p, i] = source.offer[p, i]
        for t in range(source.batches.shape[2]):
            into.batches[p, i, t] = source.batches[p, i, t]


@internal
def remove(ground, state, saved, taken, count, p):
    """Take program `p` out, remembering its place; returns the new number taken."""
    for i in range(count):
        if taken[i] == p:
            return count
    taken[count] = p
    transfer(state, saved, p)
    shift(ground, state, p, OUT)
    state.offer[p, 0] = -1
    state.offer[p, 1] = -1
    state.own[p] = 0.0
    return count + 1


@internal
def users(ground, state, line, found):
    """Programs with a source on `line` into `found`; how many."""
    count = 0
    for p in range(state.option.shape[0]):
        for source in range(2):
            f = state.offer[p, source]
            if f >= 0 and ground.offer[f].line == line:
                found[count] = p
                count += 1
                break
    return count


@internal
def take_some(ground, state, saved, taken, count, line, most, found):
    """Take out up to `most` programs at random from `line`."""
    n = users(ground, state, line, found)
    for i in range(min(n, most)):
        j = i + np.random.randint(n - i)
        found[i], found[j] = found[j], found[i]
        count = remove(ground, state, saved, taken, count, found[i])
    return count


@internal
def draw(chance, value):
    """The first place of `chance` (ascending) that is at least `value`."""
    low, high = 0, len(chance) - 1
    while low < high:
        middle = (low + high) // 2
        if chance[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@internal
def choose(ground, state, saved, taken, found, chance, size, reshape):  # noqa: PLR0912
    """Ruin: take out a program and others that compete with it; (taken, line changed or -1).

    With chance `reshape` the move also expands a line, gives an expansion back, or closes a CMO.
    """
    P = state.option.shape[0]
    p = draw(chance, np.random.random())
    count = remove(ground, state, saved, taken, np.int64(0), p)
    changed = -1
    offers = ground.program[p + 1].offer - ground.program[p].offer
    if offers == 0:
        return count, changed
    want = 1 + np.random.randint(size)
    line = ground.offer[ground.offer_row[ground.program[p].offer + np.random.randint(offers)]].line
    if saved.offer[p, 0] >= 0 and np.random.random() < 0.3:
        line = ground.offer[saved.offer[p, 0]].line
    closing = k = -1
    if np.random.random() < reshape:
        k = ground.line[line].cmo
        if ground.line[line].grow_cost < np.inf and np.random.random() < 0.5:
            changed = line
            state.grown[line] = not state.grown[line]
        elif state.programs_at[k] <= 4 * size:
            state.closed[k] = True
            closing = k
    tied = False  # limits of spend shares that cost something tie all lines together
    for r in range(ground.share_dual.shape[0]):
        tied = tied or ground.share_dual[r] > 0.0
    turn = 0
    while count < want or closing >= 0 or (turn == 0 and changed >= 0 and not state.grown[changed]):
        most = max(1, want // 2)
        if closing >= 0:  # all of its lines, one after the other
            line, most = turn, P
            if turn == ground.line.shape[0] - 1:
                closing = -1
            turn += 1
            if ground.line[line].cmo != k:
                continue
        elif turn == 0 and changed >= 0 and not state.grown[changed]:
            line, most = changed, P
            turn = 1
        before = count
        count = take_some(ground, state, saved, taken, count, line, most, found)
        if closing < 0 and count == before and np.random.random() < 0.3:
            break
        q = taken[np.random.randint(count)]
        many = ground.program[q + 1].offer - ground.program[q].offer
        if tied and np.random.random() < 0.4:
            line = np.random.randint(ground.line.shape[0])
        elif many > 0:
            line = ground.offer[
                ground.offer_row[ground.program[q].offer + np.random.randint(many)]
            ].line
    return count, changed


@internal
def order(ground, saved, taken, count):
    """Order of putting back: at random, the dearest first, or the one with fewest offers first."""
    key = np.empty(count)
    way = np.random.random()
    for i in range(count):
        p = taken[i]
        if way < 0.5:
            key[i] = np.random.random()
        elif way < 0.85:
            key[i] = -saved.own[p] * (0.8 + 0.4 * np.random.random())
        else:
            key[i] = ground.program[p + 1].offer - ground.program[p].offer
    places = np.arange(count)
    for i in range(1, count):  # a handful: insertion
        k = i
        while k > 0 and key[places[k - 1]] > key[places[k]]:
            places[k - 1], places[k] = places[k], places[k - 1]
            k -= 1
    return places


@internal
def restore(ground, state, saved, taken, count):
    """Undo: put every taken program where it was."""
    for i in range(count):
        p = taken[i]
        shift(ground, state, p, OUT)
    for i in range(count):
        p = taken[i]
        transfer(saved, state, p)
        shift(ground, state, p, IN)


@internal
def copy(source, into):
    """Copy one plan over another, but for what `shift` keeps."""
    for p in range(source.option.shape[0]):
        transfer(source, into, p)
    for line in range(source.grown.shape[0]):
        into.grown[line] = source.grown[line]


@compiled
def improve(  # noqa: PLR0912
    ground,
    state,
    saved,
    best,
    top,
    seed,
    start,
    rounds,
    chance,
    size,
    reshape,
    slack,
    floor,
    guides,
    work,
):
    """`rounds` moves from `state`; the best plan met is left in `best`, its worth returned.

    `top` is the worth of `best` as it comes in (inf: none); of `best` only `option`, `offer`,
    `batches`, `own` and `grown` are kept up.

    The programs of `start` have no place yet and are first put in, in that order.

    A move begins with a program drawn by `chance` (P,), cumulative and ending at 1 or above. It
    is kept when the plan is then no worse than the best one by more than `slack` (falling
    to 0 over the rounds). `floor` is the price of each unit of rule violation. `guides` are the
    shares of the guiding prices that a move may be made with.
    """
    np.random.seed(seed)
    limit, batch, setup, once, ones = work
    P = state.option.shape[0]
    taken = np.empty(P, np.int64)
    found = np.empty(P, np.int64)
    now = np.inf
    if not len(start):
        now = total_cost(ground, state) + floor * violation(ground, state)
    kept = 0
    shares = ground.share_most.shape[0] > 0
    for step in range(-1 if len(start) else 0, rounds):
        changed = -1
        if step < 0:
            count = len(start)
            for i in range(count):
                taken[i] = start[i]
            sequence = np.arange(count)
        else:
            count, changed = choose(ground, state, saved, taken, found, chance, size, reshape)
            sequence = order(ground, saved, taken, count)
        guide = 1.0 if step < 0 else guides[np.random.randint(len(guides))]
        overlook = OVERLOOKED if step >= 0 and np.random.random() < 0.7 else 0.0
        push = PUSHES[np.random.randint(len(PUSHES))] if shares else 0.0
        fine = True
        passes = 2 if guide > 0.0 or overlook > 0.0 else 1  # the last one at true costs
        for turn in range(passes * count):
            p = taken[sequence[turn % count]]
            if turn >= count:
                guide = overlook = 0.0
                shift(ground, state, p, OUT)
                state.offer[p, 0] = -1
                state.offer[p, 1] = -1
            if not put_back(
                ground, state, p, guide, overlook, push, limit, batch, setup, once, ones
            ):
                fine = False
                break
        worth = np.inf
        if fine:
            worth = total_cost(ground, state) + floor * violation(ground, state)
        for k in range(state.closed.shape[0]):
            state.closed[k] = False
        allowance = slack * (1.0 - step / rounds)
        if worth < now - 1e-9 or worth <= top + allowance * np.random.random():
            now = worth
            kept += 1
            if worth < top - 1e-7:
                top = worth
                copy(state, best)
        elif step < 0:
            break
        else:
            restore(ground, state, saved, taken, count)
            if changed >= 0:
                state.grown[changed] = not state.grown[changed]
    return top, kept
