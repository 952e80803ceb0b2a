"""Chains of steps as distributions: means kept, sums by brute force, dates and critical steps."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.risk.chain import (
    PER_MONTH,
    convolve,
    quantile,
    share_of_total,
    shift_odds,
    survival_of_total,
    total,
    triangular,
)

months = st.floats(0.0, 20.0)
step = st.tuples(months, months, months).map(sorted)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(st.lists(step, min_size=1, max_size=6))
def test_projection_keeps_each_mean(steps: list[list[float]]) -> None:
    low, mode, high = np.array(steps).T
    spread = triangular(low, mode, high)
    assert spread.mass.sum(axis=1) == pytest.approx(np.ones(len(steps)))
    assert (spread.mass >= 0).all()
    assert spread.mean() == pytest.approx((low + mode + high) / 3, abs=1e-9)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.lists(step, min_size=1, max_size=6))
def test_a_sum_keeps_the_mean_and_stays_in_range(steps: list[list[float]]) -> None:
    chain = np.array([steps])
    whole = total(chain)
    assert whole.mean()[0] == pytest.approx(chain.mean(axis=2).sum(), abs=1e-6)
    support = (whole.start[0] + np.flatnonzero(whole.mass[0] > 1e-12)) / PER_MONTH
    slack = (len(steps) + 1) / PER_MONTH
    assert support.min() >= chain[:, :, 0].sum() - slack
    assert support.max() <= chain[:, :, 2].sum() + slack


def test_expected_delay_beyond_a_grid_point_is_exact_for_one_step() -> None:
    """Above the mode of a triangle on (2, 4, 10): E[max(0, X - 6)] = 4^3 / (3 * 8 * 6)."""
    later = survival_of_total(np.array([[[2.0, 4.0, 10.0]]]), 20 * PER_MONTH)[0]
    assert later[6 * PER_MONTH :].sum() / PER_MONTH == pytest.approx(64 / 144, abs=2e-4)


def test_expected_delay_of_a_chain_against_sampling() -> None:
    steps = np.array(
        [[[1.2, 1.8, 2.5], [0.7, 1.1, 2.9], [1.0, 2.0, 5.0], [3.0, 3.0, 4.4], [2, 2, 2]]]
    )
    rng = np.random.default_rng(1)
    samples = sum(rng.triangular(*row, 400_000) if row[2] > row[0] else row[1] for row in steps[0])
    later = survival_of_total(steps, 30 * PER_MONTH)[0]
    for planned in (9, 11, 13):
        delay = np.maximum(samples - planned, 0.0)
        error = 4 * delay.std() / len(delay) ** 0.5 + 2e-3
        mine = later[planned * PER_MONTH :].sum() / PER_MONTH
        assert mine == pytest.approx(delay.mean(), abs=error)


def test_a_fixed_chain_is_certain() -> None:
    later = survival_of_total(np.full((1, 3, 3), 2.0), 100)[0]
    assert later[6 * PER_MONTH - 1] == 1.0
    assert later[6 * PER_MONTH] == 0.0
    assert quantile(later, 0.5) == quantile(later, 0.9) == 6.0


def test_convolution_by_enumeration() -> None:
    one = triangular(np.array([1.0, 0.3]), np.array([1.2, 0.4]), np.array([2.0, 0.9]))
    two = triangular(np.array([0.5, 0.0]), np.array([0.7, 0.1]), np.array([0.8, 1.7]))
    both = convolve(one, two)
    for row in range(2):
        expected: dict[int, float] = {}
        for i, j in product(range(one.mass.shape[1]), range(two.mass.shape[1])):
            at = int(one.start[row] + two.start[row] + i + j)
            expected[at] = expected.get(at, 0.0) + one.mass[row, i] * two.mass[row, j]
        for at, mass in expected.items():
            assert both.mass[row, at - both.start[row]] == pytest.approx(mass, abs=1e-15)


def test_one_long_chain_among_short_ones() -> None:
    short = [[1.0, 2.0, 3.0]] * 2
    long = [[10.0, 20.0, 60.0]] * 2
    points = 130 * PER_MONTH
    together = survival_of_total(np.array([short, long, short]), points)
    assert together[0] == pytest.approx(survival_of_total(np.array([short]), points)[0])
    assert together[1] == pytest.approx(survival_of_total(np.array([long]), points)[0])
    assert (together[2] == together[0]).all()


def test_odds_shift_is_logistic() -> None:
    survival = np.array([[1.0, 0.9, 0.5, 0.1, 0.0]])
    moved = shift_odds(survival, np.array([0.7]))[0]
    assert moved[0] == 1.0
    assert moved[-1] == 0.0
    inner = slice(1, 4)
    odds = moved[inner] / (1 - moved[inner])
    was = survival[0, inner] / (1 - survival[0, inner])
    assert np.log(odds / was) == pytest.approx(np.full(3, 0.7))
    assert shift_odds(survival, np.zeros(1)) == pytest.approx(survival)


def test_quantiles_bracket_the_distribution() -> None:
    later = survival_of_total(np.array([[[0.0, 0.0, 10.0]]]), 200)[0]
    # P(X <= x) = 1 - (1 - x/10)^2
    assert quantile(later, 0.5) == pytest.approx(10 * (1 - 0.5**0.5), abs=1.5 / PER_MONTH)
    assert quantile(later, 0.9) == pytest.approx(10 * (1 - 0.1**0.5), abs=1.5 / PER_MONTH)
    assert quantile(np.ones(8), 0.5) == 8 / PER_MONTH


def test_shares_of_a_late_chain_sum_to_it() -> None:
    steps = np.array([[1.0, 2.0, 4.0], [3.0, 3.0, 3.0], [0.0, 1.0, 8.0]])
    shares = share_of_total(steps, 11.0)
    assert sum(shares) == pytest.approx(11.0)
    assert shares[1] == 3.0
    assert shares[2] - 1.0 > shares[0] - 2.0
    assert np.isnan(share_of_total(steps, 90.0)).all()
