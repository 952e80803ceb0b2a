"""Headings: own score first, then the weighted mean of the answers; a blank is never a zero."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.diligence import effective_scores, headings, headings_of
from allocator.diligence.catalogue import questions
from allocator.diligence.score import answer_score, answers_of, count_score
from allocator.fields import SCORES
from allocator.portfolio import Answer, Cmo, DiligenceSettings, Policy
from tests.allocator.portfolios import line, portfolio, program, quarters


def make(answers=(), scores=None, policy=None):
    """One program, CMOs K1 and K2; `answers` are (cmo, question, value)."""
    rows = tuple(Answer(*a, as_of="2026-09-01") for a in sorted(answers))
    base = portfolio(
        quarters(2),
        [program("P", (10.0, 10.0), route="oral")],
        [Cmo("K1", "EU", scores=scores or {}), Cmo("K2", "US")],
        [line("L1", "K1", 2)],
        [],
        policy,
    )
    return replace(base, diligence=rows)


def test_a_heading_is_the_weighted_mean_of_its_answered_questions():
    found = headings_of(
        make(
            [
                ("K1", "qa_can_stop_batch", True),  # 100, weight 3
                ("K1", "deviation_days", 75.0),  # 25, weight 2
            ]
        ),
        "K1",
    )["quality_culture"]
    assert found.value == pytest.approx((3 * 100 + 2 * 25) / 5)
    assert found.origin == "diligence"
    assert found.answered == ("qa_can_stop_batch", "deviation_days")
    assert found.missing == ("capa_in_time",)
    assert found.coverage == pytest.approx(5 / 7)


def test_blanks_are_missing_and_not_zero():
    scores = effective_scores(make([("K1", "qa_can_stop_batch", True)]))
    assert scores["K1"]["quality_culture"] == 100
    assert [h for h in SCORES if scores["K1"][h] is not None] == ["quality_culture"]
    assert set(scores["K2"].values()) == {None}
    assert headings(make())["K1"]["financial"].origin == "missing"


def test_the_scorecard_stands_over_the_answers():
    found = headings(make([("K1", "qa_can_stop_batch", False)], {"quality_culture": 66.0}))
    assert found["K1"]["quality_culture"].value == 66
    assert found["K1"]["quality_culture"].origin == "own"
    assert found["K1"]["quality_culture"].answered == ("qa_can_stop_batch",)


def test_a_score_of_zero_is_a_score():
    found = headings(make([("K1", "qa_can_stop_batch", True)], {"quality_culture": 0.0}))
    assert found["K1"]["quality_culture"].value == 0


def test_the_policy_weighs_questions():
    answers = [("K1", "qa_can_stop_batch", True), ("K1", "deviation_days", 75.0)]
    weights = {"deviation_days": 9.0}
    policy = Policy(diligence=DiligenceSettings(weights=weights))
    assert effective_scores(make(answers, policy=policy))["K1"]["quality_culture"] == pytest.approx(
        (3 * 100 + 9 * 25) / 12
    )
    none = Policy(diligence=DiligenceSettings(weights=dict.fromkeys(questions(), 0.0)))
    found = headings_of(make(answers, policy=none), "K1")["quality_culture"]
    assert (found.value, found.origin, found.coverage) == (None, "missing", 0.0)


@pytest.mark.parametrize(
    ("question", "value", "score"),
    [
        ("critical_findings_fda", 0.0, 100),
        ("critical_findings_fda", 1.0, 50),
        ("critical_findings_fda", 9.0, 0),
        ("last_inspection_class", "VAI", 60),
        ("capa_in_time", 85.0, 50),
        ("products_dosage_form", (("capsule", 2), ("tablet", 6)), 75),
        ("products_dosage_form", (), 0),
        ("accounts_seen", False, 0),
        ("current_ratio", 1.4, 50),
    ],
)
def test_each_type_has_its_score(question, value, score):
    assert answer_score(questions()[question], Answer("K", question, value)) == pytest.approx(score)


def test_an_answer_of_another_type_is_refused():
    with pytest.raises(ValueError, match="capa_in_time: True is no answer"):
        answer_score(questions()["capa_in_time"], Answer("K", "capa_in_time", True))
    with pytest.raises(ValueError, match="no anchors"):
        count_score(questions()["accounts_seen"], 1.0)


def test_answers_of_a_cmo_that_is_not_there_count_nowhere():
    made = make([("K1", "accounts_seen", True), ("K9", "accounts_seen", True)])
    assert set(headings(made)) == {"K1", "K2"}
    assert answers_of(made, "K2") == {}
    assert set(answers_of(made, "K1")) == {"accounts_seen"}


numbers = {q.question: q for q in questions().values() if q.low is not None and q.type != "counts"}


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    st.dictionaries(st.sampled_from(sorted(numbers)), st.floats(0, 100), min_size=1),
    st.data(),
)
def test_a_better_answer_never_lowers_a_heading(values, data):
    name = data.draw(st.sampled_from(sorted(values)))
    step = data.draw(st.floats(0, 50))
    better = dict(values)
    better[name] = max(0.0, values[name] + (step if numbers[name].direction == "more" else -step))
    one, other = (
        effective_scores(make([("K1", q, v) for q, v in given.items()]))["K1"]
        for given in (values, better)
    )
    for heading in SCORES:
        if one[heading] is None:
            assert other[heading] is None
        else:
            assert 0 <= one[heading] <= other[heading] + 1e-9 <= 100 + 1e-9
