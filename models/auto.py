"""Choose the solver by the problem's shape, and hand its plan on while proof is missing.

One-period problems have no schedules to decompose, so the compact model is solved alone. Otherwise
the decomposition runs first; what it leaves open goes to the compact model, where that is small
enough to be worth building, with the plan as its start. The better plan and the better bound of
the two count, and the statistics tell who did what.
"""

from __future__ import annotations

import time
from dataclasses import replace

from models.problem import Problem
from models.result import Decision, Result, relative_gap, status_of
from models.solve import Progress, Settings, solve_by

#: Offers x periods up to which the compact model is worth building after the decomposition.
COMPACT_SIZE = 6_000
#: Seconds under which handing on is not worth it.
LEAST_SECONDS = 1.0


def solve(
    problem: Problem,
    settings: Settings,
    warm_start: Decision | None = None,
    backend: str = "",
) -> Result:
    """Solve with the solver that fits; see the module's text. `backend` is not used."""
    del backend
    started = time.monotonic()
    if problem.periods == 1:
        return told(solve_by("highs", problem, settings, warm_start), "highs: one period")
    first = solve_by("patterns", problem, settings, warm_start)
    left = remaining(settings, time.monotonic() - started)
    small = len(problem.offers.ids) * problem.periods <= COMPACT_SIZE
    done = first.status in ("optimal", "infeasible") or first.limit in ("interrupt", "memory")
    if done or not small or (left is not None and left < LEAST_SECONDS):
        return told(first, "patterns")
    second = solve_by("highs", problem, passed_on(settings, left, first), first.decision)
    return combined(first, second, settings.gap, time.monotonic() - started)


def remaining(settings: Settings, seconds: float) -> float | None:
    """Seconds left of the time limit, None where there is none."""
    return None if settings.time_limit is None else settings.time_limit - seconds


def passed_on(settings: Settings, left: float | None, first: Result) -> Settings:
    """Settings for the second solver: the time left, and progress that keeps the first's best."""
    report = settings.progress
    if report is None:
        return replace(settings, time_limit=left)

    def follow(state: Progress) -> None:
        report(
            Progress(
                state.seconds + first.seconds,
                least(first.objective, state.objective),
                greatest(first.bound, state.bound),
                f"compact {state.phase}".strip(),
            )
        )

    return replace(settings, time_limit=left, progress=follow)


def combined(first: Result, second: Result, gap: float, seconds: float) -> Result:
    """The better plan and the better bound of two results of one problem."""
    best = second if _better(second, first) else first
    bound = greatest(first.bound, second.bound)
    if bound is not None and best.objective is not None:
        bound = min(bound, best.objective)
    status = second.status if best.objective is None else status_of(best.objective, bound, gap)
    limit = second.limit
    if status == "optimal":
        reached = relative_gap(best.objective, bound)
        limit = "gap" if reached else None
    return told(
        replace(
            best,
            status=status,
            limit=limit,
            bound=bound,
            seconds=seconds,
            conflict=second.conflict,
            log=first.log + second.log,
            statistics={
                **{f"patterns_{name}": value for name, value in first.statistics.items()},
                **{f"highs_{name}": value for name, value in second.statistics.items()},
                "plan_of": best.solver,
                "bound_of": _bound_of(first, second),
            },
        ),
        "patterns, then highs",
    )


def told(result: Result, chosen: str) -> Result:
    """The result with what was chosen in its statistics."""
    return replace(result, statistics={**result.statistics, "auto": chosen})


def least(one: float | None, two: float | None) -> float | None:
    """The smaller of two figures that may be missing."""
    return min((x for x in (one, two) if x is not None), default=None)


def greatest(one: float | None, two: float | None) -> float | None:
    """The greater of two figures that may be missing."""
    return max((x for x in (one, two) if x is not None), default=None)


def _better(one: Result, two: Result) -> bool:
    return one.objective is not None and (two.objective is None or one.objective < two.objective)


def _bound_of(first: Result, second: Result) -> str:
    if second.bound is None or (first.bound is not None and first.bound >= second.bound):
        return first.solver
    return second.solver
