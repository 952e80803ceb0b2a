"""Compiled: put one program back into a plan, exactly and at the least effort.

Its candidate streams are priced against the days that are left on their lines, so that a move is
feasible by construction; costs of CMOs (fees, floors, rebates) enter as the marginal figures of the
plan at hand. Options are tried in the order of what they would cost if no line were full, and only
until that is no better than the best option found: few streams need pricing.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,assignment,no-any-return"

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from models.patterns.dp import internal, price
from models.patterns.moves import IN, rebate_rate, shift
from models.problem import Bools, Floats, Ints

#: What a unit of money counts extra at a CMO whose share of spend is at its limit: at least PUSH
#: or the dual of that rule, times one of PUSHES per move.
PUSH, PUSHES = 0.5, np.array([0.0, 0.5, 1.0, 1.0, 2.0])


class Work(NamedTuple):
    """Scratch of a put-back. By offer: limits and adjusted costs (F, T), cost once (F,)."""

    limit: Ints
    batch: Floats
    setup: Floats
    once: Floats
    push: Floats  # (F,) guiding price of money spent at the CMO of the offer
    ratio: Floats  # (F,) least share of the usual price that money counts
    done: Bools  # (F,) whether limits and costs are filled in
    ones: Floats  # (T,)
    toll: Floats  # (L, T) what a line-day costs extra in the move at hand, nothing at true costs
    whim: Floats  # (1,) mean of what each option costs extra in the move at hand
    welcome: Ints  # (1,) a CMO that the move at hand engages for nothing (-1: none)
    least: Ints  # (F, T) fewest batches, 0 but where a schedule is given
    worth: Floats  # (L, T) prices of days that searches of the lines left
    effort: Ints  # (2,) steps of the searches of lines, and these searches
    paid: Floats  # (T, 1, N) of zeros: no prices of cuts
    place: Ints  # (F,) of zeros: where in `paid` each offer stands


@internal
def push_all(ground, state, push):
    """What money counts less everywhere, as spend with some CMOs is at its limit."""
    less = 0.0
    for r in range(ground.share_most.shape[0]):
        if tight(ground, state, r):
            less += push * max(ground.share_dual[r], PUSH) * ground.share_most[r]
    return less


@internal
def tight(ground, state, r):
    """Whether a limited share of spend costs something, or is nearly reached."""
    most = ground.share_most[r] * state.total[1]
    return ground.share_dual[r] > 0.0 or state.share_spent[r] > 0.97 * most


@internal
def push_at(ground, state, k, push):
    """What money counts extra at one CMO."""
    more = 0.0
    for i in range(ground.share_start[k], ground.share_start[k + 1]):
        r = ground.share_rule[i]
        if tight(ground, state, r):
            more += push * max(ground.share_dual[r], PUSH)
    return more


@internal
def money(ground, state, k, y, push):
    """What one more unit of spend costs: nothing under the floor, else less the rebate's rate."""
    if state.spend[k, y] < ground.floor[k, y]:
        return push
    return 1.0 + push - rebate_rate(ground, state, k, y)


@internal
def open_offers(ground, state, p, level, overlook, push, work):
    """What each candidate offer of `p` costs once (inf where shut), and how little money counts."""
    guide = ground.guide[level]
    less = push_all(ground, state, push) if push > 0.0 else 0.0
    for place in range(ground.program[p].offer, ground.program[p + 1].offer):
        f = ground.offer_row[place]
        line, k = ground.offer[f].line, ground.offer[f].cmo
        v = ground.offer[f].validation_period
        free = ground.days[0, line, v] - state.used[line, v]
        if state.grown[line]:
            free += ground.days[1, line, v]
        shut = state.closed[k] or np.random.random() < overlook
        if shut or free - ground.offer[f].validation_days < -1e-7:
            work.once[f] = np.inf
            continue
        work.done[f] = False
        work.push[f] = (push_at(ground, state, k, push) if push > 0.0 else 0.0) - less
        spent = money(ground, state, k, ground.year[v], work.push[f])
        cost = ground.offer[f].once + ground.offer[f].validation_cost * (spent - 1.0)
        day = guide * ground.guide_day[line, v] + work.toll[line, v]
        cost += day * ground.offer[f].validation_days
        if state.programs_at[k] == 0 and k != work.welcome[0]:
            cost += (1.0 - guide) * ground.engage[k] + guide * ground.guide_at[p, k]
            for y in range(ground.floor.shape[1]):
                cost += ground.floor[k, y]
        work.once[f] = cost
        work.ratio[f] = 1.0
        for y in range(ground.floor.shape[1]):
            share = money(ground, state, k, y, work.push[f])
            work.ratio[f] = max(0.0, min(work.ratio[f], share))


