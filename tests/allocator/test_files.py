"""A run is written whole or not at all, and never over anything that is not a run."""

from __future__ import annotations

import json
import shutil

import pytest

from allocator import files
from allocator.errors import Usage
from allocator.files import check_target, is_run, read_plan, read_record, run_inputs, write_run
from allocator.plan_tables import COLUMNS
from tests.allocator.audit.example import write_example, write_inputs


@pytest.fixture
def inputs(tmp_path):
    return write_inputs(tmp_path / "inputs")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_files_of_a_run(inputs, tmp_path):
    plan, run, report = write_example(tmp_path / "runs" / "first", inputs)
    assert report.passed
    assert run == tmp_path / "runs" / "first"
    tables = [f"{name}.csv" for name in COLUMNS]
    assert names(run) == sorted(["inputs", "plan.json", "record.json", "solver.log", *tables])
    assert names(run.parent) == ["first"]
    assert (run / "solver.log").read_text() == "a log\n"
    assert names(run / "inputs") == names(inputs)
    assert all(
        (run / "inputs" / n).read_bytes() == (inputs / n).read_bytes() for n in names(inputs)
    )
    assert read_plan(run) == plan


def test_only_what_the_run_reads_is_copied(inputs, tmp_path):
    (inputs / "notes.txt").write_text("private")
    (inputs / "scenario.toml").write_text("[demand]\nall = 2.0\n")
    _, run, report = write_example(tmp_path / "run", inputs)
    assert report.passed
    assert {"notes.txt", "scenario.toml"} & set(names(run / "inputs")) == set()
    assert run_inputs(run) == (run / "inputs", None)


def test_a_scenario_is_copied_under_one_name(inputs, tmp_path):
    scenario = tmp_path / "double.toml"
    scenario.write_text("[demand]\nall = 1.2\n")
    _, run, report = write_example(tmp_path / "run", inputs, scenario=scenario)
    assert report.passed
    assert run_inputs(run) == (run / "inputs", run / "inputs" / "scenario.toml")
    assert "scenario.toml" in read_record(run)["inputs"]


def test_the_portfolio_csv_stands_for_its_folder(inputs, tmp_path):
    _, run, report = write_example(tmp_path / "run", inputs / "portfolio.csv")
    assert report.passed
    assert names(run / "inputs") == names(inputs)


def test_tables_are_plain_csv_with_every_digit(inputs, tmp_path):
    plan, run, _ = write_example(tmp_path / "run", inputs)
    text = (run / "assignments.csv").read_bytes().decode()
    assert "\r" not in text
    assert text.splitlines()[0] == ",".join(COLUMNS["assignments"])
    assert text.splitlines()[1].split(",")[8] == "yes"
    rows = (run / "risk.csv").read_text().splitlines()
    stated = plan["programs"][0]["risks"]["late_months"]
    assert float(rows[1].split(",")[2]) == stated


