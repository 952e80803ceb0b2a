from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allocator.checks import check
from allocator.defaults import assumptions
from allocator.errors import AllocatorError, AuditFailed, BadData, NoPlan, RulesConflict, Usage
from allocator.findings import errors
from allocator.offers import offer_id
from allocator.portfolio import Tier
from allocator.read import inspect, load, read_portfolio
from tests.allocator.folders import CMOS, LINES, OFFERS, PORTFOLIO, TABLES, folder, said


def problems(tmp_path: Path, **tables: str | bytes | None) -> list[str]:
    portfolio, findings = inspect(folder(tmp_path, **tables))
    assert portfolio is None
    return said(findings)


def test_a_sound_folder(tmp_path: Path) -> None:
    portfolio = read_portfolio(folder(tmp_path))
    assert [period.label for period in portfolio.periods] == [
        "2027Q1",
        "2027Q2",
        "2027Q3",
        "2027Q4",
    ]
    assert (portfolio.periods[1].months, portfolio.periods[1].year) == (3, 2027)
    assert portfolio.programs["P2"].demand == (1000.0, 0.0, 1000.0, 1000.0)
    assert portfolio.programs["P1"].batch_min == 10.0
    assert portfolio.programs["P2"].batch_min is None
    assert portfolio.programs["P1"].sourcing is None
    assert portfolio.cmos["K1"].scores["regulatory"] is None
    assert portfolio.lines["L1"].days == (60.0,) * 4
    assert list(portfolio.offers) == ["P1@L1@50", "P1@L3@40", "P2@L2@1000"]
    assert portfolio.policy.sourcing == "free"
    assert portfolio.tiers == {}


def test_the_path_may_be_the_folder_or_its_portfolio(tmp_path: Path) -> None:
    folder(tmp_path)
    assert read_portfolio(tmp_path) == read_portfolio(str(tmp_path / "portfolio.csv"))


@pytest.mark.parametrize(
    ("where", "what"),
    [
        ("nowhere", "there is no such file or folder"),
        ("empty", "the folder has none of portfolio.csv, cmos.csv, lines.csv"),
        ("note.txt", "is neither a folder nor a portfolio.csv"),
    ],
)
def test_paths_without_tables(tmp_path: Path, where: str, what: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "note.txt").write_text("x")
    with pytest.raises(BadData) as error:
        read_portfolio(tmp_path / where)
    assert what in str(error.value)
    assert error.value.findings[0].remedy


def test_every_problem_of_every_file_is_found_at_once(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        portfolio=PORTFOLIO.replace("500000", "-1"),
        cmos=None,
        lines=LINES.replace("60", "1,000"),
        offers=OFFERS.replace("20000", "nan"),
        policy="surcing = 'dual'\n",
        tiers="cmo_id,spend_from,rebate\nK1,100,5%\n",
    )
    assert [line.split(":")[0] for line in found] == [
        "cmos.csv",
        "lines.csv",
        "offers.csv",
        "policy.toml",
        "portfolio.csv",
        "tiers.csv",
    ]


def test_bad_data_carries_exit_code_and_findings(tmp_path: Path) -> None:
    with pytest.raises(BadData) as error:
        read_portfolio(folder(tmp_path, cmos=None))
    assert error.value.exit_code == 3
    assert [finding.file for finding in error.value.findings] == ["cmos.csv"]
    codes = [kind.exit_code for kind in (Usage, BadData, RulesConflict, NoPlan, AuditFailed)]
    assert codes == [2, 3, 4, 5, 6]
    assert issubclass(NoPlan, AllocatorError)


def test_warnings_do_not_stop(tmp_path: Path) -> None:
    portfolio, findings = inspect(folder(tmp_path, cmos=CMOS + "k1,EU,,\n"))
    assert portfolio is not None
    assert said(findings) == [
        "cmos.csv:4 cmo_id: 'k1' and 'K1' differ only by case, spaces or hyphens; "
        "they are two different ids; give them one spelling if one is meant"
    ]


def test_ids_that_differ_by_a_hyphen_stay_apart(tmp_path: Path) -> None:
    portfolio = read_portfolio(folder(tmp_path, cmos=CMOS + "A-1,EU,,\nA 1,EU,,\n"))
    assert {"A-1", "A 1"} <= set(portfolio.cmos)


