"""Cheapest secure schedules of one option: by brute force, and the bound."""

from __future__ import annotations

import numpy as np
import pytest

from models.patterns.pricing import Costs, Pricer
from models.problem import Problem
from models.recourse import Effort
from models.secure import Terms, breaches
from models.secure.bounding import EFFORTS
from models.secure.insertion import Inserter
from models.secure.pricing import Alone
from models.secure.standing import Standing
from tests.models.plans import every_plan
from tests.models.small import small
from tests.models.terms import each_cmo


def one_program(rng: np.random.Generator, sizes: int = 1) -> Problem:
    """A program with two or three offers, some of them late, not ready or not qualified.

    With two `sizes` the first line makes batches of a second size too.
    """
    other = [{"line": 0, "good": 6.0, "price": 25.0, "days": 3.0}] * (sizes - 1)
    demand = tuple(rng.choice([5.0, 10.0, 15.0, 20.0], 3))
    return small(
        programs=[
            {
                "demand": demand,
                "shortage": float(rng.choice([4.0, 8.0, 20.0])),
                "holding": float(rng.choice([0.05, 0.5])),
                "opening": float(rng.choice([0.0, 8.0, 15.0])),
                "shelf": int(rng.choice([1, 3])),
            }
        ],
        cmos=[{} for _ in range(3)],
        lines=[{"cmo": k, "days": float(rng.choice([5.0, 10.0, 15.0]))} for k in range(3)],
        offers=[
            {
                "line": k,
                "good": float(rng.choice([8.0, 10.0, 12.0])),
                "price": float(rng.integers(20, 60)),
                "lag": int(rng.integers(0, 2)),
            }
            | ({"qualified": False, "ready": int(rng.integers(1, 3))} if rng.random() < 0.4 else {})
            for k in range(int(rng.integers(2, 4 if sizes == 1 else 3)))
        ]
        + other,
        sourcing="free",
        splits=(0.5, 0.7),
    )


def bound_of(problem: Problem, terms: Terms, effort: int) -> dict[int, float]:
    """What each option costs at least, by its secure schedules alone."""
    alone = Alone(Pricer(problem), Inserter(problem, terms))
    options = problem.options
    own = options.fixed_cost + problem.risk_weight * options.risk_cost
    return {
        o: alone.value(o, plain_costs(problem), np.inf, effort)[0] + float(own[o])
        for o in range(len(options.program))
        if options.first[o] >= 0
    }


def plain_costs(problem: Problem) -> Costs:
    """Prices as they are."""
    offers, T = problem.offers, problem.periods
    batch = np.repeat(offers.price[:, None], T, axis=1)
    setup = np.repeat(problem.lines.changeover_cost[offers.line][:, None], T, axis=1)
    most = problem.max_batches
    return Costs(batch, setup, most, np.zeros_like(most), np.ones(T))


@pytest.mark.parametrize("seed", [*range(12), 62, 63, 97, 109, 217])
def test_no_secure_schedule_costs_less_than_the_bound_by_brute_force(seed):
    agrees_with_brute_force(np.random.default_rng(seed), 1)


@pytest.mark.parametrize("seed", range(4))
def test_two_batch_sizes_on_one_line_share_its_days(seed):
    agrees_with_brute_force(np.random.default_rng(seed), 2)


def agrees_with_brute_force(rng: np.random.Generator, sizes: int) -> None:
    problem = one_program(rng, sizes)
    surge = float(rng.choice([0.0, 0.4]))
    terms = each_cmo(problem, float(rng.choice([0.6, 1.0, 1.5])), 0.9, surge)
    options = problem.options
    least: dict[int, float] = {}
    for value, plan in every_plan(problem):
        o = int(plan.option[0])
        if o not in least and not breaches(problem, plan, terms, Effort(0.0), 60.0):
            least[o] = value
    rough, fine = bound_of(problem, terms, 2), bound_of(problem, terms, EFFORTS[-1])
    standing = Standing(problem, terms, np.zeros(len(problem.lines.ids), np.bool_))
    inserter = Inserter(problem, terms)
    for o, value in fine.items():
        assert rough[o] <= value * (1 + 1e-9)
        # a CMO is engaged once for the plan, apart from the option
        engaged = float(problem.cmos.onboarding_cost[list(standing.cmos_of(o))].sum())
        assert value + engaged <= least[o] * (1 + 1e-9)
        entry = inserter.placed(standing, o, np.inf)
        if entry is not None:
            assert entry.entry.cost + engaged >= least[o] * (1 - 1e-9)
    assert len(least) == len(options.program)


@pytest.mark.parametrize("seed", range(4))
def test_without_threats_bound_and_schedule_are_the_cheapest_there_is(seed):
    problem = one_program(np.random.default_rng(seed))
    terms = Terms((), np.zeros(len(problem.lines.ids)), 0.9)
    values = np.append(
        Pricer(problem).values(np.arange(len(problem.streams.offer)), plain_costs(problem)), 0.0
    )
    inserter = Inserter(problem, terms)
    standing = Standing(problem, terms, np.zeros(len(problem.lines.ids), np.bool_))
    options = problem.options
    own = options.fixed_cost + problem.risk_weight * options.risk_cost
    for o, bound in bound_of(problem, terms, EFFORTS[-1]).items():
        plain = float(values[options.first[o]] + values[options.second[o]] + own[o])
        assert bound == pytest.approx(plain)
        entry = inserter.placed(standing, o, np.inf)
        assert entry is not None
        assert entry.entry.cost == pytest.approx(plain)
