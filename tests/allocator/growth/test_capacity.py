"""The whole job: the library function, its files and the command."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace

import pytest
from click.testing import CliRunner

import allocator
import cli
from allocator.errors import NoPlan, RulesConflict, Usage
from allocator.growth.actions import action_list
from allocator.growth.answers import four_answers
from allocator.growth.bottleneck import unmet_units
from allocator.growth.demand import Growth
from allocator.growth.why import explain
from tests.allocator.growth.cases import case_of, one_line, two_sites

TINY = "instances/tiny"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Everything asked at once of the tiny portfolio."""
    return allocator.capacity(
        TINY,
        demand=1.5,
        solver="highs",
        breakpoints=True,
        slots=2,
        reserve=True,
        out=tmp_path_factory.mktemp("capacity") / "report",
    )


def rows(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_file_holds_what_the_report_holds(report):
    data = json.loads((report.folder / "capacity.json").read_text(encoding="utf-8"))
    assert data == json.loads(json.dumps(report.data))
    assert data["schema"] == "allocator-capacity/1"
    assert [a["name"] for a in data["answers"]] == [
        "stretched", "rescheduled", "requalified", "expanded",
    ]  # fmt: skip
    assert {"breakpoints", "slots", "reserve", "actions", "curve"} <= set(data)
    assert report.answer("expanded") is report.answers[3]


def test_heat_map_has_every_line_and_period_of_every_answer(report):
    heat = rows(report.folder / "utilisation_heat.csv")
    assert len(heat) == 5 * 3 * 4
    cell = heat[0]
    assert cell["answer"] == "today"
    share = float(cell["used_days"]) / float(cell["offered_days"])
    assert float(cell["utilisation"]) == pytest.approx(share)
    assert max(float(row["utilisation"]) for row in heat) <= 1.0 + 1e-9


def test_curve_rises_by_multiplier_and_never_above_its_limit(report):
    curve = rows(report.folder / "on_time_curve.csv")
    for answer in ("stretched", "rescheduled", "requalified", "expanded"):
        mine = [row for row in curve if row["answer"] == answer]
        multipliers = [float(row["multiplier"]) for row in mine]
        assert multipliers == sorted(multipliers)
        assert 1.5 in multipliers
        for row in mine:
            if row["on_time_share"] and row["on_time_limit"]:
                assert float(row["on_time_share"]) <= float(row["on_time_limit"]) + 1e-6


def test_the_days_to_reserve_are_a_table(report, tmp_path):
    days = rows(report.folder / "reserve_line_days.csv")
    found = report.data["reserve"]["line_days"]
    assert [(r["line_id"], r["period"]) for r in days] == [
        (r["line_id"], r["period"]) for r in found
    ]
    for row, cell in zip(days, found, strict=True):
        assert row["cmo_id"] == cell["cmo_id"]
        assert float(row["days"]) == cell["days"]
        assert float(row["days_more"]) == pytest.approx(cell["days"] - cell["days_today"])
    without = allocator.capacity(TINY, demand=1.1, solver="highs", out=tmp_path / "report")
    assert not (without.folder / "reserve_line_days.csv").exists()


def test_a_place_that_cannot_be_written_is_refused_before_any_solve(tmp_path, monkeypatch):
    monkeypatch.setattr("allocator.growth.case.solve", None)
    (tmp_path / "file").write_text("x")
    with pytest.raises(Usage, match="file is a file; give another place"):
        allocator.capacity(TINY, out=tmp_path / "file" / "deep" / "report")

    def refuse(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    with pytest.raises(Usage, match=r"nothing can be written in .* \(Permission denied\)"):
        allocator.capacity(TINY, out=tmp_path / "new" / "report")


def test_scenarios_are_checked_before_any_solve(tmp_path, monkeypatch):
    monkeypatch.setattr("allocator.growth.case.solve", None)
    shutil.copytree(TINY, tmp_path / "tiny")
    policy = tmp_path / "tiny" / "policy.toml"
    last = '\n[capacity.scenarios]\nlate = {from = "2027Q4"}\n'
    policy.write_text(policy.read_text() + last)
    with pytest.raises(Usage, match="scenario 'late': ramp"):
        allocator.capacity(tmp_path / "tiny", ramp=2, reserve=True)


def test_a_second_report_replaces_the_first_and_nothing_else(report, tmp_path):
    again = allocator.capacity(TINY, demand=1.2, solver="highs", out=report.folder)
    assert again.folder == report.folder
    assert again.data["growth"]["demand"] == 1.2
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(Usage, match="holds something else"):
        allocator.capacity(TINY, out=tmp_path)
    with pytest.raises(Usage, match="is a file"):
        allocator.capacity(TINY, out=tmp_path / "mine.txt")


def test_the_same_question_has_the_same_answer(report):
    again = allocator.capacity(TINY, demand=1.5, solver="highs")
    assert again.data["answers"] == report.data["answers"]
    assert again.folder is None


def test_a_run_is_todays_plan(tmp_path):
    allocator.run(TINY, sourcing="single", solver="highs", gap=0.0, out=tmp_path / "run")
    found = allocator.capacity(TINY, demand=1.0, run=tmp_path / "run", solver="highs")
    assert found.today.plan["objective"] == pytest.approx(1191922.116)
    assert found.data["answers"][0]["objective"] == pytest.approx(1191922.116)
    with pytest.raises(Usage, match="does not fit the portfolio"):
        allocator.capacity("instances/launch", run=tmp_path / "run", solver="highs")
    with pytest.raises(Usage, match=r"holds no plan\.json"):
        allocator.capacity(TINY, run=tmp_path, solver="highs")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"programs": {"p1": 2.0}}, "did you mean 'P1'"),
        ({"forms": {"tablett": 2.0}}, "did you mean 'tablet'"),
        ({"since": "2029Q1"}, "there is no period '2029Q1'"),
        ({"sourcing": "triple"}, "no sourcing 'triple'"),
        ({"gap": -1.0}, "gap must be at least 0"),
    ],
)
def test_wrong_options_are_refused_in_words(options, words):
    with pytest.raises(Usage) as error:
        allocator.capacity(TINY, solver="highs", **options)
    assert words in str(error.value)


