"""Cards: strengths, gaps, what is open, what is old, and what to ask, most important first."""

from dataclasses import replace

import pytest

from allocator.diligence import cards
from allocator.diligence.catalogue import questions
from allocator.diligence.wording import value_words
from allocator.portfolio import Answer, AnswerGate, Gates, Policy
from tests.allocator.diligence.test_score import make

ANSWERS = [
    ("K1", "qa_can_stop_batch", True),
    ("K1", "deviation_days", 85.0),
    ("K1", "capa_in_time", 85.0),
    ("K1", "transfers_in_time", 45.0),
    ("K1", "products_dosage_form", (("capsule", 1), ("tablet", 9))),
    ("K1", "growth_terms", "first refusal"),
    ("K1", "expertise_ends", ()),
]


def test_a_card_tells_strengths_and_gaps():
    card = cards(make(ANSWERS, {"financial": 30.0, "regulatory": 85.0}))[0]
    assert card.strengths == (
        "regulatory scored 85",
        "QA can stop a batch on its own authority: yes",
        "Products made by dosage form: capsule 1, tablet 9",
    )
    assert card.gaps == (
        "financial scored 30",
        "Transfers done in time: 45 percent",
        "Days to close a deviation: 85 days",
    )


def test_forty_points_are_a_gap_and_eighty_a_strength():
    made = make([("K1", "transfers_in_time", 64.0), ("K1", "early_warnings", 84.0)])
    card = cards(made)[0]
    assert card.gaps == ("Transfers done in time: 64 percent",)
    assert len(card.strengths) == 1
    made = make([("K1", "transfers_in_time", 65.0), ("K1", "early_warnings", 83.0)])
    assert cards(made)[0].gaps == cards(made)[0].strengths == ()


def test_what_is_open_is_listed_and_what_the_record_says_is_not():
    open_ = cards(make(ANSWERS))[0].missing
    assert len(open_) == len(questions()) - len(ANSWERS)
    assert questions()["last_inspection_class"].text in open_
    made = make(ANSWERS)
    known = replace(made.cmos["K1"], last_inspection="NAI", critical_findings=0)
    card = cards(replace(made, cmos={**made.cmos, "K1": known}))[0]
    assert len(card.missing) == len(open_) - 4


def test_the_inspection_record_is_a_gap():
    made = make()
    bad = replace(
        made.cmos["K1"], last_inspection="OAI", inspection_date="2026-01-05", critical_findings=1
    )
    card = cards(replace(made, cmos={**made.cmos, "K1": bad}))[0]
    assert card.gaps == (
        "official action indicated (OAI) at the inspection of 2026-01-05",
        "1 critical finding in the last five years",
    )
    assert any("OAI" in gate for gate in card.gates)


def test_the_audit_asks_about_gaps_then_what_is_open_then_what_is_old():
    made = make(ANSWERS, {"supply_chain": 60.0})
    old = tuple(
        replace(a, as_of="2024-01-01" if a.question != "growth_terms" else "")
        if a.question in ("qa_can_stop_batch", "deviation_days", "growth_terms")
        else a
        for a in made.diligence
    )
    card = cards(replace(made, diligence=old))[0]
    assert card.stale == (
        "QA can stop a batch on its own authority: yes (as of 2024-01-01)",
        "Days to close a deviation: 85 days (as of 2024-01-01)",
        "Terms on which the growth is reserved: first refusal (as of no known day)",
    )
    asks = questions()
    assert card.ask[0] == f"{asks['transfers_in_time'].ask} (45 percent was the answer)"
    assert card.ask[1] == f"{asks['deviation_days'].ask} (85 days was the answer)"
    # of what is open, headings without any score come first: financial before supply_chain
    at = card.ask.index
    assert at(asks["accounts_seen"].ask) < at(asks["critical_materials_two_suppliers"].ask)
    assert card.ask[-2:] == (
        f"{asks['qa_can_stop_batch'].ask} (the answer is of 2024-01-01)",
        f"{asks['growth_terms'].ask} (the answer is of no known day)",
    )
    assert len(card.ask) == len(set(card.ask)) == 2 + len(card.missing) + 2


def test_the_odds_are_those_of_the_readiness_model():
    plain, good, bad = (
        cards(make(scores=scores))[0]
        for scores in ({}, {"tech_transfer": 95.0, "quality_culture": 95.0}, {"financial": 10.0})
    )
    assert (plain.slip_odds, plain.outage_odds) == (1, 1)
    assert good.slip_odds < 1
    assert good.outage_odds < 1
    assert bad.outage_odds > 1
    assert cards(make([("K1", "accounts_seen", False)]))[0].outage_odds > 1


def test_a_card_prints_in_lines():
    gate = AnswerGate("capa_in_time", minimum=90.0)
    policy = Policy(gates=Gates(diligence=(gate,)))
    made = make(ANSWERS, {"financial": 30.0}, policy)
    made = replace(made, cmos={**made.cmos, "K1": replace(made.cmos["K1"], name="Alpha")})
    one, other = cards(made)
    text = one.lines()
    assert text[0] == "K1 (Alpha)"
    assert text[1].startswith("  scores: quality culture ")
    assert " from answers; " in text[1]
    assert "financial 30" in text[1]
    assert any(line.startswith("  knocked out: CMO K1: gate capa_in_time") for line in text)
    assert any(line.startswith("  ask at the audit: ") and "; and " in line for line in text)
    assert other.lines()[:2] == ("K2", "  scores: none")
    assert not any(line.startswith("  stale") for line in text)


@pytest.mark.parametrize("policy", [None, Policy()])
def test_cards_stand_in_the_order_of_ids(policy):
    assert [card.cmo_id for card in cards(make(ANSWERS, policy=policy))] == ["K1", "K2"]


def test_every_kind_of_answer_is_said_in_words():
    def said(question, value):
        return value_words(questions()[question], Answer("K", question, value))

    assert said("accounts_seen", False) == "no"
    assert said("current_ratio", 1.25) == "1.25 current assets over current liabilities"
    assert said("last_inspection_class", "VAI") == "VAI"
    assert said("products_route", ()) == "none"
    assert said("expertise_ends", ("adc", "vial")) == "adc, vial"
    assert said("expertise_ends", ()) == "none"