def test_double_keys(tmp_path: Path) -> None:
    found = problems(
        tmp_path, cmos=CMOS + "K2,EU,,\n", offers=OFFERS + "P1,L1,50.0,1,1,\nP1,L1,60,1,1,\n"
    )
    assert found == [
        "cmos.csv:4 cmo_id: K2 stands already in line 3; delete one of the rows or change its key",
        "offers.csv:5 batch_size: P1, L1, 50 stands already in line 2; "
        "delete one of the rows or change its key",
    ]


def test_unknown_ids(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        lines=LINES.replace("L1,K1", "L1,K9"),
        offers=OFFERS.replace("P2,L2", "PX,Line9"),
        line_days="line_id,period,days\nL4,2027Q1,3\n",
        tiers="cmo_id,spend_from,rebate\nOther,1,0.1\n",
    )
    assert found == [
        "line_days.csv:2 line_id: there is no 'L4' in lines.csv; add a row to lines.csv",
        "lines.csv:2 cmo_id: there is no 'K9' in cmos.csv; add a row to cmos.csv",
        "offers.csv:4 line_id: there is no 'Line9' in lines.csv; add a row to lines.csv",
        "offers.csv:4 program_id: there is no 'PX' in portfolio.csv; add a row to portfolio.csv",
        "tiers.csv:2 cmo_id: there is no 'Other' in cmos.csv; add a row to cmos.csv",
    ]


def test_an_id_that_was_meant(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        cmos=CMOS.replace("K1", "Lakeside"),
        lines=LINES.replace("K1", "Lakesid"),
    )
    assert found == [
        "lines.csv:2 cmo_id: there is no 'Lakesid' in cmos.csv; "
        "did you mean 'Lakeside'? or add a row to cmos.csv"
    ]


def test_unknown_ids_are_not_reported_where_the_other_table_is_unreadable(tmp_path: Path) -> None:
    found = problems(tmp_path, lines=LINES.replace("line_id", "no"))
    assert {line.split(":")[0] for line in found} == {"lines.csv"}


def test_ranges_the_wrong_way_round(tmp_path: Path) -> None:
    head = OFFERS.splitlines()[0] + ",transfer_months_low,transfer_months_mode,transfer_months_high"
    found = problems(
        tmp_path,
        portfolio=PORTFOLIO.replace("10,100", "100,10"),
        lines=LINES.replace("5,200", "200,5"),
        offers=f"{head}\nP1,L1,50,1,1,no,9,6,12\nP1,L3,50,1,1,no,9,,6\n",
    )
    assert [line.split(";")[0] for line in found] == [
        "lines.csv:2 batch_min: 200 is above batch_max 5",
        "offers.csv:2 transfer_months_low: 9 is above transfer_months_mode 6",
        "offers.csv:3 transfer_months_low: 9 is above transfer_months_high 6",
        "portfolio.csv:2 batch_min: 100 is above batch_max 10",
    ]


def test_units_that_differ_between_program_and_line(tmp_path: Path) -> None:
    found = problems(tmp_path, lines=LINES.replace("200,kg", "200,tablets"))
    assert found == [
        "offers.csv:2 batch_size: program P1 counts in kg, line L1 in tablets; "
        "give both the same unit in portfolio.csv and lines.csv"
    ]
    read_portfolio(folder(tmp_path, lines=LINES.replace("200,kg", "200,KG")))


def test_tiers(tmp_path: Path) -> None:
    head = "cmo_id,spend_from,rebate\n"
    good = read_portfolio(folder(tmp_path, tiers=head + "K1,200,0.05\nK1,100,0.02\n"))
    assert good.tiers == {"K1": (Tier("K1", 100.0, 0.02), Tier("K1", 200.0, 0.05))}
    found = problems(tmp_path, tiers=head + "K1,200,0.01\nK1,100,0.02\n")
    assert found == [
        "tiers.csv:2 rebate: 0.01 from 200 on is below the 0.02 of line 3; "
        "let the rebate rise with the spend"
    ]


def without_demand(text: str = PORTFOLIO) -> str:
    return "\n".join(",".join(row.split(",")[:8]) for row in text.splitlines()) + "\n"


def test_demand_in_a_table_of_its_own(tmp_path: Path) -> None:
    demand = "program_id,period,quantity\nP1,2027-03,5\nP1,2027-01,7\nP2,2027-05,1\n"
    portfolio = read_portfolio(folder(tmp_path, portfolio=without_demand(), demand=demand))
    assert [p.label for p in portfolio.periods] == [f"2027-0{m}" for m in range(1, 6)]
    assert portfolio.periods[0].months == 1
    assert portfolio.programs["P1"].demand == (7.0, 0.0, 5.0, 0.0, 0.0)
    assert portfolio.programs["P2"].demand == (0.0, 0.0, 0.0, 0.0, 1.0)


