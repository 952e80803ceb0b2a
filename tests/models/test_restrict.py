"""Problems derived from problems: what falls away, what stays, and the way back."""

from __future__ import annotations

import numpy as np
import pytest

from models.evaluate import evaluate
from models.problem import Rule
from models.restrict import (
    keep_options,
    same_sources,
    service_problem,
    source_keys,
    with_days,
    with_expansions,
)
from models.result import Decision
from models.solve import Settings, solve
from tests.factory import random_problem
from tests.models.small import small

EXACT = Settings(gap=0.0, threads=1)


def two_sources(**changes):
    return small(
        programs=[{}, {"demand": (5.0, 5.0)}],
        cmos=[{}, {}],
        lines=[{"cmo": 0}, {"cmo": 1}],
        offers=[
            {"program": 0, "line": 0},
            {"program": 0, "line": 0, "good": 20.0, "price": 90.0},
            {"program": 0, "line": 1, "price": 40.0},
            {"program": 1, "line": 1, "good": 5.0},
        ],
        sourcing="free",
        splits=(0.5, 0.7),
        **changes,
    )


def test_a_restricted_problem_has_only_what_its_options_use():
    problem = two_sources()
    options = problem.options
    first = problem.streams.offer[options.first]
    keep = (options.second < 0) & (options.first >= 0) & (first != 1)
    restricted = keep_options(problem, keep, "mine")
    assert restricted.problem.offers.ids == ("F0", "F2", "F3")
    assert restricted.problem.options.program.tolist() == [0, 0, 0, 1, 1]
    assert restricted.problem.options.start.tolist() == [0, 3, 5]
    assert [rule.label for rule in restricted.problem.rules] == ["mine"]
    assert restricted.problem.rules[0].banned.tolist() == [0, 3]
    assert restricted.problem.programs is problem.programs


def test_unsourced_stays_allowed_where_it_is_kept():
    problem = two_sources()
    restricted = keep_options(problem, np.ones(len(problem.options.program), np.bool_))
    assert restricted.problem.rules == ()
    assert np.array_equal(restricted.options, np.arange(len(problem.options.program)))


@pytest.mark.parametrize("seed", range(4))
def test_decisions_are_worth_the_same_there_and_back(seed):
    problem = random_problem(seed, programs=4, cmos=3, periods=5, rules=seed % 2 == 1)
    best = solve(problem, "highs", Settings(gap=0.05, threads=1)).decision
    assert best is not None
    restricted = keep_options(problem, same_sources(problem, best.option))
    there = restricted.lower(best)
    assert there is not None
    before, after = evaluate(problem, best), evaluate(restricted.problem, there)
    assert after.objective == pytest.approx(before.objective)
    assert after.broken == ()
    back = restricted.lift(there)
    assert np.array_equal(back.option, best.option)
    assert evaluate(problem, back).objective == pytest.approx(before.objective)
    result = solve(restricted.problem, "highs", Settings(gap=0.01, threads=1), there)
    assert result.objective is not None
    assert result.objective <= before.objective * (1 + 1e-9)
    lifted = evaluate(problem, restricted.lift(result.decision))
    assert lifted.objective == pytest.approx(result.objective)
    assert lifted.broken == ()


def test_a_decision_that_uses_what_fell_away_has_no_place():
    problem = two_sources()
    keep = problem.options.first < 0
    restricted = keep_options(problem, keep)
    chosen = problem.options.start[:-1] + 1
    assert restricted.lower(Decision(chosen, {}, np.zeros(2, np.bool_))) is None
    last = problem.options.start[1:] - 1
    assert restricted.lower(Decision(last, {}, np.zeros(2, np.bool_))) is None


def test_the_same_sources_have_any_share_role_and_batch_size():
    problem = two_sources()
    keys = source_keys(problem)
    dual = next(row for row, key in enumerate(keys) if len(key) == 2)
    option = np.array([dual, int(problem.options.start[1]) + 1])
    kept = np.flatnonzero(same_sources(problem, option))
    mine = [row for row in kept if problem.options.program[row] == 0]
    assert len(mine) == 2 * 3  # two batch sizes on the one line, 0.5 once and 0.7 in both orders
    assert all(keys[row] == frozenset({(0, 0), (0, 1)}) for row in mine)
    assert [row for row in kept if problem.options.program[row] == 1] == [option[1]]


def test_a_batch_size_that_needs_a_transfer_is_another_source():
    problem = small(offers=[{}, {"good": 20.0, "qualified": False}])
    kept = np.flatnonzero(same_sources(problem, np.array([1])))
    assert kept.tolist() == [1]


def test_rules_keep_their_options():
    rule = Rule("forbid", "not F2", banned=np.array([3]))
    problem = two_sources(rules=[rule])
    keep = np.ones(len(problem.options.program), np.bool_)
    keep[1] = False
    restricted = keep_options(problem, keep)
    assert restricted.problem.rules[0].banned.tolist() == [2]
    assert restricted.options[2] == 3


def test_days_and_expansions():
    problem = two_sources()
    assert with_days(problem, problem.lines.days * 2).lines.days[0, 0] == 200.0
    lines = small(lines=[{"expansion_days": 5.0}], cmos=[{}])
    assert with_expansions(lines, np.array([False])).lines.expansion_days.tolist() == [0.0]
    assert with_expansions(lines, np.array([True])).lines.expansion_days.tolist() == [5.0]


def test_the_service_problem_costs_what_goes_unmet_and_nothing_else():
    problem = small(
        programs=[{"demand": (30.0, 30.0), "holding": 1.0, "safety": 3.0, "safety_periods": 1.0}],
        cmos=[{"onboarding": 7.0, "fees": 5.0, "floor": 1000.0, "tiers": ((10.0, 0.1),)}],
        lines=[{"days": 10.0, "changeover_cost": 9.0}],
        offers=[{"transfer": 11.0, "validation": 13.0}],
        rules=[Rule("budget", "tight", 1.0, periods=(0, 1)), Rule("max_cmos", "one", 1, cmos=(0,))],
    )
    service = service_problem(problem)
    assert [rule.name for rule in service.rules] == ["max_cmos"]
    result = solve(service, "highs", EXACT)
    assert result.objective == pytest.approx(2 * 10.0 * 100.0)  # two batches of 10 for 30
    assert evaluate(service, result.decision).cash_cost == 0.0
