"""Compiled: the cheapest batch schedule of one option that can be re-routed after every outage.

Each source's schedules are paths of a graph (`models.secure.releases`). A *label* is a state of
both sources after some periods: what it cost, and a *debt*, demand that the plan itself must leave
unmet from now on because an outage would leave it unmet (models/secure.md, `labels`).
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,assignment,no-any-return"

from __future__ import annotations

import heapq

import numba
import numpy as np

from models.patterns.dp import compiled, internal
from models.patterns.graph import grown
from models.secure.debts import looked_at, owes, recalled
from models.secure.releases import nothing_made, reached

#: A debt below this share of the demand is rounding.
NOISE = 1e-9


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
def wider(table):
    """The same rows in twice the room."""
    new = np.empty((2 * len(table), table.shape[1]), table.dtype)
    new[: len(table)] = table
    return new


@internal
def no_worse(past, other):
    """Whether what went on before one label leaves it no larger a debt than another's."""
    fine = True
    for i in range(8):  # units made are the worse the more
        fine = fine and (past[i] <= other[i] if 2 <= i < 6 else past[i] >= other[i])
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
    (2, T), `opening`, `good`, `lag` (2,). `price` (4, T) is money per unit unmet, below the target,
    kept and scrapped. An outage that takes a source's batch of period t finds the pooled stock,
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
    missed = price[0].min()
    cheap = min(missed, 2.0 * unit_cost(sources, batch, good, most, missed))
    parts = reached(0, demand, cap, target, opening, good, most, batch, setup, price, cheap)
    layer0, first0, stock0, togo0, cheaper0, child0, made0, unmet0, cost0 = parts
    if sources > 1:
        rest = reached(1, demand, cap, target, opening, good, most, batch, setup, price, cheap)
    else:
        rest = nothing_made(T)
    _, first1, stock1, togo1, cheaper1, child1, made1, unmet1, cost1 = rest
    if not togo0[0] + togo1[0] < cutoff:
        return cutoff if lower else inf
    relief = missed - cheap
    matters = looked_at(T, sources, lag, span, waiting)
    after = np.zeros(T + 1)
    for t in range(T - 1, -1, -1):
        after[t] = after[t + 1] + demand[:sources, t].sum()
    node = np.zeros((1024, 2), np.int64)
    cost, debt, ahead = np.zeros(1024), np.zeros(1024), np.zeros(1024)
    past = np.zeros((1024, 8))
    parent, behind = np.full(1024, -1, np.int64), np.full(1024, -1, np.int64)
    took = np.zeros((1024, 2), np.int16)
    count = 1
    heap = [(togo0[0] + togo1[0], 0)]
    heads = numba.typed.Dict.empty(numba.int64, numba.int64)
    wide = len(stock1) + 1
    now, n = np.empty(8), np.empty(2, np.int64)
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
                recalled(past[at], n, good, unmet, scrapped, matters[t + 1], now)
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
