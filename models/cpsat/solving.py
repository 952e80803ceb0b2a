"""Solve a problem with CP-SAT: build, search, evaluate exactly, correct the bound."""

from __future__ import annotations

import time

from models.cpsat.model import new_model
from models.cpsat.plans import add_hint, decision_of
from models.cpsat.running import run
from models.finish import finished, tidied, unsourced_plan, without_overload
from models.problem import Problem
from models.result import Decision, Result
from models.solve import Settings


def solve(
    problem: Problem,
    settings: Settings,
    warm_start: Decision | None = None,
    backend: str = "",
) -> Result:
    """Solve with CP-SAT, starting from `warm_start` where it is given; `backend` is not used.

    The statistics say how money and quantities were scaled, and `rounding_error`, the money that
    rounding can cost; it is taken off the bound.
    """
    started = time.monotonic()
    model = new_model(problem, settings.gap)
    # the plan that makes nothing is a plan at once, and every search needs one to prune by
    add_hint(model, unsourced_plan(problem) if warm_start is None else warm_start)
    statistics: dict[str, float | str] = {
        "variables": float(len(model.most)),
        "build_seconds": time.monotonic() - started,
        "money_scale": model.scales.money,
        "most_parts_per_batch": float(model.scales.parts.max(initial=1)),
        "rounding_error": model.error,
    }
    left = None
    if settings.time_limit is not None:
        left = max(0.0, settings.time_limit - (time.monotonic() - started))
    answer = run(model, settings, left)
    plan, bound = None, None
    if answer.found:
        plan = tidied(problem, decision_of(model, answer.solver.value))
        plan = without_overload(problem, plan)
        statistics["solver_objective"] = float(answer.objective or 0.0) / model.scales.money
    if answer.bound is not None:
        bound = answer.bound / model.scales.money - model.error

    def conflict() -> tuple[str, ...]:
        from models.conflict import find_conflict

        return find_conflict(problem, settings)

    return finished(
        problem,
        [plan, warm_start],
        bound=bound,
        limit=answer.limit,
        infeasible=answer.infeasible,
        gap=settings.gap,
        solver="cpsat",
        seconds=time.monotonic() - started,
        log=answer.log,
        statistics=statistics,
        conflict=conflict,
    )
