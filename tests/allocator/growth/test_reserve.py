"""What to reserve, contract terms, scenarios and the check of their keys."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocator.growth.check import capacity_findings
from allocator.growth.demand import Growth
from allocator.growth.reserve import Reservation, reservation, within
from allocator.growth.settings import TERMS, assumed_terms, scenarios, terms
from allocator.growth.terms import KINDS, break_even, contract_cost, day_price, line_terms
from allocator.portfolio import Contract, Policy
from allocator.read import inspect, read_portfolio
from tests.allocator.folders import folder, said
from tests.allocator.growth.cases import case_of, one_line

SCENARIOS = {
    "base": {"demand": 1.0, "probability": 0.75},
    "doubled": {"demand": 2.0, "probability": 0.25},
}


def policy(**capacity: object) -> Policy:
    return Policy(extra={"capacity": capacity})


def test_without_scenarios_there_are_today_half_and_all_of_the_growth():
    found = scenarios(Policy(), Growth(2.0, since="2027Q2"))
    assert [s.growth.demand for s in found] == [1.0, 1.5, 2.0]
    assert {s.growth.since for s in found} == {"2027Q2"}
    assert all(s.probability is None for s in found)


def test_scenarios_are_numbers_or_tables():
    found = scenarios(
        policy(
            scenarios={
                "flat": 1.1,
                "launch": {
                    "probability": 0.2,
                    "programs": {"A": 3.0},
                    "from": "2027q3",
                    "ramp": 2,
                },
            }
        ),
        Growth(2.0, since="2027Q2"),
    )
    assert found[0].growth == Growth(1.1, {}, {}, "2027Q2", 1)
    assert found[1].growth == Growth(1.0, {"A": 3.0}, {}, "2027Q3", 2)
    assert found[1].probability == 0.2


def test_terms_of_the_policy_stand_over_the_assumed_ones():
    own = policy(take_or_pay_share=0.7)
    assert terms(own) == {**TERMS, "take_or_pay_share": 0.7}
    assert "take_or_pay_share" not in assumed_terms(own)
    assert len(assumed_terms(own)) == len(TERMS) - 1


def one_cell(kind, reserved, used, year=(0, 0), start=0, **row):
    """One line of 10 a day on assumed terms, but what its contract row says."""
    tables = replace(one_line(), contracts={("L", kind): Contract("L", kind, **row)})
    given = line_terms(tables, ("L",), kind, np.array([10.0]))
    notice = (np.arange(2) - start) * 3.0
    return float(
        contract_cost(
            kind, given, np.array([reserved]), np.array([used]), np.array(year), notice
        ).sum()
    )


def test_contracts_cost_what_goes_unused_by_their_terms():
    # 100 days reserved in each of two periods at 10 a day; 50 and 120 used
    days, used = [100.0, 100.0], [50.0, 120.0]
    assert one_cell("take_or_pay", days, used) == pytest.approx(0.8 * 1000 - 500)
    assert one_cell("min_spend", days, used) == pytest.approx(0.8 * 2000 - 1500)
    assert one_cell("min_spend", days, used, year=(0, 1)) == pytest.approx(0.8 * 1000 - 500)
    assert one_cell("suite_fee", days, used) == pytest.approx(0.5 * 500)
    assert one_cell("suite_fee", days, used, share=1.0) == 0.0
    assert one_cell("suite_fee", days, used, fee_per_period=900.0) == pytest.approx(0.5 * 400)
    assert one_cell("take_or_pay", days, used, price_per_day=20.0) == pytest.approx(2 * 300)
    assert one_cell("take_or_pay", days, used, share=1.0) == pytest.approx(500.0)
    # notice of 0 months in the first period: the whole price; 3 months in the second: 0.6
    assert one_cell("cancellation", days, used) == pytest.approx(500.0)
    assert one_cell("cancellation", days, [100.0, 50.0]) == pytest.approx(0.6 * 500)
    assert one_cell("cancellation", days, [100.0, 50.0], start=1) == pytest.approx(500.0)
    assert one_cell("cancellation", days, used, cancel_under_3_months=0.2) == pytest.approx(100.0)
    with pytest.raises(KeyError):
        one_cell("barter", days, used)
    assert one_cell("suite_fee", [0.0, 0.0], [0.0, 0.0], fee_per_period=900.0) == 0.0


def test_nothing_is_owed_where_all_is_used():
    for kind in KINDS:
        assert one_cell(kind, [100.0, 100.0], [100.0, 110.0]) == 0.0


def test_break_even_lies_on_the_line_between_scenarios():
    assert break_even([1.0, 2.0], np.array([-10.0, 30.0])) == pytest.approx(1.25)
    assert break_even([2.0, 1.0], np.array([30.0, -10.0])) == pytest.approx(1.25)
    assert break_even([1.0, 2.0], np.array([1.0, 2.0])) == 1.0
    assert break_even([1.0, 2.0], np.array([-1.0, -2.0])) is None
    assert break_even([1.0, 2.0, 3.0], np.array([5.0, 2.0, -1.0])) is None


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


def test_money_per_day_is_that_of_the_plan():
    case = case_of(one_line())
    assert day_price(case.compiled.problem, case.decision).tolist() == [2.0]


CONTRACTS = """\
line_id,kind,share,price_per_day,fee_per_period
L1,take_or_pay,0.9,5000,
L3,suite_fee,,,100000
"""


def test_contracts_are_a_table(tmp_path):
    tables = read_portfolio(folder(tmp_path, contracts=CONTRACTS))
    assert tables.contracts["L1", "take_or_pay"] == Contract("L1", "take_or_pay", 0.9, 5000.0)
    given = line_terms(tables, ("L1", "L3"), "take_or_pay", np.array([7.0, 8.0]))
    assert given["share"].tolist() == [0.9, TERMS["take_or_pay_share"]]
    assert given["price"].tolist() == [5000.0, 8.0]
    wrong = CONTRACTS.replace("L3", "L9") + "L1,take_or_pay,0.8,,\nL1,barter,0.8,,\n"
    tables, findings = inspect(folder(tmp_path, contracts=wrong))
    assert tables is None
    words = " ".join(said(findings))
    assert "there is no 'L9' in lines.csv" in words
    assert "stands already in line 2" in words
    assert "barter" in words


GOOD = """
[capacity]
take_or_pay_share = 0.9
[capacity.scenarios]
flat = 1.0
launch = {demand = 1.5, programs = {P1 = 2.0}, forms = {vial = 1.2}, from = "2027Q2", ramp = 2}
"""


def test_a_sound_table_is_read(tmp_path):
    tables = read_portfolio(folder(tmp_path, policy=GOOD))
    found = scenarios(tables.policy, Growth())
    assert [s.name for s in found] == ["flat", "launch"]
    assert terms(tables.policy)["take_or_pay_share"] == 0.9


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("take_or_pay = 0.9", "capacity.take_or_pay: the key is unknown; did you mean"),
        ("resold_share = 1.5", "capacity.resold_share: 1.5 is out of range"),
        ('resold_share = "half"', "capacity.resold_share: 'half' is not a number"),
        ("scenarios = 3", "capacity.scenarios: is not a table"),
        ('scenarios = {a = "2"}', "capacity.scenarios.a: '2' is not a number"),
        ("scenarios = {a = {demnd = 2}}", "the key is unknown; did you mean 'demand'?"),
        ("scenarios = {a = {probability = 2}}", "capacity.scenarios.a.probability: 2 is out of"),
        ("scenarios = {a = {ramp = 9}}", "capacity.scenarios.a.ramp: 9 is out of range"),
        ('scenarios = {a = {from = "2031Q1"}}', "there is no '2031Q1'"),
        ("scenarios = {a = {programs = {P9 = 2}}}", "there is no 'P9'; use one of P1, P2"),
        ("scenarios = {a = {programs = 2}}", "capacity.scenarios.a.programs: 2 is not a table"),
        ("scenarios = {a = {forms = {vial = true}}}", "True is not a number"),
        ("scenarios = {a = {probability = 0.5}, b = 2}", "1 of 2 scenarios have a probability"),
        ("scenarios = {a = {probability = 0.5}}", "the probabilities sum to 0.5"),
    ],
)
def test_wrong_keys_are_findings(tmp_path, text, words):
    tables, findings = inspect(folder(tmp_path, policy=f"[capacity]\n{text}\n"))
    assert tables is None
    assert any(words in line for line in said(findings)), said(findings)


def test_a_table_that_is_none_is_a_finding():
    tables = replace(one_line(), policy=Policy(extra={"capacity": 3}))
    assert "write it as [capacity]" in str(capacity_findings(tables)[0])
    assert scenarios(tables.policy, Growth())
    assert capacity_findings(one_line()) == ()
