"""The compact model with a block for every outage that has been found to matter."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models.compact.build import Built, build
from models.compact.matrix import Matrix, read_matrix
from models.compact.variables import Model
from models.problem import Bools, Floats, Problem
from models.recourse import Outage
from models.result import Decision
from models.secure.block import Block, Growth, Idle, idle_flows


@dataclass(frozen=True)
class Demanded:
    """An outage whose re-routing the master demands, in whole batches or in fractions.

    `days` (L, T) are the line-days that it leaves, None where these follow from the lines.
    """

    event: Outage
    allowed: Floats  # (P,) units short beyond the plan's own
    whole: bool
    days: Floats | None = None


class Master:
    """The compact model of a problem, to which outages are added.

    `surge` (L,) is the share of its days that a line can add while another is out.
    """

    def __init__(self, problem: Problem, surge: Floats) -> None:
        self.problem, self.surge = problem, surge
        self.built: Built = build(problem)
        self.base: Matrix = read_matrix(self.built.model.prob)
        rows, columns = self.base.shape
        grow = Growth(columns, rows)
        serve_first(self.built.model, self.base.columns, grow)
        self.plain: Matrix = joined(self.base, grow)
        self.idle: Idle = idle_flows(self.built.model)

    def matrix(self, demanded: list[Demanded], slack_price: float = 0.0) -> Matrix:
        """The arrays with the blocks of `demanded`.

        With a `slack_price` above 0 a block may be missed at so many times the shortage price:
        a means of search, not a relaxation of the problem.
        """
        rows, columns = self.plain.shape
        grow = Growth(columns, rows)
        for each in demanded:
            Block(
                self.built.model,
                self.plain.columns,
                each.event,
                self.surge,
                each.allowed,
                each.whole,
                slack_price,
                each.days,
            ).write(grow, self.idle)
        return joined(self.plain, grow)

    def fixed(self, matrix: Matrix, decision: Decision, free: Bools) -> Matrix:
        """The arrays with all programs but those in `free` (P,) kept as in `decision`."""
        model, problem = self.built.model, self.problem
        low, high = matrix.low.copy(), matrix.high.copy()
        for o, variable in model.variables.choose.items():
            p = int(problem.options.program[o])
            if not free[p]:
                value = float(decision.option[p] == o)
                low[matrix.columns[variable]] = high[matrix.columns[variable]] = value
        for (f, t), variable in model.variables.batches.items():
            if not free[problem.offers.program[f]]:
                planned = decision.batches.get(f)
                value = 0.0 if planned is None else float(planned[t])
                low[matrix.columns[variable]] = high[matrix.columns[variable]] = value
        return replace(matrix, low=low, high=high)


def serve_first(model: Model, column: dict[object, int], grow: Growth) -> None:
    """No stock is held back or scrapped while demand goes unmet, none is scrapped that may be kept.

    Without outages it never pays to do so. With them, demand given up on purpose would raise what
    an outage may leave unmet.
    """
    variables, tables = model.variables, model.tables
    for f in model.offers:
        rows, good = model.streams_of_offer[f], float(model.problem.offers.good_per_batch[f])
        demand = tables.demand[rows].max(0) / good
        cap = tables.cap[rows].max(0) / good
        opening = float(tables.opening[rows].max()) / good
        lag = int(model.problem.offers.lag[f])
        for t in np.flatnonzero(demand > 0).tolist():
            short = variables.short.get((f, t))
            flag = grow.column(1.0, True) if short is None else column[short]
            before = cap[t - 1] if t else opening
            most = float(before + (model.max_batches[f, t - lag] if t >= lag else 0))
            unmet, stock, scrap = (
                column[part[f, t]] for part in (variables.unmet, variables.stock, variables.scrap)
            )
            grow.row([(unmet, 1.0), (flag, -float(demand[t]))], -np.inf, 0.0)
            kept = float(cap[t])
            grow.row([(stock, 1.0), (flag, kept)], -np.inf, kept)
            grow.row([(scrap, 1.0), (flag, most)], -np.inf, most)
        for t in range(model.problem.periods):
            before = float(cap[t - 1]) if t else opening
            most = before + float(model.max_batches[f, t - lag] if t >= lag else 0)
            scrap, stock = (column[part[f, t]] for part in (variables.scrap, variables.stock))
            full = grow.column(1.0, True)
            grow.row([(scrap, 1.0), (full, -most)], -np.inf, 0.0)
            own = [
                (column[variables.stream[int(s)]], -float(tables.cap[s, t]) / good) for s in rows
            ]
            kept = float(cap[t])
            grow.row([(stock, 1.0), (full, -kept), *own], -kept, np.inf)


def joined(plain: Matrix, grow: Growth) -> Matrix:
    """The plain arrays with what was appended."""
    high = np.array(grow.high, np.float64)
    return replace(
        plain,
        cost=np.concatenate([plain.cost, np.array(grow.cost, np.float64)]),
        low=np.concatenate([plain.low, np.zeros(len(high))]),
        high=np.concatenate([plain.high, high]),
        integer=np.concatenate([plain.integer, np.array(grow.integer, np.bool_)]),
        row_low=np.concatenate([plain.row_low, np.array(grow.row_low, np.float64)]),
        row_high=np.concatenate([plain.row_high, np.array(grow.row_high, np.float64)]),
        start=np.concatenate(
            [plain.start, plain.start[-1] + np.array(grow.start[1:], np.int64)]
        ).astype(np.int64),
        index=np.concatenate([plain.index, np.array(grow.index, np.int64)]),
        value=np.concatenate([plain.value, np.array(grow.value, np.float64)]),
    )
