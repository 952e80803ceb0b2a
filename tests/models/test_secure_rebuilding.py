"""Secure plans built program by program: days reserved for every outage, and the bound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.evaluate import evaluate
from models.problem import Problem, Rule
from models.result import Decision
from models.secure.bounding import secure_bound
from models.secure.insertion import Inserter
from models.secure.rebuilding import Rebuilder
from models.secure.solving import Secure
from models.secure.standing import Standing
from models.solve import Settings, solve_by
from tests.factory import random_problem
from tests.models.small import small
from tests.models.terms import broken, each_cmo, each_pair


def never() -> bool:
    return False


def rebuilt(problem: Problem, terms, steps: int = 60, start: Decision | None = None) -> Rebuilder:
    rebuilder = Rebuilder(problem, terms, 0)
    rebuilder.construct(start, never)
    rebuilder.run(steps, never)
    return rebuilder


def two_sites(**second: object) -> Problem:
    """A program of 10 a quarter; K0 asks 50 a batch, K1 60 and 30 to be engaged."""
    return small(
        programs=[{"demand": (10.0,) * 3, "shortage": 100.0, "holding": 0.1}],
        cmos=[{}, {"onboarding": 30.0}],
        lines=[{"cmo": 0, "days": 12.0}, {"cmo": 1, "days": 12.0}],
        offers=[{"line": 0}, {"line": 1, "price": 60.0} | second],
        sourcing="free",
        splits=(0.5,),
    )


@pytest.mark.parametrize("seed", range(12))
def test_the_bound_is_below_and_the_plan_above_the_proven_optimum(seed):
    rng = np.random.default_rng(seed)
    problem = random_problem(seed, 2, 3, 4, utilisation=rng.uniform(0.3, 0.7), splits=(0.5, 0.7))
    surge = float(rng.choice([0.0, 0.2]))
    terms = each_cmo(problem, float(rng.choice([1.0, 1.5])), float(rng.choice([0.9, 0.98])), surge)
    if seed % 4 == 3:
        terms = each_pair(problem, 1.0, 0.9)
    rebuilder = rebuilt(problem, terms)
    plan = rebuilder.decision()
    assert plan is not None
    assert broken(problem, plan, terms) == []
    assert rebuilder.best.objective == pytest.approx(evaluate(problem, plan).objective)
    bound = secure_bound(problem, rebuilder.inserter, Settings(), 20.0, never)
    assert bound is not None
    search = Secure(problem, terms, Settings(gap=1e-3, time_limit=20.0))
    search.check(plan)
    from models.secure.master import Master

    search.generate(Master(problem, terms.surge), plan)
    assert bound <= search.objective * (1 + 1e-6)
    assert search.bound is None or rebuilder.best.objective >= search.bound * (1 - 1e-6)


def test_without_threats_options_cost_what_they_cost():
    problem = random_problem(3, 3, 3, 4, utilisation=0.4, splits=(0.5,), features=False)
    terms = replace(each_cmo(problem, 1.0), threats=())
    rebuilder = rebuilt(problem, terms)
    plain = solve_by("highs", problem, Settings(gap=1e-6), None)
    assert rebuilder.best.objective == pytest.approx(plain.objective, rel=0.02)


def test_the_survivor_has_days_reserved_for_the_outage():
    problem = two_sites()
    terms = each_cmo(problem, 1.0)
    rebuilder = rebuilt(problem, terms)
    entry = rebuilder.best.entries[0]
    assert entry is not None
    assert len(entry.batches) == 2
    engaged = evaluate(problem, rebuilder.decision()).engaged
    assert engaged.tolist() == [1, 1]
    # from the start of each quarter on while K0 stands still, K1 makes what is missing
    line = entry.lines.tolist().index(1)
    assert (entry.taken[0, :, line].sum(1) > 0).all()
    assert (entry.taken[0, 1, line, :1] == 0).all()


def test_taking_a_program_out_gives_its_days_back():
    problem = random_problem(5, 3, 3, 4, utilisation=0.4, splits=(0.5,))
    rebuilder = rebuilt(problem, each_cmo(problem, 1.0, 0.9), 0)
    standing = rebuilder.standing
    fresh = Standing(problem, rebuilder.terms, standing.expanded)
    for p in range(3):
        standing.drop(p)
        assert standing.drop(p) is None
    assert standing.base == pytest.approx(fresh.base)
    inside = np.isfinite(fresh.free)
    assert standing.free[inside] == pytest.approx(fresh.free[inside])
    assert not standing.programs_at.any()


def test_a_former_plan_is_taken_over_as_far_as_it_is_secure():
    problem = two_sites()
    terms = each_cmo(problem, 1.0)
    best = rebuilt(problem, terms).decision()
    again = Rebuilder(problem, terms, 0)
    again.construct(best, never)
    assert again.best.objective == pytest.approx(evaluate(problem, best).objective)
    plain = solve_by("highs", problem, Settings(gap=0.0), None).decision
    idle = replace(plain, option=problem.options.start[:-1].copy(), batches={})
    much = replace(best, batches={f: n + 9 for f, n in best.batches.items()})
    for other in (plain, idle, much):
        fresh = Rebuilder(problem, terms, 0)
        fresh.take_over(0, int(other.option[0]), other.batches)
        assert fresh.standing.entries[0] is None
    again.standing.drop(0)
    again.take_over(0, int(best.option[0]), best.batches)
    assert again.standing.entries[0] is not None


def programs(rules: tuple[Rule, ...] = (), **cmo: object) -> Problem:
    """Two programs that could both be made at either of two CMOs, K0 being cheaper."""
    return small(
        programs=[{"demand": (0.0, 10.0, 10.0)}, {"demand": (0.0, 10.0, 10.0)}],
        cmos=[cmo, {}],
        lines=[{"cmo": 0}, {"cmo": 1}],
        offers=[
            {"program": p, "line": k, "price": 50.0 + 10.0 * k} for p in range(2) for k in range(2)
        ],
        sourcing="single",
        rules=rules,
    )


@pytest.mark.parametrize(
    ("rules", "cmo"),
    [
        ((Rule("not_together", "apart", programs=(0, 1)),), {}),
        ((Rule("max_programs", "one each", limit=1, cmos=(0,)),), {}),
        ((), {"max_programs": 1}),
    ],
)
def test_rules_that_count_are_kept_while_inserting(rules, cmo):
    problem = programs(rules, **cmo)
    terms = replace(each_cmo(problem, 1.0), threats=())
    assert rebuilt(problem, terms, 10).best.objective == pytest.approx(2 * 100.0 + 2 * 10.0)


def test_no_more_cmos_are_engaged_than_allowed():
    problem = programs((Rule("max_cmos", "one", limit=1, cmos=(0, 1)),), max_programs=1)
    terms = replace(each_cmo(problem, 1.0), threats=())
    rebuilder = rebuilt(problem, terms, 10)
    assert evaluate(problem, rebuilder.decision()).engaged.sum() == 1


def test_where_a_rule_cannot_be_kept_there_is_no_plan():
    problem = programs((Rule("min_cmos", "three", limit=3, cmos=(0, 1)),))
    rebuilder = rebuilt(problem, each_cmo(problem, 1.0), 5)
    assert rebuilder.best is None
    assert rebuilder.decision() is None


def test_an_expansion_is_bought_where_it_pays_and_given_up_where_not():
    problem = small(
        programs=[{"demand": (20.0, 20.0, 20.0)}],
        lines=[{"days": 5.0, "expansion_days": 10.0, "expansion_cost": 40.0}],
    )
    terms = replace(each_cmo(problem, 1.0), threats=())
    rebuilder = rebuilt(problem, terms, 60)
    assert rebuilder.best.expanded.all()
    assert rebuilder.best.objective == pytest.approx(6 * 50.0 + 40.0)
    dear = replace(problem, lines=replace(problem.lines, expansion_cost=np.array([1e6])))
    bought = replace(rebuilder.decision())
    again = rebuilt(dear, terms, 60, bought)
    assert not again.best.expanded.any()


def test_validation_that_overruns_a_stopped_line_blocks_nobody():
    """K1 validates in the first quarter for its whole length, and may stop then."""
    problem = two_sites(
        qualified=False, ready=1, validation_days=12.0, validation_period=0, validation=5.0
    )
    terms = each_cmo(problem, 1.0, 0.6)
    rebuilder = rebuilt(problem, terms)
    plan = rebuilder.decision()
    assert plan is not None
    assert broken(problem, plan, terms) == []


def test_a_stop_ends_building_with_what_there_is():
    problem = random_problem(1, 3, 3, 4, utilisation=0.4, splits=(0.5,))
    rebuilder = Rebuilder(problem, each_cmo(problem, 1.0), 0)
    rebuilder.construct(None, lambda: True)
    assert all(entry is None for entry in rebuilder.standing.entries)
    rebuilder.run(5, lambda: True)
    assert rebuilder.steps == 0
    bound = secure_bound(problem, rebuilder.inserter, Settings(), 0.0, lambda: True)
    assert bound is None


def test_outages_before_the_first_that_counts_are_free():
    problem = two_sites(qualified=False, ready=1)
    every = each_cmo(problem, 1.0)
    late = replace(every, first=2)
    dear, cheap = rebuilt(problem, every), rebuilt(problem, late)
    assert cheap.best.objective < dear.best.objective
    assert broken(problem, cheap.decision(), late) == []


def test_the_seed_decides_and_nothing_else():
    problem = random_problem(7, 4, 3, 4, utilisation=0.6, splits=(0.5,))
    terms = each_cmo(problem, 1.0, 0.9)
    one, two = (rebuilt(problem, terms, 80) for _ in range(2))
    assert one.best.objective == two.best.objective
    assert np.array_equal(one.decision().option, two.decision().option)


def test_an_inserter_knows_options_that_can_never_be_secure():
    problem = two_sites(qualified=False, ready=9)
    inserter = Inserter(problem, each_cmo(problem, 1.0))
    standing = Standing(problem, inserter.terms, np.zeros(2, np.bool_))
    assert inserter.best(standing, 0, cutoff=0.0) is None


def test_a_search_that_starts_out_proven_makes_no_step():
    problem = two_sites()
    terms = each_cmo(problem, 1.0)
    search = Secure(problem, terms, Settings(gap=0.9, time_limit=60.0))
    rebuilder = Rebuilder(problem, terms, 0)
    assert not search.offer(rebuilder)
    rebuilder.construct(None, never)
    assert search.offer(rebuilder)
    assert not search.offer(rebuilder)
    search.bound = search.objective
    assert not search.search([rebuilder], 50)
    assert rebuilder.steps == 0


def test_a_search_ends_where_its_time_is_over_though_the_whole_has_more():
    problem = two_sites()
    search = Secure(problem, each_cmo(problem, 1.0), Settings(gap=0.0, time_limit=60.0))
    rebuilder = Rebuilder(problem, search.terms, 0)
    rebuilder.construct(None, never)
    search.search([rebuilder], 50, until=0.0)
    assert rebuilder.steps == 0
    asked = iter([False, False, True])
    search.take_steps(lambda: next(asked), rebuilder)  # asked before each step
    assert rebuilder.steps == 2


def test_programs_that_share_no_line_are_taken_out_alone():
    problem = small(
        programs=[{}, {}],
        cmos=[{}, {}],
        lines=[{"cmo": 0}, {"cmo": 1}],
        offers=[{"program": 0, "line": 0}, {"program": 1, "line": 1}],
    )
    rebuilder = rebuilt(problem, replace(each_cmo(problem, 1.0), threats=()), 5)
    assert len(rebuilder.ruined()) == 1
    assert rebuilder.best.objective == pytest.approx(4 * 50.0)


def test_another_qualified_offer_at_an_engaged_cmo_stands_by():
    """P0 alone at K0 can turn to K1, which P1 engages anyway."""
    problem = small(
        programs=[{"demand": (10.0,) * 3}, {"demand": (10.0,) * 3, "opening": 30.0}],
        cmos=[{}, {"onboarding": 1.0}],
        lines=[{"cmo": 0}, {"cmo": 1}, {"cmo": 1}],
        offers=[
            {"program": 0, "line": 0},
            {"program": 0, "line": 1, "price": 70.0},
            {"program": 0, "line": 1, "price": 80.0, "good": 5.0},
            {"program": 1, "line": 2, "price": 1.0},
        ],
    )
    terms = each_cmo(problem, 1.0)
    rebuilder = Rebuilder(problem, terms, 0)
    other = rebuilder.inserter.placed(rebuilder.standing, 5, np.inf)
    assert other is not None
    rebuilder.standing.add(1, other.entry)
    found = rebuilder.inserter.best(rebuilder.standing, 0)
    assert found is not None
    assert list(found.entry.batches) == [0]
    rebuilder.standing.add(0, found.entry)
    assert rebuilder.standing.relied()
    plan = rebuilder.standing.decision()
    assert broken(problem, plan, terms) == []
    rebuilder.standing.drop(1)
    assert not rebuilder.standing.relied()


def test_two_sources_are_taken_over_beside_a_third_that_could_be_turned_to():
    problem = small(
        programs=[{"demand": (10.0,) * 3}],
        cmos=[{}, {}, {}],
        lines=[{"cmo": k, "days": 5.0} for k in range(3)],
        offers=[{"line": k} for k in range(3)],
        sourcing="dual",
        splits=(0.5,),
    )
    rebuilder = Rebuilder(problem, each_cmo(problem, 1.0), 0)
    rebuilder.standing.programs_at[:] = 1  # so all three are engaged
    option = int(problem.options.start[0]) + 1
    found = rebuilder.inserter.placed(rebuilder.standing, option, np.inf)
    assert found is not None
    batches = list(found.entry.batches.values())
    assert rebuilder.inserter.former(rebuilder.standing, option, batches) is not None


def test_a_single_source_makes_a_quarter_ahead_what_an_outage_could_take():
    problem = small(programs=[{"demand": (0.0, 0.0, 10.0, 10.0), "holding": 0.1}])
    terms = each_cmo(problem, 1.0)
    rebuilder = rebuilt(problem, terms, 5)
    assert broken(problem, rebuilder.decision(), terms) == []
    # two batches, each kept for a quarter: started when needed, an outage would take them
    assert rebuilder.best.objective == pytest.approx(2 * 50.0 + 2 * 10.0 * 0.1)
    assert rebuilder.best.entries[0].batches[0].tolist() == [0, 1, 1, 0]
