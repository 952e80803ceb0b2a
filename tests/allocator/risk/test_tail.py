"""The tail of an option: by hand, against enumeration and sampling, in plans and in the audit."""

from __future__ import annotations

import shutil
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import allocator
from allocator.compile import compile_problem
from allocator.portfolio import OutageGroup, Policy
from allocator.risk import option_risk_by_ids
from allocator.risk.explain import explain_option
from allocator.risk.joint import Shock, shock_table
from allocator.risk.tail import _ProgramTails, joint_states, on_grid, tail_of
from allocator.simulation.agreement import _late, _lost
from allocator.simulation.draws import draw
from allocator.simulation.spread import tail_mean
from tests.allocator.folders import folder, said
from tests.allocator.portfolios import random_portfolio
from tests.allocator.simulation.worlds import case_of, qualified, transferred, world

TINY = Path(__file__).resolve().parents[3] / "instances" / "tiny"


def averse(weight: float, level: float = 0.95, **changes) -> Policy:
    return Policy(extra={"risk": {"tail_weight": weight, "cvar_level": level}}, **changes)


def money(policy: Policy, sources, offers=None) -> tuple[float, float, float]:
    offers = offers or [qualified("L0"), qualified("L1")]
    return option_risk_by_ids(world(offers, policy), "P", sources)


def test_one_site_that_stops_once_in_twenty_years():
    """Six months with 5 %: the worst twentieth is six months, the worst tenth three."""
    for level, months in ((0.95, 6.0), (0.9, 3.0), (0.975, 6.0)):
        late, lost, cost = money(averse(1.0, level), [("P@L0@10", 1.0)])
        assert (late, lost) == (0.0, pytest.approx(0.3))
        assert cost == pytest.approx(1000.0 * months)


def test_weight_blends_the_mean_and_the_tail():
    source = [("P@L0@10", 1.0)]
    assert money(averse(0.0), source) == money(Policy(), source)
    assert money(averse(0.25), source)[2] == pytest.approx(1000.0 * (0.75 * 0.3 + 0.25 * 6.0))


def test_two_sites_apart():
    """Both out 0.25 %, one alone 9.5 %: half of six months in all of the worst 5 % but 0.25 %."""
    pair = [("P@L0@10", 0.5), ("P@L1@10", 0.5)]
    tail = (0.0025 * 6.0 + 0.0475 * 3.0) / 0.05
    assert money(averse(1.0), pair)[2] == pytest.approx(1000.0 * tail)
    told = explain_option(world([qualified("L0"), qualified("L1")]), "P", pair)
    assert told["tail_months"] == pytest.approx(tail)
    assert told["cvar_level"] == 0.95


def test_an_unsourced_option_has_no_tail():
    assert money(averse(1.0), []) == (0.0, 0.0, 0.0)
    assert explain_option(world([qualified("L0")]), "P", [])["tail_months"] == 0.0


