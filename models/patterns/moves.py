"""Compiled: take some programs out of a plan and put them back one by one, each exactly.

Putting a program back prices all its candidate streams against the days that are left on their
lines, so a move is feasible by construction; costs of CMOs (fees, floors, rebates) enter as the
marginal figures of the plan at hand and are counted exactly when the move is judged.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,assignment,no-any-return"

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from models.patterns.dp import internal, price
from models.problem import Bools, Floats, Ints

#: Share of candidate offers that a put-back overlooks at random, so that it does not repeat itself.
OVERLOOKED = 0.03

#: What a unit of money counts extra at a CMO whose share of spend is at its limit: at least PUSH
#: or the dual of that rule, times one of PUSHES per move.
PUSH, PUSHES = 0.5, np.array([0.0, 0.5, 1.0, 1.0, 2.0])

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
    program's list of streams (-1: none).
    """

    option: Any
    stream_row: Ints
    offer_row: Ints
    stream_offer: Ints
    profile: Ints
    offer: Any
    offer_program: Ints
    good: Floats
    lag: Ints
    most: Ints  # (F, T)
    fewest: Ints  # (F, T), all 0
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
    days: Floats  # (2, L, T) days offered, and days that an expansion adds
    year: Ints
    engage: Floats  # onboarding and fees (K,)
    floor: Floats  # (K, Y)
    tier: Floats  # (2, K, Z) from (inf where there is none) and rate
    group_of: Bools  # (G, K) CMOs that a count rule sees
    group_limit: Ints  # (G,)
    group_programs: Bools  # (G, P)
    engaged_of: Bools  # (E, K) CMOs that a rule max_cmos or min_cmos counts
    engaged_limit: Ints  # (2, E) most and least
    share_of: Bools  # (R, K) CMOs whose spend a rule max_spend_share limits
    share_most: Floats  # (R,) share of all spend
    share_dual: Floats  # (R,) guiding price of a unit of money by which it is exceeded
    guide_day: Floats  # (L, T) guiding price of a line-day
    guide_at: Floats  # (P, K)


class State(NamedTuple):
    """A plan while it is worked on."""

    option: Ints  # place in the candidate list of the program
    offer: Ints  # (P, 2), -1 for none
    batches: Ints  # (P, 2, T)
    own: Floats  # (P,) cost of the program alone
    used: Floats  # (L, T)
    spend: Floats  # (K, Y)
    programs_at: Ints  # (K,)
    group_count: Ints  # (G,)
    engaged_count: Ints  # (E,)
    grown: Bools  # (L,)
    closed: Bools  # (K,) CMOs that the move at hand may not use
    push: Floats  # (K,) guiding price of money spent, where spend shares are broken


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
        rate = 0.0
        for z in range(ground.tier.shape[2]):
            if state.spend[k, y] >= ground.tier[0, k, z] * (1.0 - 1e-9):
                rate = ground.tier[1, k, z]
        total -= rate * state.spend[k, y]
    return total


@internal
def shift(ground, state, p, sign):
    """Add (1) or take away (-1) what program `p` uses of lines, spend and counts."""
    for source in range(2):
        f = state.offer[p, source]
        if f < 0:
            continue
        line = ground.offer[f].line
        k = ground.offer[f].cmo
        state.programs_at[k] += sign
        if state.programs_at[k] == (1 if sign > 0 else 0):
            for e in range(ground.engaged_limit.shape[1]):
                if ground.engaged_of[e, k]:
                    state.engaged_count[e] += sign
        for t in range(ground.year.shape[0]):
            n = state.batches[p, source, t]
            if n > 0:
                days = ground.offer[f].days * n + ground.line[line].change_days
                state.used[line, t] += sign * days
                state.spend[k, ground.year[t]] += sign * ground.offer[f].price * n
        v = ground.offer[f].validation_period
        state.used[line, v] += sign * ground.offer[f].validation_days
        state.spend[k, ground.year[v]] += sign * ground.offer[f].validation_cost
    for g in range(ground.group_limit.shape[0]):
        if ground.group_programs[g, p] and touches(ground, state, p, g):
            state.group_count[g] += sign


