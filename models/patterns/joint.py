"""Compiled: the cheapest schedules that one line can carry together, by a search over time.

Paths of the graph of `models.patterns.graph` have *lacks*, and each period a *slack*, the price of
what its batches leave unused; neither is negative. `search` finds paths of different programs that
fit together with the least sum of both: that is what the line costs more than the prices say
(models/patterns/patterns.md, `lines`).
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,assignment,no-any-return"

from __future__ import annotations

import numpy as np

from models.patterns.dp import compiled, internal


@internal
def mixed(key, number):
    """A hash of `key` and one more number (the finaliser of MurmurHash3, Appleby 2011)."""
    key = key ^ np.uint64(number)
    key = (key ^ (key >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    return key ^ (key >> np.uint64(33))


@compiled
def search(  # noqa: PLR0912, PLR0915
    root, first, child, lack, took, price, room, rhs, width, steps, top, record
):
    """Paths from `root` (n,) that fit together: least sum of lacks and slacks, or a bound on it.

    `room` and `rhs` (T,): days, and what they are worth at the prices. At most `width` states of
    a period are followed and `steps` taken; sums of `top` or more are of no interest. Returns the
    least sum found (inf: none below `top`), a bound on all sums not looked at, the last nodes, the
    steps taken, and where `record` the arcs of the paths found, (T, n).
    """
    n, T = len(root), len(room)
    inf = np.inf
    hold = 2 * width
    state = np.empty((hold, n), np.int64)
    total = np.empty(hold)
    state[0] = root
    total[0] = 0.0
    count = 1
    after = np.empty((hold, n), np.int64)
    sums = np.empty(hold)
    come = np.empty((T if record > 0 else 0, hold), np.int64)  # state of the period before
    over = np.empty((T if record > 0 else 0, hold, n), np.int64)  # arcs from there
    size = 1
    while size < 4 * hold:
        size *= 2
    table = np.empty(size, np.int64)
    arc = np.empty(n, np.int64)
    part = np.empty(n + 1)
    used = np.empty(n + 1)
    worth = np.empty(n + 1)
    most = np.empty(n + 1)
    dropped = inf
    taken = 0
    for t in range(T):
        table[:] = -1
        fresh = 0
        order = np.argsort(total[:count], kind="mergesort")
        stop = taken + steps // T
        bar = top  # what is no better than the best state given up in this period is given up too
        for position in range(count):
            label = order[position]
            if total[label] >= top:
                break
            if taken > stop:
                dropped = min(dropped, total[label])
                break
            now = state[label]
            most[n] = 0.0
            for i in range(n - 1, -1, -1):
                best = 0.0
                for k in range(first[now[i]], first[now[i] + 1]):
                    best = max(best, price[k])
                most[i] = most[i + 1] + best
            part[0] = total[label]
            used[0] = 0.0
            worth[0] = 0.0
            arc[0] = first[now[0]] - 1
            i = 0
            while i >= 0:
                arc[i] += 1
                taken += 1
                if taken > stop:
                    dropped = min(dropped, total[label])
                    break
                k = arc[i]
                if k >= first[now[i] + 1] or part[i] + lack[k] >= bar:
                    i -= 1
                    continue
                if used[i] + took[k] > room[t]:
                    continue
                got = worth[i] + price[k]
                slack = max(0.0, rhs[t] - got - most[i + 1])
                if part[i] + lack[k] + slack >= bar:
                    continue
                part[i + 1] = part[i] + lack[k]
                used[i + 1] = used[i] + took[k]
                worth[i + 1] = got
                if i + 1 < n:
                    i += 1
                    arc[i] = first[now[i]] - 1
                    continue
                # all programs have an arc: a state of the next period
                value = part[n] + slack
                key = np.uint64(0)
                for h in range(n):
                    key = mixed(key, child[arc[h]])
                at = np.int64(key >> np.uint64(1)) & (size - 1)
                while table[at] >= 0:
                    other = table[at]
                    same = True
                    for h in range(n):
                        if after[other, h] != child[arc[h]]:
                            same = False
                            break
                    if same:
                        break
                    at = (at + 1) & (size - 1)
                place = table[at]
                if place >= 0 and sums[place] <= value:
                    continue
                new = place < 0
                if new:
                    place = table[at] = fresh
                    fresh += 1
                    for h in range(n):
                        after[place, h] = child[arc[h]]
                sums[place] = value
                if record > 0:
                    come[t, place] = label
                    for h in range(n):
                        over[t, place, h] = arc[h]
                if new and fresh == hold:  # too many: the better half goes on
                    rank = np.argsort(sums[:fresh], kind="mergesort")
                    bar = sums[rank[width]]
                    dropped = min(dropped, bar)
                    chosen = np.sort(rank[:width])
                    for h in range(width):
                        after[h] = after[chosen[h]]
                        sums[h] = sums[chosen[h]]
                        if record > 0:
                            come[t, h] = come[t, chosen[h]]
                            over[t, h] = over[t, chosen[h]]
                    fresh = width
                    table[:] = -1
                    for h in range(fresh):
                        key = np.uint64(0)
                        for g in range(n):
                            key = mixed(key, after[h, g])
                        at = np.int64(key >> np.uint64(1)) & (size - 1)
                        while table[at] >= 0:
                            at = (at + 1) & (size - 1)
                        table[at] = h
        state, after = after, state
        total, sums = sums, total
        count = fresh
    best = 0
    for label in range(1, count):
        if total[label] < total[best]:
            best = label
    trail = np.zeros((T if record > 0 else 0, n), np.int64)
    if count == 0 or total[best] >= top:
        return inf, dropped, root, taken, trail
    last = state[best].copy()
    found = total[best]
    for t in range(len(trail) - 1, -1, -1):
        trail[t] = over[t, best]
        best = come[t, best]
    return found, dropped, last, taken, trail