def test_demand_twice_or_nowhere(tmp_path: Path) -> None:
    demand = "program_id,period,quantity\nP1,2027Q1,5\n"
    assert problems(tmp_path, demand=demand)[0].startswith("demand.csv: demand stands here and in")
    (tmp_path / "demand.csv").unlink()
    found = problems(tmp_path, portfolio=without_demand())
    assert found[0].startswith("portfolio.csv:1: there is no demand; add a column for each period")
    found = problems(tmp_path, portfolio=without_demand(), demand="program_id,period,quantity\n")
    assert found[0].startswith("demand.csv: the file has no rows")


def test_demand_of_one_program_and_period_twice(tmp_path: Path) -> None:
    demand = "program_id,period,quantity\nP1,2027Q1,5\nP1,2027q1,6\n"
    found = problems(tmp_path, portfolio=without_demand(), demand=demand)
    assert found[0].startswith("demand.csv:3 period: P1, 2027Q1 stands already in line 2")


def test_periods_must_be_of_one_kind_and_follow_each_other(tmp_path: Path) -> None:
    found = problems(tmp_path, portfolio=PORTFOLIO.replace("2027Q2", "2027-04"))
    assert found[0].startswith("portfolio.csv:1: quarters (2027Q1) and months (2027-04) are mixed")
    found = problems(tmp_path, portfolio=PORTFOLIO.replace("2027Q4", "2029Q3"))
    assert found[0].startswith(
        "portfolio.csv:1 2027Q4: periods are missing between 2027Q1 and 2029Q3: "
        "2027Q4, 2028Q1, 2028Q2, 2028Q3, 2028Q4 ..."
    )
    demand = "program_id,period,quantity\nP1,2027Q1,5\nP1,2027-01,6\n"
    found = problems(tmp_path, portfolio=without_demand(), demand=demand)
    assert found[0].startswith("demand.csv: quarters (2027Q1) and months (2027-01) are mixed")


def test_period_columns_in_any_order(tmp_path: Path) -> None:
    usual = read_portfolio(folder(tmp_path))
    rows = [row.split(",") for row in PORTFOLIO.splitlines()]
    shuffled = "\n".join(",".join([*row[9:], *row[:9]]) for row in rows) + "\n"
    assert read_portfolio(folder(tmp_path, portfolio=shuffled)) == usual


def test_days_of_a_line_in_some_periods(tmp_path: Path) -> None:
    days = "line_id,period,days\nL1,2027Q2,10\nL1,2028Q1,5\n"
    loaded = load(folder(tmp_path, line_days=days))
    assert loaded.portfolio is not None
    assert loaded.portfolio.lines["L1"].days == (60.0, 10.0, 60.0, 60.0)
    assert said(loaded.findings) == [
        "line_days.csv:3 period: 2028Q1 is not one of 2027Q1 to 2027Q4; the row is left out"
    ]
    found = problems(tmp_path, portfolio=PORTFOLIO.replace("2027Q3", "q"))
    assert not any(line.startswith("line_days.csv") for line in found)


def test_months_per_period_of_the_policy_must_fit(tmp_path: Path) -> None:
    read_portfolio(folder(tmp_path, policy="months_per_period = 3\n"))
    found = problems(tmp_path, policy="months_per_period = 1\n")
    assert found == [
        "policy.toml months_per_period: 1 does not fit 2027Q1, which has 3; "
        "delete the key: the demand columns say it"
    ]


def test_row_order_changes_nothing(tmp_path: Path) -> None:
    usual = read_portfolio(folder(tmp_path))
    rng = random.Random(3)
    for _ in range(5):
        shuffled = {}
        for name, text in TABLES.items():
            head, *rows = text.splitlines()
            rng.shuffle(rows)
            shuffled[name] = "\n".join([head, *rows]) + "\n"
        again = read_portfolio(folder(tmp_path, **shuffled))
        assert again == usual
        assert [*again.programs, *again.cmos, *again.lines, *again.offers] == [
            *usual.programs,
            *usual.cmos,
            *usual.lines,
            *usual.offers,
        ]


CARDED = """\
line_id,cmo_id,dosage_forms,batch_min,batch_max,unit,days_per_period,price_per_batch,days_per_batch
L1,K1,tablet;capsule,5,200,kg,60,9000,4
L2,K2,vial,100,5000,vials,50,8000,
L3,K2,tablet,5,50,kg,40,7000,2
L4,K2,tablet,150,500,kg,40,7000,2
L5,K2,capsule,5,50,kg,40,7000,2
L6,K2,tablet,5,50,bottles,40,7000,2
"""


