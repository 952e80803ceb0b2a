"""Finding cuts on line-days: values of items under which a relaxed solution weighs more than 1."""

from __future__ import annotations

import numpy as np

from models.patterns.cuts import Cell, Pool, joined, lift
from models.patterns.layout import Layout
from models.problem import Floats, Ints

#: Least violation at which a cut is added.
VIOLATED = 0.01
#: Sets of items enumerated at most for one line and period.
MOST_SETS = 3_000
#: Largest k tried of the functions floor((k + 1) x) / k.
WHOLE = 12


def separate(
    pool: Pool, layout: Layout, offer: Ints, batches: Ints, weight: Floats, side: Floats, most: int
) -> int:
    """Add the cuts that a solution violates most, at most `most`; how many.

    `offer` (N,), `batches` (N, T) and `weight` (N,) are the sources of its columns, `side` the
    values of the side variables.
    """
    problem = layout.problem
    line = pool.line_of[offer]
    order = np.argsort(line, kind="stable")
    lines, starts = np.unique(line[order], return_index=True)
    found: list[tuple[float, int, int, dict[tuple[int, int], float], float]] = []
    cells: dict[tuple[int, int], tuple[Cell, Ints]] = {}
    for own, mine in zip(lines.tolist(), np.split(order, starts[1:]), strict=True):
        y = float(side[layout.y[problem.lines.cmo[own]]])
        e = float(side[layout.expand[own]]) if layout.expand[own] >= 0 else 0.0
        if y <= 1e-6:
            continue
        # programs with most weight on the line are lifted first
        heavy = np.bincount(problem.offers.program[offer[mine]], weight[mine], layout.P)
        for t in range(problem.periods):
            cell = pool.cell(own, t)
            here = pool.place[offer[mine]]
            size = cell.size[here, batches[mine, t]]
            used = float((size * weight[mine]).sum()) + cell.kept * max(y - e, 0.0)
            if used < 0.5 * cell.room * y:
                continue
            if not size.any():
                continue
            items = weights_of(problem.offers.program[offer[mine]], size, weight[mine])
            value = violated(cell, items, y, e)
            if value is not None:
                found.append((-value[0], own, t, value[1], value[2]))
                programs = np.unique(cell.program)
                cells[own, t] = cell, programs[np.argsort(-heavy[programs], kind="stable")]
    found.sort(key=lambda entry: entry[:3])
    for _, own, t, values, kept in found[:most]:
        pool.add(lift(cells[own, t][0], values, kept, cells[own, t][1]))
    return min(len(found), most)


def weights_of(program: Ints, size: Ints, weight: Floats) -> dict[tuple[int, int], float]:
    """Weight of each item, by program and size; items of no size left out."""
    items: dict[tuple[int, int], float] = {}
    for p, s, w in zip(program.tolist(), size.tolist(), weight.tolist(), strict=True):
        if s > 0:
            items[p, s] = items.get((p, s), 0.0) + w
    return items


def violated(
    cell: Cell, items: dict[tuple[int, int], float], y: float, e: float
) -> tuple[float, dict[tuple[int, int], float], float] | None:
    """Violation, values of the items and value of not expanding; None where nothing is violated."""
    keys = sorted(items)
    weight = np.array([items[key] for key in keys])
    size = np.array([key[1] for key in keys], np.int64)
    group = np.array([key[0] for key in keys], np.int64)
    if cell.kept:  # not expanding, as one more item of its own
        weight, size = np.append(weight, max(y - e, 0.0)), np.append(size, cell.kept)
        group = np.append(group, -1)
    if float(weight.sum()) - y < VIOLATED:  # no item counts more than 1
        return None
    value = by_sets(cell.room, group, size, weight)
    if value is None:
        value = by_functions(cell.room, size, weight)
    else:
        value = tightened(cell.room, group, size, value)
    over = float(value @ weight) - y
    if over < VIOLATED:
        return None
    kept = float(value[-1]) if cell.kept else 0.0
    return over, dict(zip(keys, value.tolist(), strict=False)), kept


def tightened(room: int, group: Ints, size: Ints, value: Floats) -> Floats:
    """Values scaled so that no set of items weighs more than 1, whatever the rounding."""
    best = np.zeros(room + 1)
    for p in np.unique(group):
        best = joined(best, size[group == p], value[group == p])
    return value / max(1.0, float(best[-1]) + 1e-9)


def by_sets(room: int, group: Ints, size: Ints, weight: Floats) -> Floats | None:
    """The values of most weight under which no set that fits weighs more than 1, (n,).

    By a linear program over the maximal sets; None where there are too many.
    """
    sets = fitting_sets(room, group, size)
    if sets is None:
        return None
    import highspy

    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    count = len(size)
    none_i, none_f = np.empty(0, np.int32), np.empty(0)
    highs.addCols(count, -weight, np.zeros(count), np.ones(count), 0, none_i, none_i, none_f)
    row, column = np.nonzero(sets)
    starts = np.searchsorted(row, np.arange(len(sets))).astype(np.int32)
    inf = np.full(len(sets), -highspy.kHighsInf)
    highs.addRows(
        len(sets), inf, np.ones(len(sets)), len(row), starts, column.astype(np.int32),
        np.ones(len(row)),
    )  # fmt: skip
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return np.asarray(np.clip(np.array(highs.getSolution().col_value), 0.0, 1.0))


def fitting_sets(room: int, group: Ints, size: Ints) -> Floats | None:
    """All sets of items of different groups that fit and take no further item, (sets, n)."""
    members = [np.flatnonzero(group == p) for p in np.unique(group)]
    sets = np.zeros((1, len(size)), np.bool_)
    used = np.zeros(1, np.int64)
    for mine in members:
        more, load = [sets], [used]
        for item in mine:
            fits = used + size[item] <= room
            with_item = sets[fits].copy()
            with_item[:, item] = True
            more.append(with_item)
            load.append(used[fits] + size[item])
        sets, used = np.concatenate(more), np.concatenate(load)
        if len(sets) > MOST_SETS:
            return None
    least = np.array([size[mine].min() for mine in members])
    empty = np.column_stack([~sets[:, mine].any(1) for mine in members])
    maximal = ~(empty & (used[:, None] + least <= room)).any(1)
    return np.asarray(sets[maximal], np.float64)


def by_functions(room: int, size: Ints, weight: Floats) -> Floats:
    """The values of most weight among dual feasible functions of x = size / room, (n,).

    floor((k + 1) x) / k (Fekete and Schepers 2001), and floor(x / d) / floor(1 / d) below one half
    with its mirror image above (Carlier, Clautiaux and Moukrim 2007).
    """
    best, value = -1.0, np.zeros(len(size))
    steps = {max(1, int(s) // j) for s in size[2 * size <= room] for j in (1, 2, 3)}
    steps |= {(room - int(s)) // j + 1 for s in size[2 * size > room] for j in (1, 2, 3)}
    tried = [(k, 0) for k in range(1, WHOLE + 1)]
    tried += [(0, step) for step in sorted(steps) if 2 * step <= room]
    for k, step in tried:
        if k:
            exact = (k + 1) * size % room == 0
            found = np.where(exact, size / room, (k + 1) * size // room / k)
        else:
            most = room // step
            high = 1.0 - ((room - size) // step) / most
            low = np.where(2 * size < room, size // step / most, 0.5)
            found = np.where(2 * size > room, high, low)
        if float(found @ weight) > best + 1e-9:
            best, value = float(found @ weight), found
    return value
