"""Rules about lines: their days, validation runs and expansions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from allocator.audit.case import Case
from allocator.audit.load import Row
from allocator.audit.report import ABSOLUTE, same

Faults = Iterator[tuple[str, str]]


def line_days(case: Case) -> Faults:
    """The batches, changeovers and validation runs of a line fit in its days of the period."""
    for (line_id, t), use in case.line_use.items():
        days, used = case.offered_days(line_id, t), sum(use.values())
        if used > days * (1.0 + 1e-9) + ABSOLUTE:
            yield f"{line_id} {case.facts.labels[t]}", f"{used:g} of {days:g} days are used"
    for where, line_id, t, row in _rows(case):
        use = case.line_use[line_id, t]
        used = sum(use.values())
        due = {
            "offered_days": case.portfolio.lines[line_id].days[t],
            "batch_days": use["batch_days"],
            "used_days": used,
            "free_days": case.offered_days(line_id, t) - used,
        }
        yield from _unlike(where, row, due)
    for where, line_id, t, days_stated in _days(case):
        used = sum(case.line_use[line_id, t].values())
        offered = case.offered_days(line_id, t)
        due = {"offered": offered, "used": used, "free": offered - used}
        yield from _unlike(where, days_stated, due)


def _rows(case: Case) -> Iterator[tuple[str, str, int, Row]]:
    """Rows of utilisation.csv of known lines and periods."""
    for row in case.table("utilisation"):
        t = case.facts.period(row["period"])
        if t is not None and row["line_id"] in case.portfolio.lines:
            yield f"{row['line_id']} {row['period']}", row["line_id"], t, row


def _days(case: Case) -> Iterator[tuple[str, str, int, dict[str, Any]]]:
    """What plan.json says of the days of each known line and period."""
    for entry in case.plan["lines"]:
        if entry["line_id"] not in case.portfolio.lines:
            continue
        for label, days in entry["days"].items():
            t = case.facts.period(label)
            if t is not None:
                yield f"{entry['line_id']} {label}", entry["line_id"], t, days


def _unlike(where: str, stated: dict[str, Any], due: dict[str, float]) -> Faults:
    scale = max(map(abs, due.values()))
    for key, days in due.items():
        if not same(stated[key], days, scale):
            yield f"{where} {key}", f"{stated[key]:g} days are stated, {days:g} are right"


def validation(case: Case) -> Faults:
    """A source that is not yet qualified validates on its line before it supplies."""
    for where, line_id, t, row in _rows(case):
        due = {"validation_days": case.line_use[line_id, t]["validation_days"]}
        yield from _unlike(where, row, due)


def changeover(case: Case) -> Faults:
    """Every campaign changes the line over."""
    for where, line_id, t, row in _rows(case):
        due = {"changeover_days": case.line_use[line_id, t]["changeover_days"]}
        yield from _unlike(where, row, due)


def expansion(case: Case) -> Faults:
    """The days of an expansion are there only where it is bought, and once it is built."""
    for where, line_id, t, row in _rows(case):
        yield from _unlike(where, row, {"expansion_days": case.expansion_days(line_id, t)})


RULES = (line_days, validation, changeover, expansion)
