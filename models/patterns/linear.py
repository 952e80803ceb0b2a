"""A linear program put together block by block and solved once in HiGHS."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.problem import Floats, Ints

Numbers = npt.ArrayLike


class Linear:
    """Minimise costs of variables under rows between two sides, given as blocks."""

    def __init__(self) -> None:
        self.columns = self.rows = 0
        #: simplex iterations times rows of the last solution
        self.simplex = 0
        self._cost: list[Floats] = []
        self._low: list[Floats] = []
        self._high: list[Floats] = []
        self._least: list[Floats] = []
        self._most: list[Floats] = []
        self._entries: list[tuple[Ints, Ints, Floats]] = []

    def add(self, cost: Numbers, low: Numbers = 0.0, high: Numbers = np.inf) -> Ints:
        """Variables with these costs (n,) between these bounds; their numbers (n,)."""
        costs = np.asarray(cost, np.float64)
        self._cost.append(costs)
        self._low.append(np.broadcast_to(np.asarray(low, np.float64), costs.shape))
        self._high.append(np.broadcast_to(np.asarray(high, np.float64), costs.shape))
        self.columns += len(costs)
        return np.arange(self.columns - len(costs), self.columns)

    def require(self, count: int, least: float, most: float) -> Ints:
        """So many rows between these sides; their numbers."""
        self._least.append(np.full(count, least))
        self._most.append(np.full(count, most))
        self.rows += count
        return np.arange(self.rows - count, self.rows)

    def enter(self, row: Ints, column: Ints, value: float) -> None:
        """The same value at some places."""
        self._entries.append((row, column, np.full(len(row), value)))

    def duals(self) -> Floats | None:
        """Duals of all rows at the optimum, at least 0 where the lower side binds; None if none."""
        import highspy

        row, column, value = (np.concatenate(part) for part in zip(*self._entries, strict=True))
        cost, low, high, least, most = (
            np.concatenate(part)
            for part in (self._cost, self._low, self._high, self._least, self._most)
        )
        unit = max(1.0, float(np.abs(cost).mean()) / 1e4)  # keeps HiGHS' absolute tolerances apt
        highs = highspy.Highs()
        highs.setOptionValue("output_flag", False)
        highs.setOptionValue("threads", 1)
        none_i, none_f = np.empty(0, np.int32), np.empty(0)
        highs.addCols(self.columns, cost / unit, low, high, 0, none_i, none_i, none_f)
        order = np.lexsort((column, row))
        starts = np.searchsorted(row[order], np.arange(self.rows)).astype(np.int32)
        highs.addRows(
            self.rows, least, most, len(order), starts, column[order].astype(np.int32), value[order]
        )
        highs.run()
        self.simplex = highs.getInfo().simplex_iteration_count * self.rows
        if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        return np.array(highs.getSolution().row_dual) * unit
