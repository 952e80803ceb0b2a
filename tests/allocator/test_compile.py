"""Tables to arrays: each convention of docs/model.md by hand-computed numbers."""

from __future__ import annotations

import random
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest

from allocator.compile import Compiled, compile_problem, resolve_sourcing
from allocator.portfolio import Cmo, OutageGroup, Period, Policy, Portfolio, Tier
from tests.allocator.portfolios import (
    line,
    months,
    offer,
    portfolio,
    program,
    quarters,
    random_portfolio,
)


def small(**changes: object) -> Portfolio:
    """Two programs, two CMOs with a line each, six quarters from 2027Q3."""
    periods = tuple(
        Period(label, 3, first)
        for label, first in zip(
            ("2027Q3", "2027Q4", "2028Q1", "2028Q2", "2028Q3", "2028Q4"),
            range(12 * 2027 + 6, 12 * 2029, 3),
            strict=True,
        )
    )
    programs = [
        program(
            "P2",
            (0.0, 0.0, 10.0, 20.0, 30.0, 60.0),
            holding_cost_per_unit_month=0.5,
            opening_stock=4.0,
            shelf_life_months=24.0,
            safety_stock_months=4.5,
        ),
        program("P1", (30.0,) * 6, delay_cost_per_month=600.0),
    ]
    cmos = [
        Cmo("K2", "EU", onboarding_cost=7.0, annual_fee=10.0, min_annual_spend=1200.0),
        Cmo("K1", "US", max_programs=1),
    ]
    lines = [
        line("L2", "K2", 6, changeover_days=1.5, changeover_cost=9.0),
        line("L1", "K1", 6, expansion_days=20.0, expansion_cost=500.0, expansion_months=4.0),
    ]
    offers = [
        offer("P1", "L1", qualified=True, transfer_cost=99.0, ppq_batches=3),
        offer(
            "P1",
            "L2",
            yield_=0.9,
            fail_rate=0.1,
            transfer_cost=50.0,
            transfer_months_low=3.0,
            transfer_months_mode=5.0,
            transfer_months_high=8.0,
            filing_months=2.0,
            release_months=1.5,
            ppq_batches=3,
        ),
        offer("P2", "L2", release_months=1.4, transfer_months_mode=6.0, transfer_months_high=6.0),
    ]
    tiers = [Tier("K1", 900.0, 0.05), Tier("K1", 300.0, 0.02)]
    base = portfolio(periods, programs, cmos, lines, offers, tiers=tiers)
    return replace(base, **changes)  # type: ignore[arg-type]


def test_ids_stand_in_order() -> None:
    problem = compile_problem(small()).problem
    assert problem.programs.ids == ("P1", "P2")
    assert problem.cmos.ids == ("K1", "K2")
    assert problem.lines.ids == ("L1", "L2")
    assert problem.offers.ids == ("P1@L1@10", "P1@L2@10", "P2@L2@10")
    assert problem.lines.cmo.tolist() == [0, 1]
    assert problem.offers.program.tolist() == [0, 0, 1]
    assert problem.offers.line.tolist() == [0, 1, 1]


def test_programs() -> None:
    programs = compile_problem(small()).problem.programs
    assert programs.demand_after.tolist() == [30.0, 30.0]  # the last four quarters
    # P2: 1000 a month, 30 units a quarter on average where there is demand
    assert programs.shortage_price.tolist() == [600 * 3 / 30, 1000 * 3 / 30]
    assert programs.months_per_unit.tolist() == [0.1, 0.1]
    assert programs.holding_price.tolist() == [0.0, 1.5]
    assert programs.safety_price == pytest.approx([60 * 0.01 * 3, 100 * 0.01 * 3])
    assert programs.opening_stock.tolist() == [0.0, 4.0]
    assert programs.shelf_periods.tolist() == [12.0, 8.0]
    assert programs.safety_periods.tolist() == [0.0, 1.5]


def test_a_program_without_demand_costs_nothing() -> None:
    tables = small()
    idle = replace(tables.programs["P2"], demand=(0.0,) * 6)
    problem = compile_problem(replace(tables, programs={**tables.programs, "P2": idle})).problem
    assert problem.programs.shortage_price[1] == 0.0
    assert problem.programs.months_per_unit[1] == 0.0
    assert np.isfinite(problem.options.risk_cost).all()


