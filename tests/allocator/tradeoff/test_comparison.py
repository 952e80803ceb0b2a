"""Plans side by side: the same figures as brute force, nested, summing, resumable."""

import csv
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

import allocator
from allocator.compile import compile_problem
from allocator.engine import SOURCING
from allocator.errors import BadData, Usage
from allocator.read import read_portfolio
from allocator.record import sha256
from allocator.tradeoff.bridge import cost_bridge
from allocator.tradeoff.comparison import scenario_names
from allocator.tradeoff.figures import outage_figures
from allocator.tradeoff.files import open_folder
from allocator.tradeoff.outages import Stress, stress_run
from tests.allocator.outages.test_stress import CMOS, inputs
from tests.brute_force import brute_force

ROOT = Path(__file__).resolve().parents[3]
TINY = ROOT / "instances" / "tiny"
THREE = ("single", "dual", "free")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tmp_path_factory.mktemp("comparison") / "out"
    return allocator.compare(TINY, policies=THREE, solver="highs", gap=0.0, out=folder)


def plan_of(comparison, policy, scenario="base"):
    return next(
        plan
        for plan in comparison.data["plans"]
        if (plan["policy"], plan["scenario"]) == (policy, scenario)
    )


@pytest.mark.parametrize("policy", THREE)
def test_objectives_are_those_of_trying_every_plan(tiny, policy):
    best, _ = brute_force(compile_problem(read_portfolio(TINY, None), policy).problem)
    stated = plan_of(tiny, policy)
    assert stated["objective"] == pytest.approx(best, rel=1e-9)
    assert stated["bound"] == pytest.approx(best, rel=1e-6)
    assert stated["status"] == "optimal"


def test_free_is_never_dearer_and_its_bound_holds_for_all(tiny):
    free = plan_of(tiny, "free")
    for policy in ("single", "dual"):
        other = plan_of(tiny, policy)
        assert free["objective"] <= other["objective"]
        assert other["bound"] >= free["bound"]


def test_every_plan_is_an_audited_run_folder(tiny):
    for plan in tiny.data["plans"]:
        folder = tiny.folder / plan["folder"]
        assert allocator.verify(folder).passed
        assert json.loads((folder / "plan.json").read_text())["objective"] == plan["objective"]


def test_steps_of_each_bridge_sum_to_the_difference(tiny):
    assert [(b["from"], b["to"]) for b in tiny.data["bridges"]] == [
        ("single", "dual"),
        ("dual", "free"),
    ]
    for bridge in tiny.data["bridges"]:
        total = math.fsum(bridge["steps"].values())
        assert bridge["start"] + total == pytest.approx(bridge["end"], rel=1e-12)


def test_changes_name_every_program_whose_sources_differ(tiny):
    for bridge in tiny.data["bridges"]:
        plans = [tiny.plans["base", bridge[end]] for end in ("from", "to")]
        sources = [
            {
                p["program_id"]: [(s["line_id"], s["share"]) for s in p["sources"]]
                for p in plan["programs"]
            }
            for plan in plans
        ]
        moved = [name for name in sources[0] if sources[0][name] != sources[1][name]]
        assert [change["program_id"] for change in bridge["changes"]] == moved
        assert moved


def test_outages_are_those_of_the_stress_test(tiny, tmp_path):
    for plan in tiny.data["plans"]:
        report = allocator.stress(
            tiny.folder / plan["folder"], groups=["cmo"], out=tmp_path / plan["policy"]
        )
        assert plan["exposed_programs"] == len(report.exposed)
        assert plan["worst_outage_money"] == pytest.approx(report.worst.money)
        assert plan["worst_outage"].endswith(report.worst.group.member)


