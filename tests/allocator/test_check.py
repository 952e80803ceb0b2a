from __future__ import annotations

from pathlib import Path

import pytest

import allocator
from allocator.checks import check
from tests.allocator.folders import CMOS, LINES, OFFERS, PORTFOLIO, folder, said


def warned(tmp_path: Path, **tables: str | bytes | None) -> list[str]:
    findings = check(folder(tmp_path, **tables))
    assert {finding.severity for finding in findings} <= {"warning"}, said(findings)
    return said(findings)


def test_a_sound_folder_has_no_findings(tmp_path: Path) -> None:
    assert warned(tmp_path) == []
    assert allocator.check(tmp_path) == allocator.check(str(tmp_path / "portfolio.csv")) == ()


def test_errors_come_without_warnings_that_follow_from_them(tmp_path: Path) -> None:
    found = check(folder(tmp_path, lines=None))
    assert said(found) == [
        "lines.csv: the file is missing; put a lines.csv into the portfolio's folder"
    ]


def test_a_scenario_is_checked_too(tmp_path: Path) -> None:
    folder(tmp_path, scenario="[demand]\nall = 1000\n")
    assert check(tmp_path) == ()
    found = check(tmp_path, tmp_path / "scenario.toml")
    assert any("needs at least" in line for line in said(found))


def test_a_program_nobody_can_make(tmp_path: Path) -> None:
    found = warned(tmp_path, offers=OFFERS.replace("P2,L2,1000,90000,5,yes\n", ""))
    assert found == [
        "lines.csv:3 line_id: L2 has no row in offers.csv and it has no rate card, so it stays "
        "idle; add an offer, or price_per_batch and days_per_batch",
        "portfolio.csv:3 program_id: nobody can make P2; nearest: offers.csv has no row for P2 on "
        "L2, and line L2 has no rate card (price_per_batch and days_per_batch) (2 other lines have "
        "as many reasons or more); it will be unsourced; ask for an offer, add a line, or correct "
        "what stands against it",
    ]


def test_very_many_programs_nobody_can_make_are_named_only(tmp_path: Path) -> None:
    rows = "".join(f"X{n:02d},mab,cream,phase2,kg,1,,,1,1,1,1\n" for n in range(60))
    found = [line for line in warned(tmp_path, portfolio=PORTFOLIO + rows) if "nobody" in line]
    assert len(found) == 60
    assert sum("nearest" in line for line in found) == 50


def test_offers_that_cannot_be_used(tmp_path: Path) -> None:
    found = warned(tmp_path, offers=OFFERS.replace("P1,L1,50", "P1,L1,300"))
    assert found == [
        "offers.csv:2: the offer cannot be used: offer P1@L1@300 has batches of 300 kg, line L1 "
        "takes 5 to 200 kg and offer P1@L1@300 has batches of 300 kg, the program's registered "
        "batch is 10 to 100 kg; correct the tables if this is wrong; otherwise the row is left out"
    ]


def test_very_many_offers_that_cannot_be_used_are_counted(tmp_path: Path) -> None:
    rows = "".join(f"P1,L1,{300 + n},1,1,\n" for n in range(203))
    found = warned(tmp_path, offers=OFFERS + rows)
    assert len(found) == 201
    assert found[-1].startswith(
        "offers.csv:205: 3 more offers, this one first, cannot be used; correct the tables"
    )


def test_windows_that_exclude_each_other(tmp_path: Path) -> None:
    found = warned(tmp_path, lines=LINES.replace("5,50,kg", "200,500,kg"))
    assert len(found) == 1
    assert "line L3 takes 200 to 500 kg, the program's registered batch is 10 to 100 kg" in found[0]


def test_an_offer_of_a_rate_card_that_cannot_be_used_is_no_warning(tmp_path: Path) -> None:
    head, first, *others = LINES.splitlines()
    lines = [f"{head},price_per_batch,days_per_batch,max_oeb", f"{first},5,5,1"]
    lines += [f"{row},,," for row in others]
    offers = "\n".join(row for row in OFFERS.splitlines() if "L1" not in row)
    assert warned(tmp_path, lines="\n".join(lines), offers=offers) == []


def test_a_program_worth_less_than_it_costs(tmp_path: Path) -> None:
    # 3 months x 20000 / 65 kg a quarter = 923 a kg; the cheapest batch costs 418 a kg
    assert warned(tmp_path, portfolio=PORTFOLIO.replace("500000", "20000")) == []
    found = warned(tmp_path, portfolio=PORTFOLIO.replace("500000", "9000"))
    assert found == [
        "portfolio.csv:2 delay_cost_per_month: P1 is worth 415.38 a kg (delay cost of a period "
        "over its mean demand), less than the 418.65 of its cheapest offer P1@L1@50: not making it "
        "looks best; check the unit of the demand and of delay_cost_per_month"
    ]


def test_periods_without_demand_do_not_count_in_what_a_program_is_worth(tmp_path: Path) -> None:
    # P2: 3 x delay / 1000 a vial against 90000 / (1000 x 0.95 x 0.97) = 97.7
    assert warned(tmp_path, portfolio=PORTFOLIO.replace("900000", "32560")) == []
    found = warned(tmp_path, portfolio=PORTFOLIO.replace("900000", "32540"))
    assert len(found) == 1
    assert "P2 is worth 97.62 a vial" in found[0]


def test_a_program_without_demand(tmp_path: Path) -> None:
    found = warned(tmp_path, portfolio=PORTFOLIO.replace("1000,,1000,1000", ",,0,"))
    assert found == [
        "portfolio.csv:3 program_id: P2 has no demand in any period; "
        "give its demand, or leave the row out"
    ]