def test_rate_cards_make_offers_where_there_is_no_row(tmp_path: Path) -> None:
    offers = "\n".join([OFFERS.splitlines()[0], "P1,L3,40,18000,3,yes"])
    portfolio = read_portfolio(folder(tmp_path, lines=CARDED, offers=offers))
    # L1: the largest batch that both allow; L4's window excludes the program's, L2 has no days
    assert list(portfolio.offers) == ["P1@L1@100", "P1@L3@40"]
    made = portfolio.offers["P1@L1@100"]
    assert (made.price_per_batch, made.days_per_batch, made.qualified) == (9000.0, 4.0, False)
    assert (made.transfer_months_mode, made.ppq_batches, made.filing_months) == (9.0, 3, 4.0)
    assert "transfer_cost" in made.assumed


def test_rate_cards_ask_for_molecule_and_stage_and_open_registrations(tmp_path: Path) -> None:
    head = CARDED.splitlines()[0] + ",molecule_types,stages"
    rows = [
        "A,K1,vial,100,900,vials,60,1,1,mab,",
        "B,K1,vial,100,900,vials,60,1,1,peptide,",
        "C,K1,vial,100,900,vials,60,1,1,,phase2;phase3",
        "D,K1,vial,100,900,vials,60,1,1,,commercial",
    ]
    lines = "\n".join([head, *rows])
    portfolio = read_portfolio(folder(tmp_path, lines=lines, offers=None))
    assert list(portfolio.offers) == ["P2@A@900", "P2@C@900"]


def test_blank_columns_of_an_offer_take_stated_defaults_and_say_so(tmp_path: Path) -> None:
    offers = OFFERS.replace("3,yes\nP1,L3", "3,no\nP1,L3")
    portfolio = read_portfolio(folder(tmp_path, offers=offers))
    unqualified, qualified = portfolio.offers["P1@L1@50"], portfolio.offers["P1@L3@40"]
    assert unqualified.yield_ == 0.97
    assert unqualified.good_per_batch == pytest.approx(50 * 0.97 * 0.985)
    assert unqualified.transfer_cost == 1.0e6
    assert set(unqualified.assumed) >= {"yield", "transfer_months_mode", "ppq_batches"}
    assert qualified.assumed == ("yield", "fail_rate", "release_months")
    assert (qualified.transfer_cost, qualified.ppq_batches, qualified.filing_months) == (0, 0, 0)
    assert qualified.transfer_months_high == 0.0


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (",,", (6.0, 9.0, 12.0)),
        (",18,", (12.0, 18.0, 24.0)),
        ("1,18,", (1.0, 18.0, 24.0)),
        (",18,19", (12.0, 18.0, 19.0)),
        ("10,,", (10.0, 10.0, 12.0)),
        ("14,,", (14.0, 14.0, 14.0)),
        (",,4", (4.0, 4.0, 4.0)),
        ("2,,4", (2.0, 4.0, 4.0)),
        (",0,", (0.0, 0.0, 0.0)),
        ("1,2,3", (1.0, 2.0, 3.0)),
    ],
)
def test_transfer_months_given_in_part_stay_in_order(
    tmp_path: Path, given: str, expected: tuple[float, float, float]
) -> None:
    head = OFFERS.splitlines()[0] + ",transfer_months_low,transfer_months_mode,transfer_months_high"
    path = folder(tmp_path, offers=f"{head}\nP1,L1,50,1,1,,{given}\n")
    offer = read_portfolio(path).offers["P1@L1@50"]
    months = (offer.transfer_months_low, offer.transfer_months_mode, offer.transfer_months_high)
    assert months == pytest.approx(expected)
    blank = [part == "" for part in given.split(",")]
    assert sum(name.startswith("transfer_months") for name in offer.assumed) == sum(blank)


def test_a_qualified_offer_with_transfer_figures_is_pointed_at(tmp_path: Path) -> None:
    head = OFFERS.splitlines()[0] + ",transfer_cost,ppq_batches"
    offers = f"{head}\nP1,L1,50,1,1,yes,0,0\nP1,L3,40,1,1,yes,5,3\nP2,L2,200,1,1,yes,,1\n"
    portfolio, findings = inspect(folder(tmp_path, offers=offers))
    assert portfolio is not None
    assert portfolio.offers["P1@L3@40"].transfer_cost == 0.0
    assert said(findings) == [
        "offers.csv:3 transfer_cost: 2 qualified offers, this one first, have figures that are not "
        "used: transfer_cost, ppq_batches; leave them blank, or write qualified no"
    ]


