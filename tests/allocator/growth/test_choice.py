"""Which reservation to hold, and under which contract."""

from __future__ import annotations

import numpy as np
import pytest

from allocator.growth.choice import Alternative, Choice


def choice(*rows: tuple[int, str | None, list[float]], odds: list[float] | None = None) -> Choice:
    return Choice([Alternative(row, kind, np.array(totals)) for row, kind, totals in rows], odds)


def test_the_least_expected_cost_with_the_contract_paid():
    rows = (0, None, [10.0, 30.0]), (1, "min_spend", [14.0, 20.0]), (1, "suite_fee", [16.0, 20.0])
    assert choice(*rows, odds=[0.9, 0.1]).best().reservation == 0
    often = choice(*rows, odds=[0.5, 0.5])
    assert (often.best().kind, often.criterion) == ("min_spend", "expected cost")
    assert often.expected(np.array([10.0, 30.0])) == pytest.approx(20.0)


def test_regret_is_against_the_best_of_all_in_each_scenario():
    found = choice((0, None, [10.0, 30.0]), (1, "a", [14.0, 20.0]), (1, "b", [11.0, 26.0]))
    assert found.least.tolist() == [10.0, 20.0]
    assert found.regret(np.array([14.0, 20.0])).tolist() == [4.0, 0.0]
    assert (found.best().kind, found.criterion) == ("a", "worst regret")
    assert found.best(0).kind is None


def test_of_alternatives_with_as_much_regret_the_least_mean_stands_then_the_first():
    worst = [10.0, 90.0]
    found = choice((0, None, [0.0, 0.0]), (1, "a", [12.0, 90.0]), (1, "b", worst), (1, "c", worst))
    assert found.best(1).kind == "b"
    nothing = choice((0, None, [10.0, 20.0]), (1, "a", [10.0, 20.0 + 1e-9]))
    assert nothing.best().kind is None
