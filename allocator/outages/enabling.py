"""What would make a portfolio cheaper to secure: each enabler priced by solving again with it."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from allocator.errors import NoPlan, RulesConflict, Usage
from allocator.outages.enabler_changes import Change, changes, full_lines, security_costs
from allocator.outages.enabler_search import Priced, Search, priced, search, share_plans, valued
from allocator.tradeoff.crew import Crew, Job
from allocator.tradeoff.files import close_folder, open_folder
from allocator.tradeoff.tasks import Done, Task, solve_task

if TYPE_CHECKING:
    from allocator.compile import Compiled
    from models.result import Decision

SCHEMA = "allocator-enablers/1"
ENABLERS_FILE = "enablers.json"
#: Shares of the time for the plain plan, for the secure one, and for all enablers together; what
#: is left goes to trying each plan under the other tables.
PLAIN_SHARE, BASE_SHARE, ENABLER_SHARE = 0.05, 0.3, 0.6

#: `searched`, `stopped` before its end, `not_begun`, or `no_plan` found in time.
State = Literal["searched", "stopped", "not_begun", "no_plan"]


@dataclass(frozen=True)
class Enabler:
    """One change: `worth` is the objective it saves a secure plan, `price` what it costs.

    Money; `price` None where the tables don't say. No secure plan with it costs less than `bound`,
    so it saves no more than `most`. `net` is worth less price as far as that is known.
    `months_short` is what the plan with it leaves unmet. All but `price` are None where there is no
    plan with it.
    """

    kind: str
    what: str
    price: float | None
    worth: float | None = None
    months_short: float | None = None
    bound: float | None = None
    most: float | None = None
    net: float | None = None
    state: State = "not_begun"


@dataclass(frozen=True)
class EnablerReport:
    """The plain and the secure plan of a portfolio, and the enablers, the greatest net first.

    `given_up` are programs supplied less for security's sake, `security_costs` what each program
    costs more, the dearest first. `finished` is false where the user stopped it. `folder` holds the
    files, None where none were asked for.
    """

    plain_objective: float
    plain_months_short: float
    secure_objective: float
    secure_months_short: float
    secure_bound: float | None
    currency: str
    given_up: tuple[str, ...]
    security_costs: Mapping[str, float]
    enablers: tuple[Enabler, ...]
    finished: bool
    asked: Mapping[str, Any]
    folder: Path | None = None

    @property
    def data(self) -> dict[str, Any]:
        """The content of enablers.json."""
        stated = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "folder"}
        return {
            "schema": SCHEMA,
            **stated,
            "given_up": list(self.given_up),
            "security_costs": dict(self.security_costs),
            "asked": dict(self.asked),
            "enablers": [asdict(enabler) for enabler in self.enablers],
        }


@dataclass(frozen=True)
class _Case:
    """What is asked, and the crew that works on it."""

    task: Task
    time_limit: float | None
    crew: Crew

    def limit(self, share: float) -> float | None:
        """Seconds that are a share of all."""
        return None if self.time_limit is None else share * self.time_limit

    def searches(self, found: Sequence[Change], base: Path) -> list[Search]:
        """The search of each change; together they get their share of the time."""
        rounds = max(1, math.ceil(len(found) / self.crew.workers))
        limit, task = self.limit(ENABLER_SHARE / rounds), self.task
        files = task.folder / "searches"
        return [
            Search(c, base, task.solver, task.gap, limit, task.seed, files / f"{c.name}.json")
            for c in found
        ]


def enablers(
    portfolio: str | Path,
    *,
    scenario: str | Path | None = None,
    solver: str = "auto",
    time_limit: float | None = None,
    gap: float = 0.005,
    threads: int = 1,
    seed: int = 0,
    out: str | Path | None = None,
    progress: Callable[..., None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> EnablerReport:
    """Price what could make security cheaper: surge, stock, qualifications, expansions.

    Stock is tried both as opening stock and as a target for safety stock.

    `time_limit` in seconds for everything, a third of it for the plans to compare with; `threads`
    searches run at once. With `out` the plans and enablers.json are kept there, and what is
    finished there already is taken over. Raises Usage for bad options, BadData for bad tables,
    RulesConflict where the rules cannot all hold, NoPlan where no secure plan is found to compare
    with.
    """
    from allocator.compile import compile_problem
    from allocator.read import read_portfolio

    if gap < 0 or threads < 1 or (time_limit is not None and time_limit <= 0):
        raise Usage("gap must be at least 0, threads at least 1, the time limit above 0 s")
    scenario = None if scenario is None else Path(scenario)
    compiled = compile_problem(read_portfolio(Path(portfolio), scenario), "secure")
    with tempfile.TemporaryDirectory(prefix="allocator-") as scratch:
        folder = Path(scratch) if out is None else open_folder(out, ENABLERS_FILE, SCHEMA)
        task = Task(folder, Path(portfolio), scenario, None, solver, gap, None, seed)
        with Crew(threads, progress, stop) as crew:
            report = _report(_Case(task, time_limit, crew), compiled)
        if out is None:
            return report
        report = replace(report, folder=folder)
        close_folder(folder, ENABLERS_FILE, report.data, _tables(report))
        return report


def _report(case: _Case, compiled: Compiled) -> EnablerReport:
    """Both plans, then every change."""
    plain, secure = _plans(case)
    costs = security_costs(plain.plan, secure.plan)
    found = list(changes(compiled, list(costs), full_lines(secure.plan)))
    jobs = [Job(s.change.name, search, s) for s in case.searches(found, secure.folder)]
    answers = case.crew.run(jobs)
    known = [priced(c, plan) for c, plan in zip(found, answers, strict=True) if plan is not None]
    base = valued(compiled, _decision(compiled, secure))
    if not case.crew.stopped():
        base = share_plans(compiled, base, known)
    by_name = {each.change.name: each for each in known}
    rows = [_enabler(c, by_name.get(c.name), base.objective) for c in found]
    return EnablerReport(
        plain_objective=plain.plan["objective"],
        plain_months_short=plain.plan["months_short"],
        secure_objective=base.objective,
        secure_months_short=base.months_short,
        secure_bound=secure.plan["bound"],
        currency=compiled.portfolio.policy.currency,
        given_up=_given_up(plain.plan, secure.plan),
        security_costs=costs,
        enablers=tuple(sorted(rows, key=_order)),
        finished=not case.crew.stopped(),
        asked={
            "solver": case.task.solver,
            "gap": case.task.gap,
            "time_limit": case.time_limit,
            "seed": case.task.seed,
        },
    )


def _plans(case: _Case) -> tuple[Done, Done]:
    """The plan that need not be secure, and the secure one. Raises where either is missing."""
    tasks = [
        replace(
            case.task,
            folder=case.task.folder / "plans" / sourcing,
            sourcing=sourcing,
            time_limit=case.limit(share),
        )
        for sourcing, share in (("free", PLAIN_SHARE), ("secure", BASE_SHARE))
    ]
    jobs = [Job(f"{task.sourcing} plan", solve_task, task) for task in tasks]
    plain, secure = case.crew.run(jobs)
    for done in (plain, secure):
        if done is not None and done.plan["status"] == "infeasible":
            raise RulesConflict(f"these rules cannot all hold: {', '.join(done.plan['conflict'])}")
    if plain is None or secure is None or not (plain.found and secure.found):
        remedy = "run again with the same --out" if case.crew.stopped() else "give more time"
        raise NoPlan(f"no secure plan was found to compare with; {remedy}")
    return plain, secure


def _decision(compiled: Compiled, done: Done) -> Decision:
    """The decision of a run in the rows of the problem."""
    from allocator.replay import decision_of_plan

    decision = decision_of_plan(compiled.problem, done.plan)
    assert decision is not None, "an audited plan fits its tables"
    return decision


def _given_up(plain: Mapping[str, Any], secure: Mapping[str, Any]) -> tuple[str, ...]:
    """Programs that the secure plan supplies less, by id."""
    before = {p["program_id"]: p["months_short"] for p in plain["programs"]}
    more = [p for p in secure["programs"] if p["months_short"] > before[p["program_id"]] + 1e-6]
    return tuple(sorted(p["program_id"] for p in more))


def _enabler(change: Change, known: Priced | None, base: float) -> Enabler:
    """A change as it is reported; `base` is the objective of the secure plan without it."""
    blank = Enabler(change.kind, change.what, change.price)
    if known is None:
        return blank
    bound = known.found["bound"]
    most = None if bound is None else base - bound
    if known.plan is None:
        return replace(blank, bound=bound, most=most, state="no_plan")
    worth = base - known.plan.objective
    return replace(
        blank,
        worth=worth,
        months_short=known.plan.months_short,
        bound=bound,
        most=None if most is None else max(most, worth),
        net=worth - (change.price or 0.0),
        state="stopped" if known.found["limit"] == "interrupt" else "searched",
    )


def _order(enabler: Enabler) -> tuple[float, str]:
    """Sort key: what it saves beyond its price, those without a plan last."""
    return math.inf if enabler.net is None else -enabler.net, enabler.what


def _tables(report: EnablerReport) -> dict[str, tuple[Sequence[str], list[dict[str, Any]]]]:
    """enablers.csv."""
    columns = [f.name for f in fields(Enabler)]
    return {"enablers.csv": (columns, [asdict(enabler) for enabler in report.enablers])}
