"""What is said of an option agrees with its coefficient and with what one works out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocator.compile import compile_problem
from allocator.portfolio import Cmo, OutageGroup, Policy, Portfolio
from allocator.risk.explain import explain_option, explain_risk
from allocator.risk.readiness import Readiness
from allocator.risk.steps import STEPS
from tests.allocator.portfolios import line, offer, portfolio, program, quarters


def tables() -> Portfolio:
    cmos = [
        Cmo("A", "EU", owner="big", outage_per_year=0.05, recover_months=6.0),
        Cmo("B", "EU", outage_per_year=0.10, recover_months=4.0, scores={"tech_transfer": 20.0}),
    ]
    offers = [
        offer("P", "LA", qualified=True, release_months=2.0),
        offer(
            "P",
            "LB",
            transfer_months_low=6.0,
            transfer_months_mode=8.0,
            transfer_months_high=14.0,
            filing_months=4.0,
            release_months=1.0,
            ppq_batches=3,
        ),
    ]
    groups = (OutageGroup("region", "EU", 0.02, 5.0), OutageGroup("owner", "big", 0.01, 3.0))
    return portfolio(
        quarters(8),
        [program("P", (30.0,) * 8, safety_stock_months=1.0)],
        cmos,
        [line("LA", "A", 8), line("LB", "B", 8)],
        offers,
        Policy(surge=0.1, outage_groups=groups),
    )


A, B = "P@LA@10", "P@LB@10"
BOTH = [(A, 0.6), (B, 0.4)]


def test_every_option_is_explained_by_its_own_figures() -> None:
    compiled = compile_problem(tables())
    options = compiled.problem.options
    for row in range(len(options.program)):
        said = explain_risk(compiled, row)
        assert said["program_id"] == "P"
        assert said["late_months"] == pytest.approx(options.late_months[row], abs=1e-12)
        assert said["lost_months"] == pytest.approx(options.lost_months[row], abs=1e-12)
        assert said["risk_cost"] == pytest.approx(options.risk_cost[row], abs=1e-9)
        assert len(said["sources"]) == {"unsourced": 0, "single": 1, "dual": 2}[said["option"]]


def test_an_unsourced_option() -> None:
    said = explain_option(tables(), "P", [])
    assert said["option"] == "unsourced"
    assert (said["causes"], said["joint"], said["first_supply"]) == ([], None, None)


def test_a_qualified_source_has_no_chain() -> None:
    (source,) = explain_option(tables(), "P", [(A, 1.0)])["sources"]
    assert source["steps"] == []
    assert source["critical_step"] is None
    assert source["late_months"] == 0.0
    assert source["planned_month"] == 3.0
    assert source["p50_month"] == source["p90_month"] == 2.0
    assert source["p90_date"] == "2027-03"


def test_the_chain_of_a_new_source() -> None:
    said = explain_option(tables(), "P", [(B, 1.0)])
    (source,) = said["sources"]
    steps = {step["step"]: step for step in source["steps"]}
    assert tuple(steps) == STEPS
    transfer = [steps[name] for name in STEPS[:6]]
    for key, months in (("low", 6.0), ("mode", 8.0), ("high", 14.0)):
        assert sum(step[key] for step in transfer) == pytest.approx(months)
    assert steps["filing"]["mode"] + steps["review"]["mode"] == pytest.approx(4.0)
    assert steps["first_supply"]["mode"] == 1.0
    assert source["planned_month"] == 12.0
    assert source["planned_date"] == "2028-01"
    assert 13.0 < source["p50_month"] < source["p90_month"] < 18.0
    assert said["first_supply"]["p90_month"] == source["p90_month"]
    late = sum(step["late_at_p90"] for step in source["steps"])
    assert late == pytest.approx(source["p90_month"] - 13.0, abs=1e-6)
    worst = max(source["steps"], key=lambda s: s["late_at_p90"])
    assert source["critical_step"] == worst["step"] == "transfer"
    assert source["slip_log_odds"] > 0
    assert "financial" in source["scores_missing"]
    assert "tech_transfer" not in source["scores_missing"]


def test_the_earlier_of_two_sources_counts() -> None:
    said = explain_option(tables(), "P", BOTH)
    assert said["first_supply"]["p90_month"] == 2.0
    assert said["late_months"] == 0.0


def test_outages_with_and_without_odds() -> None:
    said = explain_option(tables(), "P", BOTH)
    joint = said["joint"]
    own = 1 - 0.95 * 0.99
    assert joint["prob_all_out_per_year"] == pytest.approx(0.02 + 0.98 * own * 0.1)
    assert joint["shared_causes"] == ["region EU"]
    causes = {cause["cause"]: cause for cause in said["causes"]}
    # beyond one month of stock; the survivor takes a tenth on top of its own share
    assert causes["region EU"]["lost_months_if_struck"] == 4.0
    assert causes["region EU"]["sources_hit"] == [A, B]
    assert causes["site A"]["lost_months_if_struck"] == pytest.approx(5 * 0.56)
    assert causes["owner big"]["lost_months_if_struck"] == pytest.approx(2 * 0.56)
    assert causes["site B"]["lost_months_if_struck"] == pytest.approx(3 * 0.34)
    added = [cause["adds_lost_months"] for cause in said["causes"]]
    assert added == sorted(added, reverse=True)
    without = replace(tables().policy, outage_groups=tables().policy.outage_groups[1:])
    rest = explain_option(replace(tables(), policy=without), "P", BOTH)
    gone = said["lost_months"] - rest["lost_months"]
    assert causes["region EU"]["adds_lost_months"] == pytest.approx(gone)


def test_a_cause_of_one_source() -> None:
    said = explain_option(tables(), "P", [(A, 1.0)])
    assert said["joint"] is None
    assert [cause["cause"] for cause in said["causes"]] == ["site A", "region EU", "owner big"]
    alone = explain_option(replace(tables(), policy=Policy()), "P", [(A, 1.0)])
    assert alone["causes"][0]["adds_lost_months"] == pytest.approx(alone["lost_months"])


def test_fitted_shifts_are_used() -> None:
    fitted = {"B": Readiness(-1.0, 0.0)}
    (source,) = explain_option(tables(), "P", [(B, 1.0)], fitted)["sources"]
    assert source["slip_log_odds"] == -1.0
    assert source["late_months"] < explain_option(tables(), "P", [(B, 1.0)])["late_months"]


def test_months_add_up() -> None:
    said = explain_option(tables(), "P", BOTH)
    joint, (one, two) = said["joint"], said["sources"]
    alone = np.array([s["months_out_per_year_after_cover"] for s in (one, two)])
    both = joint["months_wholly_out_per_year"]
    assert joint["months_partly_out_per_year"] == pytest.approx(alone.sum() - 2 * both)
    yearly = both + (alone - both) @ np.array([0.56, 0.34])
    # B supplies from month 12 of 24, A alone from month 3 to then
    assert said["lost_months"] == pytest.approx(alone[0] * 0.75 + yearly * 1.0)
