"""Compiled: a plan at hand, and what it costs to put a program into it or take it out.

Everything a move needs to know of the whole plan (its worth, the spend of each rule, who uses a
line) is kept up as programs come and go, so that a move costs the same whatever the number of
programs, lines and CMOs.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,assignment,no-any-return"

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from models.patterns.dp import internal
from models.problem import Bools, Floats, Ints

#: Signs of `shift`. Not written as 1 and -1 there: numba would compile it once for each.
IN, OUT = np.int64(1), np.int64(-1)


#: Records of candidate options, offers, programs and lines, as the compiled code reads them.
OPTION = np.dtype([("one", "i8"), ("two", "i8"), ("fixed", "f8")])
OFFER = np.dtype(
    [
        ("line", "i8"),
        ("cmo", "i8"),
        ("price", "f8"),
        ("days", "f8"),
        ("once", "f8"),  # validation and transfer money
        ("validation_cost", "f8"),
        ("validation_days", "f8"),
        ("validation_period", "i8"),
    ]
)
PROGRAM = np.dtype(
    [("option", "i8"), ("stream", "i8"), ("offer", "i8"), ("width", "i8"), ("idle", "f8")]
)
LINE = np.dtype([("cmo", "i8"), ("change_days", "f8"), ("change_cost", "f8"), ("grow_cost", "f8")])


class Ground(NamedTuple):
    """What the moves read: the problem's records, candidate options and guiding prices.

    Candidates are lists per program: `option` from `program.option` of p to that of p + 1, their
    streams `stream_row` and offers `offer_row` likewise; `option.one` and `.two` are places in the
    program's list of streams (-1: none). Rules are listed by CMO: those of CMO k are
    `..._rule[..._start[k] : ..._start[k + 1]]`.
    """

    option: Any
    stream_row: Ints
    offer_row: Ints
    stream_offer: Ints
    profile: Ints
    offer: Any
    offer_program: Ints
    offer_days: Floats  # these three again, as the search of a line takes them
    proving: Ints
    proving_days: Floats
    good: Floats
    lag: Ints
    most: Ints  # (F, T)
    no_curve: Ints  # (F, T), all -1
    curve: Floats  # (1, 1)
    demand: Floats
    cap: Floats
    target: Floats
    opening: Floats
    shortage: Floats
    safety: Floats
    holding: Floats
    program: Any  # (P + 1,)
    line: Any
    line_start: Ints  # (K + 1,) lines of each CMO
    line_of: Ints
    days: Floats  # (2, L, T) days offered, and days that an expansion adds
    year: Ints
    engage: Floats  # onboarding and fees (K,)
    floor: Floats  # (K, Y)
    tier: Floats  # (2, K, Z) from (inf where there is none) and rate
    group_start: Ints  # count rules
    group_rule: Ints
    group_limit: Ints  # (G,)
    group_programs: Bools  # (G, P)
    engaged_start: Ints  # rules max_cmos and min_cmos
    engaged_rule: Ints
    engaged_limit: Ints  # (2, E) most and least
    share_start: Ints  # rules max_spend_share
    share_rule: Ints
    share_most: Floats  # (R,) share of all spend
    share_dual: Floats  # (R,) guiding price of a unit of money by which it is exceeded
    guide: Floats  # (G,) shares of the guiding prices that a move may be made with
    base: Floats  # (G, streams of stream_row) value of each stream where nothing is in the way
    guide_day: Floats  # (L, T) guiding price of a line-day
    guide_at: Floats  # (P, K)


class State(NamedTuple):
    """A plan while it is worked on; all after `grown` follows from what stands before it."""

    option: Ints  # place in the candidate list of the program
    offer: Ints  # (P, 2), -1 for none
    batches: Ints  # (P, 2, T)
    own: Floats  # (P,) cost of the program alone
    grown: Bools  # (L,)
    used: Floats  # (L, T)
    spend: Floats  # (K, Y)
    programs_at: Ints  # (K,)
    group_count: Ints  # (G,)
    engaged_count: Ints  # (E,)
    share_spent: Floats  # (R,) spend with the CMOs of each rule max_spend_share
    total: Floats  # (2,) objective, and all spend
    first: Ints  # (L,) a source on the line, numbered 2 p + source, or -1
    after: Ints  # (2 P,) the next source on the same line, or -1
    before: Ints  # (2 P,) the one before, or -1
    closed: Bools  # (K,) CMOs that the move at hand may not use
    moved: Bools  # (P,) programs placed anew since the plan was last copied


@internal
def cmo_cost(ground, state, k):
    """Fees, floors and rebates of one CMO as the plan stands."""
    total = 0.0
    years = state.spend.shape[1]
    if state.programs_at[k] > 0:
        total += ground.engage[k]
        for y in range(years):
            total += max(0.0, ground.floor[k, y] - state.spend[k, y])
    for y in range(years):
        total -= rebate_rate(ground, state, k, y) * state.spend[k, y]
    return total


@internal
def rebate_rate(ground, state, k, y):
    """Rate of the highest tier that a year's spend reaches."""
    rate = 0.0
    for z in range(ground.tier.shape[2]):
        if state.spend[k, y] >= ground.tier[0, k, z] * (1.0 - 1e-9):
            rate = ground.tier[1, k, z]
    return rate


