"""All plans of a tiny problem."""

from __future__ import annotations

import itertools

import numpy as np

from models.evaluate import evaluate
from models.problem import Problem
from models.result import Decision


def every_plan(problem: Problem) -> list[tuple[float, Decision]]:
    """All plans of a tiny problem with their objectives, the cheapest first."""
    options, offers = problem.options, problem.offers
    most = problem.max_batches
    flags = np.zeros(len(problem.lines.ids), np.bool_)
    found = []
    for option in itertools.product(*itertools.starmap(range, itertools.pairwise(options.start))):
        rows = np.array(option, np.int64)
        streams = [int(s) for s in (*options.first[rows], *options.second[rows]) if s >= 0]
        sources = [int(problem.streams.offer[s]) for s in streams]
        grids = [list(itertools.product(*(range(n + 1) for n in most[f]))) for f in sources]
        for counts in itertools.product(*grids):
            batches = {f: np.array(n, np.int64) for f, n in zip(sources, counts, strict=True)}
            used = np.zeros(problem.lines.days.shape)
            for f, n in batches.items():
                used[offers.line[f]] += offers.days[f] * n
            if (used > problem.lines.days + 1e-6).any():
                continue
            plan = Decision(rows, batches, flags)
            value = evaluate(problem, plan)
            if not value.broken:
                found.append((value.objective, plan))
    return sorted(found, key=lambda pair: pair[0])
