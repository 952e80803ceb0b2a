"""Shapes of chains: scaled to the offer's totals, own steps kept, problems of both named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from allocator.defaults import BIOLOGIC, ORAL_SOLID, OTHER, STERILE
from allocator.portfolio import Cmo, Policy, Portfolio
from allocator.read import inspect
from allocator.risk import risk_assumptions
from allocator.risk.check import risk_findings
from allocator.risk.steps import (
    DEFAULT_STEPS,
    FILING,
    FORM_CLASSES,
    RELEASE,
    STEPS,
    TRANSFER,
    chain_months,
    steps_of,
)
from tests.allocator.folders import folder, said
from tests.allocator.portfolios import line, offer, portfolio, program, quarters

MONTHS: dict[str, object] = {
    "transfer_months_low": 6.0,
    "transfer_months_mode": 7.0,
    "transfer_months_high": 12.0,
    "filing_months": 5.0,
    "release_months": 2.0,
    "ppq_batches": 3,
}


def tables(
    chain: dict[str, tuple[float, float, float]] | None = None,
    risk: object = None,
    program_changes: dict[str, object] | None = None,
    **changes: object,
) -> Portfolio:
    one = portfolio(
        quarters(8),
        [program("P", (1.0,) * 8, **(program_changes or {}))],
        [Cmo("K", "EU")],
        [line("L", "K", 8)],
        [offer("P", "L", **{**MONTHS, **changes})],
        Policy(extra={} if risk is None else {"risk": risk}),
    )
    return replace(one, chain={("P", "L"): chain} if chain else {})


def months(tables_: Portfolio) -> np.ndarray:
    return chain_months(tables_, list(tables_.offers.values()))[0]


def test_there_is_a_shape_for_every_class() -> None:
    assert set(FORM_CLASSES) == {ORAL_SOLID, STERILE, BIOLOGIC, OTHER}
    for steps in DEFAULT_STEPS.values():
        assert len(steps) == len(STEPS) - 1
        assert all(0 < low <= mode <= high for low, mode, high in steps)


@pytest.mark.parametrize(
    "kind",
    [
        {},
        {"dosage_form": "vial"},
        {"dosage_form": "drug_substance", "molecule_type": "mab"},
        {"dosage_form": "cream"},
        {"stage": "phase1"},
    ],
)
def test_steps_sum_to_the_offers_totals(kind: dict[str, object]) -> None:
    chain = months(tables(program_changes=kind))
    assert chain[TRANSFER].sum(axis=0) == pytest.approx([6.0, 7.0, 12.0])
    assert chain[FILING, 1].sum() == pytest.approx(5.0)
    assert chain[RELEASE] == pytest.approx([-0.2, 0.0, 1.0])
    assert (np.diff(chain, axis=1) >= -1e-12).all()


def test_by_hand() -> None:
    """An oral solid: modes 3 2 3 1 2 3 of 14; what is above them is 1 2 3 1 2 1 of 10."""
    chain = months(tables())
    assert chain[0] == pytest.approx([1.5 * 6 / 7, 1.5, 1.5 + 0.5])
    assert chain[2] == pytest.approx([1.5 * 6 / 7, 1.5, 1.5 + 1.5])
    assert chain[FILING][1] == pytest.approx([4.0, 4.0, 6.0])


def test_without_validation_batches_there_is_no_validation() -> None:
    chain = months(tables(ppq_batches=0))
    assert chain[STEPS.index("validation")].tolist() == [0.0, 0.0, 0.0]
    assert chain[STEPS.index("stability"), 1] > 0
    assert chain[TRANSFER].sum(axis=0) == pytest.approx([6.0, 7.0, 12.0])
    early = months(tables(ppq_batches=0, program_changes={"stage": "phase1"}))
    assert early[STEPS.index("stability")].tolist() == [0.0, 0.0, 0.0]
    assert early[TRANSFER].sum(axis=0) == pytest.approx([6.0, 7.0, 12.0])


def test_nothing_to_wait_for() -> None:
    none = dict.fromkeys((k for k in MONTHS if k.endswith(("low", "mode", "high"))), 0.0)
    chain = months(tables(**none, filing_months=0.0, release_months=0.0))
    assert not chain.any()
    late = months(tables(**{**none, "transfer_months_high": 4.0}))
    assert late[TRANSFER].sum(axis=0) == pytest.approx([0.0, 0.0, 4.0])


def test_shapes_of_the_policy() -> None:
    usual = months(tables())
    shaped = months(tables(risk={"chain": {"oral_solid": {"contract": [1, 2, 40]}}}))
    assert shaped[TRANSFER].sum(axis=0) == pytest.approx([6.0, 7.0, 12.0])
    assert shaped[1, 2] > usual[1, 2] + 1
    elsewhere = months(tables(risk={"chain": {"sterile": {"contract": [1, 2, 40]}}}))
    assert (elsewhere == usual).all()
    assert (months(tables(risk={"chain": 3})) == usual).all()


def test_own_steps_stand_and_the_rest_shares_what_is_left() -> None:
    own = {"transfer": (2.0, 3.0, 7.0), "review": (2.0, 3.0, 4.0), "first_supply": (1.0, 2.5, 3.0)}
    chain = months(tables(own))
    assert chain[2].tolist() == [2.0, 3.0, 7.0]
    assert chain[7].tolist() == [2.0, 3.0, 4.0]
    assert chain[RELEASE].tolist() == [-1.0, 0.5, 1.0]
    assert chain[TRANSFER].sum(axis=0) == pytest.approx([6.0, 7.0, 12.0])
    assert chain[FILING, 1].sum() == pytest.approx(5.0)
    given = {
        step.name
        for step in steps_of(tables(own), tables(own).offers["P@L@10"])
        if not step.assumed
    }
    assert given == set(own)


def test_own_steps_above_the_totals_leave_nothing() -> None:
    own = {"transfer": (9.0, 10.0, 11.0), "filing": (6.0, 6.0, 6.0)}
    chain = months(tables(own))
    rest = chain[[0, 1, 3, 4, 5]]
    assert rest[:, :2].sum() == 0.0
    assert rest[:, 2].sum() == pytest.approx(1.0)
    assert chain[7].tolist() == [0.0, 0.0, 0.0]
    (finding,) = risk_findings(tables(own))
    assert (finding.file, finding.severity) == ("chain.csv", "warning")
    assert "take 10 months, its transfer_months_mode is 7" in finding.what
    assert risk_findings(tables(own, qualified=True)) == ()


def test_an_own_step_may_take_more_than_the_longest_transfer() -> None:
    chain = months(tables({"transfer": (1.0, 1.0, 30.0)}))
    rest = chain[[0, 1, 3, 4, 5]]
    assert rest.sum(axis=0) == pytest.approx([5.0, 6.0, 6.0])
    assert (np.diff(rest, axis=1) >= -1e-12).all()


def test_what_is_assumed_is_listed() -> None:
    def listed(one: Portfolio) -> dict[str, str]:
        return dict(risk_assumptions(one, ["P@L@10"]))

    where = "policy.toml risk.chain.oral_solid"
    assert listed(tables()) == {
        where: "default shape of the qualification steps assumed for 1 offers (docs/risk.md)"
    }
    assert listed(tables(qualified=True)) == {}
    assert listed(tables(dict.fromkeys(STEPS, (1.0, 1.0, 2.0)))) == {}
    whole = {"oral_solid": dict.fromkeys(STEPS[:-1], (1.0, 1.0, 2.0))}
    assert listed(tables(risk={"chain": whole})) == {}
    scored = replace(tables(), cmos={"K": Cmo("K", "EU", scores={"financial": 3.0})})
    assert set(listed(scored)) == {
        where,
        "policy.toml risk.neutral_score",
        "policy.toml risk.log_odds_per_10_points",
    }
    own = replace(scored, policy=Policy(extra={"risk": {"neutral_score": 60}}))
    assert "policy.toml risk.neutral_score" not in listed(own)


def test_a_chain_given_whole() -> None:
    own = dict.fromkeys(STEPS, (1.0, 1.0, 2.0))
    assert months(tables(own))[:8].tolist() == [[1.0, 1.0, 2.0]] * 8


def test_chains_of_other_pairs_do_not_matter() -> None:
    other = replace(tables(), chain={("P", "M"): {"transfer": (2.0, 3.0, 7.0)}})
    assert (months(other) == months(tables())).all()
    assert risk_findings(other) == ()


@pytest.mark.parametrize(
    ("risk", "column", "what"),
    [
        (3, "risk", "3 is not a table"),
        ({"neutral": 3}, "risk.neutral", "the key is unknown"),
        ({"neutral_score": "high"}, "risk.neutral_score", "'high' is not a number"),
        ({"neutral_score": True}, "risk.neutral_score", "True is not a number"),
        ({"neutral_score": 101}, "risk.neutral_score", "101 is out of range"),
        ({"extra_cover_months": -1}, "risk.extra_cover_months", "-1 is out of range"),
        ({"chain": 3}, "risk.chain", "is not a table"),
        ({"chain": {"tablet": {}}}, "risk.chain.tablet", "there is no such class of forms"),
        ({"chain": {"sterile": 3}}, "risk.chain.sterile", "is not a table"),
        (
            {"chain": {"sterile": {"reviews": [1, 2, 3]}}},
            "risk.chain.sterile.reviews",
            "there is no such step",
        ),
        (
            {"chain": {"sterile": {"review": [3, 2, 4]}}},
            "risk.chain.sterile.review",
            "[3, 2, 4] is not low, mode and high months in order",
        ),
        (
            {"chain": {"sterile": {"review": [3, 4]}}},
            "risk.chain.sterile.review",
            "[3, 4] is not low, mode and high months in order",
        ),
    ],
)
def test_problems_of_the_settings(risk: object, column: str, what: str) -> None:
    (finding,) = risk_findings(tables(risk=risk))
    assert (finding.column, finding.what, finding.severity) == (column, what, "error")


def test_sound_settings() -> None:
    sound = {
        "neutral_score": 60,
        "log_odds_per_10_points": 0.1,
        "extra_cover_months": 1.5,
        "chain": {"biologic_drug_substance": {"review": [4, 6, 9]}},
    }
    assert risk_findings(tables(risk=sound)) == ()
    months(tables(risk=sound))


CHAIN = "program_id,line_id,step,low,mode,high\n"


def test_chain_csv_is_read(tmp_path: Path) -> None:
    rows = "P1,L1,review,3,4,9\nP1,L1,transfer,1,2,3\nP2,L2,review,1,1,1\n"
    read, findings = inspect(folder(tmp_path, chain=CHAIN + rows))
    assert findings == ()
    assert read is not None
    assert read.chain == {
        ("P1", "L1"): {"review": (3.0, 4.0, 9.0), "transfer": (1.0, 2.0, 3.0)},
        ("P2", "L2"): {"review": (1.0, 1.0, 1.0)},
    }


def test_problems_of_chain_csv(tmp_path: Path) -> None:
    rows = "P1,L1,review,5,4,9\nP1,L9,transfer,1,2,3\nP2,L2,reviews,1,1,1\n"
    policy = "[risk]\nneutral_scores = 60\n"
    assert said(inspect(folder(tmp_path, chain=CHAIN + rows))[1]) == [
        "chain.csv:2 low: 5 is above mode 4; give a low up to the mode",
        "chain.csv:3 line_id: there is no 'L9' in lines.csv; add a row to lines.csv",
        "chain.csv:4 step: 'reviews' is not known; did you mean 'review'?",
    ]
    twice = CHAIN + "P1,L1,review,3,4,9\n" * 2
    wrong = said(inspect(folder(tmp_path, chain=twice))[1])
    assert wrong == [
        "chain.csv:3 step: P1, L1, review stands already in line 2; delete one of the rows or"
        " change its key"
    ]
    key = said(inspect(folder(tmp_path, chain=CHAIN, policy=policy))[1])
    assert any("risk.neutral_scores: the key is unknown; did you mean" in line for line in key)
