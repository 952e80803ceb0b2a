"""Compiled: programs put back on one line together, with the cheapest schedules that fit there.

Put back one after the other, programs take what those before them left. Here the line's schedules
are searched over time for all of them at once (`models.patterns.joint`), each with the choice to go
elsewhere instead; what they cost elsewhere, and at their other sources, is priced as the plan
stands, each for itself.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,assignment,no-any-return"

from __future__ import annotations

import numpy as np

from models.patterns.dp import internal
from models.patterns.graph import graph
from models.patterns.joint import search
from models.patterns.moves import IN, OUT
from models.patterns.placing import (
    allowed,
    enact,
    fill,
    line_of,
    lowest,
    open_offers,
    option_worth,
    pick_option,
    put_back,
    stream_worth,
    value,
)

#: Most states of a period and steps of a search: most are through with far fewer.
WIDTH, STEPS = 200, 40_000
#: Streams per program that a search looks at, the cheapest first.
STREAMS = 12
#: Steps towards prices of the line's days; the share of what the programs cost that a search first
#: looks at above the least that they can cost at those prices; steps after which it gives up.
DUAL_STEPS, FIRST, ENOUGH = 6, 0.004, 20_000
#: Arcs that may be looked at for a graph to search.
ARCS = 200_000
#: Steps that stand for finding the prices, per program.
PRICING = 2_000
#: The level of guiding prices of true costs. Not written as 0: numba would compile anew for it.
NONE = np.int64(0)
#: Likewise: the search is to keep its paths.
RECORD = np.int64(1)
#: Share of the cost of the programs by which a search must promise to make them cheaper.
TINY = 1e-6


@internal
def alternatives(
    ground, state, p, line, most, work, row, once, pick,
):  # fmt: skip
    """What `p` can do on `line`, and what it costs elsewhere, (streams found, cost elsewhere).

    Only options that cost up to `most` where no other program comes back are looked at. Streams go
    to `row`, what an option costs apart from their batches to `once`, the option to `pick`.
    """
    first, start = ground.program[p].stream, ground.program[p].option
    many = ground.program[p + 1].stream - first
    known = np.zeros(many, np.bool_)
    worth = np.empty(many)
    for i in range(many):
        f = ground.stream_offer[ground.stream_row[first + i]]
        worth[i] = work.ratio[f] * ground.base[0, first + i] + work.once[f]
    best, option = np.full(many, np.inf), np.empty(many, np.int64)
    elsewhere = np.inf
    for o in range(start, ground.program[p + 1].option):
        if option_worth(ground, p, o, worth) > most or not allowed(ground, state, p, o):
            continue
        here = -1
        for i in (ground.option[o].one, ground.option[o].two):
            if i >= 0 and not known[i]:
                known[i] = True
                worth[i] = stream_worth(ground, state, p, first + i, NONE, work)
            if i >= 0 and line_of(ground, first + i) == line:
                here = i
        now = option_worth(ground, p, o, worth)
        if here < 0:
            elsewhere = min(elsewhere, now)
        elif now <= most and now < best[here]:
            best[here], option[here] = now, o
    count = 0
    while count < STREAMS:
        i = lowest(best)
        if best[i] == np.inf:
            break
        f = ground.stream_offer[ground.stream_row[first + i]]
        # the search does not see a validation after the last batch that counts
        late = ground.proving[f] + ground.lag[f] >= ground.year.shape[0]
        if not late or ground.proving_days[f] == 0.0:
            row[count], pick[count] = ground.stream_row[first + i], option[i]
            # batches are for the search: what the option costs apart from them
            once[count] = best[i] - (worth[i] - work.once[f])
            count += 1
        best[i] = np.inf
    return count, elsewhere


@internal
def days_of(ground, p, o, line, work, days):
    """Add to `days` (T,) those of `line` that option `o` of `p` takes at the costs at hand."""
    first = ground.program[p].stream
    got, made = np.empty(1), np.zeros((1, len(days)), np.int16)
    for i in (ground.option[o].one, ground.option[o].two):
        if i < 0 or line_of(ground, first + i) != line:
            continue
        row = ground.stream_row[first + i : first + i + 1]
        f = ground.stream_offer[row[0]]
        value(ground, p, row, True, work, got, made)
        days[ground.proving[f]] += ground.proving_days[f]
        for t in range(len(days)):
            if made[0, t] > 0:
                days[t] += ground.offer_days[f] * made[0, t] + ground.line[line].change_days


@internal
def hold(ground, state, saved, p, line, sign):
    """Keep free (1) what `p` had on lines other than `line`, or no longer (-1)."""
    for source in range(2):
        f = saved.offer[p, source]
        if f < 0 or ground.offer[f].line == line:
            continue
        other = ground.offer[f].line
        state.used[other, ground.proving[f]] += sign * ground.proving_days[f]
        for t in range(ground.year.shape[0]):
            n = saved.batches[p, source, t]
            if n > 0:
                days = ground.offer_days[f] * n + ground.line[other].change_days
                state.used[other, t] += sign * days


@internal
def standing(ground, state, saved, p, push, work):
    """What `p` costs where it was, with money of its CMOs counted as for its other options."""
    open_offers(ground, state, p, NONE, 0.0, push, work)
    worth = saved.own[p]
    for source in range(2):
        f = saved.offer[p, source]
        if f < 0 or work.once[f] == np.inf:
            continue
        fill(ground, state, f, NONE, work)
        worth += work.once[f] - ground.offer[f].once
        for t in range(saved.batches.shape[2]):
            n = saved.batches[p, source, t]
            if n > 0:
                worth += (work.batch[f, t] - ground.offer[f].price) * n
    return worth


@internal
def dearer(ground, state, saved, taken, count, line, room, goal, push, work):
    """Prices of the days of `line` (T,) at which the programs cost most, each for itself; that sum.

    Less the worth of its `room`, it is the least that they can cost together. Ends where it comes
    to `goal`. Prices go on from where the last search of the line left them (subgradient steps with
    the length of Polyak 1969).
    """
    best, share = -np.inf, 1.0
    known = work.worth[line].copy()
    prices, days, slope = np.zeros(len(room)), np.empty(len(room)), np.empty(len(room))
    for step in range(DUAL_STEPS):
        work.toll[line] = prices
        days[:] = -room
        bound = -(prices * room).sum()
        for i in range(count):
            hold(ground, state, saved, taken[i], line, OUT)
            open_offers(ground, state, taken[i], NONE, 0.0, push, work)
            o, worth = pick_option(ground, state, taken[i], NONE, work)
            bound += worth
            if o >= 0:
                days_of(ground, taken[i], o, line, work, days)
            hold(ground, state, saved, taken[i], line, IN)
        if bound > best:
            best = bound
            work.worth[line] = prices
            slope[:] = days
        else:
            share *= 0.5
        length = 0.0
        for t in range(len(room)):
            if work.worth[line, t] > 0.0 or slope[t] > 0.0:
                length += slope[t] ** 2
        if best >= goal or not (slope > 0.0).any():
            break
        if step == 0:
            prices[:] = known
        else:
            move = share * (goal - best) / length
            prices[:] = np.maximum(0.0, work.worth[line] + move * slope)
    work.toll[line] = work.worth[line]
    return best


@internal
def together(ground, state, saved, taken, count, line, more, push, work):
    """Put the `count` programs `taken` back, those that stay on `line` with joint schedules.

    Whether that was done: not where it cannot be cheaper than the plan `saved` by more than
    -`more`, nor where the search finds nothing so cheap. What programs had on other lines is kept
    for them until it is their turn, so that no two of them count on the same days.

    The only function that calls the search: it is compiled into each of its callers anew.
    """
    for i in range(count):
        hold(ground, state, saved, taken[i], line, IN)
    held = np.ones(count, np.bool_)
    room, top, total = outlook(ground, state, saved, taken, count, line, more, push, work)
    prices = work.worth[line]
    row, slot = np.empty(count * STREAMS, np.int64), np.empty(count * STREAMS, np.int64)
    pick, once = np.empty(count * STREAMS, np.int64), np.empty(count * STREAMS)
    member, floor = np.empty(count, np.int64), np.empty(count)
    work.effort[0] += PRICING * count
    work.effort[1] += 1
    # a share of `top` too: programs that cost nothing would be looked at for ever
    within, steps, done = FIRST * max(total, top), 0, False
    while top > TINY * total and steps <= ENOUGH:  # short where little is looked at: mostly enough
        within = min(within, top)
        slots, rows, width, left = offered(
            ground, state, saved, taken, count, line, within, row, slot, pick, once, member, floor,
            push, work,
        )  # fmt: skip
        if slots > 0 and left > 0.0:
            first, child, lack, took, price, made, stream, root, _, whole = graph(
                row[:rows], slot[:rows], ground.stream_offer, ground.profile, ground.offer_program,
                ground.good, ground.lag, work.limit, work.least, work.batch, work.setup,
                ground.no_curve, ground.curve, ground.demand, ground.cap, ground.target,
                ground.opening, ground.shortage, ground.safety, ground.holding, work.ones,
                ground.offer_days, ground.line[line].change_days, ground.proving,
                ground.proving_days, prices, work.place, work.paid, once[:rows], floor[:slots],
                left, width, ARCS,
            )  # fmt: skip
            if not whole:
                work.effort[0] += ARCS
                break
            found, _, last, steps, trail = search(
                root, first, child, lack, took, price, room + 1e-7, prices * room, WIDTH, STEPS,
                left, RECORD,
            )  # fmt: skip
            steps += len(child)
            work.effort[0] += steps
            if found < np.inf:
                done = placed(
                    ground, state, saved, taken, count, line, slots, member, row, pick,
                    stream[last], made, trail, held, push, work,
                )  # fmt: skip
                break
        if within == top:
            break
        within *= 4.0
    work.toll[line] = 0.0
    for i in range(count):
        if held[i]:
            hold(ground, state, saved, taken[i], line, OUT)
    return done


@internal
def outlook(ground, state, saved, taken, count, line, more, push, work):
    """Days of `line` that the programs have (T,), by how much they cost more than the least that
    they can cost together, plus `more`, and what they cost.
    """
    room = ground.days[0, line] - state.used[line]
    if state.grown[line]:
        room = room + ground.days[1, line]
    room = np.maximum(room, 0.0)
    goal, total = more, 0.0
    for i in range(count):
        hold(ground, state, saved, taken[i], line, OUT)
        goal += standing(ground, state, saved, taken[i], push, work)
        hold(ground, state, saved, taken[i], line, IN)
        total += abs(saved.own[taken[i]])
    least = dearer(ground, state, saved, taken, count, line, room, goal, push, work)
    return room, goal - least, total


@internal
def offered(
    ground, state, saved, taken, count, line, top, row, slot, pick, once, member, floor, push, work,
):  # fmt: skip
    """Streams of the programs for a search up to `top`, as `graph` takes them.

    Returns how many programs (their places in `taken` go to `member`) and streams there are, how
    many batches a stream may have, and what of `top` is left beside those that must go elsewhere.
    """
    slots = rows = 0
    width = np.int64(3)
    left = top
    for i in range(count):
        p = taken[i]
        hold(ground, state, saved, p, line, OUT)
        open_offers(ground, state, p, NONE, 0.0, push, work)
        _, least = pick_option(ground, state, p, NONE, work)
        some, elsewhere = alternatives(
            ground, state, p, line, least + top, work, row[rows:], once[rows:], pick[rows:],
        )  # fmt: skip
        hold(ground, state, saved, p, line, IN)
        elsewhere = min(elsewhere, least + 2.0 * top)  # more is too much
        if some == 0:
            left -= elsewhere - least
            continue
        for k in range(rows, rows + some):
            slot[k] = slots
            once[k] -= elsewhere
        width = max(width, ground.program[p].width)
        member[slots], floor[slots] = i, min(0.0, least - elsewhere)
        slots += 1
        rows += some
    return slots, rows, width, left


@internal
def placed(
    ground, state, saved, taken, count, line, slots, member, row, pick, chosen, made, trail, held,
    push, work,
):  # fmt: skip
    """Put programs back by the streams `chosen` (slots,) and the arcs `trail` (T, slots) of a
    search, then, one after the other, those that it sends elsewhere; whether all found a place.
    """
    work.toll[line] = 0.0
    batches = np.zeros(len(trail), np.int64)
    for i in range(slots):
        at = chosen[i]
        if at < 0:
            continue
        for t in range(len(trail)):
            batches[t] = made[trail[t, i]]
        p = taken[member[i]]
        held[member[i]] = False
        hold(ground, state, saved, p, line, OUT)
        if not put_at(ground, state, p, pick[at], row[at], batches, push, work):
            return False
    for i in range(count):
        if not held[i]:
            continue
        held[i] = False
        hold(ground, state, saved, taken[i], line, OUT)
        if not put_back(ground, state, taken[i], NONE, 0.0, push, work):
            return False
    return True


@internal
def put_at(ground, state, p, pick, row, batches, push, work):
    """Give `p` this option, with these batches (T,) of the stream `row`."""
    open_offers(ground, state, p, NONE, 0.0, push, work)
    if not allowed(ground, state, p, pick):
        return False
    fixed = ground.stream_offer[row]
    first = ground.program[p].stream
    for i in (ground.option[pick].one, ground.option[pick].two):
        if i >= 0:
            f = ground.stream_offer[ground.stream_row[first + i]]
            if work.once[f] == np.inf:
                return False
            fill(ground, state, f, NONE, work)
    for t in range(len(batches)):
        if batches[t] > work.limit[fixed, t]:
            return False
    work.limit[fixed] = batches
    work.least[fixed] = batches
    fits = enact(ground, state, p, pick, work)
    work.least[fixed] = 0
    return fits
