"""Compiled: what a plan must leave unmet itself because an outage would leave it unmet.

models/secure.md, `labels`.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,assignment,no-any-return"

from __future__ import annotations

import numpy as np

from models.patterns.dp import compiled, internal


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
