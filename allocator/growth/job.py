"""The job: a portfolio and a growth of demand in, four answers and what follows from them out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allocator.errors import NoPlan, RulesConflict, Usage

if TYPE_CHECKING:
    from allocator.compile import Compiled
    from allocator.growth.answers import Answer
    from allocator.growth.case import Case, Solving
    from allocator.growth.demand import Growth
    from allocator.growth.report import CapacityReport
    from models.result import Decision, Result

#: Share of the time limit for finding today's plan where no run is given.
TODAY_SHARE = 0.2
#: Shares of the time limit, on top of it: for the points of the curve of service, and for a plan
#: that keeps the service level where the last answer does not.
CURVE_SHARE, LEVEL_SHARE = 0.1, 0.25
#: How many times the time limit breakpoints take on top of it.
BREAKPOINT_SHARE = 1.6


def capacity(
    portfolio: str | Path,
    *,
    demand: float = 2.0,
    programs: Mapping[str, float] | None = None,
    forms: Mapping[str, float] | None = None,
    since: str | None = None,
    ramp: int | None = None,
    run: str | Path | None = None,
    sourcing: str | None = None,
    scenario: str | Path | None = None,
    solver: str = "auto",
    time_limit: float | None = None,
    gap: float = 0.005,
    threads: int = 1,
    seed: int = 0,
    breakpoints: bool = False,
    slots: int = 0,
    reserve: bool = False,
    out: str | Path | None = None,
    progress: Callable[..., None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> CapacityReport:
    """What happens when demand grows: four answers side by side (docs/capacity.md).

    `demand` multiplies all demand, `forms` and `programs` that of single dosage forms and programs
    (the most specific stands), from the period `since` on, in `ramp` equal steps. Today's plan is
    that of the folder `run`, else it is solved first. `breakpoints` asks for the largest multiplier
    that each answer survives, `slots` for the exact value of so many more batches and line-days,
    `reserve` for the line-days to reserve against the demand scenarios of the policy. `time_limit`
    in seconds is for the four answers together; what else is asked for takes its own share on top
    (docs/capacity.md). Each answer is audited as a run of its own; with `out` these runs and the
    files of the report are written there. Raises Usage for unknown ids, BadData for bad tables,
    RulesConflict and NoPlan where there is no plan of today or it breaks a rule once its schedule
    is stretched, AuditFailed.
    """
    from allocator.growth.actions import action_list
    from allocator.growth.answers import answer_figures, answer_of, four_answers
    from allocator.growth.audited import audited
    from allocator.growth.case import Solving
    from allocator.growth.demand import Growth, check_growth
    from allocator.growth.files import check_folder, staging, write_files
    from allocator.growth.level import SECONDS as LEVEL_SECONDS
    from allocator.growth.level import level_plan
    from allocator.growth.report import CapacityReport, report_data
    from allocator.growth.reserve import reservation
    from allocator.growth.settings import checked_scenarios
    from allocator.growth.slots import SECONDS, slot_values
    from allocator.read import read_portfolio

    check_options(gap, threads, time_limit)
    if out is not None:
        check_folder(Path(out))
    changes = None if scenario is None else Path(scenario)
    tables = read_portfolio(Path(portfolio), changes)
    asked = Growth(demand, dict(programs or {}), dict(forms or {}), since or "", ramp or 1)
    growth = check_growth(tables, asked)
    if reserve:
        checked_scenarios(tables, growth)  # what is wrong with them ends it before any solve
    until = None if time_limit is None else time.monotonic() + time_limit
    solving = Solving(solver, gap, threads, seed, until, progress, stop)
    case = todays_case(tables, sourcing, run, solving)
    today = answer_of("today", case.compiled, case.result, case)
    situation = case.situation(growth)
    solved = four_answers(situation)
    case = replace(case, solving=replace(solving, until=None))
    situation = replace(situation, case=case)
    kept = level_plan(
        situation, solved, LEVEL_SECONDS if time_limit is None else LEVEL_SHARE * time_limit
    )
    more = () if kept.answer is solved[-1] else (kept.answer,)
    with staging(out) as staged:
        given = (today, *solved, *more)
        today, *rest = audited(given, situation, Path(portfolio), changes, staged)
        answers = tuple(rest[: len(solved)])
        kept = replace(kept, answer=rest[-1])
        data = report_data(growth, today, answers) | {"notes": notes_of(case)}
        if more:
            data["level"] = answer_figures(kept.answer, today)
        data["actions"] = action_list(case, kept.answer) | kept.figures()
        plans = plans_of(case, (*answers, kept.answer))
        data |= breakpoint_data(case, growth, answers, plans, breakpoints, time_limit)
        if slots:
            data["slots"] = slot_values(
                answers[1], slots, case.solving, SECONDS if time_limit is None else time_limit
            )
        if reserve:
            data["reserve"] = reservation(case, growth, time_limit)
        level = kept.answer if more else None
        report = CapacityReport(growth, today, answers, data, level=level)
        return report if out is None else write_files(report, Path(out), staged)


def notes_of(case: Case) -> list[str]:
    """What was asked for and is answered otherwise."""
    if (case.sourcing or case.portfolio.policy.sourcing) != "secure":
        return []
    return [
        "Sourcing is secure, which no answer is: each is solved as free and may leave programs"
        " short when one CMO stops. Today's plan is secure only where --run gives a secure run."
    ]


def breakpoint_data(
    case: Case,
    growth: Growth,
    answers: Sequence[Answer],
    plans: Sequence[Decision],
    asked: bool,
    time_limit: float | None,
) -> dict[str, Any]:
    """The breakpoints if `asked`, and the curve of service with the answers among its points.

    `plans` are known, in the rows of today's problem.
    """
    from allocator.growth.breakpoints import SECONDS, breakpoints
    from allocator.growth.curve import SECONDS as CURVE_SECONDS
    from allocator.growth.curve import curve_of

    spent = CURVE_SECONDS if time_limit is None else CURVE_SHARE * time_limit
    if not asked:
        return {"curve": curve_of(case, growth, answers, plans, seconds=spent)}
    seconds = SECONDS if time_limit is None else BREAKPOINT_SHARE * time_limit
    found = breakpoints(case, growth, seconds, plans)
    curve = curve_of(case, growth, answers, plans, found.pop("probes"), spent)
    return {"breakpoints": found, "curve": curve}


def plans_of(case: Case, answers: Sequence[Answer]) -> list[Decision]:
    """The answers' plans, where growth has left the rows of the problem as they are today."""
    ours = case.compiled.problem
    rows = (ours.offers.ids, len(ours.options.program))
    theirs = [(a, a.compiled.problem) for a in answers]
    return [a.decision for a, p in theirs if (p.offers.ids, len(p.options.program)) == rows]


