"""One cell of a table: from text to a typed value, or the problem and its remedy."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from allocator.fields import Field
from allocator.findings import closest, did_you_mean, fold

YES = frozenset({"yes", "true", "1", "y", "t"})
NO = frozenset({"no", "false", "0", "n", "f"})
THOUSANDS = re.compile(r"[+-]?\d{1,3}([,.' \u00a0\u202f]\d{3})+([.,]\d+)?$")
SAME_WORD = 0.85
"""So much alike, a word of an open vocabulary is taken for a misspelt usual one."""

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$")
REWRITTEN = re.compile(r"\d+(\.\d+)?[eE]\+\d+$")
QUARTER = re.compile(r"(\d{4})[Qq]([1-4])$")
MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])$")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a cell, and what to do."""

    what: str
    remedy: str
    warning: bool = False


Value = str | float | int | bool | tuple[str, ...] | None
Parsed = tuple[Value, Problem | None]


def parse(field: Field, text: str) -> Parsed:
    """Value of a cell that is not blank; with an error the value is None."""
    return PARSERS[field.type](field, text)


def _number(field: Field, text: str) -> Parsed:
    give = f"give {field.unit or 'a number'}"
    if not NUMBER.match(text):
        return None, _no_number(text, give)
    value = float(text)
    if not math.isfinite(value):
        return None, Problem(f"{text} is not finite", give)
    if field.low is not None and (value < field.low or (field.low_open and value == field.low)):
        below = "is not above" if field.low_open else "is below"
        return None, Problem(f"{text} {below} {field.low:g}", give)
    if field.high is not None and (value > field.high or (field.high_open and value == field.high)):
        above = "is not below" if field.high_open else "is above"
        return None, Problem(f"{text} {above} {field.high:g}", give)
    return value, None


def _no_number(text: str, give: str) -> Problem:
    """Why a text is no number, and how to write it."""
    folded = text.strip("+-").casefold()
    if folded in ("nan", "inf", "infinity", "#n/a", "n/a", "na", "-", "null", "none"):
        return Problem(f"{text!r} is not a finite number", f"{give}, or leave it blank")
    if text.endswith("%") and NUMBER.match(text[:-1].strip()):
        share = float(text[:-1]) / 100
        return Problem(f"{text!r} has a percent sign", f"write {share:g}")
    if THOUSANDS.match(text):
        plain = _plain(text)
        return Problem(f"{text!r} has a thousands separator", f"write {plain}")
    if re.match(r"[+-]?\d+,\d+$", text):
        return Problem(f"{text!r} has a decimal comma", f"write {text.replace(',', '.')}")
    if re.match(r"\D{1,3}\s*[\d.,]+$|[\d.,]+\s*\D{1,4}$", text):
        digits = re.sub(r"[^\d.,]", "", text)
        return Problem(f"{text!r} carries a unit or currency", f"write {digits} alone")
    return Problem(f"{text!r} is not a number", give)


def _plain(text: str) -> str:
    """A number without its thousands separators: the last of , and . is the decimal sign."""
    first = re.search(r"[,.' \u00a0\u202f]", text)
    separator = first.group() if first else ","
    return text.replace(separator, "").replace(",", ".")


def _integer(field: Field, text: str) -> Parsed:
    value, problem = _number(field, text)
    if problem is not None or not isinstance(value, float):
        return None, problem
    if value != math.floor(value):
        return None, Problem(
            f"{text} is not a whole number", f"give {field.unit or 'a whole number'}"
        )
    return int(value), None


def _boolean(_: Field, text: str) -> Parsed:
    folded = text.casefold()
    if folded in YES:
        return True, None
    if folded in NO:
        return False, None
    return None, Problem(f"{text!r} is neither yes nor no", "write yes or no")


def _date(_: Field, text: str) -> Parsed:
    try:
        if not re.match(r"\d{4}-\d{2}-\d{2}$", text):
            raise ValueError
        datetime.date.fromisoformat(text)
    except ValueError:
        return None, Problem(f"{text!r} is not a date", "write YYYY-MM-DD, such as 2027-03-31")
    return text, None


def _period(_: Field, text: str) -> Parsed:
    label = period_label(text)
    if label is None:
        return None, Problem(f"{text!r} is not a period", "write it like 2027Q1 or 2027-01")
    return label, None


def period_label(text: str) -> str | None:
    """The label of a period as the program writes it; None where the text is no period."""
    return text.upper() if QUARTER.match(text) or MONTH.match(text) else None


def _id(_: Field, text: str) -> Parsed:
    if ";" in text or any(ord(c) < 32 for c in text):
        return None, Problem(f"{text!r} holds a semicolon or a control character", "rename it")
    if REWRITTEN.match(text):
        return text, Problem(
            f"{text!r} looks like an id that Excel has rewritten as a number",
            "format the column as text in Excel and enter the id again",
            warning=True,
        )
    return text, None


def _text(_: Field, text: str) -> Parsed:
    return text, None


def _list(_: Field, text: str) -> Parsed:
    return tuple(dict.fromkeys(part.strip() for part in text.split(";") if part.strip())), None


def _word(field: Field, text: str) -> Parsed:
    """A word of the vocabulary, in any case; an open one takes others too, in snake case."""
    known = field.aliases.get(fold(text))
    if known is not None:
        return known, None
    if field.open_words:
        near = closest(text, field.words, SAME_WORD)
        word = "_".join(text.casefold().replace("-", " ").replace("_", " ").split())
        if near is None or len(text) < 4:
            return word, None
        return word, Problem(
            f"{text!r} is not one of the usual words",
            f"did you mean {near!r}? otherwise leave it",
            warning=True,
        )
    return None, Problem(
        f"{text!r} is not known",
        did_you_mean(text, field.words, f"use one of {', '.join(field.words)}"),
    )


def _words(field: Field, text: str) -> Parsed:
    words: list[str] = []
    problem = None
    for part in text.split(";"):
        if part.strip():
            value, found = _word(field, part.strip())
            problem = problem if problem is not None and not problem.warning else found or problem
            if isinstance(value, str):
                words.append(value)
    if problem is not None and not problem.warning:
        return None, problem
    return tuple(dict.fromkeys(words)), problem


PARSERS: dict[str, Callable[[Field, str], Parsed]] = {
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "date": _date,
    "period": _period,
    "id": _id,
    "text": _text,
    "list": _list,
    "word": _word,
    "words": _words,
}