def test_cmos_by_calendar_year() -> None:
    problem = compile_problem(small()).problem
    cmos = problem.cmos
    assert problem.year.tolist() == [0, 0, 1, 1, 1, 1]
    assert problem.year_labels == ("2027", "2028")
    assert cmos.floor.tolist() == [[0.0, 0.0], [600.0, 1200.0]]
    assert cmos.fees.tolist() == [0.0, 15.0]
    assert cmos.onboarding_cost.tolist() == [0.0, 7.0]
    assert cmos.max_programs.tolist() == [1, -1]
    assert cmos.tiers == (((300.0, 0.02), (900.0, 0.05)), ())


def test_lines() -> None:
    lines = compile_problem(small()).problem.lines
    assert lines.days.tolist() == [[60.0] * 6] * 2
    assert lines.changeover_days.tolist() == [0.0, 1.5]
    assert lines.changeover_cost.tolist() == [0.0, 9.0]
    assert lines.expansion_days.tolist() == [20.0, 0.0]
    assert lines.expansion_cost.tolist() == [500.0, 0.0]
    assert lines.expansion_period.tolist() == [2, 0]  # 4 months into quarters


def test_offers() -> None:
    offers = compile_problem(small()).problem.offers
    assert offers.good_per_batch == pytest.approx([10.0, 8.1, 10.0])
    assert offers.ready.tolist() == [0, 3, 2]  # (5 + 2) / 3 up, 6 / 3
    assert offers.lag.tolist() == [0, 1, 0]  # 1.5 months is the nearest quarter, 1.4 is not
    assert offers.validation_period.tolist() == [0, 1, 1]
    assert offers.transfer_cost.tolist() == [0.0, 50.0, 0.0]
    assert offers.validation_cost.tolist() == [0.0, 300.0, 0.0]
    assert offers.validation_days.tolist() == [0.0, 3 * 2.0 + 1.5, 0.0]
    assert offers.qualified.tolist() == [True, False, False]


def test_monthly_periods() -> None:
    tables = small()
    year = {i: replace(p, demand=tuple(range(14))) for i, p in tables.programs.items()}
    lines = {i: replace(row, days=(20.0,) * 14) for i, row in tables.lines.items()}
    problem = compile_problem(
        replace(tables, periods=months(14), programs=year, lines=lines)
    ).problem
    assert problem.programs.demand_after.tolist() == [sum(range(2, 14)) / 12] * 2
    assert problem.offers.ready.tolist() == [0, 7, 6]
    assert problem.offers.lag.tolist() == [0, 2, 1]
    assert problem.offers.validation_period.tolist() == [0, 4, 5]
    assert problem.lines.expansion_period.tolist() == [4, 0]
    assert problem.cmos.floor[1].tolist() == [1200.0, 200.0]


def test_offers_after_the_horizon_are_left_out() -> None:
    tables = small()
    late = replace(tables.offers["P1@L2@10"], filing_months=11.0)
    compiled = compile_problem(replace(tables, offers={**tables.offers, "P1@L2@10": late}))
    assert compiled.offer_ids == ("P1@L1@10", "P2@L2@10")


def test_options_and_their_risk() -> None:
    compiled = compile_problem(small())
    options, streams = compiled.problem.options, compiled.problem.streams
    # P1: unsourced, two single, (0.5 once, three splits both ways) = 10; P2: unsourced, single
    assert options.start.tolist() == [0, 10, 12]
    assert options.fixed_cost[:3].tolist() == [0.0, 0.0, 350.0]
    for row in options.start[:-1]:
        assert options.first[row] == options.second[row] == -1
        assert options.risk_cost[row] == 0.0
    dual = int(options.start[1]) - 1
    assert streams.share[options.first[dual]] == pytest.approx(0.8)
    delay = np.array([600.0, 1000.0])[options.program]
    assert options.risk_cost == pytest.approx(delay * (options.late_months + options.lost_months))
    assert options.risk_cost[1] > 0