def test_files_say_what_the_object_says(tiny):
    assert json.loads((tiny.folder / "comparison.json").read_text()) == tiny.data
    assert tiny.data["finished"]
    assert tiny.data["asked"]["stress_limit"] == 20.0
    with (tiny.folder / "comparison.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["policy"] for row in rows] == list(THREE)
    for row, plan in zip(rows, tiny.data["plans"], strict=True):
        assert float(row["objective"]) == plan["objective"]
    with (tiny.folder / "bridge.csv").open() as stream:
        amounts = [float(row["amount"]) for row in csv.DictReader(stream)]
    ends = [bridge["end"] - bridge["start"] for bridge in tiny.data["bridges"]]
    assert math.fsum(amounts) == pytest.approx(math.fsum(ends))


def test_exactly_one_source_where_asked(tmp_path):
    # two sources are not worth it for P3, so dual leaves it without any
    loose = allocator.compare(TINY, policies=["dual"], solver="highs", gap=0.0)
    assert plan_of(loose, "dual")["programs_unsourced"] == 1
    assert loose.data["notes"] == []
    strict = allocator.compare(TINY, policies=["dual"], must_source=["P3"], solver="highs", gap=0.0)
    assert plan_of(strict, "dual")["programs_unsourced"] == 0
    assert plan_of(strict, "dual")["objective"] > plan_of(loose, "dual")["objective"]
    assert strict.folder is None


def test_scenarios_stand_beside_the_tables_as_they_are(tmp_path):
    scenario = tmp_path / "more.toml"
    scenario.write_text("[demand]\nall = 1.2\n")
    comparison = allocator.compare(
        TINY, policies=["single", "free"], scenarios=[scenario], solver="highs", gap=0.0
    )
    assert [(p["scenario"], p["policy"]) for p in comparison.data["plans"]] == [
        ("base", "single"),
        ("base", "free"),
        ("more", "single"),
        ("more", "free"),
    ]
    assert (
        plan_of(comparison, "free", "more")["objective"] > plan_of(comparison, "free")["objective"]
    )
    for bridge in comparison.data["bridges"]:
        total = math.fsum(bridge["steps"].values())
        assert bridge["start"] + total == pytest.approx(bridge["end"], rel=1e-12)


def test_scenarios_of_one_name_are_told_apart():
    assert list(scenario_names(["a/x.toml", "b/x.toml", "base.toml"])) == [
        "base",
        "x",
        "x-2",
        "base-2",
    ]


def test_secure_is_left_out_with_a_note_where_it_is_not_there(monkeypatch):
    monkeypatch.setattr("allocator.engine.SOURCING", THREE)
    comparison = allocator.compare(TINY, policies=["single", "secure"], solver="highs")
    assert [plan["policy"] for plan in comparison.data["plans"]] == ["single"]
    assert any("secure" in note for note in comparison.data["notes"])


@pytest.mark.skipif("secure" not in SOURCING, reason="no secure sourcing in this version")
def test_free_is_never_dearer_than_secure():
    comparison = allocator.compare(TINY, policies=["free", "secure"], solver="highs", gap=0.0)
    secure = plan_of(comparison, "secure")
    assert secure["objective"] is not None
    assert secure["exposed_programs"] == 0
    assert plan_of(comparison, "free")["objective"] <= secure["objective"]
    assert secure["bound"] >= plan_of(comparison, "free")["bound"]


def test_free_takes_over_what_another_policy_found_cheaper(monkeypatch):
    """As if the search for free had ended early."""
    from allocator.tradeoff import comparison as module
    from allocator.tradeoff.tasks import Done

    real = module.solve_task

    def lazy(task, *rest):
        done = real(task, *rest)
        if task.sourcing != "free":
            return done
        return Done(done.folder, done.plan | {"objective": 9e6, "status": "feasible"})

    monkeypatch.setattr(module, "solve_task", lazy)
    found = allocator.compare(TINY, policies=["single", "free"], solver="highs", gap=0.0)
    assert plan_of(found, "free")["objective"] == plan_of(found, "single")["objective"]
    assert plan_of(found, "free")["status"] == "feasible"
    # the bound of free is the lower one here: single keeps its own
    assert plan_of(found, "single")["bound_from"] == "single"


def test_the_bound_of_free_stands_in_where_a_policy_has_a_weaker_one():
    from allocator.tradeoff.report import _with_nested_bound

    weak = {"scenario": "base", "policy": "dual", "status": "feasible"}
    weak |= {"objective": 10.0, "bound": 4.0, "gap": 0.6}
    free = weak | {"policy": "free", "objective": 9.0, "bound": 8.0}
    stated = _with_nested_bound(weak, [weak, free], 0.1)
    assert (stated["bound"], stated["bound_from"]) == (8.0, "free")
    assert stated["gap"] == pytest.approx(0.2)
    assert stated["status"] == "feasible"
    assert _with_nested_bound(weak, [weak, free], 0.2)["status"] == "optimal"
    none = weak | {"bound": None, "gap": None, "objective": None, "status": "no_plan"}
    assert _with_nested_bound(none, [none, free], 0.1)["bound"] == 8.0
    barred = none | {"status": "infeasible"}
    assert _with_nested_bound(barred, [barred, free], 0.1)["bound"] is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"policies": ["triple"]},
        {"policies": []},
        {"gap": -1.0},
        {"threads": 0},
        {"time_limit": 0.0},
        {"must_source": ["P9"]},
    ],
    ids=lambda wrong: f"{next(iter(wrong.items()))}",
)
def test_bad_options_are_refused(wrong):
    with pytest.raises(Usage):
        allocator.compare(TINY, **wrong)


def test_bad_tables_are_refused_before_any_work(tmp_path):
    with pytest.raises(BadData) as raised:
        allocator.compare(tmp_path, out=tmp_path / "out")
    assert raised.value.findings
    assert not (tmp_path / "out").exists()


def test_a_main_file_that_is_no_json_is_told_with_what_to_do(tmp_path):
    file = tmp_path / "comparison.json"
    file.write_text("{spoilt")
    with pytest.raises(Usage, match="is not JSON") as raised:
        open_folder(tmp_path, "comparison.json", "allocator-comparison/1")
    assert file.read_text() == "{spoilt"
    remedy = re.search(r"write (\{.*\}) into", str(raised.value))
    file.write_text(remedy[1])
    assert open_folder(tmp_path, "comparison.json", "allocator-comparison/1") == tmp_path


