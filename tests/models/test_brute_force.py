"""Every solver against exhaustive search on problems small enough for it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from models.evaluate import evaluate
from models.problem import Problem, Rule
from models.result import Decision
from models.solve import Settings, solve
from tests.brute_force import brute_force
from tests.factory import random_problem
from tests.models.small import small

CASES = [
    (seed, sourcing, rules)
    for seed in (1, 2, 5, 9)
    for sourcing in ("single", "dual", "free")
    for rules in (False, True)
]


def tiny(seed: int, sourcing: str, rules: bool) -> Problem:
    """2 or 3 programs, 3 CMOs, 3 or 4 periods, every feature."""
    return random_problem(
        seed,
        programs=2 + seed % 2,
        periods=3 + (seed // 2) % 2,
        sourcing=sourcing,
        rules=rules,
    )


@pytest.fixture(scope="module")
def least() -> dict[tuple[int, str, bool], float]:
    """The least objective of each case, searched for once."""
    return {}


@pytest.mark.parametrize(("seed", "sourcing", "rules"), CASES)
def test_equals_brute_force(
    seed: int,
    sourcing: str,
    rules: bool,
    solver: str,
    least: dict[tuple[int, str, bool], float],
) -> None:
    problem = tiny(seed, sourcing, rules)
    key = (seed, sourcing, rules)
    if key not in least:
        least[key] = brute_force(problem)[0]
    result = solve(problem, solver, Settings(gap=0))
    if least[key] == np.inf:
        assert result.status == "infeasible"
        assert result.objective is None
        assert result.conflict
        return
    assert result.status == "optimal"
    assert result.objective == pytest.approx(least[key], rel=1e-6)
    assert result.bound is not None
    assert result.bound <= least[key] * (1 + 1e-6)
    assert result.decision is not None
    value = evaluate(problem, result.decision)
    assert value.broken == ()
    assert value.objective == pytest.approx(result.objective, rel=1e-12)


def test_brute_force_finds_what_plain_enumeration_finds() -> None:
    """The search with its bounds against `evaluate` of every single plan."""
    problem = small(
        programs=[{"demand": (10, 12), "opening": 3, "safety": 1, "safety_periods": 1, "shelf": 1}],
        cmos=[{"floor": 70, "tiers": ((90, 0.2),)}, {"onboarding": 5}],
        lines=[{"changeover_cost": 4}, {"cmo": 1, "days": 5, "expansion_days": 5}],
        offers=[{"good": 8}, {"line": 1, "good": 6, "price": 30, "lag": 1}],
        sourcing="free",
        rules=[Rule("budget", "budget", 120, periods=(0, 1))],
    )
    best = np.inf
    counts = [range(n + 1) for n in problem.max_batches.reshape(-1)]
    for option in range(len(problem.options.program)):
        for n in itertools.product(*counts):
            batches = dict(enumerate(np.array(n, np.int64).reshape(2, 2)))
            for grown in (False, True):
                plan = Decision(np.array([option]), batches, np.array([False, grown]))
                value = evaluate(problem, plan)
                if not value.broken:
                    best = min(best, value.objective)
    assert brute_force(problem)[0] == pytest.approx(best, rel=1e-12)
