"""Readiness of a CMO from questions and answers: headings, gates, experience and cards.

docs/diligence.md is the page for it.
"""

from allocator.diligence.card import Card, cards
from allocator.diligence.catalogue import Question, questions
from allocator.diligence.depth import (
    Experience,
    experience,
    program_scores,
    technical_depth,
)
from allocator.diligence.example import example_rows
from allocator.diligence.gates import answer_reasons
from allocator.diligence.score import Score, effective_scores, headings, headings_of

__all__ = [
    "Card",
    "Experience",
    "Question",
    "Score",
    "answer_reasons",
    "cards",
    "effective_scores",
    "example_rows",
    "experience",
    "headings",
    "headings_of",
    "program_scores",
    "questions",
    "technical_depth",
]
