"""A finished plan in arrays, as the futures play with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from allocator.calendar import period_months
from allocator.compile import Compiled
from allocator.risk.joint import Shock
from allocator.risk.options import RiskBasis
from models.evaluate import Value, chosen_streams, evaluate, unsourced_tables
from models.problem import Problem, StreamTables
from models.result import Decision

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Sources:
    """The S chosen sources, sorted by program and role; all (S,) unless said.

    `partner` is the row of the program's other source, -1 for none. `site` is the class of sources
    that the same shocks strike, a column of `Case.strikes`.
    """

    offer: Ints
    program: Ints
    cmo: Ints
    share: Floats
    partner: Ints
    site: Ints
    planned: Ints  # planned first period of supply
    lag: Ints
    qualified: Bools
    surge: Floats
    units: Floats  # saleable units of a batch that does not fail
    fail_rate: Floats
    price: Floats
    unit_price: Floats  # money per expected saleable unit
    batches: Ints  # (S, T) as planned


@dataclass(frozen=True)
class Case:
    """What is simulated: the plan's own figures, its sources, and the shocks that strike them.

    `strikes` (H, C) tells which of `shocks` strike which class of sites, `fixed` (P,) is money a
    program costs in every future, `overhead` money of the plan that belongs to no program but for
    rebates. `tables` are demand, stock cap, safety target and opening stock of the S sources and
    then of the programs without any, `idle`.
    """

    compiled: Compiled
    decision: Decision
    value: Value
    months: int
    years: int
    sources: Sources
    idle: Ints
    tables: StreamTables
    shocks: tuple[Shock, ...]
    strikes: Bools
    fixed: Floats
    overhead: float

    @property
    def problem(self) -> Problem:
        """The problem of the plan."""
        return self.compiled.problem

    @property
    def basis(self) -> RiskBasis:
        """What the exact risk was computed from."""
        return self.compiled.basis


def build_case(compiled: Compiled, decision: Decision) -> Case:
    """The plan `decision` of `compiled`, ready to be played."""
    problem = compiled.problem
    value = evaluate(problem, decision)
    rows = chosen_streams(problem, decision.option)
    offer = problem.streams.offer[rows]
    order = np.lexsort((np.arange(len(rows)), problem.offers.program[offer]))
    rows, offer = rows[order], offer[order]
    shocks, strikes, site = _shocks(compiled.basis, offer)
    sources = _sources(compiled, decision, rows, site)
    idle = np.flatnonzero(problem.options.first[decision.option] < 0)
    parts = problem.stream_tables(rows), unsourced_tables(problem, idle)
    tables = StreamTables(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("demand", "cap", "target", "opening")
        )
    )
    months = period_months(compiled.portfolio)
    overhead = sum(
        value.cash[line] for line in ("onboarding", "annual_fees", "take_or_pay", "expansions")
    )
    return Case(
        compiled=compiled,
        decision=decision,
        value=value,
        months=months,
        years=-(-problem.periods * months // 12),
        sources=sources,
        idle=idle,
        tables=tables,
        shocks=shocks,
        strikes=strikes,
        fixed=_fixed(problem, sources),
        overhead=overhead,
    )


def _sources(compiled: Compiled, decision: Decision, rows: Ints, site: Ints) -> Sources:
    problem, portfolio = compiled.problem, compiled.portfolio
    offer = problem.streams.offer[rows]
    program = problem.offers.program[offer]
    same = program[:, None] == program[None, :]
    np.fill_diagonal(same, False)
    none = np.zeros(problem.periods, np.int64)
    quotes = [portfolio.offers[problem.offers.ids[f]] for f in offer]
    good = problem.offers.good_per_batch[offer]
    return Sources(
        offer=offer,
        program=program,
        cmo=problem.offer_cmo[offer],
        share=problem.streams.share[rows],
        partner=np.where(same.any(axis=1), same.argmax(axis=1), -1) if len(rows) else program,
        site=site,
        planned=problem.offers.first_supply[offer],
        lag=problem.offers.lag[offer],
        qualified=problem.offers.qualified[offer],
        surge=compiled.basis.surge[offer],
        units=np.array([quote.batch_size * quote.yield_ for quote in quotes], np.float64),
        fail_rate=np.array([quote.fail_rate for quote in quotes], np.float64),
        price=problem.offers.price[offer],
        unit_price=problem.offers.price[offer] / good,
        batches=np.array([decision.batches.get(f, none) for f in offer.tolist()], np.int64).reshape(
            len(rows), problem.periods
        ),
    )


def _shocks(basis: RiskBasis, offer: Sequence[int] | Ints) -> tuple[tuple[Shock, ...], Bools, Ints]:
    """The shocks that strike some chosen offer, whom they strike (H, C), and the offers' classes.

    A class is one CMO and one set of shocked inputs, as `allocator.risk.sites` sorts them.
    """
    classes, site = np.unique(basis.sites.of_offer[offer], return_inverse=True)
    struck = basis.sites.shocks.of_site[classes]
    rows = np.unique(struck[struck >= 0])
    strikes = (struck[None, :, :] == rows[:, None, None]).any(axis=2)
    shocks = tuple(basis.sites.causes[row] for row in rows)
    return shocks, strikes, site.astype(np.int64)


def _fixed(problem: Problem, sources: Sources) -> Floats:
    """Transfer, validation and changeovers by program, (P,): as planned in every future."""
    offers, lines = problem.offers, problem.lines
    once = offers.transfer_cost[sources.offer] + offers.validation_cost[sources.offer]
    campaigns = (sources.batches > 0).sum(axis=1)
    once = once + lines.changeover_cost[offers.line[sources.offer]] * campaigns
    fixed = np.zeros(len(problem.programs.ids))
    np.add.at(fixed, sources.program, once)
    return fixed
