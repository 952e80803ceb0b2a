"""The objective of the compact model, and the cash of a period for budgets."""

from __future__ import annotations

import numpy as np

from models.compact.rules import tier_scale
from models.compact.variables import Model, Terms
from models.problem import Floats
from models.stock import simulate, unsourced_cost, unsourced_tables


def objective(model: Model) -> Terms:
    """All costs, each variable with its price.

    Stock is charged for the period, scrap for all periods until the end of the horizon.
    """
    return [*_choice_costs(model), *_flow_costs(model), *_cmo_costs(model)]


def _choice_costs(model: Model) -> Terms:
    """Transfer, validation and risk of each option; all cost of an unsourced one."""
    options = model.problem.options
    cost = options.fixed_cost + model.problem.risk_weight * options.risk_cost
    idle = unsourced_cost(model.problem)
    cost = cost + np.where(options.first < 0, idle[options.program], 0.0)
    return [(variable, float(cost[o])) for o, variable in model.variables.choose.items()]


def _flow_costs(model: Model) -> Terms:
    """Batches, changeovers, holding, shortage and safety stock."""
    problem, variables, periods = model.problem, model.variables, model.problem.periods
    offers, programs, lines = problem.offers, problem.programs, problem.lines
    changeover = lines.changeover_cost[offers.line]

    def per_batch(price: Floats) -> Floats:
        """Price per batch of each offer of a price per unit of each program."""
        return price[offers.program] * offers.good_per_batch

    holding, shortage, safety = (
        per_batch(price)
        for price in (programs.holding_price, programs.shortage_price, programs.safety_price)
    )
    return [
        *((v, float(offers.price[f])) for (f, _), v in variables.batches.items()),
        *((v, float(changeover[f])) for (f, _), v in variables.campaign.items()),
        *((v, float(holding[f])) for (f, _), v in variables.stock.items()),
        *((v, float(holding[f]) * (periods - t)) for (f, t), v in variables.scrap.items()),
        *((v, float(shortage[f])) for (f, _), v in variables.unmet.items()),
        *((v, float(safety[f])) for (f, _), v in variables.gap.items()),
    ]


def _cmo_costs(model: Model) -> Terms:
    """Onboarding, fees, take-or-pay, expansions and rebates."""
    cmos, lines, variables = model.problem.cmos, model.problem.lines, model.variables
    terms: Terms = [
        *((v, float(cmos.onboarding_cost[k] + cmos.fees[k])) for k, v in variables.engaged.items()),
        *((v, float(cmos.floor[k, year])) for (k, year), v in variables.shortfall.items()),
        *((v, float(lines.expansion_cost[line])) for line, v in variables.expanded.items()),
    ]
    for (k, year, i), variable in variables.tier_spend.items():
        steps = model.reachable_tiers[k, year]
        terms.append((variable, -steps[i][1] * tier_scale(steps)))
    return terms


def cash_of(model: Model, t: int) -> Terms:
    """The cash of period t as `budget` counts it (docs/model.md, award rules)."""
    problem, variables = model.problem, model.variables
    offers, cmos, lines = problem.offers, problem.cmos, problem.lines
    terms: Terms = []
    for f in model.offers:
        hold = float(problem.programs.holding_price[offers.program[f]] * offers.good_per_batch[f])
        if (f, t) in variables.batches:
            terms.append((variables.batches[f, t], float(offers.price[f])))
        if (f, t) in variables.campaign:
            cost = float(lines.changeover_cost[offers.line[f]])
            terms.append((variables.campaign[f, t], cost))
        if offers.validation_period[f] == t:
            once = float(offers.validation_cost[f] + offers.transfer_cost[f])
            terms.append((variables.offer[f], once))
        terms.append((variables.stock[f, t], hold))
        terms += [(variables.scrap[f, before], hold) for before in range(t + 1)]
    idle = _idle_kept(model)
    for o in np.flatnonzero(problem.options.first < 0).tolist():
        terms.append((variables.choose[o], float(idle[problem.options.program[o], t])))
    for k, variable in variables.engaged.items():
        first = float(cmos.onboarding_cost[k]) if t == 0 else 0.0
        terms.append((variable, first + float(cmos.fees[k]) / problem.periods))
    if t == 0:
        terms += [(v, float(lines.expansion_cost[line])) for line, v in variables.expanded.items()]
    last = t == np.flatnonzero(problem.year == problem.year[t])[-1]
    if last:
        year = int(problem.year[t])
        terms += [
            (v, float(cmos.floor[k, year]))
            for (k, y), v in variables.shortfall.items()
            if y == year
        ]
    return terms


def _idle_kept(model: Model) -> Floats:
    """Holding cash of each period of a program left unsourced, (P, T)."""
    program = np.arange(len(model.problem.programs.ids))
    tables = unsourced_tables(model.problem, program)
    idle = simulate(tables, np.zeros_like(tables.demand))
    kept: Floats = model.problem.programs.holding_price[:, None] * (
        idle.stock + np.cumsum(idle.scrap, axis=1)
    )
    return kept