def test_without_a_folder_the_plan_is_audited_and_nothing_stays(inputs, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", None)
    plan, run, report = write_example(None, inputs)
    assert run is None
    assert report.passed
    assert plan["audit"] == {"passed": True, "findings": []}
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_former_run_is_replaced(inputs, tmp_path):
    write_example(tmp_path / "run", inputs)
    (tmp_path / "run" / "old.txt").write_text("old")
    _, run, _ = write_example(tmp_path / "run", inputs)
    assert "old.txt" not in names(run)
    assert names(tmp_path) == ["inputs", "run"]


def test_an_empty_folder_is_used(inputs, tmp_path):
    (tmp_path / "run").mkdir()
    _, run, _ = write_example(tmp_path / "run", inputs)
    assert (run / "plan.json").is_file()


def test_a_folder_of_something_else_is_left_alone(inputs, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("years of work")
    with pytest.raises(Usage, match="holds something else than a run"):
        write_example(tmp_path / "run", inputs)
    assert names(tmp_path / "run") == ["thesis.txt"]
    assert names(tmp_path) == ["inputs", "run"]


def test_the_input_folder_itself_is_left_alone(inputs):
    with pytest.raises(Usage):
        write_example(inputs, inputs)
    assert "plan.json" not in names(inputs)


def test_a_file_is_not_a_folder(inputs, tmp_path):
    (tmp_path / "run").write_text("x")
    with pytest.raises(Usage, match="is a file"):
        write_example(tmp_path / "run", inputs)


def rejected(inputs, out):
    """A run whose plan breaks a rule."""
    return write_example(out, inputs, expanded=())


def test_a_plan_that_fails_its_audit_is_not_written_as_a_plan(inputs, tmp_path):
    plan, run, report = rejected(inputs, tmp_path / "run")
    assert {finding.rule for finding in report.findings} == {"line_days"}
    assert run == tmp_path / "run-rejected"
    assert names(tmp_path) == ["inputs", "run-rejected"]
    assert "plan.json" not in names(run)
    kept = json.loads((run / "rejected.json").read_text())
    assert kept == plan
    assert kept["audit"]["passed"] is False
    assert kept["audit"]["findings"][0]["rule"] == "line_days"
    with pytest.raises(Usage, match=r"holds no plan\.json"):
        read_plan(run)


def test_a_rejected_plan_leaves_the_former_run_and_replaces_a_former_rejected_one(inputs, tmp_path):
    write_example(tmp_path / "run", inputs)
    rejected(inputs, tmp_path / "run")
    rejected(inputs, tmp_path / "run")
    assert names(tmp_path) == ["inputs", "run", "run-rejected"]
    assert read_plan(tmp_path / "run")["audit"]["passed"]


def test_a_crash_while_writing_leaves_nothing(inputs, tmp_path, monkeypatch):
    write_example(tmp_path / "run", inputs)
    before = (tmp_path / "run" / "record.json").read_bytes()

    def broken(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "write_table", broken)
    with pytest.raises(KeyboardInterrupt):
        write_example(tmp_path / "run", inputs)
    assert names(tmp_path) == ["inputs", "run"]
    assert (tmp_path / "run" / "record.json").read_bytes() == before


def test_a_crash_while_renaming_keeps_the_former_run(inputs, tmp_path, monkeypatch):
    _, run, _ = write_example(tmp_path / "run", inputs)
    made = shutil.copytree(run, tmp_path / "made")
    rename = type(run).rename

    def broken(self, target):
        if self == made:
            raise OSError("no")
        return rename(self, target)

    monkeypatch.setattr(type(run), "rename", broken)
    with pytest.raises(OSError, match="no"):
        files._put(made, run)
    assert is_run(run)
    assert names(tmp_path) == ["inputs", "made", "run"]


def test_numbers_that_are_none_are_never_written(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(tmp_path / "plan.json", {"objective": float("inf")})


def test_what_is_a_run(inputs, tmp_path):
    _, run, _ = write_example(tmp_path / "run", inputs)
    assert is_run(run)
    assert not is_run(inputs)
    (run / "record.json").write_text("[]")
    assert not is_run(run)
    with pytest.raises(Usage):
        check_target(run)


@pytest.mark.parametrize("text", ["", "{", "[]", "\udcff"])
def test_a_plan_that_cannot_be_read_says_what_to_do(tmp_path, text):
    (tmp_path / "plan.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(Usage, match="allocator verify"):
        read_plan(tmp_path)


def test_no_plan_says_what_to_give(tmp_path):
    with pytest.raises(Usage, match="give the folder of a run"):
        read_plan(tmp_path / "nowhere")


def test_a_log_and_tables_may_be_missing(inputs, tmp_path):
    plan, run, _ = write_example(tmp_path / "run", inputs)
    again, made, _ = write_run(
        tmp_path / "again", plan | {"audit": None}, {}, read_record(run), portfolio=inputs
    )
    assert (made / "solver.log").read_text() == ""
    assert again["audit"]["passed"] is False
