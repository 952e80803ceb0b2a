"""The field table: every column of every input table, as data.

`fields.csv` beside this file drives reading, checking, templates and `docs/tables.md`. In it `min`
and `max` are limits that belong to the range unless written `>0` or `<1`; a vocabulary is a list
of words, `word=alias=alias`, open where it ends in `...`; the default `by default` stands for the
stated defaults of `allocator/defaults.py`, which depend on the dosage form and the stage.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from allocator.findings import fold

TABLES = (
    "portfolio",
    "cmos",
    "lines",
    "offers",
    "demand",
    "line_days",
    "tiers",
    "chain",
    "diligence",
    "shifts",
    "contracts",
)
REQUIRED_TABLES = ("portfolio", "cmos", "lines")
BY_DEFAULT = "by default"

SCORES = (
    "regulatory",
    "quality_culture",
    "technical_depth",
    "scale_up",
    "tech_transfer",
    "supply_chain",
    "communication",
    "lifecycle",
    "financial",
)


@dataclass(frozen=True, eq=False)
class Field:
    """One column. `low` and `high` bound it; `low_open`, `high_open`: the limit itself is out."""

    table: str
    name: str
    type: str
    unit: str
    required: bool
    default: str
    low: float | None
    high: float | None
    low_open: bool
    high_open: bool
    words: tuple[str, ...]
    aliases: Mapping[str, str]
    open_words: bool
    description: str


@cache
def fields(table: str) -> dict[str, Field]:
    """Columns of a table by name, in the order of the template. KeyError for no such table."""
    return _all()[table]


@cache
def _all() -> dict[str, dict[str, Field]]:
    text = resources.files("allocator").joinpath("fields.csv").read_text(encoding="utf-8")
    tables: dict[str, dict[str, Field]] = {}
    for row in csv.DictReader(text.splitlines()):
        words, aliases, open_words = _vocabulary(row["vocabulary"])
        tables.setdefault(row["table"], {})[row["name"]] = Field(
            table=row["table"],
            name=row["name"],
            type=row["type"],
            unit=row["unit"],
            required=row["required"] == "yes",
            default=row["default"],
            low=_limit(row["min"]),
            high=_limit(row["max"]),
            low_open=row["min"].startswith(">"),
            high_open=row["max"].startswith("<"),
            words=words,
            aliases=aliases,
            open_words=open_words,
            description=row["description"],
        )
    return tables


def _limit(text: str) -> float | None:
    return float(text.lstrip("<>")) if text else None


def _vocabulary(text: str) -> tuple[tuple[str, ...], dict[str, str], bool]:
    """Words, folded word or alias -> word, and whether other words are allowed."""
    entries = [entry.split("=") for entry in text.split(";") if entry and entry != "..."]
    aliases = {fold(word): entry[0] for entry in entries for word in entry}
    return tuple(entry[0] for entry in entries), aliases, text.endswith("...")


def template(table: str, periods: tuple[str, ...] = ()) -> str:
    """Header line of a new table; `periods` are the demand columns of portfolio.csv."""
    return ",".join([*fields(table), *(periods if table == "portfolio" else ())]) + "\n"