def test_rules_that_cannot_all_hold_are_named():
    found = allocator.compare(TINY.parent / "infeasible", policies=["single"], solver="highs")
    (note,) = found.data["notes"]
    assert "cannot all hold: at most two partners" in note


def test_programs_that_can_have_no_two_sources_are_named(tmp_path):
    """P1 has two makers of one owner where that is not allowed, P2 one maker only."""
    policy = 'sourcing = "free"\n[[rule]]\nname = "sources_differ_by"\nby = ["owner"]\n'
    one_owner = CMOS.replace("Beta", "Alpha")
    tables = inputs(tmp_path / "in", cmos=one_owner, policy=policy)
    found = allocator.compare(tables, policies=["single", "dual"], solver="highs")
    assert found.data["notes"] == [
        "dual: P1 left without a source, since the rules allow no two of their sources together",
        "dual: P2: one CMO can make it, so dual falls back to single",
    ]


def outage(member, money, bound, kept="yes"):
    return {"kind": "cmo", "member": member, "money": money, "bound": bound, "kept": kept}


def test_figures_of_outages_that_are_not_proven_say_so():
    content = {"exposed": ["P1"], "limit": "time"}
    first = outage_figures(content | {"outages": [outage("A", 9.0, 3.0), outage("B", 8.0, 4.0)]})
    assert (first["worst_outage"], first["worst_outage_proven"]) == ("cmo A", False)
    assert (first["worst_outage_money"], first["worst_outage_bound"]) == (9.0, 4.0)
    # another start of the same group is no other outage
    sure = outage_figures(content | {"outages": [outage("A", 9.0, 8.0), outage("A", 8.5, 1.0)]})
    assert sure["worst_outage_proven"]
    none = outage_figures({"exposed": [], "limit": None, "outages": []})
    assert none["worst_outage"] is None
    assert none["outages_proven"]


def test_a_test_that_its_limit_ended_is_kept_for_that_limit_only(tmp_path):
    run = tmp_path / "run"
    allocator.run(TINY, sourcing="single", solver="highs", gap=0.0, out=run)
    asked = Stress(run, tmp_path / "out", ("cmo",), 20.0)
    proven = stress_run(asked)
    file = tmp_path / "out" / "stress.json"
    content = json.loads(file.read_text())
    file.write_text(json.dumps(content | {"exposed": ["whole"]}))
    assert stress_run(replace(asked, time_limit=None))["exposed"] == ["whole"]
    file.write_text(json.dumps(content | {"limit": "time", "exposed": ["cut off"]}))
    assert stress_run(asked)["exposed"] == ["cut off"]
    assert stress_run(replace(asked, time_limit=1.0))["exposed"] == ["cut off"]
    assert stress_run(replace(asked, time_limit=None)) == proven


def test_a_test_of_other_inputs_is_made_anew(tmp_path):
    """The plan may be the same and what an outage takes from it not."""
    run = tmp_path / "run"
    allocator.run(TINY, sourcing="single", solver="highs", gap=0.0, out=run)
    asked = Stress(run, tmp_path / "out", ("cmo",), 20.0)
    proven = stress_run(asked)
    file = tmp_path / "out" / "stress.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"exposed": ["as before"]}))
    assert stress_run(asked)["exposed"] == ["as before"]
    policy = run / "inputs" / "policy.toml"
    policy.write_text(policy.read_text() + "# other tables, the same plan\n")
    record = json.loads((run / "record.json").read_text())
    record["inputs"]["policy.toml"] = sha256(policy)
    (run / "record.json").write_text(json.dumps(record))
    assert stress_run(asked) == proven


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(Usage, match="something else"):
        allocator.compare(TINY, out=tmp_path)
    file = tmp_path / "letter.txt"
    with pytest.raises(Usage, match="is a file"):
        allocator.compare(TINY, out=file)
    assert file.read_text() == "dear"


def made(program_id: str, batches: int, paid: float) -> dict:
    """A program of a plan.json with one source of 10 good units a batch."""
    sources = [{"offer_id": "F", "batches": {"2027Q1": batches}}] if batches else []
    return {"program_id": program_id, "sources": sources, "costs": {"batches": paid}}


def test_batches_are_bridged_by_price_and_by_units():
    class Ten:
        good_per_batch = 10.0

    def plan(*programs: dict, transfer: float) -> dict:
        lines = {"batches": sum(p["costs"]["batches"] for p in programs), "transfer": transfer}
        return {"cost_lines": lines, "programs": list(programs)}

    # A: 4 batches at 100 become 5 at 120; B stops, C begins: all of theirs is units made
    one = plan(made("A", 4, 400.0), made("B", 2, 70.0), made("C", 0, 0.0), transfer=30.0)
    two = plan(made("A", 5, 600.0), made("B", 0, 0.0), made("C", 1, 55.0), transfer=10.0)
    steps = cost_bridge(one, two, {"F": Ten()})
    assert steps["scale"] == pytest.approx(5 * 20.0)
    assert steps["quantity"] == pytest.approx(100.0 - 70.0 + 55.0)
    assert steps["transfer"] == pytest.approx(-20.0)
    assert sum(steps.values()) == pytest.approx(655.0 - 470.0 - 20.0)
