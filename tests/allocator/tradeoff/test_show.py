"""What the terminal says of series of plans, and the commands."""

import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

import cli
from allocator.tradeoff.adopting import adopt
from allocator.tradeoff.bridge import STEPS
from allocator.tradeoff.second_sources import NOT_FOUND
from allocator.tradeoff.show import frontier_text, show_comparison, show_frontier, signed
from allocator.tradeoff.show_second import REASONS, knee_text, left_out_lines
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


def test_compare_of_rules_that_cannot_all_hold_names_them_and_exits_4(tmp_path):
    infeasible = TINY.parent / "infeasible"
    text = call(
        "compare", infeasible, "--policies", "single", "--out", tmp_path / "c", *QUICK, code=4
    )
    assert "infeasible" in text
    assert "at most two partners" in text


def test_compare_without_any_plan_exits_5(tmp_path, monkeypatch):
    from allocator.tradeoff.comparison import Comparison

    data = {"plans": [], "bridges": [], "notes": [], "currency": "USD"}
    monkeypatch.setattr("allocator.compare", lambda *_, **__: Comparison(data, {}, tmp_path))
    call("compare", TINY, code=5)


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
    for words in ("by risk removed per money", "One more second source", "At worst"):
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


def shown_with(bridges=(), notes=(), **figures):
    from allocator.tradeoff.figures import FIGURES

    plan = dict.fromkeys(FIGURES) | {"policy": "dual", "scenario": "base", "status": "feasible"}
    plan |= {"exposed_programs": 2, "outages_proven": True, "worst_outage_proven": True}
    data = {"currency": "USD", "plans": [plan | figures], "bridges": bridges, "notes": notes}
    return printed(show_comparison, data)


def test_a_worst_outage_that_is_not_proven_is_shown_with_its_bound():
    worst = {"worst_outage": "cmo A", "worst_outage_money": 9000.0, "worst_outage_bound": 4000.0}
    text = shown_with(**worst, worst_outage_proven=False, outages_proven=False)
    for words in ("2 or fewer", "perhaps cmo A", "at most 9,000", "4,000"):
        assert words in text
    proven = shown_with(**worst | {"worst_outage_bound": 8999.0})
    assert "perhaps" not in proven
    assert "at most" not in proven


def test_a_plan_from_which_no_outage_takes_anything_is_not_untested():
    text = shown_with(exposed_programs=0)
    assert "none" in text
    assert "not computed" not in text


def test_ids_and_notes_are_shown_as_they_are():
    bridge = {"scenario": "base", "from": "single", "to": "dual", "start": 1.0, "end": 1.0}
    bridge |= {"steps": dict.fromkeys(STEPS, 0.0)}
    bridge |= {"changes": [{"program_id": "P[b]", "from": [], "to": []}]}
    text = shown_with(bridges=[bridge], notes=["rule [bold]"])
    assert "P[b]:" in text
    assert "rule [bold]." in text


def test_programs_that_are_not_ranked_are_listed_by_reason():
    left_out = [
        {"program_id": "P1", "reason": "no_fit", "rules": ["rivals"]},
        {"program_id": "P2", "reason": "time", "rules": []},
        {"program_id": "P3", "reason": "time", "rules": []},
    ]
    assert [line.split(":")[1] for line in left_out_lines(left_out)] == [" P1 (rivals)", " P2, P3"]


def test_every_reason_has_words():
    own = {"own_sourcing", "unsourced", "no_pair", "stopped"}
    assert set(REASONS) == own | set(NOT_FOUND.values())


def test_a_frontier_that_may_lack_points_says_why():
    data = {"finished": True, "complete": False, "asked": {"points": 2, "gap": 0.001}}
    rows = [{"gap": 0.0005}, {"gap": 0.0207}]
    text = frontier_text(data | {"points": rows})
    for words in ("Not proven", "--points", "1 of 2 points", "0.10 %", "2.07 %", "--time-limit"):
        assert words in text
    assert "--points" not in frontier_text(data | {"points": rows[:1]})
    assert "No further plan" in frontier_text(data | {"complete": True})


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
