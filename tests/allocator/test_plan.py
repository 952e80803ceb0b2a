"""plan.json and the tables: figures by hand, sums, order, and what stands without a plan."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from allocator.compile import compile_problem
from allocator.plan import COST_LINES, PROGRAM_LINES, _note, build_plan, plan_tables
from allocator.plan_tables import COLUMNS
from allocator.read import read_portfolio
from allocator.risk.explain import explain_risk
from models.result import Result
from tests.allocator.audit.example import (
    BATCHES,
    PERIODS,
    TABLES,
    decide,
    hand_result,
    write_inputs,
)

ASKED = {"solver": "auto", "sourcing": None, "gap": 0.001}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    return compile_problem(read_portfolio(write_inputs(tmp_path_factory.mktemp("plan") / "in")))


@pytest.fixture(scope="module")
def plan(compiled):
    return build_plan(compiled, hand_result(compiled, decide(compiled)), **ASKED)


@pytest.fixture(scope="module")
def tables(compiled):
    return plan_tables(compiled, hand_result(compiled, decide(compiled)))


def by(rows, **wanted):
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


def test_status_solver_and_what_was_asked(plan):
    assert (plan["status"], plan["limit"], plan["solver"]) == ("feasible", "time", "hand")
    assert plan["asked"] == ASKED
    assert (plan["sourcing"], plan["currency"]) == ("free", "EUR")
    assert plan["periods"] == list(PERIODS)
    assert plan["gap"] == pytest.approx(0.2)
    assert plan["audit"] is None


def test_an_asked_sourcing_stands_over_the_policy(compiled):
    result = hand_result(compiled, decide(compiled))
    plan = build_plan(compiled, result, **(ASKED | {"sourcing": "dual"}))
    assert plan["sourcing"] == "dual"


def test_cost_lines_by_hand(plan):
    lines = plan["cost_lines"]
    assert list(lines) == list(COST_LINES)
    prices = {
        "P1@L1@50": 2e5,
        "P1@L2@40": 1.5e5,
        "P2@L2@60": 9e4,
        "P3@L3@500": 6e4,
        "P5@L1@50": 8e4,
    }
    assert lines["batches"] == sum(prices[offer] * sum(n) for offer, n in BATCHES.items())
    assert lines["validation"] == 2 * 150000 + 80000
    assert lines["transfer"] == 300000 + 50000
    # campaigns: L1 6 + 4, L2 3 + 3
    assert lines["changeovers"] == 10 * 500 + 6 * 800
    assert lines["onboarding"] == 30000 + 50000 + 20000
    assert lines["annual_fees"] == 1.5 * (12000 + 24000 + 6000)
    # K2: 2027 has 2 + 3 x 150,000 and 90,000 of 900,000; half of 2028 has 150,000 + 270,000
    assert lines["take_or_pay"] == 900000 - 840000 + 450000 - 420000
    assert lines["expansions"] == 40000
    # K1: 7 x 200,000 + 2 x 80,000 + 80,000 in 2027; 5 x 200,000 + 2 x 80,000 in 2028
    assert lines["rebates"] == pytest.approx(-0.05 * (1640000 + 1160000))


def test_totals_are_sums_of_lines(plan):
    lines = plan["cost_lines"]
    assert plan["cash_cost"] == pytest.approx(sum(list(lines.values())[:10]))
    assert plan["shortage_cost"] == pytest.approx(lines["shortage"] + lines["safety_stock"])
    assert plan["risk_cost"] == lines["risk"]
    total = plan["cash_cost"] + plan["shortage_cost"] + plan["risk_cost"]
    assert plan["objective"] == pytest.approx(total)


def test_programs_add_up(plan):
    for line in PROGRAM_LINES:
        parts = sum(program["costs"][line] for program in plan["programs"])
        assert parts == pytest.approx(plan["cost_lines"][line]), line
    months = sum(program["months_short"] for program in plan["programs"])
    late = sum(program["risks"]["late_months"] for program in plan["programs"])
    assert plan["months_short"] == pytest.approx(months)
    assert plan["expected_delay_months"] == pytest.approx(late)


def test_the_plan_stands_in_the_order_of_the_ids(plan):
    assert [p["program_id"] for p in plan["programs"]] == ["P1", "P2", "P3", "P4", "P5"]
    assert [k["cmo_id"] for k in plan["cmos"]] == ["K1", "K2", "K3", "K4"]
    assert [line["line_id"] for line in plan["lines"]] == ["L1", "L2", "L3", "L4"]


def test_a_dual_sourced_program(plan):
    program = plan["programs"][0]
    assert program["option"] == "dual"
    assert program["sources"] == [
        {
            "role": "primary",
            "cmo_id": "K1",
            "line_id": "L1",
            "offer_id": "P1@L1@50",
            "batch_size": 50.0,
            "share": 0.6,
            "qualified": True,
            "ready_period": "2027Q1",
            "first_supply_period": "2027Q1",
            "batches": dict(zip(PERIODS, BATCHES["P1@L1@50"], strict=True)),
        },
        {
            "role": "secondary",
            "cmo_id": "K2",
            "line_id": "L2",
            "offer_id": "P1@L2@40",
            "batch_size": 40.0,
            "share": 0.4,
            "qualified": False,
            "ready_period": "2027Q3",
            "first_supply_period": "2027Q4",
            "batches": {"2027Q3": 1, "2027Q4": 2, "2028Q1": 1},
        },
    ]


def test_an_unsourced_program_lives_on_its_opening_stock(plan, tables):
    program = plan["programs"][3]
    assert (program["option"], program["sources"], program["unmet_units"]) == ("unsourced", [], 450)
    assert program["months_short"] == pytest.approx(3 * 450 / 100)
    [row] = by(tables["assignments"], program_id="P4")
    assert {value for key, value in row.items() if key not in ("program_id", "option")} == {""}
    rows = by(tables["batches"], program_id="P4")
    assert [row["stock"] for row in rows] == [50, 0, 0, 0, 0, 0]
    assert [row["served"] for row in rows] == [100, 50, 0, 0, 0, 0]


def test_dates_of_first_supply_are_those_that_explain_the_risk(compiled, plan, tables):
    decision = decide(compiled)
    seen = set()
    for p, program_id in enumerate(compiled.problem.programs.ids):
        [row] = by(tables["risk"], program_id=program_id)
        told = explain_risk(compiled, int(decision.option[p]))
        first = told["first_supply"]
        dates = (row["p50_date"], row["p90_date"])
        assert dates == (("", "") if first is None else (first["p50_date"], first["p90_date"]))
        steps = [source["critical_step"] or "" for source in told["sources"]]
        assert row["critical_step"] in (steps or [""])
        seen.add(bool(row["critical_step"]))
    assert seen == {True, False}


def test_on_time_share_is_weighted_by_what_a_delay_costs(plan):
    weights = {"P1": 9e5 * 6, "P2": 3e5 * 6, "P3": 5e5 * 6, "P4": 1e3 * 6, "P5": 2e5 * 4}
    demand = {"P1": 700, "P2": 360, "P3": 6600, "P4": 600, "P5": 200}
    on_time = {
        p["program_id"]: 1 - p["unmet_units"] / demand[p["program_id"]] for p in plan["programs"]
    }
    mean = sum(on_time[p] * w for p, w in weights.items()) / sum(weights.values())
    assert plan["on_time_share"] == pytest.approx(mean)


def changed(tmp_path, *edits):
    return compile_problem(read_portfolio(write_inputs(tmp_path / "in", edits)))


def test_on_time_share_counts_programs_alike_where_no_delay_costs(tmp_path):
    rows = TABLES["portfolio.csv"].splitlines()[1:]
    costs = [row.split(",")[5] for row in rows]
    edits = [
        ("portfolio.csv", row, row.replace(f",{cost},", ",0,", 1))
        for row, cost in zip(rows, costs, strict=True)
    ]
    compiled = changed(tmp_path, *edits)
    plan = build_plan(compiled, hand_result(compiled, decide(compiled)), **ASKED)
    demand = {"P1": 700, "P2": 360, "P3": 6600, "P4": 600, "P5": 200}
    shares = [1 - p["unmet_units"] / demand[p["program_id"]] for p in plan["programs"]]
    assert plan["on_time_share"] == pytest.approx(sum(shares) / 5)


def test_scrap_beyond_the_shelf_life_is_held_and_paid_for(tables):
    rows = by(tables["batches"], program_id="P2")
    assert (rows[0]["stock"], rows[0]["scrap"]) == (120, 120)
    held = [row["amount"] for row in by(tables["costs"], program_id="P2", line="holding")]
    assert held[0] == 30 * 3 * (120 + 120)
    assert held[1] == 30 * 3 * (60 + 120)


def test_bookings_sum_to_the_cost_lines_and_no_key_stands_twice(plan, tables):
    rows = tables["costs"]
    for line in COST_LINES:
        booked = sum(row["amount"] for row in by(rows, line=line))
        assert booked == pytest.approx(plan["cost_lines"][line]), line
    keys = [(r["line"], r["program_id"], r["cmo_id"], r["period"]) for r in rows]
    assert len(keys) == len(set(keys))
    assert all(row["amount"] != 0 for row in rows)


def test_where_amounts_are_booked(tables):
    def periods(line, **wanted):
        return [row["period"] for row in by(tables["costs"], line=line, **wanted)]

    assert periods("validation") == ["2027Q2", "2027Q1"]
    assert periods("transfer") == ["2027Q2", "2027Q1"]
    assert set(periods("onboarding")) == set(periods("expansions")) == {"2027Q1"}
    assert periods("annual_fees", cmo_id="K1") == list(PERIODS)
    assert periods("take_or_pay") == periods("rebates") == ["2027Q4", "2028Q2"]
    assert set(periods("risk")) == {""}
    assert {row["cmo_id"] for row in by(tables["costs"], line="shortage", program_id="P4")} == {""}


def test_days_of_a_line(plan, tables):
    line = plan["lines"][0]
    assert line["expanded"]
    [row] = by(tables["utilisation"], line_id="L1", period="2028Q1")
    assert row["offered_days"] == 16
    assert row["expansion_days"] == 8
    assert row["batch_days"] == 3 * 5 + 1 * 4
    assert row["changeover_days"] == 2
    assert row["used_days"] == 21
    assert row["free_days"] == 3
    assert line["days"]["2028Q1"] == {"offered": 24, "used": 21, "free": 3}
    [row] = by(tables["utilisation"], line_id="L2", period="2027Q2")
    assert row["validation_days"] == 2 * 4 + 2


def test_a_cmo_by_year(plan):
    k1, k2, _, k4 = plan["cmos"]
    assert k1["programs"] == ["P1", "P5"]
    assert k1["rebate"] == {"2027": pytest.approx(82000), "2028": pytest.approx(58000)}
    assert k2["take_or_pay"] == {"2027": 60000, "2028": 30000}
    assert k2["spend"] == {"2027": 840000, "2028": 420000}
    assert (k4["engaged"], k4["programs"], k4["onboarding"], k4["annual_fees"]) == (False, [], 0, 0)


def test_every_table_has_its_columns(tables):
    assert set(tables) == set(COLUMNS)
    for name, rows in tables.items():
        assert {tuple(row) for row in rows} == {COLUMNS[name]}, name


def test_the_plan_is_plain_json(plan, tables):
    assert json.loads(json.dumps(plan, allow_nan=False)) == plan
    assert json.loads(json.dumps(tables, allow_nan=False)) == tables
    assert "-0.0" not in json.dumps([plan, tables])


def test_nothing_is_stated_where_there_is_no_plan(compiled):
    result = Result("no_plan", "time", None, None, 5.0, "", 1.0)
    plan = build_plan(compiled, result, **ASKED)
    assert (plan["status"], plan["solver"], plan["bound"]) == ("no_plan", "auto", 5.0)
    assert {plan[key] for key in ("objective", "gap", "cash_cost", "on_time_share")} == {None}
    assert set(plan["cost_lines"].values()) == {None}
    assert plan["programs"] == plan["cmos"] == plan["lines"] == []
    assert plan_tables(compiled, result) == {name: [] for name in COLUMNS}


def test_a_portfolio_without_demand_has_no_on_time_share(tmp_path):
    header, *rows = TABLES["portfolio.csv"].splitlines()
    edits = [
        ("portfolio.csv", row, ",".join([*row.split(",")[:16], *["0"] * len(PERIODS)]))
        for row in rows
    ]
    assert header.count(",") == 21
    compiled = changed(tmp_path, *edits)
    plan = build_plan(compiled, hand_result(compiled, decide(compiled)), **ASKED)
    assert plan["on_time_share"] is None
    assert plan["months_short"] == 0


def test_assumptions_and_notes_stand_in_the_plan(tmp_path):
    compiled = changed(
        tmp_path,
        ("offers.csv", "P2,L2,60,90000,6,0.9,0,yes,,,,,,,1,", "P2,L2,60,90000,6,,0,yes,,,,,,,1,"),
        ("policy.toml", '"free"', '"dual"'),
    )
    result = Result("no_plan", "time", None, None, None, "", 1.0)
    notes = build_plan(compiled, result, **ASKED)["assumptions"]
    assert any("yield" in note["where"] for note in notes)
    assert any("falls back to single" in note["what"] for note in notes)


@dataclass
class Note:
    where: str
    what: str


@pytest.mark.parametrize(
    "note", [("a", "b"), {"where": "a", "what": "b"}, Note("a", "b"), "a: b"], ids=str
)
def test_a_note_has_a_place_and_a_sentence(note):
    assert _note(note) == {"where": "a", "what": "b"}


def test_a_sentence_without_a_place():
    assert _note("all is well") == {"where": "", "what": "all is well"}


def test_the_order_of_rows_changes_nothing(tmp_path, plan, tables):
    folder = write_inputs(tmp_path / "in")
    for path in Path(folder).glob("*.csv"):
        header, *rows = path.read_text().splitlines()
        path.write_text("\n".join([header, *reversed(rows)]) + "\n")
    compiled = compile_problem(read_portfolio(folder))
    result = hand_result(compiled, decide(compiled))
    assert json.dumps(build_plan(compiled, result, **ASKED)) == json.dumps(plan)
    assert json.dumps(plan_tables(compiled, result)) == json.dumps(tables)
