"""Compiled: ruin and recreate, the improvement loop over `models.patterns.moves`.

Searching, sorting and copying are plain loops here: numpy's own took a quarter of the compile time.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,assignment,no-any-return"

from __future__ import annotations

import numpy as np

from models.patterns.dp import compiled, internal
from models.patterns.moves import IN, OUT, cmo_cost, grow, shift, violation
from models.patterns.placing import PUSHES, exponential, put_back
from models.patterns.together import together

#: Share of candidate offers that a put-back overlooks at random, so that it does not repeat itself.
OVERLOOKED = 0.03
#: Share of moves in which line-days cost extra at random, and of those in which options do; the
#: most that options do so on average, in mean costs of the programs taken out. Without either,
#: moves end in plans that a single program can better no more while two together could.
TOLLED, WHIMSICAL, WHIM = 0.5, 0.5, 0.3
#: Of moves that reshape: up to where on a scale from 0 to 1 they expand a line if it can be, up to
#: where else they close a CMO, from where on they engage one.
GROWS, CLOSES, INVITES = 0.36, 0.86, 0.72
#: Share of joint moves on a line that the program they begin with is on.
OWN_LINE = 0.6


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
def users(state, line, found):
    """Programs with a source on `line` into `found`; how many."""
    count = 0
    place = state.first[line]
    while place >= 0:
        found[count] = place // 2
        count += 1
        place = state.after[place]
    return count


@internal
def take_some(ground, state, saved, taken, count, line, most, found):
    """Take out up to `most` programs at random from `line`."""
    n = users(state, line, found)
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
def offers_at(ground, p, k):
    """Whether program `p` has a candidate offer of CMO `k`."""
    for place in range(ground.program[p].offer, ground.program[p + 1].offer):
        if ground.offer[ground.offer_row[place]].cmo == k:
            return True
    return False


@internal
def invite(ground, state, saved, taken, count, chance, size, work):
    """Welcome a CMO that has no program, and take out some programs that could go there.

    The new number taken. Each of them alone might not be worth the CMO's fees.
    """
    K, P = state.programs_at.shape[0], state.option.shape[0]
    start = np.random.randint(K)
    guest = -1
    for i in range(K):
        k = (start + i) % K
        if state.programs_at[k] == 0 and not state.closed[k]:
            guest = k
            break
    if guest < 0:
        return count
    work.welcome[0] = guest
    want = count + 1 + np.random.randint(2 * size)
    for _ in range(8 * size):
        if count >= want:
            break
        p = draw(chance, np.random.random()) if np.random.random() < 0.5 else np.random.randint(P)
        if offers_at(ground, p, guest):
            count = remove(ground, state, saved, taken, count, p)
    return count


@internal
def reshaped(ground, state, saved, taken, count, line, chance, size, work):
    """Expand a line or give its expansion back, or close its CMO, engage another one, or both.

    The new number taken, the line changed or -1, and the range of lines to be cleared.
    """
    k = ground.line[line].cmo
    way = np.random.random()
    closing = last = np.int64(-1)
    if ground.line[line].grow_cost < np.inf and way < GROWS:
        grow(ground, state, line)
        return count, np.int64(line), closing, last
    if way < CLOSES and state.programs_at[k] <= 4 * size:
        state.closed[k] = True
        closing, last = ground.line_start[k], ground.line_start[k + 1]
    if way > INVITES:
        count = invite(ground, state, saved, taken, count, chance, size, work)
    return count, np.int64(-1), closing, last


@internal
def choose(ground, state, saved, taken, found, chance, size, reshape, tied, work):
    """Ruin: take out a program and others that compete with it; (taken, line changed or -1).

    With chance `reshape` the move also expands a line, gives an expansion back, closes a CMO,
    engages one, or does both.
    `tied`: limits of spend shares that cost something tie all lines together.
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
    closing = last = -1
    if np.random.random() < reshape:
        count, changed, closing, last = reshaped(
            ground, state, saved, taken, count, line, chance, size, work,
        )  # fmt: skip
    turn = 0
    while closing < last or count < want or (turn == 0 and given_back(state, changed)):
        most = max(1, want // 2)
        if closing < last:  # all of its lines, one after the other
            line, most = ground.line_of[closing], P
            closing += 1
        elif turn == 0 and given_back(state, changed):
            line, most = changed, P
        turn += 1
        before = count
        count = take_some(ground, state, saved, taken, count, line, most, found)
        if closing == last and count == before and np.random.random() < 0.3:
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
def gather(ground, state, saved, taken, found, chance, most):
    """Take out a program and up to `most` others of one of its lines; (taken, line or -1)."""
    p = draw(chance, np.random.random())
    line = -1
    offers = ground.program[p + 1].offer - ground.program[p].offer
    if saved.offer[p, 0] >= 0 and np.random.random() < OWN_LINE:
        second = saved.offer[p, 1] >= 0 and np.random.random() < 0.5
        line = ground.offer[saved.offer[p, 1 if second else 0]].line
    elif offers > 0:
        f = ground.offer_row[ground.program[p].offer + np.random.randint(offers)]
        line = ground.offer[f].line
    count = remove(ground, state, saved, taken, np.int64(0), p)
    if line >= 0:
        count = take_some(ground, state, saved, taken, count, line, most, found)
    return count, line


@internal
def given_back(state, changed):
    """Whether the move gives an expansion back, so that the line must be cleared."""
    return changed >= 0 and not state.grown[changed]


@internal
def mean_of(values, rows, count):
    """Mean of `values` at the first `count` of `rows`."""
    total = 0.0
    for i in range(count):
        total += values[rows[i]]
    return total / count


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
def copy(state, best):
    """Make `best` the plan at hand, but for what `shift` keeps; both were equal but for `moved`."""
    for p in range(state.moved.shape[0]):
        if state.moved[p]:
            transfer(state, best, p)
            state.moved[p] = False
    for line in range(state.grown.shape[0]):
        best.grown[line] = state.grown[line]


@internal
def disturb(ground, saved, taken, count, work):
    """Make some line-days or options dearer at random; whether any are."""
    tolled = np.random.random() < TOLLED
    if tolled:
        L, T = work.toll.shape
        for line in range(L):
            mean = 0.0
            for t in range(T):
                mean += ground.guide_day[line, t] / T
            work.toll[line, np.random.randint(T)] = exponential(mean)
    if np.random.random() >= WHIMSICAL:
        return tolled
    own = 0.0
    for i in range(count):
        own += abs(saved.own[taken[i]]) / count
    work.whim[0] = WHIM * own * np.random.random() ** 2
    return True


@internal
def settle_down(work):
    """Back to true costs."""
    work.toll[:] = 0.0
    work.whim[0] = 0.0
    work.welcome[0] = -1


@internal
def replace(
    ground, state, taken, sequence, count, level, overlook, push, disturbed, work,
):  # fmt: skip
    """Put the programs taken back in this order: at guiding prices, then at true costs.

    `disturbed`: whether something costs extra until then.
    """
    passes = 2 if level > 0 or overlook > 0.0 or disturbed else 1
    for turn in range(passes * count):
        p = taken[sequence[turn % count]]
        if turn >= count:
            level, overlook = np.int64(0), 0.0
            settle_down(work)
            shift(ground, state, p, OUT)
            state.offer[p, 0] = -1
            state.offer[p, 1] = -1
            state.own[p] = 0.0
        if not put_back(ground, state, p, level, overlook, push, work):
            return False
    return True


@internal
def move(ground, state, saved, taken, found, chance, size, reshape, levels, tied, push, work):
    """Take programs out and put them back: (whether all found a place, how many, line changed)."""
    count, changed = choose(ground, state, saved, taken, found, chance, size, reshape, tied, work)
    sequence = order(ground, saved, taken, count)
    level = levels[np.random.randint(len(levels))]
    overlook = OVERLOOKED if np.random.random() < 0.7 else 0.0
    disturbed = disturb(ground, saved, taken, count, work) or work.welcome[0] >= 0
    done = replace(ground, state, taken, sequence, count, level, overlook, push, disturbed, work)
    state.closed[:] = False
    settle_down(work)
    return done, count, np.int64(changed)


@compiled
def fill_in(ground, state):
    """Everything of `state` that follows from its plan, where that stands at nothing."""
    for k in range(state.programs_at.shape[0]):
        state.total[0] += cmo_cost(ground, state, k)
    for line in range(state.grown.shape[0]):
        if state.grown[line]:
            state.total[0] += ground.line[line].grow_cost
    for p in range(state.option.shape[0]):
        shift(ground, state, p, IN)


@compiled
def improve(  # noqa: PLR0912
    ground, state, saved, best, top, seed, start, rounds, chance, size, reshape, heat, floor,
    levels, joint, crowd, work,
):  # fmt: skip
    """`rounds` moves from `state`; the best plan met is left in `best`, its worth returned.

    `top` is the worth of `best` as it comes in (inf: none); of `best` only `option`, `offer`,
    `batches`, `own` and `grown` are kept up.

    The programs of `start` have no place yet and are first put in, in that order.

    A move begins with a program drawn by `chance` (P,), cumulative and ending at 1 or above. It
    is kept when it makes the plan no dearer, or dearer by d with chance exp(-d / h) (simulated
    annealing), where h is the mean `heat` (P,) of the programs that it takes out. `floor` is the
    price of each unit of rule violation. `levels` are the guiding prices, places in
    `ground.guide`, that a move may be made with; 0 stands for none and the last for all. A share
    `joint` of the moves schedules a program and up to `crowd` others of a line together.
    """
    np.random.seed(seed)
    P = state.option.shape[0]
    taken, found = np.empty(P, np.int64), np.empty(P, np.int64)
    now = np.inf
    if not len(start):
        now = state.total[0] + floor * violation(ground, state)
        if now < top:
            top = now
            copy(state, best)
    kept = 0
    tied = (ground.share_dual > 0.0).any()
    for step in range(-1 if len(start) else 0, rounds):
        changed = np.int64(-1)
        total = state.total.copy()
        push = PUSHES[np.random.randint(len(PUSHES))] if len(ground.share_most) else 0.0
        if step < 0:
            count = len(start)
            taken[:count] = start
            sequence, level = np.arange(count), np.int64(len(ground.guide) - 1)
            calm = step >= 0  # not written as False: numba would compile it once more
            done = replace(ground, state, taken, sequence, count, level, 0.0, push, calm, work)
        elif np.random.random() < joint:
            count, line = gather(ground, state, saved, taken, found, chance, crowd)
            more = -mean_of(heat, taken, count) * np.log(1.0 - np.random.random())
            done = line >= 0 and together(
                ground, state, saved, taken, count, line, more, push, work,
            )  # fmt: skip
        else:
            done, count, changed = move(
                ground, state, saved, taken, found, chance, size, reshape, levels, tied, push, work,
            )  # fmt: skip
        worth = np.inf
        if done:
            worth = state.total[0] + floor * violation(ground, state)
        tiny = 1e-11 * abs(top) if top < np.inf else 0.0
        leave = -mean_of(heat, taken, count) * np.log(1.0 - np.random.random())
        if worth < np.inf and worth <= now + leave:
            now = worth
            kept += 1
            for i in range(count):
                state.moved[taken[i]] = True
            if worth < top - tiny:
                top = worth
                copy(state, best)
        elif step < 0:
            break
        else:
            restore(ground, state, saved, taken, count)
            if changed >= 0:
                grow(ground, state, changed)
            state.total[:] = total  # without the rounding of going there and back
    return top, kept
