"""Properties that hold for every problem, over every solver."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.evaluate import evaluate
from models.finish import trivial_bound
from models.problem import Problem
from models.solve import Settings, solve
from models.stock import flow_cost, simulate
from tests.brute_force import brute_force
from tests.factory import random_problem
from tests.models.test_compact import random_decision

SEEDS = st.integers(0, 200)
SOURCING = st.sampled_from(["single", "dual", "free"])
FEW = settings(max_examples=5, deadline=None, derandomize=True, database=None)
MANY = settings(max_examples=30, deadline=None, derandomize=True, database=None)


def tiny(seed: int, sourcing: str) -> Problem:
    return random_problem(seed, programs=2, cmos=2, periods=3, sourcing=sourcing)


def best(problem: Problem, solver: str) -> float:
    """The proven least objective."""
    result = solve(problem, solver, Settings(gap=0))
    assert result.status == "optimal"
    assert result.objective is not None
    return result.objective


@FEW
@given(seed=SEEDS, sourcing=SOURCING)
def test_never_dearer_than_brute_force_and_never_cheaper(
    solver: str, seed: int, sourcing: str
) -> None:
    problem = tiny(seed, sourcing)
    assert best(problem, solver) == pytest.approx(brute_force(problem)[0], rel=1e-6)


@FEW
@given(seed=SEEDS, sourcing=SOURCING)
def test_more_capacity_never_costs_more(solver: str, seed: int, sourcing: str) -> None:
    problem = tiny(seed, sourcing)
    roomier = replace(problem, lines=replace(problem.lines, days=problem.lines.days * 1.5))
    assert best(roomier, solver) <= best(problem, solver) * (1 + 2e-6)


def dearer(problem: Problem, factor: float) -> Problem:
    """The same problem with every price, cost and threshold of money times `factor`."""
    p, k, lines, o = problem.programs, problem.cmos, problem.lines, problem.offers
    return replace(
        problem,
        programs=replace(
            p,
            shortage_price=p.shortage_price * factor,
            holding_price=p.holding_price * factor,
            safety_price=p.safety_price * factor,
        ),
        cmos=replace(
            k,
            onboarding_cost=k.onboarding_cost * factor,
            fees=k.fees * factor,
            floor=k.floor * factor,
            tiers=tuple(tuple((s * factor, r) for s, r in tiers) for tiers in k.tiers),
        ),
        lines=replace(
            lines,
            changeover_cost=lines.changeover_cost * factor,
            expansion_cost=lines.expansion_cost * factor,
        ),
        offers=replace(
            o,
            price=o.price * factor,
            transfer_cost=o.transfer_cost * factor,
            validation_cost=o.validation_cost * factor,
        ),
        options=replace(
            problem.options,
            fixed_cost=problem.options.fixed_cost * factor,
            risk_cost=problem.options.risk_cost * factor,
        ),
    )


@FEW
@given(seed=SEEDS, sourcing=SOURCING)
def test_twice_all_prices_twice_the_objective(solver: str, seed: int, sourcing: str) -> None:
    problem = tiny(seed, sourcing)
    assert best(dearer(problem, 2.0), solver) == pytest.approx(2 * best(problem, solver), rel=2e-6)


@FEW
@given(seed=SEEDS)
def test_free_sourcing_is_never_dearer_than_a_rule_that_excludes_options(
    solver: str, seed: int
) -> None:
    from models.problem import Rule

    problem = tiny(seed, "free")
    second = np.flatnonzero(problem.options.second >= 0)
    single = replace(problem, rules=(Rule("forbid", "one source", banned=second),))
    assert best(problem, solver) <= best(single, solver) * (1 + 2e-6)


@MANY
@given(seed=SEEDS, sourcing=SOURCING, draw=st.integers(0, 1000))
def test_the_trivial_bound_is_below_every_plan(seed: int, sourcing: str, draw: int) -> None:
    problem = random_problem(seed, programs=4, cmos=4, sourcing=sourcing)
    bound = trivial_bound(problem)
    assert bound is not None
    assert 0 <= bound <= evaluate(problem, random_decision(problem, draw)).objective


def test_no_trivial_bound_where_a_price_is_negative() -> None:
    problem = random_problem(1)
    gift = replace(problem, offers=replace(problem.offers, price=-problem.offers.price))
    assert trivial_bound(gift) is None


@MANY
@given(seed=SEEDS, draw=st.integers(0, 1000))
def test_serving_first_is_the_cheapest_flow(seed: int, draw: int) -> None:
    """models/compact.md: less holding in every period and less shortage than any other flow."""
    problem = random_problem(seed, periods=6)
    rng = np.random.default_rng(draw)
    streams = np.arange(len(problem.streams.offer))
    program = problem.offers.program[problem.streams.offer]
    tables = problem.stream_tables(streams)
    released = rng.integers(0, 3, tables.demand.shape) * tables.demand.mean()
    first = simulate(tables, released)
    stock, kept, unmet = tables.opening, np.zeros_like(released), np.zeros_like(released)
    scrap = np.zeros_like(released)
    for t in range(problem.periods):  # hold back and scrap at will
        have = stock + released[:, t]
        served = np.minimum(have, tables.demand[:, t]) * rng.uniform(0, 1, len(streams))
        left = have - served
        stock = np.minimum(left, tables.cap[:, t]) * rng.uniform(0.5, 1, len(streams))
        kept[:, t], scrap[:, t] = stock, left - stock
        unmet[:, t] = tables.demand[:, t] - served
    waiting = first.stock + np.cumsum(first.scrap, axis=1)
    assert np.all(waiting <= kept + np.cumsum(scrap, axis=1) + 1e-6)
    gap = np.maximum(tables.target - kept, 0.0)
    other = replace(first, stock=kept, scrap=scrap, unmet=unmet, safety_gap=gap)
    cheap = problem.programs.safety_price <= problem.programs.holding_price
    least, more = (sum(flow_cost(problem, program, flow)) for flow in (first, other))
    assert np.all((least <= more * (1 + 1e-9) + 1e-9)[cheap[program]])
    assert np.all(first.unmet.sum(1) <= unmet.sum(1) + 1e-6)


def shuffled(problem: Problem, seed: int) -> Problem:
    """The same problem with its offers listed in another order and options regenerated."""
    from models.options import enumerate_options

    rng = np.random.default_rng(seed)
    order = rng.permutation(len(problem.offers.ids))
    o = problem.offers
    offers = type(o)(
        ids=tuple(o.ids[f] for f in order),
        **{name: getattr(o, name)[order] for name in o.__dataclass_fields__ if name != "ids"},
    )
    count = len(problem.programs.ids)
    streams, options = enumerate_options(
        count, offers, problem.lines.cmo[offers.line], ["free"] * count, (0.5, 0.7)
    )
    return replace(problem, offers=offers, streams=streams, options=options)


@FEW
@given(seed=SEEDS)
def test_the_order_of_offers_changes_nothing(solver: str, seed: int) -> None:
    one = shuffled(tiny(seed, "free"), 1)
    two = shuffled(tiny(seed, "free"), 2)
    assert best(one, solver) == pytest.approx(best(two, solver), rel=2e-6)
