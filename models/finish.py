"""From a solver's answer to a finished result: repair, choose, value exactly, name the status.

Every MIP formulation ends here, so that they mean the same by each word of a result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from models.evaluate import Value, evaluate
from models.problem import Problem
from models.result import Decision, Limit, Result, status_of
from models.stock import unsourced_cost

#: Solver and evaluation may differ by this much, relative, before the bound is doubted.
AGREEMENT = 1e-6


def without_overload(problem: Problem, decision: Decision) -> Decision:
    """The decision with as few batches less as make every line-day rule hold.

    Solvers keep a row within a tolerance; rounded to whole batches it need not hold. Of the batches
    in an overloaded period the one with the fewest days that is enough goes first. Leaves the plan
    as it is where validation alone overloads a line.
    """
    batches = {f: count.copy() for f, count in decision.batches.items()}
    lines, offers = problem.lines, problem.offers
    grown = np.arange(problem.periods)[None, :] >= lines.expansion_period[:, None]
    room = lines.days + (lines.expansion_days * decision.expanded)[:, None] * grown
    used = evaluate(problem, decision).used_days
    for line, t in np.argwhere(used > room * (1 + 1e-9) + 1e-6):
        mine = sorted(f for f, n in batches.items() if offers.line[f] == line and n[t] > 0)
        excess = float(used[line, t] - room[line, t])
        while mine and excess > 1e-6:
            enough = [f for f in mine if offers.days[f] >= excess] or mine
            f = min(enough, key=lambda f: float(offers.days[f]))
            batches[f][t] -= 1
            excess -= float(offers.days[f])
            mine = [f for f in mine if batches[f][t] > 0]
    return replace(decision, batches=batches)


def unsourced_plan(problem: Problem) -> Decision:
    """The plan that makes nothing: every program unsourced."""
    lines = len(problem.lines.ids)
    return Decision(problem.options.start[:-1].copy(), {}, np.zeros(lines, np.bool_))


def tidied(problem: Problem, decision: Decision) -> Decision:
    """The same decision without expansions that its lines do not need."""
    if not decision.expanded.any():
        return decision
    used = evaluate(problem, decision).used_days
    over = used > problem.lines.days * (1 + 1e-9) + 1e-6
    return Decision(decision.option, decision.batches, decision.expanded & over.any(1))


def valid_value(problem: Problem, decision: Decision) -> Value | None:
    """The value of a decision that breaks no rule and no campaign bound, else None."""
    if any(np.any(n > problem.max_batches[f]) for f, n in decision.batches.items()):
        return None
    value = evaluate(problem, decision)
    return None if value.broken else value


def best_plan(
    problem: Problem, plans: Sequence[Decision | None]
) -> tuple[Decision | None, float | None]:
    """The cheapest of some plans that breaks no rule, and its objective; None twice without one."""
    best: Decision | None = None
    least: float | None = None
    for plan in plans:
        value = None if plan is None else valid_value(problem, plan)
        if value is not None and (least is None or value.objective < least):
            best, least = plan, value.objective
    return best, least


def trivial_bound(problem: Problem) -> float | None:
    """What each program costs at least, whatever its batches; None where some price is negative.

    The least of its options' one-off costs (rebates taken off at the highest rate there is) and
    risk; an unsourced program's whole cost.
    """
    programs, cmos, lines, offers = problem.programs, problem.cmos, problem.lines, problem.offers
    prices = (
        *(programs.shortage_price, programs.holding_price, programs.safety_price),
        *(cmos.onboarding_cost, cmos.fees, cmos.floor, lines.changeover_cost, lines.expansion_cost),
        *(offers.price, offers.transfer_cost, offers.validation_cost, problem.options.risk_cost),
    )
    rate = max((tier[1] for tiers in cmos.tiers for tier in tiers), default=0.0)
    if rate > 1 or problem.risk_weight < 0 or any(np.any(price < 0) for price in prices):
        return None
    options = problem.options
    cost = options.fixed_cost * (1.0 - rate) + problem.risk_weight * options.risk_cost
    cost = cost + np.where(options.first < 0, unsourced_cost(problem)[options.program], 0.0)
    least = np.full(len(programs.ids), np.inf)
    np.minimum.at(least, options.program, cost)
    return float(least.sum())


def finished(
    problem: Problem,
    plans: Sequence[Decision | None],
    bound: float | None,
    limit: Limit | None,
    infeasible: bool,
    gap: float,
    solver: str,
    seconds: float,
    log: str,
    statistics: Mapping[str, float | str],
    conflict: Callable[[], tuple[str, ...]],
) -> Result:
    """The result of a solve: its best valid plan beside the proven bound.

    The plan that makes nothing competes wherever the solver found no other, `trivial_bound` stands
    in where it proved nothing. A bound above the
    objective by more than tolerance would be a false proof: it is withdrawn, and `bound_trusted`
    in the statistics is 0. `conflict` is called where the problem is infeasible.
    """
    figures = dict(statistics)
    certain = trivial_bound(problem)
    if certain is not None:
        bound = certain if bound is None else max(bound, certain)
    decision, objective = best_plan(problem, plans)
    if objective is None and not infeasible:
        decision, objective = best_plan(problem, [unsourced_plan(problem)])
    if objective is not None and bound is not None and bound > objective:
        trusted = bound <= objective + AGREEMENT * abs(objective)
        figures["bound_trusted"] = float(trusted)
        bound = objective if trusted else None
    status = status_of(objective, bound, gap)
    names: tuple[str, ...] = ()
    if limit is None and status == "optimal" and objective is not None and bound is not None:
        limit = "gap" if objective - bound > AGREEMENT * abs(objective) else None
    if infeasible and decision is None:
        status, bound, limit, names = "infeasible", None, None, conflict()
    return Result(status, limit, decision, objective, bound, solver, seconds, names, log, figures)
