"""Dates of engagements, surge and programs given up."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from allocator.growth.actions import AUDIT_MONTHS, action_list
from allocator.growth.answers import four_answers
from allocator.growth.demand import Growth
from allocator.growth.level import level_plan
from allocator.growth.more_days import surge_days
from allocator.growth.show import _actions
from allocator.plan_detail import detail
from allocator.portfolio import Cmo
from tests.allocator.growth.cases import ALL, case_of, one_line
from tests.allocator.portfolios import line, offer, portfolio, program, quarters


def late_need(qualified):
    """B needs 20 in the last quarter and has 20 in stock; twice of it takes two batches at J then.

    Without approval there J takes four months of transfer and two of filing: ready from 2027Q3.
    """
    months = 0.0 if qualified else 1.0
    made = offer(
        "B",
        "LJ",
        price_per_batch=10.0,
        qualified=qualified,
        transfer_months_mode=4.0 * months,
        filing_months=2.0 * months,
    )
    return portfolio(
        quarters(4),
        [program("B", (0.0, 0.0, 0.0, 20.0), opening_stock=20.0, holding_cost_per_unit_month=0.1)],
        [Cmo("J", "US", onboarding_cost=5.0)],
        [line("LJ", "J", 4, days=(100.0,) * 4)],
        [made],
        ALL,
    )


def actions(tables, growth):
    case = case_of(tables)
    answers = four_answers(case.situation(growth))
    return case, answers[3], action_list(case, answers[3])["actions"]


def engaged(found):
    return next(row for row in found if row["what"].startswith("engage"))


def test_a_cmo_where_nothing_is_transferred_is_engaged_an_audit_before_its_first_batch():
    _, _, found = actions(late_need(qualified=True), Growth(2.0))
    assert AUDIT_MONTHS == 5.0
    assert engaged(found)["latest"] == "2027-05"  # the first batch in October
    assert engaged(found)["assumed"]
    _, _, found = actions(one_line_elsewhere(), Growth(2.0))
    assert engaged(found)["latest"] == "2027-01"  # there are no five months


def one_line_elsewhere():
    """The same need at once."""
    tables = late_need(qualified=True)
    soon = replace(tables.programs["B"], demand=(20.0, 0.0, 0.0, 0.0))
    return replace(tables, programs={"B": soon})


def test_a_cmo_with_a_chain_is_engaged_when_its_first_step_must_begin():
    _, _, found = actions(late_need(qualified=False), Growth(2.0))
    first = min(row["latest"] for row in found if row["line_id"] == "LJ")
    assert first == "2027-04"  # one quarter later than it could begin
    assert engaged(found)["latest"] == first
    assert not engaged(found)["assumed"]


def test_surge_is_agreed_for_the_days_beyond_those_offered_and_expanded():
    case, answer, found = actions(one_line(surge=0.2), Growth(2.2))
    (surge,) = [row for row in found if row["what"].startswith("agree surge")]
    labels = answer.compiled.problem.period_labels
    assert surge["line_days"] == {label: pytest.approx(10.0) for label in labels}
    assert surge["what"] == "agree surge of up to 10 line-days a period"
    assert (surge["latest"], surge["line_id"], surge["new"]) == ("2027-01", "L", True)
    # 130 days: 20 of surge until the expansion of 50 from the second quarter on, then none
    case, answer, found = actions(one_line(surge=0.2), Growth(2.6))
    (surge,) = [row for row in found if row["what"].startswith("agree surge")]
    assert surge["line_days"] == {"2027Q1": pytest.approx(20.0)}
    spelt = detail(answer.compiled.problem, answer.decision)
    assert surge_days(case, spelt)[0].tolist() == pytest.approx([20.0, 0.0, 0.0, 0.0])
    _, _, found = actions(one_line(), Growth(2.0))
    assert not [row for row in found if row["what"].startswith("agree surge")]


def test_a_program_without_a_source_is_decided_before_it_is_short():
    """Nobody pays 1000 a batch for what is worth 3: its stock lasts for the first quarter."""
    tables = one_line()
    dear = program("C", (10.0,) * 4, opening_stock=20.0, delay_cost_per_month=1.0)
    tables = replace(
        tables,
        programs=tables.programs | {"C": dear},
        offers={
            o.offer_id: o
            for o in [*tables.offers.values(), offer("C", "L", price_per_batch=1000.0)]
        },
    )
    case, answer, found = actions(tables, Growth(2.0))
    (row,) = [row for row in found if row["what"].startswith("give the program up")]
    assert (row["id"], row["latest"], row["new"]) == ("C", "2027-04", False)
    option = case.decision.option.copy()
    option[2] += 1  # as if it had a source today
    before = replace(case, decision=replace(case.decision, option=option))
    again = action_list(before, answer)["actions"]
    assert [a["new"] for a in again if a["program_id"] == "C"] == [True]
    assert np.array_equal(case.decision.option[:2], option[:2])


def test_surge_is_one_line_on_the_terminal():
    case = case_of(one_line(surge=0.2))
    situation = case.situation(Growth(2.2))
    answers = four_answers(situation)
    level = level_plan(situation, answers, 5.0)
    console = Console(record=True, width=200, file=io.StringIO())
    _actions(console, {"actions": action_list(case, level.answer) | level.figures()})
    text = console.export_text()
    assert "it keeps 100.0 % on time: 100.0 %" in text
    assert text.count("surge") == 1
    assert "from 2027-01 on: agree surge on L" in text
