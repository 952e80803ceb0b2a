"""The instances keep their expected values, whoever solves them and however they are written."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from allocator.checks import check
from allocator.compile import compile_problem
from allocator.findings import errors
from allocator.read import read_portfolio
from models.evaluate import evaluate
from models.result import Result
from models.solve import Settings, solve
from tests.instances.brute import brute_force

INSTANCES = Path(__file__).parents[2] / "instances"
NAMES = ("tiny", "launch", "demo", "infeasible")
SOURCINGS = ("single", "dual", "free")
TIME_LIMIT = 30.0  # seconds; nothing that is asserted depends on it


def expected(name: str) -> dict:
    return json.loads((INSTANCES / name / "expected.json").read_text(encoding="utf-8"))


def solved(folder: Path, sourcing: str, solver: str = "highs", gap: float = 0.0) -> Result:
    problem = compile_problem(read_portfolio(folder), sourcing).problem
    result = solve(problem, solver, Settings(time_limit=TIME_LIMIT, gap=gap))
    if result.decision is not None:
        value = evaluate(problem, result.decision)
        assert value.broken == ()
        assert value.objective == pytest.approx(result.objective, rel=1e-9)
    return result


def agree(result: Result, wanted: dict) -> None:
    """Both intervals hold the optimum: neither objective lies below the other's bound."""
    room = 1e-6 * abs(wanted["objective"])
    assert result.objective is not None
    assert result.bound is not None
    assert result.objective >= wanted["bound"] - room
    assert result.bound <= wanted["objective"] + room


@pytest.mark.parametrize("name", NAMES)
def test_the_tables_are_sound_and_of_the_expected_size(name: str):
    wanted = expected(name)
    found = check(INSTANCES / name)
    assert errors(found) == ()
    if name != "demo":
        assert found == ()
    else:  # the CMO that fails its gate, and nothing else
        assert all("KELVA" in finding.what for finding in found)
    portfolio = read_portfolio(INSTANCES / name)
    assert len(portfolio.programs) == wanted["programs"]
    assert len(portfolio.cmos) == wanted["cmos"]
    assert len(portfolio.lines) == wanted["lines"]
    assert len(portfolio.periods) == wanted["periods"]
    assert len(portfolio.offers) == wanted["offers"]
    for sourcing in SOURCINGS:
        compiled = compile_problem(portfolio, sourcing)
        assert len(compiled.offer_ids) == wanted["eligible_offers"]
        options = len(compiled.problem.options.program)
        assert options == wanted["sourcing"][sourcing]["options"]


@pytest.mark.parametrize("name", NAMES)
def test_every_instance_says_where_it_comes_from(name: str):
    text = (INSTANCES / name / "README.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {name}\n")
    assert "invented" in text.lower()


@pytest.mark.parametrize("sourcing", SOURCINGS)
def test_tiny_is_solved_to_what_trying_every_plan_finds(sourcing: str):
    wanted = expected("tiny")["sourcing"][sourcing]
    problem = compile_problem(read_portfolio(INSTANCES / "tiny"), sourcing).problem
    tried, plan = brute_force(problem)
    assert evaluate(problem, plan).broken == ()
    assert tried == pytest.approx(wanted["objective"], rel=1e-9)
    assert wanted["bound"] == pytest.approx(wanted["objective"], rel=1e-9)
    result = solved(INSTANCES / "tiny", sourcing)
    assert result.status == "optimal"
    assert result.objective == pytest.approx(tried, rel=1e-9)


def test_tiny_shows_what_it_says():
    """One source runs short, two hand over, the third program is not worth two transfers."""
    for sourcing in SOURCINGS:
        problem = compile_problem(read_portfolio(INSTANCES / "tiny"), sourcing).problem
        plan = solve(problem, "highs", Settings(gap=0.0)).decision
        assert plan is not None
        value, options, choice = evaluate(problem, plan), problem.options, plan.option
        if sourcing == "single":
            assert value.program_unmet[0] > 50
        elif sourcing == "dual":
            assert options.first[choice[2]] < 0
        else:
            first, second = options.first[choice[0]], options.second[choice[0]]
            assert second >= 0
            assert {problem.streams.before[first], problem.streams.before[second]} == {0.0, 1.0}
            assert value.program_unmet[0] < 10
        assert value.cash["rebates"] < 0
        assert not plan.expanded.any()


