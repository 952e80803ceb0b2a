"""Answers as a reader says them."""

from __future__ import annotations

from allocator.diligence.catalogue import Question
from allocator.portfolio import Answer


def amount(question: Question, value: float) -> str:
    """A number with its unit: `45 days`, `92 percent`."""
    return f"{value:g} {question.unit}".strip()


def answer_words(question: Question, answer: Answer) -> str:
    """`Days to close a deviation: 45 days`."""
    return f"{question.text}: {value_words(question, answer)}"


def value_words(question: Question, answer: Answer) -> str:
    """The answer alone."""
    value = answer.value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return amount(question, value)
    if isinstance(value, str):
        return value
    if question.type == "counts":
        return ", ".join(f"{pair[0]} {pair[1]}" for pair in value) or "none"
    return ", ".join(str(name) for name in value) or "none"
