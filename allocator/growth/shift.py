"""Schedules that answer to a contract: batches in other periods, where less is owed for them.

What a contract costs hangs on when batches run, and many schedules cost the same without one. So
each kind of contract starts from the best schedule without one, moves batches of one source, one
or all of a period, to another period as long as that saves more than it costs, and takes over what
was found for another kind where that is cheaper still. Each is a schedule that can be run; none
is proven to be the best one under its contract.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from models.evaluate import chosen_streams, evaluate
from models.stock import flow_cost, released_units, simulate

if TYPE_CHECKING:
    from allocator.growth.terms import Agreement
    from models.evaluate import Value
    from models.problem import Floats, Ints, Problem
    from models.result import Decision

#: Moves of one source that are valued whole in a row, those that seem to save most first.
TRIES = 3
#: Line-days and, against the whole cost, money that count as none.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Signed:
    """A schedule under a contract: all its cost without what is `owed` on each line, (L,)."""

    cost: float
    owed: Floats

    @property
    def total(self) -> float:
        """All cost, the contract paid."""
        return self.cost + float(self.owed.sum())


def signed_schedules(
    problem: Problem, plan: Decision, days: Floats, kinds: Sequence[Agreement], end: float
) -> tuple[Value, list[Signed]]:
    """The cheapest schedule found, and the cheapest under each of some kinds of contract.

    `plan` is the best schedule within `days` (L, T) without a contract; `end` is a moment of
    `time.monotonic`.
    """
    found = [evaluate(problem, plan)]
    for number, agreement in enumerate(kinds):
        now = time.monotonic()
        until = now + (end - now) / (len(kinds) - number)
        found.append(shifted(problem, plan, days, agreement, until))
    signed = []
    for agreement in kinds:
        choices = [Signed(value.objective, agreement.owed(value.used_days)) for value in found]
        signed.append(min(choices, key=lambda choice: choice.total))
    return min(found, key=lambda value: value.objective), signed


def shifted(
    problem: Problem, plan: Decision, days: Floats, agreement: Agreement, end: float
) -> Value:
    """The schedule that moves of batches lead to under one contract."""
    value = evaluate(problem, plan)
    total = value.objective + float(agreement.owed(value.used_days).sum())
    streams = chosen_streams(problem, plan.option)
    moved = True
    while moved:
        moved = False
        for stream in streams[np.argsort(problem.streams.offer[streams])].tolist():
            f = int(problem.streams.offer[stream])
            for batches in _moves(problem, stream, plan, value.used_days, days, agreement):
                if time.monotonic() > end:
                    return value
                other = replace(plan, batches={**plan.batches, f: batches})
                new = evaluate(problem, other)
                new_total = new.objective + float(agreement.owed(new.used_days).sum())
                if not new.broken and new_total < total - ROUNDING * max(1.0, abs(total)):
                    plan, value, total, moved = other, new, new_total, True
                    break
    return value


def _moves(
    problem: Problem,
    stream: int,
    plan: Decision,
    used: Floats,
    days: Floats,
    agreement: Agreement,
) -> Iterator[Ints]:
    """Batches (T,) of a source with some in another period, by what that saves; none that does not.

    Stock, shortage, changeovers and what is owed count; the rest is for `evaluate` to say.
    """
    f = int(problem.streams.offer[stream])
    line, now = int(problem.offers.line[f]), plan.batches.get(f)
    if now is None or not now.any():
        return
    rows = np.array([now, *_elsewhere(now, int(problem.offers.ready[f]))])
    campaigns = (rows > 0).astype(np.int64)
    taken = problem.offers.days[f] * rows + problem.lines.changeover_days[line] * campaigns
    used_days = used[line] + taken - taken[0]
    tables = problem.stream_tables(np.full(len(rows), stream))
    released = np.array([released_units(problem, f, row) for row in rows])
    program = np.full(len(rows), problem.offers.program[f])
    costs = np.sum(flow_cost(problem, program, simulate(tables, released)), axis=0)
    costs += problem.lines.changeover_cost[line] * campaigns.sum(1)
    costs += agreement.owed_on(line, used_days)
    fits = (used_days <= days[line] + ROUNDING).all(1)
    saving = costs < costs[0] - ROUNDING * max(1.0, abs(float(costs[0])))
    tried = np.flatnonzero(fits & saving)
    for row in tried[np.argsort(costs[tried], kind="stable")][:TRIES].tolist():
        yield rows[row]


def _elsewhere(batches: Ints, ready: int) -> Iterator[Ints]:
    """The batches (T,) with one or all of a period in another one, from `ready` on."""
    for start in np.flatnonzero(batches).tolist():
        for count in sorted({1, int(batches[start])}):
            for to in range(ready, len(batches)):
                if to != start:
                    other = batches.copy()
                    other[start] -= count
                    other[to] += count
                    yield other
