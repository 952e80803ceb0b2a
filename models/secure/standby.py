"""Compiled: what a program takes of each line while something is out, and whether that is enough.

A schedule here is whole batches by period of start. Usable offers are the option's sources first,
then other qualified offers; each has a line of its own in the tables of the program.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,assignment,no-any-return"

from __future__ import annotations

import numpy as np

from models.patterns.dp import compiled, internal
from models.secure.debts import shortfalls


@compiled
def fitting(room, inputs, cover, start, ready, lag, days, change, out):
    """Most batches of each usable offer in each period from `start` on into `out` (U, T).

    `room` (U, T) line-days that are left, `inputs` (U,) whether the outage takes an input of the
    offer in the share `cover` (T,) of each period, `ready` (U,) with its delay.
    """
    U, T = out.shape
    for u in range(U):
        for t in range(T):
            out[u, t] = 0
            if t < start or t < ready[u] or t + lag[u] >= T:
                continue
            most = np.floor((room[u, t] - change[u]) / days[u] + 1e-9)
            if inputs[u]:
                most = np.floor(most * (1.0 - cover[t]) + 1e-9)
            if most > 0:
                out[u, t] = int(most)


@compiled
def missed(supply, batches, lag, good, demand, cap, start):
    """Units unmet from `start` on: `supply` (T,) there, `batches` (U, T) started from then on."""
    U, T = batches.shape
    held = unmet = 0.0
    for t in range(start, T):
        have = held + supply[t]
        for u in range(U):
            if t - lag[u] >= start:
                have += good[u] * batches[u, t - lag[u]]
        left = have - demand[t]
        if left < 0.0:
            unmet -= left
            held = 0.0
        else:
            held = min(left, cap[t])
    return unmet


@compiled
def re_routed(most, planned, supply, lag, good, demand, cap, start, allowed, out):
    """Batches that leave at most `allowed` unmet into `out` (U, T); whether there are any.

    The plan's own where these do or nothing does, else as few as a simple search finds.
    """
    U, T = most.shape
    out[:, :start] = 0
    out[:, start:] = np.minimum(most, planned)[:, start:]
    if missed(supply, out, lag, good, demand, cap, start) <= allowed:
        return True
    out[:, start:] = most[:, start:]
    if missed(supply, out, lag, good, demand, cap, start) > allowed:
        out[:, start:] = np.minimum(most, planned)[:, start:]
        return False
    for u in range(U - 1, -1, -1):
        for t in range(T - 1, start - 1, -1):
            low, high = 0, out[u, t]
            while low < high:  # fewest batches of this cell that are enough
                out[u, t] = (low + high) // 2
                if missed(supply, out, lag, good, demand, cap, start) <= allowed:
                    high = out[u, t]
                else:
                    low = out[u, t] + 1
            out[u, t] = high
    return True


@compiled
def runs(free, whole, g, s, line, t, validation):
    """Days that validation runs take: all there are where these are too few and nobody uses any."""
    there = whole[g, s, line, t]
    if validation > there and free[g, s, line, t] >= there - 1e-7:
        return there
    return validation


@compiled
def reserved(  # noqa: PLR0912
    free,
    whole,
    slot,
    cover,
    stopped,
    inputs,
    lengths,
    first,
    ready,
    wait,
    lag,
    good,
    days,
    change,
    validation,
    validation_period,
    planned,
    sources,
    stock,
    unmet,
    demand,
    cap,
    spare,
    taken,
    routes,
    safe,
):
    """A program under every outage: line-days into `taken` (G, T, R, T), batches into `routes`.

    `routes` is (G, T, U, T); whether both do into `safe` (G, T): service kept, days not exceeded.

    `free` (G, T, R, T) days that are left of its R lines for outage g from the start of each period
    on, of the `whole` that the outage leaves; `slot` (U,) the line of each usable offer among them;
    `cover` (G, T, T), `stopped` and `inputs` (G, U), `lengths` (G,) in whole periods; `wait` (U,)
    whether the offer is not qualified. `planned` (U, T) batches, the first `sources` offers being
    the plan's. `stock` (T,) pooled at the start of each period and `unmet` (T,) of the plan;
    `spare` is the share of demand that may go unmet beyond.
    """
    G, T = len(lengths), len(demand)
    U = len(slot)
    taken[:] = 0.0
    routes[:] = 0
    safe[:] = True
    delay = np.zeros(U, np.int64)
    most = np.zeros((U, T), np.int64)
    room = np.zeros((U, T))
    supply = np.zeros(T)
    out = np.zeros((U, T), np.int64)
    for g in range(G):
        for s in range(first, T):
            touched = False
            for u in range(U):
                delay[u] = 0
                if stopped[g, u] or inputs[g, u]:
                    touched = touched or u < sources
                    if wait[u] and (ready[u] > s or validation_period[u] >= s):
                        delay[u] = lengths[g]
            if not touched:
                for u in range(sources):
                    for t in range(s, T):
                        out[u, t] = planned[u, t]
                for u in range(sources, U):
                    out[u, :] = 0
            else:
                for u in range(U):
                    for t in range(T):
                        room[u, t] = free[g, s, slot[u], t]
                for u in range(sources):
                    when = validation_period[u] + delay[u]
                    if validation[u] > 0 and s <= when < T:
                        room[u, when] -= runs(free, whole, g, s, slot[u], when, validation[u])
                fitting(room, inputs[g], cover[g, s], s, ready + delay, lag, days, change, most)
                allowed = 0.0
                for t in range(T):
                    supply[t] = 0.0
                    if t >= s:
                        allowed += unmet[t] + spare * demand[t]
                supply[s] = stock[s]
                for u in range(sources):
                    for t in range(max(0, s - lag[u]), s):
                        if t + lag[u] < T:
                            supply[t + lag[u]] += good[u] * planned[u, t]
                safe[g, s] = re_routed(
                    most, planned, supply, lag, good, demand, cap, s, allowed, out
                )
            for u in range(U):
                for t in range(s, T):
                    routes[g, s, u, t] = out[u, t]
                    if out[u, t] > 0:
                        taken[g, s, slot[u], t] += days[u] * out[u, t] + change[u]
                when = validation_period[u] + delay[u]
                if u < sources and validation[u] > 0 and s <= when < T:
                    taken[g, s, slot[u], when] += runs(
                        free, whole, g, s, slot[u], when, validation[u]
                    )
            for u in range(U):
                for t in range(s, T):
                    used = taken[g, s, slot[u], t]
                    if used > 0 and used > free[g, s, slot[u], t] * (1 + 1e-9) + 1e-7:
                        safe[g, s] = False


@internal
def counted(u, slot, lag):
    """Whether offer `u` has the line and lag of one before it, such as one of another size."""
    found = False
    for v in range(u):
        found = found or (slot[v] == slot[u] and lag[v] == lag[u])
    return found


@internal
def most_units(u, slot, lag, good, days, change, room, most):
    """Most units of a period by offer `u` and those after it of the same line and lag.

    Exact for two of them, else no less than what fits. `room`, `most` (U,) as for each alone.
    """
    others, alone, rate = 0, 0.0, 0.0
    last = u
    for v in range(u + 1, len(slot)):
        if slot[v] == slot[u] and lag[v] == lag[u] and most[v] > 0:
            others, last = others + 1, v
            alone += good[v] * most[v]
            rate = max(rate, good[v] / days[v])
    if others == 0:
        return good[u] * most[u]
    best = 0.0
    for n in range(most[u] + 1):
        left = room[u] - change[u]
        if n > 0:
            left -= change[u] + n * days[u]
        rest = 0.0
        if left > 0.0 and others == 1:
            rest = good[last] * min(most[last], np.floor(left / days[last] + 1e-9))
        elif left > 0.0:
            rest = min(alone, rate * left)
        best = max(best, n * good[u] + rest)
    return best


@compiled
def needs(  # noqa: PLR0912, PLR0915
    lower,
    free,
    slot,
    cover,
    stopped,
    inputs,
    lengths,
    first,
    ready,
    wait,
    lag,
    good,
    days,
    change,
    validation_period,
    sources,
    demand,
    cap,
    spare,
    step,
    need,
    others,
    own,
    waiting,
):
    """What each outage of a source would leave unmet, for `cheapest` (arguments as in `reserved`).

    Into `need` (2, T + 1, W) by source and the release of the first batch that is lost, -inf where
    nothing stops it; in place T for a source that is not ready when it stops, its first release
    into `waiting` (2,). Of what is released between the stop and that release by usable offers
    that are not the plan's, most units into `others` (2, T + 1), by the other source into `own`:
    those of the outage with most where `lower`, else with fewest, and less, rather than more, room.
    """
    G, T = len(lengths), len(demand)
    U = len(slot)
    need[:] = -np.inf
    others[:] = 0.0 if lower else np.inf
    own[:] = 0.0 if lower else np.inf
    waiting[:] = -1
    room = np.zeros((U, T))
    most = np.zeros((U, T), np.int64)
    delay = np.zeros(U, np.int64)
    supply = np.zeros(T)
    for i in range(sources):
        for g in range(G):
            if not (stopped[g, i] or inputs[g, i]):
                continue
            before = max(ready[i] - 1, validation_period[i])
            for s in range(first, T):
                late = wait[i] and s == before
                for kind in range(2):  # it stops when it would have begun, or before it is ready
                    if (kind == 0 and s < ready[i]) or (kind == 1 and not late):
                        continue
                    release = max(s, ready[i]) + lag[i]
                    if release >= T:
                        continue
                    place = release if kind == 0 else T
                    allowed = 0.0
                    for t in range(s, T):
                        allowed += spare * demand[t]
                    for u in range(U):
                        gone = stopped[g, u] or inputs[g, u]
                        queued = wait[u] and (ready[u] > s or validation_period[u] >= s)
                        delay[u] = lengths[g] if gone and queued else 0
                        for t in range(T):
                            room[u, t] = free[g, s, slot[u], t]
                            if late and not lower:  # an earlier stop delays as much
                                for sooner in range(first, s):
                                    room[u, t] = min(room[u, t], free[g, sooner, slot[u], t])
                    fitting(room, inputs[g], cover[g, s], s, ready + delay, lag, days, change, most)
                    supply[:] = 0.0
                    early = mine = 0.0
                    for u in range(U):
                        if counted(u, slot, lag):
                            continue
                        for t in range(s, T - lag[u]):
                            units = most_units(
                                u, slot, lag, good, days, change, room[:, t], most[:, t]
                            )
                            if t + lag[u] >= release:
                                supply[t + lag[u]] += units
                            elif u >= sources:
                                early += units
                            elif u != i:
                                mine += units
                    if lower:
                        others[i, place] = max(others[i, place], early)
                        own[i, place] = max(own[i, place], mine)
                    else:
                        others[i, place] = min(others[i, place], early)
                        own[i, place] = min(own[i, place], mine)
                    if kind == 1:
                        waiting[i] = release
                    shortfalls(supply, demand, cap, release, allowed, step, need[i, place])
    for i in range(2):
        for t in range(T + 1):
            if others[i, t] == np.inf:
                others[i, t] = own[i, t] = 0.0
