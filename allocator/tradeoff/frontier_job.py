"""The job: a portfolio in, plans along the frontier of cost and risk out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allocator.errors import NoPlan, RulesConflict, Usage
from allocator.tradeoff.comparison import check_options
from allocator.tradeoff.crew import Crew, Job
from allocator.tradeoff.figures import plan_figures
from allocator.tradeoff.files import Tables, close_folder, open_folder
from allocator.tradeoff.limits import Limits
from allocator.tradeoff.pareto import (
    TIE,
    Bound,
    Point,
    Search,
    Step,
    least_cost,
    point_of,
    supported,
)
from allocator.tradeoff.tasks import Done, Task, solve_task

if TYPE_CHECKING:
    from allocator.portfolio import Portfolio

SCHEMA = "allocator-frontier/1"
FRONTIER_FILE = "frontier.json"
#: Weights of risk of the first plans, as shares of the greatest.
SHARES = (1.0, 0.3, 0.1, 0.03)
#: Solvers whose formulation has the cap on risk; the others find the weighted plans.
CAPPING = ("highs", "cbc")
#: Columns of frontier.csv.
COLUMNS = (
    "number",
    "cost",
    "risk",
    "bound",
    "gap",
    "supported",
    "price_of_risk",
    "cash_cost",
    "shortage_cost",
    "months_short",
    "on_time_share",
    "programs_unsourced",
    "programs_single",
    "programs_dual",
    "cmos_engaged",
    "folder",
)


@dataclass(frozen=True)
class Frontier:
    """`data` is the content of frontier.json; `folder` holds the files (None: none are kept)."""

    data: dict[str, Any]
    folder: Path | None


@dataclass
class Walk:
    """A search along the frontier: what is asked, the crew, and what is found so far."""

    portfolio: Path
    scenario: Path | None
    tables: Portfolio
    folder: Path
    crew: Crew
    search: Search
    sourcing: str | None
    solver: str
    gap: float
    time_limit: float | None
    seed: int

    def weighted(self, weights: Sequence[float]) -> list[Done | None]:
        """Plans that weigh risk by each of some weights."""
        tasks = [self.task(weight, None) for weight in weights]
        return self.solve(tasks, [(weight, None) for weight in weights])

    def take(self, steps: Sequence[Step]) -> None:
        """Solve some steps of the search at once."""
        tasks = [self.task(step.weight, step.cap, step.between) for step in steps]
        self.solve(tasks, [(step.weight, step.cap) for step in steps])

    def task(self, weight: float, cap: float | None, between: tuple[Point, ...] = ()) -> Task:
        """One plan; those of the frontier so far may be its start.

        Under a cap the sources of the two neighbours are combined first.
        """
        starts = tuple(self.folder / point.folder for point in self.search.front)
        capping = cap is None or self.solver in CAPPING
        return Task(
            folder=self.folder
            / "plans"
            / (f"weight-{weight:.9g}" if cap is None else f"risk-{cap:.9g}"),
            portfolio=self.portfolio,
            scenario=self.scenario,
            sourcing=self.sourcing,
            solver=self.solver if capping else "highs",
            gap=self.gap,
            time_limit=self.time_limit,
            seed=self.seed,
            limits=Limits(risk_cap=cap, risk_weight=weight),
            starts=starts,
            pool=() if cap is None else tuple(self.folder / p.folder for p in between),
        )

    def solve(
        self, tasks: Sequence[Task], kinds: Sequence[tuple[float, float | None]]
    ) -> list[Done | None]:
        """Solve tasks at once and take what they bring; `kinds` are weight and cap of each."""
        jobs = [Job(task.folder.name, solve_task, task) for task in tasks]
        found: list[Done | None] = self.crew.run(jobs)
        for done, (weight, cap) in zip(found, kinds, strict=True):
            if done is None:
                continue
            folder = done.folder.relative_to(self.folder).as_posix()
            point = point_of(folder, done.plan, self.tables.programs) if done.found else None
            bound = None if done.cost_bound is None else Bound(done.cost_bound, weight, cap)
            self.search.note(point, bound)
        return found


def frontier(
    portfolio: str | Path,
    points: int = 11,
    *,
    greatest_weight: float = 10.0,
    sourcing: str | None = None,
    scenario: str | Path | None = None,
    solver: str = "auto",
    gap: float = 0.001,
    time_limit: float | None = 30.0,
    threads: int = 1,
    seed: int = 0,
    out: str | Path | None = None,
    progress: Callable[..., None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Frontier:
    """Plans from the cheapest to the safest of which none is beaten in both (docs/compare.md).

    At most `points` of them. The safest is the one that somebody would choose who pays up to
    `greatest_weight` money to be rid of one money of risk. `time_limit` is seconds for each plan,
    `threads` the plans made at once. With `out` every plan is an audited run folder in it, and what
    is finished there already is taken over. Raises Usage for bad options, BadData for bad tables,
    RulesConflict and NoPlan where there is no plan at all.
    """
    from allocator.engine import SOURCING
    from allocator.read import read_portfolio

    check_options(gap, threads, time_limit)
    if points < 2 or greatest_weight <= TIE:
        raise Usage(f"give at least 2 points, and a greatest weight above {TIE:g}")
    if sourcing is not None and sourcing not in (plain := [s for s in SOURCING if s != "secure"]):
        raise Usage(f"no sourcing {sourcing!r} here; there are {', '.join(plain)}")
    scenario = None if scenario is None else Path(scenario)
    tables = read_portfolio(Path(portfolio), scenario)
    if sourcing is None and tables.policy.sourcing == "secure":
        raise Usage(
            "the policy asks for secure plans, which have no frontier; give --sourcing free"
        )
    with tempfile.TemporaryDirectory(prefix="allocator-") as scratch:
        folder = Path(scratch) if out is None else open_folder(out, FRONTIER_FILE, SCHEMA)
        with Crew(threads, progress, stop) as crew:
            walk = Walk(
                Path(portfolio),
                scenario,
                tables,
                folder,
                crew,
                Search(gap),
                sourcing,
                solver,
                gap,
                time_limit,
                seed,
            )
            explore(walk, points, greatest_weight)
        data = frontier_data(walk, points, greatest_weight)
        if out is None:
            return Frontier(data, None)
        close_folder(folder, FRONTIER_FILE, data, frontier_tables(data))
        return Frontier(data, folder)


def explore(walk: Walk, points: int, greatest_weight: float) -> None:
    """Look for points until there are enough, no room is left, or the user stops.

    The solves are those that as many processes as there are plans would make: how many run at once
    changes nothing.
    """
    shares = SHARES[: max(1, points - 1)]
    first = walk.weighted([TIE, *(greatest_weight * share for share in shares)])
    if not walk.search.points:
        _refuse(first)
    while not walk.crew.stopped():
        steps = walk.search.steps(points - len(walk.search.front))
        if not steps:
            break
        walk.take(steps)


def _refuse(first: Sequence[Done | None]) -> None:
    """Say why there is no plan at all."""
    for done in first:
        if done is not None and done.plan["status"] == "infeasible":
            rules = ", ".join(done.plan["conflict"])
            raise RulesConflict(f"these rules cannot all hold: {rules}")
    raise NoPlan("no plan was found before the limit; give more time")


def frontier_data(walk: Walk, points: int, greatest_weight: float) -> dict[str, Any]:
    """The content of frontier.json."""
    front = walk.search.front
    while len(front) > points:  # more than asked by luck: the one that adds least goes
        front.pop(min(range(1, len(front) - 1), key=lambda i: _room(front, i)))
    on_hull = supported(front)
    rows = [_row(walk, number, point, on_hull[number - 1]) for number, point in enumerate(front, 1)]
    for before, after in pairwise(rows):
        after["price_of_risk"] = (after["cost"] - before["cost"]) / (before["risk"] - after["risk"])
    stopped = walk.crew.stopped()
    return {
        "schema": SCHEMA,
        "finished": not stopped,
        "currency": walk.tables.policy.currency,
        "asked": {
            "points": points,
            "greatest_weight": greatest_weight,
            "sourcing": walk.sourcing,
            "solver": walk.solver,
            "gap": walk.gap,
            "time_limit": walk.time_limit,
            "seed": walk.seed,
        },
        "risk_weight": walk.tables.policy.risk_weight,
        "complete": not stopped and walk.search.complete,
        "points": rows,
    }


def _room(front: Sequence[Point], i: int) -> float:
    """How far apart the neighbours of a point are, in shares of the whole range."""
    cost = front[-1].cost - front[0].cost
    risk = front[0].risk - front[-1].risk
    wide = (front[i + 1].cost - front[i - 1].cost) / max(cost, 1e-9)
    return wide + (front[i - 1].risk - front[i + 1].risk) / max(risk, 1e-9)


def _row(walk: Walk, number: int, point: Point, on_hull: bool) -> dict[str, Any]:
    """A point with its bound: what any plan with at most its risk costs at least."""
    from models.result import relative_gap

    bound = least_cost(walk.search.bounds, point.risk)
    if bound is not None:
        bound = min(bound, point.cost)
    figures = plan_figures(point.plan)
    return {
        "number": number,
        "cost": point.cost,
        "risk": point.risk,
        "bound": bound,
        "gap": relative_gap(point.cost, bound),
        "supported": on_hull,
        "price_of_risk": None,
        **{name: figures[name] for name in COLUMNS[7:-1]},
        "folder": point.folder,
    }


def frontier_tables(data: dict[str, Any]) -> Tables:
    """frontier.csv."""
    return {"frontier.csv": (COLUMNS, data["points"])}
