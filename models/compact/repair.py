"""Rounding a solver's batches may overload a line by a hair: take a batch away where it does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.evaluate import evaluate
from models.problem import Problem
from models.result import Decision


def without_overload(problem: Problem, decision: Decision) -> Decision:
    """The decision with as few batches less as make every line-day rule hold.

    Solvers keep a row within a tolerance; whole batches then need not fit exactly. Of the batches
    in an overloaded period the one with the fewest days that is enough goes first. Leaves the plan
    as it is where validation alone overloads a line.
    """
    batches = {f: count.copy() for f, count in decision.batches.items()}
    lines, offers = problem.lines, problem.offers
    grown = np.arange(problem.periods)[None, :] >= lines.expansion_period[:, None]
    room = lines.days + (lines.expansion_days * decision.expanded)[:, None] * grown
    used = evaluate(problem, decision).used_days
    for line, t in np.argwhere(used > room * (1 + 1e-9) + 1e-6):
        mine = sorted(f for f, n in batches.items() if offers.line[f] == line and n[t] > 0)
        excess = float(used[line, t] - room[line, t])
        while mine and excess > 1e-6:
            enough = [f for f in mine if offers.days[f] >= excess] or mine
            f = min(enough, key=lambda f: float(offers.days[f]))
            batches[f][t] -= 1
            excess -= float(offers.days[f])
            mine = [f for f in mine if batches[f][t] > 0]
    return replace(decision, batches=batches)