def test_sourcing_is_resolved() -> None:
    tables = small()
    ids = tuple(sorted(tables.offers))
    assert resolve_sourcing(tables, ids)[0] == {"P1": "free", "P2": "free"}
    resolved, notes = resolve_sourcing(tables, ids, "dual")
    assert resolved == {"P1": "dual", "P2": "single"}
    assert notes == ("P2: one CMO can make it, so dual falls back to single",)
    assert resolve_sourcing(tables, ids, "secure")[0] == {"P1": "free", "P2": "free"}
    policy = replace(tables, policy=Policy(sourcing="single"))
    assert resolve_sourcing(policy, ids)[0] == {"P1": "single", "P2": "single"}
    own = replace(tables.programs["P2"], sourcing="dual")
    strict = replace(policy, programs={**tables.programs, "P2": own})
    resolved, notes = resolve_sourcing(strict, ids, "free")
    assert resolved == {"P1": "free", "P2": "dual"}
    assert notes == ("P2: dual is asked for, but one CMO can make it",)
    assert resolve_sourcing(strict, (), "dual")[1][0].startswith("P1: no CMO can make it")
    with pytest.raises(ValueError, match="no sourcing 'both'; there are dual, free"):
        compile_problem(tables, "both")


def test_the_policy_reaches_the_problem() -> None:
    policy = Policy(risk_weight=2.5, splits=(0.7,), safety_stock_charge=0.02)
    problem = compile_problem(small(policy=policy), "dual").problem
    assert problem.risk_weight == 2.5
    assert sorted(set(problem.streams.share.tolist())) == pytest.approx([0.3, 0.7, 1.0])
    assert problem.programs.safety_price[0] == pytest.approx(60 * 0.02 * 3)
    assert compile_problem(small(policy=policy), "dual").sourcing == {"P1": "dual", "P2": "single"}


def equal(one: object, two: object) -> bool:
    """Whether two trees of frozen dataclasses hold the same values."""
    if isinstance(one, np.ndarray):
        return np.array_equal(one, two)  # type: ignore[arg-type]
    if is_dataclass(one):
        return all(equal(getattr(one, f.name), getattr(two, f.name)) for f in fields(one))
    if isinstance(one, tuple) and isinstance(two, tuple):
        return len(one) == len(two) and all(map(equal, one, two))
    return one == two


def shuffled(tables: Portfolio, seed: int) -> Portfolio:
    rng = random.Random(seed)

    def mixed(table: dict[str, object]) -> dict[str, object]:
        return dict(rng.sample(sorted(table.items(), key=lambda kv: kv[0]), len(table)))

    return replace(
        tables,
        **{
            name: mixed(dict(getattr(tables, name)))
            for name in ("programs", "cmos", "lines", "offers", "tiers")
        },
    )


def test_the_order_of_rows_changes_nothing() -> None:
    groups = (OutageGroup("owner", "own1", 0.03, 8.0), OutageGroup("shared_input", "api1", 0.1, 4))
    tables = replace(random_portfolio(2, 6, 7), policy=Policy(outage_groups=groups))
    first: Compiled = compile_problem(tables)
    for seed in range(3):
        again = compile_problem(shuffled(tables, seed))
        assert again.offer_ids == first.offer_ids
        assert equal(again.problem, first.problem)


def test_two_offers_at_one_cmo_make_no_pair() -> None:
    tables = small()
    own = replace(tables.programs["P2"], sourcing="dual")
    bigger = offer("P2", "L2", offer_id="P2@L2@20", batch_size=20.0)
    problem = compile_problem(
        replace(
            tables,
            programs={**tables.programs, "P2": own},
            offers={**tables.offers, "P2@L2@20": bigger},
        )
    ).problem
    start, stop = problem.options.start[1:]
    assert (start, stop) == (10, 11)  # unsourced alone
    assert problem.options.first[start] == -1


def test_nothing_eligible_still_compiles() -> None:
    tables = replace(small(), offers={})
    compiled = compile_problem(tables)
    assert compiled.offer_ids == ()
    assert compiled.problem.options.first.tolist() == [-1, -1]
    empty = portfolio(quarters(4), [], [], [], [])
    assert compile_problem(empty).problem.options.start.tolist() == [0]
