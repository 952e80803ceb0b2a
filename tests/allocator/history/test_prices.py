"""One price per product and site, on one price level, that odd orders cannot move."""

from __future__ import annotations

import math
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.history.mapping import Form
from allocator.history.prices import STEEPEST, trend, unit_prices, weighted_median
from allocator.history.reading import HistoryLine

FORM = Form("tablet", "tablets", "solid")


def line(site, quarter, price, units=1000.0, product="P"):
    return HistoryLine(
        row=1,
        line="1",
        product=product,
        form=FORM,
        site=site,
        units=units,
        paid=price * units,
        scheduled=date(2012 + quarter // 4, 1 + 3 * (quarter % 4), 1),
        delivered=None,
        direct=False,
        period=4 * 2012 + quarter,
    )


FALLING = [line("A", q, 10 * 0.95**q) for q in range(8)] + [
    line("B", q, 9 * 0.95**q) for q in range(6, 14)
]


def test_plain_medians_over_lines_and_over_units():
    lines = [line("A", 0, 1.0), line("A", 0, 2.0), line("A", 1, 6.0, units=5000.0)]
    assert unit_prices(lines, 3)[0] == {("P", "A"): pytest.approx(2.0)}
    assert unit_prices(lines, 3, weight="units")[0] == {("P", "A"): pytest.approx(6.0)}
    assert unit_prices(lines, 3)[1] == {"P": 0.0}


def test_the_trend_is_the_sites_own():
    assert trend(FALLING, 3) == pytest.approx(math.log(0.95) / 3)
    # the sites differ in level: a slope over all lines together would be another one
    prices, trends = unit_prices(FALLING, 3, with_trend=True)
    assert trends["P"] == pytest.approx(math.log(0.95) / 3)
    assert prices["P", "B"] / prices["P", "A"] == pytest.approx(0.9)
    plain, _ = unit_prices(FALLING, 3)
    assert plain["P", "B"] / plain["P", "A"] < 0.75  # what the trend alone would make believe


def test_the_level_is_that_of_the_products_middle():
    prices, _ = unit_prices(FALLING, 3, with_trend=True)
    # half of the 16,000 units had been delivered by the eighth line in time: quarter 6
    assert prices["P", "A"] == pytest.approx(10 * 0.95**6)


def test_odd_small_orders_do_not_bend_the_trend():
    odd = [line("A", 13, 300.0, units=3.0), line("B", 13, 300.0, units=3.0)]
    assert trend([*FALLING, *odd], 3) == pytest.approx(math.log(0.95) / 3, rel=0.02)


def test_too_little_says_nothing_and_a_cliff_is_not_believed():
    assert trend([line("A", q, 10 - q) for q in range(3)], 3) == 0.0
    assert trend([line(str(q), q, 10 - q) for q in range(9)], 3) == 0.0
    assert trend([line("A", q, 2.0**q) for q in range(9)], 3) == STEEPEST
    assert trend([line("A", q, 0.5**q) for q in range(9)], 3) == -STEEPEST


def test_lines_without_a_value_set_no_price():
    lines = [line("A", 0, 1.0), line("B", 0, 0.0), line("C", 0, 0.0, product="Q")]
    prices, trends = unit_prices(lines, 3)
    assert set(prices) == {("P", "A")}
    assert set(trends) == {"P"}


@settings(deadline=None, derandomize=True, max_examples=80)
@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(0.1, 9)), min_size=1, max_size=20))
def test_half_of_the_weight_lies_on_either_side(values):
    middle = weighted_median(values)
    total = sum(weight for _, weight in values)
    assert sum(weight for value, weight in values if value < middle) <= total / 2 + 1e-9
    assert sum(weight for value, weight in values if value > middle) <= total / 2 + 1e-9


def test_no_values_have_no_median():
    with pytest.raises(ValueError, match="no values"):
        weighted_median([])