@internal
def touches(ground, state, p, g):
    """Whether program `p` has a source that the count rule `g` sees."""
    for source in range(2):
        f = state.offer[p, source]
        if f >= 0 and ground.group_of[g, ground.offer[f].cmo]:
            return True
    return False


@internal
def marginal_spend(ground, state, k, y):
    """Price of one more unit of money spent: -1 under the floor, else less the rebate's rate."""
    if state.spend[k, y] < ground.floor[k, y]:
        return state.push[k] - 1.0
    rate = 0.0
    for z in range(ground.tier.shape[2]):
        if state.spend[k, y] >= ground.tier[0, k, z] * (1.0 - 1e-9):
            rate = ground.tier[1, k, z]
    return state.push[k] - rate


@internal
def push_spend(ground, state, push):
    """Make money dearer at CMOs whose share of all spend is at its limit, cheaper elsewhere."""
    rules = ground.share_most.shape[0]
    if rules == 0:
        return
    K, Y = state.spend.shape
    total = state.spend.sum()
    for k in range(K):
        state.push[k] = 0.0
    for r in range(rules):
        spent = 0.0
        for k in range(K):
            if ground.share_of[r, k]:
                for y in range(Y):
                    spent += state.spend[k, y]
        dual = ground.share_dual[r]
        if dual > 0.0 or spent > 0.97 * ground.share_most[r] * total:
            for k in range(K):
                inside = 1.0 if ground.share_of[r, k] else 0.0
                state.push[k] += push * max(dual, PUSH) * (inside - ground.share_most[r])


@internal
def offer_costs(ground, state, p, guide, overlook, limit, batch, setup, once):
    """Fill limits and adjusted costs of the candidate offers of `p`; `once` inf where shut."""
    T = ground.year.shape[0]
    for place in range(ground.program[p].offer, ground.program[p + 1].offer):
        f = ground.offer_row[place]
        line = ground.offer[f].line
        k = ground.offer[f].cmo
        v = ground.offer[f].validation_period
        grown = state.grown[line]
        shut = state.closed[k] or np.random.random() < overlook
        for t in range(T):
            free = ground.days[0, line, t] - state.used[line, t]
            if grown:
                free += ground.days[1, line, t]
            if t == v:
                free -= ground.offer[f].validation_days
                if free < -1e-7:
                    shut = True
            day = guide * ground.guide_day[line, t]
            room = np.floor((free - ground.line[line].change_days) / ground.offer[f].days + 1e-9)
            limit[f, t] = max(0, min(ground.most[f, t], np.int64(room)))
            money = 1.0 + marginal_spend(ground, state, k, ground.year[t])
            batch[f, t] = ground.offer[f].price * money + ground.offer[f].days * day
            setup[f, t] = ground.line[line].change_cost + ground.line[line].change_days * day
        spent = marginal_spend(ground, state, k, ground.year[v])
        cost = ground.offer[f].once + ground.offer[f].validation_cost * spent
        cost += guide * ground.guide_day[line, v] * ground.offer[f].validation_days
        if state.programs_at[k] == 0:
            cost += (1.0 - guide) * ground.engage[k] + guide * ground.guide_at[p, k]
            for y in range(ground.floor.shape[1]):
                cost += ground.floor[k, y]
        once[f] = np.inf if shut else cost


@internal
def allowed(ground, state, p, k1, k2):
    """Whether the count rules have room for program `p` at these CMOs (-1: none)."""
    for g in range(ground.group_limit.shape[0]):
        if not ground.group_programs[g, p]:
            continue
        hit = (k1 >= 0 and ground.group_of[g, k1]) or (k2 >= 0 and ground.group_of[g, k2])
        if hit and state.group_count[g] >= ground.group_limit[g]:
            return False
    for e in range(ground.engaged_limit.shape[1]):
        fresh = 0
        if k1 >= 0 and ground.engaged_of[e, k1] and state.programs_at[k1] == 0:
            fresh += 1
        if k2 >= 0 and ground.engaged_of[e, k2] and state.programs_at[k2] == 0:
            fresh += 1
        if fresh and state.engaged_count[e] + fresh > ground.engaged_limit[0, e]:
            return False
    return True


