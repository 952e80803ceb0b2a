"""The answers as runs of their own: their tables, their files, the audit of each."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

import allocator
from allocator.errors import AuditFailed
from allocator.growth import audited as module
from allocator.growth.audited import grown_columns, grown_rows, with_days
from allocator.read import read_portfolio

TINY = Path("instances/tiny")
NAMES = ("today", "stretched", "rescheduled", "requalified", "expanded")


def cells(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("long", [False, True])
def test_every_answer_is_a_run_that_verifies(tmp_path, long):
    folder = tmp_path / "tables"
    shutil.copytree(TINY, folder, ignore=shutil.ignore_patterns("*.md", "*.json"))
    policy = folder / "policy.toml"
    policy.write_text("surge = 0.25\n" + policy.read_text(encoding="utf-8"), encoding="utf-8")
    base = read_portfolio(folder)
    assert base.policy.surge == 0.25
    if long:  # demand in a table of its own, and line-days given for one line
        labels = [period.label for period in base.periods]
        rows = cells((folder / "portfolio.csv").read_text(encoding="utf-8"))
        names = [name for name in rows[0] if name not in labels]
        with (folder / "portfolio.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, names, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)
        lines = ["program_id,period,quantity"]
        lines += [f"{r['program_id']},{t},{r[t]}" for r in rows for t in labels if r[t]]
        (folder / "demand.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        some = next(iter(base.lines))
        text = f"line_id,period,days\n{some},{labels[0]},20\n"
        (folder / "line_days.csv").write_text(text, encoding="utf-8")
        base = read_portfolio(folder)
    report = allocator.capacity(
        folder,
        demand=1.7,
        programs={"P2": 1.2},
        since=base.periods[1].label,
        ramp=2,
        solver="highs",
        out=tmp_path / "report",
    )
    assert report.folder is not None
    names = [*NAMES] if report.level is None else [*NAMES, "level"]
    assert sorted(path.name for path in (report.folder / "answers").iterdir()) == sorted(names)
    assert ("level" in names) is not long  # tight line-days leave no plan that keeps the level
    assert not list(tmp_path.glob(".*"))
    given = {answer.name: answer for answer in (report.today, *report.answers)}
    for name in names:
        surged = name in ("expanded", "level")
        run = report.folder / "answers" / name
        assert allocator.verify(run).passed
        plan = json.loads((run / "plan.json").read_text(encoding="utf-8"))
        answer = given.get(name, report.level)
        assert plan["objective"] == pytest.approx(answer.plan["objective"])
        inputs = read_portfolio(run / "inputs")
        for key, program in inputs.programs.items():
            factors = [1.0] * len(base.periods)
            if name != "today":
                full = 1.2 if key == "P2" else 1.7
                factors = [1.0, 1 + (full - 1) / 2] + [full] * (len(factors) - 2)
            wanted = [d * f for d, f in zip(base.programs[key].demand, factors, strict=True)]
            assert program.demand == pytest.approx(wanted)
        more = 1.0 + base.policy.surge if surged else 1.0
        for key, line in inputs.lines.items():
            own = base.lines[key].surge
            surge = 1.0 + own if own is not None and surged else more
            assert line.days == pytest.approx([day * surge for day in base.lines[key].days])
    data = json.loads((report.folder / "capacity.json").read_text(encoding="utf-8"))
    assert data["today"]["audit"]["passed"]
    assert all(answer["audit"]["passed"] for answer in data["answers"])


def test_a_scenario_stays_part_of_the_answers(tmp_path):
    scenario = tmp_path / "mine.toml"
    scenario.write_text("[demand]\nall = 0.8\n", encoding="utf-8")
    out = tmp_path / "report"
    report = allocator.capacity(TINY, demand=1.5, solver="highs", scenario=scenario, out=out)
    assert report.answer("expanded").plan["audit"]["passed"]
    run = out / "answers" / "expanded"
    base, scaled = (
        read_portfolio(TINY),
        read_portfolio(run / "inputs", run / "inputs/scenario.toml"),
    )
    for key, program in scaled.programs.items():
        assert program.demand == pytest.approx([1.2 * d for d in base.programs[key].demand])
    assert allocator.verify(run).passed


def test_an_answer_for_other_tables_fails_its_audit(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "grown_columns", lambda text, _: text)
    with pytest.raises(AuditFailed):
        allocator.capacity(TINY, demand=2.0, solver="highs")
    with pytest.raises(AuditFailed):
        allocator.capacity(TINY, demand=2.0, solver="highs", out=tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_cells_of_other_programs_and_periods_stay_as_they_are():
    factors = {("A", "2027Q1"): 2.0, ("B", "2027Q2"): 3.0}
    text = "name,program_id,2027q1,2027Q2\nx, A ,10,\ny,B,5,7\nz,C,1,1\n"
    assert [list(row.values()) for row in cells(grown_columns(text, factors))] == [
        ["x", " A ", "20.0", ""], ["y", "B", "5.0", "21.0"], ["z", "C", "1.0", "1.0"],
    ]  # fmt: skip
    text = "period,quantity,program_id\n2027Q1,4,A\n2027Q2,5,A\n2027q2,,B\n"
    assert [row["quantity"] for row in cells(grown_rows(text, factors))] == ["8.0", "5.0", ""]


def test_columns_may_be_named_as_freely_as_the_reader_allows(tmp_path):
    folder = tmp_path / "tables"
    shutil.copytree(TINY, folder, ignore=shutil.ignore_patterns("*.md", "*.json"))
    table = folder / "portfolio.csv"
    text = table.read_text(encoding="utf-8").replace("program_id", "Program ID", 1)
    table.write_text("\n" + text, encoding="utf-8")
    some = next(iter(read_portfolio(folder).lines))
    (folder / "line_days.csv").write_text(f"Line ID,Period,Days\n{some},2027Q1,20\n", "utf-8")
    (folder / "policy.toml").write_text("surge = 0.1\n", encoding="utf-8")
    report = allocator.capacity(folder, demand=1.5, solver="highs")
    assert report.answer("expanded").plan["audit"]["passed"]


def test_a_report_that_is_not_finished_leaves_nothing_behind(tmp_path, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("allocator.growth.slots.slot_values", stopped)
    with pytest.raises(KeyboardInterrupt):
        allocator.capacity(TINY, demand=1.5, solver="highs", slots=1, out=tmp_path / "report")
    assert not list(tmp_path.iterdir())


def test_line_days_replace_those_of_the_same_cell():
    old = "days,line_id,period\n5,L,2027Q1\n6,L,2027q2\n7,M,2027Q1\n"
    rows = cells(with_days(old, {("L", "2027Q2"): 9.5}))
    assert {(r["line_id"], r["period"], r["days"]) for r in rows} == {
        ("L", "2027Q1", "5"), ("M", "2027Q1", "7"), ("L", "2027Q2", "9.5"),
    }  # fmt: skip
    assert cells(with_days("", {("L", "2027Q1"): 1.0}))[0]["days"] == "1.0"
