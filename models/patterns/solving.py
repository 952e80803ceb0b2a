"""The whole search: relaxation, first plan, improvement, result."""

from __future__ import annotations

import numpy as np

from models.patterns.bound import Lagrangian
from models.patterns.columns import Book
from models.patterns.improving import Improver, expanded_lines
from models.patterns.layout import Layout
from models.patterns.master import Master
from models.patterns.pricing import Pricer
from models.patterns.root import Generation, Relaxation
from models.patterns.watch import Watch
from models.problem import Problem
from models.result import Decision, Limit, Result, Status, status_of
from models.solve import Settings

#: Share of the time limit that the relaxation may take before plans are looked for.
ROOT_SHARE = 0.45
#: Rounds without a better plan after which the improvement gives up.
PATIENCE = 12


def solve(
    problem: Problem,
    settings: Settings,
    warm_start: Decision | None = None,
    backend: str = "",
) -> Result:
    """Solve by decomposition, starting from `warm_start` where it keeps every rule.

    `backend` is not used. The result's objective is exact, its bound is the Lagrangian one.
    """
    del backend
    watch = Watch(problem, settings)
    watch.report("building")
    first_plans(problem, watch, warm_start)
    book = Book(Layout(problem))
    lagrangian = Lagrangian(book, Pricer(problem, settings.threads))
    master = start_master(lagrangian)
    generation = Generation(lagrangian, master, watch)
    watch.report("relaxation")
    until = np.inf if settings.time_limit is None else ROOT_SHARE * settings.time_limit
    relaxation = generation.run(until)
    if relaxation.infeasible:
        return infeasible(problem, watch)
    if relaxation.priced is not None and generation.scale == 1.0:
        search(lagrangian, master, relaxation, watch)
    return result_of(watch, relaxation, master)


def start_master(lagrangian: Lagrangian) -> Master:
    """A master with the unsourced columns that no rule bans."""
    book = lagrangian.book
    idle = book.problem.options.start[:-1]
    idle = idle[lagrangian.allowed[idle]]
    none = np.zeros((len(idle), book.layout.T), np.int16)
    master = Master(book)
    master.add(book.columns(idle, none, none))
    return master


def first_plans(problem: Problem, watch: Watch, warm_start: Decision | None) -> None:
    """Offer the warm start, and the plan that sources nothing."""
    if warm_start is not None:
        watch.offer(warm_start)
    nothing = np.zeros(len(problem.lines.ids), np.bool_)
    watch.offer(Decision(problem.options.start[:-1].copy(), {}, nothing))


def search(
    lagrangian: Lagrangian, master: Master, relaxation: Relaxation, watch: Watch
) -> None:
    """Construct a plan at the relaxation's prices and improve it until a limit is reached."""
    watch.report("first plan")
    given = watch.decision
    improver = Improver(lagrangian, relaxation, master.pairs, watch, watch.settings.seed)
    improver.construct(expanded_lines(lagrangian.layout.expand, master.side_values))
    if watch.decision is not None and watch.decision is given:
        improver.load(given)
    watch.report("improvement")
    idle = 0
    while idle < PATIENCE and not watch.over() and np.isfinite(improver.top):
        idle = 0 if improver.run(10 * (1 + idle), 0.05) else idle + 1


def infeasible(problem: Problem, watch: Watch) -> Result:
    """The result where no plan keeps all rules, with a minimal set of rules that clash."""
    from models.conflict import find_conflict

    conflict = find_conflict(problem, watch.settings)
    return Result("infeasible", None, None, None, None, "patterns", watch.seconds, conflict)


def result_of(watch: Watch, relaxation: Relaxation, master: Master) -> Result:
    """The result as the watch stands."""
    settings = watch.settings
    bound = watch.bound
    if bound is not None and watch.objective is not None:
        bound = min(bound, watch.objective)
    status: Status = status_of(watch.objective, bound, settings.gap)
    limit: Limit | None = None
    if watch.interrupted:
        limit = "interrupt"
    elif status == "optimal":
        limit = "gap" if settings.gap > 1e-6 else None
    elif watch.left <= 0.0:
        limit = "time"
    return Result(
        status=status,
        limit=limit,
        decision=watch.decision,
        objective=watch.objective,
        bound=bound,
        solver="patterns",
        seconds=watch.seconds,
        statistics={
            "rounds": float(relaxation.rounds),
            "columns": float(master.count),
            "pairs": float(len(master.pairs)),
            "relaxation": relaxation.bound,
        },
    )
