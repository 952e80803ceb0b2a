"""Solve a problem with the compact model: build, hand over, round, evaluate exactly."""

from __future__ import annotations

import time

import numpy as np

from models.compact.build import Built, build
from models.compact.highs import HighsSolver
from models.compact.matrix import Matrix, read_matrix
from models.compact.outcome import Outcome
from models.compact.plans import decision_of, values_of
from models.finish import finished, tidied, without_overload
from models.problem import Floats, Problem
from models.result import Decision, Result
from models.solve import Settings


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
    """The plan read from the solver's integers, valued exactly, beside the proven bound."""
    problem = built.model.problem
    plan = None
    if outcome.x is not None:
        plan = tidied(problem, decision_of(built.model, matrix.columns, outcome.x))
        plan = without_overload(problem, plan)
        statistics["solver_objective"] = float(outcome.objective or 0.0)

    def conflict() -> tuple[str, ...]:
        from models.conflict import find_conflict

        return find_conflict(problem, settings, built)

    return finished(
        problem,
        [plan, warm_start],
        bound=outcome.bound,
        limit=outcome.limit,
        infeasible=outcome.infeasible,
        gap=settings.gap,
        solver=backend,
        seconds=time.monotonic() - started,
        log=outcome.log,
        statistics=statistics,
        conflict=conflict,
    )
