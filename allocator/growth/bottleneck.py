"""What a plan is short of, and which lines are full where one more batch would have helped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.evaluate import evaluate
from models.stock import released_units, simulate, unsourced_tables

if TYPE_CHECKING:
    from models.problem import Floats, Ints, Problem
    from models.result import Decision

#: Units short, relative to the program's demand, from which it counts.
COUNTS = 1e-6


@dataclass(frozen=True)
class Short:
    """A program that goes short in `periods`: `share` of its demand over the horizon, `cost` money.

    `periods` are those in which it is short more than before, in order; at least one.
    """

    program: int
    periods: tuple[int, ...]
    share: float
    cost: float

    @property
    def period(self) -> int:
        """The first of them."""
        return self.periods[0]


@dataclass(frozen=True)
class FullLine:
    """A line on which no further batch of a short program fits in any of `periods`."""

    line: int
    periods: tuple[int, ...]
    short: tuple[Short, ...]

    @property
    def period(self) -> int:
        """The first of them."""
        return self.periods[0]

    @property
    def cost(self) -> float:
        """What the programs that it leaves short cost, money."""
        return sum(one.cost for one in self.short)


def unmet_units(problem: Problem, decision: Decision) -> Floats:
    """Units of demand not met by program and period, (P, T)."""
    unmet = np.zeros((len(problem.programs.ids), problem.periods))
    for p in range(len(unmet)):
        own = source_unmet(problem, decision, p)
        if own:
            unmet[p] = sum(own.values())
        else:
            tables = unsourced_tables(problem, np.array([p]))
            unmet[p] = simulate(tables, np.zeros_like(tables.demand)).unmet[0]
    return unmet


def unmet_shares(problem: Problem, decision: Decision) -> Floats:
    """Share of each program's demand over the horizon that is missed in each period, (P, T)."""
    wanted = np.maximum(problem.programs.demand.sum(1), 1e-12)
    shares: Floats = unmet_units(problem, decision) / wanted[:, None]
    return shares


def source_unmet(problem: Problem, decision: Decision, program: int) -> dict[int, Floats]:
    """Units (T,) that each source of a program, an offer, misses of its own share of demand."""
    unmet: dict[int, Floats] = {}
    for s in _streams_of(problem, decision, program):
        f = int(problem.streams.offer[s])
        released = released_units(problem, f, batches_of(problem, decision, f))[None, :]
        unmet[f] = simulate(problem.stream_tables(np.array([s])), released).unmet[0]
    return unmet


def batches_of(problem: Problem, decision: Decision, offer: int) -> Ints:
    """Batches started per period, (T,); 0 where the decision has none of the offer."""
    none = np.zeros(problem.periods, np.int64)
    found: Ints = decision.batches.get(offer, none)
    return found


def shorts(problem: Problem, decision: Decision, before: Floats) -> list[Short]:
    """Programs that are short more than `before` (P, T, as shares of demand), soonest first."""
    share = unmet_shares(problem, decision)
    stake = problem.programs.shortage_price * problem.programs.demand.sum(1)
    more = share - before
    found = []
    for p in np.flatnonzero(problem.programs.demand.sum(1) > 0).tolist():
        late = tuple(np.flatnonzero(more[p] > COUNTS).tolist())
        if late:
            missed = float(share[p].sum())
            found.append(Short(p, late, missed, missed * float(stake[p])))
    return sorted(found, key=lambda s: (s.period, -s.share, s.program))


def full_lines(problem: Problem, decision: Decision, short: Sequence[Short]) -> list[FullLine]:
    """Lines that hold no further batch of a short program when it would be needed, soonest first.

    A batch is needed in the last period from which it is released in time; the line is full there.
    """
    free = free_days(problem, decision)
    periods: dict[int, set[int]] = {}
    blamed: dict[int, list[Short]] = {}
    for one in short:
        wanted = float(problem.programs.demand[one.program].sum())
        for f, unmet in source_unmet(problem, decision, one.program).items():
            line = int(problem.offers.line[f])
            needs = days_of_one_more(problem, decision, f)
            starts = [
                t - int(problem.offers.lag[f])
                for t in one.periods
                if unmet[t] > COUNTS * wanted and t >= problem.offers.first_supply[f]
            ]
            full = [t for t in starts if free[line, t] < needs[t] - 1e-9]
            if full:
                periods.setdefault(line, set()).update(full)
                blamed.setdefault(line, []).append(one)
    rows = [FullLine(line, tuple(sorted(periods[line])), tuple(blamed[line])) for line in periods]
    return sorted(rows, key=lambda row: (row.period, -sum(s.share for s in row.short), row.line))


def days_of_one_more(problem: Problem, decision: Decision, offer: int) -> Floats:
    """Line-days of one more batch in each period, (T,): with a changeover where none runs."""
    idle = batches_of(problem, decision, offer) == 0
    line = problem.offers.line[offer]
    days: Floats = problem.offers.days[offer] + problem.lines.changeover_days[line] * idle
    return days


def free_days(problem: Problem, decision: Decision) -> Floats:
    """Line-days left over, (L, T)."""
    free: Floats = days_to_use(problem, decision) - evaluate(problem, decision).used_days
    return free


def days_to_use(problem: Problem, decision: Decision) -> Floats:
    """Line-days with the expansions of a decision, (L, T)."""
    lines = problem.lines
    grown = np.arange(problem.periods)[None, :] >= lines.expansion_period[:, None]
    days: Floats = lines.days + (lines.expansion_days * decision.expanded)[:, None] * grown
    return days


def offers_of(problem: Problem, decision: Decision, program: int) -> list[int]:
    """Offers that a decision chose for a program, primary first."""
    return [int(problem.streams.offer[s]) for s in _streams_of(problem, decision, program)]


def _streams_of(problem: Problem, decision: Decision, program: int) -> list[int]:
    options, row = problem.options, int(decision.option[program])
    return [s for s in (int(options.first[row]), int(options.second[row])) if s >= 0]


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
    chosen = {f for p in range(len(decision.option)) for f in offers_of(problem, decision, p)}
    for f in sorted(chosen):
        if problem.offers.line[f] == line and problem.offers.validation_period[f] == t:
            used = float(problem.offers.validation_days[f])
            name = f"validation of {problem.programs.ids[problem.offers.program[f]]}"
            if used > 0:
                days[name] = used
    return sorted(days.items(), key=lambda pair: (-pair[1], pair[0]))