@internal
def fill(ground, state, f, level, work):
    """Limits and adjusted costs of one offer as the plan stands."""
    guide = ground.guide[level]
    line, k = ground.offer[f].line, ground.offer[f].cmo
    v = ground.offer[f].validation_period
    change, grown = ground.line[line].change_days, state.grown[line]
    for t in range(ground.year.shape[0]):
        free = ground.days[0, line, t] - state.used[line, t] - change
        if grown:
            free += ground.days[1, line, t]
        if t == v:
            free -= ground.offer[f].validation_days
        day = guide * ground.guide_day[line, t] + work.toll[line, t]
        room = np.int64(np.floor(free / ground.offer[f].days + 1e-9))
        work.limit[f, t] = max(0, min(ground.most[f, t], room))
        share = money(ground, state, k, ground.year[t], work.push[f])
        work.batch[f, t] = ground.offer[f].price * share + ground.offer[f].days * day
        work.setup[f, t] = ground.line[line].change_cost + change * day
    work.done[f] = True


@internal
def value(ground, p, rows, record, work, got, made):
    """Price some streams of `p` into `got`, with their batches into `made` where `record`."""
    price(
        rows, ground.stream_offer, ground.profile, ground.offer_program, ground.good,
        ground.lag, work.limit, work.least, work.batch, work.setup, ground.no_curve,
        ground.curve, ground.demand, ground.cap, ground.target, ground.opening, ground.shortage,
        ground.safety, ground.holding, work.ones, ground.program[p].width, record, got, made,
    )  # fmt: skip


@internal
def cmo_of(ground, p, place):
    """CMO of a place in the list of streams of `p` (-1: none)."""
    if place < 0:
        return -1
    row = ground.stream_row[ground.program[p].stream + place]
    return ground.offer[ground.stream_offer[row]].cmo


@internal
def line_of(ground, place):
    """Line of a place in `stream_row`."""
    return ground.offer[ground.stream_offer[ground.stream_row[place]]].line


@internal
def allowed(ground, state, p, o):
    """Whether the count rules have room for program `p` where option `o` takes it."""
    k1, k2 = cmo_of(ground, p, ground.option[o].one), cmo_of(ground, p, ground.option[o].two)
    for k in (k1, k2):
        if k < 0:
            continue
        for i in range(ground.group_start[k], ground.group_start[k + 1]):
            g = ground.group_rule[i]
            if ground.group_programs[g, p] and state.group_count[g] >= ground.group_limit[g]:
                return False
        if state.programs_at[k] > 0:
            continue
        other = k2 if k == k1 else k1
        new = other >= 0 and state.programs_at[other] == 0
        for i in range(ground.engaged_start[k], ground.engaged_start[k + 1]):
            e = ground.engaged_rule[i]
            fresh = 1
            if new:
                for j in range(ground.engaged_start[other], ground.engaged_start[other + 1]):
                    fresh += ground.engaged_rule[j] == e
            if state.engaged_count[e] + fresh > ground.engaged_limit[0, e]:
                return False
    return True


