"""Plan beside history: the same units in the same periods, and everything else apart."""

from __future__ import annotations

import csv
import json

import pytest

from allocator.errors import BadData
from allocator.history import compare_with_history, history_comparison, ingest

from .writing import HEADER, write_history, write_map

# Two sites of one product, in two quarters; prices 10 and 8, then twice as dear in all.
ROWS = (
    "1,Abac,300mg,Tablet,North Plant,100,1,1000,02-Jan-20,02-Jan-20,Direct,MED",
    "2,Abac,300mg,Tablet,South Works,100,1,800,03-Jan-20,02-Jan-20,Direct,MED",
    "3,Abac,300mg,Tablet,North Plant,100,1,2000,02-Apr-20,02-Jan-20,Direct,MED",
    "4,Abac,300mg,Tablet,South Works,100,1,1600,03-Apr-20,02-Jan-20,Direct,MED",
)
OTHER = "the plan was made with other demand, prices or lines"
NORTH, SOUTH = "north-plant.solid.tablets", "south.solid.tablets"


@pytest.fixture
def folder(tmp_path):
    ingest(write_history(tmp_path, ROWS, HEADER), write_map(tmp_path), tmp_path / "tables")
    return tmp_path / "tables"


def source(line, batches, share=1.0, start="2020Q1", size="100"):
    offer = {"offer_id": f"abac-300mg@{line}@{size}", "cmo_id": line.split(".")[0]}
    return offer | {"share": share, "first_supply_period": start, "batches": batches}


def plan_of(folder, *sources, unmet=0.0, factor=1.0):
    """A plan of these sources; `factor` on what its batches cost."""
    from allocator.read import read_portfolio

    offers = {offer.line_id: offer for offer in read_portfolio(folder).offers.values()}
    cost = 0.0
    for entry in sources:
        line = entry["offer_id"].split("@")[1]
        if line in offers:
            entry["offer_id"] = offers[line].offer_id
            cost += offers[line].price_per_batch * sum(entry["batches"].values())
    entry = {"program_id": "abac-300mg", "sources": list(sources), "unmet_units": unmet}
    return {"programs": [entry | {"costs": {"batches": cost * factor}}]}


def test_the_dear_site_replaced_by_the_cheap_one(folder):
    # tables' prices are medians: north 15, south 12; batches of 100
    plan = plan_of(folder, source(SOUTH, {"2020Q1": 2, "2020Q2": 2}))
    found = history_comparison(folder, plan)
    assert found.left_out == {}
    assert found.total("paid") == pytest.approx(5400)
    assert found.total("at_table_price") == pytest.approx(2 * (1500 + 1200))
    assert found.total("plan") == pytest.approx(4 * 1200)
    # the period's level: 1800 / 2700 in the first quarter, 3600 / 2700 in the second
    assert found.total("plan_in_period") == pytest.approx(2400 * 2 / 3 + 2400 * 4 / 3)
    assert found.over_production == pytest.approx(0)
    assert found.total("paid_unmet") == 0
    by_line = {row.line: row for row in found.rows}
    assert by_line["1"].plan == pytest.approx(1200)
    assert by_line["1"].plan_in_period == pytest.approx(800)
    assert by_line["4"].plan_in_period == pytest.approx(1600)
    text = "\n".join(found.lines())
    assert "11.1% less than paid" in text
    found.write(folder.parent / "lines.csv")
    with (folder.parent / "lines.csv").open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    assert [row["line"] for row in written] == ["1", "2", "3", "4"]
    assert sum(float(row["plan"]) for row in written) == pytest.approx(4800)
    assert "USD, 2020Q1 to 2020Q2, 1 programs, 4 lines" in text


def test_history_repeated_costs_what_was_paid(folder):
    both = {"2020Q1": 1, "2020Q2": 1}
    plan = plan_of(folder, source(NORTH, both, 0.5), source(SOUTH, dict(both), 0.5))
    found = history_comparison(folder, plan)
    assert found.total("plan_in_period") == pytest.approx(found.total("paid"))
    assert found.total("plan") == pytest.approx(found.total("at_table_price"))


def test_unmet_units_and_overproduction_stand_apart(folder):
    plan = plan_of(folder, source(SOUTH, {"2020Q1": 1, "2020Q2": 3}), unmet=100.0)
    found = history_comparison(folder, plan)
    assert found.total("paid_unmet") == pytest.approx(900)
    assert found.total("paid") == pytest.approx(900 + 3600)
    assert found.total("plan") == pytest.approx(3 * 1200)
    assert found.over_production == pytest.approx(1200)


def test_stock_serves_later_periods(folder):
    plan = plan_of(folder, source(SOUTH, {"2020Q1": 4}))
    found = history_comparison(folder, plan)
    assert found.total("plan") == pytest.approx(4800)
    assert found.over_production == pytest.approx(0)
    assert found.total("paid_unmet") == 0


