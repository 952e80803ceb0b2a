"""Scorecards as log-odds: neutral blanks, weights, the cap, and where the shifts arrive."""

from __future__ import annotations

from math import log

import pytest

from allocator.portfolio import Cmo, Policy, Portfolio
from allocator.risk import option_risk_by_ids, risk_basis
from allocator.risk.readiness import HEADINGS, OUTAGE_WEIGHTS, Readiness, readiness, shifted
from tests.allocator.portfolios import line, offer, portfolio, program, quarters


def card(**scores: float | None) -> Cmo:
    return Cmo("K", "EU", scores=scores, outage_per_year=0.05, recover_months=6.0)


def everywhere(score: float) -> Cmo:
    return card(**dict.fromkeys(HEADINGS, score))


def test_blank_is_neutral_and_listed() -> None:
    blank = readiness(card(), Policy())
    assert (blank.slip, blank.outage) == (0.0, 0.0)
    assert blank.missing == HEADINGS
    average = readiness(everywhere(70.0), Policy())
    assert (average.slip, average.outage, average.missing) == (0.0, 0.0, ())
    assert average.outage_parts == dict.fromkeys(OUTAGE_WEIGHTS, 0.0)


def test_a_zero_is_not_a_blank() -> None:
    assert readiness(card(quality_culture=0.0), Policy()).outage > 0.3


def test_ten_points_everywhere_move_the_odds_by_the_slope() -> None:
    better = readiness(everywhere(80.0), Policy())
    assert better.slip == pytest.approx(-0.2)
    assert better.outage == pytest.approx(-0.2)
    settings = {"risk": {"log_odds_per_10_points": 0.3, "neutral_score": 60}}
    assert readiness(everywhere(80.0), Policy(extra=settings)).slip == pytest.approx(-0.6)


def test_one_good_answer_among_blanks_counts_by_its_weight() -> None:
    """3 of 10 weights on outages, 20 points above neutral."""
    ready = readiness(card(quality_culture=90.0), Policy())
    assert ready.outage == pytest.approx(-0.02 * 20 * 3 / 10)
    assert ready.outage_parts == {"quality_culture": pytest.approx(ready.outage)}
    assert ready.slip == 0.0


def test_the_users_weights() -> None:
    policy = Policy(score_weights={"quality_culture": 0.0, "supply_chain": 2.0})
    assert readiness(card(quality_culture=0.0), policy).outage == 0.0
    assert readiness(card(supply_chain=60.0), policy).outage == pytest.approx(0.2 * 6 / 10)
    nothing = Policy(score_weights=dict.fromkeys(HEADINGS, 0.0))
    assert readiness(everywhere(10.0), nothing).slip == 0.0


def test_the_shift_is_capped() -> None:
    worst = readiness(everywhere(0.0), Policy())
    assert worst.slip == worst.outage == 1.0
    assert sum(worst.slip_parts.values()) == pytest.approx(1.0)
    settings = {"risk": {"neutral_score": 0}}
    assert readiness(everywhere(100.0), Policy(extra=settings)).slip == -1.0


def test_evidence_fills_blanks_only() -> None:
    evidence = {"quality_culture": 90.0, "financial": 50.0}
    ready = readiness(card(quality_culture=70.0), Policy(), evidence)
    assert ready.outage == pytest.approx(0.02 * 20 * 1 / 10)
    assert "financial" not in ready.missing


def test_shifted_odds() -> None:
    assert shifted(0.5, log(3)) == pytest.approx(0.75)
    assert shifted(0.0, 1.0) == 0.0
    assert shifted(1.0, -1.0) == 1.0
    assert shifted(1e-15, 0.1) == pytest.approx(1e-15 * 1.10517, rel=1e-5)


def tables(cmo: Cmo) -> Portfolio:
    slow = offer(
        "P", "L", transfer_months_low=4.0, transfer_months_mode=6.0, transfer_months_high=12.0
    )
    return portfolio(quarters(8), [program("P", (10.0,) * 8)], [cmo], [line("L", "K", 8)], [slow])


def test_shifts_arrive_in_both_risks() -> None:
    neutral = option_risk_by_ids(tables(everywhere(70.0)), "P", [("P@L@10", 1.0)])
    poor = option_risk_by_ids(tables(everywhere(40.0)), "P", [("P@L@10", 1.0)])
    good = option_risk_by_ids(tables(everywhere(100.0)), "P", [("P@L@10", 1.0)])
    assert good[0] < neutral[0] < poor[0]
    assert good[1] < neutral[1] < poor[1]
    assert poor[1] / neutral[1] == pytest.approx(shifted(0.05, 0.6) / 0.05)


def test_fitted_shifts_replace_the_scorecard() -> None:
    one = tables(everywhere(40.0))
    fitted = risk_basis(one, ["P@L@10"], shifts={"K": Readiness(0.0, 0.0)})
    neutral = risk_basis(tables(everywhere(70.0)), ["P@L@10"])
    assert fitted.late.single == pytest.approx(neutral.late.single)
    assert fitted.out == pytest.approx(neutral.out)
    assert risk_basis(one, ["P@L@10"], shifts={}).out > neutral.out


def test_unknown_settings_are_ignored() -> None:
    assert readiness(everywhere(80.0), Policy(extra={"risk": 3})).slip == pytest.approx(-0.2)
    odd = Policy(extra={"risk": {"neutral_score": "high"}})
    assert readiness(everywhere(80.0), odd).slip == pytest.approx(-0.2)
