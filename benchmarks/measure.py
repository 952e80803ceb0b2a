"""One solve as a whole process, measured: objective and bound over time, seconds, peak memory."""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Sizes as programs, CMOs, periods.
SIZES = {
    "S": (12, 6, 8),
    "M": (40, 12, 12),
    "L": (200, 40, 12),
    "XL": (1000, 120, 12),
    "XXL": (5000, 300, 12),
}
#: Tightness as demanded over offered line-days.
TIGHTNESS = {"loose": 0.6, "tight": 0.85, "short": 1.1}


@dataclass(frozen=True)
class Case:
    """One portfolio of `allocator new` and how it is sourced."""

    programs: int
    cmos: int
    periods: int
    seed: int
    sourcing: str = "free"
    utilisation: float = 0.85


@dataclass(frozen=True)
class Run:
    """What one process did; `trace` lists (seconds, objective or None, bound or None)."""

    objective: float | None
    bound: float | None
    seconds: float
    prepare_seconds: float
    memory_mb: float
    trace: tuple[tuple[float, float | None, float | None], ...]
    status: str


def measure(case: Case, solver: str, limit: float, threads: int) -> Run:
    """Run `solver` on the case in its own process; killed some time after its limit."""
    command = [sys.executable, "-m", "benchmarks.measure", solver, str(limit), str(threads)]
    command.append(json.dumps(case.__dict__))
    nothing = Run(None, None, limit, 0.0, 0.0, (), "killed")
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=limit * 1.5 + 120, check=False
        )
    except subprocess.TimeoutExpired:
        return nothing
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        return Run(None, None, limit, 0.0, 0.0, (), f"failed: {done.stderr.strip()[-200:]}")
    told = json.loads(lines[-1])
    told["trace"] = tuple(tuple(point) for point in told["trace"])
    return Run(**told)


def problem_of(case: Case) -> Any:
    """The compiled problem of a case: written by `allocator new`, read and compiled."""
    from allocator.compile import compile_problem
    from allocator.generator import new
    from allocator.read import read_portfolio

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "portfolio"
        new(
            place,
            case.programs,
            case.cmos,
            case.periods,
            case.seed,
            utilisation=case.utilisation,
        )
        started = time.monotonic()
        compiled = compile_problem(read_portfolio(place), case.sourcing)
    return compiled.problem, time.monotonic() - started


def child(case: Case, solver: str, limit: float, threads: int) -> Run:
    """Solve in this process, its time limit counted from the reading of the tables on."""
    from models.solve import Progress, Settings, solve

    problem, prepared = problem_of(case)
    trace: list[tuple[float, float | None, float | None]] = []

    def progress(now: Progress) -> None:
        trace.append((prepared + now.seconds, now.objective, now.bound))

    started = time.monotonic()
    if solver == "scip":
        objective, bound, status = scip(problem, limit - prepared, threads)
    else:
        settings = Settings(limit - prepared, threads=threads, progress=progress)
        result = solve(problem, solver, settings)
        objective, bound, status = result.objective, result.bound, result.status
    seconds = prepared + time.monotonic() - started
    trace.append((seconds, objective, bound))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Run(objective, bound, seconds, prepared, memory, tuple(trace), status)


def scip(problem: Any, limit: float, threads: int) -> tuple[float | None, float | None, str]:
    """SCIP on our MPS file of the compact model."""
    from pyscipopt import Model

    from models.compact import write_model

    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "model.mps"
        write_model(problem, place)
        model = Model()
        model.hideOutput()
        model.readProblem(str(place))
        model.setParam("limits/time", max(1.0, limit - (time.monotonic() - started)))
        model.setParam("limits/gap", 1e-4)
        model.setParam("parallel/maxnthreads", threads)
        model.optimize()
        objective = model.getObjVal() if model.getNSols() else None
        return objective, float(model.getDualbound()), str(model.getStatus())


def quietly(work: Callable[[], Run]) -> Run:
    """Do `work` with standard output pointed elsewhere: solvers print stray lines from C."""
    kept = os.dup(1)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        try:
            return work()
        finally:
            os.dup2(kept, 1)


def main() -> None:
    """Entry of the child process: one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("solver")
    parser.add_argument("limit", type=float)
    parser.add_argument("threads", type=int)
    parser.add_argument("case")
    asked = parser.parse_args()
    case = Case(**json.loads(asked.case))
    run = quietly(lambda: child(case, asked.solver, asked.limit, asked.threads))
    sys.stdout.write(json.dumps(run.__dict__) + "\n")


if __name__ == "__main__":
    main()
