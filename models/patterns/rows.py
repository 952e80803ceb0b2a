"""Rows that join the master when violated: pairs of the rule `engaged` and cuts on line-days."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.patterns.columns import Book, Columns, join
from models.patterns.layout import Layout
from models.patterns.separation import separate
from models.problem import Bools, Floats, Ints


class AddedRows:
    """The part of a master that keeps its rows after the layout's.

    `added` (n, 2) lists them: program and CMO of a pair, or -1 and the number of a cut. `pair_row`
    (P, K) is the row of each pair, -1 for none, `cut_row` the row of each cut of the pool.
    """

    book: Book
    layout: Layout
    highs: Any
    unit: float
    tightened: bool
    added: Ints
    pair_row: Ints
    cut_row: Ints
    first_column: int
    side_count: int
    parts: list[Columns]
    side_entries: tuple[Ints, Ints, Floats]
    side_values: Floats
    weights: Floats
    duals: Floats

    @property
    def columns(self) -> Columns:
        """All columns so far."""
        if len(self.parts) > 1:
            self.parts = [join(self.parts)]
        return self.parts[0]

    @staticmethod
    def _inf() -> float:
        import highspy

        return float(highspy.kHighsInf)

    def _pair_entries(self, columns: Columns) -> tuple[Ints, Ints]:
        """Column and row of each pair row that the columns stand in."""
        program = self.book.problem.options.program[columns.option]
        found_column, found_row = [], []
        for cmo in self.book.cmos(columns.option):
            use = np.flatnonzero(cmo >= 0)
            rows = self.pair_row[program[use], cmo[use]]
            found_column.append(use[rows >= 0])
            found_row.append(rows[rows >= 0])
        return np.concatenate(found_column), np.concatenate(found_row)

    def _added_entries(self, columns: Columns) -> tuple[Ints, Ints, Floats]:
        """Entries of columns in the rows after the layout's: column, row, value."""
        column, row = self._pair_entries(columns)
        at, number, share = self._cut_entries(columns)
        return (
            np.concatenate([column, at]),
            np.concatenate([row, self.cut_row[number]]),
            np.concatenate([np.ones(len(row)), share]),
        )

    def _cut_entries(self, columns: Columns, first: int = 0) -> tuple[Ints, Ints, Floats]:
        """Entries of columns in the cuts from number `first` on: column, cut, value."""
        pool = self.book.cuts
        if first == len(pool):
            return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
        parts = [
            pool.entries(offer, batches, first) for offer, batches in self.book.sources(columns)
        ]
        column, cut, value = (np.concatenate(part) for part in zip(*parts, strict=True))
        return column, cut, value

    def separate(self, tolerance: float = 1e-6) -> int:
        """Add the rows of `engaged` that the last solution violates; how many."""
        columns, layout = self.columns, self.layout
        program = self.book.problem.options.program[columns.option]
        at = np.zeros((layout.P, layout.K))
        for cmo in self.book.cmos(columns.option):
            use = cmo >= 0
            np.add.at(at, (program[use], cmo[use]), self.weights[use])
        over = at > self.side_values[layout.y][None, :] + tolerance
        pairs = np.argwhere(over & (self.pair_row < 0) & (self.priced_engagement > 0)[None, :])
        self.add_pairs(pairs)
        return len(pairs)

    @property
    def priced_engagement(self) -> Bools:
        """CMOs whose engagement is worth linking pair by pair: all that have a cost or a count."""
        entries = self.side_entries
        count = np.bincount(entries[1], minlength=self.side_count)[self.layout.y]
        cmos = self.book.problem.cmos
        linked = count > (self.book.problem.lines.cmo[:, None] == np.arange(self.layout.K)).sum(0)
        paid = (cmos.onboarding_cost + cmos.fees > 0) | (cmos.floor.sum(1) > 0)
        return np.asarray(paid | linked)

    def add_pairs(self, pairs: Ints) -> None:
        """Add rows of `engaged`: a program's columns at a CMO weigh no more than its engagement."""
        if not len(pairs):
            return
        columns = self.columns
        program = self.book.problem.options.program[columns.option]
        first = len(self.layout.lower) + len(self.added)
        self.pair_row[pairs[:, 0], pairs[:, 1]] = first + np.arange(len(pairs))
        row, column = [np.arange(len(pairs))], [self.layout.y[pairs[:, 1]]]
        for cmo in self.book.cmos(columns.option):
            use = np.flatnonzero(cmo >= 0)
            rows = self.pair_row[program[use], cmo[use]] - first
            fresh = rows >= 0
            row.append(rows[fresh])
            column.append(use[fresh] + self.first_column)
        rows, cols = np.concatenate(row), np.concatenate(column)
        value = np.where(cols < self.side_count, -1.0, 1.0)
        order = np.argsort(rows, kind="stable")
        starts = np.searchsorted(rows[order], np.arange(len(pairs))).astype(np.int32)
        self.highs.addRows(
            len(pairs),
            np.full(len(pairs), -self._inf()),
            np.zeros(len(pairs)),
            len(order),
            starts,
            cols[order].astype(np.int32),
            value[order],
        )
        self.added = np.concatenate([self.added, pairs])
        self.tightened = True

    def cut(self, most: int) -> int:
        """Add rows of cuts that the last solution violates, at most `most`; how many."""
        pool = self.book.cuts
        use = np.flatnonzero(self.weights > 1e-7)
        parts = [
            (offer, batches, self.weights[use])
            for offer, batches in self.book.sources(self.columns.take(use))
        ]
        offer, batches, weight = (np.concatenate(part) for part in zip(*parts, strict=True))
        some = np.flatnonzero(offer >= 0)
        first = len(pool)
        fresh = separate(
            pool, self.layout, offer[some], batches[some], weight[some], self.side_values, most
        )
        if fresh:
            self._add_cuts(np.arange(first, first + fresh))
        return fresh

    def _add_cuts(self, numbers: Ints) -> None:
        """Rows of these cuts of the pool, with the entries of all columns so far."""
        layout = self.layout
        first = len(layout.lower) + len(self.added)
        at, cut, value = self._cut_entries(self.columns, int(numbers[0]))
        column, rows, values = [at + self.first_column], [cut], [value]
        for number in numbers.tolist():
            for j, value_of in self._cut_side(number):
                column.append(np.array([j]))
                rows.append(np.array([number]))
                values.append(np.array([value_of]))
        columns, row, entry = (np.concatenate(part) for part in (column, rows, values))
        order = np.argsort(row, kind="stable")
        self.highs.addRows(
            len(numbers),
            np.full(len(numbers), -self._inf()),
            np.zeros(len(numbers)),
            len(order),
            np.searchsorted(row[order], numbers).astype(np.int32),
            columns[order].astype(np.int32),
            entry[order],
        )
        self.cut_row = np.concatenate([self.cut_row, first + np.arange(len(numbers))])
        new = np.column_stack([np.full(len(numbers), -1, np.int64), numbers])
        self.added = np.concatenate([self.added, new])
        self.tightened = True

    def drop_slack(self, centre: Floats) -> Floats:
        """Remove the cuts that no longer bind; `centre` (duals) without their rows."""
        rows = self.cut_row
        loose = np.flatnonzero((self.duals[rows] > -1e-9 * self.unit) & (centre[rows] > -1e-9))
        if not len(loose):
            return centre
        keep = np.ones(len(self.layout.lower) + len(self.added), np.bool_)
        keep[rows[loose]] = False
        gone = np.sort(rows[loose]).astype(np.int32)
        self.highs.deleteRows(len(gone), gone)
        place = np.cumsum(keep) - 1
        number = self.book.cuts.drop(loose)
        self.added = self.added[keep[len(self.layout.lower) :]]
        cuts = self.added[:, 0] < 0
        self.added[cuts, 1] = number[self.added[cuts, 1]]
        self.cut_row = place[np.delete(rows, loose)]
        paired = self.pair_row >= 0
        self.pair_row[paired] = place[self.pair_row[paired]]
        self.duals = self.duals[keep]
        return centre[keep]

    def _cut_side(self, number: int) -> list[tuple[int, float]]:
        """Side variables of a cut with their coefficients."""
        cut = self.book.cuts.cuts[number]
        y = int(self.layout.y[self.book.problem.lines.cmo[cut.line]])
        sides = [(y, cut.kept - 1.0)]
        if cut.kept:
            sides.append((int(self.layout.expand[cut.line]), -cut.kept))
        return sides
