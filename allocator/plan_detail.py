"""A decision spelled out: every supply stream with its batches, stock and money, per period.

The bridge between the arrays of `models` and the rows and objects of the output files. A *stream*
here is one source of one program, or a program without a source, served from opening stock alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.evaluate import Flow, Value, evaluate, released_units, simulate, unsourced_tables
from models.problem import Floats, Ints, Problem, StreamTables
from models.result import Decision


@dataclass(frozen=True)
class Stream:
    """One source of a program (`offer` its row) or an unsourced program (`offer` None).

    All arrays are (T,): units of the program, except `batches`, a count.
    """

    program: int
    offer: int | None
    role: str
    share: float
    batches: Ints
    demand: Floats
    target: Floats
    released: Floats
    stock: Floats
    unmet: Floats
    scrap: Floats
    safety_gap: Floats


@dataclass(frozen=True)
class Booking:
    """One amount of money: a line of the costs, and what it belongs to (None: to none of them)."""

    line: str
    program: int | None
    cmo: int | None
    period: int | None
    amount: float


@dataclass(frozen=True)
class Detail:
    """A decision with everything that follows from it."""

    problem: Problem
    decision: Decision
    value: Value
    streams: tuple[Stream, ...]

    @cached_property
    def bookings(self) -> tuple[Booking, ...]:
        """Every amount of the plan, booked once, zeros left out, one per line and key."""
        sums: dict[tuple[str, int | None, int | None, int | None], float] = {}
        for booking in [*_stream_bookings(self), *_cmo_bookings(self), *_plan_bookings(self)]:
            key = (booking.line, booking.program, booking.cmo, booking.period)
            sums[key] = sums.get(key, 0.0) + booking.amount
        return tuple(Booking(*key, amount) for key, amount in sums.items() if amount != 0.0)

    def streams_of(self, program: int) -> list[Stream]:
        """The streams of one program, primary first."""
        return self._streams_of[program]

    @cached_property
    def _streams_of(self) -> dict[int, list[Stream]]:
        found: dict[int, list[Stream]] = {}
        for stream in self.streams:
            found.setdefault(stream.program, []).append(stream)
        return found

    def cost_of(self, program: int, line: str) -> float:
        """Sum of one cost line that belongs to a program."""
        return self._by_program.get((program, line), 0.0)

    @cached_property
    def _by_program(self) -> dict[tuple[int, str], float]:
        sums: dict[tuple[int, str], float] = {}
        for booking in self.bookings:
            if booking.program is not None:
                key = (booking.program, booking.line)
                sums[key] = sums.get(key, 0.0) + booking.amount
        return sums

    def expansion_days(self, line: int) -> Floats:
        """Line-days that a bought expansion adds per period, (T,)."""
        lines = self.problem.lines
        grown = np.arange(self.problem.periods) >= lines.expansion_period[line]
        bought = bool(self.decision.expanded[line])
        return np.asarray(grown * float(lines.expansion_days[line]) * bought, np.float64)

    @cached_property
    def line_use(self) -> tuple[Floats, Floats, Floats]:
        """Line-days taken by batches, changeovers and validation, (L, T) each."""
        problem = self.problem
        offers, lines = problem.offers, problem.lines
        shape = (len(lines.ids), problem.periods)
        batch, changeover, validation = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        for stream in self.streams:
            if stream.offer is None:
                continue
            line = int(offers.line[stream.offer])
            batch[line] += offers.days[stream.offer] * stream.batches
            changeover[line] += lines.changeover_days[line] * (stream.batches > 0)
            when = int(offers.validation_period[stream.offer])
            validation[line, when] += offers.validation_days[stream.offer]
        return batch, changeover, validation


def detail(problem: Problem, decision: Decision) -> Detail:
    """Spell out a decision. Raises ValueError where it does not fit the problem's arrays."""
    value = evaluate(problem, decision)
    streams: list[Stream] = []
    options = problem.options
    for program, option in enumerate(decision.option):
        rows = [int(row) for row in (options.first[option], options.second[option]) if row >= 0]
        roles = ("primary", "secondary")
        for row, role in zip(rows, roles, strict=False):
            streams.append(_sourced(problem, decision, program, row, role))
        if not rows:
            streams.append(_unsourced(problem, program))
    return Detail(problem, decision, value, tuple(streams))


