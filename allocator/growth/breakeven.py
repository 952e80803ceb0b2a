"""From which demand on a reservation pays: scenarios on one axis, and where the saving turns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from models.problem import Floats, Problem
    from models.result import Decision

#: Decimals to which demands count as equal and savings as none: far above what rounding does.
DECIMALS = 6


def relative_demand(
    problem: Problem, decision: Decision, demands: Sequence[Floats]
) -> list[float] | None:
    """The line-days that each of some demands (P, T) asks for, against those of today's demand.

    Units of different programs say nothing side by side, line-days do, and they are what is
    reserved. None where today's demand asks for none.
    """
    weight = days_per_unit(problem, decision)
    today = float(weight @ problem.programs.demand.sum(1))
    if today <= 0:
        return None
    return [float(weight @ demand.sum(1)) / today for demand in demands]


def days_per_unit(problem: Problem, decision: Decision) -> Floats:
    """Line-days of batches per good unit of each program, (P,): as the plan makes it.

    Where it makes none the least of the program's offers; 0 where it has no offer.
    """
    offers = problem.offers
    count = len(problem.programs.ids)
    days, units = np.zeros(count), np.zeros(count)
    for f, batches in decision.batches.items():
        days[offers.program[f]] += offers.days[f] * batches.sum()
        units[offers.program[f]] += offers.good_per_batch[f] * batches.sum()
    least = np.full(count, np.inf)
    np.minimum.at(least, offers.program, offers.days / offers.good_per_batch)
    otherwise = np.where(np.isfinite(least), least, 0.0)
    per_unit: Floats = np.divide(days, units, out=otherwise, where=units > 0)
    return per_unit


def break_even(demand: Sequence[float], saving: Floats) -> float | None:
    """The least relative demand from which reserving pays, scenarios joined by straight lines.

    None where it does not pay in the scenario of the most demand, or where of scenarios that ask
    for as much it pays in one and not in another: then demand alone does not decide. The lowest
    scenario where it pays in all. Of scenarios that ask for as much the least saving counts.
    """
    x, place = np.unique(np.round(demand, DECIMALS), return_inverse=True)
    saved = np.round(saving, DECIMALS)
    low, high = np.full(len(x), np.inf), np.full(len(x), -np.inf)
    np.minimum.at(low, place, saved)
    np.maximum.at(high, place, saved)
    if ((low < 0) & (high >= 0)).any() or low[-1] < 0:
        return None
    losing = np.flatnonzero(low < 0)
    if not len(losing):
        return float(x[0])
    below = int(losing[-1])
    share = -low[below] / (low[below + 1] - low[below])
    return float(x[below] + share * (x[below + 1] - x[below]))
