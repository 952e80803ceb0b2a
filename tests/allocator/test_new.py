"""`allocator new`: what it writes, that it writes the same again, and what it refuses."""

import csv
import os
from pathlib import Path

import pytest

import allocator
from allocator.checks import check
from allocator.errors import Usage
from allocator.findings import errors
from allocator.generator import new
from allocator.generator.demo import _program, demo_network
from allocator.generator.demo_data import PROGRAMS
from allocator.generator.pipeline import fit
from allocator.generator.synthetic import FEATURES, synthetic
from allocator.read import read_portfolio

DEMO = Path(__file__).parents[2] / "instances" / "demo"
S, M = (12, 6, 8), (40, 12, 12)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def offered_days(folder: Path) -> float:
    return sum(sum(line.days) for line in read_portfolio(folder).lines.values())


def test_new_is_public():
    assert allocator.new is new


def test_without_sizes_it_writes_the_demo_byte_for_byte(tmp_path: Path):
    written = contents(new(tmp_path / "demo"))
    kept = contents(DEMO)
    assert set(kept) - set(written) == {"README.md", "expected.json"}
    assert written == {name: kept[name] for name in written}


def test_every_listed_program_of_the_demo_is_made_as_it_is_listed():
    network = demo_network()
    for number, line in enumerate(PROGRAMS.splitlines()):
        listed = _program(line, number)
        made = fit(listed, network, least=2)
        assert made.suites
        assert (made.molecule, made.form, made.max_oeb, made.schedule, made.cold_chain) == (
            listed.molecule,
            listed.form,
            listed.max_oeb,
            listed.schedule,
            listed.cold_chain,
        ), listed.program_id


def test_the_demo_uses_every_table_and_every_kind_of_rule():
    from allocator.rules import KINDS

    portfolio = read_portfolio(DEMO)
    assert {rule.name for rule in portfolio.policy.rules} == set(KINDS)
    assert {group.kind for group in portfolio.policy.outage_groups} == {
        "owner",
        "region",
        "country",
        "shared_input",
    }
    assert portfolio.policy.gates.waived
    assert portfolio.tiers
    assert any(len(set(line.days)) > 1 for line in portfolio.lines.values())
    assert any(line.expansion_days for line in portfolio.lines.values())
    assert any(offer.assumed for offer in portfolio.offers.values())  # of a rate card
    assert any(cmo.min_annual_spend for cmo in portfolio.cmos.values())
    assert any(cmo.max_programs for cmo in portfolio.cmos.values())
    assert any(None in cmo.scores.values() for cmo in portfolio.cmos.values())
    assert {program.sourcing for program in portfolio.programs.values()} == {
        None,
        "single",
        "dual",
        "free",
    }
    assert any(program.batch_max for program in portfolio.programs.values())
    assert any(program.controlled_schedule for program in portfolio.programs.values())
    assert any(program.safety_stock_months for program in portfolio.programs.values())


def test_the_demos_scenario_doubles_demand_from_2028_on():
    plain = read_portfolio(DEMO)
    doubled = read_portfolio(DEMO, DEMO / "double-demand.toml")
    for key, program in plain.programs.items():
        assert doubled.programs[key].demand[:4] == program.demand[:4]
        assert doubled.programs[key].demand[4:] == tuple(2 * d for d in program.demand[4:])


def test_the_same_arguments_give_the_same_bytes_and_other_seeds_others(tmp_path: Path):
    first = contents(new(tmp_path / "a", *S, seed=5))
    assert contents(new(tmp_path / "b", *S, seed=5)) == first
    other = contents(new(tmp_path / "c", *S, seed=6))
    assert all(other[name] != first[name] for name in ("portfolio.csv", "lines.csv", "offers.csv"))


def test_utilisation_changes_line_days_and_expansions_alone(tmp_path: Path):
    days, files = {}, {}
    for level in (0.6, 0.85, 1.1):
        folder = new(tmp_path / str(level), *M, seed=1, utilisation=level)
        days[level], files[level] = offered_days(folder), contents(folder)
    assert days[0.6] > days[0.85] > days[1.1]
    assert days[0.6] * 0.6 == pytest.approx(days[0.85] * 0.85, rel=0.03)
    assert days[1.1] * 1.1 == pytest.approx(days[0.85] * 0.85, rel=0.05)
    for name in ("portfolio.csv", "cmos.csv", "offers.csv", "tiers.csv", "policy.toml"):
        assert files[0.6][name] == files[1.1][name]


@pytest.mark.parametrize("size", [S, M], ids=["S", "M"])
def test_every_seed_passes_the_check_with_few_warnings(tmp_path: Path, size: tuple[int, int, int]):
    for seed in range(21):
        found = check(new(tmp_path / str(seed), *size, seed=seed))
        assert errors(found) == ()
        # a gated CMO's quotes are each pointed at; beside those there is next to nothing
        others = [finding for finding in found if finding.file != "offers.csv"]
        assert len(others) <= 3, [str(finding) for finding in others]


