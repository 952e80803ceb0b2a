"""A minimal set of award rules that cannot all hold, by label."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.conflict import find_conflict
from models.problem import Problem, Rule
from models.solve import Settings, solve
from tests.factory import random_problem
from tests.models.small import small

#: P0 can be made at K0 alone, P1 at both.
PAIR = {
    "programs": [{}, {}],
    "cmos": [{}, {}],
    "lines": [{}, {"cmo": 1}],
    "offers": [{}, {"program": 1}, {"program": 1, "line": 1, "price": 80}],
}
EVERYTHING = np.array([0, 2])  # the unsourced options
LOOSE = [Rule("max_cmos", f"loose {i}", 2, cmos=(0, 1)) for i in range(5)]
FORCE = Rule("force", "make both", banned=EVERYTHING)
APART = Rule("not_together", "apart", programs=(0, 1))
ONE = Rule("max_cmos", "one CMO", 1, cmos=(0, 1))
CHEAP = Rule("budget", "cheap", 40, periods=(0, 1))


def problem_with(*rules: Rule) -> Problem:
    return small(**PAIR, rules=rules)


def test_three_rules_that_clash_only_together_are_named_and_no_other() -> None:
    problem = problem_with(*LOOSE[:2], ONE, LOOSE[2], FORCE, *LOOSE[3:], APART)
    assert find_conflict(problem) == ("one CMO", "make both", "apart")


@pytest.mark.parametrize("left_out", [ONE, FORCE, APART])
def test_without_any_one_of_them_the_rest_can_hold(left_out: Rule) -> None:
    rules = [rule for rule in (ONE, FORCE, APART) if rule is not left_out]
    assert find_conflict(problem_with(*rules)) == ()


def test_of_two_conflicts_one_is_named() -> None:
    impossible = Rule("min_cmos", "three CMOs", 3, cmos=(0, 1))
    found = find_conflict(problem_with(ONE, FORCE, impossible, APART))
    assert found in (("three CMOs",), ("one CMO", "make both", "apart"))


def test_a_cmos_own_limit_has_a_label_too() -> None:
    problem = problem_with(FORCE, Rule("forbid", "not at K1", banned=np.array([4])))
    problem = replace(problem, cmos=replace(problem.cmos, max_programs=np.array([1, -1])))
    assert find_conflict(problem) == ("make both", "not at K1", "max_programs[K0]")


def test_a_budget_below_what_must_be_spent() -> None:
    problem = small(
        offers=[{"transfer": 60, "qualified": False}],
        rules=[CHEAP, Rule("force", "make it", banned=np.array([0]))],
    )
    assert find_conflict(problem) == ("cheap", "make it")


def test_lines_without_room_make_a_single_rule_impossible() -> None:
    problem = small(
        lines=[{"days": 2}],
        offers=[{"validation_days": 3, "qualified": False}],
        rules=[*LOOSE[:1], Rule("force", "make it", banned=np.array([0]))],
    )
    assert find_conflict(problem) == ("make it",)


def test_no_rules_no_conflict() -> None:
    assert find_conflict(small()) == ()


def test_a_stopped_search_names_nothing() -> None:
    problem = problem_with(ONE, FORCE, APART)
    assert find_conflict(problem, Settings(stop=lambda: True)) == ()


def test_every_solver_names_the_conflict(solver: str) -> None:
    result = solve(problem_with(ONE, *LOOSE, FORCE, APART), solver, Settings())
    assert result.status == "infeasible"
    assert result.conflict == ("one CMO", "make both", "apart")
    assert (result.decision, result.objective, result.bound, result.limit) == (None,) * 4


def test_conflicts_are_minimal_on_random_problems() -> None:
    """Each rule of a conflict is needed: without it the others can hold."""
    for seed in (0, 1, 9):
        problem = random_problem(seed, sourcing="dual", rules=True)
        names = find_conflict(problem)
        assert names
        for name in names:
            rest = tuple(r for r in problem.rules if r.label in names and r.label != name)
            assert find_conflict(replace(problem, rules=rest)) == ()
