"""The curve of service: of which kind each point is, one of a kind, and even for every answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from allocator.growth.answers import four_answers
from allocator.growth.case import ANSWERS
from allocator.growth.curve import GRID, best_service, curve_of, merged
from allocator.growth.demand import Growth
from allocator.growth.service import Probe
from tests.allocator.growth.cases import case_of, one_line


def points(curve, answer, plan):
    return {
        row["multiplier"]: row["on_time_share"]
        for row in curve
        if (row["answer"], row["plan"]) == (answer, plan)
    }


def test_every_answer_has_even_points_and_its_own_as_a_cost_plan():
    """The line holds twice today's demand: a share of 2/m is on time above it."""
    case = case_of(one_line())
    answers = four_answers(case.situation(Growth(2.5)))
    probe = Probe(2.5, 0.5, 0.9, None, None)
    curve = curve_of(case, Growth(2.5), answers, probes={"rescheduled": [probe, probe]})
    keys = [(row["answer"], row["plan"], row["multiplier"]) for row in curve]
    assert len(set(keys)) == len(keys)
    assert [key[0] for key in keys] == sorted((key[0] for key in keys), key=ANSWERS.index)
    for answer in ANSWERS[1:3]:
        served = points(curve, answer, "service")
        assert list(served) == list(GRID)
        assert served[2.0] == pytest.approx(1.0)
        assert served[3.0] == pytest.approx(2.0 / 3.0, abs=1e-3)
        assert list(points(curve, answer, "cost")) == [2.5]
    assert set(points(curve, "stretched", "schedule")) == {10 / 10 + k / 10 for k in range(21)}
    grown = replace(Growth(1.0), programs={"A": 2.0})
    assert not points(curve_of(case, grown, answers, seconds=0.0), "rescheduled", "cost")


def test_without_time_a_point_is_what_known_plans_attain():
    case = case_of(one_line())
    answer = four_answers(case.situation(Growth(2.0)))[1]
    probe = best_service(case, "rescheduled", Growth(2.0), [answer.decision], 0.0)
    assert probe.on_time == pytest.approx(1.0)
    assert probe.survives
    assert best_service(case, "rescheduled", Growth(3.0), [], 10.0).survives is False


def test_points_of_one_multiplier_say_all_that_is_known():
    row = {"answer": "expanded", "plan": "service", "multiplier": 2.0, "survives": None}
    one = row | {"on_time_share": 0.9, "on_time_limit": None}
    other = row | {"on_time_share": None, "on_time_limit": 0.95, "survives": False}
    other["multiplier"] = 2.0 + 1e-12
    (point,) = merged([one, other])
    assert (point["on_time_share"], point["on_time_limit"], point["survives"]) == (0.9, 0.95, False)
    assert len(merged([one, other | {"plan": "cost"}])) == 2