def change_table(folder, name, column, value):
    with (folder / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with (folder / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(row | {column: value} for row in rows)


def test_a_batch_counts_from_its_release_on(folder):
    change_table(folder, "offers.csv", "release_months", 3)
    plan = plan_of(folder, source(SOUTH, {"2020Q1": 3, "2020Q2": 1}), unmet=200.0)
    found = history_comparison(folder, plan)
    assert found.left_out == {}
    assert found.total("paid_unmet") == pytest.approx(1800)
    assert found.over_production == pytest.approx(2 * 1200)  # one of them is never released


@pytest.mark.parametrize(("months", "kept"), [(1.5, 100.0), (3, 200.0), (4, 200.0)])
def test_stock_beyond_the_shelf_life_is_scrapped(folder, months, kept):
    change_table(folder, "portfolio.csv", "shelf_life_months", months)
    plan = plan_of(folder, source(SOUTH, {"2020Q1": 5}), unmet=200.0 - kept)
    found = history_comparison(folder, plan)
    assert found.left_out == {}
    assert found.over_production == pytest.approx((300 - kept) * 12)


def test_hand_over_before_the_second_source_is_ready(folder):
    first = source(NORTH, {"2020Q1": 2, "2020Q2": 1}, 0.5)
    second = source(SOUTH, {"2020Q2": 1}, 0.5, start="2020Q2")
    found = history_comparison(folder, plan_of(folder, first, second))
    assert found.left_out == {}
    assert found.total("plan") == pytest.approx(3 * 1500 + 1200)


def test_an_unsourced_program_is_paid_for_by_nobody(folder):
    found = history_comparison(folder, plan_of(folder, unmet=400.0))
    assert found.total("plan") == found.total("paid") == 0
    assert found.total("paid_unmet") == pytest.approx(5400)
    assert "no share" in "\n".join(found.lines())


def test_what_cannot_be_compared_is_said(folder):
    plan = plan_of(folder, source(SOUTH, {"2020Q1": 2, "2020Q2": 2}), unmet=50.0)
    found = history_comparison(folder, plan)
    assert found.left_out == {"abac-300mg": OTHER}
    assert "no program can be compared" in "\n".join(found.lines())
    dearer = plan_of(folder, source(SOUTH, {"2020Q1": 2, "2020Q2": 2}), factor=1.1)
    assert history_comparison(folder, dearer).left_out == {"abac-300mg": OTHER}
    strange = history_comparison(folder, plan_of(folder, source("none", {"2020Q1": 2})))
    assert list(strange.left_out) == ["abac-300mg"]
    other = history_comparison(folder, {"programs": [{"program_id": "another"}]})
    assert other.left_out == {"abac-300mg": "not in the plan"}

    table = folder / "portfolio.csv"
    text = table.read_text(encoding="utf-8")
    table.write_text(text.replace(",200,200", ",200,201"), encoding="utf-8")
    found = history_comparison(folder, plan_of(folder, source(SOUTH, {"2020Q1": 4})))
    assert found.left_out == {"abac-300mg": "its demand is not what the history delivered"}
    table.write_text(
        text.replace("unit,", "unit,opening_stock,").replace("tablets,", "tablets,5,"),
        encoding="utf-8",
    )
    found = history_comparison(folder, plan_of(folder, source(SOUTH, {"2020Q1": 4})))
    assert "opening stock" in found.left_out["abac-300mg"]


def test_lines_without_a_value_stand_apart(tmp_path):
    rows = (*ROWS, "5,Abac,300mg,Tablet,Free Gift,100,1,0,03-Apr-20,,Direct,MED")
    ingest(write_history(tmp_path, rows, HEADER), write_map(tmp_path), tmp_path / "tables")
    folder = tmp_path / "tables"
    plan = plan_of(folder, source(SOUTH, {"2020Q1": 2, "2020Q2": 3}))
    found = history_comparison(folder, plan)
    assert found.unpriced == pytest.approx(1200)
    assert found.total("plan") == pytest.approx(4800)
    assert found.total("paid") == pytest.approx(5400)
    history = folder / "history_lines.csv"
    history.write_text(history.read_text().replace("abac-300mg", "other"), encoding="utf-8")
    assert history_comparison(folder, plan).left_out == {"abac-300mg": "not in the history"}


def test_nothing_to_compare(folder, tmp_path):
    assert history_comparison(folder, {"programs": []}) is None
    plan = plan_of(folder)
    (folder / "history_lines.csv").unlink()
    assert history_comparison(folder, plan) is None
    assert history_comparison(folder / "portfolio.csv", plan) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [("quantity", "amount"), ("100,1000", "many,1000"), ("100,1000", "0,1000"), (",1000", ",-1")],
)
def test_a_damaged_history_is_bad_data(folder, old, new):
    path = folder / "history_lines.csv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(BadData, match="ingest the history again"):
        history_comparison(folder, plan_of(folder, unmet=400.0))


def test_the_whole_way(folder, tmp_path):
    """A run of the tables, read back from its own folder."""
    from allocator.engine import run

    outcome = run(folder, solver="highs", gap=0.0, out=tmp_path / "run")
    found = compare_with_history(tmp_path / "run")
    assert found is not None
    assert found.rows == history_comparison(folder, outcome.plan).rows
    assert found.left_out == {}
    made = outcome.plan["cost_lines"]["batches"]
    assert found.total("plan") + found.over_production + found.unpriced == pytest.approx(made)
    assert json.loads((tmp_path / "run" / "plan.json").read_text())["audit"]["passed"]
