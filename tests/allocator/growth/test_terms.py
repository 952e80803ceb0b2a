"""What contracts cost by their terms, and their table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocator.growth.settings import KINDS, TERMS
from allocator.growth.terms import Agreement, contract_cost, day_price, line_terms
from allocator.portfolio import Contract
from allocator.read import inspect, read_portfolio
from tests.allocator.folders import folder, said
from tests.allocator.growth.cases import case_of, one_line


def one_cell(kind, reserved, used, year=(0, 0), start=0, **row):
    """One line of 10 a day on assumed terms, but what its contract row says."""
    tables = replace(one_line(), contracts={("L", kind): Contract("L", kind, **row)})
    given = line_terms(tables, ("L",), kind, np.array([10.0]))
    notice = (np.arange(2) - start) * 3.0
    return float(
        contract_cost(
            kind, given, np.array([reserved]), np.array([used]), np.array(year), notice
        ).sum()
    )


def test_contracts_cost_what_goes_unused_by_their_terms():
    # 100 days reserved in each of two periods at 10 a day; 50 and 120 used
    days, used = [100.0, 100.0], [50.0, 120.0]
    assert one_cell("take_or_pay", days, used) == pytest.approx(0.8 * 1000 - 500)
    assert one_cell("min_spend", days, used) == pytest.approx(0.8 * 2000 - 1500)
    assert one_cell("min_spend", days, used, year=(0, 1)) == pytest.approx(0.8 * 1000 - 500)
    assert one_cell("suite_fee", days, used) == pytest.approx(0.5 * 500)
    assert one_cell("suite_fee", days, used, share=1.0) == 0.0
    assert one_cell("take_or_pay", days, used, price_per_day=20.0) == pytest.approx(2 * 300)
    assert one_cell("take_or_pay", days, used, share=1.0) == pytest.approx(500.0)
    # notice of 0 months in the first period: the whole price; 3 months in the second: 0.6
    assert one_cell("cancellation", days, used) == pytest.approx(500.0)
    assert one_cell("cancellation", days, [100.0, 50.0]) == pytest.approx(0.6 * 500)
    assert one_cell("cancellation", days, [100.0, 50.0], start=1) == pytest.approx(500.0)
    assert one_cell("cancellation", days, used, cancel_under_3_months=0.2) == pytest.approx(100.0)
    with pytest.raises(KeyError):
        one_cell("barter", days, used)
    assert one_cell("suite_fee", [0.0, 0.0], [0.0, 0.0], fee_per_period=900.0) == 0.0


def test_a_suite_fee_stands_in_place_of_the_price_of_the_days():
    """30 days in each of two periods at 10 a day: 300 of value a period."""
    days, fee = [30.0, 30.0], {"fee_per_period": 450.0}
    # all used: nothing comes back, and the fee is 150 above the price of the days
    assert one_cell("suite_fee", days, days, **fee) == pytest.approx(2 * 150)
    # none used: half of the fee comes back
    assert one_cell("suite_fee", days, [0.0, 0.0], **fee) == pytest.approx(2 * 0.5 * 450)
    # a third used: of two thirds of the fee half comes back
    third = 450 - 100 - 0.5 * 450 * 2 / 3
    assert one_cell("suite_fee", days, [10.0, 30.0], **fee) == pytest.approx(third + 150)
    # a fee below the price of the days saves the difference
    assert one_cell("suite_fee", days, days, fee_per_period=200.0) == pytest.approx(-2 * 100)
    # a period without reserved days has its fee too, and is resold like unused days
    assert one_cell("suite_fee", [30.0, 0.0], [30.0, 0.0], **fee) == pytest.approx(150 + 225)


def test_one_line_owes_the_same_alone():
    tables = one_line()
    reserved, used = np.full((2, 4), 60.0), np.array([[0.0, 20, 60, 70], [60, 60, 10, 0]])
    for kind in KINDS:
        given = line_terms(tables, ("L", "M"), kind, np.array([10.0, 3.0]))
        year, notice = np.array([0, 0, 1, 1]), np.arange(4) * 3.0
        agreement = Agreement(kind, given, reserved, year, notice)
        both = agreement.owed(used)
        for line in range(2):
            alone = agreement.owed_on(line, np.stack([used[line], reserved[line]]))
            assert alone == pytest.approx([both[line], 0.0])


def test_nothing_is_owed_where_all_is_used():
    for kind in KINDS:
        assert one_cell(kind, [100.0, 100.0], [100.0, 110.0]) == 0.0


def test_money_per_day_is_that_of_the_plan():
    case = case_of(one_line())
    assert day_price(case.compiled.problem, case.decision).tolist() == [2.0]


CONTRACTS = """\
line_id,kind,share,price_per_day,fee_per_period
L1,take_or_pay,0.9,5000,
L3,suite_fee,,,100000
"""


def test_contracts_are_a_table(tmp_path):
    tables = read_portfolio(folder(tmp_path, contracts=CONTRACTS))
    assert tables.contracts["L1", "take_or_pay"] == Contract("L1", "take_or_pay", 0.9, 5000.0)
    given = line_terms(tables, ("L1", "L3"), "take_or_pay", np.array([7.0, 8.0]))
    assert given["share"].tolist() == [0.9, TERMS["take_or_pay_share"]]
    assert given["price"].tolist() == [5000.0, 8.0]
    wrong = CONTRACTS.replace("L3", "L9") + "L1,take_or_pay,0.8,,\nL1,barter,0.8,,\n"
    tables, findings = inspect(folder(tmp_path, contracts=wrong))
    assert tables is None
    words = " ".join(said(findings))
    assert "there is no 'L9' in lines.csv" in words
    assert "stands already in line 2" in words
    assert "barter" in words
