"""What a sensitivity analysis reports, and its two files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from allocator.assumed.doubts import Doubt
from allocator.assumed.resolving import Resolved
from allocator.assumed.screening import Screened
from allocator.files import write_json, write_table

SCHEMA = "allocator-sensitivity/1"
JSON_FILE, TABLE_FILE = "sensitivity.json", "sensitivity.csv"
COLUMNS = (
    "rank",
    "figure",
    "of",
    "value",
    "assumed",
    "side",
    "to",
    "plan_holds",
    "cost_change",
    "promise",
    "verdict",
    "saving",
    "awards",
)


@dataclass(frozen=True)
class Finding:
    """One side of one assumption: screened, and solved again where it ranked high enough."""

    doubt: Doubt
    side: str
    screened: Screened
    resolved: Resolved | None

    @property
    def to(self) -> str:
        """The figure at this side of its range."""
        return self.doubt.sides[self.side][0]

    @property
    def verdict(self) -> str:
        """`flips`, `stands` or `open` where it was solved again, else `screened`."""
        return self.resolved.verdict if self.resolved else "screened"

    def row(self, rank: int) -> dict[str, Any]:
        """One row of the table; numbers that do not exist are None."""
        done, screened = self.resolved, self.screened
        moved = [award.program_id for award in done.awards if award.flips] if done else []
        return {
            "rank": rank,
            "figure": self.doubt.column,
            "of": self.doubt.of,
            "value": self.doubt.value,
            "assumed": self.doubt.assumed,
            "side": self.side,
            "to": self.to,
            "plan_holds": screened.plan_holds,
            "cost_change": screened.cost_change,
            "promise": screened.promise if isfinite(screened.promise) else None,
            "verdict": self.verdict,
            "saving": done.saving if done else None,
            "awards": " ".join(moved),
        }


@dataclass(frozen=True)
class SensitivityReport:
    """Every side of every assumption, the ones most worth asking about first.

    `slack` is the money by which the run's plan may fall short of the best: no difference up to it
    counts as a flip.
    """

    folder: Path
    currency: str
    objective: float
    slack: float
    solver: str
    top: int
    findings: tuple[Finding, ...]

    @property
    def flips(self) -> tuple[Finding, ...]:
        """The sides at which some award flips."""
        return tuple(one for one in self.findings if one.verdict == "flips")

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows of sensitivity.csv."""
        for rank, finding in enumerate(self.findings, 1):
            yield finding.row(rank)

    def content(self) -> dict[str, Any]:
        """The content of sensitivity.json."""
        return {
            "schema": SCHEMA,
            "currency": self.currency,
            "objective": self.objective,
            "slack": self.slack,
            "solver": self.solver,
            "top": self.top,
            "assumptions": [
                {
                    **finding.row(rank),
                    "awards_exist": finding.screened.awards_exist,
                    "awards": [asdict(award) for award in finding.resolved.awards]
                    if finding.resolved
                    else [],
                    "solved": _solved(finding.resolved),
                }
                for rank, finding in enumerate(self.findings, 1)
            ],
        }


def _solved(resolved: Resolved | None) -> dict[str, Any] | None:
    if resolved is None:
        return None
    names = ("objective", "bound", "kept_objective", "kept_bound", "saving", "proven", "slack")
    return {name: getattr(resolved, name) for name in names}


def write_report(report: SensitivityReport, folder: Path) -> None:
    """Write sensitivity.json and sensitivity.csv into a folder, made where there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / TABLE_FILE, COLUMNS, report.rows())
    write_json(folder / JSON_FILE, report.content())
