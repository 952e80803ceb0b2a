"""The main job: a portfolio in, an audited plan out."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allocator.errors import AuditFailed, Usage

if TYPE_CHECKING:
    from allocator.audit import AuditReport
    from allocator.compile import Compiled
    from models.result import Decision, Result

#: What the command line may ask for; `None` leaves it to policy.toml.
SOURCING = ("single", "dual", "free", "secure")


@dataclass(frozen=True)
class RunOutcome:
    """A finished run: the content of plan.json, where its files are (None: none were written)."""

    plan: dict[str, Any]
    folder: Path | None
    compiled: Compiled
    result: Result


@dataclass
class Clock:
    """Seconds spent in each phase of a run, for the record."""

    seconds: dict[str, float] = field(default_factory=dict)
    _since: float = field(default_factory=time.perf_counter)

    def lap(self, phase: str) -> None:
        """Book the time since the last lap to `phase`."""
        now = time.perf_counter()
        self.seconds[phase] = now - self._since
        self._since = now


def run(
    portfolio: str | Path,
    *,
    sourcing: str | None = None,
    scenario: str | Path | None = None,
    solver: str = "auto",
    time_limit: float | None = None,
    gap: float = 0.005,
    threads: int = 1,
    seed: int = 0,
    out: str | Path | None = None,
    progress: Callable[..., None] | None = None,
    stop: Callable[[], bool] | None = None,
    warm_start: Decision | None = None,
) -> RunOutcome:
    """Read, check, solve, audit and write one portfolio.

    `portfolio` is a folder or its portfolio.csv, `time_limit` in seconds, `gap` relative. With
    `out` None nothing stays on disk: the plan is audited in a temporary folder all the same.
    Raises BadData for bad tables, Usage for bad options, AuditFailed where the audit finds
    anything; a portfolio without a plan is a `plan` with status `infeasible` or `no_plan`.
    """
    from allocator.compile import compile_problem
    from allocator.read import read_portfolio
    from models.solve import Settings, solve

    if sourcing is not None and sourcing not in SOURCING:
        raise Usage(f"no sourcing {sourcing!r}; there are {', '.join(SOURCING)}")
    if gap < 0 or threads < 1 or (time_limit is not None and time_limit <= 0):
        raise Usage("gap must be at least 0, threads at least 1, the time limit above 0 s")
    if out is not None:
        from allocator.files import check_target

        check_target(Path(out))  # before the solve, not after it
    clock = Clock()
    scenario = None if scenario is None else Path(scenario)
    tables = read_portfolio(Path(portfolio), scenario)
    clock.lap("read")
    compiled = compile_problem(tables, sourcing)
    clock.lap("compile")
    settings = Settings(time_limit, gap, threads, seed, progress, stop)
    if (sourcing or tables.policy.sourcing) == "secure":
        from allocator.outages import secure_result

        result = secure_result(compiled, solver, settings, warm_start)
    else:
        result = solve(compiled.problem, solver, settings, warm_start)
    clock.lap("solve")
    options = {
        "sourcing": sourcing,
        "solver": solver,
        "time_limit": time_limit,
        "gap": gap,
        "threads": threads,
        "seed": seed,
    }
    return write_outcome(compiled, result, Path(portfolio), scenario, options, out, clock)


def write_outcome(
    compiled: Compiled,
    result: Result,
    portfolio: Path,
    scenario: Path | None,
    options: dict[str, Any],
    out: str | Path | None,
    clock: Clock,
) -> RunOutcome:
    """Turn a result into an audited folder of files (see `run`)."""
    from allocator.files import write_run
    from allocator.plan import build_plan, plan_tables
    from allocator.record import build_record

    plan = build_plan(
        compiled,
        result,
        solver=options["solver"],
        sourcing=options["sourcing"],
        gap=options["gap"],
    )
    tables = plan_tables(compiled, result)
    clock.lap("plan")
    certify = None
    if plan["sourcing"] == "secure" and result.decision is not None:
        from allocator.outages import certificate

        certify = certificate(compiled, result.decision)
        clock.lap("certify")
    record = build_record(portfolio, scenario, options, result, clock.seconds)
    plan, folder, report = write_run(
        out,
        plan,
        tables,
        record,
        portfolio=portfolio,
        scenario=scenario,
        log=result.log,
        certify=certify,
    )
    if not report.passed:
        raise AuditFailed(rejection(report, folder))
    return RunOutcome(plan, folder, compiled, result)


def default_run_folder(portfolio: str | Path, command: str = "") -> Path:
    """`runs/NAME-TIME` under the working folder, NAME that of the portfolio's folder.

    Another command than `run` adds its own name: `runs/NAME-compare-TIME`.
    A counter is added where the folder exists, so no earlier run is ever replaced.
    """
    folder = Path(portfolio).resolve()
    name = (folder.parent if folder.suffix == ".csv" else folder).name or "portfolio"
    name += f"-{command}" if command else ""
    base = f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    for counter in itertools.count(1):
        target = Path("runs") / (base if counter == 1 else f"{base}-{counter}")
        if not target.exists():
            return target
    raise AssertionError("counting never ends")


def rejection(report: AuditReport, folder: Path | None) -> str:
    """What to say of a plan that the audit refused."""
    lines = [f"{f.rule} {f.where}: {f.what}" for f in report.findings]
    kept = f"; its files are in {folder}" if folder else ""
    return "\n".join([f"the audit found {len(lines)} faults, so there is no plan{kept}", *lines])


def verify(run_folder: str | Path, stress: str | Path | None = None) -> AuditReport:
    """Audit the files of an earlier run again, and a stress test of it in the folder `stress`.

    A stress test in the run's own folder is always audited. Raises Usage where a folder lacks them.
    """
    from allocator.audit import audit

    folder = Path(run_folder)
    tested = folder if stress is None else Path(stress)
    if not (folder / "plan.json").is_file():
        hint = "give the folder of a run"
        if (folder / "stress.json").is_file():
            hint = f"for a stress test `allocator verify RUN --stress {folder}`"
        raise Usage(f"{folder} holds no plan.json; {hint}")
    if stress is not None and not (tested / "stress.json").is_file():
        raise Usage(f"{tested} holds no stress.json; give the folder of a stress test")
    return audit(folder, tested)
