"""One outage inside the compact model: a re-routing must exist that keeps every service level.

Columns and rows are appended to the arrays of the compact model (models/secure.md). The re-routing
is relaxed to fractions of batches, or (`whole`) kept in whole ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from models.compact.variables import Model
from models.problem import Floats, Ints, window
from models.recourse import Outage
from models.stock import simulate, unsourced_tables


@dataclass
class Growth:
    """Columns and rows to append; indices count on from those that are there."""

    columns: int
    rows: int
    cost: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    integer: list[bool] = field(default_factory=list)
    row_low: list[float] = field(default_factory=list)
    row_high: list[float] = field(default_factory=list)
    start: list[int] = field(default_factory=lambda: [0])
    index: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)

    def column(self, high: float, integer: bool = False, cost: float = 0.0) -> int:
        """A new column from 0 to `high`."""
        self.cost.append(cost)
        self.high.append(high)
        self.integer.append(integer)
        return self.columns + len(self.cost) - 1

    def row(self, terms: list[tuple[int, float]], low: float, high: float) -> None:
        """A new row; a column that stands twice counts with the sum."""
        total: dict[int, float] = {}
        for column, value in terms:
            total[column] = total.get(column, 0.0) + value
        self.index += list(total)
        self.value += list(total.values())
        self.start.append(len(self.index))
        self.row_low.append(low)
        self.row_high.append(high)


@dataclass(frozen=True)
class Idle:
    """Stock and unmet demand of programs left unsourced, (P, T) units."""

    stock: Floats
    unmet: Floats


def idle_flows(model: Model) -> Idle:
    """What opening stock alone serves."""
    program = np.arange(len(model.problem.programs.ids))
    tables = unsourced_tables(model.problem, program)
    flow = simulate(tables, np.zeros_like(tables.demand))
    return Idle(flow.stock, flow.unmet)


class Block:
    """The rows of one outage; `surge` (L,) and `allowed` (P,) units short beyond the plan's own.

    `days` (L, T) are line-days that are left in it where others take some, None where nobody does.
    """

    def __init__(
        self,
        model: Model,
        column: dict[object, int],
        event: Outage,
        surge: Floats,
        allowed: Floats,
        whole: bool,
        slack_price: float,
        days: Floats | None = None,
    ) -> None:
        self.model, self.problem, self.at = model, model.problem, column
        self.event, self.allowed, self.whole = event, allowed, whole
        self.slack_price = slack_price
        problem, offers = self.problem, self.problem.offers
        line = offers.line
        stopped = event.lines[line] | event.inputs
        waiting = (offers.ready > event.start) | (offers.validation_period >= event.start)
        self.delay = np.where(stopped & waiting & ~offers.qualified, event.periods, 0)
        self.left = np.where(
            event.lines[:, None],
            1.0 - event.cover[None, :],
            1.0 + surge[:, None] * event.cover[None, :],
        )
        self.days = problem.lines.days * self.left if days is None else days
        self.unit = np.maximum(problem.programs.demand.max(1, initial=0.0), 1e-9)
        self.cap = window(
            problem.programs.demand, problem.programs.demand_after, problem.programs.shelf_periods
        )
        self.most = self._most()

    def _most(self) -> Ints:
        """Most batches that could ever fit and be of use, (F, T)."""
        problem, offers, event = self.problem, self.problem.offers, self.event
        t = np.arange(problem.periods)[None, :]
        lines = problem.lines
        grown = t >= lines.expansion_period[:, None]
        days = self.days + lines.expansion_days[:, None] * grown * self.left
        change = lines.changeover_days[offers.line][:, None]
        fits = np.floor((days[offers.line] - change) / offers.days[:, None] + 1e-9)
        share = np.where(event.inputs[:, None], 1.0 - event.cover[None, :], 1.0)
        fits = np.floor(np.maximum(fits, 0.0) * share + 1e-9)
        released = t + offers.lag[:, None]
        last = np.minimum(released, problem.periods - 1)
        full = (problem.programs.demand + self.cap)[offers.program]
        useful = np.take_along_axis(full, last, axis=1)
        needed = np.ceil(useful / offers.good_per_batch[:, None] - 1e-9)
        ready = (offers.ready + self.delay)[:, None]
        starts = (released < problem.periods) & (t >= np.maximum(ready, event.start))
        return np.where(starts, np.minimum(fits, needed), 0.0).astype(np.int64)

    def write(self, grow: Growth, idle: Idle) -> None:
        """Append the columns and rows."""
        batches = self._batches(grow)
        runs = self._campaigns(grow, batches)
        self._line_days(grow, batches, runs)
        by_program: dict[int, list[tuple[int, int, int]]] = {}
        for (f, t), column in batches.items():
            p = int(self.problem.offers.program[f])
            by_program.setdefault(p, []).append((f, t, column))
        for p in range(len(self.problem.programs.ids)):
            self._supply(grow, p, by_program.get(p, []), idle)

    def _batches(self, grow: Growth) -> dict[tuple[int, int], int]:
        """Batches re-routed, only of offers that may be turned to."""
        model, offers = self.model, self.problem.offers
        found = {}
        for f in model.offers:
            if offers.qualified[f]:
                user = self.at[model.variables.engaged[int(self.problem.offer_cmo[f])]]
            else:
                user = self.at[model.variables.offer[f]]
            for t in np.flatnonzero(self.most[f]).tolist():
                most = float(self.most[f, t])
                column = found[f, t] = grow.column(most, self.whole)
                grow.row([(column, 1.0), (user, -most)], -np.inf, 0.0)
        return found

    def _campaigns(
        self, grow: Growth, batches: dict[tuple[int, int], int]
    ) -> dict[tuple[int, int], int]:
        """Campaigns, counted only in a re-routing of whole batches."""
        change = self.problem.lines.changeover_days
        runs = {}
        for (f, t), column in batches.items() if self.whole else ():
            if change[self.problem.offers.line[f]] > 0:
                run = runs[f, t] = grow.column(1.0, True)
                most = float(self.most[f, t])
                grow.row([(column, 1.0), (run, -most)], -np.inf, 0.0)
        return runs

    def _line_days(
        self,
        grow: Growth,
        batches: dict[tuple[int, int], int],
        runs: dict[tuple[int, int], int],
    ) -> None:
        """Re-routed batches, changeovers and validation runs fit in the days that are left."""
        model, offers, lines = self.model, self.problem.offers, self.problem.lines
        when = offers.validation_period + self.delay
        for line, mine in model.offers_of_line.items():
            change = float(lines.changeover_days[line])
            for t in range(self.event.start, self.problem.periods):
                terms = []
                for f in mine:
                    if (f, t) not in batches:
                        continue
                    part = 0.0 if (f, t) in runs else change / float(self.most[f, t])
                    terms.append((batches[f, t], float(offers.days[f]) + part))
                    if (f, t) in runs:
                        terms.append((runs[f, t], change))
                if not terms:
                    continue
                validation = [f for f in mine if when[f] == t and offers.validation_days[f] > 0]
                total = sum(float(offers.validation_days[f]) for f in validation)
                terms += [
                    (self.at[model.variables.offer[f]], float(offers.validation_days[f]))
                    for f in validation
                ]
                left = float(self.left[line, t])
                if line in model.variables.expanded and t >= lines.expansion_period[line]:
                    more = float(lines.expansion_days[line]) * left
                    terms.append((self.at[model.variables.expanded[line]], -more))
                # validation comes first and may overrun what is left: then nothing else runs
                grow.row(terms, -np.inf, max(float(self.days[line, t]), total))

    def _supply(
        self, grow: Growth, p: int, batches: list[tuple[int, int, int]], idle: Idle
    ) -> None:
        """Stock, unmet demand and the service level of one program, sources pooled."""
        problem, model, start = self.problem, self.model, self.event.start
        variables, offers = model.variables, problem.offers
        demand, unit = problem.programs.demand[p], float(self.unit[p])
        if not demand[start:].any():
            return
        unsourced = self.at[variables.choose[int(problem.options.start[p])]]
        last = problem.periods
        unmet = {t: grow.column(float(demand[t]) / unit) for t in range(start, last) if demand[t]}
        stock = {t: grow.column(float(self.cap[p, t]) / unit) for t in range(start, last - 1)}
        terms = self._released(p, batches)
        if start:
            terms[start].append((unsourced, float(idle.stock[p, start - 1]) / unit))
        for columns, shift, sign in ((unmet, 0, 1.0), (stock, 0, -1.0), (stock, 1, 1.0)):
            for t, column in columns.items():
                terms[t + shift].append((column, sign))
        for t in range(start, last):
            there = float(problem.programs.opening_stock[p]) if t == 0 else 0.0
            grow.row(terms[t], (float(demand[t]) - there) / unit, np.inf)
        short: list[tuple[int, float]] = [(column, 1.0) for column in unmet.values()]
        short.append((unsourced, -float(idle.unmet[p, start:].sum()) / unit))
        for f in (f for f in model.offers if offers.program[f] == p):
            good = float(offers.good_per_batch[f]) / unit
            short += [(self.at[variables.unmet[f, t]], -good) for t in range(start, last)]
        if self.slack_price > 0:
            price = self.slack_price * float(problem.programs.shortage_price[p]) * unit
            short.append((grow.column(np.inf, cost=price), -1.0))
        grow.row(short, -np.inf, float(self.allowed[p]) / unit)

    def _released(
        self, p: int, batches: list[tuple[int, int, int]]
    ) -> dict[int, list[tuple[int, float]]]:
        """Units of program p that come free in each period from the start on.

        They are re-routed batches, those started before, and the stock there is at the start.
        """
        problem, start = self.problem, self.event.start
        offers, variables = problem.offers, self.model.variables
        unit, last = float(self.unit[p]), problem.periods
        terms: dict[int, list[tuple[int, float]]] = {t: [] for t in range(start, last)}
        for f, t, column in batches:
            good = float(offers.good_per_batch[f]) / unit
            terms[t + int(offers.lag[f])].append((column, good))
        for f in (f for f in self.model.offers if offers.program[f] == p):
            good, lag = float(offers.good_per_batch[f]) / unit, int(offers.lag[f])
            for t in range(max(0, start - lag), min(start, last - lag)):
                if (f, t) in variables.batches:
                    terms[t + lag].append((self.at[variables.batches[f, t]], good))
            if start:
                terms[start].append((self.at[variables.stock[f, start - 1]], good))
        return terms
