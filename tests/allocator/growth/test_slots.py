"""Exact slot values against hand and brute force; duals only choose."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from allocator.growth.answers import four_answers
from allocator.growth.candidates import candidates, slot_savings, source_savings
from allocator.growth.demand import Growth
from allocator.growth.show import _slots
from allocator.growth.slots import slot_values, value_interval
from allocator.read import read_portfolio
from models.evaluate import evaluate
from models.parts import cmo_part
from models.restrict import with_days
from models.result import Decision, Result
from tests.allocator.growth.cases import case_of, one_line
from tests.brute_force import brute_force
from tests.models.small import small


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


def half_a_batch(quarters_=4):
    """14 days hold two batches of 5, and 25 units need two and a half: the LP has days to spare."""
    tables = one_line()
    lines = {"L": replace(tables.lines["L"], days=(14.0,) * quarters_, expansion_days=0.0)}
    a = replace(tables.programs["A"], demand=(25.0,) * quarters_)
    offers = {k: o for k, o in tables.offers.items() if o.program_id == "A"}
    return replace(tables, programs={"A": a}, lines=lines, offers=offers)


def test_slots_without_a_dual_are_found_by_what_one_batch_saves():
    case = case_of(half_a_batch())
    found = slot_values(second(case, 1.0), 10, case.solving, 60.0)
    assert (found["asked"], found["valued"]) == (10, 4)
    rows = [row for row in found["slots"] if row["what"] == "batch"]
    assert {row["period"] for row in rows} == {"2027Q1", "2027Q2", "2027Q3", "2027Q4"}
    assert all(row["dual_hint"] == pytest.approx(0.0) for row in rows)
    for row in rows:  # with all else as planned a batch may come late, and stock then waits less
        assert 0.0 < row["plan_hint"] <= row["value_high"] + 1e-6


def test_the_most_valuable_slots_of_tiny_are_among_the_candidates():
    case = case_of(read_portfolio("instances/tiny"))
    answer = second(case, 1.5)
    every = slot_values(answer, 100, case.solving, 60.0)["slots"]
    few = slot_values(answer, 3, case.solving, 60.0)["slots"]
    assert few[0]["value_low"] == pytest.approx(every[0]["value_low"], abs=10.0)


def test_a_batch_that_fits_or_comes_too_late_saves_nothing():
    problem = small(
        programs=[{"demand": (10.0, 20.0), "holding": 1.0}],
        lines=[{"days": 12.0}],
        offers=[{"ready": 1}],
    )
    stream = int(problem.options.first[1])
    assert source_savings(problem, stream, np.array([0, 1])).tolist() == [-1.0, 950.0]
    plan = Decision(np.array([1]), {0: np.array([0, 1])}, np.zeros(1, np.bool_))
    assert slot_savings(problem, plan)[0].tolist() == [-1.0, 0.0]
    full = with_days(problem, np.full((1, 2), 8.0))
    assert slot_savings(full, plan)[0].tolist() == [-1.0, 950.0]
    # a batch made a period too soon is held: moving it saves that
    early = small(programs=[{"demand": (0.0, 10.0), "holding": 1.0}], lines=[{"days": 5.0}])
    assert source_savings(early, stream, np.array([1, 0])).tolist() == [0.0, 10.0]


def test_the_terminal_says_where_fewer_places_were_valued_than_asked():
    def shown(found):
        console = Console(record=True, width=200, file=io.StringIO())
        _slots(console, {"currency": "USD", "slots": found})
        return console.export_text()

    case = case_of(half_a_batch())
    found = slot_values(second(case, 1.0), 5, case.solving, 60.0)
    assert "4 places, not 5" in shown(found)
    assert "No line is in use" in shown(found | {"slots": [], "valued": 0})
    alike = [found["slots"][0] | {"period": label} for label in ("2027Q1", "2027Q3", "2027Q4")]
    assert "2027Q1 or 2 more" in shown(found | {"slots": alike})


def test_the_period_in_which_a_batch_saves_more_goes_before_a_fuller_one():
    """A batch in the first period, which is full, would be held for the second: 10 less."""
    problem = small(programs=[{"demand": (10.0, 20.0), "holding": 1.0}], lines=[{"days": 9.0}])
    problem = with_days(problem, np.array([[5.0, 9.0]]))
    plan = Decision(np.array([1]), {0: np.array([1, 1])}, np.zeros(1, np.bool_))
    prices = {0: np.zeros((1, 2))}
    found = candidates(problem, plan, prices, 2, 5.0)
    assert [(c.period, c.saving) for c in found] == [(1, 950.0), (0, 940.0)]
    assert candidates(problem, plan, {0: np.array([[200.0, 0.0]])}, 1, 5.0)[0].period == 0


def test_periods_that_promise_the_same_are_one_place_to_ask_for():
    problem = small(programs=[{"demand": (20.0,) * 3}], lines=[{"days": 5.0}])
    plan = Decision(np.array([1]), {0: np.array([1, 1, 1])}, np.zeros(1, np.bool_))
    prices = {0: np.array([[30.0, 400.0, 400.0]])}
    one = candidates(problem, plan, prices, 1, 5.0)
    assert [c.period for c in one] == [1, 2]
    two = candidates(problem, plan, prices, 2, 5.0)
    assert [c.period for c in two] == [1, 0, 2]
