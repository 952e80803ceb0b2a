"""The four answers to grown demand, each at least as good as the one before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from allocator.errors import RulesConflict
from allocator.growth.abreast import solve_abreast, worthwhile
from allocator.growth.bottleneck import unmet_shares
from allocator.growth.case import ANSWERS, TITLES, Case, Situation
from allocator.growth.why import explain
from models.evaluate import evaluate
from models.result import Result, relative_gap, status_of

if TYPE_CHECKING:
    from allocator.compile import Compiled
    from models.restrict import Restricted
    from models.result import Decision

#: Share of the time left that each answer may take where one is solved after the other: later ones
#: decide more.
SHARES = {"rescheduled": 0.25, "requalified": 0.45, "expanded": 1.0}
#: Answers that are solved at once where that is worth it.
ABREAST = ("requalified", "expanded")
#: Months of supply by which a program must be worse off than today to count as losing.
LOSES_MONTHS = 0.005


@dataclass(frozen=True)
class Answer:
    """One answer: its plan as plan.json has it, and the decision behind it.

    `compiled` holds the problem that the plan belongs to: line-days with surge in "expanded".
    `months_short` maps programs to months of supply missing.
    """

    name: str
    compiled: Compiled
    result: Result
    plan: Mapping[str, Any]

    @property
    def decision(self) -> Decision:
        """What was decided; every answer has a plan."""
        assert self.result.decision is not None
        return self.result.decision

    @property
    def title(self) -> str:
        """What the answer allows, in words."""
        return TITLES.get(self.name, "today's plan at today's demand")

    @property
    def months_short(self) -> dict[str, float]:
        """Months of supply missing, by program."""
        return {row["program_id"]: row["months_short"] for row in self.plan["programs"]}


def answer_of(name: str, compiled: Compiled, result: Result, case: Case) -> Answer:
    """The answer of a result in the rows of `compiled.problem`."""
    from allocator.plan import build_plan

    solving = case.solving
    plan = build_plan(
        compiled, result, solver=solving.solver, sourcing=case.sourcing, gap=solving.gap
    )
    return Answer(name, compiled, result, plan)


def four_answers(situation: Situation) -> tuple[Answer, ...]:
    """The answers in the order of ANSWERS: no later one costs more than an earlier one.

    The plan of each is a plan of the next, and a bound of a later one holds for those before it,
    which allow less. Raises RulesConflict where today's sources cannot keep the rules.
    """
    from allocator.growth.stretch import stretched

    case = situation.case
    held = situation.room("stretched").problem
    whole = replace(situation.problem, lines=held.lines)
    plan = stretched(whole, case.decision, situation.factors)
    stretch = evaluate(whole, plan)
    if stretch.broken:  # such as less demand, and a limit on a CMO's share of spend
        rules = ", ".join(dict.fromkeys(each.split(": ")[0] for each in stretch.broken))
        raise RulesConflict(
            "at the demand asked no answer can begin: today's plan, its schedule stretched, breaks "
            f"{rules}; loosen that in policy.toml, or ask for other growth"
        )
    value = stretch.objective
    results = {"stretched": Result("optimal", None, plan, value, value, "stretch", 0.0)}
    results |= _solved(situation, plan)
    answers = []
    bound: float | None = None
    for name in reversed(ANSWERS):
        result = results[name]
        if name != "stretched":
            known = [b for b in (result.bound, bound) if b is not None]
            bound = max(known, default=None)
            result = with_bound(result, bound, case.solving.gap)
        room = situation.room(name)
        problem = replace(situation.problem, lines=room.problem.lines)
        compiled = replace(situation.compiled, problem=problem)
        answers.append(answer_of(name, compiled, result, case))
    return tuple(reversed(answers))


def _solved(situation: Situation, start: Decision) -> dict[str, Result]:
    """Results of all answers but the first, plans in the rows of the whole problem."""
    solving = situation.case.solving
    rooms = {name: situation.room(name) for name in ANSWERS[1:]}
    together: dict[str, Result] = {}
    plan, results = start, {}
    for name, room in rooms.items():
        if name in ABREAST and not together and worthwhile(solving, room.problem):
            asked = {each: (rooms[each].problem, rooms[each].lower(plan)) for each in ABREAST}
            together = solve_abreast(solving, asked)
        if name in together:
            result = _no_worse(room, together[name], plan)
        else:
            result = solving.run(room.problem, room.lower(plan), name, SHARES[name])
        assert result.decision is not None  # the start is a plan
        plan = room.lift(result.decision)
        results[name] = replace(result, decision=plan)
    return results


def _no_worse(room: Restricted, result: Result, other: Decision) -> Result:
    """The result, or where it is cheaper a plan that was found meanwhile."""
    inside = room.lower(other)
    if inside is None:
        return result
    objective = evaluate(room.problem, inside).objective
    if result.objective is not None and result.objective <= objective:
        return result
    return replace(result, decision=inside, objective=objective)


def with_bound(result: Result, bound: float | None, gap: float) -> Result:
    """The result with a better bound, never above its objective."""
    if bound is None or result.objective is None:
        return result
    bound = min(bound, result.objective)
    status = status_of(result.objective, bound, gap)
    limit = result.limit
    if status == "optimal":
        reached = relative_gap(result.objective, bound) or 0.0
        limit = "gap" if reached > 1e-6 else None
    return replace(result, bound=bound, status=status, limit=limit)


def losers(answer: Answer, today: Answer) -> list[dict[str, Any]]:
    """Programs with more months of supply missing than in today's plan, worst money first."""
    before = today.months_short
    programs = answer.compiled.portfolio.programs
    rows = []
    for row in answer.plan["programs"]:
        program_id, months = row["program_id"], row["months_short"]
        was = before.get(program_id, 0.0)
        if months <= was + LOSES_MONTHS:
            continue
        wanted = sum(programs[program_id].demand)
        rows.append(
            {
                "program_id": program_id,
                "months_short": months,
                "months_short_today": was,
                "shortage": row["costs"]["shortage"],
                "on_time_share": 1.0 - row["unmet_units"] / wanted if wanted > 0 else None,
                "sources": [source["line_id"] for source in row["sources"]],
            }
        )
    return sorted(rows, key=lambda r: (-r["shortage"], r["program_id"]))


