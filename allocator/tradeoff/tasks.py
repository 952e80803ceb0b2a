"""One plan of many: solved under its limits, audited, and left as a run folder that can be reused.

What was finished before is taken over where inputs, options and version are the same and its audit
still passes. A plan that was interrupted is the start of its own continuation.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allocator.tradeoff.crew import Report, Stop
from allocator.tradeoff.limits import Limits
from allocator.tradeoff.starting import Guide, best_start, left, prepared

if TYPE_CHECKING:
    from models.problem import Problem
    from models.result import Decision, Result


@dataclass(frozen=True)
class Task:
    """A plan to make: `sourcing` None is the policy's, `time_limit` in seconds (None: none).

    `folder` is where its run goes, `starts` are run folders whose plans may serve as a start.
    Another start is planned quickly with the sources that `guide` names, or with those that the
    plans of the runs in `pool` combine.
    """

    folder: Path
    portfolio: Path
    scenario: Path | None = None
    sourcing: str | None = None
    solver: str = "auto"
    gap: float = 0.005
    time_limit: float | None = None
    seed: int = 0
    limits: Limits = field(default_factory=Limits)
    starts: tuple[Path, ...] = ()
    guide: Guide = ()
    pool: tuple[Path, ...] = ()

    @property
    def options(self) -> dict[str, Any]:
        """What the plan depends on besides its inputs, as the record of the run states it."""
        stated = {
            "sourcing": self.sourcing,
            "solver": self.solver,
            "time_limit": self.time_limit,
            "gap": self.gap,
            "threads": 1,
            "seed": self.seed,
        }
        limits = self.limits.stated()
        return stated | ({"limits": limits} if limits else {})


@dataclass(frozen=True)
class Done:
    """A plan made, or taken over (`reused`).

    `cost_bound` is the proven least of what the task minimised, which differs from the objective
    where its limits change the weight of risk; None where nothing is proven.
    """

    folder: Path
    plan: dict[str, Any]
    reused: bool = False
    cost_bound: float | None = None

    @property
    def found(self) -> bool:
        """Whether there is a plan at all."""
        return self.plan["objective"] is not None


def solve_task(task: Task, progress: Report = None, stop: Stop = None) -> Done:
    """Make the plan of a task, or take it over from its folder. Raises what `run` raises."""
    former = finished_run(task)
    if former is not None:
        return former
    from allocator.compile import compile_problem
    from allocator.engine import Clock, write_outcome
    from allocator.read import read_portfolio
    from models.solve import Settings, solve

    clock = Clock()
    tables = read_portfolio(task.portfolio, task.scenario)
    clock.lap("read")
    compiled = compile_problem(tables, task.sourcing)
    limited = task.limits.apply(compiled)
    clock.lap("compile")
    settings = Settings(task.time_limit, task.gap, 1, task.seed, progress, stop)
    start = best_start(limited, compiled, (task.folder, *task.starts))
    start = prepared(task, limited, compiled, start, settings)
    settings = replace(settings, time_limit=left(task.time_limit, clock))
    if task.sourcing == "secure":
        from allocator.outages import secure_result

        bound_to = replace(compiled, problem=limited.problem)
        solved = secure_result(bound_to, task.solver, settings, start)
    else:
        solved = solve(limited.problem, task.solver, settings, start)
    clock.lap("solve")
    result = limited.result(compiled.problem, solved, task.gap)
    options = task.options | ({"cost_bound": solved.bound} if limited.reweighted else {})
    outcome = write_outcome(
        compiled, result, task.portfolio, task.scenario, options, task.folder, clock
    )
    return Done(task.folder, outcome.plan, cost_bound=solved.bound)


def finished_run(task: Task) -> Done | None:
    """The task's plan from its folder, where it is still what the task asks for."""
    from allocator.audit import audit
    from allocator.errors import Usage
    from allocator.files import read_plan, read_record
    from allocator.record import input_files, sha256, version

    try:
        plan, record = read_plan(task.folder), read_record(task.folder)
    except Usage:
        return None
    stated = dict(record.get("options", {}))
    bound = stated.pop("cost_bound", plan.get("bound"))
    files = input_files(task.portfolio, task.scenario)
    same = (
        stated == task.options
        and record.get("version") == version("allocator")
        and record.get("inputs") == {name: sha256(path) for name, path in files.items()}
        and plan.get("limit") != "interrupt"
    )
    if not same or not audit(task.folder).passed:
        return None
    return Done(task.folder, plan, reused=True, cost_bound=bound)


def run_key(run: Path) -> str:
    """Tells runs apart by all that what is worked out from them depends on.

    That is the plan, its inputs and the version, since tables may change and the plan not.
    """
    from allocator.files import read_record
    from allocator.outages.files import plan_hash
    from allocator.record import version

    told = [plan_hash(run), read_record(run).get("inputs"), version("allocator")]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def restated(problem: Problem, solved: Result, decision: Decision | None, gap: float) -> Result:
    """A result of a changed problem as one of `problem`: its objective there, no bound."""
    from models.evaluate import evaluate
    from models.result import status_of

    if decision is None:
        return replace(solved, decision=None, objective=None)
    objective = evaluate(problem, decision).objective
    status = status_of(objective, None, gap)
    return replace(solved, status=status, decision=decision, objective=objective, bound=None)
