"""Problems found in the input, each with its place, what it is and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem. `row` is the line number in the file, `column` the column's name or key."""

    file: str
    row: int | None
    column: str
    what: str
    remedy: str
    severity: Severity = "error"

    def __str__(self) -> str:
        """One line: `offers.csv:17 days_per_batch: -3 is below 0; give line-days per batch`."""
        place = self.file if self.row is None else f"{self.file}:{self.row}"
        column = f" {self.column}" if self.column else ""
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{place}{column}: {self.what}{remedy}"


def errors(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that stop a run."""
    return tuple(finding for finding in findings if finding.severity == "error")


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Errors before warnings, then by file, row and column; each said once."""
    return tuple(
        sorted(
            dict.fromkeys(findings),
            key=lambda f: (f.severity != "error", f.file, f.row or 0, f.column, f.what),
        )
    )


def closest(word: str, words: Iterable[str], cutoff: float = 0.7) -> str | None:
    """The word meant by a misspelt one, if any is at least `cutoff` alike (0 to 1)."""
    known = {fold(candidate): candidate for candidate in words}
    folded = fold(word)
    if folded in known:
        return known[folded]
    near = difflib.get_close_matches(folded, list(known), n=1, cutoff=cutoff)
    return known[near[0]] if near else None


def did_you_mean(word: str, words: Iterable[str], otherwise: str) -> str:
    """A remedy naming the word meant, or else what `otherwise` says."""
    near = closest(word, words)
    return f"did you mean {near!r}?" if near is not None else otherwise


def fold(word: str) -> str:
    """A word without case, spaces, hyphens and underscores, for comparison."""
    return "".join(word.casefold().replace("-", " ").replace("_", " ").split())


def number(value: float) -> str:
    """A quantity or amount in a message: 1,250,000, 12.5, never 1.25e+06."""
    if abs(value) >= 1e5 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.5g}"
