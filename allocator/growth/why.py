"""Why a plan runs short: which line is full in which period, and who takes its days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models.evaluate import evaluate
from models.stock import released_units, simulate, unsourced_tables

if TYPE_CHECKING:
    from models.problem import Floats, Problem
    from models.result import Decision

#: Units short, relative to the program's demand, from which it counts.
COUNTS = 1e-6


@dataclass(frozen=True)
class Short:
    """A program that goes short from `period` on: `share` of its demand over the horizon."""

    program: int
    period: int
    share: float


@dataclass(frozen=True)
class FullLine:
    """A line on which no further batch of a short program fits in `period`."""

    line: int
    period: int
    short: tuple[Short, ...]


def unmet_units(problem: Problem, decision: Decision) -> Floats:
    """Units of demand not met by program and period, (P, T)."""
    unmet = np.zeros((len(problem.programs.ids), problem.periods))
    options, streams = problem.options, problem.streams
    for p, row in enumerate(decision.option.tolist()):
        own = [s for s in (int(options.first[row]), int(options.second[row])) if s >= 0]
        if not own:
            tables = unsourced_tables(problem, np.array([p]))
            unmet[p] += simulate(tables, np.zeros_like(tables.demand)).unmet[0]
        for s in own:
            f = int(streams.offer[s])
            batches = decision.batches.get(f, np.zeros(problem.periods, np.int64))
            released = released_units(problem, f, batches)[None, :]
            unmet[p] += simulate(problem.stream_tables(np.array([s])), released).unmet[0]
    return unmet


def shorts(problem: Problem, decision: Decision, before: Floats) -> list[Short]:
    """Programs that are short more than `before` (P, T, as shares of demand), soonest first."""
    wanted = problem.programs.demand.sum(1)
    share = unmet_units(problem, decision) / np.maximum(wanted, 1e-12)[:, None]
    more = share - before
    found = []
    for p in np.flatnonzero(wanted > 0).tolist():
        late = np.flatnonzero(more[p] > COUNTS)
        if len(late):
            found.append(Short(p, int(late[0]), float(share[p].sum())))
    return sorted(found, key=lambda s: (s.period, -s.share, s.program))


def full_lines(problem: Problem, decision: Decision, short: Sequence[Short]) -> list[FullLine]:
    """Lines that hold no further batch of a short program when it would be needed, soonest first.

    A batch is needed in the last period from which it is released in time, or before; the line is
    full there.
    """
    free = free_days(problem, decision)
    found: dict[int, tuple[int, list[Short]]] = {}
    for one in short:
        for f in _offers_of(problem, decision, one.program):
            start = one.period - int(problem.offers.lag[f])
            line = int(problem.offers.line[f])
            if start < int(problem.offers.ready[f]):
                continue
            batches = decision.batches.get(f, np.zeros(problem.periods, np.int64))
            needs = problem.offers.days[f] + problem.lines.changeover_days[line] * (
                batches[start] == 0
            )
            if free[line, start] >= needs - 1e-9:
                continue
            period, mine = found.setdefault(line, (start, []))
            mine.append(one)
            found[line] = (min(period, start), mine)
    rows = [FullLine(line, period, tuple(mine)) for line, (period, mine) in found.items()]
    return sorted(rows, key=lambda row: (row.period, -sum(s.share for s in row.short), row.line))


def free_days(problem: Problem, decision: Decision) -> Floats:
    """Line-days left over, (L, T)."""
    lines = problem.lines
    grown = np.arange(problem.periods)[None, :] >= lines.expansion_period[:, None]
    room = lines.days + (lines.expansion_days * decision.expanded)[:, None] * grown
    free: Floats = room - evaluate(problem, decision).used_days
    return free


def _offers_of(problem: Problem, decision: Decision, program: int) -> list[int]:
    """Offers that a decision chose for a program, primary first."""
    options, row = problem.options, int(decision.option[program])
    own = [s for s in (int(options.first[row]), int(options.second[row])) if s >= 0]
    return [int(problem.streams.offer[s]) for s in own]


def users_of(problem: Problem, decision: Decision, line: int, t: int) -> list[tuple[str, float]]:
    """Programs on a line in a period with their line-days, most first."""
    days: dict[str, float] = {}
    for f, batches in decision.batches.items():
        if problem.offers.line[f] != line:
            continue
        used = float(problem.offers.days[f] * batches[t])
        used += float(problem.lines.changeover_days[line]) * bool(batches[t] > 0)
        if used > 0:
            name = problem.programs.ids[problem.offers.program[f]]
            days[name] = days.get(name, 0.0) + used
    for f in sorted(set(_chosen(problem, decision))):
        if problem.offers.line[f] == line and problem.offers.validation_period[f] == t:
            used = float(problem.offers.validation_days[f])
            name = f"validation of {problem.programs.ids[problem.offers.program[f]]}"
            if used > 0:
                days[name] = used
    return sorted(days.items(), key=lambda pair: (-pair[1], pair[0]))


def _chosen(problem: Problem, decision: Decision) -> list[int]:
    return [f for p in range(len(decision.option)) for f in _offers_of(problem, decision, p)]


def line_sentence(problem: Problem, decision: Decision, full: FullLine) -> str:
    """Why a line is a bottleneck, in one sentence."""
    line, t = full.line, full.period
    free = free_days(problem, decision)[line, t]
    used = float(evaluate(problem, decision).used_days[line, t])
    name, label = problem.lines.ids[line], problem.period_labels[t]
    users = users_of(problem, decision, line, t)
    shares = ", ".join(f"{who} {100 * days / used:.0f} %" for who, days in users[:4] if used > 0)
    more = f" and {len(users) - 4} more" if len(users) > 4 else ""
    if used <= 0:
        return (
            f"{name} offers {used + free:.4g} days in {label}, too few for a batch of"
            f" {_names(problem, full.short)}."
        )
    return (
        f"{name} is full in {label}: {used:.4g} of {used + free:.4g} days are taken"
        f" ({shares}{more}),"
        f" what is left holds no further batch, so {_names(problem, full.short)}"
        f" run{'s' if len(full.short) == 1 else ''} short."
    )


def _names(problem: Problem, short: Sequence[Short]) -> str:
    ids = [problem.programs.ids[s.program] for s in short]
    return ", ".join(ids[:4]) + (f" and {len(ids) - 4} more" if len(ids) > 4 else "")


def other_sentence(problem: Problem, decision: Decision, one: Short) -> str:
    """Why a program runs short where no line is to blame."""
    name, label = problem.programs.ids[one.program], problem.period_labels[one.period]
    offers = _offers_of(problem, decision, one.program)
    if not offers:
        return f"{name} has no source, so it is short from {label} on."
    first = min(int(problem.offers.first_supply[f]) for f in offers)
    if one.period < first:
        ready = problem.period_labels[first] if first < problem.periods else "after the horizon"
        return f"{name} is short in {label} because its first source supplies from {ready} on."
    return (
        f"{name} is short from {label} on though its lines have days left there: whole batches of"
        " it come too late or are not part of the schedule."
    )


def explain(
    problem: Problem, decision: Decision, before: Floats
) -> tuple[dict[str, Any] | None, list[str]]:
    """What breaks first (line, period, programs; None where nothing does), and a sentence each.

    Programs that were well served before (`before` (P, T) shares of demand unmet) come first.
    """
    short = shorts(problem, decision, before)
    full = full_lines(problem, decision, short)
    sentences = [line_sentence(problem, decision, row) for row in full]
    explained = {s.program for row in full for s in row.short}
    rest = [s for s in short if s.program not in explained]
    sentences += [other_sentence(problem, decision, s) for s in rest]
    if not short:
        return None, sentences
    well = [s for s in short if before[s.program].sum() <= COUNTS] or short
    soonest = well[0]
    line = next((row for row in full if soonest in row.short), None)
    first = {
        "line_id": None if line is None else problem.lines.ids[line.line],
        "period": problem.period_labels[soonest.period if line is None else line.period],
        "programs": [problem.programs.ids[s.program] for s in (line.short if line else (soonest,))],
    }
    return first, sentences