@pytest.mark.parametrize(
    ("size", "least", "low", "high"),
    [(S, 2, 4, 8), (M, 2, 5, 9), ((200, 40, 12), 1, 8, 13)],
    ids=["S", "M", "L"],
)
def test_programs_have_a_bounded_number_of_quotes(
    tmp_path: Path, size: tuple[int, int, int], least: int, low: float, high: float
):
    from allocator.eligibility import eligibility

    for seed in range(2):
        portfolio = read_portfolio(new(tmp_path / str(seed), *size, seed=seed))
        counts = dict.fromkeys(portfolio.programs, 0)
        for offer_id in eligibility(portfolio).offers:
            counts[portfolio.offers[offer_id].program_id] += 1
        assert min(counts.values()) >= least
        assert low <= sum(counts.values()) / len(counts) <= high
        assert max(counts.values()) <= 20


def test_commercial_programs_have_an_incumbent_that_opens_with_stock(tmp_path: Path):
    portfolio = read_portfolio(new(tmp_path / "m", *M, seed=3))
    made = {offer.program_id for offer in portfolio.offers.values() if offer.qualified}
    for key, program in portfolio.programs.items():
        if program.stage == "commercial":
            assert key in made
            assert program.opening_stock > 0
        assert any(program.demand)


def test_a_large_portfolio_has_its_sizes():
    files = synthetic(1000, 120, 12, 0, 0.85)
    rows = {name: list(csv.reader(text.splitlines())) for name, text in files.items()}
    assert len(rows["portfolio.csv"]) == 1001
    assert len(rows["cmos.csv"]) == 121
    assert 10 * 1000 <= len(rows["offers.csv"]) <= 20 * 1000
    names = [row[1] for row in rows["portfolio.csv"][1:]]
    assert len(set(names)) == len(names)


def test_without_features_the_optional_parts_are_missing(tmp_path: Path):
    folder = new(tmp_path / "plain", *S, seed=2, features=())
    assert set(contents(folder)) == {
        "portfolio.csv",
        "cmos.csv",
        "lines.csv",
        "offers.csv",
        "policy.toml",
    }
    portfolio = read_portfolio(folder)
    assert not portfolio.policy.rules
    assert not any(line.expansion_days for line in portfolio.lines.values())
    assert not any(cmo.min_annual_spend or cmo.max_programs for cmo in portfolio.cmos.values())
    assert not any(
        program.opening_stock or program.safety_stock_months
        for program in portfolio.programs.values()
    )


@pytest.mark.parametrize("feature", sorted(FEATURES))
def test_each_feature_adds_something(tmp_path: Path, feature: str):
    without = contents(new(tmp_path / "without", *M, seed=4, features=FEATURES - {feature}))
    assert contents(new(tmp_path / "with", *M, seed=4)) != without


def test_sizes_that_are_not_given_follow_from_the_others(tmp_path: Path):
    portfolio = read_portfolio(new(tmp_path / "a", programs=20))
    assert (len(portfolio.programs), len(portfolio.cmos), len(portfolio.periods)) == (20, 6, 12)
    portfolio = read_portfolio(new(tmp_path / "b", periods=6))
    assert (len(portfolio.programs), len(portfolio.cmos), len(portfolio.periods)) == (40, 12, 6)


@pytest.mark.parametrize("size", [(1, 3, 4), (3, 3, 4), (2, 30, 4), (60, 3, 20)])
def test_odd_sizes_are_sound_too(tmp_path: Path, size: tuple[int, int, int]):
    for seed in range(3):
        assert errors(check(new(tmp_path / str(seed), *size, seed=seed))) == ()


def test_an_empty_folder_is_filled_and_stays_the_same_folder(tmp_path: Path):
    folder = tmp_path / "here"
    folder.mkdir()
    inode = folder.stat().st_ino
    assert new(folder) == folder
    assert folder.stat().st_ino == inode
    assert "portfolio.csv" in contents(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_a_folder_with_content_is_refused_and_left_alone(tmp_path: Path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(Usage, match="is not empty"):
        new(tmp_path)
    assert contents(tmp_path) == {"mine.txt": b"keep"}


def test_a_file_is_refused(tmp_path: Path):
    file = tmp_path / "file"
    file.write_text("keep")
    with pytest.raises(Usage, match="is a file"):
        new(file)
    with pytest.raises(Usage, match="cannot be made"):
        new(file / "below")
    assert file.read_text() == "keep"


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"programs": 0}, "--programs 0 is too small"),
        ({"cmos": 2}, "--cmos 2 is too small"),
        ({"periods": 3}, "--periods 3 is too small"),
        ({"programs": 3, "seed": -1}, "--seed -1 is too small"),
        ({"programs": 3, "utilisation": 0.0}, "utilisation 0 is out of range"),
        ({"programs": 3, "features": ("rule",)}, "unknown feature rule"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(tmp_path: Path, arguments: dict, match: str):
    with pytest.raises(Usage, match=match):
        new(tmp_path / "never", **arguments)
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize("exists", [True, False])
def test_a_failure_halfway_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exists: bool
):
    folder = tmp_path / "target"
    if exists:
        folder.mkdir()
    moved = []
    replace = os.replace

    def fail(source: Path, target: Path) -> None:
        moved.append(target)
        if not exists or len(moved) == 3:
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", fail)
    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(Usage, match="No space left"):
        new(folder)
    assert [path.name for path in tmp_path.iterdir()] == (["target"] if exists else [])
    assert not exists or list(folder.iterdir()) == []