def test_dual_without_a_pair(tmp_path: Path) -> None:
    rows = PORTFOLIO.splitlines()
    head = rows[0].replace("batch_min", "sourcing,batch_min")
    portfolio = [head] + [row.replace("0000,", "0000,dual,", 1) for row in rows[1:]]
    found = warned(tmp_path, portfolio="\n".join(portfolio))
    assert found == [
        "portfolio.csv:3 sourcing: P2 asks for dual, but only K2 can make it; "
        "it will be unsourced; ask for a second offer, or leave sourcing blank"
    ]


def test_a_batch_that_outlives_its_shelf_life(tmp_path: Path) -> None:
    head, *rows = PORTFOLIO.splitlines()
    text = [f"shelf_life_months,{head}", f"36,{rows[0]}", f"2,{rows[1]}"]
    found = warned(tmp_path, portfolio="\n".join(text))
    assert found == [
        "portfolio.csv:3 shelf_life_months: the smallest batch of P2 gives 921.5 vials, its shelf "
        "life covers 666.67: the rest is scrapped; ask for a smaller batch, or check units"
    ]


def test_cmos_and_lines_that_stay_idle(tmp_path: Path) -> None:
    lines = "\n".join(
        [
            LINES.splitlines()[0] + ",price_per_batch,days_per_batch",
            *(row + ",," for row in LINES.splitlines()[1:]),
            "L4,K1,cream,1,5,kg,60,10,2",
        ]
    )
    found = warned(tmp_path, cmos=CMOS + "K3,EU,,\n", lines=lines)
    assert found == [
        "cmos.csv:4 cmo_id: K3 has no line; add one to lines.csv",
        "lines.csv:5 line_id: L4 has no row in offers.csv and its rate card suits no program, so "
        "it stays idle; add an offer, or price_per_batch and days_per_batch",
    ]


def test_a_charge_on_safety_stock_that_would_hold_stock_back(tmp_path: Path) -> None:
    policy = "safety_stock_charge = 0.05\n"
    assert warned(tmp_path, policy=policy) == []
    head, *rows = PORTFOLIO.splitlines()
    stocked = "\n".join([f"safety_stock_months,{head}", *(f"1,{row}" for row in rows)])
    assert warned(tmp_path, portfolio=stocked, policy="safety_stock_charge = 0.04\n") == []
    found = warned(tmp_path, portfolio=stocked, policy=policy)
    assert found == [
        "policy.toml safety_stock_charge: 0.05 a month is 0.6 over the 12 months of the horizon: "
        "stock may be held back while demand goes unmet; give less than 0.042"
    ]


def test_demand_above_all_capacity_in_a_period(tmp_path: Path) -> None:
    # L1 and L3 offer 100 days a quarter, at 3 days for at most 47.8 good kg
    assert warned(tmp_path, portfolio=PORTFOLIO.replace("70,80", "70,1590")) == []
    found = warned(tmp_path, portfolio=PORTFOLIO.replace("70,80", "70,1600"))
    assert found == [
        "portfolio.csv 2027Q4: demand of 1 programs (P1) needs at least 100.48 line-days, the 2 "
        "lines that can make them (L1, L3) offer 100; part of it will be unmet unless stock "
        "bridges it; check days and batch sizes"
    ]
    more = [LINES.splitlines()[0] + ",expansion_days"]
    more += [row + (",5" if row.startswith("L1") else ",") for row in LINES.splitlines()[1:]]
    portfolio = PORTFOLIO.replace("70,80", "70,1600")
    assert warned(tmp_path, portfolio=portfolio, lines="\n".join(more)) == []


def test_lines_that_share_programs_are_taken_together(tmp_path: Path) -> None:
    portfolio = PORTFOLIO.replace("70,80", "70,1590") + (
        "P3,small_molecule,tablet,commercial,kg,500000,10,100,1,1,1,20\n"
    )
    found = warned(tmp_path, portfolio=portfolio, offers=OFFERS + "P3,L3,40,18000,3,yes\n")
    assert len(found) == 1
    assert "demand of 2 programs (P1, P3) needs at least 101.42 line-days" in found[0]


def test_a_take_or_pay_floor_out_of_reach(tmp_path: Path) -> None:
    # 240 days of L1 at 20000 / 3 a day: 1.6 million a year
    cmos = "cmo_id,region,min_annual_spend\nK1,EU,{}\nK2,US,\n"
    assert warned(tmp_path, cmos=cmos.format(1_599_999)) == []
    found = warned(tmp_path, cmos=cmos.format(1_600_001))
    assert found == [
        "cmos.csv:2 min_annual_spend: the floor of 1,600,001 for 2027 is above the 1,600,000 that "
        "all line-days of K1 can cost; check the floor, the days and the prices; part of it is "
        "paid for nothing"
    ]


@pytest.mark.parametrize("periods", [("2027Q3", "2027Q4", "2028Q1", "2028Q2")])
def test_a_floor_counts_pro_rata_to_the_months_of_its_year(
    tmp_path: Path, periods: tuple[str, ...]
) -> None:
    portfolio = PORTFOLIO
    for old, new in zip(("2027Q4", "2027Q3", "2027Q2", "2027Q1"), periods[::-1], strict=True):
        portfolio = portfolio.replace(old, new)
    cmos = "cmo_id,region,min_annual_spend\nK1,EU,1599999\nK2,US,\n"
    assert warned(tmp_path, portfolio=portfolio, cmos=cmos) == []
    cmos = cmos.replace("1599999", "1600001")
    found = warned(tmp_path, portfolio=portfolio, cmos=cmos)
    assert len(found) == 1
    assert "the floor of 800,000 for 2027 is above the 800,000" in found[0]
