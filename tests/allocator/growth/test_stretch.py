"""Today's schedule stretched: the rule, and what limits it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocator.growth.demand import Growth
from allocator.growth.stretch import stretched
from models.evaluate import evaluate
from models.problem import Rule
from models.result import Decision
from tests.allocator.growth.cases import case_of, one_line
from tests.factory import random_problem
from tests.models.small import small

NONE = np.zeros(1, np.bool_)


def plan(problem, *batches):
    return Decision(
        problem.options.start[:-1] + 1,
        {f: np.array(n, np.int64) for f, n in enumerate(batches)},
        NONE,
    )


def two_programs(days, **changes):
    return small(
        programs=[{"demand": (20.0, 20.0)}, {"demand": (10.0, 10.0)}],
        lines=[{"days": days, **changes}],
        offers=[{}, {"program": 1}],
    )


def test_every_source_grows_with_its_program_where_days_hold():
    problem = two_programs(100.0)
    today = plan(problem, (1, 1), (1, 0))
    more = stretched(problem, today, np.array([[2.0, 2.0], [1.0, 1.0]]))
    assert more.batches[0].tolist() == [2, 2]
    assert more.batches[1].tolist() == [1, 0]


def test_rounding_up_does_not_add_up():
    problem = small(programs=[{"demand": (30.0,) * 4}], lines=[{"days": 100.0}], offers=[{}])
    more = stretched(problem, plan(problem, (2, 2, 2, 2)), np.full((1, 4), 1.25))
    assert more.batches[0].tolist() == [3, 2, 3, 2]


def test_scarce_days_go_to_the_source_furthest_behind():
    problem = two_programs(17.0)  # three batches of five days
    today = plan(problem, (1, 1), (1, 1))
    more = stretched(problem, today, np.full((2, 2), 2.0))
    assert more.batches[0].tolist() == [2, 2]  # level, so the first by id
    assert more.batches[1].tolist() == [1, 1]
    more = stretched(problem, today, np.array([[2.0, 2.0], [3.0, 3.0]]))
    assert more.batches[0].tolist() == [1, 1]
    assert more.batches[1].tolist() == [2, 2]


def test_nothing_moves_to_a_period_without_a_campaign():
    problem = two_programs(100.0)
    more = stretched(problem, plan(problem, (2, 0), (0, 1)), np.full((2, 2), 2.0))
    assert more.batches[0].tolist() == [4, 0]
    assert more.batches[1].tolist() == [0, 2]


def test_shrunken_demand_shrinks_the_schedule():
    problem = two_programs(100.0)
    more = stretched(problem, plan(problem, (2, 2), (1, 1)), np.full((2, 2), 0.5))
    assert more.batches[0].tolist() == [1, 1]


def test_growth_is_taken_back_where_a_rule_on_money_breaks():
    problem = small(
        programs=[{"demand": (100.0, 100.0)}],
        lines=[{"days": 100.0}],
        rules=[Rule("budget", "tight", 50.0 * 14, periods=(0, 1))],
    )
    more = stretched(problem, plan(problem, (5, 5)), np.full((1, 2), 2.0))
    assert sum(more.batches[0]) == 14
    assert evaluate(problem, more).broken == ()


@pytest.mark.parametrize("seed", range(6))
def test_a_stretched_plan_breaks_no_rule(seed):
    from models.solve import Settings, solve

    problem = random_problem(seed, programs=4, cmos=3, periods=5, rules=seed % 2 == 0)
    today = solve(problem, "highs", Settings(gap=0.1, threads=1)).decision
    factor = np.random.default_rng(seed).uniform(1.0, 3.0, problem.programs.demand.shape)
    programs = replace(problem.programs, demand=problem.programs.demand * factor)
    larger = replace(problem, programs=programs)
    more = stretched(larger, today, factor)
    value = evaluate(larger, more)
    assert value.broken == ()
    assert np.array_equal(more.option, today.option)
    assert value.shortage <= evaluate(larger, today).shortage + 1e-6


def test_growth_of_tables_reaches_the_batches():
    case = case_of(one_line())
    now = case.situation(Growth(2.0))
    more = stretched(now.problem, case.decision, now.factors)
    assert [n.tolist() for n in more.batches.values()] == [[10] * 4, [10] * 4]
