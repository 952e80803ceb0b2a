"""What due diligence does to the risk of an option: answers, experience, measured shifts."""

from dataclasses import replace
from math import e, exp

import pytest

from allocator.diligence import cards, experience
from allocator.portfolio import Answer, Cmo, Portfolio, Shift
from allocator.read import inspect
from allocator.risk import option_risk_by_ids, risk_basis
from allocator.risk.evidence import site_readiness, slip_log_odds
from allocator.risk.readiness import Readiness
from tests.allocator.diligence.folder import write
from tests.allocator.portfolios import line, offer, portfolio, program, quarters


def made(*answers: tuple[str, object], **changes: object) -> Portfolio:
    """P (tablets) and V (vials) on K1's line, 9 to 20 months of transfer."""
    months = {f"transfer_months_{w}": m for w, m in (("low", 9), ("mode", 11), ("high", 20))}
    offers = [offer("P", "L1", **months), offer("V", "L1", **months)]
    base = portfolio(
        quarters(12),
        [program("P", (10.0,) * 12), program("V", (10.0,) * 12, dosage_form="vial")],
        [Cmo("K1", "EU", outage_per_year=0.1, recover_months=6.0)],
        [line("L1", "K1", 12)],
        offers,
    )
    rows = tuple(Answer("K1", q, v, as_of="2026-09-01") for q, v in sorted(answers))
    return replace(base, diligence=rows, **changes)


def risk(base: Portfolio, program_id: str = "P") -> tuple[float, float, float]:
    return option_risk_by_ids(base, program_id, [(f"{program_id}@L1@10", 1.0)])


def test_good_answers_lower_the_risk_and_bad_ones_raise_it():
    plain = risk(made())
    good = risk(made(("transfers_in_time", 100.0), ("qa_can_stop_batch", True)))
    bad = risk(made(("transfers_in_time", 40.0), ("qa_can_stop_batch", False)))
    assert good[0] < plain[0] < bad[0]
    assert good[1] < plain[1] < bad[1]


def test_an_open_question_changes_nothing():
    assert risk(made(("growth_terms", "none"))) == risk(made())


def test_experience_counts_for_the_programs_own_form():
    base = made(("products_dosage_form", (("tablet", 8),)))
    assert experience(base, "K1", "V").adjustment == -100
    assert risk(base, "P")[0] < risk(made(), "P")[0]
    assert risk(base, "V")[0] > risk(made(), "V")[0]
    rows = [base.offers[i] for i in ("P@L1@10", "V@L1@10")]
    ready = site_readiness(base, ["K1"])
    odds = slip_log_odds(base, rows, ready)
    assert odds[0] == ready["K1"].slip < 0 < odds[1]
    # the same rule for all offers at once and for one option alone
    assert risk_basis(base, ["P@L1@10", "V@L1@10"]).late.single.tolist() == pytest.approx(
        [risk(base, "P")[0], risk(base, "V")[0]]
    )


def test_a_measured_shift_stands_over_the_scores_for_slips_only():
    answers = (("transfers_in_time", 100.0), ("qa_can_stop_batch", False))
    scored, plain = made(*answers), made()
    shifts = {"K1": Shift("K1", 0.7, 0.3, "punctuality: 3 of 9 deliveries late")}
    both = made(*answers, shifts=shifts)
    assert site_readiness(both, ["K1"])["K1"].slip == 0.7
    assert risk(both)[0] > risk(plain)[0] > risk(scored)[0]
    assert risk(both)[1] == risk(scored)[1]
    far = made(shifts={"K1": Shift("K1", -5.0)})
    assert site_readiness(far, ["K1"])["K1"].slip == -1.0
    own = site_readiness(both, ["K1"], {"K1": Readiness(-0.2, 0.0)})
    assert own["K1"].slip == -0.2
    odds = slip_log_odds(both, list(both.offers.values()), own, {"K1": own["K1"]})
    assert odds.tolist() == [-0.2, -0.2]


def test_the_card_prints_the_measured_shift_with_its_uncertainty():
    card = cards(made(shifts={"K1": Shift("K1", 0.7, 0.3, "punctuality")}))[0]
    assert card.slip_odds == pytest.approx(exp(0.7))
    assert "  odds of slips x 2.01 (measured: log-odds +0.70 +- 0.30, punctuality)," in "\n".join(
        card.lines()
    )
    card = cards(made(shifts={"K1": Shift("K1", 3.0)}))[0]
    assert card.slip_odds == pytest.approx(e)
    assert card.measured == "measured: log-odds +3.00"


def test_measured_shifts_are_read_from_their_table(tmp_path):
    write(tmp_path)
    file = tmp_path / "shifts.csv"
    file.write_text("cmo_id,slip_log_odds,standard_error,source\nK2,-0.25,0.5,history\nK1,0.5,,\n")
    shifts = inspect(tmp_path)[0].shifts
    assert shifts == {"K1": Shift("K1", 0.5), "K2": Shift("K2", -0.25, 0.5, "history")}
    file.write_text("cmo_id,slip_log_odds\nK2,much\nK2,1\nK7,1\n")
    found = [str(f) for f in inspect(tmp_path)[1] if f.file == "shifts.csv"]
    assert [f.split(":")[1].split()[0] for f in found] == ["2", "3", "4"]
    file.unlink()
    assert inspect(tmp_path)[0].shifts == {}
