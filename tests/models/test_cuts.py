"""Cuts on line-days against every set of items that fits, and against plans."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.patterns.bound import Lagrangian
from models.patterns.columns import Book
from models.patterns.cuts import Cell, Pool, lift, make_cell
from models.patterns.cutting import Cutting, add_cuts
from models.patterns.layout import Layout
from models.patterns.pricing import Pricer
from models.patterns.root import Generation
from models.patterns.separation import by_functions, by_sets, fitting_sets, violated
from models.patterns.solving import start_master
from models.patterns.watch import Watch
from models.solve import Settings, solve_by
from tests.factory import random_problem


@st.composite
def cells(draw):
    """A line in a period: up to four programs with one or two offers of up to three batches."""
    room = draw(st.integers(4, 15))
    kept = draw(st.sampled_from([0, 0, 3, 5]))
    sizes, program = [], []
    for p in range(draw(st.integers(1, 4))):
        for _ in range(draw(st.integers(1, 2))):
            change, batch = draw(st.integers(0, 4)), draw(st.integers(1, 6))
            sizes.append([0] + [change + batch * n for n in (1, 2, 3)])
            program.append(p)
    size = np.array(sizes, np.int64)
    return Cell(0, 0, np.arange(len(size)), np.array(program), size, room, kept)


def items_of(cell):
    """Every item: program, row and batches, of those that fit alone."""
    return [
        (int(cell.program[row]), row, n)
        for row, n in itertools.product(range(len(cell.size)), range(cell.size.shape[1]))
        if 0 < cell.size[row, n] <= cell.room
    ]


def heaviest(cell, value, kept):
    """Most value of items of different programs that fit, with and without the expansion."""
    best = 0.0
    items = items_of(cell)
    for count in range(5):
        for chosen in itertools.combinations(items, count):
            if len({p for p, _, _ in chosen}) < count:
                continue
            used = sum(int(cell.size[row, n]) for _, row, n in chosen)
            worth = sum(float(value[row, n]) for _, row, n in chosen)
            if used <= cell.room:
                best = max(best, worth)
            if used + cell.kept <= cell.room:
                best = max(best, worth + kept)
    return best


@settings(deadline=None, derandomize=True, max_examples=120)
@given(cells(), st.integers(0, 10**6))
def test_no_set_of_items_that_fits_weighs_more_than_one(cell, seed):
    rng = np.random.default_rng(seed)
    weights = {}
    for p, row, n in items_of(cell):
        if rng.random() < 0.5:
            weights[p, int(cell.size[row, n])] = float(rng.random())
    if not weights:
        return
    e = float(rng.random()) if cell.kept else 0.0
    found = violated(cell, weights, 1.0, e)
    if found is None:
        return
    over, values, kept = found
    cut = lift(cell, values, kept, rng.permutation(np.unique(cell.program)))
    assert heaviest(cell, cut.value, cut.kept) <= 1.0 + 1e-9
    # lifting takes nothing from what the relaxation uses: the cut is violated as much, or more
    worth = cut.kept * (1.0 - e)
    for (p, size), weight in weights.items():
        row, n = np.argwhere((cell.size == size) & (cell.program == p)[:, None])[0]
        worth += weight * cut.value[row, n]
    assert worth - 1.0 >= over - 1e-6
    assert over >= 0.01


@settings(deadline=None, derandomize=True, max_examples=120)
@given(
    st.integers(5, 40),
    st.lists(st.tuples(st.integers(1, 40), st.floats(0.05, 1.0)), min_size=1, max_size=7),
)
def test_functions_are_dual_feasible(room, items):
    size = np.array([min(s, room) for s, _ in items], np.int64)
    value = by_functions(room, size, np.array([w for _, w in items]))
    for count in range(1, len(items) + 1):
        for chosen in itertools.combinations_with_replacement(range(len(items)), count):
            if size[list(chosen)].sum() <= room:
                assert value[list(chosen)].sum() <= 1.0 + 1e-9


def test_values_of_sets_are_the_facet_one_would_draw():
    # three programs of 6 of 10 days: no two fit, so one of them at most
    size = np.array([6, 6, 6], np.int64)
    value = by_sets(10, np.arange(3), size, np.array([0.5, 0.5, 0.5]))
    assert value == pytest.approx([1.0, 1.0, 1.0])
    sets = fitting_sets(10, np.arange(3), size)
    assert sets is not None
    assert sorted(map(tuple, sets)) == [(0, 0, 1), (0, 1, 0), (1, 0, 0)]
    # items of one program exclude each other whatever their size
    sets = fitting_sets(10, np.array([0, 0, 1]), np.array([2, 3, 4], np.int64))
    assert sets is not None
    assert sorted(map(tuple, sets)) == [(0, 1, 1), (1, 0, 1)]


def test_sizes_that_are_no_multiples_of_a_step_are_rounded_down():
    problem = random_problem(3, programs=4, cmos=3, periods=4)
    pool = Pool(problem)
    for line in range(len(problem.lines.ids)):
        for t in range(problem.periods):
            cell = make_cell(problem, pool.on_line[line], line, t)
            days = problem.lines.days[line, t]
            if t >= problem.lines.expansion_period[line]:
                days += problem.lines.expansion_days[line]
            for row, f in enumerate(cell.offers):
                most = int(problem.max_batches[f, t])
                if most:
                    used = most * problem.offers.days[f] + problem.lines.changeover_days[line]
                    if problem.offers.validation_period[f] == t:
                        used += problem.offers.validation_days[f]
                    if used <= days:
                        assert cell.size[row, most] <= cell.room


def relaxed(problem):
    """A solved relaxation."""
    book = Book(Layout(problem))
    lagrangian = Lagrangian(book, Pricer(problem))
    master = start_master(lagrangian)
    generation = Generation(lagrangian, master, Watch(problem, Settings(time_limit=None)))
    generation.run(np.inf)
    return generation


@pytest.mark.parametrize("seed", range(6))
def test_cuts_raise_the_bound_and_leave_every_plan(seed):
    problem = random_problem(seed, programs=6, cmos=3, periods=4, utilisation=1.0)
    generation = relaxed(problem)
    before = generation.result.bound
    Cutting(generation, np.inf).finish()
    result = solve_by("highs", problem, Settings(time_limit=30.0, gap=0.0), None)
    assert result.objective is not None
    assert result.decision is not None
    assert before <= generation.result.bound <= result.objective * (1 + 1e-9) + 1e-6
    book = generation.lagrangian.book
    columns = book.columns_of(result.decision)
    weight = np.zeros(len(book.cuts))
    for offer, batches in book.sources(columns):
        _, cut, value = book.cuts.entries(offer, batches)
        np.add.at(weight, cut, value)
    for number, cut in enumerate(book.cuts.cuts):
        kept = 0.0 if result.decision.expanded[cut.line] else cut.kept
        assert weight[number] + kept <= 1.0 + 1e-9


def test_cuts_raise_the_bound_somewhere():
    raised = 0
    for seed in range(6):
        generation = relaxed(random_problem(seed, programs=6, cmos=3, periods=4, utilisation=1.0))
        before = generation.result.bound
        Cutting(generation, np.inf).finish()
        raised += generation.result.bound > before * (1 + 1e-5)
    assert raised >= 3


def test_dropping_slack_cuts_keeps_bound_and_duals():
    generation = relaxed(random_problem(1, programs=6, cmos=3, periods=4, utilisation=1.0))
    for _ in range(4):
        generation.master.solve()
        if not add_cuts(generation, 20):
            break
        generation.run(np.inf)
    master = generation.master
    assert master.solve()
    value, count = master.objective, len(master.book.cuts)
    assert generation.centre is not None
    generation.centre = master.drop_slack(generation.centre)
    assert len(generation.centre) == len(master.layout.lower) + len(master.added)
    assert len(master.book.cuts) <= count
    assert master.solve()
    assert master.objective == pytest.approx(value)
    side = master.side_costs(master.duals)
    reduced = master.reduced_costs(master.columns, master.duals)
    assert reduced.min() >= -1e-5 * abs(value)
    assert np.abs(reduced[master.weights > 1e-6]).max() <= 1e-5 * abs(value)
    assert len(side) == len(master.side_values)
