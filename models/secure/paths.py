"""Compiled: the cheapest batch schedule of one option that can be re-routed after every outage.

A *label* is a state of stock after some periods (by period of release): what is kept, what it cost
so far, and a *debt*, demand that the plan itself must leave unmet from now on because an outage
would leave it unmet. Labels of one bucket of stock are merged (models/secure.md, `labels`).
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,assignment,no-any-return"

from __future__ import annotations

import numpy as np

from models.patterns.dp import compiled

#: A debt below this share of the demand is rounding.
NOISE = 1e-9
#: Buckets of demand unmet in the last period.
UNMET = 20


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
def unit_cost(sources, batch, good, most, shortage):
    """What a unit costs at least, made or missed."""
    least = shortage
    for i in range(sources):
        for t in range(batch.shape[1]):
            if most[i, t] > 0:
                least = min(least, batch[i, t] / good[i])
    return max(0.0, least)


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
    waiting,
    wait_need,
    levels,
    width,
    debts,
    owing,
    cutoff,
    batches,
):
    """Cost of the cheapest schedule found, its batches by period of release into `batches` (2, T).

    By source and period of release: `demand`, `cap`, `target`, `most`, `batch` and `setup` cost
    (2, T), `opening`, `good` (2,). `price` is (shortage, safety, holding). A source is filled up to
    `ahead` units (2,) beyond demand at most. An outage that takes its batch of period t finds the
    pooled stock, with the other source's release where `joins` (2,); `need` (2, T, W) tells what it
    leaves unmet (`shortfalls`). A source that is not ready stops before its first release in
    `waiting` (2,), -1: none; then `wait_need` (2, W) counts. Stock falls into `levels` buckets of
    `width` (2,), debt into `debts` of `owing` units (and none); the label that is cheapest with its
    debt paid is kept of each. inf where none costs less than `cutoff`.
    """
    T = demand.shape[1]
    second = levels if sources > 1 else 1
    room = levels * second * (debts + 1)
    inf = np.inf
    stock = np.zeros((2, room, 2))
    debt = np.zeros((2, room))
    cost = np.full((2, room), inf)
    parent = np.full((T, room), -1, np.int32)
    made = np.zeros((T, room, 2), np.int16)
    live, fresh = np.empty(room, np.int64), np.empty(room, np.int64)
    kept, top = np.zeros(2), np.zeros(2, np.int64)
    after = demand[:sources].sum()
    noise = NOISE * max(after, 1.0)
    each = unit_cost(sources, batch, good, most, price[0])
    now, count = 0, 1
    live[0], cost[0, 0] = 0, 0.0
    stock[0, 0, :sources] = opening[:sources]
    for t in range(T):
        new, found = 1 - now, 0
        cost[new, :] = inf
        after -= demand[:sources, t].sum()
        for place in range(count):
            a = live[place]
            for i in range(sources):
                lack = demand[i, t] + min(ahead[i], cap[i, t]) - stock[now, a, i]
                fill = int(np.ceil(lack / good[i] - 1e-9)) if lack > 0.0 else 0
                top[i] = min(most[i, t], fill)
            pooled = stock[now, a, 0] + stock[now, a, 1]
            for n0 in range(top[0] + 1):
                for n1 in range(top[1] + 1):
                    money, owed = cost[now, a], debt[now, a]
                    key, unmet = 0, 0.0
                    for i in range(sources):
                        n, other = (n0, n1) if i == 0 else (n1, n0)
                        there = pooled + (good[1 - i] * other if joins[i] else 0.0)
                        if waiting[i] == t:
                            owed = max(owed, looked_up(wait_need[i], there, step, False))
                        if n > 0:
                            owed = max(owed, looked_up(need[i, t], there, step, False))
                            money += batch[i, t] * n + setup[i, t]
                        left = stock[now, a, i] + good[i] * n - demand[i, t]
                        unmet += max(0.0, -left)
                        left = max(left, 0.0)
                        kept[i] = min(left, cap[i, t])
                        money += price[0] * max(0.0, demand[i, t] - stock[now, a, i] - good[i] * n)
                        money += price[1] * max(0.0, target[i, t] - kept[i])
                        money += price[2] * (kept[i] + (left - kept[i]) * (T - t))
                        key = key * levels + min(levels - 1, int(kept[i] / width[i]))
                    owed = max(0.0, owed - unmet)
                    rest = max(0.0, after - kept[0] - kept[1])
                    if owed > after + noise or money + each * rest >= cutoff:
                        continue
                    key *= debts + 1
                    if owed > noise:
                        key += 1 + min(debts - 1, int(owed / owing))
                    if cost[new, key] == inf:
                        fresh[found] = key
                        found += 1
                        debt[new, key] = 0.0
                    if money + price[0] * owed < cost[new, key] + price[0] * debt[new, key]:
                        cost[new, key], debt[new, key] = money, owed
                        stock[new, key, 0], stock[new, key, 1] = kept[0], kept[1]
                        parent[t, key] = a
                        made[t, key, 0], made[t, key, 1] = n0, n1
        now, count = new, found
        live[:found] = fresh[:found]
    best = -1
    for place in range(count):
        a = live[place]
        if debt[now, a] <= noise and (best < 0 or cost[now, a] < cost[now, best]):
            best = a
    if best < 0:
        return inf
    value = cost[now, best]
    for t in range(T - 1, -1, -1):
        batches[0, t], batches[1, t] = made[t, best, 0], made[t, best, 1]
        best = parent[t, best]
    return value


@compiled
def least(  # noqa: PLR0912, PLR0915
    sources,
    demand,
    cap,
    opening,
    good,
    most,
    batch,
    setup,
    price,
    joins,
    need,
    step,
    extra,
    recent,
    levels,
    width,
    debts,
    owing,
    cutoff,
    batches,
):
    """What any schedule of an option costs at least, `cutoff` where that is not below it.

    As `cheapest`, but a lower bound: sources pool (`demand`, `cap` (T,) and `opening` are the
    program's), safety stock is free, and debt is paid as unmet demand at once, a *credit* for
    demand that really is unmet later. An outage also finds `extra` (2, T), and unmet demand of the
    period before counts off its debt where `recent` (2,). Labels of one bucket of stock and of
    credit (`debts` of `owing` units, and none) are raised to the best of each among them, less what
    holding the stock may cost. A single source leaves no demand unmet that it can serve, so its
    debt must have been unmet in the end. `price` is (shortage, holding); `batches` (2, T) by period
    of release are those of the path that gave the bound.
    """
    T = len(demand)
    width_of = debts + 1
    most_unmet = max(demand.max(), 1e-9)
    room = (levels + UNMET) * width_of
    inf = np.inf
    stock, credit = np.zeros((2, room)), np.zeros((2, room))
    cost, last = np.full((2, room), inf), np.zeros((2, room))
    debt = np.zeros((2, room))
    parent = np.full((T, room), -1, np.int32)
    made = np.zeros((T, room, 2), np.int16)
    live, fresh = np.empty(room, np.int64), np.empty(room, np.int64)
    top = np.zeros(2, np.int64)
    noise = NOISE * max(demand.sum(), 1.0)
    each = unit_cost(sources, batch, good, most, price[0])
    after = demand.sum()
    now, count = 0, 1
    live[0], cost[0, 0], stock[0, 0] = 0, 0.0, opening
    negative = False
    for i in range(sources):
        for t in range(T):
            negative = negative or (most[i, t] > 0 and (batch[i, t] < 0.0 or setup[i, t] < 0.0))
    for t in range(T):
        new, found = 1 - now, 0
        after -= demand[t]
        cost[new, :] = inf
        for place in range(count):
            a = live[place]
            held = stock[now, a]
            for i in range(2):
                top[i] = 0
                if i < sources:
                    lack = demand[t] + cap[t] - held
                    fill = int(np.ceil(lack / good[i] - 1e-9)) if lack > 0.0 else 0
                    top[i] = most[i, t] if negative else min(most[i, t], fill)
            for n0 in range(top[0] + 1):
                for n1 in range(top[1] + 1):
                    money, owed = cost[now, a], 0.0
                    due = debt[now, a]
                    units = held
                    for i in range(sources):
                        n, other = (n0, n1) if i == 0 else (n1, n0)
                        units += good[i] * n
                        if n > 0:
                            there = held + (good[1 - i] * other if joins[i] else 0.0)
                            lost = looked_up(need[i, t], there + extra[i, t], step, True)
                            owed = max(owed, lost - (last[now, a] if recent[i] else 0.0))
                            money += batch[i, t] * n + setup[i, t]
                    if n1 > 0 and not negative and units - good[1] >= demand[t] + cap[t]:
                        break
                    left = units - demand[t]
                    unmet = max(0.0, -left)
                    left = max(left, 0.0)
                    kept = min(left, cap[t])
                    money += price[0] * max(0.0, owed - credit[now, a])
                    due = max(0.0, max(due, owed) - unmet)
                    owed = max(owed, credit[now, a])
                    money += price[0] * max(0.0, unmet - owed)
                    money += price[1] * (kept + (left - kept) * (T - t))
                    owed = max(0.0, owed - unmet)
                    rest = max(0.0, after - kept - owed)
                    if not negative and money + each * rest >= cutoff:
                        continue
                    if sources == 1 and due > after + noise:
                        continue
                    key = min(levels - 1, int(kept / width))
                    if unmet > noise:  # what was unmet counts in the next period: kept apart
                        key = levels + min(UNMET - 1, int(UNMET * unmet / most_unmet))
                    key *= width_of
                    if owed > noise:
                        key += 1 + min(debts - 1, int(owed / owing))
                    keep_price = price[1] * (T - 1 - t)
                    if cost[new, key] == inf:
                        fresh[found] = key
                        found += 1
                        cost[new, key], credit[new, key] = money, owed
                        stock[new, key], last[new, key] = kept, unmet
                        debt[new, key], parent[t, key] = due, a
                        made[t, key, 0], made[t, key, 1] = n0, n1
                        continue
                    raised = kept - stock[new, key]
                    if raised > 0.0:
                        cost[new, key] -= keep_price * raised
                        debt[new, key] = max(0.0, debt[new, key] - raised)
                        stock[new, key] = kept
                    else:
                        money += keep_price * raised
                        due = max(0.0, due + raised)
                    if money < cost[new, key]:
                        cost[new, key], parent[t, key] = money, a
                        made[t, key, 0], made[t, key, 1] = n0, n1
                    debt[new, key] = min(debt[new, key], due)
                    credit[new, key] = max(credit[new, key], owed)
                    last[new, key] = max(last[new, key], unmet)
        now, count = new, found
        live[:found] = fresh[:found]
    best, value = -1, cutoff
    for place in range(count):
        a = live[place]
        if cost[now, a] < value and (sources > 1 or debt[now, a] <= noise):
            best, value = a, cost[now, a]
    if best >= 0:
        for t in range(T - 1, -1, -1):
            batches[0, t], batches[1, t] = made[t, best, 0], made[t, best, 1]
            best = parent[t, best]
    return value