@given(
    st.lists(
        st.tuples(
            st.floats(0, 1), st.sampled_from([0.0, 2.0, 3.5, 6.0]), st.sampled_from([1, 2, 3])
        ),
        max_size=6,
    )
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_states_of_a_year_by_enumeration(causes):
    shocks = [Shock("site", str(k), p, m) for k, (p, m, _) in enumerate(causes)]
    sites = [[k for k, cause in enumerate(causes) if cause[2] & bit] for bit in (1, 2)]
    probability, months = joint_states(shock_table(shocks, sites), (0, 1))
    found: dict[tuple[float, ...], float] = {}
    for p, state in zip(probability, months, strict=True):
        found[tuple(state)] = found.get(tuple(state), 0.0) + p
    brute: dict[tuple[float, ...], float] = {}
    for struck in product([False, True], repeat=len(causes)):
        p = float(np.prod([c[0] if s else 1 - c[0] for c, s in zip(causes, struck, strict=True)]))
        state = tuple(max((causes[k][1] for k in site if struck[k]), default=0.0) for site in sites)
        brute[state] = brute.get(state, 0.0) + p
    for state in {*found, *brute}:
        assert found.get(state, 0.0) == pytest.approx(brute.get(state, 0.0), abs=1e-12)


def test_the_distribution_keeps_the_exact_mean():
    """All options of random portfolios: its mean is late_months plus lost_months."""
    compiled = compile_problem(random_portfolio(3, 4, 6))
    options, streams = compiled.problem.options, compiled.problem.streams
    for row in range(0, len(options.program), 5):
        rows = [s for s in (options.first[row], options.second[row]) if s >= 0]
        sources = [(int(streams.offer[s]), float(streams.share[s])) for s in rows]
        if sources:
            p = int(options.program[row])
            tails = _ProgramTails(compiled.basis, p, streams.offer[rows])
            found = tails.distribution(sources)
            exact = options.late_months[row] + options.lost_months[row]
            assert found.sum() == pytest.approx(1.0, abs=1e-12)
            assert found @ np.arange(len(found)) / 8.0 == pytest.approx(exact, abs=1e-11)


def test_the_tail_agrees_with_the_futures():
    group = OutageGroup("region", "EU", 0.03, 4.0)
    policy = averse(1.0, outage_groups=(group,), surge=0.3)
    offers = [transferred("L0"), transferred("L1", transfer_months_high=14.0)]
    case = case_of(
        world(offers, policy, safety_stock_months=1.0),
        {"P@L0@10": (0, 2, 2, 2), "P@L1@10": (0, 1, 1, 1)},
        0.7,
    )
    draws = draw(case, 60_000, 1, 0.0)
    months = _late(case, draws.slip)[:, 0] + _lost(case, draws.out)[:, 0]
    row = case.decision.option[0]
    exact = case.problem.options.risk_cost[row] / 1000.0
    assert exact == pytest.approx(tail_mean(months, 0.95), rel=0.02)


def test_the_grid_keeps_means_and_flatters_no_tail():
    values, probability = np.array([0.3, 5.05]), np.array([0.9, 0.1])
    found = on_grid(values, probability)
    assert found @ np.arange(len(found)) / 8.0 == pytest.approx(values @ probability)
    assert 5.05 <= tail_of(found, 0.9) < 5.05 + 0.125
    assert on_grid(np.array([0.25]), np.array([1.0])).tolist() == [0.0, 0.0, 1.0]


def test_a_tail_averse_policy_takes_the_second_source_that_a_neutral_one_does_not():
    offers = [qualified("L0"), qualified("L1", price_per_batch=110.0)]
    found = {}
    for weight in (0.0, 1.0):
        from models.solve import Settings, solve

        tables = world(offers, averse(weight, 0.99), delay_cost_per_month=300.0)
        compiled = compile_problem(tables, "free")
        result = solve(compiled.problem, "highs", Settings(gap=0.0))
        assert result.decision is not None
        found[weight] = int(compiled.problem.options.second[result.decision.option[0]]) >= 0
    assert found == {0.0: False, 1.0: True}


def test_a_tail_averse_run_passes_its_audit(tmp_path):
    shutil.copytree(TINY, tmp_path / "in")
    policy = tmp_path / "in" / "policy.toml"
    text = policy.read_text().replace("risk_weight = 0.0", "risk_weight = 1.0")
    policy.write_text(text + "\n[risk]\ntail_weight = 0.5\ncvar_level = 0.9\n")
    plan = allocator.run(tmp_path / "in", solver="highs", gap=0.0).plan
    assert plan["audit"]["passed"]
    policy.write_text(text)
    assert plan["risk_cost"] > allocator.run(tmp_path / "in", solver="highs").plan["risk_cost"]


@pytest.mark.parametrize("line", ["tail_weight = 1.5", "cvar_level = 0.2", "tail_wait = 0.5"])
def test_faults_of_the_policy_are_named(tmp_path, line):
    found = said(allocator.check(folder(tmp_path, policy=f"[risk]\n{line}\n")))
    assert any("risk." in text for text in found), found
