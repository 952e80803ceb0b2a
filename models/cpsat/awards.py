"""The award rules in CP-SAT; names and sentences are those of models/compact.md."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from models.cpsat.model import CpModel, Var
from models.problem import Rule
from models.stock import simulate, unsourced_tables


def add_awards(model: CpModel) -> None:
    """Every award rule of the problem, and each CMO's own `max_programs`.

    Raises ValueError for a rule of unknown name.
    """
    for rule in model.problem.rules:
        if rule.name not in AWARDS:
            raise ValueError(f"no award rule {rule.name!r}; there are {', '.join(AWARDS)}")
        AWARDS[rule.name](model, rule)
    limits = model.problem.cmos.max_programs
    for k in np.flatnonzero(limits >= 0).tolist():
        max_programs(model, Rule("max_programs", "", float(limits[k]), cmos=(k,)))


def max_cmos(model: CpModel, rule: Rule) -> None:
    """At most so many of these CMOs are engaged."""
    flags = _engaged(model, rule)
    model.add([1] * len(flags), flags, "<=", math.floor(rule.limit + 1e-9))


def min_cmos(model: CpModel, rule: Rule) -> None:
    """At least so many of these CMOs are engaged, each making some program."""
    flags = _engaged(model, rule)
    model.add([1] * len(flags), flags, ">=", math.ceil(rule.limit - 1e-9))


def max_programs(model: CpModel, rule: Rule) -> None:
    """These CMOs together make at most so many programs."""
    options, problem = model.problem.options, model.problem
    inside = np.isin(problem.offer_cmo, rule.cmos)[problem.streams.offer]
    inside = np.append(inside, False)  # row -1: no source
    there = np.flatnonzero(inside[options.first] | inside[options.second]).tolist()
    limit = math.floor(rule.limit + 1e-9)
    model.add([1] * len(there), [model.choose[o] for o in there], "<=", limit)


def max_spend_share(model: CpModel, rule: Rule) -> None:
    """Spend with these CMOs is at most this share of all spend over the horizon."""
    offers = model.problem.offers
    terms: list[tuple[Var, float]] = []
    for f, used in model.offer.items():
        factor = float(model.problem.offer_cmo[f] in rule.cmos) - rule.limit
        terms.append((used, factor * float(offers.validation_cost[f])))
        terms += [
            (model.batches[f, t], factor * float(offers.price[f]))
            for t in range(model.problem.periods)
            if (f, t) in model.batches
        ]
    model.at_most(_merged(terms), 1e-6)


def not_together(model: CpModel, rule: Rule) -> None:
    """No two of these programs are made at one CMO."""
    for mine in model.offers_by(model.problem.offer_cmo).values():
        program = model.problem.offers.program
        literals = [model.offer[f] for f in mine if int(program[f]) in rule.programs]
        model.cp.add_at_most_one(literals)


def budget(model: CpModel, rule: Rule) -> None:
    """The cash of these periods together, rebates not counted, is at most the budget."""
    terms: list[tuple[Var, float]] = []
    for t in sorted(set(rule.periods)):
        terms += _operating_cash(model, t) + _standing_cash(model, t)
    model.at_most(_merged(terms), rule.limit * (1 + 1e-9) + 1e-6 + model.error)


def banned(model: CpModel, rule: Rule) -> None:
    """The options that the rule excludes are not chosen."""
    for o in np.unique(rule.banned).tolist():
        model.cp.add(model.choose[o] == 0)


def _engaged(model: CpModel, rule: Rule) -> list[Var]:
    """The engaged CMOs of a rule; one that no option uses is never engaged."""
    return [model.engaged[k] for k in sorted(set(rule.cmos)) if k in model.engaged]


def _merged(terms: list[tuple[Var, float]]) -> list[tuple[Var, float]]:
    """Coefficients of the same variable added up."""
    total: dict[int, float] = {}
    variables: dict[int, Var] = {}
    for variable, value in terms:
        variables[variable.index] = variable
        total[variable.index] = total.get(variable.index, 0.0) + value
    return [(variables[index], value) for index, value in total.items()]


def _operating_cash(model: CpModel, t: int) -> list[tuple[Var, float]]:
    """Batches, changeovers, validation, transfer and holding of a period."""
    problem, offers = model.problem, model.problem.offers
    terms: list[tuple[Var, float]] = []
    for f, used in model.offer.items():
        if (f, t) in model.batches:
            terms.append((model.batches[f, t], float(offers.price[f])))
        if (f, t) in model.campaign:
            cost = float(problem.lines.changeover_cost[offers.line[f]])
            terms.append((model.campaign[f, t], cost))
        if offers.validation_period[f] == t:
            terms.append((used, float(offers.validation_cost[f] + offers.transfer_cost[f])))
        hold = float(problem.programs.holding_price[offers.program[f]])
        hold *= float(offers.good_per_batch[f]) / float(model.scales.parts[f])
        terms.append((model.stock[f, t], hold))
        terms += [(model.scrap[f, before], hold) for before in range(t + 1)]
    program = np.arange(len(problem.programs.ids))
    tables = unsourced_tables(problem, program)
    idle = simulate(tables, np.zeros_like(tables.demand))
    kept = idle.stock[:, t] + idle.scrap[:, : t + 1].sum(1)
    cash = problem.programs.holding_price * kept
    options = problem.options
    for o in np.flatnonzero(options.first < 0).tolist():
        terms.append((model.choose[o], float(cash[options.program[o]])))
    return terms


def _standing_cash(model: CpModel, t: int) -> list[tuple[Var, float]]:
    """Onboarding, fees, expansions and take-or-pay of a period."""
    problem, cmos = model.problem, model.problem.cmos
    terms: list[tuple[Var, float]] = []
    for k, flag in model.engaged.items():
        first = float(cmos.onboarding_cost[k]) if t == 0 else 0.0
        terms.append((flag, first + float(cmos.fees[k]) / problem.periods))
    if t == 0:
        for line, flag in model.expanded.items():
            terms.append((flag, float(problem.lines.expansion_cost[line])))
    year = int(problem.year[t])
    if t == np.flatnonzero(problem.year == year)[-1]:
        per_unit = 1.0 / model.scales.money
        terms += [(v, per_unit) for (_, when), v in model.shortfall.items() if when == year]
    return terms


#: Award rule -> what adds it.
AWARDS: dict[str, Callable[[CpModel, Rule], None]] = {
    "max_cmos": max_cmos,
    "min_cmos": min_cmos,
    "max_programs": max_programs,
    "max_spend_share": max_spend_share,
    "not_together": not_together,
    "budget": budget,
    "force": banned,
    "forbid": banned,
    "keep_incumbent": banned,
    "sources_differ_by": banned,
}
