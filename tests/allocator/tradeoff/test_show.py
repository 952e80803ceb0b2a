"""What the terminal says of series of plans, and the commands."""

import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

import cli
from allocator.tradeoff.adopting import adopt
from allocator.tradeoff.show import show_comparison, show_frontier, signed
from allocator.tradeoff.show_second import knee_text
from allocator.tradeoff.tasks import Done, Task, solve_task

TINY = Path(__file__).resolve().parents[3] / "instances" / "tiny"
QUICK = ("--solver", "highs", "--gap", "0", "--threads", "1")


def call(*words, code=0):
    done = CliRunner().invoke(cli.main, [str(word) for word in words])
    assert done.exit_code == code, done.output + repr(done.exception)
    return done.output


def test_compare_shows_plans_bridges_and_who_moves(tmp_path):
    text = call("compare", TINY, "--policies", "single,free", "--out", tmp_path / "c", *QUICK)
    for words in ("Plans side by side", "single to free", "all cost", "programs exposed", "P1"):
        assert words in text
    data = json.loads(
        call(
            "compare", TINY, "--policies", "single,free", "--out", tmp_path / "c", "--json", *QUICK
        )
    )
    assert data == json.loads((tmp_path / "c" / "comparison.json").read_text())


def test_compare_without_any_plan_exits_5(tmp_path):
    infeasible = TINY.parent / "infeasible"
    text = call(
        "compare", infeasible, "--policies", "single", "--out", tmp_path / "c", *QUICK, code=5
    )
    assert "infeasible" in text


def test_compare_of_an_unknown_policy_exits_2():
    assert "triple" in call("compare", TINY, "--policies", "triple", code=2)


def test_frontier_shows_points(tmp_path):
    text = call("frontier", TINY, "--points", "3", "--out", tmp_path / "f", *QUICK)
    assert "Cost against risk" in text
    data = json.loads(
        call("frontier", TINY, "--points", 3, "--out", tmp_path / "f", "--json", *QUICK)
    )
    assert len(data["points"]) == 3


def test_second_shows_ranking_curve_and_stock(tmp_path):
    text = call("second", TINY, "--most", "1", "--out", tmp_path / "s", *QUICK)
    for words in ("by risk removed per money", "One more second source", "no stock needed"):
        assert words in text
    again = call("second", TINY, "--most", "1", "--out", tmp_path / "s", "--json", *QUICK)
    assert json.loads(again)["schema"] == "allocator-second/1"


def printed(show, data):
    stream = io.StringIO()
    show(Console(file=stream, width=140), data)
    return stream.getvalue()


def test_what_was_not_computed_is_said_and_no_figure_made_up():
    from allocator.tradeoff.figures import FIGURES

    plan = dict.fromkeys(FIGURES) | {"policy": "secure", "scenario": "base", "status": "no_plan"}
    data = {"currency": "USD", "plans": [plan], "bridges": [], "notes": ["stopped"]}
    text = printed(show_comparison, data)
    assert "no plan found" in text
    assert text.count("not computed") == 2
    assert "Note: stopped." in text


def test_a_frontier_stopped_early_says_how_to_go_on():
    row = dict.fromkeys(
        ("number", "cost", "risk", "bound", "gap", "price_of_risk", "on_time_share"), 1.0
    )
    row |= {"supported": False, "programs_single": 1, "programs_dual": 0}
    text = printed(
        show_frontier,
        {"currency": "USD", "points": [row], "complete": False, "finished": False},
    )
    assert "same --out" in text
    assert "* above the line" in text


@pytest.mark.parametrize(
    ("amount", "text"), [(1234.0, "+1,234"), (-5.0, "-5.00"), (0.0, "0.00"), (-0.001, "0.00")]
)
def test_money_with_its_sign(amount, text):
    assert signed(amount) == text


def test_a_curve_without_a_knee_says_so():
    assert knee_text({"knee": None, "cheapest": 2}).startswith("The curve has no knee")


def test_a_cheaper_plan_is_adopted_with_the_bound_that_is_proven(tmp_path):
    def task(policy):
        return Task(tmp_path / policy, TINY, sourcing=policy, solver="highs", gap=0.0)

    free, single = solve_task(task("free")), solve_task(task("single"))
    # as if the search for free had ended with a plan dearer than that of single
    dear = Done(free.folder, free.plan | {"objective": 2e6, "bound": 1.1e6})
    taken = adopt(task("free"), dear, single)
    assert taken.plan["objective"] == pytest.approx(single.plan["objective"])
    assert taken.plan["bound"] == pytest.approx(1.1e6)
    assert taken.plan["status"] == "feasible"
    assert taken.plan["sourcing"] == "free"
    # a plan that is no cheaper changes nothing
    assert adopt(task("free"), free, single) is free


def test_each_policy_goes_on_from_the_cheapest_plan_it_allows(tmp_path):
    from allocator.tradeoff import comparison
    from allocator.tradeoff.crew import Crew

    study = comparison.Study(
        TINY, tmp_path, Crew(), {"base": None}, ["single", "free"], (), "highs", 0.0, None, 0
    )
    comparison._adopt(study, "base", "single")  # without a plan there is nothing to compare
    assert not study.done
    free = solve_task(study.task("base", "free"))
    single = solve_task(study.task("base", "single"))
    # as if the search for single had ended with a dear plan, that for free with the best single one
    study.done["base", "single"] = Done(single.folder, single.plan | {"objective": 2e6})
    study.done["base", "free"] = Done(single.folder, single.plan)
    comparison._adopt(study, "base", "single")
    assert study.done["base", "single"].plan["objective"] == single.plan["objective"]
    # two sources are no plan of single
    dear = Done(single.folder, single.plan | {"objective": 2e6})
    study.done["base", "single"], study.done["base", "free"] = dear, free
    if any(p["option"] == "dual" for p in free.plan["programs"]):
        comparison._adopt(study, "base", "single")
        assert study.done["base", "single"] is dear
