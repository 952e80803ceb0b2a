"""Who could make a program, in the order of money, and all reasons of those who could not."""

from dataclasses import replace

import pytest

from allocator.errors import Usage
from allocator.portfolio import Answer, AnswerGate, Cmo, Gates, Policy, Rule
from allocator.ranking import COLUMNS, match, rank
from allocator.risk import option_risk_by_ids
from tests.allocator.diligence.folder import write
from tests.allocator.portfolios import line, offer, portfolio, program, quarters


def three(policy=None, **changes):
    """P: 30 kg in each of 4 quarters. K1 is dear, K2 cheap but late, K3 makes vials only."""
    rows = {
        "K1": offer("P", "L1", offer_id="P@L1@10", price_per_batch=150.0, qualified=True),
        "K2": offer(
            "P",
            "L2",
            offer_id="P@L2@10",
            price_per_batch=100.0,
            transfer_cost=500.0,
            transfer_months_low=3.0,
            transfer_months_mode=3.0,
            transfer_months_high=3.0,
            ppq_batches=2,
        ),
    }
    return portfolio(
        quarters(4),
        [
            program("P", (30.0,) * 4, delay_cost_per_month=1000.0),
            program("Q", (10.0,) * 4),
        ],
        [
            Cmo("K1", "EU", outage_per_year=0.0, recover_months=0.0, onboarding_cost=40.0),
            Cmo("K2", "US", outage_per_year=0.0, recover_months=0.0),
            Cmo("K3", "IN"),
            Cmo("K4", "CN"),
        ],
        [
            line("L1", "K1", 4, **changes.get("L1", {})),
            line("L2", "K2", 4, **changes.get("L2", {})),
            line("L3", "K3", 4, dosage_forms=("vial",), unit="vials"),
        ],
        [*rows.values(), *changes.get("offers", [])],
        policy,
    )


def test_each_is_valued_as_the_only_source_to_the_cent():
    ranking = rank(three(), "P")
    one, other = ranking.matches
    assert (one.cmo_id, one.qualified, one.ready, one.first_supply) == (
        "K1",
        True,
        "2027Q1",
        "2027Q1",
    )
    assert one.batches == 12
    assert one.cash["batches"] == 1800
    assert (one.cash_cost, one.shortage_cost, one.risk_cost) == (1840, 0, 0)
    assert one.total == 1840
    assert (one.months_before, one.months_after) == (0, 0)
    assert (one.p50_date, one.critical_step) == ("2027-01", None)
    # 12 batches of 2 days of 60 days a quarter
    assert one.line_share == pytest.approx(24 / 240)
    assert (one.fullest_period, one.fullest_share) == ("2027Q1", pytest.approx(0.1))
    assert (other.cmo_id, other.ready, other.batches) == ("K2", "2027Q2", 9)
    assert other.cash["batches"] == 900
    assert (other.cash["transfer"], other.cash["validation"]) == (500, 200)
    assert other.shortage_cost == pytest.approx(3000)
    assert (other.months_before, other.months_after) == pytest.approx((3, 0))
    assert (other.p50_date, other.p90_date) == ("2027-04", "2027-04")
    assert other.total == pytest.approx(1600 + 3000)
    assert ranking.without == pytest.approx(12000)
    assert ranking.program_id == "P"


def test_those_who_could_not_have_all_their_reasons():
    unfit = {u.cmo_id: u.reasons for u in rank(three(), "P").unfit}
    assert list(unfit) == ["K3", "K4"]
    assert any("makes vial" in reason for reason in unfit["K3"])
    assert any("counts in vials" in reason for reason in unfit["K3"])
    assert unfit["K4"] == ("CMO K4 has no line in lines.csv",)


def test_risk_is_that_of_the_only_source_weighted_by_the_policy():
    base = three(Policy(risk_weight=2.0))
    risky = replace(base.cmos["K1"], outage_per_year=0.2, recover_months=6.0)
    base = replace(base, cmos={**base.cmos, "K1": risky})
    found = next(m for m in rank(base, "P").matches if m.cmo_id == "K1")
    late, lost, money = option_risk_by_ids(base, "P", [("P@L1@10", 1.0)])
    assert lost > 0
    assert (found.late_months, found.lost_months) == pytest.approx((late, lost))
    assert found.risk_cost == pytest.approx(2 * money)
    assert found.total == pytest.approx(1840 + 2 * money)
    assert any("supply lost to outages" in reason for reason in found.reasons)


def test_the_best_offer_of_a_cmo_counts_and_the_others_are_told():
    small = offer("P", "L1", offer_id="P@L1@5", batch_size=5.0, qualified=True)
    found = rank(three(offers=[small]), "P").matches[0]
    assert found.offer_id == "P@L1@10"
    assert found.other_offers == (("P@L1@5", pytest.approx(24 * 100 + 40)),)
    assert "its offer P@L1@5 comes to 2,440" in found.reasons


def test_ties_go_by_id_and_the_order_of_rows_changes_nothing():
    base = three()
    twin = Cmo("K0", "EU", outage_per_year=0.0, recover_months=0.0, onboarding_cost=40.0)
    same = replace(base.offers["P@L1@10"], offer_id="P@L0@10", line_id="L0")
    base = replace(
        base,
        cmos={**base.cmos, "K0": twin},
        lines={**base.lines, "L0": line("L0", "K0", 4)},
        offers={**base.offers, "P@L0@10": same},
    )
    ranking = rank(base, "P")
    assert [m.cmo_id for m in ranking.matches] == ["K0", "K1", "K2"]
    assert ranking.matches[0].total == ranking.matches[1].total
    shuffled = replace(
        base,
        **{
            name: dict(reversed(getattr(base, name).items()))
            for name in ("programs", "cmos", "lines", "offers")
        },
    )
    assert rank(shuffled, "P") == ranking