def _sourced(problem: Problem, decision: Decision, program: int, row: int, role: str) -> Stream:
    offer = int(problem.streams.offer[row])
    batches = np.asarray(decision.batches.get(offer, np.zeros(problem.periods, np.int64)), np.int64)
    tables = problem.stream_tables(np.array([row]))
    flow = simulate(tables, released_units(problem, offer, batches)[None, :])
    share = float(problem.streams.share[row])
    return _stream(program, offer, role, share, batches, tables, flow)


def _unsourced(problem: Problem, program: int) -> Stream:
    tables = unsourced_tables(problem, np.array([program]))
    flow = simulate(tables, np.zeros_like(tables.demand))
    return _stream(program, None, "", 1.0, np.zeros(problem.periods, np.int64), tables, flow)


def _stream(
    program: int,
    offer: int | None,
    role: str,
    share: float,
    batches: Ints,
    tables: StreamTables,
    flow: Flow,
) -> Stream:
    return Stream(
        program=program,
        offer=offer,
        role=role,
        share=share,
        batches=batches,
        demand=tables.demand[0],
        target=tables.target[0],
        released=flow.released[0],
        stock=flow.stock[0],
        unmet=flow.unmet[0],
        scrap=flow.scrap[0],
        safety_gap=flow.safety_gap[0],
    )


def _stream_bookings(plan: Detail) -> Iterator[Booking]:
    """Batches, changeovers, validation, transfer, holding, shortage and safety stock."""
    problem = plan.problem
    offers, lines, programs = problem.offers, problem.lines, problem.programs
    for stream in plan.streams:
        p, f, cmo = stream.program, stream.offer, None
        if f is not None:
            cmo = int(problem.offer_cmo[f])
            when = int(offers.validation_period[f])
            yield Booking("validation", p, cmo, when, float(offers.validation_cost[f]))
            yield Booking("transfer", p, cmo, when, float(offers.transfer_cost[f]))
            change = float(lines.changeover_cost[offers.line[f]])
            for t, count in enumerate(stream.batches):
                yield Booking("batches", p, cmo, t, float(offers.price[f] * count))
                yield Booking("changeovers", p, cmo, t, change * bool(count > 0))
        kept = stream.stock + np.cumsum(stream.scrap)
        for t in range(problem.periods):
            held = float(programs.holding_price[p] * kept[t])
            short = float(programs.shortage_price[p] * stream.unmet[t])
            gap = float(programs.safety_price[p] * stream.safety_gap[t])
            yield Booking("holding", p, cmo, t, held)
            yield Booking("shortage", p, cmo, t, short)
            yield Booking("safety_stock", p, cmo, t, gap)


def _cmo_bookings(plan: Detail) -> Iterator[Booking]:
    """Onboarding, annual fees, take-or-pay and rebates of the engaged CMOs."""
    problem, cmos = plan.problem, plan.problem.cmos
    for k in np.flatnonzero(plan.value.engaged):
        cmo = int(k)
        yield Booking("onboarding", None, cmo, 0, float(cmos.onboarding_cost[cmo]))
        for t in range(problem.periods):
            yield Booking("annual_fees", None, cmo, t, float(cmos.fees[cmo]) / problem.periods)
        for year in range(len(problem.year_labels)):
            last = int(np.flatnonzero(problem.year == year)[-1])
            yield Booking("take_or_pay", None, cmo, last, take_or_pay(plan, cmo, year))
            yield Booking("rebates", None, cmo, last, -rebate_of(plan, cmo, year))


def _plan_bookings(plan: Detail) -> Iterator[Booking]:
    """Expansions of lines and the weighted risk of each program."""
    lines = plan.problem.lines
    for line in np.flatnonzero(plan.decision.expanded):
        yield Booking(
            "expansions", None, int(lines.cmo[line]), 0, float(lines.expansion_cost[line])
        )
    for p, amount in enumerate(plan.value.program_risk):
        yield Booking("risk", p, None, None, float(amount))


def take_or_pay(plan: Detail, cmo: int, year: int) -> float:
    """What an engaged CMO's spend of a calendar year lacks to its floor, money."""
    missing = plan.problem.cmos.floor[cmo, year] - plan.value.spend[cmo, year]
    return max(0.0, float(missing)) * bool(plan.value.engaged[cmo])


def rebate_of(plan: Detail, cmo: int, year: int) -> float:
    """Rebate that a CMO pays back on a calendar year's spend, money, at least 0."""
    from models.evaluate import rebate

    return rebate(plan.problem.cmos.tiers[cmo], float(plan.value.spend[cmo, year]))
