"""The decomposition by line: single lines against every set of schedules, bounds against optima."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from models.patterns import agreement as agreement_module
from models.patterns import tree as tree_module
from models.patterns.agreement import Agreement
from models.patterns.bound import Lagrangian
from models.patterns.columns import Book
from models.patterns.cutting import Cutting
from models.patterns.layout import Layout
from models.patterns.lines import Effort, Lines
from models.patterns.pricing import Pricer, Stopped
from models.patterns.root import Generation
from models.patterns.solving import start_master
from models.patterns.tree import Tree
from models.patterns.watch import Watch
from models.solve import Settings, solve_by
from models.stock import flow_cost, simulate
from tests.factory import random_problem

FREE = Effort(50_000, 50_000_000, lambda: False)


def strengthened(problem):
    """A relaxation with its cuts, solved."""
    book = Book(Layout(problem))
    lagrangian = Lagrangian(book, Pricer(problem))
    watch = Watch(problem, Settings(time_limit=None))
    generation = Generation(lagrangian, start_master(lagrangian), watch)
    generation.run(np.inf)
    Cutting(generation, np.inf).finish()
    return generation


def agreement_of(generation):
    """What lines and programs agree on at the duals of a relaxation."""
    return Agreement(
        generation.lagrangian, generation.master, generation.result.duals, generation.watch
    )


def small(seed):
    """A problem whose lines can be gone through schedule by schedule."""
    return random_problem(seed, programs=4, cmos=2, periods=3, utilisation=1.1)


def cheapest_by_days(lines, line, worth):
    """Per program: days by period of every schedule that a line could make, and its least cost.

    The cost is that of the stream apart from line-days and cuts, less what the stream is worth.
    """
    problem, lagrangian = lines.problem, lines.lagrangian
    none = replace(lines.prices, line=0 * lines.prices.line, cuts=np.zeros_like(lines.prices.cuts))
    costs, once = lagrangian.costs(none)
    found: dict[int, dict[tuple[float, ...], float]] = {}
    for stream in lines.mine[line].tolist():
        f = int(problem.streams.offer[stream])
        p = int(problem.offers.program[f])
        table = problem.stream_tables(np.array([stream]))
        proving = np.zeros(problem.periods)
        proving[problem.offers.validation_period[f]] = problem.offers.validation_days[f]
        for made in itertools.product(*(range(int(n) + 1) for n in problem.max_batches[f])):
            batches = np.array([made], np.int16)
            released = lagrangian.book.released(np.array([f]), batches)
            flow = simulate(table, released)
            cost = float(np.sum(flow_cost(problem, np.array([p]), flow)))
            cost += float(costs.batch[f] @ batches[0] + costs.setup[f] @ (batches[0] > 0))
            days = problem.offers.days[f] * batches[0] + proving
            days = days + problem.lines.changeover_days[line] * (batches[0] > 0)
            key = tuple(np.round(days, 9).tolist())
            cost += float(once[f] - worth[stream])
            mine = found.setdefault(p, {})
            mine[key] = min(mine.get(key, np.inf), cost)
    return list(found.values())


def least_of(choices, room):
    """The least cost of schedules of different programs whose days fit together."""
    best = 0.0
    if not choices:
        return best
    rest = least_of(choices[1:], room)
    best = min(best, rest)
    for days, cost in choices[0].items():
        left = room - np.array(days)
        if cost < 0.0 and left.min() >= -1e-6:
            best = min(best, cost + least_of(choices[1:], left))
    return best


@pytest.mark.parametrize("seed", range(6))
def test_a_line_earns_what_every_set_of_schedules_says(seed):
    generation = strengthened(small(seed))
    agreement = agreement_of(generation)
    lines, rng = agreement.lines, np.random.default_rng(seed)
    scale = float(np.abs(lines.full).mean())
    for spread in (0.0, 0.02, 0.2):
        worth = lines.full + scale * spread * rng.normal(size=len(lines.full))
        for line, grown in agreement.cases:
            exact = lines.earn(line, grown, worth, 0.01 * scale, 1e12, FREE)
            wanted = least_of(cheapest_by_days(lines, line, worth), lines.room(line, grown)[0])
            assert exact.exact
            assert exact.value == pytest.approx(wanted, rel=1e-6, abs=1e-6 * scale)
            assert exact.value <= wanted + 1e-9 * scale
            narrow = lines.earn(line, grown, worth, scale, 1e12, Effort(2, 500, lambda: False))
            assert narrow.value <= wanted + 1e-9 * scale
            assert narrow.attained >= wanted - 1e-6 * scale
            limited = lines.earn(line, grown, worth, 0.001 * scale, 0.002 * scale, FREE)
            assert limited.value <= wanted + 1e-9 * scale
            assert lines.unlooked(line, grown, worth).value <= wanted + 1e-9 * scale


@pytest.mark.parametrize("seed", range(6))
def test_the_streams_that_a_line_takes_are_of_different_programs(seed):
    agreement = agreement_of(strengthened(small(seed)))
    lines = agreement.lines
    worth = 1.1 * lines.full
    for line, grown in agreement.cases:
        taken = lines.earn(line, grown, worth, 1e3, 1e12, FREE).streams
        assert len(np.unique(lines.program[taken])) == len(taken)
        assert (lines.line[taken] == line).all()


@pytest.mark.parametrize("seed", range(12))
def test_the_bound_climbs_and_leaves_every_plan(seed):
    problem = random_problem(
        seed, programs=6, cmos=3, periods=4, utilisation=1.0, rules=seed % 2 == 1
    )
    generation = strengthened(problem)
    result = solve_by("highs", problem, Settings(time_limit=30.0, gap=0.0), None)
    assert result.objective is not None
    agreement = agreement_of(generation)
    assert agreement.start == pytest.approx(generation.result.bound, rel=1e-6)
    bounds = [agreement.start, agreement.begin()]
    while agreement.step():
        bounds.append(agreement.bound)
    assert bounds == sorted(bounds)
    assert bounds[-1] <= result.objective * (1 + 1e-9) + 1e-6


def test_lines_raise_the_bound_of_cuts_somewhere():
    at_once = climbed = 0
    for seed in range(8):
        problem = random_problem(seed, programs=8, cmos=3, periods=5, utilisation=1.2)
        agreement = agreement_of(strengthened(problem))
        first = agreement.begin()
        while agreement.step():
            pass
        at_once += first > agreement.start * (1 + 1e-4)
        climbed += agreement.bound > first * (1 + 1e-4)
    assert at_once >= 2
    assert climbed >= 2


def test_less_worth_costs_programs_nothing():
    lines = agreement_of(strengthened(small(3))).lines
    lower = lines.lowered(lines.full)
    assert (lower <= lines.full).all()
    assert (lower < lines.full - 1.0).any()
    before, after = (lines.least(lines.option_values(worth)) for worth in (lines.full, lower))
    assert after == pytest.approx(before)


def test_a_stop_leaves_what_prices_alone_say():
    generation = strengthened(small(1))
    generation.watch.interrupted = True
    agreement = agreement_of(generation)
    assert agreement.begin() == pytest.approx(agreement.start, rel=1e-6)
    assert agreement.bound <= agreement.start
    assert not agreement.step()


def test_prices_below_zero_are_left_to_the_relaxation(monkeypatch):
    monkeypatch.setattr(Lines, "sound", property(lambda _: False))
    agreement = agreement_of(strengthened(small(1)))
    assert agreement.begin() == agreement.start
    assert not agreement.step()


def test_lines_that_stay_inexact_keep_their_worths(monkeypatch):
    monkeypatch.setattr(agreement_module, "WIDTH", 1)
    monkeypatch.setattr(agreement_module, "STEPS", 30)
    frozen = 0
    for seed in range(6):
        problem = random_problem(seed, programs=8, cmos=3, periods=5, utilisation=1.2)
        agreement = agreement_of(strengthened(problem))
        agreement.begin()
        result = solve_by("patterns", problem, Settings(gap=0.03), None)
        held = agreement.frozen.copy()
        worth = agreement.worth.copy()
        while agreement.step():
            pass
        mine = held[agreement.lines.line]
        assert agreement.worth[mine] == pytest.approx(worth[mine])
        assert result.objective is not None
        assert agreement.bound <= result.objective * (1 + 1e-9)
        frozen += int(held.sum())
    assert frozen > 0


def test_searched_more_widely_lines_prove_more_and_never_too_much(monkeypatch):
    monkeypatch.setattr(agreement_module, "WIDTH", 1)
    monkeypatch.setattr(agreement_module, "STEPS", 30)
    monkeypatch.setattr(agreement_module, "WIDER", 1_000)
    freed = more = 0
    for seed in range(6):
        problem = random_problem(seed, programs=8, cmos=3, periods=5, utilisation=1.2)
        agreement = agreement_of(strengthened(problem))
        agreement.begin()
        while agreement.step():
            pass
        bound, frozen = agreement.bound, agreement.frozen.copy()
        inexact = [case for case, earning in agreement.earned.items() if not earning.exact]
        assert agreement.widen() == bool(inexact)
        assert not (agreement.frozen & ~frozen).any()
        freed += int((frozen & ~agreement.frozen).sum())
        assert agreement.bound >= bound
        while agreement.step():
            pass
        result = solve_by("highs", problem, Settings(time_limit=30.0, gap=0.0), None)
        assert result.objective is not None
        assert agreement.bound <= result.objective * (1 + 1e-9) + 1e-6
        more += agreement.bound > bound * (1 + 1e-6)
    assert freed > 0
    assert more > 0


@pytest.mark.parametrize("much", [0.0, 1.0])
def test_the_root_is_searched_more_widely_where_the_tree_raises_little(monkeypatch, much):
    monkeypatch.setattr(agreement_module, "WIDTH", 1)
    monkeypatch.setattr(agreement_module, "STEPS", 30)
    monkeypatch.setattr(agreement_module, "WIDER", 1_000)
    monkeypatch.setattr(tree_module, "MUCH", much)
    problem = random_problem(0, programs=8, cmos=3, periods=5, utilisation=1.2)
    optimum = solve_by("highs", problem, Settings(time_limit=30.0, gap=0.0), None).objective
    generation = strengthened(problem)
    tree = Tree(generation.lagrangian, generation.master, generation.result, generation.watch)
    while tree.root is not None and tree.step():
        assert tree.bound <= optimum * (1 + 1e-9)
    assert tree.treated == tree_module.FEW_NODES
    widened = tree.floor > tree.open[0].bound or (tree.floor == tree.bound)
    assert widened == (much > 0.0)


def test_two_threads_find_the_same_bound():
    problem = random_problem(2, programs=8, cmos=3, periods=5, utilisation=1.2)
    generation = strengthened(problem)
    bounds = []
    for threads in (1, 2):
        agreement = Agreement(
            generation.lagrangian,
            generation.master,
            generation.result.duals,
            generation.watch,
            threads,
        )
        agreement.begin()
        while agreement.step():
            pass
        bounds.append(agreement.bound)
    assert bounds[0] == bounds[1]


def test_a_stop_at_a_node_proves_nothing(monkeypatch):
    problem = random_problem(2, programs=8, cmos=3, periods=5, utilisation=1.2)
    generation = strengthened(problem)
    lagrangian, watch = generation.lagrangian, generation.watch
    tree = Tree(lagrangian, generation.master, generation.result, watch)
    while tree.pending is not None:  # the lines at the root, until it is split
        assert tree.step()
    assert tree.open
    before = tree.bound

    def stopped(*_):
        raise Stopped

    monkeypatch.setattr(tree_module, "Agreement", stopped)
    assert not tree.step()
    assert watch.objective is None
    assert not tree.barren
    assert before <= tree.bound < np.inf
