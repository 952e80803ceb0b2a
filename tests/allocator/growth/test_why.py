"""Why plans run short: a sentence for each line to blame, whatever the plan was before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import allocator
from allocator.growth.bisect import Bracket
from allocator.growth.bottleneck import full_lines, shorts, unmet_shares
from allocator.growth.breakpoints import _why, breakpoints
from allocator.growth.case import ANSWERS
from allocator.growth.demand import Growth
from allocator.growth.service import Probe
from allocator.growth.why import explain
from allocator.history import ingest
from models.result import Decision
from tests.allocator.growth.cases import case_of, one_line
from tests.allocator.history.test_scms import DATA, MAP, needs_data
from tests.models.small import small


def two_on_one_line(days=(10.0, 10.0)):
    """A and B need a batch of five days each in both periods, and the plan makes those of A."""
    problem = small(
        programs=[{"demand": (10.0, 10.0)}, {"demand": (10.0, 10.0), "shortage": 50.0}],
        lines=[{"days": 100.0}],
        offers=[{"days": 5.0}, {"days": 5.0, "program": 1}],
    )
    lines = replace(problem.lines, days=np.array([days]))
    problem = replace(problem, lines=lines)
    batches = {0: np.array([1, 1]), 1: np.array([0, 0])}
    return problem, Decision(np.array([1, 3]), batches, np.zeros(1, np.bool_))


def test_every_full_period_of_a_line_is_one_sentence():
    problem, plan = two_on_one_line(days=(9.0, 9.0))
    (full,) = full_lines(problem, plan, shorts(problem, plan, np.zeros((2, 2))))
    assert full.periods == (0, 1)
    first, (sentence,) = explain(problem, plan, np.zeros((2, 2)))
    assert first["period"] == "2027Q1"
    assert "5 of 9 days are taken (P0 100 %)" in sentence
    assert sentence.endswith("so P1 runs short, and likewise in 1 later period.")


def test_a_line_with_days_left_when_a_batch_is_needed_is_not_to_blame():
    problem, plan = two_on_one_line(days=(9.0, 10.0))
    (full,) = full_lines(problem, plan, shorts(problem, plan, np.zeros((2, 2))))
    assert full.periods == (0,)
    problem, plan = two_on_one_line(days=(10.0, 10.0))
    assert full_lines(problem, plan, shorts(problem, plan, np.zeros((2, 2)))) == []


def test_what_was_short_before_is_explained_where_nothing_is_worse():
    problem, plan = two_on_one_line(days=(9.0, 9.0))
    before = unmet_shares(problem, plan)
    assert explain(problem, plan, before) == explain(problem, plan, np.zeros((2, 2)))
    served = Decision(plan.option, {0: np.ones(2, int), 1: np.ones(2, int)}, plan.expanded)
    assert explain(problem, served, before) == (None, [])


def test_the_dearest_shortage_comes_first_where_asked():
    """Two lines, the cheaper shortage a period sooner."""
    problem = small(
        programs=[{"demand": (10.0, 10.0), "shortage": 1.0}, {"demand": (0.0, 10.0)}],
        lines=[{"days": 4.0}, {"days": 4.0}],
        offers=[{"days": 5.0}, {"days": 5.0, "program": 1, "line": 1}],
    )
    plan = Decision(np.array([1, 3]), {}, np.zeros(2, np.bool_))
    none = np.zeros((2, 2))
    soonest = explain(problem, plan, none)
    dearest = explain(problem, plan, none, worst_first=True)
    assert dearest[0] == soonest[0]
    assert dearest[1] == soonest[1][::-1]


def test_what_breaks_below_todays_demand_is_explained():
    """The line holds four fifths of today's demand, so every answer fails below it."""
    tables = one_line()
    lines = {"L": replace(tables.lines["L"], days=(40.0,) * 4, expansion_days=0.0)}
    found = breakpoints(case_of(replace(tables, lines=lines)), Growth(2.0), 60.0)
    assert [row["answer"] for row in found["portfolio"]] == list(ANSWERS)
    assert all(row["fails"] <= 1.0 for row in found["portfolio"])
    for row in [*found["portfolio"], *found["programs"]]:
        assert row["breaks_first"] is not None, (row["answer"], row["program_id"])
        assert row["why"]


def test_below_todays_demand_all_that_is_short_counts():
    """Four of nine batches are made: both programs are short, whatever today's plan missed."""
    tables = one_line()
    lines = {"L": replace(tables.lines["L"], days=(20.0,) * 4, expansion_days=0.0)}
    dear = replace(tables.programs["A"], delay_cost_per_month=2000.0)
    case = case_of(replace(tables, lines=lines, programs=tables.programs | {"A": dear}))
    before = np.array([[1.0] * 4, [0.0] * 4])
    told = []
    for multiplier in (0.9, 1.1):
        found = Bracket(high=Probe(multiplier, None, 0.5, False, case.decision))
        told.append(" ".join(_why(case, Growth(2.0), "rescheduled", None, found, before)[1]))
    assert "so B, A run short" in told[0]
    assert "so B runs short" in told[1]


@needs_data
def test_the_public_history_doubled_has_a_sentence_for_each_line_that_is_short(tmp_path):
    """The last four quarters: enough lines are full in any plan, however little time it had."""
    ingest(DATA, MAP, tmp_path / "tables", last_periods=4)
    report = allocator.capacity(tmp_path / "tables", demand=2.0, time_limit=4.0)
    for answer, figures in zip(report.answers, report.data["answers"], strict=True):
        problem, plan = answer.compiled.problem, answer.decision
        before = unmet_shares(report.today.compiled.problem, report.today.decision)
        blamed = full_lines(problem, plan, shorts(problem, plan, before))
        assert len(blamed) > 5
        starts = [f"{problem.lines.ids[row.line]} " for row in blamed]
        for start in starts:
            assert sum(text.startswith(start) for text in figures["why"]) == 1
        told = " ".join(figures["why"])
        assert " is full in " in told
        for row in blamed:
            assert problem.period_labels[row.period] in told
        assert figures["breaks_first"]["programs"]
