from __future__ import annotations

import re
from pathlib import Path

import pytest

from allocator.errors import BadData
from allocator.portfolio import Portfolio
from allocator.read import inspect, read_portfolio
from allocator.scenario import Scenario, apply_scenario, read_scenario
from tests.allocator.folders import folder, said

ROOT = Path(__file__).parents[2]
POLICY = """
sourcing = "dual"
[[rule]]
name = "max_cmos"
limit = 1
[[rule]]
name = "keep_incumbent"
label = "stay"
"""


def changed(tmp_path: Path, text: str) -> Portfolio:
    folder(tmp_path, policy=POLICY, scenario=text)
    return read_portfolio(tmp_path, tmp_path / "scenario.toml")


def wrong(tmp_path: Path, text: str) -> list[str]:
    folder(tmp_path, policy=POLICY, scenario=text)
    portfolio, findings = inspect(tmp_path, tmp_path / "scenario.toml")
    assert portfolio is None
    return said(findings)


def test_an_empty_scenario_changes_nothing(tmp_path: Path) -> None:
    assert changed(tmp_path, "") == read_portfolio(tmp_path)
    portfolio = read_portfolio(tmp_path)
    assert apply_scenario(portfolio, Scenario()) == (portfolio, ())


def test_demand_of_all_of_programs_and_of_periods(tmp_path: Path) -> None:
    text = '[demand]\nall = 2\nprograms = { P1 = 1.5 }\nperiods = { "2027q3" = 10 }\n'
    programs = changed(tmp_path, text).programs
    assert programs["P1"].demand == (150.0, 180.0, 2100.0, 240.0)
    assert programs["P2"].demand == (2000.0, 0.0, 20000.0, 2000.0)


def test_demand_from_a_period_on(tmp_path: Path) -> None:
    text = '[demand]\nfrom = "2027Q3"\nall = 2\nperiods = { 2027Q1 = 3 }\n'
    assert changed(tmp_path, text).programs["P1"].demand == (150.0, 60.0, 140.0, 160.0)


@pytest.mark.parametrize(
    ("months", "days"),
    [
        (3, (60.0, 0.0, 60.0, 60.0)),
        (4, (60.0, 0.0, 40.0, 60.0)),
        (0, (60.0, 60.0, 60.0, 60.0)),
        (99, (60.0, 0.0, 0.0, 0.0)),
    ],
)
def test_an_outage_takes_the_days_of_the_lines(
    tmp_path: Path, months: int, days: tuple[float, ...]
) -> None:
    text = f'[[outage]]\ncmo = "K1"\nfrom = "2027Q2"\nmonths = {months}\n'
    portfolio = changed(tmp_path, text)
    assert portfolio.lines["L1"].days == pytest.approx(days)
    assert portfolio.lines["L2"].days == (50.0,) * 4
    assert portfolio.offers == read_portfolio(tmp_path).offers


def test_outages_that_overlap_count_once(tmp_path: Path) -> None:
    text = (
        '[[outage]]\ncmo = "K1"\nfrom = "2027Q1"\nmonths = 4\n'
        '[[outage]]\ncmo = "K1"\nfrom = "2027Q2"\nmonths = 2\n'
    )
    assert changed(tmp_path, text).lines["L1"].days == pytest.approx((0.0, 20.0, 60.0, 60.0))


@pytest.mark.parametrize(
    ("of", "prices"),
    [
        ('cmo = "K2"', (20000, 19800, 99000)),
        ('line = "L1"', (22000, 18000, 90000)),
        ('program = "P1"', (22000, 19800, 90000)),
        ("", (22000, 19800, 99000)),
    ],
)
def test_prices(tmp_path: Path, of: str, prices: tuple[float, ...]) -> None:
    portfolio = changed(tmp_path, f"[[price]]\nfactor = 1.1\n{of}\n")
    assert tuple(o.price_per_batch for o in portfolio.offers.values()) == pytest.approx(prices)


def test_price_factors_that_meet_are_multiplied(tmp_path: Path) -> None:
    text = '[[price]]\nfactor = 2\n[[price]]\nfactor = 3\nline = "L1"\n'
    assert changed(tmp_path, text).offers["P1@L1@50"].price_per_batch == 120000


