"""CP-SAT: scaling, its error, and behaviour at limits. Plans: the tests over every solver."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from models.cpsat import solve
from models.cpsat.awards import AWARDS
from models.cpsat.model import CpModel, new_model
from models.cpsat.plans import add_hint, decision_of
from models.cpsat.running import run
from models.cpsat.scaling import LARGEST, choose_scales, divisor, relaxed
from models.evaluate import evaluate
from models.finish import unsourced_plan
from models.problem import Problem, Rule
from models.solve import Progress, Settings
from models.stock import flow_cost, simulate
from tests.factory import random_problem
from tests.models.small import small
from tests.models.test_compact import random_decision


def test_decimal_quantities_are_exact_with_few_parts() -> None:
    problem = small(programs=[{"demand": (10.5, 8), "opening": 3, "after": 10}])
    scales = choose_scales(problem, 1e-4)
    assert scales.parts.tolist() == [20]  # 10 units in halves
    assert scales.demand.tolist() == [[21, 16]]
    assert scales.opening.tolist() == [6]
    assert scales.stream_error.tolist() == [0.0]


def test_other_quantities_are_rounded_and_the_error_covers_the_flow() -> None:
    """Costs of the flow on rounded quantities stay within the stated error, stream by stream."""
    rng = np.random.default_rng(1)
    for seed in range(6):
        problem = random_problem(seed, programs=4, cmos=4, periods=6)
        scales = choose_scales(problem, 0.3)
        assert scales.parts.max() <= 10_000
        streams = np.arange(len(problem.streams.offer))
        offer = problem.streams.offer
        program = problem.offers.program[offer]
        tables = problem.stream_tables(streams)
        unit = (problem.offers.good_per_batch / scales.parts)[offer][:, None]
        batches = rng.integers(0, 3, (len(streams), problem.periods))
        released = batches * problem.offers.good_per_batch[offer][:, None]
        rounded = replace(
            tables,
            demand=scales.demand * unit,
            cap=scales.cap * unit,
            target=scales.target * unit,
            opening=scales.opening * unit[:, 0],
        )
        exact, other = (
            sum(flow_cost(problem, program, simulate(t, released))) for t in (tables, rounded)
        )
        assert np.all(np.abs(exact - other) <= scales.stream_error + 1e-9)
        assert scales.stream_error.max() > 0


def test_a_smaller_gap_gives_a_smaller_error() -> None:
    problem = random_problem(3)
    errors = [new_model(problem, gap).error for gap in (0.1, 1e-3, 0.0)]
    assert errors[0] > errors[1] > errors[2] > 0


def test_every_plan_has_a_counterpart_within_the_error() -> None:
    """The claim of models/cpsat.md, by fixing random plans in the model."""
    checked = 0
    for seed in range(6):
        problem = random_problem(seed, programs=3, cmos=3, rules=seed % 2 == 0, sourcing="free")
        for draw in range(8):
            decision = random_decision(problem, 10 * seed + draw)
            value = evaluate(problem, decision)
            model = new_model(problem, 0.01)
            fix(model, decision)
            answer = run(model, Settings(gap=0), None)
            if value.broken:
                continue
            checked += 1
            assert answer.found
            assert answer.objective is not None
            assert answer.objective / model.scales.money <= value.objective + model.error
            again = decision_of(model, answer.solver.value)
            assert evaluate(problem, again).objective == pytest.approx(value.objective)
    assert checked >= 5


def fix(model: CpModel, decision: object) -> None:
    """Bind choices, batches and expansions to those of a plan."""
    values: dict[int, int] = {}
    add_hint(model, decision)  # type: ignore[arg-type]
    proto = model.cp.proto.solution_hint
    values = dict(zip(proto.vars, proto.values, strict=True))
    for variable in [*model.choose, *model.batches.values(), *model.expanded.values()]:
        model.cp.add(variable == values[variable.index])


def test_relaxed_rows_are_exact_where_decimals_are_few() -> None:
    whole, limit = relaxed(np.array([0.1, 2.25]), np.array([9.0, 9.0]), 0.3)
    assert (whole.tolist(), limit) == ([10, 225], 30)


def test_relaxed_rows_never_lose_a_solution() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        values = rng.normal(size=4) * 10 ** rng.uniform(-3, 3)
        point = rng.integers(0, 50, 4)
        limit = float(values @ point)  # just fits
        whole, room = relaxed(values, np.full(4, 50.0), limit)
        assert int(whole @ point) <= room
        loose = float(values @ point) - 1e-4 * float(np.abs(values) @ np.full(4, 50.0))
        whole, room = relaxed(values, np.full(4, 50.0), loose)
        assert int(whole @ point) > room


def test_large_numbers_stay_within_64_bits() -> None:
    whole, limit = relaxed(np.array([1e12 / 3]), np.array([1e6]), 1e15)
    assert float(whole[0]) * 1e6 <= 10 * LARGEST
    assert limit < 2**62
    assert divisor(np.array([1e20]), np.array([1.0])) == 1
    assert divisor(np.array([0.0]), np.array([1.0])) == 1


def test_the_statistics_declare_the_scaling() -> None:
    result = solve(random_problem(3, programs=2, cmos=2, periods=3), Settings(gap=1e-3))
    assert result.solver == "cpsat"
    assert {"money_scale", "most_parts_per_batch", "rounding_error"} <= set(result.statistics)
    assert result.log
    assert result.bound is not None
    assert result.objective is not None
    assert 0 < float(result.statistics["rounding_error"]) < 1e-3 * result.objective


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    solve(random_problem(3), Settings(gap=1e-2))
    assert capfd.readouterr() == ("", "")


def test_warm_start_is_a_complete_hint() -> None:
    problem = random_problem(3, rules=True)
    first = solve(problem, Settings(gap=1e-3))
    again = solve(problem, Settings(gap=1e-3), first.decision)
    assert again.status == "optimal"
    assert "complete_hint" in again.log or "hint" in again.log


def test_stop_ends_with_the_best_plan_so_far() -> None:
    problem = random_problem(3, programs=14, cmos=6, periods=10)
    messages: list[Progress] = []
    asked: list[float] = []

    def stop() -> bool:
        asked.append(time.monotonic())
        return any(message.objective is not None for message in messages) or len(asked) > 400

    result = solve(problem, Settings(gap=0, progress=messages.append, stop=stop))
    assert result.status == "feasible"
    assert result.limit == "interrupt"
    assert result.decision is not None


def test_ctrl_c_ends_with_the_best_plan_so_far() -> None:
    def stop() -> bool:
        raise KeyboardInterrupt

    result = solve(random_problem(3, programs=14, cmos=6, periods=10), Settings(gap=0, stop=stop))
    assert (result.status, result.limit) == ("feasible", "interrupt")


def test_numbers_beyond_64_bits_are_an_error_not_a_result() -> None:
    model = new_model(small(), 0.0)
    huge = model.number(2**61, "huge")
    model.add([2**61], [huge], "<=", 1)
    with pytest.raises(ValueError, match="CP-SAT refused the model"):
        run(model, Settings(), None)


def test_an_error_inside_the_search_reaches_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    from ortools.sat.python import cp_model

    def broken(*_: object) -> None:
        raise RuntimeError("out of luck")

    monkeypatch.setattr(cp_model.CpSolver, "solve", broken)
    with pytest.raises(RuntimeError, match="out of luck"):
        run(new_model(small(), 0.0), Settings(), None)


def test_budgets_over_every_cost_line_agree_with_the_compact_model() -> None:
    """Tight budgets per period on problems with every cost, none of them whole numbers."""
    from models.compact import solve as solve_compact

    for seed in (1, 2):
        problem = random_problem(seed, sourcing="free")
        free = solve_compact(problem, Settings(gap=0))
        assert free.decision is not None
        cash = evaluate(problem, free.decision).cash_by_period
        rules = tuple(
            Rule("budget", f"budget {t}", 0.97 * float(cash[t]), periods=(t,)) for t in range(4)
        )
        tight = replace(problem, rules=rules)
        one, two = solve_compact(tight, Settings(gap=0)), solve(tight, Settings(gap=1e-3))
        assert one.status == two.status == "optimal"
        assert one.objective is not None
        assert two.objective is not None
        assert two.bound is not None
        assert one.objective > (free.objective or 0.0)
        assert two.bound <= one.objective * (1 + 1e-6)
        assert one.objective <= two.objective * (1 + 1e-6)


def test_without_time_the_plan_that_makes_nothing_is_offered() -> None:
    problem = random_problem(3, programs=10, cmos=5, periods=8)
    result = solve(problem, Settings(time_limit=0.0))
    assert result.status == "feasible"
    assert result.limit == "time"
    worst = evaluate(problem, unsourced_plan(problem)).objective
    assert result.objective is not None
    assert result.objective <= worst * (1 + 1e-12)


def test_same_seed_same_plan_on_one_thread_and_on_two() -> None:
    problem = random_problem(4, programs=2, periods=3, sourcing="free")
    for threads in (1, 2):
        settings = Settings(gap=0.01, seed=5, threads=threads)
        one, two = solve(problem, settings), solve(problem, settings)
        assert one.decision is not None
        assert two.decision is not None
        assert np.array_equal(one.decision.option, two.decision.option)
        assert one.objective == two.objective


def test_unknown_award_rule_is_named() -> None:
    with pytest.raises(ValueError, match="no award rule 'typo'; there are max_cmos"):
        solve(small(rules=[Rule("typo", "typo")]), Settings())


def test_award_rules_are_those_of_the_compact_model() -> None:
    from models.compact.awards import AWARDS as COMPACT

    assert set(AWARDS) == set(COMPACT)


def test_a_rule_that_no_variable_can_meet_is_infeasible() -> None:
    problem = small(cmos=[{}, {}], rules=[Rule("min_cmos", "K1", 1, cmos=(1,))])
    result = solve(problem, Settings())
    assert (result.status, result.conflict, result.bound) == ("infeasible", ("K1",), None)


def test_free_lunch_problem_without_any_cost() -> None:
    """No demand, no prices: the objective is 0 and there is nothing to scale by."""
    problem = small(programs=[{"demand": (0, 0), "after": 0}], offers=[{"price": 0}])
    result = solve(problem, Settings(gap=0))
    assert result.status == "optimal"
    assert result.objective == 0


def large(problem: Problem, factor: float) -> Problem:
    """The same problem in a currency of smaller units."""
    p, o = problem.programs, problem.offers
    return replace(
        problem,
        programs=replace(p, shortage_price=p.shortage_price * factor),
        offers=replace(o, price=o.price * factor),
    )


@pytest.mark.parametrize("factor", [1e-6, 1e9])
def test_any_currency_will_do(factor: float) -> None:
    base = solve(small(programs=[{"demand": (7.3, 11.1)}]), Settings(gap=0))
    other = solve(large(small(programs=[{"demand": (7.3, 11.1)}]), factor), Settings(gap=0))
    assert other.status == "optimal"
    assert base.objective is not None
    assert other.objective == pytest.approx(base.objective * factor, rel=1e-6)
