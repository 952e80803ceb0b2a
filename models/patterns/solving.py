"""A whole solve: relaxation, search, result."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import numpy as np

from models.patterns.beside import Beside
from models.patterns.bound import Lagrangian
from models.patterns.columns import Book
from models.patterns.layout import Layout
from models.patterns.master import Master
from models.patterns.pricing import Pricer, Stopped
from models.patterns.root import Generation, Relaxation
from models.patterns.search import Search
from models.patterns.tree import Tree
from models.patterns.turns import LARGE, by_turns
from models.patterns.warming import warm_up
from models.patterns.watch import Watch
from models.problem import Problem
from models.result import Decision, Limit, Result, Status, status_of
from models.solve import Settings

#: Share of the time limit that the relaxation and its cuts may take. With moves beside them they
#: may go on in a large problem, as its tree proves little, until the lines need the rest: so many
#: seconds for each stream.
ROOT_SHARE, LINES_SECONDS = 0.45, 4.5e-4


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
    warm_up(settings)
    watch = Watch(problem, settings)
    watch.report("building")
    first_plans(problem, watch, warm_start)
    generation = start_generation(watch)
    watch.report("relaxation")
    until = root_until(settings, len(generation.lagrangian.rows))
    relaxation = generation.run(until)
    if relaxation.infeasible:
        return infeasible(problem, watch)
    tree = None
    if relaxation.priced is not None and generation.scale == 1.0:
        search = Search(generation, watch, until)
        # a stop before there is anything to search from: the plan at hand stands
        with contextlib.suppress(Stopped):
            run(search)
        tree = search.tree
        if tree is not None and tree.barren:
            return infeasible(problem, watch)
    return result_of(watch, relaxation, generation.master, tree)


def run(search: Search) -> None:
    """Cuts, a first plan, then plans and bound until the watch is over.

    Raises Stopped where it ends before there is anything to search from.
    """
    watch, beside = search.watch, search.watch.settings.threads > 1
    watch.report("cuts")
    if not beside:
        search.cutting.finish()
        search.plant()
    watch.report("first plan")
    improver = search.begin()
    watch.report("search")
    if beside:
        Beside(search, improver).run()
    else:
        by_turns(search, improver)


def root_until(settings: Settings, streams: int) -> float:
    """Seconds of the watch up to which the relaxation of so many streams may be worked at."""
    limit = settings.time_limit
    if limit is None:
        return np.inf
    until = ROOT_SHARE * limit
    if streams > LARGE and settings.threads > 1:
        until = max(until, limit - LINES_SECONDS * streams)
    return until


def shares_bind(problem: Problem, settings: Settings) -> bool:
    """Whether a rule `max_spend_share` has a price in the relaxation.

    The decomposition then bounds worse than the compact model (docs/performance.md).
    """
    if not any(rule.name == "max_spend_share" for rule in problem.rules):
        return False
    generation = start_generation(Watch(problem, replace(settings, progress=None)))
    duals = generation.run(np.inf).duals
    rows = generation.master.layout.shares
    return duals is not None and generation.scale == 1.0 and bool((duals[rows] < -1e-6).any())


def start_generation(watch: Watch) -> Generation:
    """Column generation for the problem of a watch, before its first round."""
    problem, settings = watch.problem, watch.settings
    lagrangian = Lagrangian(Book(Layout(problem)), Pricer(problem, settings.threads, watch.over))
    return Generation(lagrangian, start_master(lagrangian), watch)


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


def infeasible(problem: Problem, watch: Watch) -> Result:
    """The result where no plan keeps all rules, with a minimal set of rules that clash."""
    from models.conflict import find_conflict

    conflict = find_conflict(problem, watch.settings)
    return Result("infeasible", None, None, None, None, "patterns", watch.seconds, conflict)


def result_of(watch: Watch, relaxation: Relaxation, master: Master, tree: Tree | None) -> Result:
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
            "pairs": float(len(master.added) - len(master.book.cuts)),
            "cuts": float(len(master.book.cuts)),
            "relaxation": relaxation.bound,
            "nodes": 0.0 if tree is None else float(tree.treated),
        },
    )