def check_options(gap: float, threads: int, time_limit: float | None) -> None:
    """Raise Usage for options out of range."""
    if gap < 0 or threads < 1 or (time_limit is not None and time_limit <= 0):
        raise Usage("gap must be at least 0, threads at least 1, the time limit above 0 s")


def todays_case(
    tables: Any, sourcing: str | None, run: str | Path | None, solving: Solving
) -> Case:
    """The tables with today's plan: that of a run, else solved at today's demand."""
    from allocator.compile import compile_problem
    from allocator.engine import SOURCING
    from allocator.growth.case import Case

    if sourcing is not None and sourcing not in SOURCING:
        raise Usage(f"no sourcing {sourcing!r}; there are {', '.join(SOURCING)}")
    if run is not None:
        sourcing, compiled, result = _of_run(tables, sourcing, Path(run))
    else:
        compiled = compile_problem(tables, sourcing)
        result = solving.run(compiled.problem, None, "today", TODAY_SHARE)
    if result.status == "infeasible":
        rules = ", ".join(result.conflict)
        raise RulesConflict(f"there is no plan of today: these rules cannot all hold: {rules}")
    if result.decision is None:
        raise NoPlan(f"no plan of today was found before the limit ({result.limit})")
    return Case(tables, sourcing, compiled, result.decision, result, solving)


def _of_run(tables: Any, sourcing: str | None, run: Path) -> tuple[str | None, Compiled, Result]:
    """Sourcing, problem and plan of a finished run, held against the tables of today."""
    from allocator.compile import compile_problem
    from allocator.files import read_plan
    from allocator.replay import decision_of_plan
    from models.evaluate import evaluate
    from models.result import Result, status_of

    plan = read_plan(run)
    if plan.get("objective") is None:
        raise Usage(f"{run} has no plan: its status is {plan.get('status')}")
    sourcing = sourcing or plan["asked"]["sourcing"]
    compiled = compile_problem(tables, sourcing)
    ours = (list(compiled.problem.programs.ids), list(compiled.problem.period_labels))
    theirs = (sorted(row["program_id"] for row in plan["programs"]), plan["periods"])
    if ours != theirs:
        raise Usage(f"the plan of {run} does not fit the portfolio: other programs or periods")
    decision = decision_of_plan(compiled.problem, plan)
    value = None if decision is None else evaluate(compiled.problem, decision)
    if value is None or value.broken:
        why = "its sources are not offered" if value is None else value.broken[0]
        raise Usage(f"the plan of {run} does not fit the portfolio: {why}")
    same = abs(value.objective - plan["objective"]) <= 1e-6 * abs(value.objective)
    bound = plan["bound"] if same else None
    status = status_of(value.objective, bound, plan["asked"]["gap"])
    solver = plan["solver"]
    return sourcing, compiled, Result(status, None, decision, value.objective, bound, solver, 0.0)
