"""Cuts on line-days: what whole programs can share of one line in one period.

The rows `line_days` let the halves of three programs share days that no two of them fit in whole.
Let C be the most days of a line in a period (with its expansion), and let each program have at
most one *item* there: the days of its batches, changeover and validation. Not expanding is an item
too, of the days that the expansion would add. Items that fit together weigh at most 1 in a cut

    sum over columns of value(offer, batches) weight  +  kept (y - e)  <=  y

with y whether the CMO is engaged, e whether the line is expanded, `kept` the value of not
expanding: an inequality of the multiple-choice knapsack (Wolsey 1975; Balas 1975). Values of items
that the relaxation uses come from `models.patterns.separation`; `lift` gives every other item the
most that keeps the inequality true, one program after the other. As the value depends on the
batches of one period alone, a cut's dual only changes what each number of batches costs there
(`curves`), which pricing takes as it is.

Sizes are whole numbers of grid steps, rounded down, which admits more sets of items than fit.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from models.patterns.pricing import Batches
from models.problem import Floats, Ints, Problem

#: Steps tried, in days, so that all sizes are whole; else so many steps as FINEST.
STEPS, FINEST = (1.0, 0.5, 0.25, 0.1, 0.05), 400
#: Taken off each value against rounding.
SAFE = 1e-9


@dataclass(frozen=True)
class Cell:
    """A line in a period: its n offers, the programs of these and the sizes of their items.

    `size` (n, N) in grid steps by number of batches, `room` the steps of C, `kept` those of the
    expansion, 0 where there is none.
    """

    line: int
    t: int
    offers: Ints
    program: Ints
    size: Ints
    room: int
    kept: int


@dataclass(frozen=True)
class Cut:
    """One cut: `value` (n, N) of each offer of its line by number of batches, `kept` as above."""

    line: int
    t: int
    value: Floats
    kept: float


@dataclass(frozen=True)
class _Table:
    """Cuts sorted by line, those of a line from `start` (L + 1,) on: number, period, and where in
    `value` their values begin, rows `width` wide.
    """

    start: Ints
    cut: Ints
    t: Ints
    width: Ints
    offset: Ints
    value: Floats


class Pool:
    """All cuts of a master, in the order of their rows."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.cuts: list[Cut] = []
        #: numbers of the cuts of each line
        self.of_line: dict[int, list[int]] = {}
        self.line_of = np.append(problem.offers.line, -1)
        order = np.argsort(problem.offers.line, kind="stable")
        ends = np.searchsorted(problem.offers.line[order], np.arange(len(problem.lines.ids) + 1))
        self.on_line = [order[a:b] for a, b in itertools.pairwise(ends)]
        self.place = np.zeros(len(order) + 1, np.int64)
        for mine in self.on_line:
            self.place[mine] = np.arange(len(mine))
        self._cells: dict[tuple[int, int], Cell] = {}
        self._tables: tuple[tuple[int, int], _Table] | None = None

    def __len__(self) -> int:
        return len(self.cuts)

    def cell(self, line: int, t: int) -> Cell:
        """The items of a line in a period."""
        known = self._cells.get((line, t))
        if known is None:
            known = self._cells[line, t] = make_cell(self.problem, self.on_line[line], line, t)
        return known

    def add(self, cut: Cut) -> None:
        """Take a cut in; its number is the count before."""
        self.of_line.setdefault(cut.line, []).append(len(self.cuts))
        self.cuts.append(cut)

    def drop(self, numbers: Ints) -> Ints:
        """Remove some cuts; the new number of each cut there was, -1 for those removed."""
        gone = set(numbers.tolist())
        place = np.full(len(self.cuts), -1, np.int64)
        kept = [n for n in range(len(self.cuts)) if n not in gone]
        place[kept] = np.arange(len(kept))
        self.cuts = [self.cuts[n] for n in kept]
        self._tables = None
        self.of_line = {}
        for n, cut in enumerate(self.cuts):
            self.of_line.setdefault(cut.line, []).append(n)
        return place

    def entries(self, offer: Ints, batches: Batches, first: int = 0) -> tuple[Ints, Ints, Floats]:
        """Entries of sources in the cuts from number `first` on: source, cut, value.

        `offer` (N,) may be -1, `batches` (N, T).
        """
        table = self._table(first)
        line = self.line_of[offer]
        count = np.where(line >= 0, table.start[line + 1] - table.start[line], 0)
        source = np.repeat(np.arange(len(offer)), count)
        skipped = np.cumsum(count) - count
        place = table.start[line][source] + np.arange(len(source)) - skipped[source]
        cut = table.cut[place]
        # a foreign plan may make more than is worth making: it counts as the most
        made = np.minimum(batches[source, table.t[place]], table.width[place] - 1)
        at = table.offset[place] + self.place[offer[source]] * table.width[place] + made
        value = table.value[at]
        some = np.flatnonzero(value)
        return source[some], cut[some], value[some]

    def _table(self, first: int) -> _Table:
        """The cuts from number `first` on, line by line in one block."""
        if self._tables is None or self._tables[0] != (first, len(self.cuts)):
            L = len(self.on_line)
            cut = np.array(
                [n for line in range(L) for n in self.of_line.get(line, ()) if n >= first], np.int64
            )
            mine = [self.cuts[n] for n in cut]
            size = np.array([c.value.size for c in mine], np.int64)
            table = _Table(
                start=np.searchsorted(np.array([c.line for c in mine], np.int64), np.arange(L + 1)),
                cut=cut,
                t=np.array([c.t for c in mine], np.int64),
                width=np.array([c.value.shape[1] for c in mine], np.int64),
                offset=np.cumsum(size) - size,
                value=np.concatenate([np.empty(0), *(c.value.reshape(-1) for c in mine)]),
            )
            self._tables = (first, len(self.cuts)), table
        return self._tables[1]

    def curves(self, prices: Floats, batch: Floats, setup: Floats) -> tuple[Ints, Floats, Floats]:
        """What batches cost where cuts have a price: rows (F, T), curves, and once per offer (F,).

        `prices` are those of the cuts, none negative, `batch` and `setup` as in `Costs`. The last
        is what the validation of an offer costs in the cuts.
        """
        problem = self.problem
        row = np.full(batch.shape, -1, np.int64)
        once = np.zeros(len(batch))
        paid: dict[tuple[int, int], Floats] = {}
        for number in np.flatnonzero(prices > 0.0):
            cut = self.cuts[number]
            mine = prices[number] * cut.value
            before = paid.get((cut.line, cut.t))
            paid[cut.line, cut.t] = mine if before is None else before + mine
        width = max((block.shape[1] for block in paid.values()), default=1)
        curve = np.zeros((1 + sum(len(block) for block in paid.values()), width))
        made = np.arange(width)
        count = 0
        for (line, t), block in paid.items():
            f = self.on_line[line]
            once[f] += block[:, 0]
            mine = curve[count : count + len(f)]
            mine[:] = batch[f, t][:, None] * made + setup[f, t][:, None] * (made > 0)
            mine[:, : block.shape[1]] += block - block[:, :1]
            row[f, t] = count + np.arange(len(f))
            count += len(f)
        row[problem.max_batches == 0] = -1
        return row, curve, once


