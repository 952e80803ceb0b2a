"""Where a plan stands when an outage begins: stock, batches, and the offers it may turn to.

Programs count in units, pooled over their sources: once supply is re-planned, shares no longer
bind (models/recourse.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.evaluate import chosen_streams
from models.problem import Bools, Floats, Ints, Problem, window
from models.result import Decision
from models.stock import released_units, simulate, unsourced_tables


@dataclass(frozen=True)
class Position:
    """A plan as re-planning sees it; A usable offers, ascending by row.

    Usable are the chosen sources, and every other qualified offer of a sourced program at an
    engaged CMO. `surge` (L,) is the share of its days that a line can add while another is out.
    """

    problem: Problem
    decision: Decision
    surge: Floats
    offers: Ints  # (A,) rows of the problem's offers
    chosen: Bools  # (A,) whether the plan sources from it
    planned: Ints  # (A, T) batches of the plan
    stock: Floats  # (P, T) at the end of each period
    unmet: Floats  # (P, T)

    @cached_property
    def program(self) -> Ints:
        """Program of each usable offer, (A,)."""
        return self.problem.offers.program[self.offers]

    @cached_property
    def line(self) -> Ints:
        """Line of each usable offer, (A,)."""
        return self.problem.offers.line[self.offers]

    @cached_property
    def cap(self) -> Floats:
        """Most units a program may keep at the end of each period, (P, T)."""
        programs = self.problem.programs
        return window(programs.demand, programs.demand_after, programs.shelf_periods)

    @cached_property
    def days(self) -> Floats:
        """Days of each line, those of bought expansions among them, (L, T)."""
        return expanded_days(self.problem, self.decision.expanded)


def starts(position: Position, lines: Bools, inputs: Bools, length: float) -> list[int]:
    """Periods from whose start on an outage of `length` periods takes something from the plan.

    It stops `lines` (L,) or lacks `inputs` (F,). Where no line has a surge, only the starts that
    take something new count: periods in which the plan starts batches there, and the last before
    one of its sources there gets ready. An earlier outage is then known earlier and takes no more.
    """
    offers, periods = position.problem.offers, position.problem.periods
    mine = (lines[position.line] | inputs[position.offers]) & position.chosen
    makes = np.array(position.planned[mine].any(0), np.bool_)
    waiting = position.offers[mine & ~offers.qualified[position.offers]]
    last = np.maximum(offers.ready[waiting] - 1, offers.validation_period[waiting])
    if not position.surge.any():
        makes[last[last < periods]] = True
        return [int(t) for t in np.flatnonzero(makes)]
    ahead = int(np.ceil(length - 1e-9))
    return [
        start
        for start in range(periods)
        if makes[start : start + ahead].any() or (last >= start).any()
    ]


def expanded_days(problem: Problem, expanded: Bools) -> Floats:
    """Days of each line with the expansions that are bought, (L, T)."""
    lines = problem.lines
    grown = np.arange(problem.periods)[None, :] >= lines.expansion_period[:, None]
    days: Floats = lines.days + (lines.expansion_days * expanded)[:, None] * grown
    return days


def position(problem: Problem, decision: Decision, surge: Floats) -> Position:
    """The position of a plan. `surge` (L,) as in `Position`."""
    rows = chosen_streams(problem, decision.option)
    sources = problem.streams.offer[rows]
    usable = _usable(problem, decision, sources)
    idle = np.zeros(problem.periods, np.int64)
    chosen = np.isin(usable, sources)
    planned = np.array(
        [
            decision.batches.get(f, idle) if mine else idle
            for f, mine in zip(usable.tolist(), chosen, strict=True)
        ],
        np.int64,
    ).reshape(len(usable), problem.periods)
    stock, unmet = _flows(problem, decision, rows)
    return Position(problem, decision, surge, usable, chosen, planned, stock, unmet)


def _usable(problem: Problem, decision: Decision, sources: Ints) -> Ints:
    """Offers that a re-planned supply may use, ascending."""
    offers = problem.offers
    engaged = np.zeros(len(problem.cmos.ids), np.bool_)
    engaged[problem.offer_cmo[sources]] = True
    sourced = problem.options.first[decision.option] >= 0
    usable = offers.qualified & engaged[problem.offer_cmo] & sourced[offers.program]
    usable[sources] = True
    return np.flatnonzero(usable).astype(np.int64)


def _flows(problem: Problem, decision: Decision, rows: Ints) -> tuple[Floats, Floats]:
    """The plan's own stock and unmet demand of each program, (P, T) each."""
    shape = len(problem.programs.ids), problem.periods
    stock, unmet = np.zeros(shape), np.zeros(shape)
    offer = problem.streams.offer[rows]
    idle = np.zeros(problem.periods, np.int64)
    released = np.array(
        [released_units(problem, f, decision.batches.get(f, idle)) for f in offer.tolist()]
    ).reshape(len(rows), problem.periods)
    none = np.flatnonzero(problem.options.first[decision.option] < 0)
    tables = unsourced_tables(problem, none)
    for program, flow in (
        (problem.offers.program[offer], simulate(problem.stream_tables(rows), released)),
        (none, simulate(tables, np.zeros_like(tables.demand))),
    ):
        np.add.at(stock, program, flow.stock)
        np.add.at(unmet, program, flow.unmet)
    return stock, unmet
