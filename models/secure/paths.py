"""Compiled: the cheapest batch schedule of one option that can be re-routed after every outage.

Each source's schedules are paths of a graph by period of release (`reached`): a node is its stock
before a period, an arc the batches released then. A *label* is a state of both sources after some
periods: what it cost, and a *debt*, demand that the plan itself must leave unmet from now on
because an outage would leave it unmet (models/secure.md, `labels`).
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,assignment,no-any-return"

from __future__ import annotations

import heapq

import numba
import numpy as np

from models.patterns.dp import compiled, internal
from models.patterns.graph import grown

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


@internal
def looked_up(table, stock, step, lower):
    """What a stock leaves unmet, at least or at most, from those of the stocks around it.

    A unit of stock more leaves at most a unit less unmet, and never more.
    """
    last = len(table) - 1
    w = min(max(int(np.floor(stock / step)), 0), last)
    over = min(max(stock - w * step, 0.0), step)
    after = table[min(w + 1, last)]
    if lower:
        return max(after, table[w] - over)
    return min(table[w], after + (step - over))


@internal
def reached(  # noqa: PLR0912, PLR0915
    i, demand, cap, target, opening, good, most, batch, setup, price, factor, cheap
):
    """Source `i` as a graph: its nodes by period, arcs, and what is left to pay from each node.

    Returns `layer` (T + 2,), the first node of each period; by node `first` arc (one more), stock,
    least cost from there on, and the same where a unit unmet costs `cheap`; by arc `child`, batches
    `made`, `unmet` units, cost.
    """
    T = demand.shape[1]
    q = good[i]
    tiny = 1e-10 * q
    width = int(np.floor((demand[i].sum() + cap[i].max()) / q)) + 4
    A = 2 * T + 2
    base = np.empty(A)
    number = np.empty((A, width), np.int64)
    step_of = np.full((A, width), -1, np.int64)
    classes = 1
    base[0] = opening[i]
    layer = np.zeros(T + 2, np.int64)
    first = np.zeros(256, np.int64)
    of_class = np.zeros(256, np.int64)
    of_index = np.zeros(256, np.int64)
    stock = np.zeros(256)
    child = np.empty(1024, np.int64)
    made = np.empty(1024, np.int64)
    unmet = np.empty(1024)
    cost = np.empty(1024)
    count, arcs = 1, 0
    stock[0] = opening[i]
    keep_cost = np.zeros(T + 1)
    for t in range(T - 1, -1, -1):
        keep_cost[t] = keep_cost[t + 1] + factor[t]
    for t in range(T):
        begin, end = layer[t], count
        layer[t + 1] = count
        for a in range(classes):
            base[a] -= demand[i, t]
        zero_class = top_class = -1
        for node in range(begin, end):
            first[node] = arcs
            for n in range(most[i, t] + 1):
                a = of_class[node]
                j = of_index[node] + n
                left = base[a] + q * j
                spent = setup[i, t] + batch[i, t] * n if n > 0 else 0.0
                short = 0.0
                if left > cap[i, t] + tiny:
                    spent += price[2] * keep_cost[t] * (left - cap[i, t])
                    left = cap[i, t]
                    if left > tiny:
                        if top_class < 0:
                            top_class = classes
                            base[classes] = left
                            classes += 1
                        a, j = top_class, 0
                if left <= tiny:
                    short = max(0.0, -left)
                    spent += price[0] * short + price[1] * target[i, t]
                    left = 0.0
                    if zero_class < 0:
                        zero_class = classes
                        base[classes] = 0.0
                        classes += 1
                    a, j = zero_class, 0
                else:
                    spent += price[2] * factor[t] * left + price[1] * max(0.0, target[i, t] - left)
                if j >= width:
                    continue
                if step_of[a, j] != t:
                    step_of[a, j] = t
                    number[a, j] = count
                    first, stock = grown(first, count + 2), grown(stock, count + 2)
                    of_class, of_index = grown(of_class, count + 2), grown(of_index, count + 2)
                    of_class[count], of_index[count] = a, j
                    stock[count] = left
                    count += 1
                to = number[a, j]
                child, made = grown(child, arcs + 1), grown(made, arcs + 1)
                unmet, cost = grown(unmet, arcs + 1), grown(cost, arcs + 1)
                child[arcs], made[arcs], unmet[arcs], cost[arcs] = to, n, short, spent
                arcs += 1
    layer[T + 1] = count
    first[layer[T] : count + 1] = arcs
    togo, cheaper = np.zeros(count), np.zeros(count)
    for node in range(layer[T] - 1, -1, -1):
        best = less = np.inf
        for k in range(first[node], first[node + 1]):
            best = min(best, cost[k] + togo[child[k]])
            less = min(less, cost[k] - (price[0] - cheap) * unmet[k] + cheaper[child[k]])
        togo[node], cheaper[node] = best, less
    return layer, first, stock, togo, cheaper, child, made, unmet, cost


@internal
def unit_cost(sources, batch, good, most, shortage):
    """What a unit costs at least, made or missed."""
    least = shortage
    for i in range(sources):
        for t in range(batch.shape[1]):
            if most[i, t] > 0:
                least = min(least, batch[i, t] / good[i])
    return max(0.0, least)


@internal
def lost(need, stock, step, past, i, span, lag, lower):
    """Units that the plan must leave unmet where source `i` stops `span` periods before.

    `stock` is what there is at most when the first of its releases is lost, `past` (6,) what the
    plan did before as far as two periods back.
    """
    if lag[1 - i] < span:  # what the other source releases by then may have begun since the stop
        stock -= past[2 * (2 - i) + min(span - lag[1 - i], 2) - 1]
    units = looked_up(need, max(stock, 0.0), step, lower)
    if lower and span > 0:
        units -= past[min(span, 2) - 1]
    return units


@internal
def owes(
    lower, sources, T, t, n, pooled, debt, past, good, lag, need, step, others, own, waiting, span
):
    """The debt once `n` batches (2,) are released in period `t` beside a stock of `pooled`."""
    for i in range(sources):
        for kind in range(2):  # stopped when it would have begun these, or before it was ready
            if (kind == 0 and n[i] == 0) or (kind == 1 and waiting[i] != t):
                continue
            when, far = (t, lag[i]) if kind == 0 else (T, span[i])
            stock = pooled + others[i, when] + own[i, when]
            if lag[1 - i] == far + 1:  # in the making when the source stops
                stock += good[1 - i] * n[1 - i]
            debt = max(debt, lost(need[i, when], stock, step, past, i, far, lag, lower))
    return debt


@internal
def recalled(past, n, good, unmet, scrapped, out):
    """What went on in the last period and in the last two, as `lost` wants it, into `out` (6,)."""
    out[0] = unmet
    out[2] = good[0] * n[0] - scrapped
    out[4] = good[1] * n[1] - scrapped
    for i in range(3):
        out[2 * i + 1] = out[2 * i] + past[2 * i]


@internal
def wider(table):
    """The same rows in twice the room."""
    new = np.empty((2 * len(table), table.shape[1]), table.dtype)
    new[: len(table)] = table
    return new


@internal
def nothing_made(T):
    """The graph of a source that makes nothing, as `reached` returns it."""
    places = np.arange(T + 2)
    first = np.minimum(places, T)
    child = np.arange(1, T + 1)
    zero = np.zeros(T + 1)
    made = np.zeros(T, np.int64)
    return places, first, zero, zero, zero, child, made, np.zeros(T), np.zeros(T)


@internal
def no_worse(past, other):
    """Whether what went on before one label leaves it no larger a debt than another's."""
    fine = past[0] >= other[0] and past[1] >= other[1]
    for i in range(2, 6):
        fine = fine and past[i] <= other[i]
    return fine


