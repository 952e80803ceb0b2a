"""The tables compiled to a problem of `models`, by the conventions of docs/model.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from allocator.calendar import first_supply_period, period_months
from allocator.compile_rules import compile_rules
from allocator.compile_tables import (
    cmo_arrays,
    line_arrays,
    offer_arrays,
    program_arrays,
    year_rows,
)
from allocator.portfolio import Portfolio
from allocator.risk.options import OptionRisks, RiskBasis, option_risks, risk_basis
from models.options import enumerate_options
from models.problem import Options, Problem, Streams

if TYPE_CHECKING:
    from allocator.eligibility import Eligibility

#: Sourcing asked for -> sourcing of the options. `secure` adds its own conditions to `free`.
SOURCING = {"single": "single", "dual": "dual", "free": "free", "secure": "free"}


@dataclass(frozen=True)
class Compiled:
    """A problem and the tables it came from.

    `offer_ids` are the eligible offers in the order of the problem's rows, `sourcing` the resolved
    sourcing of each program, `notes` what the user should know about the resolution. `risk` has
    the figures behind the options' risk money, `basis` what they are computed from.
    """

    problem: Problem
    portfolio: Portfolio
    offer_ids: tuple[str, ...]
    eligibility: Eligibility
    sourcing: Mapping[str, str]
    notes: tuple[str, ...]
    risk: OptionRisks
    basis: RiskBasis


def compile_problem(portfolio: Portfolio, sourcing: str | None = None) -> Compiled:
    """Compile `portfolio`; `sourcing` (single, dual, free, secure) overrides the policy's.

    Raises ValueError for an unknown sourcing or kind of rule.
    """
    from allocator.eligibility import eligibility

    months = period_months(portfolio)
    eligible = eligibility(portfolio)
    offer_ids = tuple(
        i
        for i in sorted(eligible.offers)
        if first_supply_period(portfolio.offers[i], months) < len(portfolio.periods)
    )
    resolved, notes = resolve_sourcing(portfolio, offer_ids, sourcing)
    programs, cmos = program_arrays(portfolio), cmo_arrays(portfolio)
    lines = line_arrays(portfolio, cmos)
    offers = offer_arrays(portfolio, offer_ids, programs, lines)
    streams, options = enumerate_options(
        len(programs.ids),
        offers,
        lines.cmo[offers.line],
        [resolved[i] for i in programs.ids],
        sorted(set(portfolio.policy.splits)),
    )
    basis = risk_basis(portfolio, offer_ids)
    risk = option_risks(basis, *_sources(streams, options))
    year, year_labels, _ = year_rows(portfolio.periods)
    problem = Problem(
        period_labels=tuple(period.label for period in portfolio.periods),
        year=year,
        year_labels=year_labels,
        programs=programs,
        cmos=cmos,
        lines=lines,
        offers=offers,
        streams=streams,
        options=replace(
            options,
            risk_cost=risk.risk_cost,
            late_months=risk.late_months,
            lost_months=risk.lost_months,
        ),
        rules=(),
        risk_weight=portfolio.policy.risk_weight,
    )
    rules, rule_notes = compile_rules(portfolio, problem)
    return Compiled(
        problem=replace(problem, rules=rules),
        portfolio=portfolio,
        offer_ids=offer_ids,
        eligibility=eligible,
        sourcing=resolved,
        notes=notes + rule_notes,
        risk=risk,
        basis=basis,
    )


def resolve_sourcing(
    portfolio: Portfolio, offer_ids: Sequence[str], sourcing: str | None = None
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Sourcing of each program (single, dual, free) given its eligible offers, and warnings.

    A program's own entry stands; blank takes `sourcing`, else the policy's. A dual that only
    comes from there falls back to single where no two CMOs can make the program.
    """
    asked = portfolio.policy.sourcing if sourcing is None else sourcing
    if asked not in SOURCING:
        raise ValueError(f"no sourcing {asked!r}; there are {', '.join(sorted(SOURCING))}")
    makers: dict[str, set[str]] = {}
    for offer_id in offer_ids:
        offer = portfolio.offers[offer_id]
        cmo_id = portfolio.lines[offer.line_id].cmo_id
        makers.setdefault(offer.program_id, set()).add(cmo_id)
    resolved: dict[str, str] = {}
    notes: list[str] = []
    for program_id in sorted(portfolio.programs):
        own = portfolio.programs[program_id].sourcing
        resolved[program_id] = SOURCING[own or asked]
        count = len(makers.get(program_id, ()))
        if resolved[program_id] != "dual" or count >= 2:
            continue
        who = "one CMO" if count == 1 else "no CMO"
        if own:
            notes.append(f"{program_id}: dual is asked for, but {who} can make it")
        else:
            resolved[program_id] = "single"
            notes.append(f"{program_id}: {who} can make it, so dual falls back to single")
    return resolved, tuple(notes)


def _sources(streams: Streams, options: Options) -> tuple[np.ndarray, ...]:
    """Program, first offer, its share, second offer, its share of each option; -1 and 0: none."""
    offer, share = np.append(streams.offer, -1), np.append(streams.share, 0.0)
    first, second = options.first, options.second
    return options.program, offer[first], share[first], offer[second], share[second]