def test_rules_and_sourcing(tmp_path: Path) -> None:
    text = (
        'sourcing = "single"\n[rules]\noff = ["stay"]\n'
        '[[rule]]\nname = "max_cmos"\nlimit = 2\n[[rule]]\nname = "forbid"\ncmos = ["K1"]\n'
        'label = "not K1"\n'
    )
    policy = changed(tmp_path, text).policy
    assert policy.sourcing == "single"
    assert [(r.label, r.settings.get("limit")) for r in policy.rules] == [
        ("max_cmos", 1),
        ("max_cmos_2", 2),
        ("not K1", None),
    ]


def test_a_rule_may_take_the_place_of_one_switched_off(tmp_path: Path) -> None:
    text = '[rules]\noff = ["max_cmos"]\n[[rule]]\nname = "max_cmos"\nlimit = 2\n'
    rules = changed(tmp_path, text).policy.rules
    assert [(r.label, r.settings.get("limit")) for r in rules] == [("stay", None), ("max_cmos", 2)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("demnd = 1", "scenario.toml:1 demnd: the key is unknown; did you mean 'demand'?"),
        ("[demand]\nal = 2", "scenario.toml:2 demand.al: the key is unknown; did you mean 'all'?"),
        ("[demand]\nall = -1", "scenario.toml:2 demand.all: -1 is too low"),
        (
            "[demand]\nprograms = { P9 = 2 }",
            "scenario.toml demand.programs: there is no 'P9'; name one that the tables",
        ),
        (
            "[demand]\nperiods = { 2028Q1 = 2 }",
            "scenario.toml demand.periods: there is no '2028Q1'; did you mean '2027Q1'?",
        ),
        ("[demand]\nfrom = '2030'", "scenario.toml demand.from: there is no '2030'"),
        ("[[outage]]\ncmo = 'K1'", "scenario.toml:1 outage.from: is missing"),
        (
            "[[outage]]\ncmo = 'X'\nfrom = '2027Q1'\nmonths = 3",
            "scenario.toml outage cmo: there is no 'X'",
        ),
        (
            "[[outage]]\ncmo = 'K1'\nfrom = '2026Q1'\nmonths = 3",
            "scenario.toml outage from: there is no '2026Q1'",
        ),
        (
            "[[price]]\ncmo = 'K1'\nline = 'L1'\nfactor = 2",
            "scenario.toml:1 price: names cmo and line; name one of them per [[price]]",
        ),
        ("[[price]]\nline = 'L1'", "scenario.toml:1 price.factor: is missing"),
        ("[[price]]\nline = 'L7'\nfactor = 2", "scenario.toml price line: there is no 'L7'"),
        ("[rules]\noff = ['Stay it']", "scenario.toml rules.off: there is no 'Stay it'"),
        ("[rules]\non = ['stay']", "scenario.toml:2 rules.on: the key is unknown"),
        (
            "[[rule]]\nname = 'forbid'\ncmos = ['K7']",
            "scenario.toml rule forbid cmos: there is no 'K7' among the cmos",
        ),
        ("sourcing = 'triple'", "scenario.toml:1 sourcing: 'triple' is not known"),
    ],
)
def test_problems(tmp_path: Path, text: str, message: str) -> None:
    found = wrong(tmp_path, text)
    assert len(found) == 1 or "missing" in message
    assert any(line.startswith(message) for line in found), found


def test_problems_of_a_scenario_and_of_tables_come_together(tmp_path: Path) -> None:
    folder(tmp_path, cmos=None, scenario="al = 1")
    found = said(inspect(tmp_path, tmp_path / "scenario.toml")[1])
    assert [line.split(":")[0] for line in found] == ["cmos.csv", "scenario.toml"]


def test_a_scenario_that_is_not_there(tmp_path: Path) -> None:
    folder(tmp_path)
    with pytest.raises(BadData, match=r"nowhere\.toml: cannot be read"):
        read_portfolio(tmp_path, tmp_path / "nowhere.toml")


def test_the_example_of_the_page_is_sound(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "policy.md").read_text()
    example = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)[1]
    (tmp_path / "scenario.toml").write_text(example)
    scenario, findings = read_scenario(tmp_path / "scenario.toml")
    assert said(findings) == []
    assert scenario.demand_from == "2027Q3"
    assert scenario.rules_off == ("five partners",)
