"""From a history to tables that the program accepts, whole or not at all."""

from __future__ import annotations

import csv
import tomllib

import pytest

from allocator.errors import BadData, Usage
from allocator.history import ingest
from allocator.history.keys import KEYS
from allocator.read import read_portfolio

from .writing import MAP, ROWS, write_history, write_map


def table(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def made(folder, *changes, last_periods=None, rows=ROWS, text=MAP, **history):
    out = folder / "out"
    report = ingest(
        write_history(folder, rows=rows, **history),
        write_map(folder, *changes, text=text),
        out,
        last_periods=last_periods,
    )
    return report, {path.stem: table(path) for path in out.glob("*.csv")}


def fault(folder, *changes, **history):
    with pytest.raises(BadData) as caught:
        made(folder, *changes, **history)
    assert not (folder / "out").exists()
    assert sorted(path.name for path in folder.iterdir()) == ["history.csv", "map.toml"]
    return str(caught.value)


def test_the_tables_say_what_the_history_says(tmp_path):
    report, tables = made(tmp_path)
    abac, bevi = tables["portfolio"]
    assert (abac["program_id"], abac["name"]) == ("abac-300mg", "Abac | 300mg")
    assert [abac[f"2020Q{q}"] for q in (1, 2, 3)] == ["27000", "6000", "6000"]
    assert [bevi[f"2020Q{q}"] for q in (1, 2, 3)] == ["0", "12000", "12000"]
    # spend of a period with demand: (600 + 1500 + 240 + 480 + 540) / 9 months, 600 / 6 months
    assert float(abac["delay_cost_per_month"]) == pytest.approx(4 * 3360 / 9, abs=0.01)
    assert float(bevi["delay_cost_per_month"]) == pytest.approx(4 * 100, abs=0.01)
    assert float(abac["holding_cost_per_unit_month"]) == pytest.approx(0.01 * 0.08333333, rel=1e-4)
    # the line without a value is no price of 0
    assert float(bevi["holding_cost_per_unit_month"]) == pytest.approx(0.01 * 600 / 12000)
    assert [cmo["cmo_id"] for cmo in tables["cmos"]] == ["north-plant", "south"]
    assert tables["cmos"][0]["owner"] == "North Group"
    assert {cmo["region"] for cmo in tables["cmos"]} == {"Asia"}
    lines = {line["line_id"]: line for line in tables["lines"]}
    assert list(lines) == [
        "north-plant.oral_solution.ml",
        "north-plant.solid.tablets",
        "south.solid.tablets",
    ]
    offers = {(o["program_id"], o["line_id"]): o for o in tables["offers"]}
    north = offers["abac-300mg", "north-plant.solid.tablets"]
    # orders of 6,000, 18,000 and 6,000 tablets; prices 0.1, 0.08333 and 0.09
    assert float(north["batch_size"]) == 6000
    assert float(north["price_per_batch"]) == pytest.approx(540)
    # 24,000 tablets in the best quarter are 4 batches in 60 days
    assert float(north["days_per_batch"]) == pytest.approx(15)
    assert float(lines["north-plant.solid.tablets"]["batch_max"]) == 24000
    south = offers["abac-300mg", "south.solid.tablets"]
    assert float(south["batch_size"]) == 4500
    # 6,000 tablets in the best quarter are 2 batches of 4,500
    assert float(south["days_per_batch"]) == pytest.approx(30)
    # the line without a value sets no price
    bevi_offer = offers["bevi-10mg-ml", "north-plant.oral_solution.ml"]
    assert float(bevi_offer["price_per_batch"]) == pytest.approx(600)
    assert {offer["qualified"] for offer in offers.values()} == {"yes"}
    assert report.unpriced == ("6",)
    assert (report.programs, report.cmos, report.manufacturing_lines, report.offers) == (2, 2, 3, 3)


def test_the_tables_pass_the_check_and_need_no_default(tmp_path):
    made(tmp_path)
    portfolio = read_portfolio(tmp_path / "out")
    assert [period.label for period in portfolio.periods] == ["2020Q1", "2020Q2", "2020Q3"]
    for offer in portfolio.offers.values():
        assert offer.assumed == ()
        assert offer.qualified
    policy = tomllib.loads((tmp_path / "out" / "policy.toml").read_text(encoding="utf-8"))
    assert policy == {"currency": "USD", "sourcing": "free"}


def test_punctuality_knows_direct_lines_only(tmp_path):
    report, tables = made(tmp_path)
    north, south, everyone = tables["punctuality"]
    assert (north["cmo_id"], north["lines"], north["direct_lines"]) == ("north-plant", "5", "3")
    assert float(north["late_share"]) == pytest.approx(1 / 3, abs=1e-4)
    assert float(north["mean_days_late"]) == pytest.approx(5 / 3, abs=1e-4)
    assert float(north["days_late_p90"]) == pytest.approx(4)
    assert float(north["max_days_late"]) == 5
    assert float(north["slip_1_month"]) == pytest.approx(1 / 3, abs=1e-4)
    assert float(south["late_share"]) == 0  # its late line came from a depot
    assert (everyone["cmo_id"], everyone["direct_lines"]) == ("(all sites)", "4")
    assert (report.late_all.lines, report.late_all.late) == (6, 3)
    assert (report.late_direct.lines, report.late_direct.late) == (4, 1)


def test_without_direct_lines_nothing_is_known(tmp_path):
    report, tables = made(tmp_path, ('[direct]\nvia = ["Direct"]', ""))
    assert {row["late_share"] for row in tables["punctuality"]} == {""}
    assert report.late_direct.share is None
    assert "unknown share of those shipped" in "\n".join(report.lines())
    assert "punctuality is unknown" in (tmp_path / "out/assumptions.md").read_text()


def test_only_the_last_periods(tmp_path):
    report, tables = made(tmp_path, last_periods=2)
    assert report.periods == ("2020Q2", "2020Q3")
    assert report.periods_in_history == 3
    assert "2020Q1" not in tables["portfolio"][0]
    assert float(tables["offers"][0]["price_per_batch"]) == pytest.approx(540)
    from_map = tmp_path / "second"
    from_map.mkdir()
    assert made(from_map, ("[keep]", "[periods]\nlast = 2\n[keep]"))[1] == tables


def test_months_and_empty_periods(tmp_path):
    report, tables = made(tmp_path, ("[keep]", "[periods]\nlength = 'month'\n[keep]"))
    assert report.periods == tuple(f"2020-{month:02d}" for month in range(1, 10))
    assert report.periods_in_history == 7
    assert tables["portfolio"][0]["2020-07"] == "0"


def test_aliases_merge_and_lookalikes_are_listed(tmp_path):
    rows = (
        *ROWS,
        "9,Abac,300mg,Tablet,North Plant Ltd,10,60,60,02-Jan-20,02-Jan-20,Direct,MED",
        "10,Abac,300mg,Tablet,Nort Plant,10,60,60,02-Jan-20,02-Jan-20,Direct,MED",
        "11,300mg Abac,,Tablet,North Plant,10,60,60,02-Jan-20,02-Jan-20,Direct,MED",
    )
    report, _ = made(tmp_path, rows=rows)
    text = "\n".join(report.lines())
    assert "'North Plant' and 'North Plant Ltd' may be one site; merge them there" in text
    assert "'Nort Plant' and 'North Plant' may be one site" in text
    assert "'300mg Abac | ' and 'Abac | 300mg' may be one product" in text
    assert "'Nort Plant' has no region" in text
    assert (report.site_names_in_history, report.sites_in_history) == (4, 4)

    merged = tmp_path / "merged"
    merged.mkdir()
    aliases = (
        "[keep]",
        "[site_aliases]\n'North Plant Ltd' = 'North Plant'\n'Not There' = 'North Plant'\n"
        "[product_aliases]\n'300mg Abac | ' = 'Abac | 300mg'\n[keep]",
    )
    apart = ('title = "', "distinct_sites = [['Nort Plant', 'North Plant']]\ntitle = \"")
    report, tables = made(merged, aliases, apart, rows=rows)
    assert (report.site_names_in_history, report.sites_in_history) == (4, 3)
    assert report.products_in_history == 2
    text = "\n".join(report.lines())
    assert "may be one" not in text
    assert "site_aliases.Not There: stands nowhere" in text
    assert "(1 merged: 3 sites)" in text
    assert tables["portfolio"][0]["2020Q1"] == "28800"


def test_rows_that_cannot_be_used(tmp_path):
    rows = (
        *ROWS,
        "9,Abac,300mg,Tablet,not captured,10,60,60,02-Jan-20,,Direct,MED",
        "10,Abac,300mg,Tablet,North Plant,10,60,60,Not Captured,,Direct,MED",
        "11,Abac,300mg,Tablet,North Plant,,60,60,02-Jan-20,,Direct,MED",
    )
    report, _ = made(tmp_path, rows=rows)
    assert report.rows_left_out == 3
    text = "\n".join(report.lines())
    assert "warning: history.csv:10 site: is not recorded; the row is left out" in text
    assert "3 of them could not be used" in text

    bad = tmp_path / "bad"
    bad.mkdir()
    rows = (
        *ROWS,
        "9,Abac,300mg,Tablet,North Plant,ten,60,60,02-Jan-20,,Direct,MED",
        "10,Abac,300mg,Tablet,North Plant,10,60,60,2020-01-02,,Direct,MED",
        "11,Abac,300mg,Tablet,North Plant,10,60,60,02-Jan-20,soon,Direct,MED",
        "12,Abac,300mg,Tablet,North Plant,-1,60,60,02-Jan-20,,Direct,MED",
        "13,Abac,300mg,Tablet,North Plant,10,60,-60,02-Jan-20,,Direct,MED",
        "14,Abac,300mg,Pill,North Plant,10,60,60,02-Jan-20,,Direct,MED",
        "15,Abac,300mg,Tablet,North Plant,10,0,60,02-Jan-20,,Direct,MED",
        "16,Abac,300mg,Tablet,North Plant,1_0,60,60,02-Jan-20,,Direct,MED",
        "17,Abac,300mg,Tablet,North Plant,10,60,inf,02-Jan-20,,Direct,MED",
    )
    message = fault(bad, rows=rows)
    for what in (
        "history.csv:10 packs: 'ten' is no number; correct it, list the word under file.blank",
        "history.csv:11 agreed: '2020-01-02' is no date like %d-%b-%y",
        "history.csv:12 arrived: 'soon' is no date",
        "history.csv:13 packs: -1 is not above 0",
        "history.csv:14 value: -60 is below 0",
        "history.csv:15 form: 'Pill' is not in [forms] of map.toml",
        "history.csv:16 pack: 0 is not above 0",
        "history.csv:17 packs: '1_0' is no number",
        "history.csv:18 value: 'inf' is no number",
    ):
        assert what in message
    report, _ = made(bad, ("[keep]", "[tables]\nbad_rows = 'leave_out'\n[keep]"), rows=rows)
    assert report.rows_left_out == 9


def test_decimal_comma_and_thousands(tmp_path):
    rows = ("1;Abac;300mg;Tablet;North Plant;1.000;60;6.000,50;02-Jan-20;;Direct;MED",)
    change = ("[file]", "[file]\ndelimiter = ';'\ndecimal = ','\nthousands = '.'")
    header = "id;product;strength;form;site;packs;pack;value;agreed;arrived;via;group"
    _, tables = made(tmp_path, change, rows=rows, header=header)
    assert tables["history_lines"][0]["quantity"] == "60000"
    assert tables["history_lines"][0]["paid"] == "6000.5"


def test_nothing_left_nothing_priced_and_mixed_forms(tmp_path):
    assert "no row is left of 8 read" in fault(tmp_path, ('group = ["MED"]', 'group = ["NONE"]'))
    free = tuple(row.replace(",600,", ",0,") for row in ROWS[:1])
    assert "no line of the periods kept has a value" in fault(tmp_path, rows=free)
    mixed = (*ROWS, "9,Abac,300mg,Oral liquid,North Plant,1,60,60,02-Jan-20,,Direct,MED")
    assert "comes in several dosage forms: oral_solution, tablet" in fault(tmp_path, rows=mixed)
    ids = ('[sites]\n"North Plant" = { ', '[sites]\n"North Plant" = { id = "south", ')
    assert "two sites have the id 'south'" in fault(tmp_path, ids)
    left = ("[keep]", "[leave_out]\ngroup = ['MED']\n[keep]")
    assert "no row is left" in fault(tmp_path, left)


def test_a_product_without_any_price_is_left_out(tmp_path):
    rows = (*ROWS, "9,Ceda,1mg,Tablet,North Plant,10,60,0,02-Jan-20,,Direct,MED")
    report, tables = made(tmp_path, rows=rows)
    assert "'Ceda | 1mg' has no line with a value; it is left out" in "\n".join(report.lines())
    assert len(tables["portfolio"]) == 2
    # at a site none of whose lines of the product has a price there is no offer
    assert len(tables["offers"]) == 3


def test_tables_that_the_check_refuses_are_not_written(tmp_path):
    change = ('title = "Test history"', 'title = "x"\n[periods]\nlast = 0')
    message = fault(tmp_path, change, ("[assume]", "[assume]\nmolecule_type = 'small'"))
    assert "molecule_type" in message


def test_a_map_without_forms_or_packs(tmp_path):
    text = MAP[: MAP.index("[forms]")].replace('pack_size = "pack"\n', "")
    _, tables = made(tmp_path, text=text)
    assert [p["dosage_form"] for p in tables["portfolio"]] == ["tablet", "oral_liquid"]
    assert {p["unit"] for p in tables["portfolio"]} == {"units"}
    assert tables["portfolio"][0]["2020Q3"] == "100"
    assert {cmo["region"] for cmo in tables["cmos"]} == {"unknown"}
    plain = tmp_path / "plain"
    plain.mkdir()
    text = text.replace('dosage_form = "form"\n', "").replace('line = "id"\n', "")
    text = text.replace('delivered = "arrived"\n', "")
    report, tables = made(plain, ("[assume]", "[assume]\ndosage_form = 'tablet'"), text=text)
    assert {p["dosage_form"] for p in tables["portfolio"]} == {"tablet"}
    assert tables["history_lines"][0]["line"] == "2"
    assert report.late_all.share is None


def test_batches_by_product_and_headroom(tmp_path):
    rules = "[tables]\nbatch_rule = 'order_of_product'\nbatch_quantile = 1\nheadroom = 1.5\n[keep]"
    _, tables = made(tmp_path, ("[keep]", rules))
    batches = {offer["line_id"]: float(offer["batch_size"]) for offer in tables["offers"]}
    assert batches["south.solid.tablets"] == batches["north-plant.solid.tablets"] == 18000
    assert {float(line["days_per_period"]) for line in tables["lines"]} == {90.0}


def test_assumptions_list_every_judgement(tmp_path):
    made(tmp_path)
    page = (tmp_path / "out" / "assumptions.md").read_text(encoding="utf-8")
    for key in KEYS:
        if key.section in ("periods", "tables", "assume"):
            assert f"| `{key.section}.{key.name}` |" in page
    assert "| `assume.delay_cost_multiple` | 4 | map |" in page
    assert "| `tables.headroom` | 1.0 | default |" in page
    assert "- line 6: Bevi | 10mg/ml, North Plant, 12,000 ml" in page


def test_row_order_changes_no_table(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    first.mkdir()
    second.mkdir()
    one = made(first)[1]
    two = made(second, rows=tuple(reversed(ROWS)))[1]
    for name in ("portfolio", "cmos", "lines", "offers", "punctuality"):
        assert one[name] == two[name]


def test_a_used_folder_is_refused_and_an_empty_one_taken(tmp_path):
    history, mapping = write_history(tmp_path), write_map(tmp_path)
    (tmp_path / "out").mkdir()
    ingest(history, mapping, tmp_path / "out")
    with pytest.raises(Usage, match="exists and is not empty"):
        ingest(history, mapping, tmp_path / "out")
    with pytest.raises(Usage, match="exists and is not empty"):
        ingest(history, mapping, history)
    with pytest.raises(Usage, match="last-periods -1"):
        ingest(history, mapping, tmp_path / "new", last_periods=-1)


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    history, mapping = write_history(tmp_path), write_map(tmp_path)

    def broken(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("allocator.history.job._policy", broken)
    with pytest.raises(KeyboardInterrupt):
        ingest(history, mapping, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["history.csv", "map.toml"]


def test_the_public_function_can_be_had_again_and_again():
    import allocator.history

    assert allocator.ingest is allocator.history.ingest
    assert callable(allocator.ingest)


def test_fitted_punctuality_becomes_shifts(tmp_path):
    pytest.importorskip("sklearn")
    out = tmp_path / "out"
    ingest(write_history(tmp_path), write_map(tmp_path), out, fit=True)
    shifts = {row["cmo_id"]: row for row in table(out / "shifts.csv")}
    # of the direct lines with a date North was late once of two, South never of one
    late, never = (float(shifts[cmo]["slip_log_odds"]) for cmo in ("north-plant", "south"))
    assert late > never
    assert all(float(row["standard_error"]) > 0 for row in shifts.values())
    assert set(read_portfolio(out).shifts) == set(shifts)


def test_punctuality_that_cannot_be_fitted_leaves_nothing(tmp_path):
    pytest.importorskip("sklearn")
    rows = tuple(row for row in ROWS if "Direct" not in row or ",20-Feb-20," not in row)
    out = tmp_path / "out"
    with pytest.raises(Usage, match="without --fit"):
        ingest(write_history(tmp_path, rows=rows), write_map(tmp_path), out, fit=True)
    assert not out.exists()
