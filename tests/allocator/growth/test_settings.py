"""The `[capacity]` table of the policy: scenarios, terms and the check of their keys."""

from __future__ import annotations

from dataclasses import replace

import pytest

from allocator.errors import Usage
from allocator.growth.check import capacity_findings
from allocator.growth.demand import Growth
from allocator.growth.settings import (
    KINDS,
    TERMS,
    assumed_terms,
    checked_scenarios,
    contract_kinds,
    scenarios,
    terms,
)
from allocator.portfolio import Policy
from allocator.read import inspect, read_portfolio
from tests.allocator.folders import folder, said
from tests.allocator.growth.cases import one_line


def policy(**capacity: object) -> Policy:
    return Policy(extra={"capacity": capacity})


def test_without_scenarios_there_are_today_half_and_all_of_the_growth():
    found = scenarios(Policy(), Growth(2.0, since="2027Q2"))
    assert [s.growth.demand for s in found] == [1.0, 1.5, 2.0]
    assert {s.growth.since for s in found} == {"2027Q2"}
    assert all(s.probability is None for s in found)


def test_half_of_the_growth_is_half_of_each_factor():
    whole = Growth(1.0, {"A": 3.0}, {"tablet": 0.5}, "2027Q2", 2)
    today, half, all_of_it = scenarios(Policy(), whole)
    assert today.growth == Growth(1.0, {}, {}, "2027Q2", 2)
    assert half.growth == Growth(1.0, {"A": 2.0}, {"tablet": 0.75}, "2027Q2", 2)
    assert all_of_it.growth == whole


def test_a_scenario_that_does_not_fit_is_named():
    tables = replace(one_line(), policy=policy(scenarios={"late": {"from": "2027q4"}}))
    assert checked_scenarios(tables, Growth(2.0))[0].growth.since == "2027Q4"
    with pytest.raises(Usage, match="scenario 'late': ramp: 2 periods; give one from 1"):
        checked_scenarios(tables, Growth(2.0, ramp=2))


def test_the_policy_may_name_the_contract():
    assert contract_kinds(Policy()) == KINDS
    assert contract_kinds(policy(contract="min_spend")) == ("min_spend",)


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
        ("scenarios = {a = {ramp = 1.5}}", "a.ramp: 1.5 is not a whole number of periods"),
        (
            'scenarios = {a = {from = "2027q3", ramp = 3}}',
            "3 is out of range; give one from 1 to",
        ),
        ('contract = "take-or-pay"', "capacity.contract: there is no 'take-or-pay'; did you mean"),
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
