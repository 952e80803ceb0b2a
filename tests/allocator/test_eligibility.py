from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.eligibility import Eligibility, eligibility
from allocator.portfolio import Answer, AnswerGate, Cmo, Gates, Line, Offer, Policy, Program
from tests.allocator.portfolios import line, months, offer, portfolio, program, quarters

DEMAND = (10.0,) * 4


def of(
    ours: dict[str, object] | None = None,
    theirs: dict[str, object] | None = None,
    quote: dict[str, object] | None = None,
    cmo: dict[str, object] | None = None,
    gates: Gates | None = None,
) -> Eligibility:
    """One program P, one line L of CMO K, one qualified offer of 10 kg, with some changes."""
    return eligibility(
        portfolio(
            quarters(4),
            [program("P", DEMAND, **{"max_oeb": 2, **(ours or {})})],
            [Cmo("K", "EU", **(cmo or {}))],  # type: ignore[arg-type]
            [line("L", "K", 4, **(theirs or {}))],
            [offer("P", "L", **{"qualified": True, **(quote or {})})],
            Policy(gates=gates or Gates()),
        )
    )


def test_a_pair_that_works_has_an_offer_and_no_reasons() -> None:
    result = of()
    assert result.offers == ("P@L@10",)
    assert result.reasons("P", "L") == ()
    assert result.offer_reasons("P@L@10") == ()
    with pytest.raises(KeyError):
        result.reasons("X", "L")
    with pytest.raises(KeyError):
        result.offer_reasons("X")


ONE_REASON = {
    "form": (
        {"dosage_form": "vial"},
        {"dosage_forms": ("tablet", "capsule")},
        {},
        "line L makes tablet, capsule, the program P is vial",
    ),
    "molecule": (
        {"molecule_type": "mab"},
        {"molecule_types": ("peptide",)},
        {},
        "line L takes peptide, the program P is mab",
    ),
    "stage": (
        {"stage": "phase1"},
        {"stages": ("phase3", "commercial")},
        {},
        "line L works for phase3, commercial, the program P is at phase1",
    ),
    "containment": (
        {"max_oeb": 5},
        {"max_oeb": 4},
        {},
        "line L contains up to band 4, the program P needs band 5",
    ),
    "unknown containment": (
        {"max_oeb": None},
        {"max_oeb": 3},
        {},
        "line L contains up to band 3, the program P needs band 4 "
        "(max_oeb is blank, which counts as 4)",
    ),
    "schedule": (
        {"controlled_schedule": "II"},
        {"controlled_schedules": ("III", "IV")},
        {},
        "line L is licensed for III, IV, the program P needs schedule II",
    ),
    "no schedule": (
        {"controlled_schedule": "II"},
        {},
        {},
        "line L is licensed for no schedule, the program P needs schedule II",
    ),
    "cold chain": (
        {"cold_chain": True},
        {},
        {},
        "line L keeps no cold chain, which the program P needs",
    ),
    "unit": ({"unit": "vials"}, {}, {}, "line L counts in kg, the program P in vials"),
    "horizon": (
        {},
        {},
        {"qualified": False, "transfer_months_mode": 9.1, "filing_months": 0.0},
        "offer P@L@10 supplies first 12 months from 2027Q1 (transfer 9.1, filing 0, release 0 "
        "months), after the last period 2027Q4",
    ),
    "release": (
        {},
        {},
        {"release_months": 10.5},
        "offer P@L@10 supplies first 12 months from 2027Q1 (transfer 0, filing 0, release 10.5 "
        "months), after the last period 2027Q4",
    ),
    "validation": (
        {},
        {"changeover_days": 5.0},
        {"qualified": False, "ppq_batches": 3, "days_per_batch": 19.0},
        "the 3 validation batches of offer P@L@10 take 62 days, line L offers 60 in 2027Q1",
    ),
    "one batch": (
        {},
        {"changeover_days": 5.0},
        {"days_per_batch": 56.0},
        "a batch of offer P@L@10 takes 56 days and 5 for changeover, line L offers at most 60 in "
        "a period",
    ),
    "below the line's window": (
        {},
        {"batch_min": 20.0, "batch_max": 40.0},
        {},
        "offer P@L@10 has batches of 10 kg, line L takes 20 to 40 kg",
    ),
    "above the registered range": (
        {"batch_min": 2.0, "batch_max": 8.0},
        {},
        {},
        "offer P@L@10 has batches of 10 kg, the program's registered batch is 2 to 8 kg",
    ),
    "above the registered maximum": (
        {"batch_max": 8.0},
        {},
        {},
        "offer P@L@10 has batches of 10 kg, the program's registered batch is up to 8 kg",
    ),
    "below the registered minimum": (
        {"batch_min": 12.0},
        {},
        {},
        "offer P@L@10 has batches of 10 kg, the program's registered batch is 12 kg or more",
    ),
}


