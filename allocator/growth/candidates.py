"""Where a slot may be worth something: hints that choose which lines and periods are valued.

Two hints, no values: the dual of the linear relaxation, which misses whole batches and
campaigns both ways, and what one batch more, or one made later or sooner, would save in that period
if the rest of the plan stayed as it is and the line had the days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from allocator.growth.bottleneck import batches_of, days_of_one_more, days_to_use, free_days
from models.evaluate import chosen_streams
from models.stock import flow_cost, released_units, simulate

if TYPE_CHECKING:
    from models.problem import Floats, Ints, Problem
    from models.result import Decision


@dataclass(frozen=True)
class Candidate:
    """A line and a period with the hints that chose it.

    `hint` is money per line-day by the LP's dual, `saving` money by one batch in the plan.
    """

    line: int
    period: int
    hint: float
    saving: float = 0.0


def candidates(
    problem: Problem, decision: Decision, prices: Mapping[int, Floats], count: int, days: float
) -> list[Candidate]:
    """The lines and periods of most promise, for slots of so many days.

    `prices` (L, T) by line in use are the duals. By the better hint first, then the fuller line;
    periods in which no batch of the line's programs could be started are left out. Periods of a
    line that promise the same are one place to ask for: `count` places, then their other periods.
    """
    savings = slot_savings(problem, decision)
    offered = np.maximum(days_to_use(problem, decision), 1e-9)
    idle = free_days(problem, decision) / offered
    found = [
        Candidate(line, t, float(price[line, t]), float(savings[line][t]))
        for line, price in prices.items()
        for t in np.flatnonzero(savings[line] >= 0.0).tolist()
    ]

    def promise(c: Candidate) -> float:
        return round(max(c.hint * days, c.saving), 6)

    found.sort(
        key=lambda c: (-promise(c), round(float(idle[c.line, c.period]), 9), c.line, c.period)
    )
    places: dict[tuple[int, float], list[Candidate]] = {}
    for c in found:
        places.setdefault((c.line, promise(c)), []).append(c)
    asked = list(places.values())[:count]
    return [c for place in asked for c in place[:1]] + [c for place in asked for c in place[1:]]


def slot_savings(problem: Problem, decision: Decision) -> dict[int, Floats]:
    """By line in use: what a batch that does not fit would save at most in each period, (T,).

    Money, never below 0 where a batch could be started; below 0 where none of the line's sources
    could.
    """
    free = free_days(problem, decision)
    savings: dict[int, Floats] = {}
    for s in chosen_streams(problem, decision.option).tolist():
        f = int(problem.streams.offer[s])
        line = int(problem.offers.line[f])
        fits = days_of_one_more(problem, decision, f) <= free[line] + 1e-9
        saved = source_savings(problem, s, batches_of(problem, decision, f))
        # where it fits the plan needs no slot for it
        mine = np.where(fits & (saved > 0.0), 0.0, saved)
        best = savings.get(line, np.full(problem.periods, -1.0))
        savings[line] = np.maximum(best, mine)
    return savings


def source_savings(problem: Problem, stream: int, batches: Ints) -> Floats:
    """What one batch in each period would save, (T,): one more or one from another period.

    0 where it would save nothing, -1 where none could be started.
    """
    f, periods = int(problem.streams.offer[stream]), problem.periods
    t = np.arange(periods)
    can = (t >= problem.offers.ready[f]) & (t + problem.offers.lag[f] < periods)
    saved = np.full(periods, -1.0)
    saved[can] = 0.0
    moved = [batches] + [
        batches - (t == u) for u in np.flatnonzero(batches > 0).tolist()
    ]  # one more, and one from each period
    plans = [batches] + [rest + (t == at) for at in t[can].tolist() for rest in moved]
    costs = _costs(problem, stream, np.array(plans, np.int64))
    gains = (costs[0] - costs[1:]).reshape(-1, len(moved)).max(1, initial=0.0)
    saved[can] = np.maximum(gains, 0.0)
    return saved


def _costs(problem: Problem, stream: int, plans: Ints) -> Floats:
    """What N schedules (N, T) of one source cost: batches, changeovers, stock and shortage."""
    f = int(problem.streams.offer[stream])
    line = int(problem.offers.line[f])
    rows = np.full(len(plans), stream)
    released = np.array([released_units(problem, f, batches) for batches in plans])
    flow = simulate(problem.stream_tables(rows), released)
    program = np.full(len(plans), problem.offers.program[f])
    runs = (plans > 0).sum(1) * problem.lines.changeover_cost[line]
    made = plans.sum(1) * problem.offers.price[f]
    total: Floats = made + runs + np.sum(flow_cost(problem, program, flow), axis=0)
    return total
