"""The command, and the page that describes its map."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner

from allocator.history import ingest
from allocator.history.keys import key_table
from cli import main

from .writing import write_history, write_map


def test_the_command_writes_tables_and_says_what_it_did(tmp_path):
    history, mapping = write_history(tmp_path, packed=True), write_map(tmp_path)
    arguments = ["ingest", str(history), "--map", str(mapping), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(main, [*arguments, "--last-periods", "2"])
    assert done.exit_code == 0, done.output
    assert "Test history: 7 of 8 rows count" in done.output
    assert "2020Q2 to 2020Q3 (2 periods)" in done.output
    assert "assumptions.md" in done.output
    again = CliRunner().invoke(main, arguments)
    assert again.exit_code == 2
    assert "exists and is not empty" in again.output


def test_a_wrong_map_ends_with_3_and_one_line_per_fault(tmp_path):
    mapping = write_map(tmp_path, ("quantity =", "quantiti ="))
    history, out = write_history(tmp_path), tmp_path / "out"
    done = CliRunner().invoke(
        main, ["ingest", str(history), "--map", str(mapping), "--out", str(out)]
    )
    assert done.exit_code == 3
    assert "did you mean 'quantity'?" in done.output
    assert not out.exists()


def test_a_run_of_such_tables_prints_what_was_paid_beside_the_plan(tmp_path):
    history, mapping, out = write_history(tmp_path), write_map(tmp_path), tmp_path / "out"
    ingest(history, mapping, out)
    run = tmp_path / "run"
    arguments = ["run", str(out), "--solver", "highs", "--threads", "1", "--out", str(run)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    assert "Beside what was paid (USD, 2020Q1 to 2020Q3, 2 programs, 6 lines" in done.output
    with (run / "history_comparison.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["line"] for row in rows] == ["1", "2", "3", "4", "8", "5"]
    paid = sum(float(row["paid"]) + float(row["paid_unmet"]) for row in rows)
    assert paid == pytest.approx(600 + 1500 + 240 + 480 + 540 + 600)
    assert CliRunner().invoke(main, ["verify", str(run)]).exit_code == 0


def test_the_page_holds_every_key_as_it_is():
    page = Path(__file__).resolve().parents[3] / "docs" / "ingest.md"
    assert key_table() in page.read_text(encoding="utf-8")
