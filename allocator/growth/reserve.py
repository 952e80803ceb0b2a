"""What to reserve now: each scenario's plan and line-days tried in every other scenario.

First the sources, the reserved line-days and the contract are decided, then the demand becomes
known, then the schedule is made within what was reserved (and the share of the other days that can
still be had). The candidates are today's plan, for which nothing is signed, and the plans of the
scenarios under each kind of contract. How each does in each scenario is solved CMO by CMO, with a
bound; schedules under a contract start from there (`allocator.growth.shift`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from allocator.growth.case import Case, Situation, Solving
from allocator.growth.demand import Growth
from allocator.growth.settings import DemandScenario, checked_scenarios, terms
from allocator.growth.shift import Signed, signed_schedules
from allocator.growth.terms import agreements
from models.evaluate import evaluate
from models.parts import cmo_part
from models.restrict import with_days
from models.result import Decision

if TYPE_CHECKING:
    from typing import Any

    from models.problem import Floats, Problem

#: Seconds for the whole question where no limit is given.
SECONDS = 170.0
#: Shares of them after which the scenarios' plans stand, and their schedules in each scenario. What
#: is left is for the schedules under contracts, and where the others took longer at least a share.
PLANS_END, SCHEDULES_END, CONTRACTS_LEAST = 0.6, 0.85, 0.1
#: Even shares of the time left that the contracts of one reservation in one scenario may take: most
#: of them take next to none.
EVEN_SHARES = 3
#: Relative gap of the schedules within a reservation.
GAP = 1e-4
TODAY = "today's plan"


@dataclass(frozen=True)
class Reservation:
    """Sources and line-days (L, T) to hold, made for the scenario `name`."""

    name: str
    decision: Decision
    days: Floats

    def room(self, problem: Problem, spot: float) -> Floats:
        """Line-days (L, T) to be had: those held, and the share `spot` of the others."""
        return self.days + spot * np.maximum(problem.lines.days - self.days, 0.0)


@dataclass(frozen=True)
class Outcome:
    """A reservation in a scenario: what the best schedule within it costs, and what none can beat.

    `used` (L, T) line-days, of which the reserved ones first. No contract is paid for in it;
    `signed` has a schedule for each kind of contract that was asked for.
    """

    plan: Decision
    cost: float
    bound: float
    shortage: float
    used: Floats
    signed: tuple[Signed, ...] = ()


def reservation(case: Case, growth: Growth, time_limit: float | None) -> dict[str, Any]:
    """The table of reservations against scenarios, the one to choose, and contract terms for it."""
    from allocator.growth.advice import advice

    seconds = SECONDS if time_limit is None else time_limit
    begun = time.monotonic()
    found = checked_scenarios(case.portfolio, growth)
    situations = [case.situation(s.growth) for s in found]
    held = candidates(case, found, situations, seconds * PLANS_END)
    table = outcomes(case, held, situations, begun + seconds * SCHEDULES_END)
    end = max(begun + seconds, time.monotonic() + seconds * CONTRACTS_LEAST)
    signed = _under_contracts(case, held, situations, table, end)
    return advice(case, found, situations, held, signed)


def candidates(
    case: Case,
    found: Sequence[DemandScenario],
    situations: Sequence[Situation],
    seconds: float,
) -> list[Reservation]:
    """Today's plan, and the plan of each scenario with new qualifications allowed."""
    problem = case.compiled.problem
    held = [Reservation(TODAY, case.decision, _used(problem, case.decision))]
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


def outcomes(
    case: Case, held: Sequence[Reservation], situations: Sequence[Situation], end: float
) -> list[list[Outcome]]:
    """How each reservation does in each scenario; `end` is a moment of `time.monotonic`."""
    spot = terms(case.portfolio.policy)["spot_share"]
    cells = len(held) * len(situations)
    table: list[list[Outcome]] = []
    for candidate in held:
        row = []
        for situation in situations:
            left = (end - time.monotonic()) / cells
            row.append(within(candidate, situation, spot, case.solving, left))
            cells -= 1
        table.append(row)
    return table


def within(
    held: Reservation, situation: Situation, spot: float, solving: Solving, seconds: float
) -> Outcome:
    """The best schedule of a reservation's sources in a scenario, and a bound on all of them.

    Each CMO is solved alone, as nothing else joins them once the sources stand. A schedule that
    breaks a rule on money gives way to the reservation's own.
    """
    problem = situation.problem
    days = held.room(problem, spot)
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
    return Outcome(plan, value.objective, bound, value.shortage, value.used_days)


def _under_contracts(
    case: Case,
    held: Sequence[Reservation],
    situations: Sequence[Situation],
    table: Sequence[Sequence[Outcome]],
    end: float,
) -> list[list[Outcome]]:
    """The outcomes with a schedule for each kind of contract; for today's plan nothing is signed.

    Where a schedule for a contract turns out to be the cheaper one without it, it takes its place.
    """
    spot = terms(case.portfolio.policy)["spot_share"]
    cells = (len(held) - 1) * len(situations)
    signed: list[list[Outcome]] = [list(table[0])]
    for candidate, row in zip(held[1:], table[1:], strict=True):
        new = []
        for situation, outcome in zip(situations, row, strict=True):
            problem = situation.problem
            kinds = agreements(
                case.portfolio, problem, candidate.decision, candidate.days, situation.growth.since
            )
            now = time.monotonic()
            until = min(end, now + EVEN_SHARES * (end - now) / cells)
            days = candidate.room(problem, spot)
            best, schedules = signed_schedules(problem, outcome.plan, days, kinds, until)
            new.append(
                replace(
                    outcome,
                    cost=best.objective,
                    shortage=best.shortage,
                    used=best.used_days,
                    signed=tuple(schedules),
                )
            )
            cells -= 1
        signed.append(new)
    return signed
