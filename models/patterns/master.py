"""The restricted master: a linear program in HiGHS that grows by columns and by pair rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.patterns.columns import Book, Columns, join
from models.patterns.separation import separate
from models.problem import Bools, Floats, Ints

#: simplex strategies of HiGHS
DUAL, PRIMAL = 1, 4


class Master:
    """The linear program over the columns found so far.

    Variables are the side variables of the layout, then (phase one) one artificial pair per row
    that needs it, then columns. Duals follow HiGHS: at least 0 where the lower side of a row
    binds. Rows of the rule `engaged`, one per program and CMO, are added when violated.
    """

    def __init__(self, book: Book, threads: int = 1) -> None:
        import highspy

        self.book, self.layout = book, book.layout
        side = self.layout.side
        self.side_count = len(side.cost)
        self.side_cost = np.array(side.cost)
        self.side_lower, self.side_upper = np.array(side.lower), np.array(side.upper)
        # costs in the LP are in multiples of `unit`, about a ten-thousandth of a program's cost
        self.unit = max(float(np.abs(book.idle).mean()), float(np.abs(self.side_cost).mean()), 1.0)
        self.unit /= 1e4
        self.scale = 1.0
        self.empty = False
        #: rows after the layout's: program and CMO of a pair, or -1 and the number of a cut
        self.added = np.empty((0, 2), np.int64)
        self.cut_row = np.empty(0, np.int64)
        self.pair_row = np.full((self.layout.P, self.layout.K), -1, np.int64)
        highspy.Highs.resetGlobalScheduler(True)
        self.highs = highspy.Highs()
        self.highs.setOptionValue("output_flag", False)
        self.highs.setOptionValue("threads", 1)
        self.highs.setOptionValue("solver", "simplex")
        none = np.empty((0, self.layout.T), np.int16)
        #: whether rows or bounds changed since the last solution: dual simplex is then shorter
        self.tightened = False
        self.parts = [Columns(np.empty(0, np.int64), none, none, np.empty(0))]
        self.count = 0
        self.known: set[bytes] = set()
        self._start()

    def _start(self) -> None:
        layout, inf = self.layout, self._inf()
        rows = len(layout.lower)
        lower = np.nan_to_num(np.array(layout.lower), neginf=-inf, posinf=inf)
        upper = np.nan_to_num(np.array(layout.upper), neginf=-inf, posinf=inf)
        none_i, none_f = np.empty(0, np.int32), np.empty(0)
        self.highs.addRows(rows, lower, upper, 0, none_i, none_i, none_f)
        entries = layout.side.entries
        column = np.array([entry[1] for entry in entries], np.int64)
        row = np.array([entry[0] for entry in entries], np.int64)
        value = np.array([entry[2] for entry in entries], np.float64)
        self.side_entries = (row, column, value)
        order = np.lexsort((row, column))
        starts = np.searchsorted(column[order], np.arange(self.side_count)).astype(np.int32)
        self.highs.addCols(
            self.side_count,
            self.side_cost / self.unit,
            np.array(layout.side.lower),
            self.side_upper,
            len(order),
            starts,
            row[order].astype(np.int32),
            value[order],
        )
        # slack of rows that the columns at hand may not keep, paid for in phase one only
        self.artificials = np.flatnonzero((lower > -inf) | (upper < 0))
        count = len(self.artificials)
        self.highs.addCols(
            count,
            np.zeros(count),
            np.zeros(count),
            np.full(count, inf),
            count,
            np.arange(count, dtype=np.int32),
            self.artificials.astype(np.int32),
            np.where(lower[self.artificials] > -inf, 1.0, -1.0),
        )
        self.first_column = self.side_count + count

    @staticmethod
    def _inf() -> float:
        import highspy

        return float(highspy.kHighsInf)

    @property
    def columns(self) -> Columns:
        """All columns so far."""
        if len(self.parts) > 1:
            self.parts = [join(self.parts)]
        return self.parts[0]

    def add(self, columns: Columns) -> int:
        """Add those columns that are new; how many were."""
        keys = columns.keys()
        place = {key: i for i, key in reversed(list(enumerate(keys))) if key not in self.known}
        if not place:
            return 0
        self.known.update(place)
        new = columns.take(np.array(sorted(place.values()), np.int64))
        column, row, value = self.book.entries(new)
        more = self._added_entries(new)
        column, row, value = (
            np.concatenate(p) for p in zip((column, row, value), more, strict=True)
        )
        order = np.argsort(column, kind="stable")
        starts = np.searchsorted(column[order], np.arange(len(new))).astype(np.int32)
        self.highs.addCols(
            len(new),
            self.scale * new.cost / self.unit,
            np.zeros(len(new)),
            np.full(len(new), self._inf()),
            len(order),
            starts,
            row[order].astype(np.int32),
            value[order],
        )
        self.parts.append(new)
        self.count += len(new)
        return len(new)

    def phase(self, one: bool) -> None:
        """Count artificial slack alone (phase one), or real costs alone without any slack."""
        self.scale = 0.0 if one else 1.0
        count = len(self.artificials)
        index = np.arange(self.side_count + count + self.count, dtype=np.int32)
        cost = np.concatenate(
            [self.scale * self.side_cost, np.full(count, self.unit * (1.0 - self.scale))]
            + [self.scale * part.cost for part in self.parts]
        )
        cost /= self.unit
        self.highs.changeColsCost(len(index), index, cost)
        slack = index[self.side_count : self.side_count + count]
        top = np.full(count, self._inf() if one else 0.0)
        self.highs.changeColsBounds(count, slack, np.zeros(count), top)

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

    def restrict(self, allowed: Bools, lower: Floats, upper: Floats) -> None:
        """Allow only these columns (N,), and side variables between these bounds."""
        self.side_lower, self.side_upper = lower, upper
        top = np.where(allowed, self._inf(), 0.0)
        lower = np.concatenate([lower, np.zeros(self.count)])
        upper = np.concatenate([upper, top])
        index = np.concatenate(
            [np.arange(self.side_count), self.first_column + np.arange(self.count)]
        ).astype(np.int32)
        self.highs.changeColsBounds(len(index), index, lower, upper)
        self.tightened = True

    def reduced_costs(self, columns: Columns, duals: Floats) -> Floats:
        """Reduced cost of columns at some duals, (N,)."""
        column, row, value = self.book.entries(columns)
        more_column, more_row, more_value = self._added_entries(columns)
        count = len(columns)
        gain = np.bincount(column, duals[row] * value, count)
        gain = gain + np.bincount(more_column, duals[more_row] * more_value, count)
        return np.asarray(self.scale * columns.cost - gain)

    def solve(self, seconds: float = float("inf")) -> bool:
        """Solve; False where the time ran out."""
        import highspy

        if seconds < self._inf():
            self.highs.setOptionValue("time_limit", self.highs.getRunTime() + max(seconds, 0.0))
        self.highs.setOptionValue("simplex_strategy", DUAL if self.tightened else PRIMAL)
        self.tightened = False
        self.highs.run()
        kinds = highspy.HighsModelStatus
        usual = (kinds.kOptimal, kinds.kTimeLimit, kinds.kInfeasible)
        if self.highs.getModelStatus() not in usual:  # lost its way numerically: from scratch
            self.highs.clearSolver()
            self.highs.run()
        status = self.highs.getModelStatus()
        self.empty = status == highspy.HighsModelStatus.kInfeasible
        if status != highspy.HighsModelStatus.kOptimal:
            return False
        solution = self.highs.getSolution()
        values = np.array(solution.col_value)
        self.duals = np.array(solution.row_dual) * self.unit
        self.side_values = values[: self.side_count]
        self.weights = values[self.first_column :]
        self.objective = float(self.highs.getInfo().objective_function_value) * self.unit
        return True

    def try_out(self, basis: Any, iterations: int) -> float:
        """About the objective under the bounds at hand, from below, by some dual steps.

        The steps go from `basis`. The result is inf where no choice of the columns is left.
        Solution and duals stay those of the last solve.
        """
        import highspy

        self.highs.setBasis(basis)
        self.highs.setOptionValue("simplex_strategy", DUAL)
        self.highs.setOptionValue("simplex_iteration_limit", iterations)
        self.highs.run()
        self.highs.setOptionValue("simplex_iteration_limit", highspy.kHighsIInf)
        if self.highs.getModelStatus() == highspy.HighsModelStatus.kInfeasible:
            return np.inf
        return float(self.highs.getInfo().objective_function_value) * self.unit

    def basis(self) -> Any:
        """The basis of the last solve, for `try_out`."""
        return self.highs.getBasis()

    def side_costs(self, duals: Floats) -> Floats:
        """Reduced cost of each side variable at some duals."""
        row, column, value = self.side_entries
        cost = self.scale * self.side_cost
        cost = cost - np.bincount(column, duals[row] * value, self.side_count)
        rest, pair = duals[len(self.layout.lower) :], self.added[:, 0] >= 0
        np.add.at(cost, self.layout.y[self.added[pair, 1]], rest[pair])
        for number in np.flatnonzero(duals[self.cut_row]):
            for j, share in self._cut_side(int(number)):
                cost[j] -= duals[self.cut_row[number]] * share
        return cost

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

    def solve_whole(self, seconds: float, nodes: int, start: Columns | None = None) -> Ints | None:
        """Solve over whole columns; the rows of `columns` chosen, one per program, or None.

        `start` are columns of this master that together keep every rule.
        """
        import highspy

        count = len(self.artificials)
        whole = np.array(self.layout.side.integer + [False] * count + [True] * self.count)
        index = np.arange(len(whole), dtype=np.int32)
        kinds = np.where(whole, 1, 0).astype(np.uint8)
        self.highs.changeColsIntegrality(len(index), index, kinds)
        for name, value in (
            ("mip_max_nodes", nodes),
            ("mip_rel_gap", 1e-5),
            ("time_limit", self.highs.getRunTime() + max(seconds, 0.01)),
        ):
            self.highs.setOptionValue(name, value)
        if start is not None:
            self._set_start(start)
        self.highs.run()
        if self.highs.getInfo().primal_solution_status != highspy.kSolutionStatusFeasible:
            return None
        values = np.array(self.highs.getSolution().col_value)
        self.side_values = values[: self.side_count]
        chosen = np.flatnonzero(values[self.first_column :] > 0.5)
        program = self.book.problem.options.program[self.columns.option[chosen]]
        if len(np.unique(program)) < self.layout.P or len(chosen) != self.layout.P:
            return None
        return chosen[np.argsort(program)]

    def _set_start(self, start: Columns) -> None:
        """Tell HiGHS a plan to begin with; it works out the side variables by itself."""
        place = {key: i for i, key in enumerate(self.columns.keys())}
        chosen = [place[key] + self.first_column for key in start.keys() if key in place]  # noqa: SIM118
        index = np.arange(self.first_column, self.first_column + self.count, dtype=np.int32)
        value = np.zeros(self.count)
        value[np.array(chosen, np.int64) - self.first_column] = 1.0
        self.highs.setSolution(self.count, index, value)
