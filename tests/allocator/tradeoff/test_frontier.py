"""The frontier of cost and risk: exactly the plans that trying every plan leaves unbeaten."""

import csv
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

import allocator
from allocator.compile import compile_problem
from allocator.errors import NoPlan, RulesConflict, Usage
from allocator.read import read_portfolio
from allocator.tradeoff import frontier_job
from allocator.tradeoff.pareto import TIE, Bound, Point, Search, non_dominated, supported
from models.evaluate import evaluate
from models.problem import Rule
from tests.brute_force import brute_force

INSTANCES = Path(__file__).resolve().parents[3] / "instances"
TINY = INSTANCES / "tiny"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Every point of tiny, down to no risk at all."""
    out = tmp_path_factory.mktemp("frontier") / "out"
    return allocator.frontier(
        TINY, 100, solver="highs", gap=0.0, greatest_weight=1e6, time_limit=None, out=out
    )


def every_point():
    """Cost and risk of every unbeaten plan, from cheap to safe, by exhaustive search."""
    problem = compile_problem(read_portfolio(TINY, None)).problem
    problem = replace(problem, risk_weight=TIE)
    found, cap = [], None
    while True:
        rules = () if cap is None else (Rule("risk_cap", "cap", limit=cap),)
        _, plan = brute_force(replace(problem, rules=(*problem.rules, *rules)))
        value = evaluate(problem, plan)
        risk = float(problem.options.risk_cost[plan.option].sum())
        found.append((value.cash_cost + value.shortage_cost, risk))
        if risk <= 0:
            return found
        cap = risk * (1 - 1e-6)


def test_points_are_exactly_the_unbeaten_plans(whole):
    expected = every_point()
    assert whole.data["complete"]
    rows = whole.data["points"]
    assert [row["risk"] for row in rows] == pytest.approx([risk for _, risk in expected])
    assert [row["cost"] for row in rows] == pytest.approx([cost for cost, _ in expected])
    assert not all(row["supported"] for row in rows)


def test_every_point_is_proven(whole):
    for row in whole.data["points"]:
        assert row["bound"] <= row["cost"]
        assert row["gap"] == pytest.approx(0.0, abs=2e-6)


def test_price_of_risk_is_the_slope_between_points(whole):
    rows = whole.data["points"]
    assert rows[0]["price_of_risk"] is None
    for before, after in pairwise(rows):
        bought = before["risk"] - after["risk"]
        assert after["price_of_risk"] * bought == pytest.approx(after["cost"] - before["cost"])


def test_every_point_is_an_audited_run(whole):
    for row in whole.data["points"]:
        folder = whole.folder / row["folder"]
        assert allocator.verify(folder).passed
        plan = json.loads((folder / "plan.json").read_text())
        assert plan["cash_cost"] + plan["shortage_cost"] == pytest.approx(row["cost"])


def test_files(whole):
    assert json.loads((whole.folder / "frontier.json").read_text()) == whole.data
    with (whole.folder / "frontier.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [float(row["cost"]) for row in rows] == [row["cost"] for row in whole.data["points"]]


def test_fewer_points_are_a_part_of_them_with_both_ends(whole):
    few = allocator.frontier(TINY, 4, solver="highs", gap=0.0, greatest_weight=1e6)
    all_rows = [(row["cost"], row["risk"]) for row in whole.data["points"]]
    rows = [(row["cost"], row["risk"]) for row in few.data["points"]]
    assert len(rows) == 4
    for row in rows:
        assert any(row == pytest.approx(other) for other in all_rows)
    assert rows[0] == pytest.approx(all_rows[0])
    assert rows[-1] == pytest.approx(all_rows[-1])
    assert few.folder is None


def test_the_safe_end_pays_at_most_the_greatest_weight():
    found = allocator.frontier(TINY, 100, solver="highs", gap=0.0, greatest_weight=10.0)
    assert all(row["price_of_risk"] <= 10.0 for row in found.data["points"][1:])
    assert len(found.data["points"]) == 3


def test_it_goes_on_where_it_was_stopped(tmp_path, monkeypatch):
    phases = []

    def stop():
        return any(phase.startswith("3 of") for phase in phases)

    options = {"solver": "highs", "gap": 0.0, "out": tmp_path / "out"}
    halted = allocator.frontier(
        TINY, progress=lambda state: phases.append(state.phase), stop=stop, **options
    )
    assert not halted.data["finished"]
    assert not halted.data["complete"]
    solved = []
    real = frontier_job.solve_task

    def watched(task, *rest):
        done = real(task, *rest)
        solved.append(done.reused)
        return done

    monkeypatch.setattr(frontier_job, "solve_task", watched)
    resumed = allocator.frontier(TINY, **options)
    assert resumed.data["finished"]
    assert sum(solved) == 3
    again = allocator.frontier(TINY, **options)
    assert again.data == resumed.data


@pytest.mark.parametrize(
    "wrong",
    [{"points": 1}, {"greatest_weight": 0.0}, {"sourcing": "secure"}, {"sourcing": "x"}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_bad_options_are_refused(wrong):
    with pytest.raises(Usage):
        allocator.frontier(TINY, **wrong)


def test_a_policy_that_asks_for_secure_plans_must_be_overridden(tmp_path):
    for file in TINY.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    policy = (TINY / "policy.toml").read_text().replace('sourcing = "free"', 'sourcing = "secure"')
    (tmp_path / "policy.toml").write_text(policy)
    with pytest.raises(Usage, match="--sourcing free"):
        allocator.frontier(tmp_path, solver="highs")


def test_more_points_than_asked_lose_the_most_crowded():
    front = [point(0.0, 10.0), point(0.1, 9.9), point(5.0, 5.0), point(9.0, 0.0)]
    assert min((1, 2), key=lambda i: frontier_job._room(front, i)) == 1


def test_no_plan_before_the_limit_is_said():
    with pytest.raises(NoPlan, match="more time"):
        frontier_job._refuse([None])


def test_rules_that_cannot_hold_are_named():
    with pytest.raises(RulesConflict, match="cannot all hold"):
        allocator.frontier(INSTANCES / "infeasible", solver="highs")


def point(cost, risk):
    return Point(cost, risk, f"{cost}-{risk}", {})


def test_beaten_points_fall_away():
    points = [point(5, 5), point(1, 9), point(6, 5), point(5, 4), point(9, 9)]
    front = non_dominated(points)
    assert [(p.cost, p.risk) for p in front] == [(1, 9), (5, 4)]
    assert front[0].beats(points[-1])
    assert not points[0].beats(points[0])


def test_supported_points_are_the_lower_hull():
    points = [point(0, 10), point(4, 8), point(5, 5), point(10, 0)]
    assert supported(points) == [True, False, True, True]


def test_bounds_hold_only_within_their_cap():
    assert Bound(10.0, 2.0, None).cost_at(3.0) == 4.0
    assert Bound(10.0, 2.0, 2.0).cost_at(3.0) is None


def asked(search, count=3):
    return [(step.weight, step.cap) for step in search.steps(count)]


def test_a_box_that_is_proven_empty_is_not_searched():
    search = Search(gap=0.0)
    search.note(point(1.0, 10.0), Bound(1.0, 0.0, None))
    search.note(point(5.0, 2.0), None)
    assert asked(search) == [(0.5, None)]
    assert asked(search) == [(TIE, 6.0)]
    # within risk 6 nothing is cheaper than 5: the room above 6 is left, from its top down
    search.note(point(5.0, 2.0), Bound(5.0, 0.0, 6.0))
    assert asked(search) == [(TIE, pytest.approx(10.0 * (1 - 1e-5)))]
    assert asked(search) == []
    assert not search.complete
    search.note(None, Bound(5.0, 0.0, 10.0 * (1 - 1e-5)))
    assert asked(search) == []
    assert search.complete


def test_a_line_that_nothing_lies_below_is_not_searched_by_weight():
    search = Search(gap=0.0)
    # cost + w x risk of the two points is 6 at 0.5, which bounds at 0 and 1 do not prove ...
    search.note(point(1.0, 10.0), Bound(0.0, 0.0, None))
    search.note(point(5.0, 2.0), Bound(7.0, 1.0, None))
    assert asked(search, 1) == [(0.5, None)]
    # ... but these do: 6 lies halfway between 5 and 7
    proven = Search(gap=0.0)
    proven.note(point(1.0, 10.0), Bound(5.0, 0.0, None))
    proven.note(point(5.0, 2.0), Bound(7.0, 1.0, None))
    assert asked(proven, 1) == [] or asked(proven, 1)[0][1] is not None


def test_one_point_leaves_nothing_to_search():
    search = Search(gap=0.0)
    search.note(point(1.0, 0.0), None)
    assert search.steps(5) == []