def fullest_lines(answer: Answer) -> list[dict[str, Any]]:
    """Used lines by utilisation over the horizon, the fullest first, with their fullest period."""
    rows = []
    for line in answer.plan["lines"]:
        days = line["days"]
        used = sum(day["used"] for day in days.values())
        offered = sum(day["offered"] for day in days.values())
        if used <= 0:
            continue
        shares = {t: d["used"] / d["offered"] for t, d in days.items() if d["offered"] > 0}
        peak = max(shares, key=lambda t: shares[t])
        rows.append(
            {
                "line_id": line["line_id"],
                "cmo_id": line["cmo_id"],
                "expanded": line["expanded"],
                "used_days": used,
                "offered_days": offered,
                "utilisation": used / offered,
                "fullest_period": peak,
                "fullest_utilisation": shares[peak],
            }
        )
    return sorted(rows, key=lambda r: (-r["utilisation"], r["line_id"]))


def reasons(answer: Answer, today: Answer) -> tuple[dict[str, Any] | None, list[str]]:
    """What breaks first, and a sentence for each line and program to blame, the dearest first."""
    problem = answer.compiled.problem
    before = unmet_shares(today.compiled.problem, today.decision)
    if answer is today:
        before = np.zeros_like(before)
    return explain(problem, answer.decision, before, worst_first=True)


def answer_figures(answer: Answer, today: Answer) -> dict[str, Any]:
    """An answer as capacity.json has it."""
    plan = answer.plan
    first, why = reasons(answer, today)
    names = (
        "status", "limit", "solver", "objective", "bound", "gap", "cash_cost", "shortage_cost",
        "risk_cost", "cost_lines", "months_short", "expected_delay_months", "on_time_share",
    )  # fmt: skip
    return {
        "name": answer.name,
        "title": answer.title,
        **{name: plan[name] for name in names},
        "expanded": [line["line_id"] for line in plan["lines"] if line["expanded"]],
        "unsourced": [p["program_id"] for p in plan["programs"] if not p["sources"]],
        "audit": plan["audit"],
        "losers": losers(answer, today),
        "breaks_first": first,
        "why": why,
        "lines": fullest_lines(answer),
        "programs": plan["programs"],
    }
