"""Plans under several sourcing policies and scenarios, side by side, with what tells them apart."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allocator.errors import Usage
from allocator.tradeoff.crew import Crew, Job
from allocator.tradeoff.files import close_folder, open_folder
from allocator.tradeoff.limits import Limits
from allocator.tradeoff.notes import plan_notes
from allocator.tradeoff.outages import stress_plans
from allocator.tradeoff.report import comparison_data, comparison_tables
from allocator.tradeoff.tasks import Done, Task, solve_task

if TYPE_CHECKING:
    from allocator.portfolio import Portfolio

#: Policies in the order they are compared; `free` allows what each of the others allows.
POLICIES = ("single", "dual", "free", "secure")
SCHEMA = "allocator-comparison/1"
COMPARISON_FILE = "comparison.json"
#: Name of the tables without a scenario.
BASE = "base"


@dataclass(frozen=True)
class Comparison:
    """`data` is the content of comparison.json, `plans` each plan.json by (scenario, policy).

    `folder` holds the files, None where none were asked for.
    """

    data: dict[str, Any]
    plans: Mapping[tuple[str, str], dict[str, Any]]
    folder: Path | None


@dataclass
class Study:
    """What is asked, the crew that works on it, and the plans so far by (scenario, policy)."""

    portfolio: Path
    folder: Path
    crew: Crew
    scenarios: Mapping[str, Path | None]
    policies: Sequence[str]
    must_source: tuple[str, ...]
    solver: str
    gap: float
    time_limit: float | None
    seed: int
    stress_limit: float | None = None
    done: dict[tuple[str, str], Done] = field(default_factory=dict)

    def task(self, scenario: str, policy: str, starts: Sequence[str] = ()) -> Task:
        """The plan of a policy under a scenario; `starts` are policies solved before."""
        known = [self.done[scenario, other].folder for other in starts if self.has(scenario, other)]
        return Task(
            folder=self.folder / "plans" / scenario / policy,
            portfolio=self.portfolio,
            scenario=self.scenarios[scenario],
            sourcing=policy,
            solver=self.solver,
            gap=self.gap,
            time_limit=self.time_limit,
            seed=self.seed,
            limits=Limits(must_source=self.must_source),
            starts=tuple(known),
        )

    def has(self, scenario: str, policy: str) -> bool:
        """Whether there is a plan already."""
        done = self.done.get((scenario, policy))
        return done is not None and done.found

    def solve(self, wanted: Sequence[tuple[str, str]], starts: Sequence[str] = ()) -> None:
        """Solve (scenario, policy) pairs at once."""
        jobs = [Job(self.title(*key), solve_task, self.task(*key, starts=starts)) for key in wanted]
        for key, done in zip(wanted, self.crew.run(jobs), strict=True):
            if done is not None:
                self.done[key] = done

    def title(self, scenario: str, policy: str) -> str:
        """What a plan is called on the display."""
        return policy if len(self.scenarios) == 1 else f"{scenario} {policy}"


def compare(
    portfolio: str | Path,
    *,
    policies: Sequence[str] = POLICIES,
    scenarios: Sequence[str | Path] = (),
    must_source: Sequence[str] = (),
    solver: str = "auto",
    gap: float = 0.005,
    time_limit: float | None = 70.0,
    stress_limit: float | None = 20.0,
    threads: int = 1,
    seed: int = 0,
    out: str | Path | None = None,
    progress: Callable[..., None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Comparison:
    """Plans of one portfolio under several sourcing policies, side by side (docs/compare.md).

    `time_limit` is seconds for each plan, `stress_limit` for the outages of each, `threads` the
    plans made at once. `scenarios` are scenario.toml files, each compared beside the tables as they
    are. Programs in `must_source` get a source under every policy: `single` is then exactly one for
    them. With `out` every plan is an audited run folder in it, and what is finished there already
    is taken over. Raises Usage for bad options, BadData for bad tables.
    """
    check_options(gap, threads, time_limit)
    asked, notes = _policies(policies)
    named = scenario_names(scenarios)
    tables = _tables(Path(portfolio), named, must_source)
    with tempfile.TemporaryDirectory(prefix="allocator-") as scratch:
        folder = Path(scratch) if out is None else open_folder(out, COMPARISON_FILE, SCHEMA)
        with Crew(threads, progress, stop) as crew:
            study = Study(
                Path(portfolio),
                folder,
                crew,
                named,
                asked,
                tuple(sorted(set(must_source))),
                solver,
                gap,
                time_limit,
                seed,
                stress_limit,
            )
            _solve_all(study)
            outages = stress_plans(study, tables[BASE].policy.secure_groups)
            notes += plan_notes(study, tables)
            notes += ["stopped before every plan was made"] if crew.stopped() else []
        data = {"schema": SCHEMA, "finished": not crew.stopped()}
        data |= comparison_data(study, tables, outages, notes)
        plans = {key: done.plan for key, done in study.done.items()}
        if out is None:
            return Comparison(data, plans, None)
        close_folder(folder, COMPARISON_FILE, data, comparison_tables(data))
        return Comparison(data, plans, folder)


def _solve_all(study: Study) -> None:
    """The narrow policies first, then those that may start from their plans.

    Every plan is one of `free` too, and a plan of a wide policy may happen to be one of a narrow
    one. So in the end each goes on from the cheapest plan of all that it allows.
    """
    narrow = [p for p in study.policies if p in ("single", "dual")]
    wide = [p for p in study.policies if p not in narrow]
    study.solve([(s, p) for s in study.scenarios for p in narrow])
    study.solve([(s, p) for s in study.scenarios for p in wide], starts=narrow)
    for scenario in study.scenarios:
        for policy in study.policies:
            if policy != "secure":  # its own search has looked at what is secure of the others
                _adopt(study, scenario, policy)


def _adopt(study: Study, scenario: str, policy: str) -> None:
    """Let a policy take over the cheapest plan of another that it allows, its own bound kept."""
    from allocator.tradeoff.adopting import adopt

    if not study.has(scenario, policy):
        return
    others = [p for p in study.policies if p != policy and study.has(scenario, p)]
    for other in sorted(others, key=lambda p: float(study.done[scenario, p].plan["objective"])):
        own = study.done[scenario, policy]
        if study.done[scenario, other].plan["objective"] < own.plan["objective"]:
            task = study.task(scenario, policy, study.policies)
            study.done[scenario, policy] = adopt(task, own, study.done[scenario, other])


def _policies(policies: Sequence[str]) -> tuple[list[str], list[str]]:
    """The policies to compare in a fixed order, and notes on those that are left out."""
    from allocator.engine import SOURCING

    unknown = sorted(set(policies) - set(POLICIES))
    if unknown:
        raise Usage(f"no policy {unknown[0]!r}; there are {', '.join(POLICIES)}")
    if not policies:
        raise Usage(f"no policy to compare; there are {', '.join(POLICIES)}")
    notes = [
        f"{policy} is left out: this version has no such sourcing"
        for policy in POLICIES
        if policy in policies and policy not in SOURCING
    ]
    return [p for p in POLICIES if p in policies and p in SOURCING], notes


def scenario_names(scenarios: Sequence[str | Path]) -> dict[str, Path | None]:
    """The base and each scenario by the name of its file; a number tells equal names apart."""
    named: dict[str, Path | None] = {BASE: None}
    for path in map(Path, scenarios):
        name, count = path.stem, 1
        while name in named:
            count += 1
            name = f"{path.stem}-{count}"
        named[name] = path
    return named


def _tables(
    portfolio: Path, scenarios: Mapping[str, Path | None], must_source: Sequence[str]
) -> dict[str, Portfolio]:
    """The tables under each scenario, so that bad ones are refused before any work."""
    from allocator.read import read_portfolio

    tables = {name: read_portfolio(portfolio, path) for name, path in scenarios.items()}
    check_programs(tables[BASE], must_source)
    return tables


def check_programs(tables: Portfolio, program_ids: Sequence[str]) -> None:
    """Raise Usage where a program is not in the portfolio."""
    from allocator.findings import did_you_mean

    for name in program_ids:
        if name not in tables.programs:
            others = did_you_mean(name, tables.programs, "see portfolio.csv")
            raise Usage(f"no program {name!r}; {others}")


def check_options(gap: float, threads: int, time_limit: float | None) -> None:
    """Raise Usage for options out of range."""
    if gap < 0 or threads < 1 or (time_limit is not None and time_limit <= 0):
        raise Usage("gap must be at least 0, threads at least 1, the time limit above 0 s")
