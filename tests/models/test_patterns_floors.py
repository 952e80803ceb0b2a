"""Bounds carried from one pricing to the next leave every program's best value exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.patterns.bound import Lagrangian
from models.patterns.columns import Book
from models.patterns.floors import shares
from models.patterns.layout import Layout
from models.patterns.pricing import Costs, Pricer
from tests.factory import random_problem

NO_PAIRS = np.empty((0, 2), np.int64)


def evaluated(lagrangian, duals, scale=1.0):
    side = lagrangian.layout.side
    limits = (np.array(side.lower), np.array(side.upper))
    return lagrangian.evaluate(duals, NO_PAIRS, scale, np.array(side.cost), limits)


@pytest.mark.parametrize("rules", [False, True])
def test_a_sequence_of_duals_gives_the_bounds_of_pricing_afresh(rules):
    problem = random_problem(9, programs=6, cmos=5, periods=6, rules=rules)
    layout = Layout(problem)
    book = Book(layout)
    lagrangian = Lagrangian(book, Pricer(problem))
    counted, price = [], lagrangian.pricer.values
    lagrangian.pricer.values = lambda rows, costs: counted.append(len(rows)) or price(rows, costs)
    rng = np.random.default_rng(3)
    P, days = layout.P, layout.L * layout.T
    worth = np.zeros(days)
    for turn in range(12):
        worth = np.maximum(worth * rng.uniform(0.9, 1.1, days) + 5.0 * (rng.random(days) < 0.1), 0)
        duals = np.zeros(len(layout.lower))
        duals[P : P + days] = -worth
        fresh = Lagrangian(book, Pricer(problem))
        if turn > 7:
            lagrangian.limit = fresh.limit = np.maximum(problem.max_batches - turn % 3, 0)
        if turn == 9:  # another phase knows nothing of the one before
            assert evaluated(lagrangian, duals, 0.0).bound == evaluated(fresh, duals, 0.0).bound
        mine, theirs = evaluated(lagrangian, duals), evaluated(fresh, duals)
        assert mine.bound == theirs.bound
        assert np.array_equal(mine.least, theirs.least)
        assert np.array_equal(mine.best, theirs.best)
        costs, once = lagrangian.costs(lagrangian.prices(duals, NO_PAIRS))
        exact = np.full(len(mine.streams), np.inf)
        exact[lagrangian.rows] = price(lagrangian.rows, costs)
        values = lagrangian.option_values(lagrangian.prices(duals, NO_PAIRS), once, exact)
        assert (
            mine.options <= values + 1e-9 * np.abs(values).max(where=values < 1e99, initial=1)
        ).all()
    assert sum(counted) < 0.6 * 13 * len(lagrangian.rows)


def test_what_may_undercut_its_old_value_is_not_bounded():
    one = np.ones((5, 2))
    old = Costs(one * 4.0, one, np.full((5, 2), 3), np.zeros((5, 2), np.int64), np.ones(2))
    batch, limit, least = old.batch.copy(), old.limit.copy(), old.least.copy()
    batch[0, 1] = 2.0  # half of what it was
    batch[1, 0] = 9.0  # dearer
    batch[2, 0] = -1.0
    limit[3, 1] = 4  # more batches allowed
    limit[4, 0], batch[4, 0] = 0, 1.0  # nothing can be made there
    new = replace(old, batch=batch, limit=limit)
    assert shares(old, new) == pytest.approx([0.5, 1.0, -np.inf, -np.inf, 1.0])
    assert shares(old, replace(old, factor=np.array([1.0, 0.8]))) == pytest.approx([0.8] * 5)
    least[2] = 1
    assert np.isneginf(shares(replace(old, least=least), old)[2])
    assert np.isneginf(shares(old, replace(old, scale=0.0))).all()


def test_cuts_count_by_the_batches_that_can_be_made():
    one = np.ones((3, 2))
    limit = np.array([[2, 0], [3, 0], [2, 0]])
    old = Costs(one * 4.0, one, limit, np.zeros((3, 2), np.int64), np.ones(2))
    curve = np.array([[0.0, 5.0, 4.5, 0.1], [0.0, 7.0, 9.0, 13.0]])
    row = np.array([[0, 0], [1, -1], [-1, -1]])
    new = replace(old, curve_row=row, curve=curve)
    # two batches at 4.5 instead of 9; dearer or as dear; no cut
    assert shares(old, new) == pytest.approx([0.5, 1.0, 1.0])
    assert shares(new, old) == pytest.approx([1.0, 5.0 / 7.0, 1.0])
    assert shares(new, new) == pytest.approx([1.0, 1.0, 1.0])
