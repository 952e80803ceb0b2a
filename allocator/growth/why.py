"""Why a plan runs short, in sentences: which line is full when, and who takes its days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from allocator.growth.bottleneck import (
    COUNTS,
    FullLine,
    Short,
    free_days,
    full_lines,
    offers_of,
    shorts,
    users_of,
)
from models.evaluate import evaluate

if TYPE_CHECKING:
    from models.problem import Floats, Problem
    from models.result import Decision


def explain(
    problem: Problem, decision: Decision, before: Floats, *, worst_first: bool = False
) -> tuple[dict[str, Any] | None, list[str]]:
    """What breaks first (line, period, programs; None where nothing is short), and why.

    One sentence for each full line, then one for each program that is short for another reason:
    the soonest first, or the dearest. Only what is short more than `before` (P, T, as shares of
    demand) counts, unless nothing is; programs that were well served before break first.
    """
    short = shorts(problem, decision, before)
    if not short:
        before = np.zeros_like(before)
        short = shorts(problem, decision, before)
    if not short:
        return None, []
    full = full_lines(problem, decision, short)
    explained = {s.program for row in full for s in row.short}
    rest = [s for s in short if s.program not in explained]
    well = [s for s in short if before[s.program].sum() <= COUNTS] or short
    first = _breaks_first(problem, full, well[0])
    if worst_first:
        full = sorted(full, key=lambda row: (-row.cost, row.line))
        rest = sorted(rest, key=lambda s: (-s.cost, s.program))
    sentences = [line_sentence(problem, decision, row) for row in full]
    return first, sentences + [other_sentence(problem, decision, s) for s in rest]


def _breaks_first(problem: Problem, full: Sequence[FullLine], soonest: Short) -> dict[str, Any]:
    line = next((row for row in full if soonest in row.short), None)
    return {
        "line_id": None if line is None else problem.lines.ids[line.line],
        "period": problem.period_labels[soonest.period if line is None else line.period],
        "programs": [problem.programs.ids[s.program] for s in (line.short if line else (soonest,))],
    }


def line_sentence(problem: Problem, decision: Decision, full: FullLine) -> str:
    """Why a line is a bottleneck, in one sentence."""
    line, t = full.line, full.period
    free = free_days(problem, decision)[line, t]
    used = float(evaluate(problem, decision).used_days[line, t])
    name, label = problem.lines.ids[line], problem.period_labels[t]
    later = len(full.periods) - 1
    again = f", and likewise in {later} later period{'s' * (later > 1)}" if later else ""
    if used <= 0:
        return (
            f"{name} offers {used + free:.4g} days in {label}, too few for a batch of"
            f" {_names(problem, full.short)}{again}."
        )
    users = users_of(problem, decision, line, t)
    shares = ", ".join(f"{who} {100 * days / used:.0f} %" for who, days in users[:4])
    more = f" and {len(users) - 4} more" if len(users) > 4 else ""
    return (
        f"{name} is full in {label}: {used:.4g} of {used + free:.4g} days are taken"
        f" ({shares}{more}),"
        f" what is left holds no further batch, so {_names(problem, full.short)}"
        f" run{'s' if len(full.short) == 1 else ''} short{again}."
    )


def _names(problem: Problem, short: Sequence[Short]) -> str:
    ids = [problem.programs.ids[s.program] for s in short]
    return ", ".join(ids[:4]) + (f" and {len(ids) - 4} more" if len(ids) > 4 else "")


def other_sentence(problem: Problem, decision: Decision, one: Short) -> str:
    """Why a program runs short where no line is to blame."""
    name, label = problem.programs.ids[one.program], problem.period_labels[one.period]
    offers = offers_of(problem, decision, one.program)
    if not offers:
        return f"{name} has no source, so it is short from {label} on."
    first = min(int(problem.offers.first_supply[f]) for f in offers)
    if one.period < first:
        ready = problem.period_labels[first] if first < problem.periods else "after the horizon"
        return f"{name} is short in {label} because its first source supplies from {ready} on."
    return (
        f"{name} is short from {label} on though its lines have days left there: the schedule has"
        " no further batch of it in time."
    )
