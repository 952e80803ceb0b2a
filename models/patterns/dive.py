"""Diving: fix the heaviest columns of the relaxation, generate anew for the rest, and so on."""

from __future__ import annotations

import numpy as np

from models.patterns.columns import Book, Columns, join
from models.patterns.part import Part, usage
from models.patterns.root import Generation
from models.patterns.watch import Watch
from models.problem import Floats, Ints

#: Share of the programs still free that each step fixes at least, and weight from which all go.
STEP, SURE = 0.05, 0.9
#: Rounds of column generation after each step.
ROUNDS = 6


def dive(
    book: Book, rows: Ints, pool: Columns, watch: Watch, until: float
) -> tuple[Columns, Columns]:
    """One column per program that together keep every row (fewer where the dive ran aground).

    `rows` are candidate options (sorted, with each program's unsourced one), `pool` columns of the
    whole problem to begin with; they come back with those generated on the way.
    Ends early at `until` seconds of the watch.
    """
    layout, options = book.layout, book.problem.options
    free = np.ones(layout.P, np.bool_)
    fixed: list[Columns] = []
    none = pool.take(np.empty(0, np.int64))
    owner = options.program[rows]
    while free.any():
        if watch.seconds >= until or watch.over():
            break
        rest = join(fixed) if fixed else none
        used, engaged = usage(book, rest)
        part = Part(book, np.flatnonzero(free), rows[free[owner]], used, engaged)
        mine = part.inward(pool.take(free[options.program[pool.option]]))
        part.master.add(part.fitting(mine))
        generation = Generation(part.lagrangian, part.master, watch, part=True)
        generation.run(until, 1e-3, ROUNDS + (0 if fixed else 20))
        if not part.master.solve(until - watch.seconds):
            break
        chosen = settled(part, part.master.weights)
        if not len(chosen):
            break
        pool = join([pool, part.outward(part.master.columns)])
        found = part.outward(part.master.columns.take(chosen))
        fixed.append(found)
        free[options.program[found.option]] = False
    plan = join([none, *fixed])
    return plan.take(np.argsort(options.program[plan.option], kind="stable")), pool


def settled(part: Part, weights: Floats) -> Ints:
    """Columns to fix: all that are nearly whole, and the heaviest of others while days last."""
    columns, layout = part.master.columns, part.book.layout
    program = part.problem.options.program[columns.option]
    order = np.argsort(-weights, kind="stable")
    room = np.array(layout.upper[layout.P : layout.P + layout.L * layout.T])
    e = np.append(part.master.side_values, 0.0)
    lines = part.problem.lines
    grown = np.arange(layout.T)[None, :] >= lines.expansion_period[:, None]
    open_ = np.where(layout.expand >= 0, e[layout.expand] > 1e-6, False)
    days = lines.days + lines.expansion_days[:, None] * (grown & open_[:, None])
    room = room + days.reshape(-1)
    least = max(1, int(np.ceil(STEP * layout.P)))
    taken = np.zeros(layout.P, np.bool_)
    chosen: list[int] = []
    column, row, value = part.book.entries(columns.take(order))
    inside = (row >= layout.P) & (row < layout.P + layout.L * layout.T)
    starts = np.searchsorted(column[inside], np.arange(len(order) + 1))
    rows, values = row[inside] - layout.P, value[inside]
    for place, i in enumerate(order):
        if weights[i] < SURE and (len(chosen) >= least or weights[i] < 1e-6):
            break
        if taken[program[i]]:
            continue
        mine = slice(starts[place], starts[place + 1])
        if np.any(values[mine] > room[rows[mine]] + 1e-7):
            continue
        room[rows[mine]] -= values[mine]
        taken[program[i]] = True
        chosen.append(int(i))
    return np.array(chosen, np.int64)
