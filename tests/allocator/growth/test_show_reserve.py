"""What to reserve, on a terminal."""

from __future__ import annotations

import io

from rich.console import Console

from allocator.growth.show_reserve import SHOWN, show_reserve

PERIODS = ["2027Q1", "2027Q2", "2027Q3", "2027Q4"]


def cells(line, *days, today=0.0):
    return [
        {"line_id": line, "cmo_id": "K", "period": period, "days": day, "days_today": today,
         "days_more": day - today}
        for period, day in zip(PERIODS, days, strict=True)
        if day or today
    ]  # fmt: skip


def reserve(**changes):
    """A reservation for one scenario of two, without probabilities."""
    row = {
        "name": "all", "contract": "min_spend", "costs_with_contract": [1.0, 2.0],
        "worst_regret_with_contract": 3.0, "expected_cost_with_contract": None,
    }  # fmt: skip
    kind = {
        "kind": "min_spend", "worst_cost": 5.0, "savings": [-5.0, 9.0], "expected_saving": None,
        "break_even_demand": 1.23456,
    }  # fmt: skip
    return {
        "criterion": "worst regret", "choice": "all", "contract": "min_spend",
        "assumed": ["spot_share"], "policy_terms": {"spot_share": 0.25},
        "scenarios_assumed": False,
        "scenarios": [
            {"name": "flat", "relative_demand": 1.0, "probability": None},
            {"name": "all", "relative_demand": 2.0, "probability": None},
        ],
        "reservations": [row], "line_days": cells("L", 30.0, 30.0, 0.0, 12.34, today=15.0),
        "terms_for": "all", "terms": [kind], **changes,
    }  # fmt: skip


def shown(**changes):
    console = Console(width=160, record=True, file=io.StringIO())
    show_reserve(console, {"reserve": reserve(**changes), "periods": PERIODS, "currency": "USD"})
    return console.export_text()


def test_the_days_of_each_line_stand_by_period():
    text = shown()
    assert "Least worst regret: reserve for 'all', under min spend." in text
    assert "2027Q1 to 2027Q2: 30, 2027Q4: 12.3" in text
    assert "72.3" in text
    assert "+12.3" in text
    assert "x 1.235" in text
    assert "expected" not in text
    assert "Assumed where contracts.csv has no other: spot share 25 %." in text


def test_lines_that_reserve_most_more_come_first_and_the_rest_is_counted():
    many = [c for n in range(SHOWN + 2) for c in cells(f"L{n:02d}", 1.0 + n, 0.0, 0.0, 0.0)]
    text = shown(line_days=many)
    assert f"L{SHOWN + 1:02d}" in text
    assert "L00" not in text
    assert "and 2 more lines: --out writes them to reserve_line_days.csv" in text


def test_reserving_nothing_more_is_said_and_has_no_days():
    text = shown(contract=None, choice="today's plan", assumed=[])
    assert "Least worst regret: reserve nothing beyond today's plan." in text
    assert "Line-days to reserve" not in text
    assert "Terms: those of contracts.csv and policy.toml." in text


def test_a_contract_that_never_pays_is_told_from_one_that_demand_does_not_decide():
    kind = reserve()["terms"][0] | {"break_even_demand": None}
    assert "never" not in shown(terms=[kind])
    assert "never" in shown(terms=[kind | {"savings": [-5.0, -1.0]}])


def test_with_probabilities_there_are_expected_figures():
    scenarios = [s | {"probability": 0.5} for s in reserve()["scenarios"]]
    assert shown(scenarios=scenarios).count("expected") == 2
