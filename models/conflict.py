"""Which award rules cannot all hold: a minimal set of them, by label.

Without award rules every problem has a plan (leave everything unsourced), so a problem without a
plan always has such a set. It is found with feasibility solves of the compact model in which the
rows of the rules left out are freed, by QuickXplain (Junker 2004): divide the rules, and look into
a half only where the other half does not already explain the conflict. For a conflict of c rules
out of n this takes about c log2(n / c) solves, a plain deletion filter n.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from models.compact.build import Built, build
from models.compact.highs import HighsSolver
from models.compact.matrix import Matrix, read_matrix
from models.problem import Problem
from models.solve import Settings

#: Seconds for one feasibility solve. A set that is neither proven to hold nor to clash in this
#: time is taken to hold, so the answer always clashes; it may then not be minimal.
CHECK_SECONDS = 20.0


def find_conflict(
    problem: Problem, settings: Settings | None = None, built: Built | None = None
) -> tuple[str, ...]:
    """Labels of a minimal set of award rules that cannot all hold, in the problem's order.

    A CMO's own `max_programs` is called `max_programs[cmo_id]`. Empty where all rules can hold, or
    where that could not be decided in time. `built` spares building the model again;
    `settings.stop` ends the search with an empty answer.
    """
    settings = settings or Settings()
    built = built or build(problem)
    matrix = read_matrix(built.model.prob)
    labels = list(built.rows_of_label)

    def clash(kept: Sequence[str]) -> bool:
        """True where the rules `kept` are proven unable to hold together."""
        return _infeasible(matrix, built, kept, settings)

    if not clash(labels):
        return ()
    found = set(_explain(clash, [], [], labels))
    if settings.stop is not None and settings.stop():
        return ()
    return tuple(label for label in labels if label in found)


def _explain(
    clash: Callable[[Sequence[str]], bool], base: list[str], added: list[str], rest: list[str]
) -> list[str]:
    """QuickXplain: a minimal part of `rest` that clashes with `base`; `added` was last added."""
    if added and clash(base):
        return []
    if len(rest) == 1:
        return rest
    half = len(rest) // 2
    left, right = rest[:half], rest[half:]
    of_right = _explain(clash, base + left, left, right)
    of_left = _explain(clash, base + of_right, of_right, left)
    return of_left + of_right


def _infeasible(matrix: Matrix, built: Built, kept: Sequence[str], settings: Settings) -> bool:
    """Whether no plan keeps the rules `kept`; the other rules' rows are freed, costs are 0."""
    freed = [
        row for label, rows in built.rows_of_label.items() if label not in kept for row in rows
    ]
    low, high = matrix.row_low.copy(), matrix.row_high.copy()
    low[freed], high[freed] = -np.inf, np.inf
    trial = replace(matrix, cost=np.zeros_like(matrix.cost), row_low=low, row_high=high)
    solver = HighsSolver(trial, settings.threads, settings.seed)
    started = time.monotonic()
    quiet = Settings(gap=1.0, threads=settings.threads, seed=settings.seed, stop=settings.stop)
    return solver.run(quiet, CHECK_SECONDS - (time.monotonic() - started)).infeasible
