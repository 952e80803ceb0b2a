"""The exact evaluation, by hand: every cost line, every message."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.evaluate import CASH_LINES, chosen_streams, evaluate, rebate
from models.problem import Problem, Rule, StreamTables, window
from models.result import Decision, relative_gap, status_of
from models.stock import released_units, simulate, unsourced_cost
from tests.models.small import small


def plan(
    problem: Problem, option: list[int], batches: dict[int, list[int]], expanded: object = None
) -> Decision:
    flags = np.zeros(len(problem.lines.ids), np.bool_) if expanded is None else np.array(expanded)
    return Decision(np.array(option), {f: np.array(n) for f, n in batches.items()}, flags)


#: One program, everything costs something.
FULL = small(
    programs=[
        {
            "demand": (10, 10),
            "holding": 1,
            "safety": 2,
            "safety_periods": 0.5,
            "opening": 4,
            "shelf": 0.5,
        }
    ],
    cmos=[{"onboarding": 7, "fees": 6, "floor": 300, "tiers": ((100, 0.1), (150, 0.2))}],
    lines=[
        {
            "days": 20,
            "changeover_days": 1,
            "changeover_cost": 3,
            "expansion_days": 5,
            "expansion_cost": 9,
            "expansion_period": 1,
        }
    ],
    offers=[
        {
            "qualified": False,
            "transfer": 11,
            "validation": 13,
            "validation_days": 2,
            "validation_period": 1,
        }
    ],
)


def test_every_cost_line_by_hand() -> None:
    """Q1: 4 + 20 - 10 = 14, of which 5 keep and 9 are scrap; Q2: 5 + 0 - 10, 5 units short."""
    value = evaluate(FULL, plan(FULL, [1], {0: [2, 0]}, [True]))
    assert tuple(value.cash) == CASH_LINES
    assert value.cash == {
        "batches": 100.0,
        "validation": 13.0,
        "transfer": 11.0,
        "changeovers": 3.0,
        "holding": 5.0 + 2 * 9.0,
        "onboarding": 7.0,
        "annual_fees": 6.0,
        "take_or_pay": 300.0 - 113.0,
        "expansions": 9.0,
        "rebates": pytest.approx(-11.3),
    }
    assert value.shortage == 500.0
    assert value.safety_stock == 2 * 5.0
    assert value.program_unmet.tolist() == [5.0]
    assert value.spend.tolist() == [[113.0]]
    assert value.used_days.tolist() == [[11.0, 2.0]]
    # Q1: batches, changeover, 14 units in hand or waiting, onboarding, half the fees, expansion
    assert value.cash_by_period.tolist() == [100 + 3 + 14 + 7 + 3 + 9, 13 + 11 + 9 + 3 + 187]
    assert value.engaged.tolist() == [1]
    assert value.broken == ()
    assert value.cash_cost == pytest.approx(sum(value.cash.values()))
    assert value.objective == pytest.approx(value.cash_cost + 510.0)


def test_unsourced_is_served_from_stock_alone() -> None:
    value = evaluate(FULL, plan(FULL, [0], {}))
    assert value.shortage == 1600.0
    assert value.safety_stock == 2 * (5.0 + 5.0)
    assert value.objective == pytest.approx(1620.0)
    assert unsourced_cost(FULL).tolist() == [1620.0]
    assert not value.engaged.any()


def test_risk_is_weighted() -> None:
    problem = small()
    options = replace(problem.options, risk_cost=np.array([0.0, 40.0]))
    problem = replace(problem, options=options, risk_weight=0.25)
    value = evaluate(problem, plan(problem, [1], {0: [1, 1]}))
    assert value.risk == 10.0
    assert value.program_risk.tolist() == [10.0]
    assert value.objective == 110.0


def test_release_lag_and_the_end_of_the_horizon() -> None:
    problem = small(offers=[{"lag": 1}])
    assert released_units(problem, 0, np.array([2, 3])).tolist() == [0.0, 20.0]
    late = small(offers=[{"lag": 5}])
    assert released_units(late, 0, np.array([2, 3])).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("spend", "paid"), [(99.0, 0.0), (100.0 * (1 - 1e-10), 5.0), (199.0, 9.95), (200.0, 20.0)]
)
def test_rebate_is_that_of_the_highest_tier_on_all_spend(spend: float, paid: float) -> None:
    assert rebate(((100.0, 0.05), (200.0, 0.1)), spend) == pytest.approx(paid)


def test_stock_serves_first_then_keeps_then_scraps() -> None:
    tables = StreamTables(
        demand=np.array([[5.0, 5.0, 5.0]]),
        cap=np.array([[3.0, 3.0, 3.0]]),
        target=np.array([[4.0, 4.0, 4.0]]),
        opening=np.array([1.0]),
    )
    flow = simulate(tables, np.array([[10.0, 1.0, 0.0]]))
    assert flow.stock.tolist() == [[3.0, 0.0, 0.0]]
    assert flow.scrap.tolist() == [[3.0, 0.0, 0.0]]
    assert flow.unmet.tolist() == [[0.0, 1.0, 5.0]]
    assert flow.safety_gap.tolist() == [[1.0, 4.0, 4.0]]


def test_window_counts_a_fraction_of_a_period_and_goes_on_beyond_the_horizon() -> None:
    demand = np.array([[1.0, 2.0, 4.0]])
    assert window(demand, np.array([10.0]), np.array([1.5])).tolist() == [[4.0, 9.0, 15.0]]
    assert window(demand, np.array([10.0]), np.array([0.0])).tolist() == [[0.0, 0.0, 0.0]]


def test_max_batches_fit_the_line_and_are_of_use() -> None:
    roomy = small(programs=[{"shelf": 1}], offers=[{"ready": 1}])
    assert roomy.max_batches.tolist() == [[0, 2]]
    narrow = small(lines=[{"days": 12, "changeover_days": 2, "expansion_days": 5}])
    assert narrow.max_batches.tolist() == [[3, 3]]
    late = small(offers=[{"lag": 1}])
    assert late.max_batches.tolist() == [[9, 0]]


PAIR = {
    "programs": [{}, {}],
    "cmos": [{}, {}],
    "lines": [{}, {"cmo": 1}],
    "offers": [{}, {"program": 1}, {"program": 1, "line": 1, "price": 80}],
}
BOTH_AT_K0 = ([1, 3], {0: [1, 1], 1: [1, 1]})


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (Rule("max_cmos", "A", 0, cmos=(0, 1)), "A: 1 against 0"),
        (Rule("min_cmos", "A", 2, cmos=(0, 1)), "A: 1 against 2"),
        (Rule("max_programs", "A", 1, cmos=(0, 1)), "A: 2 against 1"),
        (Rule("max_spend_share", "A", 0.5, cmos=(0,)), "A: 200 against 0.5"),
        (Rule("not_together", "A", programs=(0, 1)), "A: 2 against 1"),
        (Rule("budget", "A", 150, periods=(0, 1)), "A: 200 against 150"),
        (Rule("force", "A", banned=np.array([3])), "A: 0 against 0"),
    ],
)
def test_a_broken_award_rule_is_named(rule: Rule, message: str) -> None:
    problem = small(**PAIR, rules=[rule])
    assert evaluate(problem, plan(problem, *BOTH_AT_K0)).broken == (message,)


@pytest.mark.parametrize(
    "rule",
    [
        Rule("max_cmos", "A", 1, cmos=(0, 1)),
        Rule("min_cmos", "A", 1, cmos=(0, 1)),
        Rule("max_programs", "A", 2, cmos=(0, 1)),
        Rule("max_spend_share", "A", 1.0, cmos=(0,)),
        Rule("not_together", "A", programs=(0,)),
        Rule("budget", "A", 200, periods=(0, 1)),
        Rule("force", "A", banned=np.array([0])),
        Rule("force", "A"),
    ],
)
def test_a_rule_that_just_holds_is_not_broken(rule: Rule) -> None:
    problem = small(**PAIR, rules=[rule])
    assert evaluate(problem, plan(problem, *BOTH_AT_K0)).broken == ()


def test_other_broken_rules_say_where() -> None:
    problem = small(**PAIR)
    problem = replace(problem, cmos=replace(problem.cmos, max_programs=np.array([1, -1])))
    assert evaluate(problem, plan(problem, *BOTH_AT_K0)).broken == (
        "max_programs: K0 makes 2 programs",
    )
    tight = small(lines=[{"days": 4}], offers=[{"ready": 1}])
    assert evaluate(tight, plan(tight, [1], {0: [1, -1]})).broken == (
        "campaign: F0 runs in 2027Q1, before it is ready",
        "campaign: a negative number of batches",
        "line_days: L0 in 2027Q1 uses 5 of 4 days",
    )
    stray = evaluate(problem, plan(problem, [1, 2], {0: [1, 1], 1: [0, 0], 2: [0, 1]}))
    assert stray.broken == ("campaign: batches of F2, which no option chose",)


def test_a_decision_of_another_problem_is_refused() -> None:
    problem = small(**PAIR)
    with pytest.raises(ValueError, match="not one option per program"):
        evaluate(problem, plan(problem, [1], {}))
    with pytest.raises(ValueError, match="one_option: an option of another program"):
        evaluate(problem, plan(problem, [3, 1], {}))
    dual = small(cmos=[{}, {}], lines=[{}, {"cmo": 1}], offers=[{}, {"line": 1}], sourcing="dual")
    twice = replace(dual, options=replace(dual.options, second=dual.options.first))
    with pytest.raises(ValueError, match="one offer stands twice"):
        evaluate(twice, plan(twice, [1], {}))
    assert chosen_streams(dual, np.array([1])).tolist() == [1, 2]


def test_status_needs_a_bound_that_proves_it() -> None:
    assert status_of(None, 1.0, 0.1) == "no_plan"
    assert status_of(100.0, None, 0.1) == "feasible"
    assert status_of(100.0, 95.0, 0.1) == "optimal"
    assert status_of(100.0, 95.0, 0.01) == "feasible"
    assert status_of(100.0, 100.0 - 1e-5, 0.0) == "optimal"
    assert relative_gap(100.0, 101.0) == 0.0
    assert relative_gap(None, 1.0) is None
