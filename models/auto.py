"""The solver `auto`: which formulation suits a problem, and what two of them prove together."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from models.problem import Problem
from models.result import Decision, Result, status_of
from models.solve import Progress, Settings, able, solve_by

#: Batch variables (offers x periods) up to which the compact model has a part: up to the first it
#: is tried first, as HiGHS proves these at once; up to the second, where limits on spend shares
#: bind, it goes on from the plan of the decomposition, which has good plans much sooner
#: (docs/performance.md).
TINY, COMPACT_TOO = 250, 1_500
#: The same for problems of one period, which lack what the decomposition lives on (stock over time,
#: campaigns): it finds the first plan, the compact model goes on (docs/literature.md).
ONE_PERIOD_TOO = 20_000
#: Share of the time limit, and seconds without one, that the first of two solvers may take; and of
#: the decomposition where there is one period.
FIRST_SHARE, FIRST_SECONDS = 0.35, 20.0
ONE_PERIOD_SHARE, ONE_PERIOD_SECONDS = 0.1, 5.0


def solve(
    problem: Problem, settings: Settings, warm_start: Decision | None = None, backend: str = ""
) -> Result:
    """Solve with the compact model, the decomposition, or one after the other.

    `statistics["auto"]` names the solvers run, in order; the best plan and the best bound of all
    of them are reported together. `backend` is not used.
    """
    del backend
    from models.patterns.warming import warm_up

    started = time.monotonic()
    size = problem.max_batches.size
    if size > TINY and able("patterns", problem) == "patterns":
        started += warm_up(settings)
    order, share, seconds = order_of(problem, settings)
    if len(order) == 1:
        return _named(solve_by(order[0], problem, settings, warm_start), order[0], started)
    if settings.time_limit is not None:
        seconds = share * settings.time_limit
    first = solve_by(order[0], problem, replace(settings, time_limit=seconds), warm_start)
    if first.status in ("optimal", "infeasible") or first.limit == "interrupt":
        return _named(first, order[0], started)
    if size <= TINY:
        started += warm_up(settings)
    rest = _left(settings, started, first)
    second = solve_by(order[1], problem, rest, first.decision or warm_start)
    return _named(joined(first, second, settings.gap), ", ".join(order), started)


def order_of(problem: Problem, settings: Settings) -> tuple[tuple[str, ...], float, float]:
    """The solvers to run, and what the first of two may take: share of the limit, seconds."""
    from models.patterns.solving import shares_bind

    if able("patterns", problem) != "patterns":
        return ("highs",), 1.0, FIRST_SECONDS
    size = problem.max_batches.size
    if size <= TINY:
        return ("highs", "patterns"), FIRST_SHARE, FIRST_SECONDS
    if problem.periods == 1 and size <= ONE_PERIOD_TOO:
        return ("patterns", "highs"), ONE_PERIOD_SHARE, ONE_PERIOD_SECONDS
    if size <= COMPACT_TOO and shares_bind(problem, settings):
        return ("patterns", "highs"), FIRST_SHARE, FIRST_SECONDS
    return ("patterns",), 1.0, FIRST_SECONDS


def joined(first: Result, second: Result, gap: float) -> Result:
    """The second result with the better plan and the better bound of both."""
    if second.status == "infeasible":
        return second
    best = second
    if first.objective is not None and (
        second.objective is None or first.objective < second.objective
    ):
        best = first
    bounds = [bound for bound in (first.bound, second.bound) if bound is not None]
    bound = max(bounds, default=None)
    if bound is not None and best.objective is not None:
        bound = min(bound, best.objective)
    status = status_of(best.objective, bound, gap)
    return replace(
        second,
        status=status,
        limit=None if status == "optimal" and second.limit == "time" else second.limit,
        decision=best.decision,
        objective=best.objective,
        bound=bound,
    )


def _left(settings: Settings, started: float, first: Result) -> Settings:
    """Settings of the second solver: the time that is left, and its progress told as ours."""
    gone = time.monotonic() - started
    limit = None if settings.time_limit is None else max(0.0, settings.time_limit - gone)
    progress: Callable[[Progress], None] | None = None
    report = settings.progress
    if report is not None:

        def progress(now: Progress) -> None:
            bounds = [bound for bound in (now.bound, first.bound) if bound is not None]
            report(replace(now, seconds=now.seconds + gone, bound=max(bounds, default=None)))

    return replace(settings, time_limit=limit, progress=progress)


def _named(result: Result, solvers: str, started: float) -> Result:
    """The result as `auto`'s own, with what it did on record."""
    statistics = {**result.statistics, "auto": solvers}
    return replace(result, solver="auto", seconds=time.monotonic() - started, statistics=statistics)
