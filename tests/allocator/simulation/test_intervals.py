"""Intervals hold what they promise, for rare events too."""

import numpy as np
import pytest

from allocator.simulation.intervals import MANY, mean_interval, share_interval


def test_clopper_pearson_by_the_rule_of_three_and_published_values():
    low, high = share_interval(0, 100, 0.05)
    assert low == 0.0
    assert high == pytest.approx(1 - 0.025 ** (1 / 100), abs=1e-9)
    # 10 of 100: 0.0490 to 0.1762 (Clopper and Pearson, any table)
    assert share_interval(10, 100, 0.05) == pytest.approx((0.04900, 0.17622), abs=1e-5)
    mirrored = share_interval(90, 100, 0.05)
    assert mirrored == pytest.approx((1 - 0.17622, 1 - 0.04900), abs=1e-5)
    assert share_interval(100, 100, 0.05)[1] == 1.0


def test_both_intervals_meet_where_one_takes_over():
    below, above = (share_interval(hits, 20_000, 1e-4) for hits in (MANY - 1, MANY))
    assert above == pytest.approx(below, rel=0.02)


@pytest.mark.parametrize("probability", [0.0005, 0.02, 0.3])
def test_a_probability_is_covered_as_often_as_promised(probability):
    rng = np.random.default_rng(1)
    hits = rng.binomial(2000, probability, 400)
    inside = [
        low <= probability <= high
        for low, high in (share_interval(int(h), 2000, 0.1) for h in hits)
    ]
    assert np.mean(inside) > 0.86


@pytest.mark.parametrize("probability", [0.0005, 0.01, 0.3])
def test_a_mean_of_rare_losses_is_covered_as_often_as_promised(probability):
    rng = np.random.default_rng(2)
    inside = []
    for _ in range(300):
        values = 6.0 * (rng.random(2000) < probability)
        low, high = mean_interval(values, 6.0, 0.1)
        inside.append(low <= 6.0 * probability <= high)
    assert np.mean(inside) > 0.86


def test_a_loss_never_seen_may_still_be_there():
    low, high = mean_interval(np.zeros(1000), 6.0, 0.01)
    assert low == 0.0
    assert 0.01 < high < 0.2
    assert mean_interval(np.zeros(1), 6.0, 0.01) == (0.0, float("inf"))
