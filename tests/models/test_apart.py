"""Parts that share no line, joined by which CMOs stay out: bound and plan against the optimum."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.evaluate import evaluate
from models.patterns.apart import Apart, components, sets_out
from models.problem import Rule
from models.restrict import service_problem
from models.solve import Settings, solve
from tests.factory import random_problem
from tests.models.small import small

EXACT = Settings(gap=0.0, threads=1)


def two_parts(limit=1):
    """A and B on lines of their own; K1 has a line for each, K0 one for A, K2 one for B.

    Both may have two sources.
    """
    return small(
        programs=[{"demand": (40.0, 40.0)}, {"demand": (40.0, 40.0), "shortage": 10.0}],
        cmos=[{}] * 3,
        lines=[
            {"cmo": 0, "days": 20.0},
            {"cmo": 1, "days": 10.0},
            {"cmo": 1, "days": 10.0},
            {"cmo": 2, "days": 10.0},
        ],
        offers=[
            {"line": 0},
            {"line": 1},
            {"program": 1, "line": 2},
            {"program": 1, "line": 3},
        ],
        sourcing="free",
        splits=(0.5,),
        rules=[Rule("max_cmos", "few", limit, cmos=(0, 1, 2))],
    )


def searched(problem, plans=False, starts=()):
    apart = Apart(service_problem(problem), EXACT, plans, starts)
    while apart.step():
        pass
    return apart


def test_programs_that_share_lines_through_others_are_one_part():
    offers = [{"line": 0}, {"program": 1, "line": 0}, {"program": 1, "line": 1}]
    offers += [{"program": 2, "line": 1}, {"program": 3, "line": 2}]
    problem = small(programs=[{}] * 4, lines=[{}] * 3, offers=offers)
    assert [part.tolist() for part in components(problem)] == [[0, 1, 2], [3]]
    # the second program may not be made on the second line, so it joins nothing
    options, lines = problem.options, problem.offers.line[problem.streams.offer]
    there = (options.program == 1) & (options.first >= 0) & (lines[options.first] == 1)
    rule = Rule("forbid", "not there", banned=np.flatnonzero(there))
    parts = components(replace(problem, rules=(rule,)))
    assert [part.tolist() for part in parts] == [[0, 1], [2], [3]]


def test_some_of_the_cmos_stay_out_whatever_the_plan(monkeypatch):
    two = Rule("max_cmos", "two", 2, cmos=(0, 1, 2, 3))
    one = Rule("max_cmos", "one", 1, cmos=(2, 3))
    assert sets_out((two,), [0, 1, 2]) == [{0}, {1}, {2}]
    assert sets_out((two,), [0, 1]) == [set()]
    assert sets_out((one, two), [0, 1, 2]) == [{0}, {1}, {2}]
    assert {0, 1} in sets_out((two,), [0, 1, 2, 3])
    assert {2, 3} in sets_out((one, two), [0, 1, 2, 3])
    monkeypatch.setattr("models.patterns.apart.MOST_SETS", 5)
    assert sets_out((two,), [0, 1, 2, 3]) == [{0}, {1}, {2}, {3}]


@pytest.mark.parametrize(("limit", "missing"), [(1, 800.0), (2, 400.0), (3, 0.0)])
def test_parts_add_up_without_the_cmos_that_stay_out(limit, missing):
    """A batch of 10 takes 5 days: K0 makes all of A, K1 half of each, K2 half of B."""
    problem = two_parts(limit)
    assert solve(service_problem(problem), "highs", EXACT).objective == pytest.approx(missing)
    apart = searched(problem, plans=True)
    assert apart.bound == pytest.approx(missing, rel=1e-6, abs=1e-3)
    assert apart.objective == pytest.approx(missing, abs=1e-6)
    value = evaluate(service_problem(problem), apart.plan())
    assert not value.broken
    assert value.objective == pytest.approx(missing, abs=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_no_plan_is_below_the_bound(seed):
    """Random portfolios: proven with every rule, met where only the number of CMOs joins parts."""
    problem = random_problem(seed, programs=4, cmos=4, rules=seed % 2 == 0, utilisation=1.3)
    if seed % 2:
        rule = Rule("max_cmos", "max_cmos", 2, cmos=(0, 1, 2, 3))
        problem = replace(problem, rules=(rule,))
    service = service_problem(problem)
    least = solve(service, "highs", EXACT).objective
    apart = searched(problem, plans=True)
    assert apart.bound <= least * (1 + 1e-6) + 1e-3
    if seed % 2:
        assert apart.bound >= least * (1 - 1e-5) - 1e-3
        assert evaluate(service, apart.plan()).objective <= least * (1 + 1e-5) + 1e-3


def test_the_bound_alone_looks_at_no_plans():
    problem = random_problem(1, programs=4, cmos=4, utilisation=1.3)
    apart = searched(problem)
    assert apart.bound == pytest.approx(searched(problem, plans=True).bound, rel=1e-4)
    assert all(item.turns is None for item in apart.items.values())


def test_a_part_that_a_known_plan_serves_as_well_as_can_be_needs_no_tree():
    problem = random_problem(1, programs=4, cmos=4, utilisation=1.3)
    service = service_problem(problem)
    best = solve(service, "highs", EXACT)
    given = searched(problem, starts=[best.decision])
    assert given.bound == pytest.approx(searched(problem).bound, rel=1e-4)
    settings = replace(EXACT, gap=1e-4)
    apart = Apart(service, settings, False, [best.decision])
    while apart.step():
        pass
    assert apart.bound == pytest.approx(best.objective, rel=2e-4, abs=1e-3)
    assert all(item.turns is None for item in apart.items.values())
    out = min(apart.outs, key=apart.total)
    for key in apart.keys(out):
        item = apart.items[key]
        assert item.done
        assert item.objective <= item.bound * (1 + 2e-4) + 1e-3


def test_work_goes_where_a_bound_lacks_most_to_a_plan():
    """Two searches that gained nothing lately: the one that is nearly met has less to hope for."""
    problem = two_parts(3)
    best = solve(service_problem(problem), "highs", EXACT).decision
    apart = Apart(service_problem(problem), EXACT, False, [best])
    item = apart.item(apart.keys(frozenset())[0])
    item.history = [(0.0, 0.0), (1.0, 0.0), (2.0, 0.0)]
    item.bound, item.watch.objective = 0.0, 1000.0
    far = item.pace(1000.0)
    item.bound = 999.0
    near = item.pace(1000.0)
    assert near < far
    item.bound, item.watch.objective, item.given = 0.0, None, False
    assert item.pace(1000.0) == far  # no plan: as if it lacked much


def test_a_plan_to_start_from_counts_for_the_parts_that_keep_its_cmos():
    problem = two_parts(3)
    best = solve(service_problem(problem), "highs", EXACT).decision
    apart = Apart(service_problem(problem), EXACT, True, [best])
    for key in apart.keys(frozenset()):
        assert apart.item(key).watch.objective == 0.0
    assert apart.objective == 0.0
    other = apart.item(apart.keys(frozenset({0}))[0])
    assert other.watch.objective is None


def test_where_a_part_needs_what_stays_out_there_is_no_plan():
    """One CMO may be engaged, A is made, and so is B, which K1 may not make."""
    problem = two_parts(1)
    options = problem.options
    cmo = np.append(problem.offer_cmo[problem.streams.offer], -1)
    at_k1 = (cmo[options.first] == 1) | (cmo[options.second] == 1)
    banned = np.concatenate([options.start[:2], np.flatnonzero(at_k1)])
    problem = replace(problem, rules=(*problem.rules, Rule("force", "made", banned=banned)))
    assert searched(problem).bound == np.inf
