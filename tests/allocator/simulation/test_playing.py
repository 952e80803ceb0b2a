"""What the futures make of a plan, on numbers worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from allocator.portfolio import OutageGroup, Policy, Tier
from allocator.simulation.draws import draw
from allocator.simulation.playing import _standing, play
from tests.allocator.simulation.worlds import calm, case_of, qualified, transferred, world


def total(played):
    return played.cash.sum(axis=1) + played.shortage.sum(axis=1) + played.overhead


def test_when_nothing_happens_the_plan_happens():
    case = case_of(
        world([qualified("L0", fail_rate=0.1)], holding_cost_per_unit_month=2.0, opening_stock=7.0),
        {"P@L0@10": (3, 4, 2, 5)},
    )
    played = play(case, calm(case, 2), 0, failures=False)
    planned = case.value.cash_cost + case.value.shortage_cost
    assert total(played) == pytest.approx([planned] * 2, rel=1e-12)
    unmet = case.value.program_unmet * case.problem.programs.months_per_unit
    assert played.months_short[0] == pytest.approx(unmet, rel=1e-12)


def test_an_unsourced_program_is_short_in_every_future():
    case = case_of(world([qualified("L0")], opening_stock=40.0), {})
    played = play(case, calm(case, demand=np.array([[1.0]])), 0)
    assert played.months_short[0, 0] == pytest.approx(8.0)  # 120 less 40, at ten a month
    assert played.served[0] == pytest.approx([1.0, 1 / 3, 0.0, 0.0])


def test_an_outage_stops_the_batches_of_its_months():
    case = case_of(world([qualified("L0")]), {"P@L0@10": (3, 3, 3, 3)})
    months = np.array([[[6.0]]])
    played = play(case, calm(case, out=months, begins=np.array([[1.5]])), 0)
    # half of the first quarter, the second, half of the third
    assert played.months_short[0, 0] == pytest.approx(6.0)
    assert played.served[0] == pytest.approx([0.5, 0.0, 0.5, 1.0])
    assert played.cash[0, 0] == pytest.approx(6 * 100.0)  # batches not made are not paid


def test_stock_carries_through_an_outage():
    stocked = case_of(world([qualified("L0")], opening_stock=30.0), {"P@L0@10": (3, 3, 3, 3)})
    played = play(stocked, calm(stocked, out=np.array([[[6.0]]])), 0)
    assert played.months_short[0, 0] == pytest.approx(3.0)


def test_extra_cover_shortens_outages():
    policy = Policy(extra={"risk": {"extra_cover_months": 2.0}})
    case = case_of(world([qualified("L0")], policy), {"P@L0@10": (3, 3, 3, 3)})
    played = play(case, calm(case, out=np.array([[[6.0]]])), 0)
    assert played.months_short[0, 0] == pytest.approx(4.0)


def test_outages_of_two_years_do_not_count_twice():
    tables = world([qualified("L0")])
    case = case_of(tables, {"P@L0@10": (3, 3, 3, 3)})
    out, begins = np.full((1, 2, 1), 14.0), np.zeros((1, 2))
    long = replace(case, years=2)
    stands = _standing(long, out, begins)
    assert stands[0, 0] == pytest.approx([1.0] * 4)


def test_the_survivor_makes_its_surge_while_the_other_is_out():
    policy = Policy(surge=0.5)
    tables = world([qualified("L0"), qualified("L1", price_per_batch=200.0)], policy)
    case = case_of(tables, {"P@L0@10": (2, 2, 2, 2), "P@L1@10": (1, 1, 1, 1)}, 0.7)
    # shares of 21 and 9 a quarter; K0 out for the year, L1 makes 4.5 a quarter more
    classes = case.sources.site
    out = np.zeros((1, 1, 2))
    out[0, 0, classes[0]] = 12.0
    played = play(case, calm(case, out=out), 0)
    short = 4 * (21 - 4.5) / 10.0
    assert played.months_short[0, 0] == pytest.approx(short)
    assert played.cash[0, 0] == pytest.approx(4 * 200.0 + 4 * 4.5 * 20.0)


def test_nobody_helps_when_both_are_out():
    policy = Policy(surge=0.5)
    case = case_of(
        world([qualified("L0"), qualified("L1")], policy),
        {"P@L0@10": (2, 2, 2, 2), "P@L1@10": (1, 1, 1, 1)},
        0.7,
    )
    played = play(case, calm(case, out=np.full((1, 1, 2), 12.0)), 0)
    assert played.months_short[0, 0] == pytest.approx(12.0)
    assert played.cash[0, 0] == pytest.approx(0.0)


def test_a_late_source_moves_its_batches():
    case = case_of(world([transferred("L0")]), {"P@L0@10": (0, 3, 3, 3)})
    assert case.sources.planned.tolist() == [1]
    late = play(case, calm(case, slip=np.array([[4.5]])), 0)
    # the first quarter is never served; then one and a half quarters more
    assert late.months_short[0, 0] == pytest.approx(3.0 + 4.5)
    assert late.delay[0, 0] == pytest.approx(4.5)
    assert late.served[0] == pytest.approx([0.0, 0.0, 0.5, 1.0])
    assert late.cash[0, 0] == pytest.approx(450.0)  # 4.5 of the 9 batches fall in the horizon


def test_the_partner_carries_the_share_of_a_late_source():
    tables = world([qualified("L0"), transferred("L1", price_per_batch=300.0)])
    case = case_of(tables, {"P@L0@10": (3, 2, 2, 2), "P@L1@10": (0, 1, 1, 1)}, 0.7)
    on_time, late = play(case, calm(case, 2, slip=np.array([[0, 0], [0, 3.0]])), 0).cash[:, 0]
    played = play(case, calm(case, slip=np.array([[0.0, 3.0]])), 0)
    # L0 makes 9 units more at 10 a unit, one batch of 300 moves out of the horizon
    assert late == pytest.approx(on_time + 90.0 - 300.0)
    assert played.delay[0, 0] == 0.0
    plan = case.value.program_unmet[0] / 10.0
    assert played.months_short[0, 0] <= plan + 1e-9


def test_a_partner_that_is_out_carries_nothing():
    tables = world([qualified("L0"), transferred("L1")])
    case = case_of(tables, {"P@L0@10": (3, 2, 2, 2), "P@L1@10": (0, 1, 1, 1)}, 0.7)
    out = np.zeros((1, 1, 2))
    out[0, 0, case.sources.site[0]] = 12.0
    played = play(case, calm(case, out=out, slip=np.array([[0.0, 9.0]])), 0)
    assert played.months_short[0, 0] == pytest.approx(12.0)


def test_failures_keep_the_mean_and_add_spread():
    case = case_of(world([qualified("L0", fail_rate=0.2)]), {"P@L0@10": (3, 3, 3, 3)})
    played = play(case, calm(case, 4000), 5)
    assert played.months_short.mean() == pytest.approx(2.4, abs=0.1)
    whole = np.round(played.months_short)
    assert np.allclose(played.months_short, whole, atol=1e-9)  # whole batches of a month each
    assert played.months_short.std() == pytest.approx((12 * 0.2 * 0.8) ** 0.5, abs=0.06)
    assert np.ptp(played.cash) == 0.0  # a batch that fails is paid


def test_demand_error_has_mean_one_and_the_stated_deviation():
    case = case_of(world([qualified("L0")]), {"P@L0@10": (3, 3, 3, 3)})
    demand = draw(case, 20000, 3, 0.25).demand[:, 0]
    assert demand.mean() == pytest.approx(1.0, abs=0.006)
    assert demand.std() == pytest.approx(0.25, abs=0.006)
    assert np.all(draw(case, 10, 3, 0.0).demand == 1.0)


def test_more_demand_is_served_from_the_same_batches():
    case = case_of(world([qualified("L0")]), {"P@L0@10": (3, 3, 3, 3)})
    played = play(case, calm(case, demand=np.array([[1.5]])), 0)
    assert played.months_short[0, 0] == pytest.approx(6.0)
    assert played.served[0] == pytest.approx([2 / 3] * 4)


def test_rebates_follow_what_is_really_spent():
    tables = replace(world([qualified("L0")]), tiers={"K0": (Tier("K0", 1000.0, 0.1),)})
    case = case_of(tables, {"P@L0@10": (3, 3, 3, 3)})
    played = play(case, calm(case, 2, out=np.array([[[0.0]], [[6.0]]])), 0)
    assert played.overhead.tolist() == pytest.approx(
        [-120.0, 0.0]
    )  # 1200 reaches the tier, 600 not


def test_futures_do_not_depend_on_the_block_size(monkeypatch):
    case = case_of(world([transferred("L0", fail_rate=0.1)]), {"P@L0@10": (0, 3, 3, 3)})
    draws = draw(case, 300, 1, 0.2)
    whole = play(case, draws, 1)
    monkeypatch.setattr("allocator.simulation.playing.CELLS", 64)
    parts = play(case, draws, 1)
    assert np.array_equal(whole.months_short, parts.months_short)
    assert np.array_equal(whole.cash, parts.cash)


def test_no_futures_are_refused():
    case = case_of(world([qualified("L0")]), {"P@L0@10": (3, 3, 3, 3)})
    with pytest.raises(ValueError, match="no futures"):
        play(case, calm(case, 0), 0)


def test_a_site_is_out_for_the_longest_of_its_shocks():
    groups = tuple(OutageGroup("region", "EU", 1.0, months) for months in (3.0, 5.0))
    case = case_of(world([qualified("L0")], Policy(outage_groups=groups)), {"P@L0@10": (3,) * 4})
    out = draw(case, 400, 0, 0.0).out
    assert set(np.unique(out)) == {5.0, 6.0}  # six months in the years of its own outage
    assert (out == 6.0).mean() == pytest.approx(0.05, abs=0.03)
