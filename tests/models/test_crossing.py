"""Plans that differ in parts: which these are, and that each can be taken over by itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.evaluate import evaluate
from models.patterns.crossing import differences, take_over, within_limits
from models.patterns.plan import FOLLOWS, decision_of, empty_state, settle
from models.problem import Rule
from tests.factory import random_problem
from tests.models.test_patterns_moves import improver_of

SEEDS = (3, 8, 12)


def copy_of(improver, plan):
    copied = empty_state(improver.ground)
    settle(improver.ground, copied, plan)
    return copied


def in_three(problem):
    """The problem with programs and CMOs in three sets that have nothing to do with each other."""
    options, cmo = problem.options, np.append(problem.offer_cmo[problem.streams.offer], -1)
    own = options.program % 3
    other = [
        (cmo[stream] >= 0) & (cmo[stream] % 3 != own) for stream in (options.first, options.second)
    ]
    banned = np.flatnonzero(other[0] | other[1])
    return replace(problem, rules=(*problem.rules, Rule("forbid", "sets", banned=banned)))


def two_plans(seed, **features):
    """An improver with its best plan, and the one at which it began."""
    problem = random_problem(seed, programs=15, cmos=9, periods=6, utilisation=1.2, **features)
    improver = improver_of(in_three(problem))
    early = copy_of(improver, improver.best)
    for _ in range(4):
        improver.run()
    return improver, copy_of(improver, improver.best), early


def lines_of(improver, plan, programs):
    rows = plan.offer[programs]
    return set(improver.ground.offer["line"][rows[rows >= 0]].tolist())


@pytest.mark.parametrize("seed", SEEDS)
def test_parts_share_no_line_and_hold_every_difference(seed):
    improver, best, early = two_plans(seed)
    parts = differences(improver.ground, best, early)
    programs = np.concatenate([programs for programs, _ in parts])
    lines = np.concatenate([lines for _, lines in parts])
    differ = (best.option != early.option) | (best.batches != early.batches).any((1, 2))
    assert sorted(programs.tolist()) == np.flatnonzero(differ).tolist()
    assert len(set(lines.tolist())) == len(lines)
    assert set(np.flatnonzero(best.grown != early.grown)) <= set(lines.tolist())
    for mine, used in parts:
        for plan in (best, early):
            assert lines_of(improver, plan, mine) <= set(used.tolist())
    assert len(parts) > 1
    assert differences(improver.ground, best, best) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_part_taken_over_is_a_plan_and_all_of_them_are_the_other_plan(seed):
    improver, best, early = two_plans(seed)
    problem, ground = improver.lagrangian.book.problem, improver.ground
    crossed = copy_of(improver, best)
    for part in differences(ground, best, early):
        take_over(crossed, early, part)
        settle(ground, crossed, crossed)
        value = evaluate(problem, decision_of(ground, improver.rows, crossed))
        assert not value.broken
        assert crossed.total[0] == pytest.approx(value.objective)
    for name in ("option", "offer", "batches", "grown", *FOLLOWS):
        if name not in ("first", "after", "before"):
            assert getattr(crossed, name) == pytest.approx(getattr(early, name))


@pytest.mark.parametrize("seed", SEEDS)
def test_what_two_plans_do_best_comes_together(seed):
    improver, best, early = two_plans(seed)
    ground, top = improver.ground, improver.top
    worse = []
    for part in differences(ground, best, early):
        plan = copy_of(improver, best)
        take_over(plan, early, part)
        settle(ground, plan, plan)
        if plan.total[0] > top + 1.0:
            worse.append(plan)
    one, two = worse[:2]
    settle(ground, improver.best, one)
    improver.top = one.total[0]
    improver._cross([two])
    assert improver.top == pytest.approx(top)
    decision = decision_of(ground, improver.rows, improver.best)
    assert evaluate(improver.lagrangian.book.problem, decision).objective == pytest.approx(top)


def test_limits_on_cmos_and_on_programs_are_seen():
    improver, best, _ = two_plans(12, rules=True)
    ground = improver.ground
    assert within_limits(ground, best)
    for limit, count in (
        (ground.engaged_limit[0], best.engaged_count),
        (ground.group_limit, best.group_count),
    ):
        assert count.size
        kept = limit.copy()
        limit[:] = count - 1
        assert not within_limits(ground, best)
        limit[:] = kept
