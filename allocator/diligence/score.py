"""The nine headings of each CMO: its own score, else what its answers make, else missing.

A heading from answers is sum(w x s) / sum(w) over the answered questions of the heading, s the
answer's place between the question's anchors as 0 to 100, w its weight (policy's or the table's).
A question without an answer is left out of both sums: blank is neutral, never zero.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from allocator.diligence.catalogue import NUMBERS, Question, linear, questions
from allocator.fields import SCORES
from allocator.portfolio import Answer, DiligenceSettings, Portfolio

Origin = Literal["own", "diligence", "missing"]
Given = Mapping[str, Answer]


@dataclass(frozen=True)
class Score:
    """One heading of one CMO: 0 to 100, None where nothing is known.

    `origin` is own (cmos.csv), diligence or missing. `answered` and `missing` are the scored
    questions of the heading, `coverage` the answered part of their weight, 0 to 1.
    """

    value: float | None
    origin: Origin
    answered: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    coverage: float = 0.0


def answers_of(portfolio: Portfolio, cmo_id: str) -> Given:
    """The answers of one CMO by question; found by bisection in the sorted answers."""
    start = bisect_left(portfolio.diligence, cmo_id, key=_cmo_id)
    end = bisect_right(portfolio.diligence, cmo_id, lo=start, key=_cmo_id)
    return {answer.question: answer for answer in portfolio.diligence[start:end]}


def _cmo_id(answer: Answer) -> str:
    return answer.cmo_id


def by_cmo(portfolio: Portfolio, answers: Iterable[Answer] | None = None) -> dict[str, Given]:
    """Answers of every CMO of the portfolio by question; of no other CMO."""
    found: dict[str, dict[str, Answer]] = {cmo_id: {} for cmo_id in sorted(portfolio.cmos)}
    for answer in portfolio.diligence if answers is None else answers:
        if answer.cmo_id in found:
            found[answer.cmo_id][answer.question] = answer
    return dict(found)


def headings(
    portfolio: Portfolio, answers: Iterable[Answer] | None = None
) -> dict[str, dict[str, Score]]:
    """Every heading of every CMO with its origin; `answers` default to the portfolio's."""
    return {
        cmo_id: headings_of(portfolio, cmo_id, given)
        for cmo_id, given in by_cmo(portfolio, answers).items()
    }


def headings_of(portfolio: Portfolio, cmo_id: str, given: Given | None = None) -> dict[str, Score]:
    """Every heading of one CMO; `given` are its answers, by default the portfolio's."""
    own, settings = portfolio.cmos[cmo_id].scores, portfolio.policy.diligence
    known = answers_of(portfolio, cmo_id) if given is None else given
    return {heading: _score(heading, own.get(heading), known, settings) for heading in SCORES}


def effective_scores(portfolio: Portfolio) -> dict[str, dict[str, float | None]]:
    """The value of every heading of every CMO; None is missing, and neutral."""
    return {
        cmo_id: {heading: score.value for heading, score in scores.items()}
        for cmo_id, scores in headings(portfolio).items()
    }


def _score(heading: str, own: float | None, given: Given, settings: DiligenceSettings) -> Score:
    asked = scored_under(heading)
    answered = tuple(q.question for q in asked if q.question in given)
    missing = tuple(q.question for q in asked if q.question not in given)
    whole = sum(weight_of(q, settings) for q in asked)
    covered = sum(weight_of(q, settings) for q in asked if q.question in given)
    coverage = covered / whole if whole > 0 else 0.0
    if own is not None:
        return Score(own, "own", answered, missing, coverage)
    value = weighted_mean(
        (weight_of(q, settings), answer_score(q, given[q.question]))
        for q in asked
        if q.question in given
    )
    return Score(value, "missing" if value is None else "diligence", answered, missing, coverage)


@cache
def scored_under(heading: str) -> tuple[Question, ...]:
    """Scored questions of a heading, in the order of the table."""
    return tuple(q for q in questions().values() if q.heading == heading and q.scored)


def weight_of(question: Question, settings: DiligenceSettings) -> float:
    """Weight of a question: the policy's, else the table's."""
    return settings.weights.get(question.question, question.weight)


def weighted_mean(pairs: Iterable[tuple[float, float]]) -> float | None:
    """Mean of (weight, value) pairs; None where the weights add up to nothing."""
    kept = list(pairs)
    whole = sum(weight for weight, _ in kept)
    return sum(weight * value for weight, value in kept) / whole if whole > 0 else None


def answer_score(question: Question, answer: Answer) -> float:
    """Score 0 to 100 of an answer to a scored question.

    Counts by kind take the kind with the most: of a CMO as such the depth counts, not the breadth.
    Raises ValueError where the answer does not fit the question's type.
    """
    value = answer.value
    less = question.direction == "less"
    if question.type == "yes_no" and isinstance(value, bool):
        return 100.0 if value is not less else 0.0
    if question.type == "class" and isinstance(value, str):
        return question.words[value]
    if question.type == "counts" and isinstance(value, tuple):
        return count_score(question, max((int(pair[1]) for pair in value), default=0))
    if question.type in NUMBERS and isinstance(value, float):
        return count_score(question, value)
    raise ValueError(f"{question.question}: {value!r} is no answer to it")


def count_score(question: Question, value: float) -> float:
    """Score of a number by the anchors of its question."""
    if question.low is None or question.high is None:
        raise ValueError(f"{question.question} has no anchors")
    return linear(value, question.low, question.high, question.direction == "less")
