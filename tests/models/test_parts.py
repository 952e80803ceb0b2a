"""One CMO as a part of a problem, and the linear relaxation."""

from __future__ import annotations

import numpy as np
import pytest

from models.evaluate import evaluate
from models.parts import cmo_part
from models.problem import Rule
from models.relax import relaxation
from models.solve import Settings, solve
from tests.factory import random_problem
from tests.models.small import small

EXACT = Settings(gap=0.0, threads=1)
ROUGH = Settings(gap=0.05, threads=1)


@pytest.mark.parametrize("seed", range(4))
def test_cmos_add_up_to_the_plan(seed):
    problem = random_problem(seed, programs=4, cmos=3, periods=4)
    whole = solve(problem, "highs", ROUGH).decision
    value = evaluate(problem, whole)
    total = 0.0
    for cmo in range(len(problem.cmos.ids)):
        part = cmo_part(problem, whole, cmo)
        if len(part.offers):
            total += evaluate(part.problem, part.lower(whole)).objective
    idle = problem.options.first[whole.option] < 0
    rest = value.program_shortage[idle].sum() + value.cash["expansions"] + value.risk
    assert value.objective - total - rest == pytest.approx(
        sum_of_idle(problem, whole, idle), abs=1e-6
    )


def sum_of_idle(problem, whole, idle):
    """Holding and safety stock of programs left unsourced."""
    from models.stock import unsourced_cost

    value = evaluate(problem, whole)
    return float(unsourced_cost(problem)[idle].sum() - value.program_shortage[idle].sum())


def test_the_relaxation_bounds_and_prices():
    problem = small(
        programs=[{"demand": (30.0, 30.0)}] * 2,
        lines=[{"days": 10.0}],
        offers=[{}, {"program": 1}],
    )
    loose = relaxation(problem)
    exact = solve(problem, "highs", EXACT).objective
    assert loose.bound <= exact + 1e-6
    assert loose.options[0:2].sum() == pytest.approx(1.0)
    assert loose.options[2:4].sum() == pytest.approx(1.0)
    # ten units for five days at 50, worth 100 each
    assert loose.day_price[0].tolist() == pytest.approx([190.0, 190.0])
    banned = small(rules=[Rule("force", "none", banned=np.array([0, 1]))])
    nothing = relaxation(banned)
    assert nothing.infeasible
    assert nothing.bound is None
