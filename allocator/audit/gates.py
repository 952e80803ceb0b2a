"""The knock-out gates of the policy, worked out from the tables apart from `allocator.gates`."""

from __future__ import annotations

from collections.abc import Iterator

from allocator.audit.facts import Facts
from allocator.diligence.catalogue import Question, questions
from allocator.portfolio import Answer, AnswerGate, Cmo


def gate_obstacles(facts: Facts, cmo: Cmo) -> Iterator[str]:
    """An official action, a recent critical finding, a low score or a wrong answer is a bar."""
    gates = facts.portfolio.policy.gates
    if cmo.cmo_id in gates.waived:
        return
    answers = facts.answers_of[cmo.cmo_id]
    if gates.oai and cmo.last_inspection == "OAI":
        yield f"{cmo.cmo_id} does not pass the gate oai: its last inspection was OAI"
    if (cmo.critical_findings or 0) > 0 and recent(facts, cmo, gates.critical_within_months):
        yield f"{cmo.cmo_id} does not pass the gate on critical findings"
    for heading, least in sorted(gates.min_scores.items()):
        score = heading_score(facts, cmo, heading, answers)
        if score is not None and score < least:
            yield f"{cmo.cmo_id} does not pass the gate {heading}: {score:g} is below {least:g}"
    for gate in gates.diligence:
        if not passes(gate, answers.get(gate.question)):
            yield f"{cmo.cmo_id} does not pass the gate {gate.question}"


def recent(facts: Facts, cmo: Cmo, months: float) -> bool:
    """Whether the last inspection lies within so many months before the horizon; unknown does."""
    if not cmo.inspection_date:
        return True
    year, month = (int(part) for part in cmo.inspection_date.split("-")[:2])
    return facts.portfolio.periods[0].first_month - (12 * year + month - 1) <= months


def heading_score(facts: Facts, cmo: Cmo, heading: str, answers: dict[str, Answer]) -> float | None:
    """A heading's own score, else the weighted mean of its answers, None where there is neither."""
    own = cmo.scores.get(heading)
    if own is not None:
        return own
    total = weights = 0.0
    for question in questions().values():
        if question.heading == heading and question.scored and question.question in answers:
            given = facts.portfolio.policy.diligence.weights
            weight = given.get(question.question, question.weight)
            total += weight * answer_score(question, answers[question.question])
            weights += weight
    return total / weights if weights > 0 else None


def answer_score(question: Question, answer: Answer) -> float:
    """0 to 100 by the anchors of the question; of counts by kind, the largest counts."""
    value = answer.value
    less = question.direction == "less"
    if isinstance(value, bool):
        return 100.0 if value is not less else 0.0
    if isinstance(value, str):
        return question.words[value]
    if isinstance(value, tuple):
        value = max((float(pair[1]) for pair in value), default=0.0)
    low, high = question.low or 0.0, question.high or 0.0
    share = min(1.0, max(0.0, (value - low) / (high - low)))
    return 100.0 * (1.0 - share) if less else 100.0 * share


def passes(gate: AnswerGate, answer: Answer | None) -> bool:
    """Whether an answer passes a gate; none passes unless one is required."""
    if answer is None:
        return not gate.required
    value = answer.value
    if isinstance(value, bool):
        return gate.expected is None or value == gate.expected
    if isinstance(value, int | float):
        low = gate.minimum is None or value >= gate.minimum
        return low and (gate.maximum is None or value <= gate.maximum)
    return not gate.one_of or value in gate.one_of
