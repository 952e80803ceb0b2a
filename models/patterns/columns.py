"""Columns: options with their whole batch schedules, their costs, and their entries in the rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.patterns.cuts import Pool
from models.patterns.layout import Layout
from models.problem import Bools, Floats, Ints, Problem
from models.result import Decision
from models.stock import flow_cost, simulate, unsourced_cost, unsourced_tables

Batches = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Columns:
    """N columns: `option` (N,), batches of its first and second source (N, T), `cost` (N,).

    `cost` holds all that belongs to the program alone: batches, changeovers, holding, shortage,
    validation, transfer, weighted risk.
    """

    option: Ints
    one: Batches
    two: Batches
    cost: Floats

    def __len__(self) -> int:
        return len(self.option)

    def take(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> Columns:
        """Some of the columns."""
        return Columns(self.option[rows], self.one[rows], self.two[rows], self.cost[rows])

    def keys(self) -> list[bytes]:
        """One value per column that is equal only for equal columns."""
        table = np.column_stack([self.option, self.one, self.two]).astype(np.int64)
        return [row.tobytes() for row in table]


def join(parts: list[Columns]) -> Columns:
    """Several blocks of columns as one."""
    return Columns(
        np.concatenate([part.option for part in parts]),
        np.concatenate([part.one for part in parts]),
        np.concatenate([part.two for part in parts]),
        np.concatenate([part.cost for part in parts]),
    )


class Book:
    """Values columns exactly and places them in the rows of a layout."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.problem: Problem = layout.problem
        problem, options, streams = self.problem, self.problem.options, self.problem.streams
        self.idle = unsourced_cost(problem)
        self.first_cmo = np.append(problem.offer_cmo[streams.offer], -1)
        self.fixed = options.fixed_cost + problem.risk_weight * options.risk_cost
        self.cuts = Pool(problem)
        self._spend_rows: dict[tuple[int, int], list[tuple[int, float]]] = {}
        for row, k, y, value in layout.spend_entries:
            self._spend_rows.setdefault((k, y), []).append((row, value))
        self._idle_cash: Floats | None = None

    def stream_cost(self, stream: Ints, batches: Batches) -> tuple[Floats, Floats]:
        """Cost of each stream under its batches, and its holding by period: (N,), (N, T)."""
        problem, offers = self.problem, self.problem.offers
        offer = problem.streams.offer[stream]
        program = offers.program[offer]
        flow = simulate(problem.stream_tables(stream), self.released(offer, batches))
        cost = np.sum(flow_cost(problem, program, flow), axis=0)
        kept = flow.stock + np.cumsum(flow.scrap, axis=1)
        campaigns = (batches > 0).sum(1)
        cost = cost + offers.price[offer] * batches.sum(1)
        cost = cost + problem.lines.changeover_cost[offers.line[offer]] * campaigns
        return cost, problem.programs.holding_price[program][:, None] * kept

    def released(self, offer: Ints, batches: Batches) -> Floats:
        """Good units coming free per period, (N, T)."""
        units = batches * self.problem.offers.good_per_batch[offer][:, None]
        lag = self.problem.offers.lag[offer]
        out = np.zeros(units.shape)
        for months in np.unique(lag):
            rows = lag == months
            shift = int(months)
            out[rows, shift:] = units[rows, : units.shape[1] - shift]
        return out

    def columns(self, option: Ints, one: Batches, two: Batches) -> Columns:
        """Columns with their exact cost."""
        options = self.problem.options
        cost = self.fixed[option].copy()
        for stream, batches in ((options.first[option], one), (options.second[option], two)):
            use = stream >= 0
            cost[use] += self.stream_cost(stream[use], batches[use])[0]
        idle = options.first[option] < 0
        cost[idle] += self.idle[options.program[option[idle]]]
        return Columns(option, one, two, cost)

    def decision_of(self, columns: Columns, expanded: Bools) -> Decision:
        """One column per program as a decision."""
        options, streams = self.problem.options, self.problem.streams
        order = np.argsort(options.program[columns.option], kind="stable")
        option = columns.option[order]
        batches = {}
        for stream, made in (
            (options.first[option], columns.one[order]),
            (options.second[option], columns.two[order]),
        ):
            for p in np.flatnonzero(stream >= 0):
                batches[int(streams.offer[stream[p]])] = made[p].astype(np.int64)
        return Decision(option, batches, expanded)

    def columns_of(self, decision: Decision) -> Columns:
        """A decision as one column per program."""
        options, streams = self.problem.options, self.problem.streams
        parts = []
        for stream in (options.first, options.second):
            row = stream[decision.option]
            batches = np.zeros((len(row), self.layout.T), np.int16)
            for p in np.flatnonzero(row >= 0):
                made = decision.batches.get(int(streams.offer[row[p]]))
                if made is not None:
                    batches[p] = made
            parts.append(batches)
        return self.columns(decision.option, parts[0], parts[1])

    def entries(self, columns: Columns) -> tuple[Ints, Ints, Floats]:
        """Entries of the columns in all rows but the pairs: column, row, value, sorted by column.

        A place may stand twice; `merged` adds such entries up.
        """
        problem, layout, options = self.problem, self.layout, self.problem.options
        N = len(columns)
        number = np.arange(N)
        parts: list[tuple[Ints, Ints, Floats]] = [
            (number, options.program[columns.option], np.ones(N))
        ]
        for stream, batches in (
            (options.first[columns.option], columns.one),
            (options.second[columns.option], columns.two),
        ):
            use = np.flatnonzero(stream >= 0)
            offer = problem.streams.offer[stream[use]]
            parts += self._line_entries(use, offer, batches[use])
            if self._spend_rows:
                parts += self._spend_entries(use, offer, batches[use])
        parts += self._count_entries(columns)
        for row, periods in layout.budgets:
            cash = self.cash(columns)[:, periods].sum(1)
            parts.append((number, np.full(N, row, np.int64), cash))
        return merged(parts)

    def _line_entries(
        self, use: Ints, offer: Ints, batches: Batches
    ) -> list[tuple[Ints, Ints, Floats]]:
        """line_days: days of batches, changeovers and validation."""
        problem, offers, layout = self.problem, self.problem.offers, self.layout
        line = offers.line[offer]
        days = offers.days[offer][:, None] * batches
        days = days + problem.lines.changeover_days[line][:, None] * (batches > 0)
        rows = np.arange(len(offer))
        days[rows, offers.validation_period[offer]] += offers.validation_days[offer]
        at, t = np.nonzero(days)
        return [(use[at], layout.P + line[at] * layout.T + t, days[at, t])]

    def _spend_entries(
        self, use: Ints, offer: Ints, batches: Batches
    ) -> list[tuple[Ints, Ints, Floats]]:
        spend = self.spend_by_year(offer, batches)
        cmo = self.problem.offer_cmo[offer]
        parts = []
        for (k, y), rows in self._spend_rows.items():
            at = np.flatnonzero((cmo == k) & (spend[:, y] > 0))
            parts += [
                (use[at], np.full(len(at), row, np.int64), value * spend[at, y])
                for row, value in rows
                if len(at)
            ]
        return parts

    def spend_by_year(self, offer: Ints, batches: Batches) -> Floats:
        """Batches and validation of each source by calendar year, (N, Y)."""
        problem, offers = self.problem, self.problem.offers
        spend = np.zeros((len(offer), self.layout.Y))
        pay = offers.price[offer][:, None] * batches
        for t in range(self.layout.T):
            spend[:, problem.year[t]] += pay[:, t]
        year = problem.year[offers.validation_period[offer]]
        spend[np.arange(len(offer)), year] += offers.validation_cost[offer]
        return spend

    def sources(self, columns: Columns) -> list[tuple[Ints, Batches]]:
        """Offer (N,), -1 for none, and batches (N, T) of the first and the second source."""
        options, offer = self.problem.options, np.append(self.problem.streams.offer, -1)
        return [
            (offer[options.first[columns.option]], columns.one),
            (offer[options.second[columns.option]], columns.two),
        ]

    def cmos(self, option: Ints) -> tuple[Ints, Ints]:
        """CMOs of the first and second source of options, -1 for none."""
        options = self.problem.options
        return self.first_cmo[options.first[option]], self.first_cmo[options.second[option]]

    def _count_entries(self, columns: Columns) -> list[tuple[Ints, Ints, Floats]]:
        """Rows that count programs at CMOs."""
        layout, program = self.layout, self.problem.options.program[columns.option]
        one, two = self.cmos(columns.option)
        parts = []
        for row, k, programs in layout.at_entries:
            at = (one == k) | (two == k)
            if programs is not None:
                at &= programs[program]
            found = np.flatnonzero(at)
            if len(found):
                parts.append((found, np.full(len(found), row, np.int64), np.ones(len(found))))
        for group in layout.groups:
            member = np.append(group.member, False)
            found = np.flatnonzero((member[one] | member[two]) & group.programs[program])
            parts.append((found, np.full(len(found), group.row, np.int64), np.ones(len(found))))
        return parts

    def cash(self, columns: Columns) -> Floats:
        """Cash of each column by period as the rule `budget` counts it, (N, T)."""
        problem, offers, options = self.problem, self.problem.offers, self.problem.options
        cash = np.zeros((len(columns), self.layout.T))
        for stream, batches in (
            (options.first[columns.option], columns.one),
            (options.second[columns.option], columns.two),
        ):
            use = np.flatnonzero(stream >= 0)
            offer = problem.streams.offer[stream[use]]
            own = batches[use]
            cash[use] += offers.price[offer][:, None] * own
            cash[use] += problem.lines.changeover_cost[offers.line[offer]][:, None] * (own > 0)
            cash[use] += self.stream_cost(stream[use], own)[1]
            once = offers.validation_cost[offer] + offers.transfer_cost[offer]
            cash[use, offers.validation_period[offer]] += once
        idle = np.flatnonzero(options.first[columns.option] < 0)
        cash[idle] += self.idle_cash[options.program[columns.option[idle]]]
        return cash

    @property
    def idle_cash(self) -> Floats:
        """Holding of the opening stock of programs left unsourced, (P, T)."""
        if self._idle_cash is None:
            program = np.arange(self.layout.P)
            tables = unsourced_tables(self.problem, program)
            flow = simulate(tables, np.zeros_like(tables.demand))
            kept = flow.stock + np.cumsum(flow.scrap, axis=1)
            self._idle_cash = self.problem.programs.holding_price[:, None] * kept
        return self._idle_cash


def merged(parts: list[tuple[Ints, Ints, Floats]]) -> tuple[Ints, Ints, Floats]:
    """Entries sorted by column and row, those of one place added up."""
    column = np.concatenate([part[0] for part in parts])
    row = np.concatenate([part[1] for part in parts])
    value = np.concatenate([part[2] for part in parts])
    order = np.lexsort((row, column))
    column, row, value = column[order], row[order], value[order]
    new = np.ones(len(column), np.bool_)
    new[1:] = (column[1:] != column[:-1]) | (row[1:] != row[:-1])
    starts = np.flatnonzero(new)
    summed = np.add.reduceat(value, starts) if len(starts) else value
    return column[starts], row[starts], summed
