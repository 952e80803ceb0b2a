"""Actions that bring line-days: expansions to sign and surge to agree, line by line."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from allocator.calendar import month_label
from allocator.growth.bottleneck import days_to_use

if TYPE_CHECKING:
    from allocator.growth.case import Case
    from allocator.plan_detail import Detail
    from allocator.portfolio import Portfolio
    from models.problem import Floats

#: Line-days from which surge counts.
COUNTS = 1e-6


def month_of(portfolio: Portfolio, months: float) -> str:
    """Calendar month so many months after the start of the first period."""
    return month_label(portfolio.periods[0].first_month, months)


def action(what: str, id_: str, portfolio: Portfolio, latest: str) -> dict[str, Any]:
    """A row of the action list with nothing more said: new, free of charge, of no line."""
    return {
        "what": what,
        "id": id_,
        "cmo_id": None,
        "program_id": None,
        "line_id": None,
        "planned": month_of(portfolio, 0.0),
        "latest": latest,
        "months": None,
        "cost": None,
        "new": True,
        "assumed": False,
    }


def extra_days(case: Case, portfolio: Portfolio, spelt: Detail) -> list[dict[str, Any]]:
    """Expansions to sign, and surge to agree where the days of both are needed."""
    return [*_expansions(case, portfolio, spelt), *_surges(case, portfolio, spelt)]


def _expansions(case: Case, portfolio: Portfolio, spelt: Detail) -> list[dict[str, Any]]:
    """Expansions to sign: so many months before the first period that needs the days."""
    months = portfolio.periods[0].months
    rows = []
    for line in np.flatnonzero(spelt.decision.expanded).tolist():
        row = portfolio.lines[spelt.problem.lines.ids[line]]
        starts = max(0.0, _needed_from(spelt, line) * months - row.expansion_months)
        what = f"sign the expansion of {row.expansion_days:g} line-days a period"
        rows.append(
            action(what, row.line_id, portfolio, month_of(portfolio, starts))
            | {
                "cmo_id": row.cmo_id,
                "line_id": row.line_id,
                "months": row.expansion_months,
                "cost": row.expansion_cost,
                "new": not bool(case.decision.expanded[line]),
            }
        )
    return rows


def _needed_from(spelt: Detail, line: int) -> int:
    """The first period in which days and surge do not do without the expansion."""
    lines = spelt.problem.lines
    over = np.flatnonzero(spelt.value.used_days[line] > lines.days[line] * (1 + 1e-9) + COUNTS)
    return int(over[0]) if len(over) else int(lines.expansion_period[line])


def _surges(case: Case, portfolio: Portfolio, spelt: Detail) -> list[dict[str, Any]]:
    """Surge to agree before the first period whose own and expanded days are too few."""
    surge = surge_days(case, spelt)
    labels, months = spelt.problem.period_labels, portfolio.periods[0].months
    rows = []
    for line in np.flatnonzero((surge > COUNTS).any(1)).tolist():
        when = np.flatnonzero(surge[line] > COUNTS).tolist()
        row = portfolio.lines[spelt.problem.lines.ids[line]]
        what = f"agree surge of up to {surge[line].max():.4g} line-days a period"
        latest = month_of(portfolio, float(when[0] * months))
        rows.append(
            action(what, row.line_id, portfolio, latest)
            | {
                "cmo_id": row.cmo_id,
                "line_id": row.line_id,
                "line_days": {labels[t]: float(surge[line, t]) for t in when},
            }
        )
    return rows


def surge_days(case: Case, spelt: Detail) -> Floats:
    """Line-days used above those offered and expanded, (L, T); expansions once they are needed."""
    problem = spelt.problem
    first = [_needed_from(spelt, line) for line in range(len(problem.lines.ids))]
    own = replace(
        problem,
        lines=replace(
            problem.lines,
            days=case.compiled.problem.lines.days,
            expansion_period=np.maximum(problem.lines.expansion_period, first),
        ),
    )
    surge: Floats = np.maximum(0.0, spelt.value.used_days - days_to_use(own, spelt.decision))
    return surge
