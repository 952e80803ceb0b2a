"""Batches and line-days: the history fits its own lines, in whole batches."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.history.mapping import read_map
from allocator.history.punctuality import ALL_SITES, punctuality, quantile
from allocator.history.rates import batches_and_rates, by_pair, line_id

from .test_prices import line
from .writing import write_map

ORDERS = st.lists(
    st.tuples(
        st.sampled_from("ABC"), st.integers(0, 5), st.integers(1, 10**6), st.sampled_from("PQR")
    ),
    min_size=1,
    max_size=30,
)


@pytest.fixture(scope="module")
def mapping(tmp_path_factory):
    rules = "[tables]\nmin_days_per_batch = 0.5\n[keep]"
    return read_map(write_map(tmp_path_factory.mktemp("map"), ("[keep]", rules)))


@settings(deadline=None, derandomize=True, max_examples=60)
@given(ORDERS)
def test_what_was_made_fits_the_line(mapping, orders):
    lines = [line(site, q, 1.0, float(units), product) for site, q, units, product in orders]
    sites = {site: site for site in "ABC"}
    pairs = by_pair(lines)
    batch, rates = batches_and_rates(pairs, sites, mapping)
    fullest = {}
    for name in rates:
        for period in {x.period for x in lines}:
            used = 0.0
            for pair, mine in pairs.items():
                made = sum(x.units for x in mine if x.period == period)
                if line_id(mine[0], sites) == name and made:
                    used += math.ceil(made / batch[pair] - 1e-9) * batch[pair] / rates[name]
            assert used <= 60 * (1 + 1e-9)
            fullest[name] = max(fullest.get(name, 0.0), used)
    assert all(used == pytest.approx(60) for used in fullest.values())


def test_a_batch_takes_its_line_for_a_while_unless_the_need_is_small(mapping):
    lines = [
        line("A", 0, 1.0, 120_000.0, "P"),
        line("A", 1, 1.0, 10.0, "Q"),
        line("B", 1, 1.0, 90_000.0, "Q"),
        line("A", 1, 1.0, 20.0, "R"),
    ]
    batch, _ = batches_and_rates(by_pair(lines), {"A": "a", "B": "b"}, mapping)
    assert batch["P", "A"] == 120_000
    assert batch["Q", "A"] == 1000  # half a day of 2,000 a day
    assert batch["R", "A"] == 20  # nobody needs more


def test_quantiles():
    assert quantile([1, 2, 3, 4], 0.5) == 2.5
    assert quantile([1, 2, 3], 0.0) == 1
    assert quantile([1, 2, 3], 1.0) == 3
    with pytest.raises(ValueError, match="no values"):
        quantile([], 0.5)


def test_punctuality_of_a_site_that_is_left_out_counts_in_all():
    lines = [line("A", 0, 1.0), line("B", 0, 1.0)]
    found = punctuality(lines, {"A": "a"})
    assert [(site.cmo_id, site.lines) for site in found] == [("a", 1), (ALL_SITES, 2)]
    assert found[0].late_share is None
    assert found[0].slips() is None