@pytest.mark.parametrize("name", ONE_REASON)
def test_each_reason_alone(name: str) -> None:
    ours, theirs, quote, reason = ONE_REASON[name]
    result = of(ours, theirs, quote)
    assert result.offers == ()
    assert result.reasons("P", "L") == (reason,)
    assert result.offer_reasons("P@L@10") == (reason,)


@pytest.mark.parametrize(
    ("ours", "theirs", "quote"),
    [
        ({}, {"molecule_types": ("small_molecule",), "stages": ("commercial",)}, {}),
        ({"max_oeb": 4}, {"max_oeb": 4}, {}),
        ({"max_oeb": None}, {"max_oeb": 4}, {}),
        ({"max_oeb": 6}, {"max_oeb": None}, {}),
        ({"controlled_schedule": "II"}, {"controlled_schedules": ("I", "II")}, {}),
        ({"cold_chain": True}, {"cold_chain": True}, {}),
        ({}, {"cold_chain": True, "controlled_schedules": ("I",)}, {}),
        ({"batch_min": 10.0, "batch_max": 10.0}, {"batch_min": 10.0, "batch_max": 10.0}, {}),
        ({}, {}, {"qualified": False, "transfer_months_mode": 9.0}),
        ({}, {}, {"qualified": True, "transfer_months_mode": 90.0, "ppq_batches": 99}),
        ({}, {}, {"release_months": 10.4}),
        ({}, {"changeover_days": 5.0}, {"days_per_batch": 55.0}),
        ({}, {"days": (0.0, 0.0, 0.0, 2.0)}, {}),
        (
            {},
            {"changeover_days": 3.0},
            {"qualified": False, "ppq_batches": 3, "days_per_batch": 19},
        ),
        ({}, {"days": (0.0,) * 4, "expansion_days": 2.0, "expansion_months": 9.0}, {}),
    ],
)
def test_at_the_limit_it_still_works(
    ours: dict[str, object], theirs: dict[str, object], quote: dict[str, object]
) -> None:
    assert of(ours, theirs, quote).offers == ("P@L@10",)


def test_days_count_only_while_the_offer_can_use_them() -> None:
    early = {"days": (60.0, 60.0, 0.0, 0.0)}
    transfer = {"qualified": False, "transfer_months_mode": 6.0}
    assert of({}, early).offers
    (reason,) = of({}, early, transfer).reasons("P", "L")
    assert reason.startswith("a batch of offer P@L@10 takes 2 days and 0 for changeover, line L")
    late = {"days": (0.0, 0.0, 0.0, 60.0)}
    assert of({}, late).offers
    (reason,) = of({}, late, {"release_months": 3.0}).reasons("P", "L")
    assert reason.startswith("a batch of offer P@L@10 takes 2 days")


def test_validation_takes_the_days_of_its_own_period() -> None:
    quote = {"qualified": False, "ppq_batches": 2, "transfer_months_mode": 4.0}
    days = {"days": (60.0, 3.0, 60.0, 60.0)}
    (reason,) = of({}, days, quote).reasons("P", "L")
    assert (
        reason == "the 2 validation batches of offer P@L@10 take 4 days, line L offers 3 in 2027Q2"
    )
    assert of({}, days, {**quote, "transfer_months_mode": 3.0}).offers
    with_expansion = {**days, "expansion_days": 1.0, "expansion_months": 3.0}
    assert of({}, with_expansion, quote).offers
    assert not of({}, {**with_expansion, "expansion_months": 4.0}, quote).offers


