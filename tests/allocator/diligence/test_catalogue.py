"""The table of questions is whole: every row can be asked, typed, scored and explained."""

import pytest

from allocator.diligence.catalogue import ASPECTS, LIMITS, NUMBERS, linear, questions, vocabulary
from allocator.fields import SCORES

TYPES = {*NUMBERS, "yes_no", "class", "counts", "list", "text"}


@pytest.mark.parametrize("question", questions().values(), ids=lambda q: q.question)
def test_every_question_can_be_asked_and_scored(question):
    assert question.type in TYPES
    assert question.heading in SCORES
    assert question.text
    assert question.ask
    assert question.why
    assert question.direction in ("more", "less", "none")
    assert question.scored == (question.weight > 0)
    anchored = question.type in (*NUMBERS, "counts")
    assert anchored == (question.low is not None)
    assert anchored == (question.high is not None)
    if anchored:
        assert question.low < question.high
        assert question.unit
    if question.type == "class":
        assert max(question.words.values()) == 100
        assert min(question.words.values()) == 0
    if question.type == "counts":
        assert question.column == ASPECTS[question.question]
        assert vocabulary(question.column)


def test_every_heading_has_scored_questions():
    assert {q.heading for q in questions().values() if q.scored} == set(SCORES)


def test_the_questions_that_must_be_there():
    needed = {
        *(f"critical_findings_{agency}" for agency in ("fda", "ema", "mhra")),
        *("last_inspection_class", "audit_answers_in_time", "qa_can_stop_batch", "deviation_days"),
        *("capa_in_time", *ASPECTS, "names_its_limits", LIMITS, "largest_similar_batch"),
        *("reserved_growth_days", "growth_terms", "months_to_double", "extra_shifts"),
        *("in_house_process_development", "in_house_analytics", "written_transfer_protocol"),
        *("transfers_done", "transfers_in_time", "critical_materials_two_suppliers"),
        *("strategic_stock_months", "exposure_watched", "past_disruptions", "disruption_actions"),
        *("project_manager", "update_days", "early_warnings", "ppq_campaigns"),
        *("process_optimisation", "post_approval_changes", "accounts_seen", "current_ratio"),
        *("plant_investment", "stable_ownership"),
    }
    assert needed <= set(questions())


def test_scores_lie_straight_between_the_anchors():
    assert linear(45, 30, 90, less_is_better=True) == pytest.approx(75)
    assert linear(45, 30, 90, less_is_better=False) == pytest.approx(25)
    assert linear(10, 30, 90, less_is_better=True) == 100
    assert linear(200, 30, 90, less_is_better=True) == 0
