"""Compiled: the schedules of one source as paths of a graph by period of release.

A node is the stock before a period, an arc the batches released then.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,assignment,no-any-return"

from __future__ import annotations

import numpy as np

from models.patterns.dp import internal
from models.patterns.graph import grown


@internal
def reached(  # noqa: PLR0912, PLR0915
    i, demand, cap, target, opening, good, most, batch, setup, price, cheap
):
    """Source `i` as a graph: its nodes by period, arcs, and what is left to pay from each node.

    Returns `layer` (T + 2,), the first node of each period; by node `first` arc (one more), stock,
    least cost from there on, and the same where a unit unmet costs `cheap`; by arc `child`, batches
    `made`, `unmet` units, cost. `price` (4, T) as in `cheapest`.
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
                    spent += price[3, t] * (left - cap[i, t])
                    left = cap[i, t]
                    if left > tiny:
                        if top_class < 0:
                            top_class = classes
                            base[classes] = left
                            classes += 1
                        a, j = top_class, 0
                if left <= tiny:
                    short = max(0.0, -left)
                    spent += price[0, t] * short + price[1, t] * target[i, t]
                    left = 0.0
                    if zero_class < 0:
                        zero_class = classes
                        base[classes] = 0.0
                        classes += 1
                    a, j = zero_class, 0
                else:
                    spent += price[2, t] * left + price[1, t] * max(0.0, target[i, t] - left)
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
    t = T - 1
    for node in range(layer[T] - 1, -1, -1):
        while node < layer[t]:
            t -= 1
        best = less = np.inf
        for k in range(first[node], first[node + 1]):
            best = min(best, cost[k] + togo[child[k]])
            less = min(less, cost[k] - (price[0, t] - cheap) * unmet[k] + cheaper[child[k]])
        togo[node], cheaper[node] = best, less
    return layer, first, stock, togo, cheaper, child, made, unmet, cost


@internal
def nothing_made(T):
    """The graph of a source that makes nothing, as `reached` returns it."""
    places = np.arange(T + 2)
    first = np.minimum(places, T)
    child = np.arange(1, T + 1)
    zero = np.zeros(T + 1)
    made = np.zeros(T, np.int64)
    return places, first, zero, zero, zero, child, made, np.zeros(T), np.zeros(T)
