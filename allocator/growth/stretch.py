"""Today's schedule stretched: more of the same batches, in the same periods, as far as days hold.

The rule: every source grows by the growth of its program's demand in the period in which its
batches are released, in whole batches (rounded up over the horizon, so that rounding does not add
up), in the periods in which it runs today. Where a line's days do not hold all of it, its sources
get one batch more at a time, the one furthest behind first. Nothing moves to another period, line
or source, and nobody is qualified anew.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from allocator.growth.bottleneck import free_days
from models.evaluate import evaluate
from models.problem import Floats, Ints, Problem
from models.result import Decision

#: Steps in which the growth is taken back where the stretched plan breaks an award rule.
STEPS = 20


def stretched(problem: Problem, today: Decision, growth: Floats) -> Decision:
    """Today's plan stretched by `growth` (P, T), in the grown `problem`.

    Where the stretched plan breaks an award rule (a budget, a share of spend) the growth of batches
    is taken back in twentieths until it does not; without any growth it is today's plan.
    """
    for step in range(STEPS, -1, -1):
        partial = 1.0 + (growth - 1.0) * step / STEPS
        plan = _stretched(problem, today, partial)
        if not evaluate(problem, plan).broken:
            return plan
    return plan


def _stretched(problem: Problem, today: Decision, growth: Floats) -> Decision:
    """Today's plan with its batches grown as far as the line-days hold."""
    batches: dict[int, Ints] = {}
    wanted: dict[int, Ints] = {}
    for f, count in sorted(today.batches.items()):
        wanted[f] = _wanted(problem, f, count, growth)
        batches[f] = np.minimum(count, wanted[f])
    free = free_days(problem, replace(today, batches=batches))
    for line in sorted({int(problem.offers.line[f]) for f in batches}):
        mine = [f for f in batches if problem.offers.line[f] == line]
        for t in range(problem.periods):
            _fill(problem, mine, t, float(free[line, t]), batches, wanted)
    return replace(today, batches=batches)


def _wanted(problem: Problem, f: int, count: Ints, growth: Floats) -> Ints:
    """Whole batches per period (T,) that offer f would run, had its line the days."""
    lag = int(problem.offers.lag[f])
    released = np.minimum(np.arange(problem.periods) + lag, problem.periods - 1)
    total = np.ceil(np.cumsum(count * growth[problem.offers.program[f], released]) - 1e-9)
    whole = np.diff(total, prepend=0.0).astype(np.int64)
    useful: Ints = np.minimum(np.where(count > 0, whole, 0), problem.max_batches[f])
    return useful


def _fill(
    problem: Problem,
    mine: list[int],
    t: int,
    free: float,
    batches: dict[int, Ints],
    wanted: dict[int, Ints],
) -> None:
    """Add batches in one period on one line, the source furthest behind what it wants first."""
    while True:
        open_ = [
            f
            for f in mine
            if batches[f][t] < wanted[f][t] and problem.offers.days[f] <= free + 1e-9
        ]
        if not open_:
            return
        f = min(open_, key=lambda f: (batches[f][t] / wanted[f][t], f))
        batches[f][t] += 1
        free -= float(problem.offers.days[f])
