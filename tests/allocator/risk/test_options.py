"""Risk of options: late start by brute force over both chains, lost supply by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.portfolio import Cmo, OutageGroup, Policy, Portfolio
from allocator.risk import option_risk_by_ids, option_risks, risk_basis
from allocator.risk.chain import PER_MONTH, total
from allocator.risk.steps import chain_months
from tests.allocator.portfolios import line, offer, portfolio, program, quarters, random_portfolio

T = 8


def two_sites(
    demand: tuple[float, ...] = (30.0,) * T,
    policy: Policy | None = None,
    cmos: list[Cmo] | None = None,
    changes: tuple[dict[str, object], dict[str, object]] = ({}, {}),
    **program_changes: object,
) -> Portfolio:
    """One program, two CMOs (5 % and 10 % a year, 6 and 4 months), qualified unless changed."""
    cmos = cmos or [
        Cmo("A", "EU", outage_per_year=0.05, recover_months=6.0),
        Cmo("B", "EU", outage_per_year=0.10, recover_months=4.0),
    ]
    offers = [
        offer("P", f"L{cmo.cmo_id}", **{"qualified": True, **change})
        for cmo, change in zip(cmos, changes, strict=True)
    ]
    lines = [line(f"L{cmo.cmo_id}", cmo.cmo_id, T) for cmo in cmos]
    return portfolio(
        quarters(T), [program("P", demand, **program_changes)], cmos, lines, offers, policy
    )


A, B = "P@LA@10", "P@LB@10"
SLOW: dict[str, object] = {
    "qualified": False,
    "transfer_months_low": 5.0,
    "transfer_months_mode": 6.0,
    "transfer_months_high": 12.0,
}


def test_qualified_sources_are_never_late() -> None:
    both = option_risk_by_ids(two_sites(), "P", [(A, 0.5), (B, 0.5)])
    assert both[0] == 0.0
    assert option_risk_by_ids(two_sites(), "P", [(A, 1.0)])[0] == 0.0


def test_a_qualified_partner_starts_on_time() -> None:
    tables = two_sites(changes=({}, SLOW))
    assert option_risk_by_ids(tables, "P", [(B, 1.0)])[0] > 0.5
    assert option_risk_by_ids(tables, "P", [(B, 0.8), (A, 0.2)])[0] == 0.0


def test_lost_supply_of_one_source_by_hand() -> None:
    """5 % x 6 months x 2 years, less what a month of safety stock covers."""
    late, lost, money = option_risk_by_ids(two_sites(), "P", [(A, 1.0)])
    assert (late, lost) == (0.0, pytest.approx(0.05 * 6 * 2))
    assert money == pytest.approx(1000.0 * lost)
    stocked = two_sites(safety_stock_months=1.0)
    assert option_risk_by_ids(stocked, "P", [(A, 1.0)])[1] == pytest.approx(0.05 * 5 * 2)
    short_lived = two_sites(safety_stock_months=9.0, shelf_life_months=2.0)
    assert option_risk_by_ids(short_lived, "P", [(A, 1.0)])[1] == pytest.approx(0.05 * 4 * 2)
    extra = two_sites(policy=Policy(extra={"risk": {"extra_cover_months": 3}}))
    assert option_risk_by_ids(extra, "P", [(A, 1.0)])[1] == pytest.approx(0.05 * 3 * 2)


def test_lost_supply_of_two_sources_by_hand() -> None:
    """Both out: 0.5 % for 4 months; A alone for 0.05 x 6 less that, B alone 0.1 x 4 less that."""
    both = 0.05 * 0.10 * 4
    alone = 0.7 * (0.3 - both) + 0.3 * (0.4 - both)
    lost = option_risk_by_ids(two_sites(), "P", [(A, 0.7), (B, 0.3)])[1]
    assert lost == pytest.approx(2 * (both + alone))
    surging = two_sites(policy=Policy(surge=0.5))
    lost = option_risk_by_ids(surging, "P", [(A, 0.7), (B, 0.3)])[1]
    # half of B's share on top of it, half of A's covers all of B
    assert lost == pytest.approx(2 * (both + 0.55 * (0.3 - both)))


def test_the_surge_of_a_line_stands_over_the_policys() -> None:
    tables = two_sites(policy=Policy(surge=0.5))
    lines = {**tables.lines, "LB": replace(tables.lines["LB"], surge=1.0)}
    lost = option_risk_by_ids(replace(tables, lines=lines), "P", [(A, 0.7), (B, 0.3)])[1]
    assert lost == pytest.approx(2 * (0.02 + 0.4 * (0.3 - 0.02)))


def test_a_shared_cause_takes_the_worth_of_the_second_source() -> None:
    def lost(policy: Policy) -> float:
        surging = replace(policy, surge=1.0)
        return option_risk_by_ids(two_sites(policy=surging), "P", [(A, 0.5), (B, 0.5)])[1]

    group = OutageGroup("region", "EU", 0.02, 6.0)
    assert lost(Policy()) == pytest.approx(2 * 0.05 * 0.10 * 4)
    # 2 % for 6 months, and 98 % of the years as before
    assert lost(Policy(outage_groups=(group,))) == pytest.approx(2 * (0.02 * 6 + 0.98 * 0.02))
    elsewhere = OutageGroup("region", "US", 0.02, 6.0)
    assert lost(Policy(outage_groups=(elsewhere,))) == lost(Policy())


@pytest.mark.parametrize(
    ("kind", "member"), [("owner", "big"), ("country", "DE"), ("shared_input", "api")]
)
def test_each_kind_of_cause_strikes_what_shares_it(kind: str, member: str) -> None:
    policy = Policy(surge=1.0, outage_groups=(OutageGroup(kind, member, 0.03, 5.0),))
    cmos = [
        Cmo(i, "EU", owner="big", country="DE", outage_per_year=0.0, recover_months=1.0)
        for i in "AB"
    ]
    shares: dict[str, object] = {"shared_inputs": ("api", "cap")}
    tables = two_sites(policy=policy, cmos=cmos, changes=(shares, shares))
    lost = option_risk_by_ids(tables, "P", [(A, 0.5), (B, 0.5)])[1]
    assert lost == pytest.approx(2 * 0.03 * 5)
    apart = two_sites(policy=policy, cmos=[cmos[0], Cmo("B", "US")], changes=(shares, {}))
    lost = option_risk_by_ids(apart, "P", [(A, 0.5), (B, 0.5)])[1]
    assert lost == pytest.approx(2 * 0.03 * 0.05 * 5)  # both of their own accord


def test_supply_is_lost_only_while_there_is_some() -> None:
    """Ready at month 6 of 24, so 1.5 years; before the second source is there, the first alone."""
    tables = two_sites(changes=(SLOW, {}))
    assert option_risk_by_ids(tables, "P", [(A, 1.0)])[1] == pytest.approx(0.3 * 1.5)
    lost = option_risk_by_ids(tables, "P", [(A, 0.6), (B, 0.4)])[1]
    yearly = 0.02 + 0.6 * (0.3 - 0.02) + 0.4 * (0.4 - 0.02)
    assert lost == pytest.approx(0.4 * 0.5 + yearly * 1.5)


def test_months_count_by_the_demand_in_them() -> None:
    """Demand in the second year only, twice as much in its second half: weights 2/3 and 4/3."""
    late_demand = (0.0,) * 4 + (10.0, 10.0, 20.0, 20.0)
    tables = two_sites(demand=late_demand, changes=(SLOW, {}))
    late, lost, _ = option_risk_by_ids(tables, "P", [(A, 1.0)])
    assert late == pytest.approx(0.0, abs=1e-9)  # every slip is over before there is demand
    assert lost == pytest.approx(0.3)
    assert option_risk_by_ids(two_sites(demand=(0.0,) * T), "P", [(A, 1.0)]) == (0.0, 0.0, 0.0)


def test_an_unsourced_option_has_no_risk() -> None:
    assert option_risk_by_ids(two_sites(), "P", []) == (0.0, 0.0, 0.0)
    with pytest.raises(ValueError, match="at most two"):
        option_risk_by_ids(two_sites(), "P", [(A, 0.4), (B, 0.3), (A, 0.3)])


months = st.floats(0.0, 9.0)
chain = st.fixed_dictionaries(
    {
        "qualified": st.sampled_from([False, False, False, True]),
        "transfer": st.tuples(months, months, months).map(sorted),
        "filing_months": st.sampled_from([0.0, 4.0]),
        "release_months": st.sampled_from([0.0, 1.0, 2.0]),
    }
)


def offer_changes(drawn: dict[str, object]) -> dict[str, object]:
    low, mode, high = drawn["transfer"]  # type: ignore[misc]
    rest = {key: value for key, value in drawn.items() if key != "transfer"}
    return {
        **rest,
        "transfer_months_low": low,
        "transfer_months_mode": mode,
        "transfer_months_high": high,
    }


def late_by_enumeration(tables: Portfolio, ids: list[str]) -> float:
    """Every pair of months in which two sources may come, against the earlier plan."""
    demand = np.array(tables.programs["P"].demand)
    mean = demand[demand > 0].mean() if demand.any() else 1.0
    weight = np.append(
        np.repeat(demand / mean, 3 * PER_MONTH), np.full(4000, demand[-4:].mean() / mean)
    )
    upto = np.append(0.0, np.cumsum(weight)) / PER_MONTH
    arrivals, plans = [], []
    for offer_id in ids:
        offer_ = tables.offers[offer_id]
        ready = (
            0
            if offer_.qualified
            else -(-(offer_.transfer_months_mode + offer_.filing_months - 1e-9) // 3)
        )
        ready, lag = (
            int(max(ready, 0)),
            int(offer_.release_months // 3 + (offer_.release_months % 3 >= 1.5)),
        )
        steps = chain_months(tables, [offer_]) * (not offer_.qualified)
        spread = total(steps)
        at = np.maximum(spread.start[0] + np.arange(spread.mass.shape[1]), ready * 3 * PER_MONTH)
        arrivals.append((at + lag * 3 * PER_MONTH, spread.mass[0]))
        plans.append((ready + lag) * 3 * PER_MONTH)
    first = np.minimum.outer(arrivals[0][0], arrivals[-1][0])
    chance = np.outer(arrivals[0][1], arrivals[-1][1])
    if len(ids) == 1:
        first, chance = arrivals[0]
    return float((chance * (upto[first] - upto[min(plans)])).sum())


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    one=chain,
    two=chain,
    demand=st.lists(st.sampled_from([0.0, 5.0, 30.0]), min_size=T, max_size=T),
)
def test_late_start_agrees_with_enumeration(
    one: dict[str, object], two: dict[str, object], demand: list[float]
) -> None:
    tables = two_sites(tuple(demand), changes=(offer_changes(one), offer_changes(two)))
    for ids, shares in (([A], [1.0]), ([A, B], [0.5, 0.5])):
        late = option_risk_by_ids(tables, "P", list(zip(ids, shares, strict=True)))[0]
        assert late == pytest.approx(late_by_enumeration(tables, ids), rel=1e-9, abs=1e-9)


def test_the_table_of_all_options_agrees_with_one_at_a_time() -> None:
    tables = random_portfolio(3, 7, 6)
    groups = (
        OutageGroup("owner", "own0", 0.03, 8.0),
        OutageGroup("region", "EU", 0.02, 6.0),
        OutageGroup("shared_input", "api1", 0.05, 7.0),
    )
    tables = replace(tables, policy=Policy(surge=0.15, outage_groups=groups))
    ids = sorted(tables.offers)
    basis = risk_basis(tables, ids)
    rng = np.random.default_rng(0)
    rows = []
    for p, program_id in enumerate(basis.program_ids):
        mine = [f for f, i in enumerate(ids) if tables.offers[i].program_id == program_id]
        rows += [(p, one, 1.0, -1, 0.0) for one in mine]
        for _ in range(6):
            one, two = rng.choice(mine, 2, replace=False)
            rows.append((p, int(one), 0.7, int(two), 0.3))
    program, one, share, two, rest = (np.array(column) for column in zip(*rows, strict=True))
    risks = option_risks(basis, program, one, share, two, rest)
    for row in range(len(rows)):
        sources = [(ids[one[row]], share[row])]
        if two[row] >= 0:
            sources.append((ids[two[row]], rest[row]))
        expected = option_risk_by_ids(tables, basis.program_ids[program[row]], sources)
        got = (risks.late_months[row], risks.lost_months[row], risks.risk_cost[row])
        assert got == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_a_second_source_never_makes_the_start_later() -> None:
    tables = random_portfolio(4, 5, 6)
    ids = sorted(tables.offers)
    basis = risk_basis(tables, ids)
    for p in range(5):
        mine = np.flatnonzero(basis.program == p)
        for i in mine:
            for j in mine:
                if i == j:
                    continue
                at = np.array([p]), np.array([i]), np.array([j])
                pair = basis.late.of_pair(*at)[0]
                assert pair == basis.late.of_pair(at[0], at[2], at[1])[0]
                if basis.first_supply[i] <= basis.first_supply[j]:
                    assert pair <= basis.late.single[i] + 1e-12
