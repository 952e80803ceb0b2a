"""Compiled: the cheapest whole-batch schedule of one supply stream, by dynamic programming.

A stream's stock is a whole number of batches less the demand since the last *anchor*: the opening
stock, a period that ended with nothing, or one whose stock was scrapped down to the shelf-life
cap. All states that share an anchor form a *class*; in a class the index j counts batches since
the anchor, so that starting n batches moves j to j + n and a sliding minimum does all n at once.
States that cannot beat a neighbour (models/patterns/patterns.md, `dominance`) are dropped; nothing
else is, so the value is exact.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,assignment,no-any-return"

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
import numpy as np

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile with numba without the GIL, cached on disk where some cache place can be written."""
    return _compiled(function, {})


def internal(function: Function) -> Function:
    """The same for what only compiled code calls: without the wrappers, it compiles much faster."""
    return _compiled(function, {"no_cpython_wrapper": True, "no_cfunc_wrapper": True})


def _compiled(function: Function, options: dict[str, bool]) -> Function:
    try:
        kernel = numba.njit(cache=True, nogil=True, error_model="numpy", **options)(function)
    except RuntimeError:  # no place to write a cache: compile anew in each process
        return numba.njit(nogil=True, error_model="numpy", **options)(function)
    # numba looks at a function's own file alone, and so keeps a caller compiled with functions of
    # other files that have changed since: the stamp is of all the files together
    kernel._cache._cache_file._source_stamp = stamp(Path(function.__code__.co_filename).parent)
    return kernel


@functools.cache
def stamp(folder: Path) -> tuple[str, int]:
    """What changes whenever compiled code of a package may, in the shape that numba keeps.

    It is of the files of this package that are compiled, and of all those of another one.
    """
    here = Path(__file__).parent
    files = [here / name for name in COMPILED]
    files += sorted(folder.glob("*.py")) if folder != here else []
    text = b"".join(file.read_bytes() for file in files)
    return hashlib.sha256(text).hexdigest(), len(text)


#: Files of this package's functions compiled together.
COMPILED = (
    "dp.py",
    "graph.py",
    "joint.py",
    "moves.py",
    "placing.py",
    "ruin.py",
    "together.py",
)