@compiled
def cheapest(  # noqa: PLR0912, PLR0915
    lower,
    effort,
    sources,
    demand,
    cap,
    target,
    opening,
    good,
    lag,
    most,
    batch,
    setup,
    price,
    factor,
    need,
    step,
    others,
    own,
    waiting,
    span,
    cutoff,
    batches,
):
    """Cost of the cheapest schedule, its batches by period of release into `batches` (2, T).

    By source and period of release: `demand`, `cap`, `target`, `most`, `batch` and `setup` cost
    (2, T), `opening`, `good`, `lag` (2,). `price` is (shortage, safety, holding), `factor` (T,)
    multiplies the last. An outage that takes a source's batch of period t finds the pooled stock,
    with what others release between the stop and then; `need` (2, T + 1, W) tells what it leaves
    unmet, `others` and `own` (2, T + 1) what is released by then (`needs`). A source that is not
    ready stops `span` (2,) periods before its first release in `waiting` (2,), -1: none.

    With `lower` the value is a bound on every such schedule, `cutoff` where it is not below that:
    what is unmet rounds down, demand unmet between a stop and the first release lost counts off
    its debt; of all labels the most promising is expanded, `effort` times at most. Else it is what
    `batches` cost, inf where none below `cutoff` was found: of each period the `effort` most
    promising labels are expanded.
    """
    T = demand.shape[1]
    inf = np.inf
    noise = NOISE * max(demand[:sources].sum(), 1.0)
    cheap = min(price[0], 2.0 * unit_cost(sources, batch, good, most, price[0]))
    parts = reached(0, demand, cap, target, opening, good, most, batch, setup, price, factor, cheap)
    layer0, first0, stock0, togo0, cheaper0, child0, made0, unmet0, cost0 = parts
    if sources > 1:
        rest = reached(
            1, demand, cap, target, opening, good, most, batch, setup, price, factor, cheap
        )
    else:
        rest = nothing_made(T)
    _, first1, stock1, togo1, cheaper1, child1, made1, unmet1, cost1 = rest
    if not togo0[0] + togo1[0] < cutoff:
        return cutoff if lower else inf
    relief = price[0] - cheap
    after = np.zeros(T + 1)
    for t in range(T - 1, -1, -1):
        after[t] = after[t + 1] + demand[:sources, t].sum()
    node = np.zeros((1024, 2), np.int64)
    cost, debt, ahead = np.zeros(1024), np.zeros(1024), np.zeros(1024)
    past = np.zeros((1024, 6))
    parent, behind = np.full(1024, -1, np.int64), np.full(1024, -1, np.int64)
    took = np.zeros((1024, 2), np.int16)
    count = 1
    heap = [(togo0[0] + togo1[0], 0)]
    heads = numba.typed.Dict.empty(numba.int64, numba.int64)
    wide = len(stock1) + 1
    now, n = np.empty(6), np.empty(2, np.int64)
    t = begin = 0
    order = np.zeros(1, np.int64)
    place, end, best = 0, 1, -1
    left = effort
    value = inf
    while True:
        # the next label
        if lower:
            if len(heap) == 0:
                value = cutoff
                break
            value, at = heapq.heappop(heap)
            while node[at, 0] >= layer0[t + 1] and t < T:
                t += 1
            while node[at, 0] < layer0[t]:
                t -= 1
            if t == T:
                best = at
                break
            left -= 1
            if left < 0:
                break
        else:
            if place == len(order) or place == effort:
                begin, end = end, count
                t += 1
                if t == T or begin == end:
                    break
                order = begin + np.argsort(ahead[begin:end], kind="mergesort")
                place = 0
                heads.clear()
            at = order[place]
            place += 1
        a, b = node[at, 0], node[at, 1]
        pooled = stock0[a] + stock1[b]
        for k in range(first0[a], first0[a + 1]):
            start = cost[at] + cost0[k]
            if start + togo0[child0[k]] + togo1[b] >= cutoff:
                continue
            for m in range(first1[b], first1[b + 1]):
                money = start + cost1[m]
                to0, to1 = child0[k], child1[m]
                least = money + togo0[to0] + togo1[to1]
                if least >= cutoff:
                    continue
                n[0], n[1] = made0[k], made1[m]
                owed = owes(
                    lower,
                    sources,
                    T,
                    t,
                    n,
                    pooled,
                    debt[at],
                    past[at],
                    good,
                    lag,
                    need,
                    step,
                    others,
                    own,
                    waiting,
                    span,
                )
                unmet = unmet0[k] + unmet1[m]
                owed = max(0.0, owed - unmet)
                if owed > after[t + 1] + noise:
                    continue
                if owed <= noise:
                    owed = 0.0
                least = max(least, money + cheaper0[to0] + cheaper1[to1] + relief * owed)
                if least >= cutoff or (t + 1 == T and owed > 0.0):
                    continue
                scrapped = 0.0
                if lower:
                    units0 = stock0[a] + good[0] * n[0] - demand[0, t] - stock0[to0]
                    units1 = stock1[b] + good[1] * n[1] - demand[1, t] - stock1[to1]
                    scrapped = max(0.0, units0) + max(0.0, units1)
                recalled(past[at], n, good, unmet, scrapped, now)
                key = to0 * wide + to1
                held = heads[key] if key in heads else -1  # noqa: SIM401
                beaten, over = False, -1
                while held >= 0:
                    if cost[held] <= money and debt[held] <= owed:
                        if not lower or no_worse(past[held], now):
                            beaten = True
                            break
                    elif not lower and money <= cost[held] and owed <= debt[held]:
                        over = held
                        break
                    held = behind[held]
                if beaten:
                    continue
                new = over
                if over < 0:
                    new = count
                    count += 1
                    if new == len(cost):
                        node, took, past = wider(node), wider(took), wider(past)
                        cost, debt = grown(cost, count), grown(debt, count)
                        ahead = grown(ahead, count)
                        parent, behind = grown(parent, count), grown(behind, count)
                    behind[new] = heads[key] if key in heads else -1  # noqa: SIM401
                    heads[key] = new
                node[new, 0], node[new, 1] = to0, to1
                cost[new], debt[new], ahead[new] = money, owed, least
                past[new] = now
                parent[new] = at
                took[new, 0], took[new, 1] = n[0], n[1]
                if lower:
                    heapq.heappush(heap, (least, new))
    if not lower:
        for at in range(begin, end):
            if t == T and (best < 0 or cost[at] < cost[best]):
                best = at
        value = cost[best] if best >= 0 else inf
    while best > 0:
        t -= 1
        batches[0, t], batches[1, t] = took[best, 0], took[best, 1]
        best = parent[best]
    return value
