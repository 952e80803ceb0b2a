"""The solver `auto`: what it runs, and what it reports."""

from __future__ import annotations

import importlib
from dataclasses import replace

import pytest

from models import auto
from models.compact.awards import AWARDS, LIMITS
from models.patterns.solving import shares_bind
from models.problem import Problem, Rule
from models.solve import LACKS, SOLVERS, Settings, able, solve
from tests.factory import random_problem


def test_small_problems_go_to_the_compact_model():
    problem = random_problem(1, programs=2, cmos=2, periods=3, splits=(0.5,))
    result = solve(problem, "auto", Settings(time_limit=20.0))
    assert result.status == "optimal"
    assert result.solver == "auto"
    assert result.statistics["auto"] == "highs"


def test_larger_ones_to_the_decomposition(monkeypatch):
    problem = random_problem(1, programs=8, cmos=4, periods=6)
    monkeypatch.setattr(auto, "TINY", problem.max_batches.size - 2)
    monkeypatch.setattr(auto, "COMPACT_TOO", problem.max_batches.size - 1)
    result = solve(problem, "auto", Settings(time_limit=20.0, gap=0.05))
    assert result.statistics["auto"] == "patterns"
    assert result.status == "optimal"


@pytest.mark.parametrize("name", ["auto", "patterns", "cpsat"])
def test_no_solver_is_asked_that_lacks_a_rule(monkeypatch, name):
    problem = random_problem(3, programs=3, cmos=3, periods=3, splits=(0.5,))
    free = solve(problem, "highs", Settings(gap=0.0))
    assert free.decision is not None
    risk = float(problem.options.risk_cost[free.decision.option].sum())
    capped = replace(problem, rules=(*problem.rules, Rule("risk_cap", "risk", limit=risk / 2)))
    for lacking in ("patterns", "cpsat"):
        module = importlib.import_module(SOLVERS[lacking][0])
        monkeypatch.setattr(module, "solve", lambda *_: pytest.fail("it lacks the rule"))
    monkeypatch.setattr(auto, "TINY", 0)  # where it could, `auto` would begin with patterns
    found = solve(capped, name, Settings(gap=0.0))
    assert found.decision is not None
    assert problem.options.risk_cost[found.decision.option].sum() <= risk / 2 + 1e-6
    assert found.objective == pytest.approx(solve(capped, "highs", Settings(gap=0.0)).objective)


def test_the_rules_of_every_formulation_are_known():
    lacking = {name for names in LACKS.values() for name in names}
    assert lacking <= set(LIMITS)  # the compact model has whatever another lacks
    for kind in AWARDS:
        assert able("patterns", small_with(kind)) == "patterns"


def small_with(kind: str) -> Problem:
    problem = random_problem(3, programs=2, cmos=2, periods=2, splits=(0.5,))
    return replace(problem, rules=(Rule(kind, kind),))


def test_an_unfinished_first_try_is_handed_on(monkeypatch):
    told = []
    problem = random_problem(1, programs=2, cmos=2, periods=3, splits=(0.5,))
    real = auto.solve_by

    def unfinished(solver, problem, settings, warm_start):
        result = real(solver, problem, settings, warm_start)
        if solver == "highs":
            return replace(result, status="feasible", limit="time", bound=result.bound * 0.9)
        assert warm_start is not None
        return result

    monkeypatch.setattr(auto, "solve_by", unfinished)
    result = solve(problem, "auto", Settings(time_limit=20.0, progress=told.append))
    assert result.statistics["auto"] == "highs, patterns"
    assert result.status == "optimal"
    assert told[-1].bound is not None