def test_award_rules_are_told_and_change_no_rank():
    rules = (
        Rule("forbid", "no_k1", {"cmos": ("K1",)}),
        Rule("force", "own_house", {"programs": ("P", "Q"), "cmos": ("K2",)}),
        Rule("force", "other", {"programs": ("Q",), "cmos": ("K2",)}),
        Rule("keep_incumbent", "stay", {}),
        Rule("max_cmos", "few", {"limit": 0}),
    )
    plain, ruled = rank(three(), "P"), rank(three(Policy(rules=rules)), "P")
    assert [m.total for m in ruled.matches] == [m.total for m in plain.matches]
    told = {m.cmo_id: [r.split()[3] for r in m.reasons if "award rule" in r] for m in ruled.matches}
    assert told == {"K1": ["no_k1", "own_house"], "K2": ["stay"]}


def test_a_line_is_expanded_where_that_is_cheaper():
    small = {"days": (4.0,) * 4, "expansion_days": 2.0, "expansion_cost": 100.0}
    found = rank(three(L1=small), "P").matches[0]
    assert (found.cmo_id, found.expanded, found.batches) == ("K1", True, 12)
    assert found.cash["expansions"] == 100
    assert found.fullest_share == pytest.approx(1.0)
    assert any("with its expansion" in reason for reason in found.reasons)
    dear = {**small, "expansion_cost": 1e6}
    found = next(m for m in rank(three(L1=dear), "P").matches if m.cmo_id == "K1")
    assert (found.expanded, found.batches) == (False, 8)
    assert found.shortage_cost == pytest.approx(4 * 1000)
    assert (found.months_before, found.months_after) == pytest.approx((0, 4))
    assert "4.0 months of supply missing for want of line-days" in found.reasons


def test_reasons_say_what_the_difference_is_made_of():
    one, other = rank(three(), "P").matches
    assert one.reasons[:2] == ("already qualified there", "least in all")
    assert other.reasons[0] == "2,760 more than K1: cash -240, shortage +3,000"
    assert "12 batches of 10 take 10% of line L1, at most 10% in 2027Q1" in one.reasons
    assert "3.0 months of supply missing before that" in other.reasons
    assert any(
        reason.startswith("planned to supply from 2027Q2; by ") and "made late by its" in reason
        for reason in other.reasons
    )
    assert not any("planned to supply" in reason for reason in one.reasons)
    assert "no scores: nothing is known of its readiness" in one.reasons


def test_scores_and_experience_are_those_of_the_program():
    base = three()
    answers = (
        Answer("K1", "products_dosage_form", (("capsule", 8),), as_of="2026-09-01"),
        Answer("K1", "qa_can_stop_batch", True, as_of="2026-09-01"),
    )
    found = rank(replace(base, diligence=answers), "P").matches[0]
    assert found.scores["technical_depth"] == 0
    assert found.scores["quality_culture"] == 100
    assert "made no products of dosage form tablet" in found.reasons
    assert "scores: quality culture 100, technical depth 0; 7 of 9 without one" in found.reasons


def test_a_gate_on_answers_knocks_out():
    gate = AnswerGate("qa_can_stop_batch", expected=True, required=True)
    ranking = rank(three(Policy(gates=Gates(diligence=(gate,), waived=("K2",)))), "P")
    assert [m.cmo_id for m in ranking.matches] == ["K2"]
    reasons = {u.cmo_id: " ".join(u.reasons) for u in ranking.unfit}
    assert "no answer to 'QA can stop a batch" in reasons["K1"]


def test_nobody_can_make_it():
    base = three()
    ranking = rank(replace(base, offers={}), "P")
    assert ranking.matches == ()
    assert [u.cmo_id for u in ranking.unfit] == ["K1", "K2", "K3", "K4"]
    assert ranking.rows() == ()
    assert ranking.lines()[0].startswith("0 of 4 CMOs could make P")


def test_rows_and_lines_are_for_showing():
    ranking = rank(three(), "P")
    rows = ranking.rows()
    assert [tuple(row) for row in rows] == [COLUMNS, COLUMNS]
    assert [row["rank"] for row in rows] == [1, 2]
    text = ranking.lines()
    assert text[0] == (
        "2 of 4 CMOs could make P (in USD; each alone, all of its demand;"
        " without any source: 12,000)"
    )
    assert text[1] == (
        "1. K1: 1,840 = cash 1,840 + shortage 0 + risk 0 (P@L1@10, supplies from 2027Q1)"
    )
    assert "- K3:" in text
    assert text[-2:] == ("- K4:", "   CMO K4 has no line in lines.csv")
    assert "Could not:" not in replace(ranking, unfit=()).lines()


def test_a_program_there_is_not_is_wrong_usage():
    with pytest.raises(Usage, match="no program 'PP'; portfolio"):
        rank(three(), "PP")
    with pytest.raises(Usage, match="no program 'p'; did you mean 'P'"):
        rank(three(), "p")


def test_a_folder_is_matched_under_a_scenario(tmp_path):
    folder = write(tmp_path)
    (tmp_path / "scenario.toml").write_text("[demand]\nall = 2.0\n")
    with pytest.raises(Usage):
        match(folder, "NONE")
    plain = match(folder, "ASP")
    double = match(folder, "ASP", tmp_path / "scenario.toml")
    assert plain.matches == ()  # nobody is ready within two quarters
    assert double.without == pytest.approx(plain.without)  # months of supply are what is priced
    assert "after the last period 2027Q2" in " ".join(plain.unfit[0].reasons)
