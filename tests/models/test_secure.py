"""Secure plans: by hand, by brute force over plans and outages, and what breaks them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.evaluate import evaluate
from models.finish import valid_value
from models.problem import Problem
from models.recourse import Effort
from models.secure import Terms, breaches, solve_secure
from models.secure.check import situations
from models.secure.master import Demanded, Master
from models.secure.rebuilding import Rebuilder
from models.secure.solving import Secure
from models.solve import Settings, solve
from tests.factory import random_problem
from tests.models.plans import every_plan
from tests.models.small import small
from tests.models.terms import broken, each_cmo, each_pair


def exact(problem: Problem, terms: Terms, **settings: object):
    found = solve_secure(problem, terms, Settings(gap=0.0, **settings), solver="highs")
    assert found.decision is not None
    assert broken(problem, found.decision, terms) == []
    assert found.objective == pytest.approx(evaluate(problem, found.decision).objective)
    return found


def one_program(days: float = 12.0, **second: object) -> Problem:
    """A program of 10 a quarter; K0 asks 50 a batch, K1 60; the order of a day is a batch of 5."""
    return small(
        programs=[{"demand": (10.0,) * 3, "shortage": 100.0, "holding": 0.1}],
        cmos=[{}, {"onboarding": 30.0}],
        lines=[{"cmo": 0, "days": days}, {"cmo": 1, "days": days}],
        offers=[{"line": 0}, {"line": 1, "price": 60.0} | second],
        sourcing="free",
        splits=(0.5,),
    )


def test_the_second_site_is_engaged_only_for_its_safety():
    problem = one_program()
    terms = each_cmo(problem, 1.0)
    found = exact(problem, terms)
    # with half of each batch's demand at each site, a batch of one covers both halves in turn:
    # what matters is that K1 is engaged and free: 30 more, and what two sites cost in batches
    assert found.status == "optimal"
    plain = solve_secure(problem, replace(terms, threats=()), Settings(gap=0.0), "highs")
    assert plain.objective == pytest.approx(150.0)
    assert found.objective > 150.0 + 30.0
    engaged = evaluate(problem, found.decision).engaged
    assert engaged.tolist() == [1, 1]


def test_where_no_site_can_take_over_demand_is_given_up_rather_than_promised():
    problem = one_program(qualified=False, ready=9)
    found = exact(problem, each_cmo(problem, 1.0))
    # stock that is made before is there when K0 stops; the first quarter has none before it
    assert found.objective >= 1000.0


def test_outages_before_the_first_period_that_counts_are_left_out():
    problem = one_program()
    late = replace(each_cmo(problem, 1.0), first=2)
    early = exact(problem, each_cmo(problem, 1.0))
    assert exact(problem, late).objective < early.objective


def test_without_threats_the_plan_is_the_plain_one():
    problem = one_program()
    found = exact(problem, Terms((), np.zeros(2), 0.98))
    assert found.objective == pytest.approx(150.0)
    assert found.status == "optimal"


def test_a_service_level_of_nothing_asks_for_nothing():
    problem = one_program()
    assert exact(problem, each_cmo(problem, 1.0, 0.0)).objective == pytest.approx(150.0)


@pytest.mark.parametrize("seed", range(2, 6))
def test_the_cheapest_secure_plan_by_brute_force_over_plans_and_outages(seed):
    rng = np.random.default_rng(seed)
    problem = small(
        programs=[
            {
                "demand": tuple(rng.choice([10.0, 20.0], 2)),
                "shortage": float(rng.choice([4.0, 12.0])),
                "holding": 0.2,
                "opening": float(rng.choice([0.0, 8.0])),
            }
            for _ in range(2)
        ],
        cmos=[{"onboarding": float(rng.integers(0, 30))} for _ in range(2)],
        lines=[{"cmo": k, "days": float(rng.choice([10.0, 15.0]))} for k in range(2)],
        offers=[
            {
                "program": p,
                "line": k,
                "good": float(rng.choice([10.0, 12.0])),
                "price": float(rng.integers(20, 60)),
                "lag": 0,
            }
            | ({"qualified": False, "ready": 1, "transfer": 10.0} if rng.random() < 0.2 else {})
            for p in range(2)
            for k in range(2)
        ],
        sourcing="free",
        splits=(0.5,),
    )
    terms = each_cmo(problem, float(rng.choice([0.6, 1.0])), 0.9, float(rng.choice([0.0, 0.5])))
    least = next(
        value
        for value, plan in every_plan(problem)
        if not breaches(problem, plan, terms, Effort(0.0), 60.0)
    )
    found = exact(problem, terms)
    assert found.bound is not None
    assert found.bound <= least + 1e-6
    assert found.objective == pytest.approx(least, rel=1e-6)
    assert found.status == "optimal"


@pytest.mark.parametrize("seed", [1, 3])
def test_random_problems_end_with_a_plan_that_nothing_breaks(seed):
    problem = random_problem(seed, 3, 3, 4, utilisation=0.6, splits=(0.5, 0.7))
    terms = each_cmo(problem, 1.5)
    found = solve_secure(problem, terms, Settings(gap=0.02), "highs")
    assert found.decision is not None
    assert found.objective is not None
    assert found.bound is not None
    assert found.bound <= found.objective
    assert broken(problem, found.decision, terms) == []


def test_a_line_day_that_the_proof_needs_breaks_the_plan_when_it_is_gone():
    problem = one_program(days=10.0)
    terms = each_cmo(problem, 1.0)
    plan = exact(problem, terms).decision
    needed = 0
    for case in situations(problem, plan, terms):
        full = case.used(case.kept) >= case.room - 1e-6
        needed += int(full.any())
    fewer = replace(problem, lines=replace(problem.lines, days=np.full((2, 3), 4.0)))
    assert broken(fewer, plan, terms)


def test_the_block_of_an_outage_has_room_for_every_secure_plan():
    """What the master demands holds for each secure plan: its bound is one for all of them."""
    problem = one_program()
    terms = each_cmo(problem, 1.0)
    found = exact(problem, terms)
    search = Secure(problem, terms, Settings())
    events = [case.outage for case in situations(problem, found.decision, terms)]
    master = Master(problem, terms.surge)
    demanded = [Demanded(event, search.allowed(event), True) for event in events]
    everyone = np.zeros(1, np.bool_)
    from models.compact.highs import HighsSolver

    matrix = master.fixed(master.matrix(demanded), found.decision, everyone)
    outcome = HighsSolver(matrix, 1, 0).run(Settings(), None)
    assert outcome.objective == pytest.approx(found.objective, rel=1e-6)


def test_a_stop_ends_the_search_honestly():
    problem = one_program()
    found = solve_secure(problem, each_cmo(problem, 1.0), Settings(stop=lambda: True), "highs")
    assert found.limit == "interrupt"
    assert found.status == "no_plan"
    assert found.objective is None


@pytest.mark.parametrize("seed", [1, 4])
def test_large_problems_are_built_program_by_program(seed, monkeypatch):
    import models.secure.solving as solving

    monkeypatch.setattr(solving, "WHOLE_CELLS", 0)
    monkeypatch.setattr(solving, "TURN_STEPS", 40)
    monkeypatch.setattr(solving, "PATIENCE", 80)
    problem = random_problem(seed, 3, 3, 4, utilisation=0.5, splits=(0.5,))
    terms = each_cmo(problem, 1.0, 0.9)
    phases = []
    settings = Settings(gap=1e-4, progress=lambda state: phases.append(state.phase))
    found = solve_secure(problem, terms, settings, "highs")
    assert found.decision is not None
    assert "bound of secure plans" in phases
    assert broken(problem, found.decision, terms) == []
    value = valid_value(problem, found.decision)
    assert value is not None
    assert found.objective == pytest.approx(value.objective)
    whole = replace(problem)
    monkeypatch.undo()
    proven = solve_secure(whole, terms, Settings(gap=1e-4), "highs")
    assert proven.status == "optimal"
    assert found.bound <= proven.objective * (1 + 1e-6)
    assert found.objective >= proven.bound * (1 - 1e-6)


def test_a_secure_start_is_never_lost(monkeypatch):
    import models.secure.solving as solving

    monkeypatch.setattr(solving, "SMALL_STEPS", 0)
    problem = one_program()
    terms = each_cmo(problem, 1.0, 0.9)
    best = exact(problem, terms)
    again = solve_secure(problem, terms, Settings(gap=0.5), "highs", best.decision)
    assert again.objective == pytest.approx(best.objective)
    assert again.status == "optimal"


def test_groups_of_cmos_and_inputs_may_stop():
    problem = random_problem(2, 2, 3, 3, utilisation=0.4, splits=(0.5,))
    terms = each_pair(problem, 1.0, 0.9)
    found = solve_secure(problem, terms, Settings(gap=0.05, time_limit=20.0), "highs")
    assert found.decision is not None
    assert broken(problem, found.decision, terms) == []


def test_building_begins_with_what_is_secure_of_the_plain_plan(monkeypatch):
    import models.secure.solving as solving

    begun = []
    construct = Rebuilder.construct

    def watched(self, start, stop):
        begun.append(start)
        construct(self, start, stop)

    monkeypatch.setattr(Rebuilder, "construct", watched)
    monkeypatch.setattr(solving, "SMALL_STEPS", 0)
    problem = one_program()
    plain = solve(problem, "highs", Settings(gap=0.0)).decision
    assert broken(problem, plain, each_cmo(problem, 1.0, 0.9))
    exact(problem, each_cmo(problem, 1.0, 0.9))
    assert begun[0].option.tolist() == plain.option.tolist()
