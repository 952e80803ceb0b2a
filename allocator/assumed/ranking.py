"""`allocator sensitivity`: which number is worth going to get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from allocator.assumed.doubts import doubts
from allocator.assumed.report import Finding, SensitivityReport, write_report
from allocator.assumed.resolving import Means, describe, resolve
from allocator.assumed.screening import screen
from allocator.errors import Usage
from allocator.replay import FinishedRun, read_finished
from models.solve import SOLVERS, Settings

#: What follows the analysis: what is done, and how many of how many.
Progress = Callable[[str, int, int], None]


def sensitivity(
    run_folder: str | Path,
    *,
    top: int = 10,
    solver: str = "auto",
    gap: float = 0.005,
    time_limit: float | None = 30.0,
    threads: int = 1,
    seed: int = 0,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> SensitivityReport:
    """Which awards of a run flip if a figure is off by its stated range (docs/sensitivity.md).

    Every assumption is screened without solving; the `top` ones are solved again, each within
    `time_limit` seconds (None: no limit) and the relative `gap`, and once more with the awards
    kept. Writes sensitivity.json and sensitivity.csv into the run's folder, or into `out`. Raises
    Usage for bad options and for a run without a plan.
    """
    if top < 0 or gap < 0 or threads < 1 or (time_limit is not None and time_limit <= 0):
        raise Usage("top and gap must be at least 0, threads at least 1, the time limit above 0 s")
    if solver not in SOLVERS:
        raise Usage(f"no solver {solver!r}; there are {', '.join(sorted(SOLVERS))}")
    run = read_finished(run_folder)
    settings = Settings(time_limit, gap, threads, seed)
    report = analyse(run, top, solver, settings, progress)
    write_report(report, run.folder if out is None else Path(out))
    return report


def analyse(
    run: FinishedRun, top: int, solver: str, settings: Settings, progress: Progress | None = None
) -> SensitivityReport:
    """The report alone; nothing is written."""
    follow = progress or (lambda *_: None)
    slack = max(run.plan["objective"] - (run.plan["bound"] or run.plan["objective"]), 0.0)
    means = Means(solver, settings, run.plan["sourcing"] == "secure")
    screened = _screened(run, follow)
    chosen = _chosen(screened, top)
    before = describe(run.compiled.problem, run.decision.option)
    solved = []
    for place, finding in enumerate(chosen):
        follow("solving", place, len(chosen))
        resolved = resolve(finding.screened, before, means, slack)
        solved.append(replace(finding, resolved=resolved))
    picked = {(one.doubt.name, one.side) for one in solved}
    rest = [one for one in screened if (one.doubt.name, one.side) not in picked]
    return SensitivityReport(
        folder=run.folder,
        currency=run.compiled.portfolio.policy.currency,
        objective=run.plan["objective"],
        slack=slack,
        solver=solver,
        top=top,
        findings=tuple(sorted([*solved, *rest], key=_order)),
    )


def _screened(run: FinishedRun, follow: Progress) -> list[Finding]:
    """Both sides of every assumption, those that change nothing left out; the promising first."""
    from allocator.compile import compile_problem

    portfolio, sourcing = run.compiled.portfolio, run.plan["asked"]["sourcing"]
    every = doubts(portfolio)
    found = []
    for place, doubt in enumerate(every):
        follow("screening", place, len(every))
        for side, (_, change) in doubt.sides.items():
            changed = compile_problem(change(portfolio), sourcing)
            screened = screen(run.compiled, run.decision, run.plan, changed)
            if screened.drift > 0 or screened.cost_change is None or screened.cost_change:
                found.append(Finding(doubt, side, screened, None))
    return sorted(found, key=_order)


def _chosen(screened: list[Finding], top: int) -> list[Finding]:
    """The ends of the `top` assumptions."""
    names = list(dict.fromkeys(finding.doubt.name for finding in screened))[:top]
    return [finding for finding in screened if finding.doubt.name in names]


def _order(finding: Finding) -> tuple[object, ...]:
    """Flips first, by what they save; then what is open, what stands, what was only screened."""
    done, screened = finding.resolved, finding.screened
    place = {"flips": 0, "open": 1, "stands": 2, "screened": 3}[finding.verdict]
    saving = 0.0
    if done is not None and place < 2:
        saving = float("inf") if done.saving is None else done.saving
    return (
        place,
        -saving,
        -screened.promise,
        screened.plan_holds,
        -screened.drift,
        finding.doubt.name,
        finding.side,
    )