def make_cell(problem: Problem, offers: Ints, line: int, t: int) -> Cell:
    """The items of some offers of a line in a period, in grid steps."""
    table, lines = problem.offers, problem.lines
    most = problem.max_batches[offers, t]
    made = np.arange(int(most.max(initial=0)) + 1)
    spent = np.where(table.validation_period[offers] == t, table.validation_days[offers], 0.0)
    days = spent[:, None] + table.days[offers][:, None] * made
    days = days + lines.changeover_days[line] * (made > 0)
    kept = float(lines.expansion_days[line]) if t >= lines.expansion_period[line] else 0.0
    own = float(lines.days[line, t])
    room = (own + kept) * (1 + 1e-9) + 1e-6  # what a plan is allowed
    used = np.append(days[made[None, :] <= most[:, None]], kept)
    step = next(
        (s for s in STEPS if np.all(np.abs(used / s - np.round(used / s)) < 1e-6)), room / FINEST
    )
    if room / step > 4 * FINEST:
        step = room / FINEST
    size = np.floor(days / step + 1e-5).astype(np.int64)
    return Cell(
        line,
        t,
        offers,
        table.program[offers],
        size,
        int(np.floor(room / step + 1e-5)),
        int(np.floor(kept / step + 1e-5)),
    )


def lift(cell: Cell, values: dict[tuple[int, int], float], kept: float, order: Ints) -> Cut:
    """A cut from the values of some items, by program and size, and of not expanding.

    Values must keep the inequality true among these items. `order` are all programs of the cell
    in the order in which the others are lifted; the same item may get more than it had.
    """
    G = cell.room + 1
    sizes = {int(p): np.unique(cell.size[cell.program == p]) for p in order}
    worth: dict[int, Floats] = {}
    for p, own in sizes.items():
        mine = np.array([values.get((p, int(s)), 0.0) for s in own])
        if mine.any():
            worth[p] = np.maximum.accumulate(mine)
    # not expanding is lifted first: it is one item, and the relaxation nearly always has it
    if cell.kept:
        least = above(_best(G, sizes, worth, -1), np.array([cell.kept]))[0]
        kept = max(kept, float(least))
    start = np.zeros(G)
    if cell.kept:
        start[cell.kept :] = np.maximum(kept, 0.0)
    for p in worth:
        rest = _best(G, sizes, worth, p, start)
        worth[p] = np.maximum(above(rest, sizes[p]), 0.0)
    best = _best(G, sizes, worth, -1, start)
    for p, own in sizes.items():
        if p not in worth:
            worth[p] = above(best, own)
            best = joined(best, own, worth[p])
    value = np.zeros(cell.size.shape)
    for row, p in enumerate(cell.program.tolist()):
        value[row] = worth[p][np.searchsorted(sizes[p], cell.size[row])]
    return Cut(cell.line, cell.t, value, kept)


def above(best: Floats, size: Ints) -> Floats:
    """Most value that items of these sizes may have beside `best` (room + 1,), same shape."""
    room = len(best) - 1
    left = room - size
    value = np.where(left >= 0, 1.0 - best[np.maximum(left, 0)], 1.0)
    return np.asarray(np.maximum(np.where(size > 0, value - SAFE, 0.0), 0.0))


def joined(best: Floats, size: Ints, value: Floats) -> Floats:
    """Best value by room with one more program: none of its items or one of them."""
    fits = np.flatnonzero((value > 0.0) & (size < len(best)))
    if not len(fits):
        return best
    left = np.arange(len(best))[None, :] - size[fits][:, None]
    with_one = np.where(left >= 0, best[np.maximum(left, 0)] + value[fits][:, None], 0.0)
    return np.asarray(np.maximum(best, with_one.max(0)))


def _best(
    G: int, sizes: dict[int, Ints], worth: dict[int, Floats], but: int, start: Floats | None = None
) -> Floats:
    """Best value by room of all programs with values but one."""
    best = np.zeros(G) if start is None else start
    for p, value in worth.items():
        if p != but:
            best = joined(best, sizes[p], value)
    return best
