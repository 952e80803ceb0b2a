"""The restricted master: a linear program in HiGHS that grows by columns and by pair rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.patterns.columns import Book, Columns
from models.patterns.rows import AddedRows
from models.patterns.tally import Tally
from models.problem import Bools, Floats, Ints

#: simplex strategies of HiGHS
DUAL, PRIMAL = 1, 4


class Master(AddedRows):
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
        #: work on this master and on what raises its bound
        self.tally = Tally()
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

    def add(self, columns: Columns) -> int:
        """Add those columns that are new; how many were."""
        keys = columns.keys()
        place = {key: i for i, key in reversed(list(enumerate(keys))) if key not in self.known}
        if not place:
            return 0
        self.known.update(place)
        self.append(columns.take(np.array(sorted(place.values()), np.int64)))
        return len(place)

    def append(self, new: Columns) -> None:
        """Add columns, known or not."""
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

        until = self.highs.getRunTime() + max(seconds, 0.0)
        self.highs.setOptionValue("time_limit", min(until, self._inf()))
        self.highs.setOptionValue("simplex_strategy", DUAL if self.tightened else PRIMAL)
        self.tightened = False
        self.highs.run()
        self.tally.simplex += self._simplex()
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

    def solve_whole(
        self, seconds: float, nodes: int, checks: int | None = None, start: Ints | None = None
    ) -> Ints | None:
        """Solve over whole columns; the rows of `columns` chosen, one per program, or None.

        `start` are rows of `columns` that together keep every rule. The search ends once HiGHS has
        looked at its limits `checks` times, which it does after as much work on any machine, while
        what `seconds` cut off depends on the machine's speed.
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
            ("time_limit", max(seconds, 0.01)),  # of a MIP counted from its own start
        ):
            self.highs.setOptionValue(name, value)
        if start is not None:
            self._set_start(start)
        basis = self.highs.getBasis()
        looked = 0

        def look(event: Any) -> None:
            nonlocal looked
            looked += 1
            event.interrupt(looked == checks)  # HiGHS remembers the last answer beyond a run

        self.highs.cbMipInterrupt.subscribe(look)
        self.highs.run()
        self.highs.cbMipInterrupt.unsubscribe(look)
        self.tally.simplex += self._simplex()
        self.tally.wholes += 1
        found = self.highs.getInfo().primal_solution_status == highspy.kSolutionStatusFeasible
        values = np.array(self.highs.getSolution().col_value)
        # a linear program again, from where it stood
        self.highs.changeColsIntegrality(len(index), index, np.zeros(len(whole), np.uint8))
        self.highs.setBasis(basis)
        if not found:
            return None
        self.side_values = values[: self.side_count]
        chosen = np.flatnonzero(values[self.first_column :] > 0.5)
        program = self.book.problem.options.program[self.columns.option[chosen]]
        if len(np.unique(program)) < self.layout.P or len(chosen) != self.layout.P:
            return None
        return chosen[np.argsort(program)]

    def _simplex(self) -> int:
        """Simplex iterations of the last run, times rows."""
        iterations = max(self.highs.getInfo().simplex_iteration_count, 0)
        return int(iterations * self.highs.getNumRow())

    def places(self, columns: Columns) -> Ints:
        """Rows of `columns` that hold these, those that are unknown left out."""
        place = {key: i for i, key in enumerate(self.columns.keys())}
        return np.array([place[key] for key in columns.keys() if key in place], np.int64)  # noqa: SIM118

    def _set_start(self, start: Ints) -> None:
        """Tell HiGHS a plan to begin with; it works out the side variables by itself."""
        index = np.arange(self.first_column, self.first_column + self.count, dtype=np.int32)
        value = np.zeros(self.count)
        value[start] = 1.0
        self.highs.setSolution(self.count, index, value)