def test_offer_ids_never_collapse(tmp_path: Path) -> None:
    rows = "P1,L1,10.0000001,1,1,\nP1,L1,10.0000002,1,1,\nP1,L1,10,1,1,\n"
    portfolio = read_portfolio(folder(tmp_path, offers=OFFERS.splitlines()[0] + "\n" + rows))
    assert list(portfolio.offers) == ["P1@L1@10", "P1@L1@10.0000001", "P1@L1@10.0000002"]
    assert offer_id("P", "L", 1234567.0) == "P@L@1234567"
    assert offer_id("P", "L", 0.25) == "P@L@0.25"
    assert offer_id("P", "L", 1e20) == "P@L@1e+20"
    programs = PORTFOLIO + "A,mab,vial,phase2,kg,9,,,1,1,1,1\nA@B,mab,vial,phase2,kg,9,,,1,1,1,1\n"
    lines = LINES + "B@C,K1,vial,1,9,kg,9\nC,K1,vial,1,9,kg,9\n"
    offers = OFFERS + "A,B@C,5,1,1,\nA@B,C,5,1,1,\n"
    path = folder(tmp_path, portfolio=programs, lines=lines, offers=offers)
    offers_read = read_portfolio(path).offers
    assert {"A@B@C@5", "A@B@C@5~2"} <= set(offers_read)
    assert {key: o.offer_id for key, o in offers_read.items()} == {key: key for key in offers_read}


def test_assumptions_are_listed_with_where_and_how_often(tmp_path: Path) -> None:
    cmos = "cmo_id,region,outage_per_year,recover_months\nK1,EU,0.1,3\nK2,EU,0,\n"
    offers = OFFERS.replace("40,18000,3,yes", "40,18000,3,no")
    portfolio = read_portfolio(folder(tmp_path, cmos=cmos, offers=offers))
    listed = dict(assumptions(portfolio))
    assert portfolio.cmos["K1"].outage_per_year == 0.1
    assert portfolio.cmos["K2"].outage_per_year == 0.0
    assert portfolio.cmos["K2"].recover_months == 6.0
    assert "cmos.csv outage_per_year" not in listed
    assert listed["cmos.csv recover_months"] == "6 months assumed for 1 CMOs"
    assert listed["portfolio.csv shelf_life_months"] == "36 months assumed for 2 programs"
    assert listed["offers.csv transfer_cost"] == (
        "1e+06 assumed for 1 offers (oral solid, commercial)"
    )
    yields = [what for where, what in assumptions(portfolio) if where == "offers.csv yield"]
    assert yields == [
        "0.97 assumed for 2 offers (oral solid, commercial)",
        "0.95 assumed for 1 offers (sterile, up to phase 2)",
    ]


CELLS = st.sampled_from(
    ["", "P1", "K1", "L1", "-1", "0", "1", "1e9", "1,5", "nan", "yes", "tablet", "2027Q1", '"', ";"]
)


@settings(
    deadline=None,
    derandomize=True,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_whatever_stands_in_the_tables_is_reported_and_never_raised(
    tmp_path: Path, data: st.DataObject
) -> None:
    changed: dict[str, str | bytes | None] = {}
    for name, text in TABLES.items():
        rows = [row.split(",") for row in text.splitlines()]
        for _ in range(data.draw(st.integers(0, 2))):
            row = rows[data.draw(st.integers(0, len(rows) - 1))]
            row[data.draw(st.integers(0, len(row) - 1))] = data.draw(CELLS)
        changed[name] = "\n".join(",".join(row) for row in rows)
    portfolio, findings = inspect(folder(tmp_path, **changed))
    assert (portfolio is None) is bool(errors(findings))
    assert all(finding.what and finding.remedy for finding in findings)
    assert not errors(check(tmp_path)) or portfolio is None


@settings(
    deadline=None,
    derandomize=True,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.binary(max_size=40), st.sampled_from(sorted(TABLES)), st.integers(0, 200))
def test_whatever_bytes_a_file_holds_are_reported_and_never_raised(
    tmp_path: Path, junk: bytes, name: str, where: int
) -> None:
    data = TABLES[name].encode()
    changed: dict[str, str | bytes | None] = {name: data[:where] + junk + data[where:]}
    portfolio, findings = inspect(folder(tmp_path, policy=None, **changed))
    assert (portfolio is None) is bool(errors(findings))
