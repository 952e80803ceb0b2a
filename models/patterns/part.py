"""A part of a problem: some programs with some options, the rest of the plan held fixed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from models.patterns.bound import Lagrangian
from models.patterns.columns import Book, Columns
from models.patterns.layout import Layout
from models.patterns.master import Master
from models.patterns.pricing import Pricer
from models.problem import Bools, Floats, Ints, Offers, Options, Problem, Programs, Rule, Streams
from models.result import Decision


@dataclass(frozen=True)
class Maps:
    """Rows of the whole problem that the rows of a part stand for."""

    programs: Ints
    options: Ints
    offers: Ints

    def lower(self, decision: Decision) -> Decision:
        """What a decision of the whole problem means for the part, which must have its options."""
        option = np.searchsorted(self.options, decision.option[self.programs])
        row = {f: i for i, f in enumerate(self.offers.tolist())}
        batches = {row[f]: n for f, n in decision.batches.items() if f in row}
        return Decision(option.astype(np.int64), batches, decision.expanded)

    def lift(self, decision: Decision, whole: Problem) -> Decision:
        """A decision of the part in rows of the whole; programs of others stay unsourced."""
        option = whole.options.start[:-1].copy()
        option[self.programs] = self.options[decision.option]
        batches = {int(self.offers[f]): n for f, n in decision.batches.items()}
        return Decision(option, batches, decision.expanded)


def subproblem(problem: Problem, programs: Ints, option_rows: Ints) -> tuple[Problem, Maps]:
    """The problem of `programs` with the options `option_rows` alone, both sorted.

    Each program's unsourced option must be among the rows. CMOs, lines and rules stay whole.
    """
    options, streams, offers = problem.options, problem.streams, problem.offers
    one, two = options.first[option_rows], options.second[option_rows]
    used = np.unique(np.concatenate([one, two]))
    used = used[used >= 0]
    offer_rows = np.unique(streams.offer[used])
    program_at = np.full(len(problem.programs.ids), -1, np.int64)
    program_at[programs] = np.arange(len(programs))
    stream_at = np.full(len(streams.offer) + 1, -1, np.int64)
    stream_at[used] = np.arange(len(used))
    offer_at = np.full(len(offers.program), -1, np.int64)
    offer_at[offer_rows] = np.arange(len(offer_rows))
    program = program_at[options.program[option_rows]]
    part = replace(
        problem,
        programs=_rows(problem.programs, Programs, programs),
        offers=replace(
            _rows(offers, Offers, offer_rows), program=program_at[offers.program[offer_rows]]
        ),
        streams=replace(_rows(streams, Streams, used), offer=offer_at[streams.offer[used]]),
        options=Options(
            program=program,
            first=stream_at[one],
            second=stream_at[two],
            start=np.searchsorted(program, np.arange(len(programs) + 1)).astype(np.int64),
            fixed_cost=options.fixed_cost[option_rows],
            risk_cost=options.risk_cost[option_rows],
            late_months=options.late_months[option_rows],
            lost_months=options.lost_months[option_rows],
        ),
        rules=_rules(problem, program_at, option_rows),
    )
    return part, Maps(programs, option_rows, offer_rows)


def _rows(table: Any, kind: Any, rows: Ints) -> Any:
    """The rows of a table of arrays."""
    fields = {}
    for name in kind.__dataclass_fields__:
        column = getattr(table, name)
        fields[name] = (
            tuple(column[row] for row in rows) if isinstance(column, tuple) else column[rows]
        )
    return kind(**fields)


def _rules(problem: Problem, program_at: Ints, option_rows: Ints) -> tuple[Rule, ...]:
    """The rules with programs renumbered, and one ban for all options that any of them bans."""
    rules = []
    for rule in problem.rules:
        members = tuple(int(program_at[p]) for p in rule.programs if program_at[p] >= 0)
        rules.append(replace(rule, programs=members, banned=np.empty(0, np.int64)))
    banned = np.flatnonzero(problem.banned[option_rows])
    return (*rules, Rule("force", "banned options", banned=banned))


class Part:
    """A part with its own master and pricing, given what the rest of the plan uses.

    `used` is the sum of the fixed columns' entries in the rows of the whole layout after
    `one_option`, `engaged` (K,) flags the CMOs that the fixed columns engage.
    """

    def __init__(
        self, whole: Book, programs: Ints, option_rows: Ints, used: Floats, engaged: Ints
    ) -> None:
        self.problem, self.maps = subproblem(whole.problem, programs, option_rows)
        layout = Layout(self.problem, whole.layout)
        P = layout.P
        lower, upper = np.array(layout.lower), np.array(layout.upper)
        lower[P:] -= used
        upper[P:] -= used
        layout.lower, layout.upper = lower.tolist(), upper.tolist()
        for k in np.flatnonzero(engaged):
            layout.side.lower[int(layout.y[k])] = 1.0
        self.book = Book(layout)
        self.lagrangian = Lagrangian(self.book, Pricer(self.problem))
        self.lagrangian.limit = self._limits(whole.problem, used)
        self.master = Master(self.book)
        idle = self.problem.options.start[:-1]
        idle = idle[self.lagrangian.allowed[idle]]
        none = np.zeros((len(idle), layout.T), np.int16)
        self.master.add(self.book.columns(idle, none, none))

    def _limits(self, whole: Problem, used: Floats) -> Ints:
        """Batches that the days left on each line have room for, (F, T)."""
        lines, offers = whole.lines, self.problem.offers
        L, T = lines.days.shape
        grown = np.arange(T)[None, :] >= lines.expansion_period[:, None]
        left = lines.days + lines.expansion_days[:, None] * grown - used[: L * T].reshape(L, T)
        room = left[offers.line] - lines.changeover_days[offers.line][:, None]
        room[np.arange(len(room)), offers.validation_period] -= offers.validation_days
        fits = np.floor(room / offers.days[:, None] + 1e-9).astype(np.int64)
        return np.clip(fits, 0, whole.max_batches[self.maps.offers])

    def inward(self, columns: Columns) -> Columns:
        """Columns of the whole problem as columns of the part; those it does not know left out."""
        place = np.searchsorted(self.maps.options, columns.option)
        place = np.minimum(place, len(self.maps.options) - 1)
        known = np.flatnonzero(self.maps.options[place] == columns.option)
        found = columns.take(known)
        return Columns(place[known], found.one, found.two, found.cost)

    def fitting(self, columns: Columns) -> Columns:
        """Those columns of the part that keep within its limits of batches."""
        options, streams = self.problem.options, self.problem.streams
        limit = self.lagrangian.limit
        fine = np.ones(len(columns), np.bool_)
        for stream, batches in (
            (options.first[columns.option], columns.one),
            (options.second[columns.option], columns.two),
        ):
            use = stream >= 0
            fine[use] &= (batches[use] <= limit[streams.offer[stream[use]]]).all(1)
        return columns.take(np.flatnonzero(fine))

    def outward(self, columns: Columns) -> Columns:
        """Columns of the part as columns of the whole problem."""
        return Columns(self.maps.options[columns.option], columns.one, columns.two, columns.cost)


def usage(whole: Book, columns: Columns) -> tuple[Floats, Ints]:
    """What fixed columns use of the rows after `one_option`, and the CMOs they engage."""
    P = whole.layout.P
    used = np.zeros(len(whole.layout.lower))
    if len(columns):
        _, row, value = whole.entries(columns)
        np.add.at(used, row, value)
    engaged = np.zeros(whole.layout.K, np.int64)
    for cmo in whole.cmos(columns.option):
        engaged[cmo[cmo >= 0]] = 1
    return used[P:], engaged


def overfull(book: Book, columns: Columns) -> Bools:
    """Lines whose own days do not hold these columns, so that they must be expanded, (L,)."""
    lines, layout = book.problem.lines, book.layout
    used = usage(book, columns)[0][: layout.L * layout.T].reshape(layout.L, layout.T)
    return np.asarray((used > lines.days * (1 + 1e-9) + 1e-6).any(1))
