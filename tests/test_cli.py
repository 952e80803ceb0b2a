"""The command line as its user meets it: words, exit codes, no traceback, nothing half written."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

import cli

ROOT = Path(__file__).resolve().parent.parent
TINY = ROOT / "instances" / "tiny"


def call(*words, code=0):
    done = CliRunner().invoke(cli.main, [str(word) for word in words])
    assert done.exit_code == code, done.output + repr(done.exception)
    return done


def test_help_names_every_command():
    text = call("--help").output
    for name in cli.main.commands:
        assert f"\n  {name} " in text
        assert call(name, "--help").output


def test_start_up_imports_nothing_heavy():
    script = "import sys, cli; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    ).stdout.split()
    assert not {"numpy", "pulp", "highspy", "ortools", "numba", "rich"} & set(loaded)


def test_run_prints_a_plan_and_leaves_files(tmp_path):
    text = call("run", TINY, "--out", tmp_path / "plan", "--gap", 0).output
    assert "Who makes what" in text
    assert "Audit passed" in text
    assert "proven to be the best possible" in text
    assert (tmp_path / "plan" / "plan.json").is_file()
    assert "audit passed" in call("verify", tmp_path / "plan").output


def test_json_is_the_plan_and_nothing_else(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "cli", "run", str(TINY), "--json", "--out", str(tmp_path / "r")],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads((tmp_path / "r" / "plan.json").read_text())
    assert done.stderr == ""


def test_bad_tables_are_listed_and_exit_3(tmp_path):
    for file in TINY.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    text = (tmp_path / "cmos.csv").read_text().splitlines()
    text[0] = text[0].replace("region", "regoin")
    (tmp_path / "cmos.csv").write_text("\n".join(text) + "\n")
    for command in ("check", "run"):
        done = call(command, tmp_path, code=3)
        assert "cmos.csv" in done.output
        assert "region" in done.output
        assert "Traceback" not in done.output
    assert not (tmp_path / "runs").exists()


def test_a_folder_that_is_not_there_exits_3(tmp_path):
    assert "nowhere" in call("run", tmp_path / "nowhere", code=3).output


def test_match_ranks_with_reasons():
    text = call("match", TINY, first_program()).output
    assert "1. " in text
    assert "CMOs could make" in text


def first_program():
    return (TINY / "portfolio.csv").read_text().splitlines()[1].split(",")[0]


def test_match_of_an_unknown_program_exits_2():
    call("match", TINY, "no-such-program", code=2)


def test_cards_are_shown_on_request():
    assert "ask at the audit" in call("check", TINY, "--cards").output
    assert "ask at the audit" not in call("check", TINY).output


def test_wrong_usage_exits_2(tmp_path):
    call("run", TINY, "--solver", "gurobi", code=2)
    call("run", code=2)
    call("verify", tmp_path, code=2)


def test_rules_that_cannot_hold_exit_4_and_name_a_minimal_set(tmp_path):
    folder = ROOT / "instances" / "infeasible"
    expected = json.loads((folder / "expected.json").read_text())["sourcing"]["free"]["conflict"]
    text = call("run", folder, "--out", tmp_path / "plan", code=4).output
    said = " ".join(text.split())  # lines break anywhere
    for label in expected:
        assert label in said


def test_a_corrupted_run_exits_6(tmp_path):
    call("run", TINY, "--out", tmp_path / "plan")
    file = tmp_path / "plan" / "plan.json"
    plan = json.loads(file.read_text())
    plan["cash_cost"] += 1000
    file.write_text(json.dumps(plan))
    assert "cash_cost" in call("verify", tmp_path / "plan", code=6).output


def test_doctor_solves_with_each_solver():
    text = call("doctor").output
    for name in ("highs", "cbc", "cpsat", "patterns"):
        assert f"solver {name}" in text
    assert "FAULT" not in text


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX systems")
def test_ctrl_c_ends_with_the_best_plan_so_far(tmp_path):
    folder = tmp_path / "portfolio"
    call("new", folder, "--programs", 40, "--cmos", 12, "--periods", 12)
    out = tmp_path / "plan"
    words = ["run", str(folder), "--solver", "highs", "--gap", "0", "--out", str(out), "--debug"]
    words.remove("--debug")
    with subprocess.Popen(
        [sys.executable, "-m", "cli", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        time.sleep(15)
        process.send_signal(signal.SIGINT)
        text, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "stopped by: interrupt" in text
    assert json.loads((out / "plan.json").read_text())["limit"] == "interrupt"
