"""The compact model end to end: agreement with the evaluation, limits, warm starts, files."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import highspy
import numpy as np
import pytest

from models.compact import name_map, solve, write_model
from models.compact.build import build
from models.compact.highs import HighsSolver
from models.compact.matrix import Matrix, read_matrix
from models.compact.names import safe_ids
from models.compact.plans import decision_of
from models.compact.solving import start_values
from models.evaluate import evaluate
from models.finish import tidied, unsourced_plan, valid_value, without_overload
from models.problem import Problem, Rule
from models.result import Decision
from models.solve import Progress, Settings
from models.solve import solve as solve_by_name
from tests.factory import random_problem
from tests.models.small import small


def random_decision(problem: Problem, seed: int) -> Decision:
    """Any options, any batches within the campaign bound, any expansions."""
    rng = np.random.default_rng(seed)
    start, options = problem.options.start, problem.options
    option = np.array([rng.integers(a, b) for a, b in pairwise(start.tolist())])
    streams = np.concatenate([options.first[option], options.second[option]])
    offers = problem.streams.offer[streams[streams >= 0]]
    batches = {int(f): rng.integers(0, problem.max_batches[f] // 2 + 1) for f in offers}
    expanded = (rng.random(len(problem.lines.ids)) < 0.5) & np.isin(
        np.arange(len(problem.lines.ids)), problem.offers.line[offers]
    )
    return Decision(option, batches, expanded & (problem.lines.expansion_days > 0))


def broken_rows(matrix: Matrix, x: np.ndarray) -> np.ndarray:
    """Rows and columns that `x` breaks."""
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.start))
    activity = np.zeros(matrix.shape[0])
    np.add.at(activity, row, matrix.value * x[matrix.index])
    low, high = matrix.row_low - 1e-7, matrix.row_high + 1e-7
    wrong = (activity < low) | (activity > high)
    outside = (x < matrix.low - 1e-9) | (x > matrix.high + 1e-9)
    return np.concatenate([np.flatnonzero(wrong), -1 - np.flatnonzero(outside)])


@pytest.mark.parametrize("rules", [False, True])
@pytest.mark.parametrize("sourcing", ["single", "dual", "free"])
def test_rows_accept_exactly_the_plans_that_break_no_rule(sourcing: str, rules: bool) -> None:
    """Same feasibility and same objective as `evaluate`, plan by plan, without any solver."""
    accepted = refused = 0
    for seed in range(8):
        problem = random_problem(seed, programs=4, cmos=4, sourcing=sourcing, rules=rules)
        if rules:
            budget = Rule("budget", "budget", 5e4, periods=(0, 1))
            problem = replace(problem, rules=(*problem.rules, budget))
        built = build(problem)
        matrix = read_matrix(built.model.prob)
        for draw in range(6):
            decision = random_decision(problem, 100 * seed + draw)
            value = evaluate(problem, decision)
            x = start_values(built, matrix, decision)
            good = len(broken_rows(matrix, x)) == 0
            assert good == (not value.broken), value.broken
            assert matrix.cost @ x == pytest.approx(value.objective, rel=1e-9)
            back = decision_of(built.model, matrix.columns, x)
            assert np.array_equal(back.option, decision.option)
            assert evaluate(problem, back).objective == pytest.approx(value.objective, rel=1e-12)
            accepted, refused = accepted + good, refused + (not good)
    assert refused > 0
    assert accepted > 0 or rules


@pytest.mark.parametrize("backend", ["highs", "cbc"])
def test_solver_and_evaluation_agree(backend: str) -> None:
    for seed in range(4):
        problem = random_problem(seed, rules=seed % 2 == 1)
        result = solve(problem, Settings(gap=0), backend=backend)
        assert result.status == "optimal"
        assert result.limit is None
        assert result.statistics["solver_objective"] == pytest.approx(result.objective, rel=1e-6)
        assert result.bound is not None
        assert result.objective is not None
        assert result.bound <= result.objective
        assert result.solver == backend
        assert result.log


def test_highs_and_cbc_agree_on_the_bound_interval() -> None:
    for seed in range(6):
        problem = random_problem(seed, sourcing="free", rules=seed % 2 == 0)
        one, two = (solve(problem, Settings(gap=0.01), backend=name) for name in ("highs", "cbc"))
        assert one.status == two.status == "optimal"
        assert one.bound <= two.objective * (1 + 1e-6)  # type: ignore[operator]
        assert two.bound <= one.objective * (1 + 1e-6)  # type: ignore[operator]


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    for backend in ("highs", "cbc"):
        solve(random_problem(3), Settings(gap=0), backend=backend)
    solve(small(rules=[Rule("min_cmos", "two", 2, cmos=(0,))]), Settings())
    assert capfd.readouterr() == ("", "")


def test_a_gap_that_ends_the_search_is_named() -> None:
    result = solve(random_problem(7, sourcing="free"), Settings(gap=0.3))
    assert result.status == "optimal"
    assert result.gap is not None
    assert 1e-6 < result.gap <= 0.3
    assert result.limit == "gap"


@pytest.mark.parametrize("backend", ["highs", "cbc"])
def test_without_time_the_plan_that_makes_nothing_is_offered(backend: str) -> None:
    problem = random_problem(3, programs=10, cmos=5, periods=8)
    result = solve(problem, Settings(time_limit=0.0), backend=backend)
    assert result.status == "feasible"
    assert result.limit == "time"
    assert result.objective is not None
    assert result.objective <= evaluate(problem, unsourced_plan(problem)).objective * (1 + 1e-12)


@pytest.mark.parametrize("backend", ["highs", "cbc"])
def test_without_time_and_with_a_rule_against_that_there_is_no_plan(backend: str) -> None:
    problem = random_problem(3, programs=10, cmos=5, periods=8)
    everything = Rule("force", "all made", banned=problem.options.start[:-1])
    problem = replace(problem, rules=(everything,))
    result = solve(problem, Settings(time_limit=0.0), backend=backend)
    assert result.status in ("no_plan", "feasible")  # a heuristic may find one at once
    if result.status == "no_plan":
        assert (result.decision, result.objective, result.gap) == (None, None, None)
    assert result.limit == "time"


@pytest.mark.parametrize("backend", ["highs", "cbc"])
def test_stop_ends_with_the_best_plan_so_far(backend: str) -> None:
    problem = random_problem(3, programs=8, cmos=5, periods=8)
    messages: list[Progress] = []
    asked: list[float] = []

    def stop() -> bool:
        asked.append(time.monotonic())
        return len(messages) > 0 or len(asked) > 100

    settings = Settings(gap=0, progress=messages.append, stop=stop)
    result = solve(problem, settings, backend=backend)
    assert result.status == "feasible"
    assert result.limit == "interrupt"
    assert result.decision is not None
    assert all(message.phase == backend for message in messages)


def test_ctrl_c_ends_with_the_best_plan_so_far() -> None:
    def stop() -> bool:
        raise KeyboardInterrupt

    result = solve(random_problem(3, programs=8, cmos=5, periods=8), Settings(gap=0, stop=stop))
    assert (result.status, result.limit) == ("feasible", "interrupt")


def test_a_failure_of_highs_is_an_error_not_a_result(monkeypatch: pytest.MonkeyPatch) -> None:
    solver = HighsSolver(read_matrix(build(small()).model.prob), 1, 0)
    for status in ("kSolveError", "kModelError"):
        kind = getattr(highspy.HighsModelStatus, status)
        monkeypatch.setattr(solver.highs, "getModelStatus", lambda kind=kind: kind)
        with pytest.raises(RuntimeError, match="HiGHS failed"):
            solver.run(Settings(), None)


@pytest.mark.parametrize("backend", ["highs", "cbc"])
def test_warm_start_is_taken(backend: str) -> None:
    problem = random_problem(5, sourcing="free", rules=True)
    first = solve(problem, Settings(gap=0), backend=backend)
    again = solve(problem, Settings(gap=0), first.decision, backend)
    assert again.statistics["warm_start"] == "taken"
    assert again.objective == first.objective


def test_a_warm_start_that_breaks_rules_is_refused_and_does_no_harm() -> None:
    problem = random_problem(5, sourcing="free", rules=True)
    bad = replace(unsourced_plan(problem), expanded=np.ones(len(problem.lines.ids), np.bool_))
    result = solve(problem, Settings(gap=0), bad)
    assert result.statistics["warm_start"] == "refused"
    assert result.status == "optimal"


def test_a_warm_start_is_kept_where_the_time_ends_before_anything_better() -> None:
    good = Decision(np.array([1]), {0: np.array([1, 1])}, np.array([False]))
    result = solve(small(), Settings(time_limit=0.0), good)
    assert result.objective == pytest.approx(100)
    assert result.decision is not None
    assert np.array_equal(result.decision.option, good.option)


def test_batches_above_the_campaign_bound_are_no_plan_of_the_model() -> None:
    problem = small()
    wasteful = Decision(np.array([1]), {0: np.array([10, 0])}, np.array([False]))
    assert evaluate(problem, wasteful).broken == ()
    assert valid_value(problem, wasteful) is None


def test_seed_and_threads_repeat_the_plan() -> None:
    problem = random_problem(4, sourcing="free")
    one, two = (solve(problem, Settings(gap=0.02, seed=7)) for _ in range(2))
    assert one.objective == two.objective
    assert one.decision is not None
    assert two.decision is not None
    assert np.array_equal(one.decision.option, two.decision.option)
    other = solve(problem, Settings(gap=0.02, seed=7, threads=2))
    assert other.status == "optimal"


def test_unknown_backend_and_solver() -> None:
    with pytest.raises(ValueError, match="no backend 'glpk'"):
        solve(small(), Settings(), backend="glpk")
    with pytest.raises(ValueError, match="no solver 'glpk'; there are"):
        solve_by_name(small(), "glpk")


def test_infinite_numbers_are_refused_before_solving() -> None:
    problem = small()
    broken = replace(problem, offers=replace(problem.offers, price=np.array([np.nan])))
    with pytest.raises(ValueError, match=r"the cost of batches.F0,2027Q1. is not a finite"):
        solve(broken, Settings())
    late = replace(problem, offers=replace(problem.offers, validation_days=np.array([np.inf])))
    with pytest.raises(ValueError, match=r"line_days.L0,2027Q1. has a number that is not finite"):
        solve(late, Settings())


def test_highs_refuses_a_matrix_out_of_order() -> None:
    matrix = read_matrix(build(small()).model.prob)
    broken = replace(matrix, index=matrix.index + 1000)
    with pytest.raises(ValueError, match="HiGHS refused the model"):
        HighsSolver(broken, 1, 0)


def test_expansions_that_nobody_needs_are_dropped() -> None:
    problem = small(lines=[{"days": 5, "expansion_days": 5, "expansion_cost": 1}])
    flags = np.array([True])
    idle = Decision(np.array([1]), {0: np.array([1, 1])}, flags)
    busy = Decision(np.array([1]), {0: np.array([2, 1])}, flags)
    assert not tidied(problem, idle).expanded.any()
    assert tidied(problem, busy).expanded.all()


def test_an_overload_by_a_hair_costs_one_batch() -> None:
    problem = small(
        programs=[{}, {}], lines=[{"days": (15, 100)}], offers=[{"days": 5}, {"program": 1}]
    )
    full = Decision(np.array([1, 3]), {0: np.array([2, 1]), 1: np.array([2, 1])}, np.array([False]))
    fixed = without_overload(problem, full)
    assert evaluate(problem, full).broken
    assert evaluate(problem, fixed).broken == ()
    assert sum(int(n.sum()) for n in fixed.batches.values()) == 5
    validation = small(lines=[{"days": 2}], offers=[{"validation_days": 3}])
    hopeless = Decision(np.array([1]), {0: np.array([0, 0])}, np.array([False]))
    assert evaluate(validation, without_overload(validation, hopeless)).broken


def test_ids_that_collapse_stay_apart() -> None:
    assert safe_ids(["CMO-A", "CMO A", "CMO_A~2", "CMO_A", ""]) == (
        "CMO_A",
        "CMO_A~2",
        "CMO_A_2",
        "CMO_A~3",
        "_",
    )
    assert len(set(safe_ids([f"{'x' * 30}{i}" for i in range(20)]))) == 20
    assert max(map(len, safe_ids(["y" * 99]))) == 24


@pytest.mark.parametrize("ending", ["lp", "mps"])
def test_files_say_the_same_in_another_reader(tmp_path: Path, ending: str) -> None:
    problem = random_problem(3, rules=True)
    ids = ("CMO-A", "CMO A", "K [ü]->x/y, z")
    problem = replace(problem, cmos=replace(problem.cmos, ids=ids))
    path = tmp_path / f"model.{ending}"
    write_model(problem, path)
    text = path.read_text(encoding="utf-8")
    assert "CMO_A~2 is 'CMO A'" in text.splitlines()[1]
    assert "line_days(L000,2027Q1)" in text
    highs = highspy.Highs()
    highs.silent()
    assert highs.readModel(str(path)) == highspy.HighsStatus.kOk
    highs.run()
    best = solve(problem, Settings(gap=0)).objective
    assert highs.getObjectiveValue() == pytest.approx(best, rel=1e-6)
    names = [highs.getColName(j)[1] for j in range(highs.getNumCol())]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) < 100


def test_name_map_leads_back_to_the_tables() -> None:
    problem = replace(small(), year_labels=("2027/28",))
    assert name_map(problem)["year"] == {"2027_28": "2027/28"}
    assert name_map(problem)["offer"] == {"F0": "F0"}


def test_other_endings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"model\.txt: give a file that ends in"):
        write_model(small(), tmp_path / "model.txt")


def test_a_rule_that_no_variable_can_meet_is_infeasible_not_lost() -> None:
    problem = small(
        programs=[{}],
        cmos=[{}, {}],
        rules=[Rule("min_cmos", "K1 engaged", 1, cmos=(1,))],
    )
    result = solve(problem, Settings())
    assert (result.status, result.conflict) == ("infeasible", ("K1 engaged",))
