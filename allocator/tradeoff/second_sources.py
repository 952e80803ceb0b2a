"""The job: which programs need a second source, what each further one costs and buys, the knee."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allocator.errors import NoPlan, RulesConflict, Usage
from allocator.tradeoff.comparison import check_options
from allocator.tradeoff.crew import Crew, Job
from allocator.tradeoff.files import close_folder, open_folder
from allocator.tradeoff.limits import Limits
from allocator.tradeoff.pareto import point_of
from allocator.tradeoff.ranking import Trial, has_pair, try_second
from allocator.tradeoff.second_report import SecondPlan, knee, ranking, second_tables
from allocator.tradeoff.starting import Guide
from allocator.tradeoff.stock_or_site import stock_for
from allocator.tradeoff.tasks import Done, Task, solve_task

if TYPE_CHECKING:
    from allocator.compile import Compiled

SCHEMA = "allocator-second/1"
SECOND_FILE = "second.json"
#: Status of a trial without a plan -> why its program is left out.
NOT_FOUND = {"infeasible": "no_fit", "no_plan": "time"}


@dataclass(frozen=True)
class Second:
    """`data` is the content of second.json; `folder` holds the files, None where none are kept."""

    data: dict[str, Any]
    folder: Path | None


@dataclass
class Case:
    """What is asked, the compiled tables, the crew, and what is found so far."""

    compiled: Compiled
    task: Task
    crew: Crew
    folder: Path
    trial_limit: float | None
    base: Done | None = None
    reference: Mapping[str, Any] | None = None
    tried: dict[str, dict[str, Any]] = field(default_factory=dict)
    curve: list[SecondPlan] = field(default_factory=list)

    @property
    def candidates(self) -> list[str]:
        """Programs that leave their sourcing open and have a source, and a pair to go to."""
        return [name for name in self.compiled.problem.programs.ids if self.barred(name) is None]

    def barred(self, name: str) -> str | None:
        """Why a program cannot even be tried with a second source."""
        assert self.base is not None
        rows = self.base.plan["programs"]
        if self.compiled.sourcing[name] != "free":
            return "own_sourcing"
        if not any(row["program_id"] == name and row["sources"] for row in rows):
            return "unsourced"
        return None if has_pair(self.compiled.problem, name) else "no_pair"

    def left_out(self) -> list[dict[str, Any]]:
        """Every program that is not ranked, with the reason and the rules that cause it."""
        rows = []
        for name in self.compiled.problem.programs.ids:
            trial = self.tried.get(name)
            reason = self.barred(name) or (
                "stopped" if trial is None else NOT_FOUND.get(trial["status"])
            )
            if reason is not None:
                rules = [] if trial is None else trial.get("conflict", [])
                rows.append({"program_id": name, "reason": reason, "rules": rules})
        return rows

    @property
    def trials(self) -> dict[str, dict[str, Any]]:
        """The trials that have a plan."""
        return {name: trial for name, trial in self.tried.items() if trial["status"] == "found"}

    def plan_task(self, dual: Sequence[str], guide: Guide = ()) -> Task:
        """The plan in which just these of the open programs have two sources."""
        name = f"{len(dual):03d}" + (f"-{dual[-1]}" if dual else "")
        return replace(
            self.task,
            folder=self.folder / "plans" / name,
            limits=Limits(dual=tuple(dual)),
            guide=guide,
        )


def second(
    portfolio: str | Path,
    *,
    most: int = 8,
    scenario: str | Path | None = None,
    solver: str = "auto",
    gap: float = 0.002,
    time_limit: float | None = 40.0,
    trial_limit: float | None = 8.0,
    threads: int = 1,
    seed: int = 0,
    out: str | Path | None = None,
    progress: Callable[..., None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Second:
    """Which programs need a second source most, and what each further one costs (docs/compare.md).

    Every program that leaves its sourcing open starts with one source. The curve gives the best
    ones a second source, one more at each of at most `most` steps, each step solved anew within
    `time_limit` seconds; `trial_limit` is for each program's trial in the ranking. With `out` every
    plan is an audited run folder in it, and what is finished there already is taken over. Raises
    Usage for bad options, BadData for bad tables, RulesConflict and NoPlan where there is no plan.
    """
    from allocator.compile import compile_problem
    from allocator.read import read_portfolio

    check_options(gap, threads, time_limit)
    if most < 0 or (trial_limit is not None and trial_limit <= 0):
        raise Usage("most must be at least 0, the limit of a trial above 0 s")
    scenario = None if scenario is None else Path(scenario)
    compiled = compile_problem(read_portfolio(Path(portfolio), scenario), "free")
    with tempfile.TemporaryDirectory(prefix="allocator-") as scratch:
        folder = Path(scratch) if out is None else open_folder(out, SECOND_FILE, SCHEMA)
        task = Task(folder, Path(portfolio), scenario, "free", solver, gap, time_limit, seed)
        with Crew(threads, progress, stop) as crew:
            case = Case(compiled, task, crew, folder, trial_limit)
            work(case, most)
        data = second_data(case, most)
        if out is None:
            return Second(data, None)
        close_folder(folder, SECOND_FILE, data, second_tables(data))
        return Second(data, folder)


def work(case: Case, most: int) -> None:
    """The plan with single sources, the trial of every program, then the curve."""
    case.base = case.crew.run([Job("one source each", solve_task, case.plan_task(()))])[0]
    if case.base is None or not case.base.found:
        _refuse(case.base)
    assert case.base is not None
    names = ["", *case.candidates]
    jobs = [
        Job(
            f"second source of {name}" if name else "schedules anew",
            try_second,
            Trial(
                case.base.folder,
                name,
                case.task.solver,
                case.trial_limit,
                case.task.seed,
                case.folder / "trials" / f"{name or 'none'}.json",
            ),
        )
        for name in names
    ]
    found = dict(zip(names, case.crew.run(jobs), strict=True))
    case.reference = found.pop("")
    case.tried = {name: trial for name, trial in found.items() if trial is not None}
    case.curve = [_plan(case, case.base, ())]
    if case.reference is None or case.crew.stopped():
        return
    order = [row["program_id"] for row in ranking(case.trials, case.reference)][:most]
    steps = [tuple(order[:n]) for n in range(1, len(order) + 1)]
    tasks = [case.plan_task(dual, _guide(case, dual)) for dual in steps]
    jobs = [
        Job(f"{len(dual)} second sources", solve_task, task)
        for dual, task in zip(steps, tasks, strict=True)
    ]
    for dual, done in zip(steps, case.crew.run(jobs), strict=True):
        if done is not None and done.found:
            case.curve.append(_plan(case, done, dual))


def _refuse(base: Done | None) -> None:
    if base is not None and base.plan["status"] == "infeasible":
        rules = ", ".join(base.plan["conflict"])
        raise RulesConflict(f"these rules cannot all hold: {rules}")
    raise NoPlan("no plan with single sources was found before the limit; give more time")


def _plan(case: Case, done: Done, dual: tuple[str, ...]) -> SecondPlan:
    """A step of the curve."""
    folder = done.folder.relative_to(case.folder).as_posix()
    point = point_of(folder, done.plan, case.compiled.portfolio.programs)
    return SecondPlan(dual, point.cost, point.risk, folder, done.plan)


def _guide(case: Case, dual: Sequence[str]) -> Guide:
    """Sources of the plan with single ones, and those of their trials for some programs."""
    assert case.base is not None
    guide = []
    for row in case.base.plan["programs"]:
        name = row["program_id"]
        sources = [(s["offer_id"], s["share"]) for s in row["sources"]]
        if name in dual:
            sources = [(offer_id, share) for offer_id, share in case.trials[name]["sources"]]
        guide.append((name, tuple(sources)))
    return tuple(guide)


def second_data(case: Case, most: int) -> dict[str, Any]:
    """The content of second.json."""
    assert case.base is not None
    ranked = [] if case.reference is None else ranking(case.trials, case.reference)
    rows = [plan.row(number) for number, plan in enumerate(case.curve)]
    for before, after in pairwise(rows):
        after["cost_step"] = after["cost"] - before["cost"]
        after["risk_step"] = after["risk"] - before["risk"]
    finished = not case.crew.stopped()
    return {
        "schema": SCHEMA,
        "finished": finished,
        "currency": case.compiled.portfolio.policy.currency,
        "asked": {
            "most": most,
            "solver": case.task.solver,
            "gap": case.task.gap,
            "time_limit": case.task.time_limit,
            "trial_limit": case.trial_limit,
            "seed": case.task.seed,
        },
        "risk_weight": case.compiled.portfolio.policy.risk_weight,
        "ranking": ranked,
        "left_out": case.left_out(),
        "curve": rows,
        "knee": knee(case.curve),
        "cheapest": min(rows, key=lambda row: row["objective"])["second_sources"],
        "stock_or_site": _stocks(case, ranked),
    }


def _stocks(case: Case, ranked: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Stock beside the second source, for every ranked program."""
    assert case.base is not None
    single = {p["program_id"]: p["sources"][0] for p in case.base.plan["programs"] if p["sources"]}
    return [
        stock_for(
            case.compiled,
            row["program_id"],
            single[row["program_id"]]["offer_id"],
            row["lost_months"],
            row["worst_units_one"] - row["worst_units_two"],
            row["cost"],
        )
        for row in ranked
    ]
