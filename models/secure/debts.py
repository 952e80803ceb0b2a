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
def lost(need, stock, more, step, past, i, span, lag, lower):
    """Units that the plan must leave unmet where source `i` stops `span` periods before.

    `stock` is what the plan has when the first of its releases is lost, `more` what may be released
    by then on top, `past` (8,) what the plan did before as far as two periods back.
    """
    if lag[1 - i] < span:  # what the other source releases by then may have begun since the stop
        more -= past[2 * (2 - i) + min(span - lag[1 - i], 2) - 1]
    if not lower:
        return looked_up(need, max(stock + more, 0.0), step, lower)
    stock += max(more, 0.0)
    served = 0.0
    if span > 0:  # what the plan scrapped can be kept, what it left unmet served instead
        stock += past[6 + min(span, 2) - 1]
        served = min(past[min(span, 2) - 1], stock)
    return looked_up(need, stock - served, step, lower) - served


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
            more = others[i, when] + own[i, when]
            if lag[1 - i] == far + 1:  # in the making when the source stops
                more += good[1 - i] * n[1 - i]
            debt = max(debt, lost(need[i, when], pooled, more, step, past, i, far, lag, lower))
    return debt


@internal
def looked_at(T, sources, lag, span, waiting):
    """Which of the figures of `recalled` matter at the start of each period, (T + 2, 8)."""
    out = np.zeros((T + 2, 8), np.bool_)
    for t in range(T, -1, -1):
        for i in range(sources):
            for kind in range(2):
                far = lag[i] if kind == 0 else span[i]
                if kind == 1 and waiting[i] != t:
                    continue
                for row in (0, 2 - i, 3):
                    back = far - lag[1 - i] if row == 2 - i else far
                    if back > 0:
                        out[t, 2 * row + min(back, 2) - 1] = True
        for row in range(4):
            if out[t + 1, 2 * row + 1]:
                out[t, 2 * row] = True
    return out


@internal
def recalled(past, n, good, unmet, scrapped, matters, out):
    """What went on in the last period and in the last two, as `lost` wants it, into `out` (8,)."""
    out[0] = unmet
    out[2] = good[0] * n[0]
    out[4] = good[1] * n[1]
    out[6] = scrapped
    for row in range(4):
        out[2 * row + 1] = out[2 * row] + past[2 * row]
    for i in range(8):
        if not matters[i]:
            out[i] = 0.0