@compiled
def price(  # noqa: PLR0912, PLR0915
    rows,
    offer,
    profile,
    offer_program,
    good,
    lag,
    limit,
    least,
    batch_cost,
    setup_cost,
    curve_row,
    curve,
    demand,
    cap,
    target,
    opening,
    shortage,
    safety,
    holding,
    factor,
    width,
    record,
    value,
    batches,
):
    """Cheapest cost of each stream of `rows` into `value`; its batches too where `record`.

    `offer` and `profile` (S,) belong to all streams. By offer: `offer_program`, `good`, `lag`
    (F,), `limit` and `least` batches, `batch_cost`, `setup_cost` (F, T) by period of start; where
    `curve_row` (F, T) is not -1, that row of `curve` (rows, n) is the cost of n batches instead,
    whatever its shape. By profile: `demand`, `cap`, `target` (N, T), `opening` (N,). By program:
    `shortage` per unit not met, `safety` and `holding` per unit and period, times `factor` (T,)
    for holding. `width` is at least the most batches between two anchors plus 2. `value`
    (len(rows),), `batches` (len(rows), T) or empty. `setup_cost` must not be negative. A stream
    without any schedule has the value inf.
    """
    T = demand.shape[1]
    A = 2 * T + 2
    inf = np.inf
    cost = np.empty((A, width))
    old = np.empty(width)
    base = np.empty(A)
    low = np.empty(A, np.int64)
    high = np.empty(A, np.int64)
    live = np.empty(A, np.int64)
    queue = np.empty(width, np.int64)
    bucket = np.empty(A, np.int64)
    part = np.empty(A)
    born = np.empty(A, np.int64)
    from_class = np.empty(A, np.int64)
    from_index = np.empty(A, np.int64)
    from_batches = np.empty(A, np.int64)
    chosen = np.zeros((T if record else 0, A, width if record else 0), np.int16)
    keep_cost = np.zeros(T + 1)  # of holding one unit from the end of each period to the end
    for r in range(T - 1, -1, -1):
        keep_cost[r] = keep_cost[r + 1] + factor[r]
    for i in range(len(rows)):
        f = offer[rows[i]]
        d = demand[profile[rows[i]]]
        tops = cap[profile[rows[i]]]
        aims = target[profile[rows[i]]]
        p = offer_program[f]
        q = good[f]
        tiny = 1e-10 * q
        w = shortage[p]
        sp = safety[p]
        hp = holding[p]
        classes = 1
        count = 1
        live[0] = 0
        base[0] = opening[profile[rows[i]]]
        low[0] = 0
        high[0] = 0
        cost[0, 0] = 0.0
        born[0] = -1
        for r in range(T):
            t = r - lag[f]
            most = limit[f, t] if t >= 0 else 0
            must = least[f, t] if t >= 0 else 0
            some = max(1, must)
            c = batch_cost[f, t] if t >= 0 else 0.0
            setup = setup_cost[f, t] if t >= 0 else 0.0
            own = curve_row[f, t] if t >= 0 else -1
            top = tops[r]
            hold = hp * factor[r]
            waste = hp * keep_cost[r]
            zero_cost = inf
            zero_class = zero_index = zero_batches = 0
            top_cost = inf
            top_class = top_index = top_batches = 0
            kept = 0
            for position in range(count):
                a = live[position]
                base[a] -= d[r]
                b = base[a]
                lo = low[a]
                hi = high[a]
                # first index with stock above zero, last one within the cap
                first = int(np.floor((tiny - b) / q)) + 1
                last = int(np.floor((top - b) / q + 1e-10))
                # served no better than to the last drop: stock ends at zero
                if lo < first:
                    for j in range(lo, min(hi, first - 1) + 1):
                        if cost[a, j] == inf:
                            continue
                        n = 0
                        spent = cost[a, j] + w * max(0.0, -(b + q * j))
                        if must == 0 and spent < zero_cost:
                            zero_cost, zero_class, zero_index, zero_batches = spent, a, j, n
                        n = min(most, first - 1 - j)
                        if own >= 0:
                            for m in range(some, n + 1):
                                spent = cost[a, j] + curve[own, m]
                                spent += w * max(0.0, -(b + q * (j + m)))
                                if spent < zero_cost:
                                    zero_cost, zero_class, zero_index, zero_batches = spent, a, j, m
                        elif n >= some:
                            spent = cost[a, j] + setup + c * n + w * max(0.0, -(b + q * (j + n)))
                            if spent < zero_cost:
                                zero_cost, zero_class, zero_index, zero_batches = spent, a, j, n
                            # serving exactly all of it may cost more than leaving a little
                            if n > some and c >= w * q:
                                n = some
                                spent = cost[a, j] + setup + c * n
                                spent += w * max(0.0, -(b + q * (j + n)))
                                if spent < zero_cost:
                                    zero_cost, zero_class, zero_index, zero_batches = spent, a, j, n
                # more than the shelf life allows: scrapped down to the cap
                if hi + most > last:
                    for j in range(lo, hi + 1):
                        if cost[a, j] == inf:
                            continue
                        n = max(must, last + 1 - j)
                        if n > most:
                            continue
                        if own >= 0:
                            for m in range(n, most + 1):
                                spent = cost[a, j] + curve[own, m]
                                spent += waste * (b + q * (j + m) - top)
                                if spent < top_cost:
                                    top_cost, top_class, top_index, top_batches = spent, a, j, m
                            continue
                        spent = cost[a, j] + c * n + waste * (b + q * (j + n) - top)
                        if n > 0:
                            spent += setup
                        if spent < top_cost:
                            top_cost, top_class, top_index, top_batches = spent, a, j, n
                        if most > n and c + waste * q < 0.0:
                            n = most
                            spent = cost[a, j] + setup + c * n + waste * (b + q * (j + n) - top)
                            if spent < top_cost:
                                top_cost, top_class, top_index, top_batches = spent, a, j, n
                # in between: j' = j + n by a sliding minimum of cost - c j over n in 1..most
                begin = max(lo + must, first)
                end = min(hi + most, last)
                if begin > end:
                    low[a] = 1
                    high[a] = 0
                    continue
                for j in range(lo, hi + 1):
                    old[j] = cost[a, j]
                head = 0
                tail = 0
                fed = lo
                for j in range(begin, end + 1):
                    stop = min(hi, j - some)
                    while fed <= stop and own < 0:
                        key = old[fed] - c * fed
                        if key < inf:
                            while tail > head and old[queue[tail - 1]] - c * queue[tail - 1] >= key:
                                tail -= 1
                            queue[tail] = fed
                            tail += 1
                        fed += 1
                    while head < tail and queue[head] < j - most:
                        head += 1
                    best = old[j] if j <= hi and must == 0 else inf
                    n = 0
                    if own >= 0:
                        for source in range(max(lo, j - most), stop + 1):
                            spent = old[source] + curve[own, j - source]
                            if spent < best:
                                best = spent
                                n = j - source
                    elif head < tail:
                        spent = old[queue[head]] + c * (j - queue[head]) + setup
                        if spent < best:
                            best = spent
                            n = j - queue[head]
                    stock = b + q * j
                    cost[a, j] = best + hold * stock + sp * max(0.0, aims[r] - stock)
                    if record:
                        chosen[r, a, j] = n
                low[a] = begin
                high[a] = end
                live[kept] = a
                kept += 1
            count = kept
            if top <= tiny and top_cost < inf:  # nothing may be kept: the cap is zero
                if top_cost < zero_cost:
                    zero_cost, zero_class = top_cost, top_class
                    zero_index, zero_batches = top_index, top_batches
                top_cost = inf
            if zero_cost < inf:
                a = classes
                classes += 1
                base[a] = 0.0
                low[a] = high[a] = 0
                cost[a, 0] = zero_cost + sp * aims[r]
                born[a] = r
                from_class[a], from_index[a], from_batches[a] = zero_class, zero_index, zero_batches
                live[count] = a
                count += 1
            if top_cost < inf:
                a = classes
                classes += 1
                base[a] = top
                low[a] = high[a] = 0
                cost[a, 0] = top_cost + hold * top + sp * max(0.0, aims[r] - top)
                born[a] = r
                from_class[a], from_index[a], from_batches[a] = top_class, top_index, top_batches
                live[count] = a
                count += 1
            # dominance, over all states in the order of their stock
            most_bucket = 0
            for position in range(count):
                a = live[position]
                bucket[a] = int(np.floor(base[a] / q))
                part[a] = base[a] - q * bucket[a]
                most_bucket = max(most_bucket, high[a] + bucket[a])
                slot = position  # insertion sort by the remainder
                while slot > 0 and part[live[slot - 1]] > part[a]:
                    live[slot] = live[slot - 1]
                    slot -= 1
                live[slot] = a
            later = hp * keep_cost[r + 1]
            best = inf
            for k in range(most_bucket, -1, -1):
                for position in range(count - 1, -1, -1):
                    a = live[position]
                    j = k - bucket[a]
                    if j < low[a] or j > high[a] or cost[a, j] == inf:
                        continue
                    key = cost[a, j] + later * (part[a] + q * k)
                    if key >= best:
                        cost[a, j] = inf
                    else:
                        best = key
            later = w + sp * (T - 1 - r)
            best = inf
            for k in range(most_bucket + 1):
                for position in range(count):
                    a = live[position]
                    j = k - bucket[a]
                    if j < low[a] or j > high[a] or cost[a, j] == inf:
                        continue
                    key = cost[a, j] - later * (part[a] + q * k)
                    if key >= best:
                        cost[a, j] = inf
                    else:
                        best = key
            kept = 0
            for position in range(count):
                a = live[position]
                while low[a] <= high[a] and cost[a, low[a]] == inf:
                    low[a] += 1
                while high[a] >= low[a] and cost[a, high[a]] == inf:
                    high[a] -= 1
                if low[a] <= high[a]:
                    live[kept] = a
                    kept += 1
            count = kept
        best = inf
        at_class = at_index = 0
        for position in range(count):
            a = live[position]
            for j in range(low[a], high[a] + 1):
                if cost[a, j] < best:
                    best, at_class, at_index = cost[a, j], a, j
        value[i] = best
        if record and best < inf:
            for r in range(T - 1, -1, -1):
                if born[at_class] == r:
                    n = from_batches[at_class]
                    at_class, at_index = from_class[at_class], from_index[at_class]
                else:
                    n = np.int64(chosen[r, at_class, at_index])
                    at_index -= n
                if n > 0:
                    batches[i, r - lag[f]] = n
