"""What to reserve now: each scenario's plan and line-days tried in every other scenario.

First the sources and the reserved line-days are decided, then the demand becomes known, then the
schedule is made within what was reserved (and the share of the other days that can still be had).
The candidates are the plans of the scenarios and today's plan; how each does in each scenario is
solved exactly, CMO by CMO.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from allocator.growth.case import Case, Situation, Solving
from allocator.growth.demand import Growth, check_growth
from allocator.growth.settings import DemandScenario, assumed_terms, scenarios, terms
from allocator.growth.terms import compare_terms
from models.evaluate import evaluate
from models.parts import cmo_part
from models.restrict import with_days
from models.result import Decision

if TYPE_CHECKING:
    from models.problem import Floats, Problem

#: Seconds for the whole question where no limit is given, and the share for the scenarios' plans.
SECONDS, PLAN_SHARE = 170.0, 0.6
#: Relative gap of the schedules within a reservation.
GAP = 1e-4


@dataclass(frozen=True)
class Reservation:
    """Sources and line-days (L, T) to hold, made for the scenario `name`."""

    name: str
    decision: Decision
    days: Floats


@dataclass(frozen=True)
class Outcome:
    """A reservation in a scenario: what the best schedule within it costs, and what none can beat.

    `used` (L, T) line-days, of which the reserved ones first.
    """

    cost: float
    bound: float
    cash: float
    shortage: float
    used: Floats


def reservation(case: Case, growth: Growth, time_limit: float | None) -> dict[str, Any]:
    """The table of reservations against scenarios, the one to choose, and contract terms for it."""
    seconds = SECONDS if time_limit is None else time_limit
    end = time.monotonic() + seconds
    policy = case.portfolio.policy
    found = [
        replace(s, growth=check_growth(case.portfolio, s.growth)) for s in scenarios(policy, growth)
    ]
    situations = [case.situation(s.growth) for s in found]
    held = candidates(case, found, situations, seconds * PLAN_SHARE)
    spot = terms(policy)["spot_share"]
    cells = len(held) * len(found)
    table: list[list[Outcome]] = []
    for candidate in held:
        row = []
        for situation in situations:
            left = (end - time.monotonic()) / max(1, cells)
            row.append(within(candidate, situation, spot, case.solving, left))
            cells -= 1
        table.append(row)
    return _report(case, found, held, table, situations)


def candidates(
    case: Case,
    found: Sequence[DemandScenario],
    situations: Sequence[Situation],
    seconds: float,
) -> list[Reservation]:
    """Today's plan, and the plan of each scenario with new qualifications allowed."""
    problem = case.compiled.problem
    held = [Reservation("today's plan", case.decision, _used(problem, case.decision))]
    end = time.monotonic() + seconds
    for number, (scenario, situation) in enumerate(zip(found, situations, strict=True)):
        room = situation.room("requalified")
        left = (end - time.monotonic()) / (len(found) - number)
        start = room.lower(case.decision)
        result = case.solving.within(max(1.0, left)).run(room.problem, start, scenario.name)
        if result.decision is not None:
            plan = room.lift(result.decision)
            held.append(Reservation(scenario.name, plan, _used(situation.problem, plan)))
    return held


def _used(problem: Problem, decision: Decision) -> Floats:
    return evaluate(problem, decision).used_days


def within(
    held: Reservation, situation: Situation, spot: float, solving: Solving, seconds: float
) -> Outcome:
    """The best schedule of a reservation's sources in a scenario, and a bound on all of them.

    Each CMO is solved alone, as nothing else joins them once the sources stand. A schedule that
    breaks a rule on money gives way to the reservation's own.
    """
    problem = situation.problem
    days = held.days + spot * np.maximum(problem.lines.days - held.days, 0.0)
    bounded = replace(
        with_days(problem, days),
        lines=replace(problem.lines, days=days, expansion_days=np.zeros(len(problem.lines.ids))),
    )
    own = replace(held.decision, expanded=np.zeros(len(problem.lines.ids), np.bool_))
    batches = dict(own.batches)
    slack = 0.0
    end = time.monotonic() + seconds
    cmos = sorted(set(problem.offer_cmo[list(batches)].tolist())) if batches else []
    for number, cmo in enumerate(cmos):
        part = cmo_part(bounded, own, cmo)
        left = max(0.5, (end - time.monotonic()) / (len(cmos) - number))
        result = solving.within(left).run(
            part.problem, part.lower(own), f"reserve: {held.name}", gap=GAP
        )
        if result.decision is None or result.objective is None:
            continue
        slack += result.objective - (result.bound if result.bound is not None else 0.0)
        batches |= {int(part.offers[f]): n for f, n in result.decision.batches.items()}
    plan = Decision(own.option, batches, held.decision.expanded)
    value = evaluate(problem, plan)
    bound = value.objective - slack
    if value.broken:
        plan = held.decision
        value = evaluate(problem, plan)
    return Outcome(value.objective, bound, value.cash_cost, value.shortage, value.used_days)


def _report(
    case: Case,
    found: Sequence[DemandScenario],
    held: Sequence[Reservation],
    table: Sequence[Sequence[Outcome]],
    situations: Sequence[Situation],
) -> dict[str, Any]:
    """The tables of costs and regrets, the choice, the days to reserve, and the contract terms."""
    cost = np.array([[outcome.cost for outcome in row] for row in table])
    regret = cost - cost.min(0)
    odds = [s.probability for s in found]
    expected = None
    if all(p is not None for p in odds):
        expected = cost @ np.array(odds, np.float64)
    score = regret.max(1) if expected is None else expected
    best = int(np.argmin(score))
    policy = case.portfolio.policy
    return {
        "criterion": "worst regret" if expected is None else "expected cost",
        "assumed": assumed_terms(policy),
        "scenarios": [
            {"name": s.name, "demand": s.growth.demand, "probability": s.probability} for s in found
        ],
        "reservations": [
            {
                "name": held[i].name,
                "line_days": float(held[i].days.sum()),
                "costs": [outcome.cost for outcome in row],
                "bounds": [outcome.bound for outcome in row],
                "shortages": [outcome.shortage for outcome in row],
                "regrets": regret[i].tolist(),
                "worst_regret": float(regret[i].max()),
                "expected_cost": None if expected is None else float(expected[i]),
            }
            for i, row in enumerate(table)
        ],
        "choice": held[best].name,
        "line_days": _line_days(case, held[best], held[0]),
        "terms": compare_terms(
            case,
            found,
            situations[0].problem,
            held[best].decision,
            held[best].days,
            [outcome.used for outcome in table[best]],
            (cost[0] - cost[best]).tolist(),
        ),
    }


def _line_days(case: Case, chosen: Reservation, today: Reservation) -> list[dict[str, Any]]:
    """Line-days to reserve by line and period, and those of today's plan."""
    problem = case.compiled.problem
    return [
        {
            "line_id": line_id,
            "period": label,
            "days": float(chosen.days[line, t]),
            "days_today": float(today.days[line, t]),
        }
        for line, line_id in enumerate(problem.lines.ids)
        for t, label in enumerate(problem.period_labels)
        if chosen.days[line, t] > 0 or today.days[line, t] > 0
    ]