@internal
def pick_option(ground, state, p, level, work):
    """The cheapest allowed candidate option of `p` as things stand, or -1, and what it costs."""
    first, start = ground.program[p].stream, ground.program[p].option
    many = ground.program[p + 1].stream - first
    count = ground.program[p + 1].option - start
    known = np.zeros(many, np.bool_)
    worth = np.empty(many)  # exact where known, else no more than what the stream costs
    for i in range(many):
        f = ground.stream_offer[ground.stream_row[first + i]]
        worth[i] = work.ratio[f] * ground.base[level, first + i] + work.once[f]
    least, extra = np.empty(count), np.zeros(count)
    for o in range(count):
        if work.whim[0] > 0.0:
            extra[o] = exponential(work.whim[0])
        least[o] = option_worth(ground, p, start + o, worth) + extra[o]
    best, pick = np.inf, -1
    while True:
        o = lowest(least)
        if not least[o] < best:
            return pick, best
        now = option_worth(ground, p, start + o, worth) + extra[o]
        if now > least[o]:  # one of its streams was priced for another option
            least[o] = now
            continue
        least[o] = np.inf
        if not allowed(ground, state, p, start + o):
            continue
        for i in (ground.option[start + o].one, ground.option[start + o].two):
            if i >= 0 and not known[i] and now < best:
                known[i] = True
                worth[i] = stream_worth(ground, state, p, first + i, level, work)
                now = option_worth(ground, p, start + o, worth) + extra[o]
        if now < best:
            best, pick = now, start + o


@internal
def exponential(mean):
    """A random number of the exponential distribution."""
    return -mean * np.log(1.0 - np.random.random())


@internal
def lowest(values):
    """The first place of the least value."""
    place = 0
    for i in range(1, len(values)):
        if values[i] < values[place]:
            place = i
    return place


@internal
def stream_worth(ground, state, p, place, level, work):
    """What one candidate stream of `p` costs as things stand, exactly."""
    row, got = ground.stream_row[place : place + 1], np.empty(1)
    f = ground.stream_offer[row[0]]
    if not work.done[f]:
        fill(ground, state, f, level, work)
    value(ground, p, row, False, work, got, np.empty((0, work.ones.shape[0]), np.int16))
    return got[0] + work.once[f]


@internal
def option_worth(ground, p, o, worth):
    """Cost of one option given what its streams cost."""
    one, two = ground.option[o].one, ground.option[o].two
    spent = ground.option[o].fixed
    spent += worth[one] if one >= 0 else ground.program[p].idle
    if two >= 0:
        spent += worth[two]
    return spent


@internal
def put_back(ground, state, p, level, overlook, push, work):
    """Give program `p`, which has no source now, its best candidate option as things stand."""
    open_offers(ground, state, p, level, overlook, push, work)
    pick, _ = pick_option(ground, state, p, level, work)
    return pick >= 0 and enact(ground, state, p, pick, work)


@internal
def enact(ground, state, p, pick, work):
    """Give program `p`, whose offers are filled in, this option; whether it has a schedule."""
    T = ground.year.shape[0]
    first = ground.program[p].stream
    row, got = np.empty(2, np.int64), np.empty(2)
    count = 0
    for place in (ground.option[pick].one, ground.option[pick].two):
        if place >= 0:
            row[count] = ground.stream_row[first + place]
            count += 1
    made = np.zeros((2, T), np.int16)
    value(ground, p, row[:count], True, work, got, made)
    for source in range(count):
        if got[source] == np.inf:
            return False
    state.option[p] = pick
    own = ground.option[pick].fixed
    if count == 0:
        own += ground.program[p].idle
    for source in range(2):
        state.offer[p, source] = -1
        for t in range(T):
            state.batches[p, source, t] = made[source, t]
        if source >= count:
            continue
        f = ground.stream_offer[row[source]]
        line = ground.offer[f].line
        own += got[source] + ground.offer[f].once
        for t in range(T):
            n = np.int64(made[source, t])
            if n > 0:
                own += (ground.offer[f].price - work.batch[f, t]) * n
                own += ground.line[line].change_cost - work.setup[f, t]
        state.offer[p, source] = f
    state.own[p] = own
    shift(ground, state, p, IN)
    return True