@pytest.mark.parametrize("name", ["tiny", "launch"])
def test_every_solver_agrees(name: str, solver: str):
    for sourcing in ("single", "free"):
        result = solved(INSTANCES / name, sourcing, solver, gap=0.05)
        agree(result, expected(name)["sourcing"][sourcing])


@pytest.mark.parametrize("name", ["tiny", "launch"])
def test_cbc_agrees(name: str):
    result = solved(INSTANCES / name, "free", "cbc", gap=0.0 if name == "tiny" else 0.005)
    assert result.status == "optimal"
    agree(result, expected(name)["sourcing"]["free"])


def test_demo_is_bounded_from_both_sides():
    """A plan of the decomposition in a moderate gap; its bound and the kept interval agree."""
    wanted = expected("demo")["sourcing"]
    for sourcing in SOURCINGS:
        interval = wanted[sourcing]
        gap = 1.0 - interval["bound"] / interval["objective"]
        assert 0.0 <= gap <= (0.06 if sourcing == "dual" else 0.03)
    agree(solved(INSTANCES / "demo", "free", "patterns", gap=0.08), wanted["free"])


def test_more_freedom_never_costs_more():
    for name in ("tiny", "launch", "demo"):
        plans = expected(name)["sourcing"]
        for strict in ("single", "dual"):
            assert plans["free"]["bound"] <= plans[strict]["objective"] * (1 + 1e-9)


@pytest.mark.parametrize("sourcing", ["single", "free"])
def test_infeasible_names_the_rules_that_conflict_and_no_innocent_one(sourcing: str):
    result = solved(INSTANCES / "infeasible", sourcing)
    assert result.status == "infeasible"
    assert result.objective is None
    assert sorted(result.conflict) == expected("infeasible")["sourcing"][sourcing]["conflict"]
    assert len(result.conflict) == 4


def test_infeasible_holds_without_any_one_of_the_four(tmp_path: Path):
    conflict = expected("infeasible")["sourcing"]["free"]["conflict"]
    for label in conflict:
        scenario = tmp_path / "scenario.toml"
        scenario.write_text(f'[rules]\noff = ["{label}"]\n', encoding="utf-8")
        portfolio = read_portfolio(INSTANCES / "infeasible", scenario)
        problem = compile_problem(portfolio, "free").problem
        result = solve(problem, "highs", Settings(time_limit=60.0, gap=0.5))
        assert result.decision is not None, label
        assert evaluate(problem, result.decision).broken == ()


def rewrite(folder: Path, change) -> None:
    """Pass the rows of every table, header apart, through `change(name, header, rows)`."""
    for file in folder.glob("*.csv"):
        with file.open(encoding="utf-8", newline="") as stream:
            header, *rows = csv.reader(stream)
        with file.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerows(
                [header, *change(file.stem, header, rows)]
            )


def copy_of(name: str, target: Path) -> Path:
    shutil.copytree(INSTANCES / name, target)
    return target


@pytest.mark.parametrize("sourcing", SOURCINGS)
def test_the_order_of_rows_changes_nothing(tmp_path: Path, sourcing: str):
    folder = copy_of("tiny", tmp_path / "tiny")
    rewrite(folder, lambda name, header, rows: rows[::-1])
    wanted = expected("tiny")["sourcing"][sourcing]["objective"]
    assert solved(folder, sourcing).objective == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("sourcing", SOURCINGS)
def test_the_names_of_things_change_nothing(tmp_path: Path, sourcing: str):
    """New ids, in another order than the old ones, with blanks and accents in them."""
    new = {"P1": "Z one", "P2": "programme é", "P3": "A-3"}
    new |= {"A": "z-a", "B": "B 2", "C": "a.c", "LA": "line 9", "LB": "Line_1", "LC": "LC@"}

    def rename(name: str, header: list[str], rows: list[list[str]]) -> list[list[str]]:
        ids = [c for c, column in enumerate(header) if column in ("program_id", "line_id")]
        ids += [c for c, column in enumerate(header) if column == "cmo_id"]
        return [[new[x] if c in ids else x for c, x in enumerate(row)] for row in rows]

    folder = copy_of("tiny", tmp_path / "tiny")
    rewrite(folder, rename)
    wanted = expected("tiny")["sourcing"][sourcing]["objective"]
    assert solved(folder, sourcing).objective == pytest.approx(wanted, rel=1e-9)
