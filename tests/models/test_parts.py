"""Parts of a problem: alone, beside the others, and one CMO."""

from __future__ import annotations

import numpy as np
import pytest

from models.evaluate import evaluate
from models.parts import cmo_part, components, part_alone, part_beside
from models.problem import Rule
from models.relax import relaxation
from models.restrict import service_problem
from models.result import Decision
from models.solve import Settings, solve
from tests.factory import random_problem
from tests.models.small import small

EXACT = Settings(gap=0.0, threads=1)
ROUGH = Settings(gap=0.05, threads=1)


def three(rules=(), **cmo):
    """P0 and P1 share line L0, P2 is alone on L1; each CMO has one line, L2 is P0's other home."""
    return small(
        programs=[{}, {}, {}],
        cmos=[cmo, {}, {}],
        lines=[{"cmo": 0, "days": 12.0}, {"cmo": 1}, {"cmo": 2}],
        offers=[
            {},
            {"line": 2, "price": 70.0},
            {"program": 1},
            {"program": 2, "line": 1},
        ],
        rules=rules,
    )


def all_first(problem):
    option = problem.options.start[:-1] + 1
    batches = {
        int(problem.streams.offer[problem.options.first[o]]): np.array([1, 1]) for o in option
    }
    return Decision(option, batches, np.zeros(len(problem.lines.ids), np.bool_))


def test_programs_that_share_a_line_belong_together():
    assert [c.tolist() for c in components(three())] == [[0, 1], [2]]


def test_a_part_alone_keeps_limits_and_leaves_out_what_others_decide():
    rules = [
        Rule("max_cmos", "few", 1.0, cmos=(0, 1, 2)),
        Rule("min_cmos", "many", 2.0, cmos=(0, 1, 2)),
        Rule("budget", "tight", 1.0, periods=(0,)),
        Rule("not_together", "apart", programs=(1, 2)),
        Rule("forbid", "not L2", banned=np.array([2])),
    ]
    part = part_alone(three(rules), np.array([0, 1]))
    assert [rule.name for rule in part.problem.rules] == ["max_cmos", "not_together", "forbid"]
    assert part.problem.rules[1].programs == (1,)
    assert part.problem.rules[2].banned.tolist() == [2]
    assert part.lines.tolist() == [True, False, True]
    assert part.problem.programs.ids == ("P0", "P1")


def test_beside_the_others_only_their_leavings_are_to_be_had():
    rules = [
        Rule("max_cmos", "few", 2.0, cmos=(0, 1, 2)),
        Rule("min_cmos", "many", 1.0, cmos=(0, 1)),
        Rule("min_cmos", "more", 3.0, cmos=(0, 1, 2)),
        Rule("max_programs", "at most", 2.0, cmos=(0, 1)),
        Rule("max_spend_share", "share", 0.5, cmos=(0,)),
        Rule("not_together", "apart", programs=(0, 1)),
        Rule("not_together", "both", programs=(0, 2)),
        Rule("forbid", "not L2", banned=np.array([2])),
    ]
    problem = three(rules, max_programs=2)
    part = part_beside(problem, np.array([0]), all_first(problem))
    assert part.problem.lines.days[:, 0].tolist() == [7.0, 95.0, 100.0]
    assert part.problem.cmos.max_programs.tolist() == [1, -1, -1]
    found = {rule.label: rule for rule in part.problem.rules}
    assert (found["few"].limit, found["few"].cmos) == (0.0, (2,))
    assert "many" not in found
    assert (found["more"].limit, found["more"].cmos) == (1.0, (2,))
    assert found["at most"].limit == 0.0
    assert "share" not in found
    assert found["apart"].banned.tolist() == [1]  # P1 is at K0
    assert found["both"].banned.tolist() == []
    assert found["not L2"].banned.tolist() == [2]
    both = part_beside(problem, np.array([0, 1]), all_first(problem))
    assert {r.label: r for r in both.problem.rules}["apart"].programs == (0, 1)


def test_expansions_of_the_others_stand():
    problem = small(
        programs=[{}, {}],
        lines=[{"expansion_days": 20.0, "expansion_period": 1}],
        offers=[{}, {"program": 1}],
    )
    plan = all_first(problem)
    plan = Decision(plan.option, plan.batches, np.array([True]))
    part = part_beside(problem, np.array([0]), plan)
    assert part.problem.lines.days[0].tolist() == [95.0, 115.0]
    assert part.problem.lines.expansion_days.tolist() == [0.0]
    mine = part.lower(plan)
    assert not mine.expanded.any()
    assert part.merged(plan, mine).expanded.tolist() == [True]


@pytest.mark.parametrize("seed", range(4))
def test_parts_together_are_the_whole(seed):
    problem = service_problem(random_problem(seed, programs=5, cmos=4, periods=4))
    whole = solve(problem, "highs", ROUGH).decision
    total, merged = 0.0, whole
    for programs in components(problem):
        part = part_alone(problem, programs)
        mine = part.lower(whole)
        total += evaluate(part.problem, mine).objective
        merged = part.merged(merged, mine)
    assert total == pytest.approx(evaluate(problem, whole).objective)
    assert np.array_equal(merged.option, whole.option)
    assert evaluate(problem, merged).objective == pytest.approx(evaluate(problem, whole).objective)


@pytest.mark.parametrize("seed", range(4))
def test_a_better_part_beside_the_others_is_a_better_whole(seed):
    problem = random_problem(seed, programs=4, cmos=3, periods=4, rules=True)
    whole = solve(problem, "highs", Settings(gap=0.3, threads=1)).decision
    service = service_problem(problem)
    for p in range(4):
        part = part_beside(service, np.array([p]), whole)
        mine = part.lower(whole)
        assert evaluate(part.problem, mine).broken == ()
        result = solve(part.problem, "highs", EXACT, mine)
        better = part.merged(whole, result.decision)
        gain = evaluate(part.problem, mine).objective - result.objective
        before, after = evaluate(service, whole), evaluate(service, better)
        assert after.broken == ()
        assert before.objective - after.objective == pytest.approx(gain, abs=1e-4)


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
