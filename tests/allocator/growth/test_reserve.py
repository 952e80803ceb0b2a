"""What to reserve, and under which contract."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocator.growth.demand import Growth
from allocator.growth.reserve import Reservation, candidates, reservation, within
from allocator.growth.settings import checked_scenarios
from allocator.portfolio import Portfolio
from tests.allocator.growth.cases import case_of, one_line

SCENARIOS = {
    "base": {"demand": 1.0, "probability": 0.75},
    "doubled": {"demand": 2.0, "probability": 0.25},
}


def test_a_reservation_limits_the_schedule_to_its_days():
    case = case_of(one_line())
    situation = case.situation(Growth(2.0))
    today = case.decision
    used = np.full((1, 4), 50.0)
    held = Reservation("today", today, used)
    outcome = within(held, situation, 0.0, case.solving, 10.0)
    assert outcome.used.sum() == pytest.approx(200.0)
    assert outcome.bound == pytest.approx(outcome.cost)
    half = within(held, situation, 0.5, case.solving, 10.0)
    assert half.used.sum() == pytest.approx(300.0)  # half of the other 200 days is to be had
    assert half.cost < outcome.cost


def test_reserving_by_hand():
    """Demand is served in the whole growth by twice the days, which cost nothing when unused."""
    case = case_of(one_line(extra={"capacity": {"scenarios": SCENARIOS}}))
    found = reservation(case, Growth(2.0), 30.0)
    assert found["criterion"] == "expected cost"
    rows = {row["name"]: row for row in found["reservations"]}
    assert list(rows) == ["today's plan", "base", "doubled"]
    assert rows["doubled"]["costs"] == pytest.approx([400.0, 800.0])
    # half of the demand unmet: 24 months of two programs' supply at 1000, and 400 for batches
    assert rows["base"]["costs"] == pytest.approx([400.0, 400.0 + 0.5 * 24 * 1000])
    assert rows["base"]["worst_regret"] == pytest.approx(12400.0 - 800.0)
    assert rows["base"]["expected_cost"] == pytest.approx(0.75 * 400 + 0.25 * 12400)
    assert found["choice"] == "doubled"
    assert {day["days"] for day in found["line_days"]} == {100.0}
    assert {day["days_today"] for day in found["line_days"]} == {50.0}
    contracts = {row["kind"]: row for row in found["terms"]}
    # 400 days at 2 a day; half used in the base case
    assert contracts["take_or_pay"]["costs"] == pytest.approx([0.8 * 800 - 400, 0.0])
    assert contracts["suite_fee"]["expected_cost"] == pytest.approx(0.75 * 200)
    assert contracts["take_or_pay"]["break_even_demand"] == pytest.approx(1.0 + 240 / (240 + 11600))


def test_without_probabilities_the_worst_regret_decides():
    case = case_of(one_line())
    found = reservation(case, Growth(2.0), 30.0)
    assert found["criterion"] == "worst regret"
    assert found["choice"] == "the whole growth"
    assert all(row["expected_cost"] is None for row in found["reservations"])
    assert all(row["expected_cost_with_contract"] is None for row in found["reservations"])
    assert found["scenarios_assumed"] is True


def odds(chance: float, **capacity: object) -> Portfolio:
    """Demand doubles with this probability, else it stays as it is."""
    scenarios = {
        "base": {"demand": 1.0, "probability": 1.0 - chance},
        "doubled": {"demand": 2.0, "probability": chance},
    }
    return one_line(extra={"capacity": {"scenarios": scenarios, **capacity}})


def test_reserved_days_are_not_free():
    """Twice the days save 11600 where demand doubles, and cost above 100 where it does not."""
    found = reservation(case_of(odds(0.001)), Growth(2.0), 30.0)
    rows = {row["name"]: row for row in found["reservations"]}
    assert rows["doubled"]["expected_cost"] < rows["today's plan"]["expected_cost"]
    assert (found["choice"], found["contract"]) == ("today's plan", None)
    assert {day["days_more"] for day in found["line_days"]} == {0.0}
    # the contracts that did not pay are shown all the same
    assert found["terms_for"] == "doubled"
    for row in found["terms"]:
        assert row["savings"] == pytest.approx([-row["costs"][0], 11600.0])
        assert row["expected_saving"] == pytest.approx(0.001 * 11600 - 0.999 * row["costs"][0])
        assert row["expected_saving"] < 0


def test_the_choice_names_the_contract_that_costs_least():
    found = reservation(case_of(odds(0.25)), Growth(2.0), 30.0)
    assert (found["choice"], found["contract"]) == ("doubled", found["terms"][0]["kind"])
    assert found["terms"][0]["expected_saving"] == max(r["expected_saving"] for r in found["terms"])
    chosen = found["reservations"][-1]
    assert chosen["contract"] == found["contract"]
    more = np.array(chosen["costs_with_contract"]) - chosen["costs"]
    assert more == pytest.approx(found["terms"][0]["costs"])
    least = chosen["costs_with_contract"]
    assert chosen["expected_cost_with_contract"] == pytest.approx(0.75 * least[0] + 0.25 * least[1])


def test_a_contract_that_the_policy_names_is_the_one_that_counts():
    """At odds of 0.017 the days are worth 197: less than 236 of take-or-pay, more than the rest."""
    free = reservation(case_of(odds(0.017)), Growth(2.0), 30.0)
    assert free["choice"] == "doubled"
    named = reservation(case_of(odds(0.017, contract="take_or_pay")), Growth(2.0), 30.0)
    assert named["choice"] == "today's plan"
    assert len(named["terms"]) == 4


def test_regret_counts_the_contract_too():
    """Missing supply is cheap: doubled demand half unmet costs 32 more than serving it."""
    scenarios = {"flat": 1.0, "doubled": 2.0}
    tables = one_line(extra={"capacity": {"scenarios": scenarios}})
    cheap = {k: replace(p, delay_cost_per_month=36.0) for k, p in tables.programs.items()}
    found = reservation(case_of(replace(tables, programs=cheap)), Growth(2.0), 30.0)
    rows = {row["name"]: row for row in found["reservations"]}
    assert rows["today's plan"]["regrets"] == pytest.approx([0.0, 32.0])
    assert rows["doubled"]["worst_regret"] == pytest.approx(0.0)
    assert rows["doubled"]["worst_regret_with_contract"] > 32.0
    assert (found["choice"], found["criterion"]) == ("today's plan", "worst regret")


def test_scenarios_with_the_same_factor_stand_apart_by_their_demand():
    """B alone trebled asks for twice today's line-days; contracts pay there and not at today's."""
    scenarios = {"flat": 1.0, "launch": {"demand": 1.0, "programs": {"B": 3.0}}}
    case = case_of(one_line(extra={"capacity": {"scenarios": scenarios}}))
    found = reservation(case, Growth(2.0), 30.0)
    assert [s["relative_demand"] for s in found["scenarios"]] == pytest.approx([1.0, 2.0])
    assert found["choice"] == "launch"
    for row in found["terms"]:
        assert 1.0 < row["break_even_demand"] < 2.0


def test_without_a_scenario_that_has_a_plan_there_is_todays_plan(monkeypatch):
    case = case_of(one_line())
    found = checked_scenarios(case.portfolio, Growth(2.0))
    situations = [case.situation(s.growth) for s in found]
    today = candidates(case, found, situations, 30.0)[:1]
    monkeypatch.setattr("allocator.growth.reserve.candidates", lambda *_: today)
    said = reservation(case, Growth(2.0), 30.0)
    assert (said["choice"], said["terms_for"], said["terms"]) == ("today's plan", None, [])
