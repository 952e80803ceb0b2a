"""Compiled: line-days emptied and filled again, batch by batch, with what saves most per day.

A plan only, never a bound. A first fill starts from the batches that are there; each round then
empties some periods of a line that a short program could use, fills all days anew with the gains
per day a little shaken, and keeps the result where it costs no more.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,assignment,no-any-return"

from __future__ import annotations

import numpy as np

from models.patterns.dp import compiled, internal


@internal
def short_money(p, start, wanted, cap, price, allowed, free):
    """Money of the units that program p is short beyond what is allowed."""
    held = unmet = 0.0
    for t in range(start, wanted.shape[1]):
        left = held + free[p, t] - wanted[p, t]
        if left < 0.0:
            unmet -= left
            held = 0.0
        else:
            held = min(left, cap[p, t])
    return price[p] * max(0.0, unmet - allowed[p])


@internal
def put(a, t, count, scene, n, left, free):
    """Start `count` (may be negative) batches more of offer a in period t."""
    program, line, good, days, lag, changeover = scene
    before = n[a, t]
    n[a, t] = before + count
    used = count * days[a]
    if before == 0 and count > 0:
        used += changeover[line[a]]
    elif before > 0 and n[a, t] == 0:
        used -= changeover[line[a]]
    left[line[a], t] -= used
    free[program[a], t + lag[a]] += count * good[a]


@internal
def fill(cells, most, weight, dirty, gain, own, start, demand, scene, n, left, free):
    """Add batches, each where it saves most money per day, until none fits or saves anything."""
    program, line, good, days, lag, changeover = scene
    wanted, cap, price, allowed = demand
    while True:
        best, place = 0.0, -1
        for c in range(len(cells)):
            a, t = cells[c]
            need = days[a] + (changeover[line[a]] if n[a, t] == 0 else 0.0)
            if n[a, t] >= most[a, t] or need > left[line[a], t] + 1e-9:
                continue
            p = program[a]
            if own[p] <= 0.0:
                continue
            if dirty[p]:
                free[p, t + lag[a]] += good[a]
                money = short_money(p, start, wanted, cap, price, allowed, free)
                free[p, t + lag[a]] -= good[a]
                gain[c] = own[p] - money
            else:
                money = own[p] - gain[c]
            score = gain[c] * weight[c] / need
            if score > best and gain[c] > 1e-9 * own[p]:
                best, place = score, c
        if place < 0:
            return
        dirty[:] = False
        a, t = cells[place]
        put(a, t, 1, scene, n, left, free)
        p = program[a]
        own[p] = short_money(p, start, wanted, cap, price, allowed, free)
        dirty[p] = True


@internal
def cells_of(start, most, lag):
    """Offer and period of each cell where batches may start and are released in time."""
    A, T = most.shape
    cells = np.empty((A * T, 2), np.int64)
    count = 0
    for a in range(A):
        for t in range(start, T - lag[a]):
            if most[a, t] > 0:
                cells[count, 0] = a
                cells[count, 1] = t
                count += 1
    return cells[:count].copy()


@internal
def empty_some(cells, short, many, scene, n, left, free):
    """Take batches off a few neighbouring periods of one or two lines that a short program uses."""
    line = scene[1]
    share = 0.3 + 0.7 * np.random.random()
    for _ in range(1 + (np.random.random() < 0.3)):
        a, t = cells[short[np.random.randint(many)]]
        width = np.random.randint(4)
        for c in range(len(cells)):
            b, s = cells[c]
            near = line[b] == line[a] and abs(s - t) <= width
            if near and n[b, s] > 0 and np.random.random() < share:
                put(b, s, -n[b, s], scene, n, left, free)


@compiled
def refill(start, demand, scene, supply, room, most, batches, rounds, target, seed):
    """The best batches (A, T) of `rounds` rounds from `batches` on; ends early at money `target`.

    `demand` is (wanted, cap, price, allowed), `scene` (program, line, good, days, lag, changeover),
    as in `Scene`; `batches` must fit.
    """
    program, lag = scene[0], scene[4]
    wanted, cap, price, allowed = demand
    P = len(price)
    np.random.seed(seed)
    cells = cells_of(start, most, lag)
    n = np.zeros(most.shape, np.int64)
    left, free, own = room.copy(), supply.copy(), np.empty(P)
    for c in range(len(cells)):
        a, t = cells[c]
        if batches[a, t] > 0:
            put(a, t, batches[a, t], scene, n, left, free)
    for p in range(P):
        own[p] = short_money(p, start, wanted, cap, price, allowed, free)
    dirty, gain, weight = np.ones(P, np.bool_), np.zeros(len(cells)), np.ones(len(cells))
    fill(cells, most, weight, dirty, gain, own, start, demand, scene, n, left, free)
    best, least = n.copy(), own.sum()
    now = least
    kept_n, kept_left, kept_free, kept_own = n.copy(), left.copy(), free.copy(), own.copy()
    short = np.empty(len(cells), np.int64)
    for _ in range(rounds):
        many = 0
        for c in range(len(cells)):
            if own[program[cells[c, 0]]] > 0.0:
                short[many] = c
                many += 1
        if many == 0 or least <= target:
            break
        kept_n[:], kept_left[:], kept_free[:], kept_own[:] = n, left, free, own
        empty_some(cells, short, many, scene, n, left, free)
        for p in range(P):
            own[p] = short_money(p, start, wanted, cap, price, allowed, free)
        shaken = 0.7 * np.random.random()
        for c in range(len(cells)):
            weight[c] = 1.0 - shaken * np.random.random()
        dirty[:] = True
        fill(cells, most, weight, dirty, gain, own, start, demand, scene, n, left, free)
        money = own.sum()
        if money > now * (1.0 + 1e-12):
            n[:], left[:], free[:], own[:] = kept_n, kept_left, kept_free, kept_own
            continue
        now = money
        if money < least:
            least = money
            best[:] = n
    return best
