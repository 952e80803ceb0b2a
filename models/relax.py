"""The linear relaxation of the compact model: a bound, prices of line-days, and likely options.

The prices are duals of the relaxation. They say where a line-day may be worth something, not what
it is worth: whole batches and campaigns are not priced (measured: 2 of 7 positive duals were worth
nothing). Use them to choose what to compute, never as an answer.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from models.compact.build import build
from models.compact.highs import HighsSolver
from models.compact.matrix import read_matrix
from models.problem import Floats, Problem
from models.solve import Settings


@dataclass(frozen=True)
class Relaxation:
    """The solved relaxation; `bound` is None where it was not solved to the end.

    `infeasible` tells that no plan keeps the rules. `options` (O,) are the shares in which options
    are chosen, `day_price` (L, T) money per line-day, at least 0.
    """

    bound: float | None
    infeasible: bool
    options: Floats
    day_price: Floats
    seconds: float


def relaxation(problem: Problem, settings: Settings | None = None) -> Relaxation:
    """Solve the linear relaxation of the compact model with HiGHS."""
    settings = settings or Settings()
    started = time.monotonic()
    built = build(problem)
    matrix = read_matrix(built.model.prob)
    loose = replace(matrix, integer=np.zeros_like(matrix.integer))
    solver = HighsSolver(loose, settings.threads, settings.seed)
    outcome = solver.run(settings, settings.time_limit)
    lines = problem.lines
    price = np.zeros(lines.days.shape)
    chosen = np.zeros(len(problem.options.program))
    solved = outcome.statistics["highs_status"] == "Optimal"
    if outcome.x is not None and solved:
        for o, variable in built.model.variables.choose.items():
            chosen[o] = outcome.x[matrix.columns[variable]]
        duals = np.array(solver.highs.getSolution().row_dual)
        names = {row.name: i for i, row in enumerate(built.model.prob.constraints())}
        for line in range(len(lines.ids)):
            for t in range(problem.periods):
                key = f"{built.model.names.lines[line]},{built.model.names.periods[t]}"
                row = names.get(f"line_days({key})")
                if row is not None:
                    price[line, t] = max(0.0, -float(duals[row]))
    bound = outcome.objective if solved else None
    return Relaxation(bound, outcome.infeasible, chosen, price, time.monotonic() - started)
