"""The generator's parts: drawing, names, tables, tightness, incumbents."""

from dataclasses import replace

import numpy as np
import pytest

from allocator.generator import names
from allocator.generator.capacity import (
    capacity_ratio,
    make_days,
    make_demand,
    open_book,
    settle,
)
from allocator.generator.draw import half, log_between, pick, quota, significant, stream
from allocator.generator.folder import table, text
from allocator.generator.network import make_network
from allocator.generator.pipeline import demand_profile, fit, make_programs, makes
from allocator.generator.platforms import PLATFORMS, platforms_of
from allocator.generator.quotes import make_quotes


def build(programs=40, cmos=12, periods=12, seed=0):
    network = make_network(stream(seed, 1), cmos, programs)
    drafts = make_programs(stream(seed, 2), network, programs, periods)
    quotes = make_quotes(stream(seed, 3), network, drafts, periods)
    return network, drafts, quotes


def test_significant_digits():
    assert significant(123456.0) == 123000
    assert significant(0.012345, 2) == 0.012
    assert significant(0.0) == 0
    assert significant(-1.0) == 0
    assert significant(999.6) == 1000


def test_half_steps_of_at_least_a_half():
    assert [half(x) for x in (0.1, 0.74, 0.76, 3.0)] == [0.5, 0.5, 1.0, 3.0]


def test_quota_deals_all_seats_and_keeps_the_least():
    assert quota(10, [1, 1, 2]) in ([2, 3, 5], [3, 2, 5])
    assert sum(quota(7, [0.7, 0.2, 0.1])) == 7
    assert min(quota(12, [100, 1, 1], least=3)) == 3
    assert quota(2, [1, 1, 1], least=1) == [1, 1, 1]  # the least comes before the total


def test_pick_follows_the_shares():
    rng = np.random.default_rng(1)
    drawn = np.bincount([pick(rng, [0.0, 3.0, 1.0]) for _ in range(400)], minlength=3)
    assert drawn[0] == 0
    assert 2.0 < drawn[1] / drawn[2] < 4.5


def test_log_between_stays_between():
    rng = np.random.default_rng(1)
    assert all(2.0 <= log_between(rng, 2.0, 50.0) <= 50.0 for _ in range(50))


def test_names_are_used_once_even_when_they_run_out():
    rng = np.random.default_rng(1)
    for make, count in ((names.company_names, 800), (names.medicine_names, 6000)):
        made = make(rng, count)
        assert len(set(made)) == len(made) == count


def test_cells_read_as_the_tables_want_them():
    cells = [None, True, False, 3.0, 0.25, 1e6, ("a", "b"), "x", 4]
    assert [text(cell) for cell in cells] == [
        "",
        "yes",
        "no",
        "3",
        "0.25",
        "1000000",
        "a;b",
        "x",
        "4",
    ]


def test_a_table_leaves_out_empty_columns_and_refuses_unknown_ones():
    rows = [{"cmo_id": "A", "spend_from": 5.0, "rebate": 0.1}]
    assert table("tiers", rows) == "cmo_id,spend_from,rebate\nA,5,0.1\n"
    row = {"line_id": "L", "cmo_id": "A", "changeover_days": None}
    assert "changeover_days" not in table("lines", [row])
    with pytest.raises(KeyError, match="speed"):
        table("tiers", [{"cmo_id": "A", "speed": 3}])


@pytest.mark.parametrize(("cmos", "count"), [(3, 1), (6, 2), (12, 3), (40, 9), (300, 9)])
def test_a_growing_network_takes_up_technologies(cmos: int, count: int):
    assert platforms_of(cmos) == PLATFORMS[:count]
    network = make_network(stream(0, 1), cmos, 3 * cmos)
    sites = {key: {network.suites[row].site for row in rows} for key, rows in network.of.items()}
    assert all(len(found) >= min(3, cmos) for found in sites.values())
    assert {suite.site for suite in network.suites} == set(range(cmos))


def test_a_program_that_nobody_could_make_is_made_less_special():
    network, drafts, _ = build()
    draft = next(draft for draft in drafts if draft.platform.key == "tablets")
    odd = replace(draft, max_oeb=5, schedule="V", cold_chain=True, batch=10.0, suites=())
    fit_again = fit(odd, network)
    assert len(fit_again.suites) >= 2
    assert not fit_again.schedule
    assert all(makes(network.suites[row], fit_again) for row in fit_again.suites)


@pytest.mark.parametrize("stage", ["commercial", "phase3", "phase2", "phase1", "preclinical"])
@pytest.mark.parametrize("periods", [4, 8, 12, 20])
def test_every_stage_has_demand(stage: str, periods: int):
    for seed in range(20):
        profile = demand_profile(np.random.default_rng(seed), stage, periods)
        assert profile.shape == (periods,)
        assert profile.min() >= 0
        assert profile.any()
        if stage == "commercial":
            assert profile.min() > 0


@pytest.mark.parametrize("seed", range(3))
def test_line_days_are_as_tight_as_asked(seed: int):
    network, drafts, quotes = build(seed=seed)
    demand = make_demand(stream(seed, 4), network, drafts, quotes)
    book = settle(network, open_book(network, quotes), demand)
    for level in (0.6, 0.85, 1.1):
        for yearly in (True, False):
            days = make_days(stream(seed, 5), network, book, demand, level, yearly)
            assert capacity_ratio(book, demand, days) == pytest.approx(level, rel=0.05)
            assert np.all(days == np.round(days))
            assert yearly or np.all(days == days[:, :1])
            for quote in quotes:
                suite = network.suites[quote.suite]
                assert days[quote.suite].min() >= quote.days + suite.changeover_days


def test_weights_move_away_from_lines_that_everybody_wants():
    network, drafts, quotes = build(200, 40)
    demand = make_demand(stream(0, 4), network, drafts, quotes) * 4.0
    before = open_book(network, quotes)
    after = settle(network, before, demand)
    lines = len(network.suites)
    assert after.load(demand, lines).mean(1).max() < before.load(demand, lines).mean(1).max()
    assert np.bincount(after.program, after.weight) == pytest.approx(np.ones(len(drafts)))


def test_nobody_is_made_where_the_inspection_failed():
    for seed in range(5):
        network, _, quotes = build(seed=seed)
        assert any(site.gated for site in network.sites)
        for quote in quotes:
            if quote.qualified:
                assert not network.sites[network.suites[quote.suite].site].gated


def test_quotes_fit_their_line_and_could_supply_within_the_plan():
    network, drafts, quotes = build(periods=8)
    for quote in quotes:
        suite, draft = network.suites[quote.suite], drafts[quote.program]
        assert suite.batch_min <= quote.batch_size <= suite.batch_max
        assert 0.5 * draft.batch <= quote.batch_size <= 2.0 * draft.batch
        low, mode, high = quote.transfer_months
        assert low <= mode <= high
        assert quote.lag in (0, 1)


def test_a_program_that_starts_too_late_for_the_plan_still_has_demand():
    network, drafts, quotes = build()
    made = {quote.program for quote in quotes if quote.qualified}
    for row in range(len(drafts)):
        if row not in made:
            drafts[row] = replace(drafts[row], profile=(0.0,) * 11 + (1.0,))
    assert len(made) < len(drafts)
    demand = make_demand(stream(0, 4), network, drafts, quotes)
    assert np.all(demand.max(1) > 0)
