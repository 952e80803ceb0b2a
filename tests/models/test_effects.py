"""What every rule does to the best plan, computed by hand, over every solver.

In each case the plain problem would cost less: the rule is what makes the difference. Defaults of
`small`: demand 10 a quarter, batches of 10 for 50, shortage 100 per unit; two batches cost 100.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.evaluate import evaluate
from models.problem import Problem, Rule
from models.solve import Settings, solve
from tests.models.small import small

#: Two programs, 200 in all at K0; K1 would make the second one for 160 instead of 100.
PAIR = {
    "programs": [{}, {}],
    "cmos": [{}, {}],
    "lines": [{}, {"cmo": 1}],
    "offers": [{}, {"program": 1}, {"program": 1, "line": 1, "price": 80}],
}
#: Two programs on one line that has time for one batch a quarter.
CROWDED = {
    "programs": [{}, {}],
    "offers": [{}, {"program": 1}],
}


def pair(name: str, **fields: object) -> Problem:
    return small(**PAIR, rules=[Rule(name, name, **fields)])


#: Rule -> problem, its least objective.
EFFECTS: dict[str, tuple[Problem, float]] = {
    # both lines together could make it all, but a program has one source: a batch, 10 short
    "one_option": (
        small(
            cmos=[{}, {}],
            lines=[{"days": (5, 0)}, {"cmo": 1, "days": (0, 5)}],
            offers=[{}, {"line": 1}],
        ),
        1050.0,
    ),
    # F0 makes 60 % (6 a quarter, 2 batches of 50), F1 40 % (4 a quarter, 2 batches of 30)
    "stream_chosen": (
        small(
            cmos=[{}, {}, {}],
            lines=[{}, {"cmo": 1}, {"cmo": 2}],
            offers=[
                {"good": 6},
                {"line": 1, "good": 4, "price": 30},
                {"line": 2, "good": 1, "price": 40},
            ],
            sourcing="dual",
        ),
        160.0,
    ),
    "offer_chosen": (
        small(
            cmos=[{}, {}],
            lines=[{}, {"cmo": 1}],
            offers=[{"good": 6, "transfer": 7}, {"line": 1, "good": 4, "price": 30}],
            sourcing="dual",
        ),
        167.0,
    ),
    # a batch started in the first quarter serves the second: 10 short
    "flow": (small(offers=[{"lag": 1}]), 1050.0),
    # two batches in all, 20 units short
    "line_days": (small(**CROWDED, lines=[{"days": 5}]), 2100.0),
    # with days for another batch a quarter: 200, and 30 for the expansion
    "expansion": (
        small(**CROWDED, lines=[{"days": 5, "expansion_days": 5, "expansion_cost": 30}]),
        230.0,
    ),
    # one campaign of two batches rather than two campaigns
    "campaign": (small(lines=[{"changeover_cost": 20}]), 120.0),
    # ... but nothing keeps: two campaigns
    "shelf_life": (small(programs=[{"shelf": 0}], lines=[{"changeover_cost": 20}]), 140.0),
    # a third batch costs 50; without it one quarter ends with a gap of 10 units, 60
    "safety_stock": (small(programs=[{"safety": 6, "safety_periods": 1}]), 150.0),
    # serving the first quarter from stock leaves a gap worth 1500; the second takes two batches.
    # Holding back would cost 1000 for unmet demand and one batch: 1050.
    "serve_first": (
        small(
            programs=[{"opening": 10, "safety": 150, "safety_periods": 1}],
            offers=[{"ready": 1}],
        ),
        1600.0,
    ),
    # onboarding once for both programs
    "engaged": (small(**CROWDED, cmos=[{"onboarding": 60, "fees": 10}]), 270.0),
    # 100 spent, 30 paid for nothing
    "take_or_pay": (small(cmos=[{"floor": 130}]), 130.0),
    # a third batch, not needed, halves the year's bill
    "tiers": (small(cmos=[{"tiers": ((150, 0.5),)}]), 75.0),
    # the second program at K1 as well would save 60
    "max_cmos": (
        small(
            programs=[{}, {}],
            cmos=[{}, {}],
            lines=[{}, {"cmo": 1}],
            offers=[{}, {"program": 1, "price": 80}, {"program": 1, "line": 1}],
            rules=[Rule("max_cmos", "max_cmos", 1, cmos=(0, 1))],
        ),
        260.0,
    ),
    "min_cmos": (pair("min_cmos", limit=2, cmos=(0, 1)), 260.0),
    "max_programs": (pair("max_programs", limit=1, cmos=(0,)), 260.0),
    "max_spend_share": (pair("max_spend_share", limit=0.5, cmos=(0,)), 260.0),
    "not_together": (pair("not_together", programs=(0, 1)), 260.0),
    # three batches, 10 units short
    "budget": (pair("budget", limit=150, periods=(0, 1)), 1150.0),
    **{
        name: (pair(name, banned=np.array([2, 3])), 260.0)
        for name in ("force", "forbid", "keep_incumbent", "sources_differ_by")
    },
}


@pytest.mark.parametrize("name", EFFECTS)
def test_least_objective(name: str, solver: str) -> None:
    problem, expected = EFFECTS[name]
    result = solve(problem, solver, Settings(gap=0))
    assert result.status == "optimal"
    assert result.objective == pytest.approx(expected, rel=1e-6)
    assert result.bound == pytest.approx(expected, rel=2e-6)
    assert result.decision is not None
    assert evaluate(problem, result.decision).broken == ()


def test_a_cmos_own_limit_is_a_rule(solver: str) -> None:
    free = small(**PAIR)
    problem = replace(free, cmos=replace(free.cmos, max_programs=np.array([1, -1])))
    assert solve(free, solver, Settings(gap=0)).objective == pytest.approx(200)
    assert solve(problem, solver, Settings(gap=0)).objective == pytest.approx(260)


@pytest.mark.parametrize(("limit", "expected"), [(30, 200), (20, 260), (10, 2100), (0, 4000)])
def test_a_cap_on_risk_is_kept(limit: float, expected: float) -> None:
    """The first program risks 10; the second 15 at 100 money, 5 at 160; unsourced is 2000 each."""
    problem = small(**PAIR, rules=[Rule("risk_cap", "risk", limit=limit)])
    risk = np.array([0.0, 10.0, 0.0, 15.0, 5.0])
    problem = replace(problem, options=replace(problem.options, risk_cost=risk), risk_weight=0.0)
    result = solve(problem, "highs", Settings(gap=0))
    assert result.decision is not None
    assert risk[result.decision.option].sum() <= limit
    assert evaluate(problem, result.decision).broken == ()
    assert result.objective == pytest.approx(expected)
    loose = solve(replace(problem, rules=()), "highs", Settings(gap=0)).decision
    assert loose is not None
    assert bool(evaluate(problem, loose).broken) == (limit < 25)


def test_every_rule_has_an_effect() -> None:
    from models.compact.awards import AWARDS
    from models.compact.rules import RULES

    assert set(EFFECTS) == set(RULES) | set(AWARDS)
