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
from allocator.diligence.gates import gate_reasons
from allocator.diligence.score import Score, effective_scores, headings

__all__ = [
    "Card",
    "Experience",
    "Question",
    "Score",
    "cards",
    "effective_scores",
    "example_rows",
    "experience",
    "gate_reasons",
    "headings",
    "program_scores",
    "questions",
    "technical_depth",
]
