"""The whole search: relaxation, first plan, improvement, result."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from models.patterns.bound import Lagrangian
from models.patterns.columns import Book, Columns
from models.patterns.cutting import strengthen
from models.patterns.dive import dive
from models.patterns.improving import Improver, expanded_lines
from models.patterns.layout import Layout
from models.patterns.master import Master
from models.patterns.part import Part, overfull, usage
from models.patterns.pricing import Pricer, Stopped
from models.patterns.root import Generation, Relaxation
from models.patterns.tree import Tree
from models.patterns.warming import warm_up
from models.patterns.watch import Watch
from models.problem import Ints, Problem
from models.result import Decision, Limit, Result, Status, status_of
from models.solve import Settings

#: Share of the time limit that the relaxation may take before plans are looked for.
ROOT_SHARE = 0.45
#: Turns without a better plan after which the search gives up once the tree can grow no more.
PATIENCE = 12
#: Streams that the nodes of one turn may price together; larger problems have a node less often.
NODES_PER_TURN = 4_000
#: Streams for each turn of moves beside a turn of the tree, which takes longer the more there are.
STREAMS_PER_RUN = 2_000
#: Streams of a large problem: its nodes are rarer still, as each proves less, and not beside moves.
LARGE = 50_000
#: First cycles of moves after which the plan is polished, then after twice as many. Columns that
#: take part, per program and at least; programs for each second that it may take beyond ten.
POLISHING, POLISHED, POLISHED_LEAST, PER_SECOND = 4, 12, 1_500, 20
#: Columns up to which a MIP over them is worth its time.
RESTRICTED = 3_000
#: Growth of the columns at hand after which that MIP is solved again.
AGAIN = 1.5


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
    book = Book(Layout(problem))
    lagrangian = Lagrangian(book, Pricer(problem, settings.threads, watch.over))
    master = start_master(lagrangian)
    generation = Generation(lagrangian, master, watch)
    watch.report("relaxation")
    until = np.inf if settings.time_limit is None else ROOT_SHARE * settings.time_limit
    relaxation = generation.run(until)
    if relaxation.infeasible:
        return infeasible(problem, watch)
    tree = None
    if relaxation.converged and not watch.over():
        watch.report("cuts")
        strengthen(generation, until)
    if relaxation.priced is not None and generation.scale == 1.0:
        try:
            tree = search(lagrangian, master, relaxation, watch)
        except Stopped:  # before there was anything to search from: the plan at hand stands
            return result_of(watch, relaxation, master, None)
        if tree.barren:
            return infeasible(problem, watch)
    return result_of(watch, relaxation, master, tree)


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


def search(lagrangian: Lagrangian, master: Master, relaxation: Relaxation, watch: Watch) -> Tree:
    """Construct a plan from the relaxation, then improve it and raise the bound by turns."""
    watch.report("first plan")
    given, layout = watch.decision, lagrangian.layout
    improver = Improver(lagrangian, relaxation, master.added, watch, watch.settings.seed)
    pool = master.columns.take(np.flatnonzero(np.isin(master.columns.option, improver.rows)))
    grown = expanded_lines(layout.expand, master.side_values)
    start = pool.take(np.empty(0, np.int64))
    few = len(lagrangian.rows) <= NODES_PER_TURN // 2
    improver.construct(start, grown)
    if not np.isfinite(improver.top):  # the rules leave moves at guiding prices no plan
        half = watch.seconds + 0.3 * watch.left
        start, more = dive(lagrangian.book, improver.rows, pool, watch, half)
        pool = more if len(more) <= RESTRICTED else pool
        improver.construct(start, grown | overfull(lagrangian.book, start))
    if few or not np.isfinite(improver.top):
        restricted(lagrangian.book, improver.rows, pool, watch)
    if watch.objective is not None and watch.objective < improver.top:
        given = watch.decision
    if given is not None and watch.decision is given:
        improver.load(given)
    watch.report("search")
    tree = Tree(lagrangian, master, relaxation, watch)
    turns(improver, tree, watch)
    return tree


def turns(improver: Improver, tree: Tree, watch: Watch) -> None:
    """Improve the plan and raise the bound by turns, side by side where there is a second thread.

    What the two find is exchanged between turns, never within one, so that equal seeds and threads
    find equal plans however fast each of them is.
    """
    lagrangian, master = tree.lagrangian, tree.master
    streams = max(1, len(lagrangian.rows))
    steps = int(np.clip(NODES_PER_TURN // streams, 1, 30))
    beside = watch.settings.threads > 1 and streams <= LARGE
    every = 1 if beside else max(1, streams // NODES_PER_TURN) * max(1, streams // LARGE)
    runs = int(np.clip(streams // STREAMS_PER_RUN, 1, 12)) if beside else 1
    aside = watch.aside()
    improver.watch = aside
    turn = idle = weary = 0
    made, polishing = 0, POLISHING * improver.shortest
    growing = True
    again = AGAIN * max(master.count, 100)
    with ThreadPoolExecutor(1) as pool:
        while not watch.over() and (growing or weary < PATIENCE):
            turn += 1
            weary = min(idle // improver.length, PATIENCE)
            moving: Future[bool] | None = None
            if beside or not growing or turn % (1 + weary) == 0:  # rarer while it finds nothing
                moving = pool.submit(run, improver, runs)
                if not beside:
                    moving.result()
                    watch.exchange(aside)
            for _ in range(steps if turn % every == 0 else 0):
                growing = growing and not watch.over() and tree.step()
            if moving is not None:
                idle = 0 if moving.result() else idle + 1
                made += runs
            if growing and turn % every == 0 and tree.settled is not None:
                improver.attempt(*tree.settled)
            watch.exchange(aside)
            if made >= polishing and not watch.over() and np.isfinite(improver.top):
                polishing = 2 * made
                better = polish(improver, tree, watch)
                watch.exchange(aside)
                improver.adopt(better)
            if again <= master.count <= RESTRICTED and not watch.over():
                again = AGAIN * master.count
                known = np.isin(master.columns.option, improver.rows)
                pool_of = master.columns.take(known)
                better = restricted(lagrangian.book, improver.rows, pool_of, watch)
                watch.exchange(aside)
                improver.adopt(better)


def polish(improver: Improver, tree: Tree, watch: Watch) -> bool:
    """Offer the best plan over the plan's own columns and those of least reduced cost.

    That is a MIP over the strengthened master that starts from the plan: it changes many programs
    at once, as moves hardly can. Whether it was better than the best so far.
    """
    master, book, side = tree.master, tree.lagrangian.book, tree.lagrangian.layout.side
    tree.apply(())
    plan = improver.columns()
    master.add(plan)
    if not master.solve(0.2 * watch.left):
        return False
    columns = master.columns
    reduced = master.reduced_costs(columns, master.duals)
    few = min(max(POLISHED * book.layout.P, POLISHED_LEAST), len(columns))
    mine = set(plan.keys())
    allowed = reduced <= np.partition(reduced, few - 1)[few - 1]
    allowed |= np.array([key in mine for key in columns.keys()])  # noqa: SIM118
    master.restrict(allowed, np.array(side.lower), np.array(side.upper))
    seconds = min(max(10.0, book.layout.P / PER_SECOND), 0.2 * watch.left)
    chosen = master.solve_whole(seconds, 300, plan)
    tree.apply(())
    if chosen is None:
        return False
    grown = expanded_lines(book.layout.expand, master.side_values)
    found = columns.take(chosen)
    return watch.offer(book.decision_of(found, grown | overfull(book, found)))


def run(improver: Improver, runs: int) -> bool:
    """Some turns of moves; whether any found a better plan."""
    found = [improver.run() for _ in range(runs) if not improver.watch.over()]
    return any(found)


def restricted(book: Book, rows: Ints, pool: Columns, watch: Watch) -> bool:
    """Offer the best plan over columns at hand: a small MIP that knows every rule.

    Whether that was better than the best so far.
    """
    P = book.layout.P
    if len(pool) > RESTRICTED:
        return False
    used, engaged = usage(book, pool.take(np.empty(0, np.int64)))
    part = Part(book, np.arange(P), rows, used, engaged)
    part.master.add(part.inward(pool))
    part.master.phase(False)
    seconds = min(10.0, max(0.1 * watch.left, min(1.5, 0.5 * watch.left)))
    chosen = part.master.solve_whole(seconds, 300)
    if chosen is not None:
        plan = part.outward(part.master.columns.take(chosen))
        grown = expanded_lines(part.book.layout.expand, part.master.side_values)
        return watch.offer(book.decision_of(plan, grown))
    return False


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
