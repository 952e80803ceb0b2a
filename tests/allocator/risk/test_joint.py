"""Outages with common causes: the worked figures, and brute-force enumeration of every state."""

from __future__ import annotations

from itertools import product
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.risk.joint import (
    Shock,
    Shocks,
    months_both_out,
    months_out,
    prob_both_out,
    prob_out,
    shock_table,
)

ONE, TWO = np.array([0]), np.array([1])
A, B = Shock("site", "A", 0.05, 6.0), Shock("site", "B", 0.05, 6.0)
REGION, INPUT = Shock("region", "EU", 0.02, 6.0), Shock("shared_input", "api", 0.03, 6.0)
SHOCKS = [A, B, REGION, INPUT]


@pytest.mark.parametrize(("common", "both"), [([], 0.0025), ([2], 0.02245), ([2, 3], 0.0517765)])
def test_two_sites_of_five_percent(common: list[int], both: float) -> None:
    """0.25 % independent, 2.2 % with a regional shock, 5.2 % with a shared input as well."""
    table = shock_table(SHOCKS, [[0, *common], [1, *common]])
    assert prob_both_out(table, ONE, TWO)[0] == pytest.approx(both, abs=1e-12)


def test_rare_probabilities_keep_their_precision() -> None:
    rare = [Shock("site", "A", 1e-12, 6.0), Shock("site", "B", 3e-12, 6.0)]
    table = shock_table([*rare, Shock("region", "EU", 1e-15, 6.0)], [[0], [1], [0, 2], [1, 2]])
    assert prob_both_out(table, ONE, TWO)[0] == pytest.approx(3e-24, rel=1e-12)
    assert prob_both_out(table, ONE + 2, TWO + 2)[0] == pytest.approx(1e-15, rel=1e-8)
    assert prob_out(table, ONE)[0] == pytest.approx(1e-12, rel=1e-12)


def test_a_certain_shock() -> None:
    table = shock_table([Shock("site", "A", 1.0, 3.0), B], [[0], [1]])
    assert prob_out(table, ONE)[0] == 1.0
    assert prob_both_out(table, ONE, TWO)[0] == pytest.approx(0.05, rel=1e-12)
    assert months_out(table, ONE, np.array([1.0]))[0] == 2.0


def test_a_site_without_shocks_never_stops() -> None:
    table = shock_table([A], [[0], []])
    assert prob_out(table, TWO)[0] == 0.0
    assert months_both_out(table, ONE, TWO, np.zeros(1))[0] == 0.0


def test_stock_covers_the_first_months() -> None:
    table = shock_table([A, REGION], [[0, 1]])
    out = 1 - 0.95 * 0.98
    for cover, months in ((0.0, 6.0), (2.5, 3.5), (6.0, 0.0), (9.0, 0.0)):
        lost = months_out(table, ONE, np.array([cover]))[0]
        assert lost == pytest.approx(out * months, abs=1e-15)


def test_durations_by_hand() -> None:
    """Own shock of 2 months, region of 5: out at least 2 with either, 3 more with the region."""
    table = shock_table(
        [Shock("site", "A", 0.1, 2.0), Shock("site", "B", 0.2, 4.0), Shock("region", "R", 0.05, 5)],
        [[0, 2], [1, 2]],
    )
    zero = np.zeros(1)
    assert months_out(table, ONE, zero)[0] == pytest.approx(2 * (1 - 0.9 * 0.95) + 3 * 0.05)
    both_two = 0.05 + 0.95 * 0.1 * 0.2
    assert months_both_out(table, ONE, TWO, zero)[0] == pytest.approx(2 * both_two + 3 * 0.05)


def brute_force(
    shocks: list[Shock], sites: tuple[set[int], set[int]], cover: float
) -> tuple[float, float, float, float]:
    """P(first out), P(both out), months first out, months both out: over all states of a year."""
    totals = np.zeros(4)
    for state in product((False, True), repeat=len(shocks)):
        p = prod(
            s.probability if hit else 1 - s.probability
            for s, hit in zip(shocks, state, strict=True)
        )
        lasts = [
            max((shocks[g].recover_months for g in site if state[g]), default=0.0) for site in sites
        ]
        struck = [any(state[g] for g in site) for site in sites]
        totals += p * np.array(
            [
                struck[0],
                all(struck),
                max(lasts[0] - cover, 0.0),
                max(min(lasts) - cover, 0.0),
            ]
        )
    return tuple(totals.tolist())


shock = st.tuples(
    st.floats(0.0, 1.0) | st.sampled_from([0.0, 1e-9, 0.05, 1.0]),
    st.floats(0.0, 24.0) | st.sampled_from([0.0, 3.0, 6.0]),
)


@settings(deadline=None, derandomize=True, max_examples=150)
@given(
    figures=st.lists(shock, min_size=1, max_size=7),
    data=st.data(),
    cover=st.floats(0.0, 8.0) | st.sampled_from([0.0, 3.0, 6.0]),
)
def test_agrees_with_enumeration(
    figures: list[tuple[float, float]], data: st.DataObject, cover: float
) -> None:
    shocks = [Shock("x", str(n), p, months) for n, (p, months) in enumerate(figures)]
    rows = st.sets(st.integers(0, len(shocks) - 1))
    sites = data.draw(rows), data.draw(rows)
    table: Shocks = shock_table(shocks, [sorted(sites[0]), sorted(sites[1])])
    covers = np.array([cover])
    mine = (
        prob_out(table, ONE)[0],
        prob_both_out(table, ONE, TWO)[0],
        months_out(table, ONE, covers)[0],
        months_both_out(table, ONE, TWO, covers)[0],
    )
    assert mine == pytest.approx(brute_force(shocks, sites, cover), rel=1e-9, abs=1e-13)


def test_many_pairs_at_once() -> None:
    rng = np.random.default_rng(5)
    shocks = [
        Shock("x", str(n), float(rng.random() * 0.1), float(rng.integers(1, 9))) for n in range(12)
    ]
    sites = [sorted(rng.choice(12, rng.integers(0, 5), replace=False).tolist()) for _ in range(9)]
    table = shock_table(shocks, sites)
    one, two = np.triu_indices(9, 1)
    covers = rng.integers(0, 4, len(one)).astype(float)
    together = months_both_out(table, one, two, covers)
    for row in range(len(one)):
        pair = set(sites[one[row]]), set(sites[two[row]])
        expected = brute_force(shocks, pair, float(covers[row]))[3]
        assert together[row] == pytest.approx(expected, rel=1e-9, abs=1e-15)