@internal
def put_back(ground, state, p, guide, overlook, push, limit, batch, setup, once, ones):  # noqa: PLR0912
    """Give program `p`, which has no source now, its best candidate option as things stand."""
    push_spend(ground, state, push)
    offer_costs(ground, state, p, guide, overlook, limit, batch, setup, once)
    T = ground.year.shape[0]
    first = ground.program[p].stream
    many = ground.program[p + 1].stream - first
    # open streams first; then, in the second pass, the two of the best option
    row = np.empty(many + 2, np.int64)
    where = np.empty(many + 2, np.int64)
    value = np.full(many + 2, np.inf)
    count = 0
    for i in range(many):
        if once[ground.stream_offer[ground.stream_row[first + i]]] < np.inf:
            row[count] = ground.stream_row[first + i]
            where[count] = i
            count += 1
    pick = -1
    got = np.empty(many + 2)
    made = np.zeros((2, T), np.int16)
    for record in (False, True):
        price(
            row[:count], ground.stream_offer, ground.profile, ground.offer_program, ground.good,
            ground.lag, limit, ground.fewest, batch, setup, ground.no_curve, ground.curve,
            ground.demand, ground.cap, ground.target, ground.opening, ground.shortage,
            ground.safety, ground.holding, ones, ground.program[p].width, record, got, made,
        )  # fmt: skip
        if record:
            break
        for i in range(count):
            value[where[i]] = got[i] + once[ground.stream_offer[row[i]]]
        pick = best_option(ground, state, p, value)
        if pick < 0:
            return False
        count = 0
        for place in (ground.option[pick].one, ground.option[pick].two):
            if place >= 0:
                row[count] = ground.stream_row[first + place]
                count += 1
    state.option[p] = pick
    for source in range(2):
        state.offer[p, source] = -1
        for t in range(T):
            state.batches[p, source, t] = 0
    own = ground.option[pick].fixed
    if count == 0:
        own += ground.program[p].idle
    for source in range(count):
        f = ground.stream_offer[row[source]]
        line = ground.offer[f].line
        own += got[source] + ground.offer[f].once
        for t in range(T):
            n = np.int64(made[source, t])
            if n > 0:
                own += (ground.offer[f].price - batch[f, t]) * n
                own += ground.line[line].change_cost - setup[f, t]
            state.batches[p, source, t] = n
        state.offer[p, source] = f
    state.own[p] = own
    shift(ground, state, p, IN)
    return True


@internal
def best_option(ground, state, p, value):
    """The cheapest allowed candidate option of `p` given the values of its streams, or -1."""
    best = np.inf
    pick = -1
    first = ground.program[p].stream
    for o in range(ground.program[p].option, ground.program[p + 1].option):
        spent = ground.option[o].fixed
        k1 = k2 = -1
        one, two = ground.option[o].one, ground.option[o].two
        if one < 0:
            spent += ground.program[p].idle
        else:
            spent += value[one]
            k1 = ground.offer[ground.stream_offer[ground.stream_row[first + one]]].cmo
        if two >= 0:
            spent += value[two]
            k2 = ground.offer[ground.stream_offer[ground.stream_row[first + two]]].cmo
        if spent < best and allowed(ground, state, p, k1, k2):
            best = spent
            pick = o
    return pick


@internal
def total_cost(ground, state):
    """The exact objective of the plan."""
    total = state.own.sum()
    for k in range(state.programs_at.shape[0]):
        total += cmo_cost(ground, state, k)
    for line in range(state.grown.shape[0]):
        if state.grown[line]:
            total += ground.line[line].grow_cost
    return total
