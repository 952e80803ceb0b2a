"""Re-planning after an outage as arrays for HiGHS: a linear program, or one of whole batches.

Units of a program are counted in its mean demand per period, and money in the dearest of those, so
that coefficients stay near 1. The rows carry the names of models/recourse.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from models.problem import Bools, Floats, Ints
from models.recourse.scene import Scene


@dataclass(frozen=True)
class Duals:
    """Dual values in money: per unit of `flow` (P, T), per line-day (L, T), per unit short (P,).

    All at least 0. `models.recourse.bounds.proven` turns them into a bound.
    """

    flow: Floats
    line_days: Floats
    short: Floats


@dataclass(frozen=True)
class Solved:
    """`batches` (A, T) is None where none were found; `bound` is money, as the solver proved it."""

    batches: Ints | None
    bound: float
    duals: Duals | None = None
    finished: bool = True


@dataclass(frozen=True)
class Layout:
    """Columns and rows of the programs in `inside` (P,) of one scene.

    Columns: batches of each `cell` (row of usable offers, period), campaigns of `runs` (cells on
    lines that need changeovers), unmet (`demand_cells`: program, period), stock (`stock_cells`),
    units short of each program. Rows: flow of each program and period, line_days, campaign, short.
    """

    scene: Scene
    inside: Ints
    cell: tuple[Ints, Ints]
    runs: Ints
    demand_cells: tuple[Ints, Ints]
    stock_cells: tuple[Ints, Ints]
    lines: tuple[Ints, Ints]
    unit: Floats  # (P,)
    money: float


def layout(scene: Scene, inside: Bools) -> Layout:
    """The columns and rows for the programs in `inside`."""
    programs = np.flatnonzero(inside).astype(np.int64)
    cell = np.nonzero((scene.most > 0) & inside[scene.program][:, None])
    change = scene.changeover[scene.line[cell[0]]]
    periods = np.arange(scene.periods)[None, :]
    within = inside[:, None] & (periods >= scene.start)
    kept = within & (periods < scene.periods - 1)
    unit = np.maximum(scene.wanted.max(1, initial=0.0), 1e-9)
    used = np.zeros(scene.room.shape, np.bool_)
    used[scene.line[cell[0]], cell[1]] = True
    price = scene.price * unit
    return Layout(
        scene=scene,
        inside=programs,
        cell=(cell[0].astype(np.int64), cell[1].astype(np.int64)),
        runs=np.flatnonzero(change > 0).astype(np.int64),
        demand_cells=_cells(within & (scene.wanted > 0)),
        stock_cells=_cells(kept & (scene.cap > 0)),
        lines=_cells(used),
        unit=unit,
        money=float(price[programs].max(initial=0.0)) or 1.0,
    )


def _cells(mask: Bools) -> tuple[Ints, Ints]:
    row, t = np.nonzero(mask)
    return row.astype(np.int64), t.astype(np.int64)


class Arrays:
    """Grows the matrix block by block, as triples."""

    def __init__(self) -> None:
        self.row: list[Ints] = []
        self.column: list[Ints] = []
        self.value: list[Floats] = []

    def put(self, row: Ints, column: Ints, value: Floats | float) -> None:
        """Entries at (row, column)."""
        self.row.append(row)
        self.column.append(column)
        self.value.append(np.broadcast_to(np.asarray(value, np.float64), row.shape))

    def by_rows(self, rows: int) -> tuple[Ints, Ints, Floats]:
        """Start of each row, columns, values."""
        row, column = np.concatenate(self.row), np.concatenate(self.column)
        value = np.concatenate(self.value)
        order = np.lexsort((column, row))
        start = np.searchsorted(row[order], np.arange(rows + 1))
        return start.astype(np.int64), column[order], value[order]


@dataclass(frozen=True)
class Model:
    """A layout as arrays; `rows` and `columns` are where each block begins."""

    layout: Layout
    whole: bool
    lp: Any
    columns: dict[str, int]
    rows: dict[str, int]


def build(form: Layout, room: Floats, allowed: Floats, whole: bool) -> Model:
    """Least money of units short beyond `allowed` (P,), within `room` (L, T) line-days.

    `whole` asks for whole batches and counts changeovers; else both are relaxed.
    """
    sizes = {
        "batches": len(form.cell[0]),
        "campaign": len(form.runs) if whole else 0,
        "unmet": len(form.demand_cells[0]),
        "stock": len(form.stock_cells[0]),
        "short": len(form.inside),
    }
    heights = {
        "flow": len(form.inside) * (form.scene.periods - form.scene.start),
        "line_days": len(form.lines[0]),
        "campaign": sizes["campaign"],
        "short": len(form.inside),
    }
    columns, rows = _starts(sizes), _starts(heights)
    entries, low = Arrays(), np.full(rows["end"], -np.inf)
    high = np.full(rows["end"], np.inf)
    _flow(form, entries, columns, low)
    _line_days(form, entries, columns, rows, room, high, whole)
    _short(form, entries, columns, rows, allowed, low)
    cost, most, integer = _columns(form, columns, whole)
    lp = _pass(entries.by_rows(rows["end"]), cost, most, low, high, integer)
    return Model(form, whole, lp, columns, rows)


def _starts(sizes: dict[str, int]) -> dict[str, int]:
    at, total = {}, 0
    for name, size in sizes.items():
        at[name] = total
        total += size
    return at | {"end": total}


def _flow_rows(form: Layout, program: Ints, t: Ints) -> Ints:
    """Row of the flow of a program in `inside` and a period."""
    start = form.scene.start
    place = np.searchsorted(form.inside, program)
    rows: Ints = place * (form.scene.periods - start) + (t - start)
    return rows


def _flow(form: Layout, entries: Arrays, columns: dict[str, int], low: Floats) -> None:
    """What is there, released and left unmet covers demand and what is kept."""
    scene = form.scene
    row, t = form.cell
    program = scene.program[row]
    released = t + scene.lag[row]
    good = scene.good[row] / form.unit[program]
    cells = columns["batches"] + np.arange(len(row))
    entries.put(_flow_rows(form, program, released), cells, good)
    p, t = form.demand_cells
    entries.put(_flow_rows(form, p, t), columns["unmet"] + np.arange(len(p)), 1.0)
    p, t = form.stock_cells
    cells = columns["stock"] + np.arange(len(p))
    entries.put(_flow_rows(form, p, t), cells, -1.0)
    entries.put(_flow_rows(form, p, t + 1), cells, 1.0)
    p = np.repeat(form.inside, scene.periods - scene.start)
    t = np.tile(np.arange(scene.start, scene.periods), len(form.inside))
    needed = scene.wanted[p, t] - scene.supply[p, t]
    low[: len(p)] = needed / form.unit[p]


def _line_days(
    form: Layout,
    entries: Arrays,
    columns: dict[str, int],
    rows: dict[str, int],
    room: Floats,
    high: Floats,
    whole: bool,
) -> None:
    """Batches and changeovers fit in the days; batches run only in a campaign."""
    scene = form.scene
    row, t = form.cell
    line = scene.line[row]
    place = np.full(room.shape, -1, np.int64)
    place[form.lines] = rows["line_days"] + np.arange(len(form.lines[0]))
    days = scene.days[row]
    most = scene.most[row, t]
    change = scene.changeover[line]
    cells = columns["batches"] + np.arange(len(row))
    each = days if whole else days + change / most
    entries.put(place[line, t], cells, each)
    high[rows["line_days"] : rows["line_days"] + len(form.lines[0])] = room[form.lines]
    if whole:
        runs = columns["campaign"] + np.arange(len(form.runs))
        entries.put(place[line, t][form.runs], runs, change[form.runs])
        links = rows["campaign"] + np.arange(len(form.runs))
        entries.put(links, cells[form.runs], 1.0)
        entries.put(links, runs, -most[form.runs].astype(np.float64))
        high[links] = 0.0


def _short(
    form: Layout,
    entries: Arrays,
    columns: dict[str, int],
    rows: dict[str, int],
    allowed: Floats,
    low: Floats,
) -> None:
    """Units short are what is unmet beyond what is allowed."""
    own = rows["short"] + np.arange(len(form.inside))
    entries.put(own, columns["short"] + np.arange(len(form.inside)), 1.0)
    p, _ = form.demand_cells
    at = rows["short"] + np.searchsorted(form.inside, p)
    entries.put(at, columns["unmet"] + np.arange(len(p)), -1.0)
    low[own] = -(allowed / form.unit)[form.inside]


def _columns(form: Layout, columns: dict[str, int], whole: bool) -> tuple[Floats, Floats, Bools]:
    """Cost, upper bound and integrality of each column."""
    scene = form.scene
    cost, most = np.zeros(columns["end"]), np.full(columns["end"], np.inf)
    integer = np.zeros(columns["end"], np.bool_)
    p = form.inside
    cost[columns["short"] :] = scene.price[p] * form.unit[p] / form.money
    most[: columns["campaign"]] = scene.most[form.cell]
    most[columns["campaign"] : columns["unmet"]] = 1.0
    integer[: columns["unmet"]] = whole
    cells = form.demand_cells
    demand = scene.wanted[cells] / form.unit[cells[0]]
    most[columns["unmet"] : columns["stock"]] = demand
    cells = form.stock_cells
    kept = scene.cap[cells] / form.unit[cells[0]]
    most[columns["stock"] : columns["short"]] = kept
    return cost, most, integer


def _pass(
    matrix: tuple[Ints, Ints, Floats],
    cost: Floats,
    most: Floats,
    low: Floats,
    high: Floats,
    integer: Bools,
) -> Any:
    """The arrays as a HighsLp."""
    import highspy

    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = len(low), len(cost)
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost, np.zeros(len(cost)), most
    lp.row_lower_, lp.row_upper_ = low, high
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.num_row_, lp.a_matrix_.num_col_ = len(low), len(cost)
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix
    if integer.any():
        kind = highspy.HighsVarType
        lp.integrality_ = [kind.kInteger if flag else kind.kContinuous for flag in integer]
    return lp