def test_in_between_the_compact_model_goes_on_from_the_decomposition(monkeypatch):
    problem = random_problem(1, programs=2, cmos=2, periods=3, splits=(0.5,))
    monkeypatch.setattr(auto, "TINY", problem.max_batches.size - 1)
    monkeypatch.setattr("models.patterns.solving.shares_bind", lambda *_: True)
    real, starts = auto.solve_by, []

    def unfinished(solver, problem, settings, warm_start):
        starts.append((solver, warm_start))
        result = real(solver, problem, settings, warm_start)
        if solver == "patterns":
            return replace(result, status="feasible", limit="time", bound=result.bound * 0.9)
        return result

    monkeypatch.setattr(auto, "solve_by", unfinished)
    result = solve(problem, "auto", Settings(time_limit=20.0))
    assert [solver for solver, _ in starts] == ["patterns", "highs"]
    assert starts[0][1] is None
    assert starts[1][1] is not None
    assert result.statistics["auto"] == "patterns, highs"
    assert result.status == "optimal"


def test_spend_shares_bind_where_they_change_the_relaxation():
    problem = random_problem(1, programs=4, cmos=3, periods=4)
    assert not shares_bind(problem, Settings())
    plan = solve(problem, "patterns", Settings(time_limit=20.0, gap=0.01)).decision
    assert plan is not None
    used = {int(problem.offer_cmo[f]) for f, made in plan.batches.items() if made.sum()}
    for limit, wanted in ((1.0, False), (0.05, True)):
        rule = Rule("max_spend_share", "share", limit=limit, cmos=tuple(used))
        assert shares_bind(replace(problem, rules=(*problem.rules, rule)), Settings()) is wanted


def test_where_no_spend_share_binds_the_decomposition_goes_on_alone(monkeypatch):
    problem = random_problem(1, programs=2, cmos=2, periods=3, splits=(0.5,))
    monkeypatch.setattr(auto, "TINY", problem.max_batches.size - 1)
    result = solve(problem, "auto", Settings(time_limit=20.0))
    assert result.statistics["auto"] == "patterns"
    assert result.status == "optimal"


def test_with_one_period_the_compact_model_goes_on_whatever_the_rules(monkeypatch):
    problem = random_problem(1, programs=4, cmos=3, periods=1)
    monkeypatch.setattr(auto, "TINY", problem.max_batches.size - 1)
    assert auto.order_of(problem, Settings())[0] == ("patterns", "highs")
    real = auto.solve_by

    def unfinished(solver, problem, settings, warm_start):
        result = real(solver, problem, settings, warm_start)
        if solver == "patterns":
            assert settings.time_limit == pytest.approx(2.0)
            return replace(result, status="feasible", limit="time", bound=result.bound * 0.9)
        assert warm_start is not None
        return result

    monkeypatch.setattr(auto, "solve_by", unfinished)
    result = solve(problem, "auto", Settings(time_limit=20.0))
    assert result.statistics["auto"] == "patterns, highs"
    assert result.status == "optimal"
    monkeypatch.setattr(auto, "ONE_PERIOD_TOO", problem.max_batches.size - 1)
    assert auto.order_of(problem, Settings())[0] == ("patterns",)


def test_the_better_plan_and_the_better_bound_are_kept():
    problem = random_problem(1, programs=2, cmos=2, periods=3, splits=(0.5,))
    result = solve(problem, "highs", Settings(time_limit=20.0))
    worse = replace(result, objective=result.objective * 1.5, bound=result.objective, limit="time")
    better = replace(result, bound=0.0, status="feasible")
    both = auto.joined(better, worse, 1e-4)
    assert both.objective == result.objective
    assert both.bound == result.objective
    assert both.status == "optimal"
    assert both.limit is None


def test_a_proof_that_no_plan_exists_stands():
    problem = random_problem(1, programs=2, cmos=2, periods=3, splits=(0.5,))
    result = solve(problem, "highs", Settings(time_limit=20.0))
    none = replace(result, status="infeasible", objective=None, decision=None, bound=None)
    assert auto.joined(result, none, 1e-4).status == "infeasible"


@pytest.mark.parametrize("limit", [None, 9.0])
def test_the_second_solver_gets_the_time_left(limit):
    import time

    problem = random_problem(1, programs=2, cmos=2, periods=3, splits=(0.5,))
    first = solve(problem, "highs", Settings(time_limit=20.0))
    left = auto._left(Settings(time_limit=limit), time.monotonic() - 4.0, first)
    assert (left.time_limit is None) if limit is None else 4.0 < left.time_limit <= 5.0