def test_without_a_plan_of_today_there_is_no_answer():
    with pytest.raises(RulesConflict, match="cannot all hold"):
        allocator.capacity("instances/infeasible", solver="highs")


def test_growth_at_which_todays_plan_breaks_a_rule_is_refused_in_words():
    # with almost nothing to make, one CMO has more than four fifths of what is spent
    with pytest.raises(RulesConflict, match="stretched, breaks no CMO above four fifths"):
        allocator.capacity(TINY, demand=0.0, solver="highs")


def test_no_plan_of_today_in_time(monkeypatch):
    from models.result import Result

    monkeypatch.setattr(
        "allocator.growth.case.solve",
        lambda *_: Result("no_plan", "time", None, None, None, "x", 0.0),
    )
    with pytest.raises(NoPlan, match="before the limit"):
        allocator.capacity(TINY, solver="highs")


def call(*words, code=0):
    done = CliRunner().invoke(cli.main, [str(word) for word in words])
    assert done.exit_code == code, done.output + repr(done.exception)
    return done.output


def test_the_command_shows_all_of_it():
    text = call(
        "capacity", TINY, "--demand", 1.5, "--solver", "highs", "--threads", 1, "--breakpoints",
        "--slots", 2, "--reserve",
    )  # fmt: skip
    for words in (
        "Growth: all demand x 1.5.",
        "Four answers (USD)",
        "Growth that keeps 98.0 % on time",
        "One program alone, the others as today",
        "What a slot is worth (USD)",
        "All cost by what is reserved, its best contract paid (USD)",
        "The scenarios are assumed",
        "Least worst regret",
        "saved against today's plan (USD)",
        "Assumed where contracts.csv has no other: spot share 0 %, take or pay share 80 %",
        "What the last answer asks for",
    ):
        assert words in text


