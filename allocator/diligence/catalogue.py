"""The table of questions: what is asked of a CMO, under which heading it counts, and why.

`questions.csv` beside this file drives reading, checking, headings, cards and gates. `low` and
`high` are the anchors of the score, `direction` says which of them is the good end, and a question
of direction `none` is read by people and not scored. The words of a class carry their score:
`NAI=100;VAI=60`.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from allocator.fields import fields

#: Types whose answer is one number of the question's unit.
NUMBERS = ("count", "percent", "days", "months", "ratio")

#: Question on products made -> attribute of the program whose own kind counts.
ASPECTS = {
    "products_dosage_form": "dosage_form",
    "products_route": "route",
    "products_molecule_type": "molecule_type",
    "products_stage": "stage",
}

#: The question whose answer lists what a CMO would not take on.
LIMITS = "expertise_ends"


@dataclass(frozen=True)
class Question:
    """One question. `low` and `high` are anchors in `unit`, None where no number is scored.

    `words` maps the words of a class to their score 0 to 100. `column` names the column of
    portfolio.csv whose vocabulary the names of a `counts` answer come from.
    """

    question: str
    text: str
    type: str
    unit: str
    heading: str
    direction: str
    low: float | None
    high: float | None
    words: Mapping[str, float]
    column: str
    weight: float
    ask: str
    why: str

    @property
    def scored(self) -> bool:
        """Whether an answer counts in its heading."""
        return self.direction != "none"


@cache
def questions() -> Mapping[str, Question]:
    """All questions by id, in the order of the table."""
    path = resources.files("allocator.diligence").joinpath("questions.csv")
    rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    return {row["question"]: _question(row) for row in rows}


def _question(row: Mapping[str, str]) -> Question:
    is_class = row["type"] == "class"
    pairs = [word.split("=") for word in row["words"].split(";") if is_class]
    return Question(
        question=row["question"],
        text=row["text"],
        type=row["type"],
        unit=row["unit"],
        heading=row["heading"],
        direction=row["direction"],
        low=float(row["low"]) if row["low"] else None,
        high=float(row["high"]) if row["high"] else None,
        words={word: float(score) for word, score in pairs},
        column="" if is_class else row["words"],
        weight=float(row["weight"]),
        ask=row["ask"],
        why=row["why"],
    )


def vocabulary(column: str) -> tuple[tuple[str, ...], bool]:
    """Words of a column of portfolio.csv, and whether others are allowed too."""
    field = fields("portfolio")[column]
    return field.words, field.open_words or field.type == "text"


def linear(value: float, low: float, high: float, less_is_better: bool) -> float:
    """Score 0 to 100 of a number between its anchors; beyond them it stays at the end."""
    share = min(1.0, max(0.0, (value - low) / (high - low)))
    return 100.0 * (1.0 - share if less_is_better else share)