@internal
def shift(ground, state, p, sign):
    """Add (1) or take away (-1) what program `p` costs and uses of lines, spend and counts."""
    state.total[0] += sign * state.own[p]
    other = -1
    for source in range(2):
        f = state.offer[p, source]
        if f < 0:
            continue
        k = ground.offer[f].cmo
        state.total[0] -= cmo_cost(ground, state, k)
        state.programs_at[k] += sign
        if state.programs_at[k] == (1 if sign > 0 else 0):
            for i in range(ground.engaged_start[k], ground.engaged_start[k + 1]):
                state.engaged_count[ground.engaged_rule[i]] += sign
        spent = use(ground, state, p, source, sign)
        state.total[0] += cmo_cost(ground, state, k)
        state.total[1] += spent
        for i in range(ground.share_start[k], ground.share_start[k + 1]):
            state.share_spent[ground.share_rule[i]] += spent
        for i in range(ground.group_start[k], ground.group_start[k + 1]):
            g = ground.group_rule[i]
            if ground.group_programs[g, p] and not sees(ground, g, other):
                state.group_count[g] += sign
        other = k
        enter(state, ground.offer[f].line, 2 * p + source, sign)


@internal
def use(ground, state, p, source, sign):
    """Add or take away the days and the spend of one source; the spend that was added."""
    f = state.offer[p, source]
    line, k, v = ground.offer[f].line, ground.offer[f].cmo, ground.offer[f].validation_period
    spent = sign * ground.offer[f].validation_cost
    state.used[line, v] += sign * ground.offer[f].validation_days
    state.spend[k, ground.year[v]] += spent
    for t in range(ground.year.shape[0]):
        n = state.batches[p, source, t]
        if n > 0:
            days = ground.offer[f].days * n + ground.line[line].change_days
            paid = sign * ground.offer[f].price * n
            state.used[line, t] += sign * days
            state.spend[k, ground.year[t]] += paid
            spent += paid
    return spent


@internal
def enter(state, line, place, sign):
    """Enter a source in the list of its line (1), or strike it out (-1)."""
    if sign > 0:
        follower = state.first[line]
        state.before[place] = -1
        state.after[place] = follower
        if follower >= 0:
            state.before[follower] = place
        state.first[line] = place
        return
    before, after = state.before[place], state.after[place]
    if before >= 0:
        state.after[before] = after
    else:
        state.first[line] = after
    if after >= 0:
        state.before[after] = before


@internal
def sees(ground, g, k):
    """Whether the count rule `g` counts at CMO `k` (-1: none)."""
    if k >= 0:
        for i in range(ground.group_start[k], ground.group_start[k + 1]):
            if ground.group_rule[i] == g:
                return True
    return False


@internal
def grow(ground, state, line):
    """Expand a line that is not, or give its expansion back."""
    state.grown[line] = not state.grown[line]
    state.total[0] += ground.line[line].grow_cost * (1.0 if state.grown[line] else -1.0)


@internal
def violation(ground, state):
    """How far the plan is from keeping spend shares (money) and least numbers of CMOs."""
    short = 0.0
    for r in range(ground.share_most.shape[0]):
        short += max(0.0, state.share_spent[r] - ground.share_most[r] * state.total[1])
    for e in range(ground.engaged_limit.shape[1]):
        short += 1e3 * max(0, ground.engaged_limit[1, e] - state.engaged_count[e])
    return short
