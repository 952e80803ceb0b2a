"""Scenarios on one axis of demand, and from which demand on a reservation pays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocator.growth.breakeven import break_even, days_per_unit, relative_demand
from allocator.growth.demand import Growth
from models.result import Decision
from tests.allocator.growth.cases import case_of, one_line


def test_break_even_lies_on_the_line_between_scenarios():
    assert break_even([1.0, 2.0], np.array([-10.0, 30.0])) == pytest.approx(1.25)
    assert break_even([2.0, 1.0], np.array([30.0, -10.0])) == pytest.approx(1.25)
    assert break_even([1.0, 2.0], np.array([1.0, 2.0])) == 1.0
    assert break_even([1.0, 2.0], np.array([-1.0, -2.0])) is None
    assert break_even([1.0, 2.0, 3.0], np.array([5.0, 2.0, -1.0])) is None
    assert break_even([1.0, 1.5, 2.0], np.array([5.0, -5.0, 5.0])) == pytest.approx(1.75)


def test_of_scenarios_with_as_much_demand_the_least_saving_counts():
    assert break_even([1.0, 1.0, 2.0], np.array([-5.0, -10.0, 30.0])) == pytest.approx(1.25)
    assert break_even([1.0, 2.0, 2.0 + 1e-12], np.array([-10.0, 40.0, 30.0])) == pytest.approx(1.25)


def test_demand_alone_does_not_decide_where_as_much_pays_and_does_not():
    assert break_even([1.0, 1.0, 1.5], np.array([-4.0, 788.0, 590.0])) is None
    assert break_even([1.0, 1.5, 1.5], np.array([-4.0, 788.0, -1.0])) is None


def test_what_rounding_leaves_is_no_loss():
    assert break_even([1.0, 2.0], np.array([-1e-9, 2.0])) == 1.0


def test_demand_is_weighed_by_its_line_days():
    """A batch of A takes twice the days of one of B, so A asks for two thirds of the days."""
    tables = one_line()
    slow = {k: replace(o, days_per_batch=10.0 if o.program_id == "A" else 5.0)
            for k, o in tables.offers.items()}  # fmt: skip
    case = case_of(replace(tables, offers=slow))
    problem = case.compiled.problem
    assert days_per_unit(problem, case.decision).tolist() == [1.0, 0.5]
    idle = Decision(problem.options.start[:-1], {}, case.decision.expanded)
    assert days_per_unit(problem, idle).tolist() == [1.0, 0.5]
    growths = [
        Growth(1.5),
        Growth(1.0, {"A": 3.0}),
        Growth(1.0, {"B": 3.0}),
        Growth(3.0, since="2027Q3"),
    ]
    demands = [case.situation(growth).problem.programs.demand for growth in growths]
    found = relative_demand(problem, case.decision, demands)
    assert found == pytest.approx([1.5, 1 + 4 / 3, 1 + 2 / 3, 2.0])
    none = replace(problem, programs=replace(problem.programs, demand=0 * demands[0]))
    assert relative_demand(none, case.decision, demands) is None
