"""Solve a problem with the compact model: build, hand over, round, evaluate exactly."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from models.compact.build import Built, build
from models.compact.highs import HighsSolver
from models.compact.matrix import Matrix, read_matrix
from models.compact.outcome import Outcome
from models.compact.plans import decision_of, tidied, unsourced_plan, valid_value, values_of
from models.compact.repair import without_overload
from models.problem import Floats, Problem
from models.result import Decision, Result, status_of
from models.solve import Settings

#: Solver and evaluation may differ by this much, relative, before the bound is doubted.
AGREEMENT = 1e-6


def solve(
    problem: Problem,
    settings: Settings,
    warm_start: Decision | None = None,
    backend: str = "highs",
) -> Result:
    """Solve with HiGHS or CBC (`backend`), starting from `warm_start` where it is given.

    Raises ValueError for an unknown backend, or where the problem holds numbers that are not
    finite.
    """
    if backend not in ("highs", "cbc"):
        raise ValueError(f"no backend {backend!r} of the compact model; there are cbc, highs")
    started = time.monotonic()
    built = build(problem)
    matrix = read_matrix(built.model.prob)
    statistics: dict[str, float | str] = {
        "rows": float(matrix.shape[0]),
        "columns": float(matrix.shape[1]),
        "build_seconds": time.monotonic() - started,
    }
    left = None
    if settings.time_limit is not None:
        left = max(0.0, settings.time_limit - (time.monotonic() - started))
    outcome = _run(built, matrix, settings, left, warm_start, backend)
    statistics.update(outcome.statistics)
    if warm_start is not None:
        told = ("MIP start solution is feasible", "MIPStart provided solution")
        taken = any(text in outcome.log for text in told)
        statistics["warm_start"] = "taken" if taken else "refused"
    return _result(built, matrix, settings, outcome, warm_start, backend, started, statistics)


def _run(
    built: Built,
    matrix: Matrix,
    settings: Settings,
    time_limit: float | None,
    warm_start: Decision | None,
    backend: str,
) -> Outcome:
    """Hand the matrix to the solver."""
    start = None if warm_start is None else start_values(built, matrix, warm_start)
    if backend == "cbc":
        from models.compact.cbc import run_cbc

        return run_cbc(matrix, settings, time_limit, start)
    solver = HighsSolver(matrix, settings.threads, settings.seed)
    if start is not None:
        solver.set_start(start)
    return solver.run(settings, time_limit)


def start_values(built: Built, matrix: Matrix, decision: Decision) -> Floats:
    """The column values (columns,) that a decision means."""
    x = np.zeros(matrix.shape[1])
    for variable, value in values_of(built.model, decision).items():
        x[matrix.columns[variable]] = value
    return x


def _result(
    built: Built,
    matrix: Matrix,
    settings: Settings,
    outcome: Outcome,
    warm_start: Decision | None,
    backend: str,
    started: float,
    statistics: dict[str, float | str],
) -> Result:
    """The best valid plan, valued exactly, beside the proven bound."""
    problem = built.model.problem
    decision, objective = _best_plan(built, matrix, outcome, warm_start, statistics)
    bound = outcome.bound
    if objective is not None and bound is not None and bound > objective:
        # a hair above is the solver's tolerance; more would be a false proof, and is none
        trusted = bound <= objective + AGREEMENT * abs(objective)
        bound = objective if trusted else None
        statistics["bound_trusted"] = float(trusted)
    status = status_of(objective, bound, settings.gap)
    conflict: tuple[str, ...] = ()
    if outcome.infeasible and decision is None:
        from models.conflict import find_conflict

        status, bound = "infeasible", None
        conflict = find_conflict(problem, settings, built)
    limit = outcome.limit
    if limit is None and status == "optimal" and objective is not None and bound is not None:
        limit = "gap" if objective - bound > AGREEMENT * abs(objective) else None
    return Result(
        status=status,
        limit=limit,
        decision=decision,
        objective=objective,
        bound=bound,
        solver=backend,
        seconds=time.monotonic() - started,
        conflict=conflict,
        log=outcome.log,
        statistics=statistics,
    )


def _best_plan(
    built: Built,
    matrix: Matrix,
    outcome: Outcome,
    warm_start: Decision | None,
    statistics: dict[str, Any],
) -> tuple[Decision | None, float | None]:
    """The cheapest plan that breaks no rule: the solver's, the warm start, or nothing made.

    Without a solver's plan the one that leaves every program unsourced still is one, unless an
    award rule forbids it.
    """
    problem = built.model.problem
    plans: list[Decision] = []
    if outcome.x is not None:
        plan = decision_of(built.model, matrix.columns, outcome.x)
        plans.append(without_overload(problem, tidied(problem, plan)))
        statistics["solver_objective"] = float(outcome.objective or 0.0)
    if warm_start is not None:
        plans.append(warm_start)
    if outcome.x is None and not outcome.infeasible:
        plans.append(unsourced_plan(problem))
    best: Decision | None = None
    least: float | None = None
    for plan in plans:
        value = valid_value(problem, plan)
        if value is not None and (least is None or value.objective < least):
            best, least = plan, value.objective
    return best, least
