"""Exact slot values against hand and brute force; duals only choose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocator.growth.answers import four_answers
from allocator.growth.demand import Growth
from allocator.growth.slots import slot_values, value_interval
from allocator.read import read_portfolio
from models.evaluate import evaluate
from models.parts import cmo_part
from models.restrict import with_days
from models.result import Decision, Result
from tests.allocator.growth.cases import case_of, one_line
from tests.brute_force import brute_force


def second(case, multiplier):
    return four_answers(case.situation(Growth(multiplier)))[1]


def test_one_more_batch_is_worth_what_it_saves():
    case = case_of(one_line())
    answer = second(case, 2.5)  # five batches of ten short in every quarter
    found = slot_values(answer, 4, case.solving, 60.0)
    shortage = 1000.0 * 3.0 / 125.0  # a quarter of supply is three months, 125 units
    for row in found["slots"]:
        assert row["days"] == 5.0
        assert row["value_low"] == pytest.approx(10.0 * shortage - 10.0)
        assert row["value_high"] == pytest.approx(row["value_low"])
        assert row["dual_hint"] > 0
    assert {row["period"] for row in found["slots"]} == {"2027Q1", "2027Q2", "2027Q3", "2027Q4"}
    assert {row["what"] for row in found["slots"]} == {"batch", "line_days"}
    assert found["answer"] == "rescheduled"


def test_where_days_are_left_nothing_is_worth_anything():
    case = case_of(one_line())
    found = slot_values(second(case, 1.0), 3, case.solving, 30.0)
    assert all(row["value_high"] == pytest.approx(0.0) for row in found["slots"])


def test_values_on_tiny_equal_brute_force_and_are_ranked():
    case = case_of(read_portfolio("instances/tiny"))
    answer = second(case, 1.5)
    found = slot_values(answer, 3, case.solving, 60.0)
    assert found["rules_left_out"] == [f"no CMO above four fifths[{k}]" for k in "ABC"]
    lows = [row["value_low"] for row in found["slots"]]
    assert lows == sorted(lows, reverse=True)
    problem = answer.compiled.problem
    for row in found["slots"]:
        line = problem.lines.ids.index(row["line_id"])
        t = problem.period_labels.index(row["period"])
        part = cmo_part(problem, answer.decision, int(problem.lines.cmo[line])).problem
        days = part.lines.days.copy()
        days[line, t] += row["days"]
        worth = brute_force(part)[0] - brute_force(with_days(part, days))[0]
        assert row["value_low"] - 1.0 <= worth <= row["value_high"] + 1.0
        assert row["value_high"] - row["value_low"] <= 10.0


def test_a_cmo_alone_costs_what_it_costs_in_the_whole():
    case = case_of(read_portfolio("instances/tiny"))
    answer = second(case, 1.5)
    problem, decision = answer.compiled.problem, answer.decision
    value = evaluate(problem, decision)
    total = 0.0
    for cmo in np.flatnonzero(value.engaged).tolist():
        part = cmo_part(problem, decision, cmo)
        alone = evaluate(part.problem, part.lower(decision))
        assert alone.broken == ()
        total += alone.objective
    idle = value.objective - total
    assert idle == pytest.approx(0.0, abs=1e-6)


def test_intervals_are_bound_less_plan_and_plan_less_bound():
    def side(objective, bound):
        none = Decision(np.zeros(0, np.int64), {}, np.zeros(0, np.bool_))
        plan = None if objective is None else none
        return Result("feasible", None, plan, objective, bound, "x", 0.0)

    assert value_interval(side(10.0, 9.0), side(6.0, 5.0)) == (3.0, 5.0)
    assert value_interval(side(10.0, 5.0), side(9.0, 4.0)) == (0.0, 6.0)
    assert value_interval(side(10.0, None), side(9.0, None)) == (0.0, None)
    assert value_interval(side(None, 1.0), side(9.0, 1.0)) == (0.0, None)
    assert value_interval(side(10.0, 10.0), side(10.0, 10.0 + 1e-9))[1] == 0.0


def test_line_alone_is_enough_without_floor_and_rebates():
    case = case_of(one_line())
    answer = second(case, 2.5)
    problem = answer.compiled.problem
    assert cmo_part(problem, answer.decision, 0, 0).problem.offers.ids == (
        cmo_part(problem, answer.decision, 0).problem.offers.ids
    )
    expanded = replace(answer.decision, expanded=np.array([True]))
    part = cmo_part(problem, expanded, 0)
    grown = problem.lines.expansion_days[0]
    assert part.problem.lines.days[0, 1] == problem.lines.days[0, 1] + grown