def test_windows_that_exclude_each_other() -> None:
    result = of({"batch_min": 80.0, "batch_max": 120.0}, {"batch_min": 10.0, "batch_max": 40.0})
    assert result.reasons("P", "L") == (
        "line L takes 10 to 40 kg, the program's registered batch is 80 to 120 kg",
        "offer P@L@10 has batches of 10 kg, the program's registered batch is 80 to 120 kg",
    )


def test_all_reasons_are_given_at_once() -> None:
    result = of(
        {"dosage_form": "vial", "cold_chain": True},
        {"molecule_types": ("mab",)},
        {"qualified": False, "transfer_months_mode": 60.0},
        {"last_inspection": "OAI"},
    )
    assert len(result.reasons("P", "L")) == 5
    assert result.offer_reasons("P@L@10") == result.reasons("P", "L")


@pytest.mark.parametrize(
    ("cmo", "gates", "reason"),
    [
        (
            {"last_inspection": "OAI", "inspection_date": "2026-03-01"},
            Gates(),
            "CMO K's last inspection (2026-03-01) was classed OAI (official action indicated)",
        ),
        (
            {"last_inspection": "OAI"},
            Gates(),
            "CMO K's last inspection was classed OAI (official action indicated)",
        ),
        ({"last_inspection": "OAI"}, Gates(oai=False), None),
        ({"last_inspection": "OAI"}, Gates(waived=("K",)), None),
        ({"last_inspection": "VAI"}, Gates(), None),
        (
            {"critical_findings": 2, "inspection_date": "2025-01-31"},
            Gates(),
            "CMO K has 2 critical findings, inspected 2025-01-31: within 24 months before 2027Q1",
        ),
        ({"critical_findings": 2, "inspection_date": "2024-12-31"}, Gates(), None),
        (
            {"critical_findings": 2},
            Gates(),
            "CMO K has 2 critical findings and no inspection date, so they count as recent",
        ),
        ({"critical_findings": 2}, Gates(waived=("K",)), None),
        ({"critical_findings": 0}, Gates(), None),
        (
            {"scores": {"regulatory": 49.5, "financial": None}},
            Gates(min_scores={"regulatory": 50, "financial": 50}),
            "CMO K scores 49.5 for regulatory, the policy asks for 50",
        ),
        ({"scores": {"regulatory": 50}}, Gates(min_scores={"regulatory": 50}), None),
    ],
)
def test_gates(cmo: dict[str, object], gates: Gates, reason: str | None) -> None:
    result = of(cmo=cmo, gates=gates)
    assert result.reasons("P", "L") == (() if reason is None else (reason,))
    assert result.offers == (("P@L@10",) if reason is None else ())


def test_gates_on_answers_bar_a_cmo_too() -> None:
    base = of().portfolio
    gate = AnswerGate("qa_can_stop_batch", expected=True)
    answers = (Answer("K", "qa_can_stop_batch", False),)
    barred = replace(base, policy=Policy(gates=Gates(diligence=(gate,))), diligence=answers)
    result = eligibility(barred)
    assert result.offers == ()
    assert "gate qa_can_stop_batch" in result.reasons("P", "L")[0]


def test_a_pair_without_an_offer() -> None:
    base = of().portfolio
    bare = eligibility(replace(base, offers={}))
    assert bare.offers == ()
    assert bare.reasons("P", "L") == (
        "offers.csv has no row for P on L, and line L has no rate card "
        "(price_per_batch and days_per_batch)",
    )
    card = replace(base.lines["L"], price_per_batch=1.0, days_per_batch=1.0)
    carded = eligibility(replace(base, offers={}, lines={"L": card}))
    assert carded.reasons("P", "L") == ("there is no offer for P on line L",)


def test_one_offer_that_works_is_enough_for_a_pair() -> None:
    base = of().portfolio
    large = offer("P", "L", offer_id="P@L@20", batch_size=20.0, qualified=True, days_per_batch=99.0)
    result = eligibility(replace(base, offers={**base.offers, large.offer_id: large}))
    assert result.offers == ("P@L@10",)
    assert result.reasons("P", "L") == ()
    assert len(result.offer_reasons("P@L@20")) == 1


def test_offers_stand_by_program_line_and_size() -> None:
    base = of().portfolio
    sizes = [
        offer("P", "L", offer_id=f"P@L@{s}", batch_size=s, qualified=True) for s in (9, 100, 20)
    ]
    result = eligibility(replace(base, offers={o.offer_id: o for o in sizes}))
    assert result.offers == ("P@L@9", "P@L@20", "P@L@100")


