"""Schedules that answer to a contract."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from allocator.growth.case import Case
from allocator.growth.settings import KINDS
from allocator.growth.shift import Signed, shifted, signed_schedules
from allocator.growth.terms import agreements
from models.evaluate import evaluate
from models.problem import Rule
from models.result import Decision
from tests.allocator.growth.cases import case_of, one_line

A = 0  # the row of A's only offer


def lumpy(holding: float) -> Case:
    """A alone, 100 units in each second quarter; a batch of 10 takes 5 days and costs 10."""
    tables = one_line()
    program = replace(
        tables.programs["A"],
        demand=(0.0, 100.0, 0.0, 100.0),
        holding_cost_per_unit_month=holding,
    )
    offers = {k: o for k, o in tables.offers.items() if o.program_id == "A"}
    return case_of(replace(tables, programs={"A": program}, offers=offers))


def plan(case: Case, *batches: int) -> Decision:
    return replace(case.decision, batches={A: np.array(batches)})


def under(case: Case, start: Decision, reserved: float, **room: float) -> dict[str, Signed]:
    """Each kind of contract for so many days in every period, from a schedule on."""
    problem = case.compiled.problem
    held = np.full((1, 4), reserved)
    days = np.full((1, 4), room.get("days", 100.0))
    kinds = agreements(case.portfolio, problem, case.decision, held, "")
    _, signed = signed_schedules(problem, start, days, kinds, time.monotonic() + 60.0)
    return dict(zip(KINDS, signed, strict=True))


def test_a_tie_between_schedules_is_broken_for_each_contract():
    """Twenty batches, 100 days in all at 2 a day; 30 days reserved in each quarter, 24 owed."""
    found = under(lumpy(0.0), plan(lumpy(0.0), 10, 0, 10, 0), 30.0)
    assert found["take_or_pay"].cost == pytest.approx(200.0)
    # 100 of the 120 reserved days are used: 96 are owed, and 24 in each quarter can be used
    assert found["min_spend"].owed.sum() == 0.0
    assert found["take_or_pay"].owed.sum() == 0.0
    # cancelled at 1, 0.6, 0.1, 0.1 of the price: the idle days come last
    assert found["cancellation"].owed.sum() == pytest.approx(0.1 * 20 * 2)


def test_batches_move_only_where_that_saves_more_than_it_costs():
    """50 days reserved in each quarter, 40 owed; just in time 50 are used in each second one."""
    cheap, dear = lumpy(0.01), lumpy(1.0)
    start = (0, 10, 0, 10)
    found = under(cheap, plan(cheap, *start), 50.0)["take_or_pay"]
    # two of each ten batches come a quarter earlier: 2 * 2 * 10 less is owed, 40 units are held
    assert found.owed.sum() == pytest.approx(2 * 80 - 40)
    assert found.cost == pytest.approx(200 + 40 * 3 * 0.01)
    found = under(dear, plan(dear, *start), 50.0)["take_or_pay"]
    assert found.owed.sum() == pytest.approx(2 * 80)
    assert found.cost == pytest.approx(200.0)


def test_moves_stay_within_the_days_to_be_had():
    case = lumpy(0.0)
    found = under(case, plan(case, 10, 0, 10, 0), 30.0, days=50.0)
    assert found["take_or_pay"].owed.sum() == 0.0
    problem = case.compiled.problem
    tight = np.array([[50.0, 0.0, 50.0, 0.0]])
    kinds = agreements(case.portfolio, problem, case.decision, np.full((1, 4), 30.0), "")
    end = time.monotonic() + 60.0
    value = shifted(problem, plan(case, 10, 0, 10, 0), tight, kinds[0], end)
    assert value.used_days.tolist() == tight.tolist()


def test_a_move_that_breaks_a_rule_is_not_made():
    """Less would be owed with batches in the first quarter, which the budget forbids."""
    case = lumpy(0.0)
    problem = replace(case.compiled.problem, rules=(Rule("budget", "tight", 5.0, periods=(0,)),))
    kinds = agreements(case.portfolio, problem, case.decision, np.full((1, 4), 50.0), "")
    start, days = plan(case, 0, 10, 0, 10), np.full((1, 4), 100.0)
    found = shifted(problem, start, days, kinds[0], time.monotonic() + 60.0)
    assert not found.broken
    assert found.cash_by_period[0] == 0.0
    free = shifted(case.compiled.problem, start, days, kinds[0], time.monotonic() + 60.0)
    assert free.cash_by_period[0] > 0.0


def test_a_minimum_over_the_year_never_owes_more_than_one_in_each_period():
    case = lumpy(0.3)
    for reserved in (30.0, 45.0, 60.0):
        found = under(case, plan(case, 0, 10, 0, 10), reserved)
        assert found["min_spend"].total <= found["take_or_pay"].total + 1e-9


def test_without_time_the_schedule_stands():
    case = lumpy(0.0)
    start = plan(case, 10, 0, 10, 0)
    problem = case.compiled.problem
    kinds = agreements(case.portfolio, problem, case.decision, np.full((1, 4), 30.0), "")
    value, signed = signed_schedules(problem, start, np.full((1, 4), 100.0), kinds, 0.0)
    assert value.objective == evaluate(problem, start).objective
    assert signed[0].owed.sum() == pytest.approx(2 * 0.8 * 60)
