"""The command: its files, its options, its words."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import allocator
import cli
from allocator.errors import Usage
from allocator.files import is_run
from allocator.simulation.report import COLUMNS
from allocator.simulation.spread import spread, tail_mean
from tests.allocator.folders import folder, said

ROOT = Path(__file__).resolve().parents[3]
TINY = ROOT / "instances" / "tiny"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "tiny"
    allocator.run(TINY, solver="highs", gap=0.0, out=out)
    return out


def test_the_files_stand_in_the_run_which_stays_a_run(run):
    report = allocator.simulate(run, futures=300)
    content = json.loads((run / "simulation.json").read_text())
    assert content == json.loads(json.dumps(report.content()))
    assert content["schema"] == "allocator-simulation/1"
    with (run / "simulation.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == COLUMNS
    assert [row["program_id"] for row in rows] == [""] * 5 + ["P1"] * 3 + ["P2"] * 3 + ["P3"] * 3
    assert allocator.verify(run).passed
    assert is_run(run)
    allocator.run(TINY, solver="highs", gap=0.0, out=run)  # a run in its place takes them along
    assert not (run / "simulation.json").exists()


def test_same_seed_same_futures_another_seed_others(run, tmp_path):
    one, two, other = (
        allocator.simulate(run, futures=200, seed=seed, out=tmp_path / str(k)).content()
        for k, seed in enumerate((4, 4, 5))
    )
    assert one == two
    assert one["portfolio"] != other["portfolio"]
    assert (tmp_path / "0" / "simulation.json").is_file()


def test_planned_figures_are_those_of_the_plan(run, tmp_path):
    plan = json.loads((run / "plan.json").read_text())
    report = allocator.simulate(run, futures=200, out=tmp_path)
    assert report.planned["cost"] == pytest.approx(plan["cash_cost"] + plan["shortage_cost"])
    nothing = report.effects[0]
    assert nothing.what == "nothing"
    assert nothing.cost == pytest.approx(report.planned["cost"], rel=1e-12)
    assert nothing.months_short == pytest.approx(plan["months_short"], rel=1e-12)
    programs = sum(p["cost"] for p in report.planned_programs.values())
    engaged = sum(plan["cost_lines"][x] for x in ("onboarding", "annual_fees", "take_or_pay"))
    rebates = plan["cost_lines"]["rebates"] + plan["cost_lines"]["expansions"]
    assert programs + engaged + rebates == pytest.approx(report.planned["cost"])


def test_more_error_of_demand_leaves_more_unmet(run, tmp_path):
    calm, wild = (
        allocator.simulate(run, futures=500, demand_error=error, out=tmp_path)
        for error in (0.0, 0.4)
    )
    assert wild.portfolio["months_short"].mean > calm.portfolio["months_short"].mean + 0.5
    assert calm.effects[4].months_short == pytest.approx(calm.effects[0].months_short)
    assert any("demand_error" in where for where, _ in report_of(run, tmp_path).assumptions)
    assert not any("demand_error" in where for where, _ in calm.assumptions)


def report_of(run, tmp_path):
    return allocator.simulate(run, futures=50, out=tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [{"futures": 1}, {"futures": 10**7}, {"seed": -1}, {"demand_error": -0.1}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_bad_options_are_refused(run, wrong):
    with pytest.raises(Usage):
        allocator.simulate(run, **wrong)


def test_without_a_plan_there_are_no_futures(tmp_path):
    with pytest.raises(Usage, match=r"plan\.json"):
        allocator.simulate(tmp_path)
    allocator.run(ROOT / "instances" / "infeasible", solver="highs", out=tmp_path / "none")
    with pytest.raises(Usage, match="infeasible"):
        allocator.simulate(tmp_path / "none")


def test_the_terminal_shows_words_and_json_alone(run, tmp_path):
    words = ["simulate", str(run), "--futures", "200", "--out", str(tmp_path)]
    done = CliRunner().invoke(cli.main, words)
    assert done.exit_code == 0, done.output
    for text in ("200 futures", "months short", "CVaR 95 %", "failed batches", "P3", "agree"):
        assert text in done.output
    done = CliRunner().invoke(cli.main, [*words, "--json"])
    assert json.loads(done.stdout)["futures"] == 200


def test_the_policy_sets_error_and_level(tmp_path):
    policy = "[simulation]\ndemand_error = 0.3\ncvar_level = 0.8\n"
    tables = folder(
        tmp_path / "in" if (tmp_path / "in").mkdir() is None else tmp_path, policy=policy
    )
    allocator.run(tables, solver="highs", out=tmp_path / "run")
    report = allocator.simulate(tmp_path / "run", futures=100)
    assert (report.demand_error, report.cvar_level) == (0.3, 0.8)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("demand_eror = 0.1", "did you mean 'demand_error'"),
        ("demand_error = 5", "from 0 to 2"),
        ("cvar_level = true", "from 0.5 to 0.9999"),
        ('confidence = "high"', "from 0.5"),
    ],
)
def test_faults_of_the_policy_are_named(tmp_path, line, words):
    found = said(allocator.check(folder(tmp_path, policy=f"[simulation]\n{line}\n")))
    assert any("simulation." in text and words in text for text in found), found


def test_spread_of_known_values():
    one = spread(np.arange(1.0, 101.0), 0.95)
    assert (one.mean, one.p50) == (50.5, 50.5)
    assert one.cvar == pytest.approx(98.0)  # the five worst: 96 to 100
    assert one.standard_error == pytest.approx(np.std(np.arange(100), ddof=1) / 10)
    assert tail_mean(np.array([1.0, 2.0, 3.0, 4.0]), 0.375) == pytest.approx(
        (4 + 3 + 0.5 * 2) / 2.5
    )
    assert tail_mean(np.array([1.0, 9.0]), 0.95) == 9.0
    assert tail_mean(np.array([1.0, 3.0]), 0.0) == 2.0
