"""Compiled: the cheapest batch schedule of one option that can be re-routed after every outage.

A *label* is a state of stock after some periods (by period of release): what each source keeps, what
it cost so far, and a *debt*, demand that the plan itself must leave unmet from now on because an
outage would leave it unmet. Labels of one bucket of stock are merged (models/secure.md, `labels`).
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,assignment,no-any-return"

from __future__ import annotations

import numpy as np

from models.patterns.dp import compiled

#: A debt below this share of the demand is rounding.
NOISE = 1e-9


@compiled
def shortfalls(supply, demand, cap, first, allowed, step, out):
    """Units that an outage leaves unmet beyond `allowed`, for each stock, the largest kept.

    `supply` (T,) comes free from period `first` on, `demand` and `cap` (T,) are the program's.
    Entry w of `out` (W,) belongs to a stock of w * `step`; it is raised where this outage is worse.
    """
    T = len(demand)
    for w in range(len(out)):
        held = w * step
        unmet = 0.0
        for t in range(first, T):
            left = held + supply[t] - demand[t]
            if left < 0.0:
                unmet -= left
                held = 0.0
            else:
                held = min(left, cap[t])
        out[w] = max(out[w], unmet - allowed)


@compiled
def looked_up(table, stock, step, up):
    """Entry of a stock, rounded up or down to the grid."""
    place = stock / step
    w = int(np.ceil(place - 1e-9)) if up else int(np.floor(place + 1e-9))
    return table[min(max(w, 0), len(table) - 1)]


@compiled
def cheapest(  # noqa: PLR0912, PLR0915
    sources,
    demand,
    cap,
    target,
    opening,
    good,
    most,
    batch,
    setup,
    price,
    ahead,
    joins,
    need,
    step,
    extra,
    recent,
    waiting,
    wait_need,
    levels,
    width,
    relax,
    cutoff,
    batches,
):
    """Cost of the cheapest schedule, its batches by period of release into `batches` (2, T).

    By source and period of release: `demand`, `cap`, `target`, `most`, `batch` and `setup` cost
    (2, T), `opening`, `good` (2,). `price` is (shortage, safety, holding). A source is filled up to
    `ahead` units (2,) beyond demand at most. An outage that takes its batch of period t finds the
    pooled stock, with the other source's release where `joins` (2,), and `extra` (2, T); `need`
    (2, T, W) tells what it leaves unmet (`shortfalls`), of which unmet demand of the period before
    counts off where `recent` (2,). A source that is not ready stops before its first release in
    `waiting` (2,), -1: none; then `wait_need` (2, W) counts. Stock falls into `levels` buckets of
    `width` (2,). With `relax` merged labels keep the best of each, and the cost is a lower bound;
    else the cheapest is kept, and the schedule is one. inf where none costs less than `cutoff`.
    """
    T = demand.shape[1]
    second = levels if sources > 1 else 1
    room = levels * second * 2
    inf = np.inf
    low = np.zeros((2, room, 2))
    high = np.zeros((2, room, 2))
    debt = np.zeros((2, room))
    cost = np.full((2, room), inf)
    last = np.zeros((2, room))
    parent = np.full((T, room), -1, np.int32)
    made = np.zeros((T, room, 2), np.int16)
    total = 0.0
    for i in range(sources):
        for t in range(T):
            total += demand[i, t]
    noise = NOISE * max(total, 1.0)
    now = 0
    count = 1
    live = np.empty(room, np.int64)
    live[0] = 0
    cost[0, 0] = 0.0
    for i in range(sources):
        low[0, 0, i] = high[0, 0, i] = opening[i]
    after = total
    top = np.zeros(2, np.int64)
    for t in range(T):
        new = 1 - now
        cost[new, :] = inf
        for i in range(sources):
            after -= demand[i, t]
        found = 0
        fresh = np.empty(room, np.int64)
        for place in range(count):
            a = live[place]
            for i in range(2):
                top[i] = 0
                if i < sources and most[i, t] > 0:
                    lack = demand[i, t] + min(ahead[i], cap[i, t]) - low[now, a, i]
                    if lack > 0.0:
                        top[i] = min(most[i, t], int(np.ceil(lack / good[i] - 1e-9)))
            pooled = high[now, a, 0] + high[now, a, 1]
            for n0 in range(top[0] + 1):
                for n1 in range(top[1] + 1):
                    money = cost[now, a]
                    owed = debt[now, a]
                    unmet = 0.0
                    for i in range(sources):
                        n = n0 if i == 0 else n1
                        other = n1 if i == 0 else n0
                        if n > 0 or waiting[i] == t:
                            there = pooled
                            if joins[i]:
                                there += good[1 - i] * other
                            if n > 0:
                                lost = looked_up(need[i, t], there + extra[i, t], step, relax)
                                if recent[i]:
                                    lost -= last[now, a]
                                owed = max(owed, lost)
                            if waiting[i] == t:
                                owed = max(owed, looked_up(wait_need[i], there, step, relax))
                        if n > 0:
                            money += batch[i, t] * n + setup[i, t]
                    if money >= cutoff:
                        continue
                    key = 0
                    lo0 = lo1 = hi0 = hi1 = 0.0
                    for i in range(sources):
                        gain = good[i] * (n0 if i == 0 else n1) - demand[i, t]
                        least = low[now, a, i] + gain
                        best = high[now, a, i] + gain
                        unmet += max(0.0, -least)
                        kept = min(max(least, 0.0), cap[i, t])
                        held = min(max(best, 0.0), cap[i, t])
                        money += price[0] * max(0.0, -best)
                        money += price[1] * max(0.0, target[i, t] - held)
                        money += price[2] * (kept + (max(least, 0.0) - kept) * (T - t))
                        bucket = min(levels - 1, int(held / width[i]))
                        if i == 0:
                            lo0, hi0, key = kept, held, bucket
                        else:
                            lo1, hi1, key = kept, held, key * levels + bucket
                    owed = max(0.0, owed - unmet)
                    if owed > after + noise or money >= cutoff:
                        continue
                    if owed <= noise:
                        owed = 0.0
                    key = 2 * key + (1 if owed > 0.0 else 0)
                    if cost[new, key] == inf:
                        fresh[found] = key
                        found += 1
                        better = True
                        debt[new, key], last[new, key] = owed, unmet
                        low[new, key, 0], low[new, key, 1] = lo0, lo1
                        high[new, key, 0], high[new, key, 1] = hi0, hi1
                    elif relax:
                        better = money < cost[new, key]
                        debt[new, key] = min(debt[new, key], owed)
                        last[new, key] = max(last[new, key], unmet)
                        low[new, key, 0] = min(low[new, key, 0], lo0)
                        low[new, key, 1] = min(low[new, key, 1], lo1)
                        high[new, key, 0] = max(high[new, key, 0], hi0)
                        high[new, key, 1] = max(high[new, key, 1], hi1)
                    else:
                        better = money < cost[new, key]
                        if better:
                            debt[new, key], last[new, key] = owed, unmet
                            low[new, key, 0], low[new, key, 1] = lo0, lo1
                            high[new, key, 0], high[new, key, 1] = hi0, hi1
                    if better:
                        cost[new, key] = money
                        parent[t, key] = a
                        made[t, key, 0] = n0
                        made[t, key, 1] = n1
        count = found
        for place in range(found):
            live[place] = fresh[place]
        now = new
        if count == 0:
            return inf
    best = -1
    for place in range(count):
        a = live[place]
        if debt[now, a] <= noise and (best < 0 or cost[now, a] < cost[now, best]):
            best = a
    if best < 0:
        return inf
    value = cost[now, best]
    for t in range(T - 1, -1, -1):
        batches[0, t] = made[t, best, 0]
        batches[1, t] = made[t, best, 1]
        best = parent[t, best]
    return value
