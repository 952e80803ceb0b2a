"""A bound that needs no solver: weak duality on the relaxation of re-planned supply."""

from __future__ import annotations

import numpy as np

from models.problem import Floats
from models.recourse.linear import Duals
from models.recourse.scene import Scene


def proven(scene: Scene, duals: Duals, allowed: Floats) -> float:
    """Money that units short beyond `allowed` (P,) cost at least, whatever is re-planned.

    The Lagrangian of models/recourse.md at `duals`, each column at the better end of its range.
    Valid for any duals that are at least 0.
    """
    start = scene.start
    demand = scene.wanted[:, start:]
    flow = duals.flow[:, start:]
    total = float((flow * (demand - scene.supply[:, start:])).sum())
    total -= float((duals.line_days * scene.room).sum()) + float(duals.short @ allowed)
    total += float((np.minimum(duals.short[:, None] - flow, 0.0) * demand).sum())
    kept = np.minimum(flow[:, :-1] - flow[:, 1:], 0.0) * scene.cap[:, start:-1]
    row, t = np.nonzero(scene.most)
    most = scene.most[row, t]
    days = scene.days[row] + scene.changeover[scene.line[row]] / most
    paid = duals.line_days[scene.line[row], t] * days
    earned = duals.flow[scene.program[row], t + scene.lag[row]] * scene.good[row]
    batches = np.minimum(paid - earned, 0.0) * most
    return max(0.0, total + float(kept.sum()) + float(batches.sum()))
