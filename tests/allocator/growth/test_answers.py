"""The four answers: by hand, against brute force, and each no dearer than the one before."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from allocator.growth import abreast
from allocator.growth.answers import answer_figures, answer_of, four_answers, fullest_lines, losers
from allocator.growth.case import ANSWERS
from allocator.growth.demand import Growth
from allocator.read import read_portfolio
from models.evaluate import evaluate
from tests.allocator.growth.cases import case_of, one_line, two_sites
from tests.brute_force import brute_force


def answers(case, multiplier):
    return {a.name: a for a in four_answers(case.situation(Growth(multiplier)))}


def test_a_line_half_full_holds_doubled_demand_as_it_stands():
    found = answers(case_of(one_line()), 2.0)
    assert list(found) == list(ANSWERS)
    assert found["stretched"].plan["on_time_share"] == 1.0
    assert {a.plan["objective"] for a in found.values()} == {800.0}
    assert found["stretched"].plan["gap"] == 0.0


def test_expansion_and_surge_serve_what_the_line_does_not():
    found = answers(case_of(one_line()), 3.0)
    for name in ANSWERS[:3]:
        assert found[name].plan["on_time_share"] == pytest.approx(2 / 3)
    expanded = found["expanded"].plan
    assert expanded["cost_lines"]["expansions"] == 10.0
    assert expanded["on_time_share"] == pytest.approx((2 / 3 + 3) / 4)
    surged = answers(case_of(one_line(surge=0.5)), 3.0)["expanded"]
    assert surged.plan["on_time_share"] == 1.0
    assert surged.plan["lines"][0]["days"]["2027Q1"]["offered"] == 150.0


def test_a_new_source_serves_only_after_its_whole_chain():
    case = case_of(two_sites())
    assert case.result.objective == 400.0
    found = answers(case, 2.0)
    assert found["rescheduled"].plan["on_time_share"] == pytest.approx(0.5)
    new = found["requalified"].plan
    assert new["on_time_share"] == pytest.approx(0.75)  # two of four quarters in full
    assert {s["line_id"] for s in new["programs"][0]["sources"]} == {"LJ", "LK"}
    assert {s["ready_period"] for s in new["programs"][0]["sources"]} == {"2027Q1", "2027Q3"}


def test_losers_and_fullest_lines():
    case = case_of(one_line())
    today = answer_of("today", case.compiled, case.result, case)
    found = answers(case, 3.0)
    lost = losers(found["stretched"], today)
    assert [row["program_id"] for row in lost] == ["A", "B"]
    assert lost[0]["months_short_today"] == 0.0
    assert lost[0]["months_short"] == pytest.approx(4.0)  # a third of twelve months
    assert lost[0]["on_time_share"] == pytest.approx(2 / 3)
    full = fullest_lines(found["stretched"])
    assert full[0]["utilisation"] == 1.0
    assert full[0]["line_id"] == "L"
    assert losers(today, today) == []
    figures = answer_figures(found["expanded"], today)
    assert figures["expanded"] == ["L"]
    assert figures["unsourced"] == []


@pytest.mark.parametrize("multiplier", [0.5, 1.3, 2.0, 3.0])
def test_no_later_answer_costs_more_and_plans_keep_every_rule(multiplier):
    case = case_of(read_portfolio("instances/tiny"), gap=0.01)
    found = list(four_answers(case.situation(Growth(multiplier))))
    costs = [answer.plan["objective"] for answer in found]
    assert costs == sorted(costs, reverse=True)
    bounds = [answer.plan["bound"] for answer in found[1:]]
    assert bounds == sorted(bounds, reverse=True)
    for answer in found:
        value = evaluate(answer.compiled.problem, answer.decision)
        assert value.broken == ()
        assert value.objective == pytest.approx(answer.plan["objective"])
        assert answer.plan["bound"] <= answer.plan["objective"] * (1 + 1e-9)


def test_answers_equal_brute_force_on_tiny():
    case = case_of(read_portfolio("instances/tiny"))
    situation = case.situation(Growth(1.4))
    found = {a.name: a for a in four_answers(situation)}
    for name in ANSWERS[1:]:
        least, _ = brute_force(situation.room(name).problem)
        assert found[name].plan["objective"] == pytest.approx(least)


def test_answers_up_to_the_third_expand_nothing_new():
    case = case_of(read_portfolio("instances/tiny"))
    for answer in four_answers(case.situation(Growth(2.0)))[:3]:
        assert not np.any(answer.decision.expanded & ~case.decision.expanded)


def test_the_last_two_answers_are_solved_at_once_where_there_are_threads(monkeypatch):
    case = case_of(read_portfolio("instances/tiny"))
    case = replace(case, solving=replace(case.solving, threads=2, until=time.monotonic() + 60.0))
    asked = []

    def seen(solving, questions):
        asked.append(tuple(questions))
        return abreast.solve_abreast(solving, questions)

    monkeypatch.setattr("allocator.growth.answers.solve_abreast", seen)
    alone = answers(case, 1.4)
    assert asked == []  # too small
    monkeypatch.setattr(abreast, "SMALL", 0)
    found = answers(case, 1.4)
    assert asked == [("requalified", "expanded")]
    for name in ANSWERS:
        assert found[name].plan["objective"] == pytest.approx(alone[name].plan["objective"])
    costs = [answer.plan["objective"] for answer in found.values()]
    assert costs == sorted(costs, reverse=True)


def test_a_cheaper_plan_of_an_answer_that_allows_less_is_taken_over(monkeypatch):
    case = case_of(two_sites())
    case = replace(case, solving=replace(case.solving, threads=2))
    real = abreast.solve_abreast

    def careless(solving, questions):
        found = real(solving, questions)
        start = questions["expanded"][1]
        value = evaluate(questions["expanded"][0], start).objective
        found["expanded"] = replace(found["expanded"], decision=start, objective=value)
        return found

    monkeypatch.setattr(abreast, "SMALL", 0)
    monkeypatch.setattr("allocator.growth.answers.solve_abreast", careless)
    found = answers(case, 2.0)
    assert found["requalified"].plan["objective"] < found["rescheduled"].plan["objective"]
    assert found["expanded"].plan["objective"] <= found["requalified"].plan["objective"]


def test_a_stop_before_they_begin_leaves_their_start(monkeypatch):
    case = case_of(read_portfolio("instances/tiny"))
    case = replace(case, solving=replace(case.solving, threads=2, stop=lambda: True))
    monkeypatch.setattr(abreast, "SMALL", 0)
    found = answers(case, 1.4)
    costs = [answer.plan["objective"] for answer in found.values()]
    assert costs == sorted(costs, reverse=True)
