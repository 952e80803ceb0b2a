"""A bound that needs no solver: weak duality on the relaxation of re-planned supply."""

from __future__ import annotations

import numpy as np

from models.problem import Floats
from models.recourse.events import Situation
from models.recourse.linear import Duals


def proven(situation: Situation, duals: Duals, allowed: Floats) -> float:
    """Money that units short beyond `allowed` (P,) cost at least, whatever is re-planned.

    The Lagrangian of models/recourse.md at `duals`, each column at the better end of its range.
    Valid for any duals that are at least 0.
    """
    position, start = situation.position, situation.start
    problem, offers = position.problem, position.problem.offers
    demand = problem.programs.demand[:, start:]
    flow = duals.flow[:, start:]
    total = float((flow * (demand - situation.supply[:, start:])).sum())
    total -= float((duals.line_days * situation.room).sum()) + float(duals.short @ allowed)
    total += float((np.minimum(duals.short[:, None] - flow, 0.0) * demand).sum())
    kept = np.minimum(flow[:, :-1] - flow[:, 1:], 0.0) * position.cap[:, start:-1]
    row, t = np.nonzero(situation.most)
    rows, most = position.offers[row], situation.most[row, t]
    days = offers.days[rows] + problem.lines.changeover_days[position.line[row]] / most
    paid = duals.line_days[position.line[row], t] * days
    earned = duals.flow[position.program[row], t + offers.lag[rows]] * offers.good_per_batch[rows]
    batches = np.minimum(paid - earned, 0.0) * most
    return max(0.0, total + float(kept.sum()) + float(batches.sum()))