def test_months_as_periods() -> None:
    base = of().portfolio
    monthly = replace(base, periods=months(4))
    slow = {"P@L@10": offer("P", "L", transfer_months_mode=2.0, filing_months=1.0)}
    assert eligibility(replace(monthly, offers=slow)).offers == ("P@L@10",)
    late = {"P@L@10": replace(slow["P@L@10"], filing_months=2.0)}
    (reason,) = eligibility(replace(monthly, offers=late)).reasons("P", "L")
    assert "supplies first 4 months from 2027-01" in reason


maybe = st.sampled_from
PROGRAMS = st.builds(
    program,
    st.just("P"),
    st.just(DEMAND),
    dosage_form=maybe(["tablet", "vial"]),
    molecule_type=maybe(["mab", "peptide"]),
    stage=maybe(["phase1", "commercial"]),
    unit=maybe(["kg", "vials"]),
    max_oeb=maybe([None, 1, 5]),
    controlled_schedule=maybe(["", "II"]),
    cold_chain=st.booleans(),
    batch_min=maybe([None, 5.0, 10.0, 20.0]),
    batch_max=maybe([None, 20.0, 40.0]),
)
LINES = st.builds(
    line,
    st.just("L"),
    st.just("K"),
    st.just(4),
    dosage_forms=maybe([("tablet",), ("tablet", "vial")]),
    molecule_types=maybe([(), ("mab",)]),
    stages=maybe([(), ("commercial",)]),
    unit=maybe(["kg", "kg", "vials"]),
    max_oeb=maybe([None, 4]),
    controlled_schedules=maybe([(), ("II",)]),
    cold_chain=st.booleans(),
    batch_min=maybe([1.0, 15.0]),
    batch_max=maybe([16.0, 100.0]),
    days=maybe([(60.0,) * 4, (0.0, 9.0, 0.0, 3.0), (0.0,) * 4]),
    changeover_days=maybe([0.0, 1.0]),
    expansion_days=maybe([0.0, 6.0]),
    expansion_months=maybe([0.0, 6.0]),
)
OFFERS = st.builds(
    offer,
    st.just("P"),
    st.just("L"),
    batch_size=maybe([10.0, 15.0, 20.0, 50.0]),
    days_per_batch=maybe([2.0, 3.0, 30.0]),
    qualified=st.booleans(),
    transfer_months_mode=maybe([0.0, 3.0, 4.0, 30.0]),
    filing_months=maybe([0.0, 4.0]),
    release_months=maybe([0.0, 1.4, 2.0, 30.0]),
    ppq_batches=maybe([0, 3]),
)
CMOS = st.builds(Cmo, st.just("K"), st.just("EU"), last_inspection=maybe(["", "", "OAI"]))


@settings(deadline=None, derandomize=True, max_examples=400)
@given(PROGRAMS, LINES, OFFERS, CMOS)
def test_an_offer_is_eligible_exactly_where_no_reason_stands_against_it(
    p: Program, row: Line, quote: Offer, cmo: Cmo
) -> None:
    tables = portfolio(quarters(4), [p], [cmo], [row], [quote])
    usable = eligibility(tables).offers == (quote.offer_id,)
    against = Eligibility(tables, ()).offer_reasons(quote.offer_id)
    assert usable is (not against), against


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.lists(st.tuples(PROGRAMS, OFFERS), min_size=1, max_size=6), LINES)
def test_the_order_and_company_of_rows_changes_nothing(
    rows: list[tuple[Program, Offer]], row: Line
) -> None:
    programs = [replace(p, program_id=f"P{i}") for i, (p, _) in enumerate(rows)]
    offers = [replace(o, program_id=f"P{i}", offer_id=f"P{i}@L") for i, (_, o) in enumerate(rows)]
    cmo = Cmo("K", "EU")
    alone = [
        found
        for p, o in zip(programs, offers, strict=True)
        for found in eligibility(portfolio(quarters(4), [p], [cmo], [row], [o])).offers
    ]
    together = portfolio(quarters(4), programs[::-1], [cmo], [row], offers[::-1])
    assert eligibility(together).offers == tuple(sorted(alone))
