"""One door to every formulation: choose a solver by name, with one set of settings."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from models.problem import Problem
from models.result import Decision, Result


@dataclass(frozen=True)
class Progress:
    """The state of a solve: seconds since its start, best objective and bound so far, or None.

    `decision` is the plan of that objective where the solver tells it.
    """

    seconds: float
    objective: float | None
    bound: float | None
    phase: str = ""
    decision: Decision | None = None


@dataclass(frozen=True)
class Settings:
    """How to solve. `time_limit` in seconds (None: no limit), `gap` relative, e.g. 0.005.

    `progress` is called now and then; `stop` is polled and ends the solve with the best plan so far
    when it returns True (limit "interrupt").
    """

    time_limit: float | None = None
    gap: float = 1e-4
    threads: int = 1
    seed: int = 0
    progress: Callable[[Progress], None] | None = None
    stop: Callable[[], bool] | None = None


#: Solver name -> module with `solve(problem, settings, warm_start, backend)`, and its backend.
SOLVERS = {
    "patterns": ("models.patterns", ""),
    "highs": ("models.compact", "highs"),
    "cbc": ("models.compact", "cbc"),
    "cpsat": ("models.cpsat", ""),
    "auto": ("models.auto", ""),
}


#: Rule kinds that a formulation does not have; a problem with one goes to the compact model.
LACKS = {"patterns": frozenset({"risk_cap"}), "cpsat": frozenset({"risk_cap"})}


def able(solver: str, problem: Problem) -> str:
    """The solver itself where it has every rule of the problem, else `highs`, which has all."""
    lacking = LACKS.get(solver, frozenset())
    return "highs" if any(rule.name in lacking for rule in problem.rules) else solver


def solve(
    problem: Problem,
    solver: str = "auto",
    settings: Settings | None = None,
    warm_start: Decision | None = None,
) -> Result:
    """Solve `problem`; the result's objective is evaluated exactly, its bound is proven.

    A solver that lacks a rule of the problem is not asked: see `able`. Raises ValueError for an
    unknown solver name.
    """
    if solver not in SOLVERS:
        raise ValueError(f"no solver {solver!r}; there are {', '.join(sorted(SOLVERS))}")
    return solve_by(solver, problem, settings or Settings(), warm_start)


def solve_by(
    solver: str, problem: Problem, settings: Settings, warm_start: Decision | None
) -> Result:
    """Solve with the named solver, whose module is imported only now."""
    module, backend = SOLVERS[able(solver, problem)]
    result: Result = importlib.import_module(module).solve(problem, settings, warm_start, backend)
    return result
