"""A PuLP problem read into arrays, so that solvers take it in one call (docs/decisions.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from models.problem import Bools, Floats, Ints


@dataclass(frozen=True)
class Matrix:
    """min cost @ x, row_low <= A x <= row_high, low <= x <= high, some x integer.

    A is stored by rows: entries `start[i]` to `start[i + 1]` of `index` and `value`. `columns`
    maps a PuLP variable to its column.
    """

    cost: Floats
    low: Floats
    high: Floats
    integer: Bools
    row_low: Floats
    row_high: Floats
    start: Ints
    index: Ints
    value: Floats
    columns: dict[Any, int]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.row_low), len(self.cost)


def read_matrix(prob: Any) -> Matrix:
    """The arrays of a PuLP minimisation, columns in the order of their names.

    PuLP sorts its variables by name; the order of rows and the names alone decide, so that the
    same problem gives the same matrix. Raises ValueError, naming the place, for a number that is
    not finite.
    """
    variables = prob.variables()
    columns = {variable: j for j, variable in enumerate(variables)}
    constraints = prob.constraints()
    index: list[int] = []
    value: list[float] = []
    start = [0]
    for constraint in constraints:
        index.extend([columns[variable] for variable in constraint.expr])
        value.extend(constraint.expr.values())
        start.append(len(index))
    cost = np.zeros(len(variables))
    for variable, price in prob.objective.items():
        cost[columns[variable]] = price
    _check_finite(prob, cost, np.array(value, np.float64), start)
    rhs = np.array([-row.constant for row in constraints], np.float64)
    sense = np.array([row.sense for row in constraints], np.int64)
    return Matrix(
        cost=cost,
        low=np.array([_or(v.lowBound, -np.inf) for v in variables], np.float64),
        high=np.array([_or(v.upBound, np.inf) for v in variables], np.float64),
        integer=np.array([v.cat == "Integer" for v in variables], np.bool_),
        row_low=np.where(sense >= 0, rhs, -np.inf),
        row_high=np.where(sense <= 0, rhs, np.inf),
        start=np.array(start, np.int64),
        index=np.array(index, np.int64),
        value=np.array(value, np.float64),
        columns=columns,
    )


def _check_finite(prob: Any, cost: Floats, value: Floats, start: list[int]) -> None:
    """Raise ValueError where a cost or coefficient is NaN or infinite."""
    wrong = np.flatnonzero(~np.isfinite(cost))
    if len(wrong):
        name = prob.variables()[int(wrong[0])].name
        raise ValueError(f"the cost of {name} is not a finite number")
    wrong = np.flatnonzero(~np.isfinite(value))
    if len(wrong):
        row = int(np.searchsorted(start, wrong[0], side="right")) - 1
        raise ValueError(f"{prob.constraints()[row].name} has a number that is not finite")


def _or(bound: float | None, otherwise: float) -> float:
    """A PuLP bound, None replaced."""
    return otherwise if bound is None else float(bound)
