"""The audit's own eligibility and gates: by hand, and against the engine's on random portfolios."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocator.audit.eligible import obstacles
from allocator.audit.facts import Facts
from allocator.audit.gates import gate_obstacles, heading_score
from allocator.eligibility import eligibility
from allocator.gates import gate_reasons
from allocator.portfolio import AnswerGate, Cmo, DiligenceSettings, Gates, Policy, Portfolio
from allocator.read import read_portfolio
from tests.allocator.audit.example import write_inputs
from tests.allocator.portfolios import line, offer, portfolio, program, quarters


def some_portfolio(seed: int) -> Portfolio:
    """Programs, lines and CMOs of every kind, so that about half of the offers are eligible."""
    rng = np.random.default_rng(seed)

    def pick(*values, odds: float = 0.15):
        """Mostly the first value, now and then one of the others."""
        return values[0] if rng.random() > odds else values[int(rng.integers(len(values)))]

    periods = quarters(4)
    cmos = [
        Cmo(
            f"K{k}",
            "EU",
            last_inspection=pick("NAI", "OAI", ""),
            inspection_date=pick("2026-03-01", "2024-12-31", "2025-01-01", ""),
            critical_findings=pick(None, 0, 2),
            scores={"regulatory": pick(80.0, 50.0, None), "financial": pick(None, 20.0)},
        )
        for k in range(4)
    ]
    lines = [
        line(
            f"L{k}",
            f"K{k}",
            4,
            dosage_forms=pick(("tablet",), ("vial", "tablet"), ("vial",)),
            molecule_types=pick((), ("small_molecule",), ("mab",)),
            stages=pick((), ("commercial",), ("phase1",)),
            max_oeb=pick(None, 3, 5),
            controlled_schedules=pick((), ("II",)),
            cold_chain=bool(pick(0, 1)),
            batch_min=pick(1.0, 10.0, 12.0),
            batch_max=pick(50.0, 10.0, 9.0),
            unit=pick("kg", "vials"),
            days=tuple(pick(60.0, 5.0) for _ in range(4)),
            changeover_days=pick(0.0, 3.0),
            expansion_days=pick(0.0, 4.0),
            expansion_months=pick(0.0, 6.0),
        )
        for k in range(4)
    ]
    programs = [
        program(
            f"P{p}",
            (10.0,) * 4,
            max_oeb=pick(None, 2, 4),
            controlled_schedule=pick("", "II"),
            cold_chain=bool(pick(0, 1)),
            batch_min=pick(None, 10.0, 11.0),
            batch_max=pick(None, 10.0, 9.0),
        )
        for p in range(4)
    ]
    offers = [
        offer(
            f"P{p}",
            f"L{k}",
            days_per_batch=pick(2.0, 5.0, 8.0),
            qualified=bool(pick(0, 1, odds=0.5)),
            transfer_months_mode=pick(2.0, 6.0, 8.0),
            filing_months=pick(0.0, 4.0),
            release_months=pick(0.5, 1.5, 4.0),
            ppq_batches=int(pick(1, 3)),
        )
        for p in range(4)
        for k in range(4)
    ]
    gates = Gates(
        oai=bool(pick(1, 0)),
        critical_within_months=pick(24.0, 60.0),
        min_scores=pick({}, {"regulatory": 60.0, "financial": 30.0}, odds=0.5),
        waived=pick((), ("K1",)),
    )
    return portfolio(periods, programs, cmos, lines, offers, Policy(gates=gates))


@pytest.mark.parametrize("seed", range(60))
def test_the_audit_and_the_engine_allow_the_same_offers(seed):
    some = some_portfolio(seed)
    facts = Facts(some)
    own = {offer_id for offer_id, each in some.offers.items() if not obstacles(facts, each)}
    assert own == set(eligibility(some).offers)
    for cmo_id, cmo in some.cmos.items():
        assert bool(list(gate_obstacles(facts, cmo))) == bool(gate_reasons(some, cmo_id))


def test_random_portfolios_are_neither_all_open_nor_all_shut():
    counts = [len(eligibility(some_portfolio(seed)).offers) for seed in range(60)]
    assert min(counts) < 5 < max(counts)


ANSWERS = """\
cmo_id,question,answer,source,as_of
K2,qa_can_stop_batch,yes,audit,2026-06-01
K2,last_inspection_class,VAI,FDA,2026-06-01
K2,capa_in_time,85,audit,2026-06-01
K2,products_dosage_form,tablet=6;vial=2,list,2026-06-01
K2,deviation_days,45,audit,2026-06-01
K3,qa_can_stop_batch,no,audit,2026-06-01
"""


def answered(tmp_path, gates: str) -> Portfolio:
    folder = write_inputs(tmp_path / "inputs", [("policy.toml", "", "\n" + gates)])
    (folder / "diligence.csv").write_text(ANSWERS)
    return read_portfolio(folder)


@pytest.mark.parametrize(
    ("gate", "barred"),
    [
        ("qa_can_stop_batch = true", {"K3"}),
        ("qa_can_stop_batch = false", {"K2"}),
        ('last_inspection_class = ["NAI"]', {"K2"}),
        ('last_inspection_class = ["NAI", "VAI"]', set()),
        ("capa_in_time = { min = 90 }", {"K2"}),
        ("capa_in_time = { min = 85 }", set()),
        ("deviation_days = { max = 44 }", {"K2"}),
        ("deviation_days = { max = 45, min = 10 }", set()),
        ("capa_in_time = { min = 80, required = true }", {"K1", "K3", "K4"}),
    ],
)
def test_gates_on_answers(tmp_path, gate, barred):
    gates = f"[gates]\noai = false\n[gates.diligence]\n{gate}\n"
    some = answered(tmp_path, gates)
    facts = Facts(some)
    own = {k for k, cmo in some.cmos.items() if list(gate_obstacles(facts, cmo))}
    assert own == barred
    assert own == {k for k in some.cmos if gate_reasons(some, k)}


def test_a_waiver_passes_every_gate(tmp_path):
    some = answered(
        tmp_path, '[gates]\nwaived = ["K3"]\n[gates.diligence]\nqa_can_stop_batch = true\n'
    )
    assert list(gate_obstacles(Facts(some), some.cmos["K3"])) == []


@pytest.mark.parametrize(
    ("heading", "score"),
    [
        ("regulatory", 60.0),  # its own score stands, whatever it answered
        ("technical_depth", 75.0),  # 6 products of its most made form, between 0 and 8
        ("quality_culture", (3 * 100 + 2 * 75 + 2 * 50) / 7),
        ("financial", None),
    ],
)
def test_a_heading_comes_from_the_answers_where_it_is_blank(tmp_path, heading, score):
    some = answered(tmp_path, "")
    facts = Facts(some)
    own = heading_score(facts, some.cmos["K2"], heading, facts.answers_of["K2"])
    assert own == (None if score is None else pytest.approx(score))


@pytest.mark.parametrize("least", [10.0, 74.9, 75.1, 90.0])
def test_gates_on_headings_from_answers_agree_with_the_engine(tmp_path, least):
    some = answered(tmp_path, f"[gates.min_scores]\ntechnical_depth = {least}\n")
    facts = Facts(some)
    barred = bool(list(gate_obstacles(facts, some.cmos["K2"])))
    assert barred == (least > 75) == bool(gate_reasons(some, "K2"))


def test_a_class_and_a_weight_of_the_policy_count_in_a_heading(tmp_path):
    some = answered(tmp_path, "")
    policy = replace(some.policy, diligence=DiligenceSettings(weights={"capa_in_time": 0.0}))
    cmo = replace(some.cmos["K2"], scores={})
    facts = Facts(replace(some, policy=policy))
    answers = facts.answers_of["K2"]
    assert heading_score(facts, cmo, "regulatory", answers) == 60.0
    assert heading_score(facts, cmo, "quality_culture", answers) == pytest.approx(
        (3 * 100 + 2 * 75) / 5
    )


def test_a_gate_that_asks_nothing_of_an_answer_passes_it(tmp_path):
    some = answered(tmp_path, "")
    gates = tuple(
        AnswerGate(question)
        for question in ("qa_can_stop_batch", "last_inspection_class", "capa_in_time")
    )
    policy = replace(some.policy, gates=replace(some.policy.gates, oai=False, diligence=gates))
    facts = Facts(replace(some, policy=policy))
    assert list(gate_obstacles(facts, some.cmos["K2"])) == []