def test_the_command_prints_json_and_reads_factors():
    text = call(
        "capacity", TINY, "--demand", 1, "--program", "P1=1.2", "--form", "tablet=1.1",
        "--from", "2027q2", "--ramp", 2, "--solver", "highs", "--threads", 1, "--json",
    )  # fmt: skip
    growth = json.loads(text)["growth"]
    assert growth == {
        "demand": 1.0, "programs": {"P1": 1.2}, "forms": {"tablet": 1.1}, "since": "2027Q2",
        "ramp": 2,
    }  # fmt: skip
    assert "is not an id and a multiplier" in call("capacity", TINY, "--program", "P1", code=2)
    twice = ("--program", "P1=2", "--program", "P1 =3")
    assert "P1 is given twice" in call("capacity", TINY, *twice, code=2)


def test_actions_have_dates_by_their_chain():
    case = case_of(two_sites())
    answers = four_answers(case.situation(Growth(2.0)))
    found = action_list(case, answers[3])
    actions = found["actions"]
    engaged = [a for a in actions if a["what"].startswith("engage")]
    assert [(a["cmo_id"], a["latest"], a["cost"]) for a in engaged] == [("J", "2027-01", 5.0)]
    steps = [a for a in actions if a["line_id"] == "LJ"]
    assert {a["program_id"] for a in steps} == {"A"}
    assert all(a["new"] for a in steps)
    audit = next(a for a in steps if a["what"] == "audit")
    assert audit["planned"] == "2027-01"
    assert audit["latest"] == "2027-01"  # six months of chain, first batch in the third quarter
    reviewed = next(a for a in steps if a["what"] == "review by the authority")
    assert reviewed["latest"] < "2027-07"
    transfer = next(a for a in steps if a["what"] == "transfer technology")
    assert transfer["cost"] == 50.0
    assert sum(row["cash"] for row in found["budget"]) == pytest.approx(
        answers[3].plan["cash_cost"]
    )
    assert found["budget"][0]["cash_today"] == 400.0
    assert found["budget"][0]["more"] == pytest.approx(answers[3].plan["cash_cost"] - 400.0)


def test_expansions_are_signed_before_the_days_are_needed():
    case = case_of(one_line())
    answers = four_answers(case.situation(Growth(3.0, since="2027Q3")))
    actions = action_list(case, answers[3])["actions"]
    assert [(a["id"], a["planned"], a["latest"], a["cost"]) for a in actions] == [
        ("L", "2027-01", actions[0]["latest"], 10.0)
    ]
    assert actions[0]["latest"] in ("2027-01", "2027-04")
    assert actions[0]["new"] is True
    expanded = replace(case, decision=answers[3].decision)
    assert action_list(expanded, answers[3])["actions"][0]["new"] is False


def test_reasons_without_a_full_line():
    import numpy as np

    from models.result import Decision
    from tests.models.small import small

    problem = small(
        programs=[{"demand": (10.0, 10.0)}, {}],
        lines=[{"days": 100.0}],
        offers=[{"ready": 1}, {"program": 1}],
    )
    option = np.array([1, 2])
    plan = Decision(option, {0: np.array([0, 1])}, np.zeros(1, np.bool_))
    none = np.zeros((2, 2))
    assert unmet_units(problem, plan).tolist() == [[10.0, 0.0], [10.0, 10.0]]
    first, sentences = explain(problem, plan, none)
    assert first["line_id"] is None
    assert "P1 has no source" in sentences[0]
    assert "its first source supplies from 2027Q2 on" in sentences[1]
    assert explain(problem, plan, unmet_units(problem, plan))[1] == sentences  # none is worse
    idle = Decision(np.array([1, 3]), {}, np.zeros(1, np.bool_))
    _, sentences = explain(problem, idle, none)
    assert any("though its lines have days left" in text for text in sentences)
    little = small(lines=[{"days": 3.0}])
    _, sentences = explain(little, Decision(np.array([1]), {}, np.zeros(1, np.bool_)), none[:1])
    assert "too few for a batch" in sentences[0]
