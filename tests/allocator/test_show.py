"""What people read: the verdict in words, tables that hold every source."""

import io
from pathlib import Path

from rich.console import Console

import allocator
from allocator.show import money, percent, quantity, show_plan, show_rows, verdict
from allocator.terminal import step_line, terminal

TINY = Path(__file__).resolve().parents[2] / "instances" / "tiny"


def shown(plan):
    stream = io.StringIO()
    show_plan(Console(file=stream, width=120), plan, "EUR")
    return stream.getvalue()


def test_every_source_stands_in_the_table():
    plan = allocator.run(TINY, solver="highs", gap=0.0).plan
    text = shown(plan)
    for program in plan["programs"]:
        assert program["program_id"] in text
        for source in program["sources"]:
            assert source["line_id"] in text
    assert money(plan["objective"]) in text
    assert "Audit passed" in text
    assert f"{money(plan['objective'])} EUR" in text


def test_a_secure_plan_says_what_it_promises():
    plan = allocator.run(TINY, solver="highs", gap=0.0).plan
    assert "promises less" not in shown(plan)
    assert "promises less" in shown(plan | {"sourcing": "secure"})


def test_words_in_brackets_and_colons_stay_as_they_are(capsys):
    plan = allocator.run(TINY, solver="highs", gap=0.0).plan
    show_plan(terminal(), plan | {"sourcing": "secure"}, "EUR")
    assert "in [secure] of policy.toml" in " ".join(capsys.readouterr().out.split())
    show_rows(terminal(), "[title]", ["[column]"], [["[bold]K1[/bold] :bug:"]])
    shown = capsys.readouterr().out
    assert "[title]" in shown
    assert "[column]" in shown
    assert "[bold]K1[/bold] :bug:" in shown


def test_the_line_of_a_working_command_shows_names_as_they_are(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stderr", stream)
    with step_line() as step:
        assert step is not None
        step("without [bold]K1[/bold]", 1, 2)
    assert "[bold]K1[/bold]" in stream.getvalue()


def test_money_and_shares_read_well():
    assert money(1234567.8) == "1,234,568"
    assert money(12.345) == "12.35"
    assert money(-1000) == "-1,000"
    assert money(None) == "-"
    assert percent(0.12345) == "12.35 %"
    assert percent(None) == "-"
    assert quantity(1_600_000.0) == "1,600,000"
    assert quantity(0.59) == "0.59"


def words(**changes):
    plan = {"status": "feasible", "limit": None, "objective": 110.0, "bound": 100.0, "gap": 1 / 11}
    return verdict(plan | {"conflict": []} | changes, "EUR")


def test_a_limit_is_never_called_optimal():
    text = words(limit="time")
    assert "at most 9.09 % above" in text
    assert "stopped by: time" in text
    assert "proven" not in text


def test_a_plan_without_a_bound_says_so():
    assert "not known" in words(bound=None, gap=None)


def test_no_plan_shows_no_number():
    missing = {"objective": None, "bound": None, "gap": None}
    assert "Give more time" in words(status="no_plan", limit="time", **missing)
    text = words(status="infeasible", conflict=["budget", "force Alba"], **missing)
    assert "cannot all hold: budget, force Alba" in text
    assert "0" not in text
    stream = io.StringIO()
    plan = {"status": "no_plan", "limit": "time", **missing, "conflict": []}
    show_plan(Console(file=stream), plan, "EUR")
    assert "Who makes what" not in stream.getvalue()
