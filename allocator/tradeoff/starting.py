"""Starts for a plan: plans that exist, and a quick plan with sources that look right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from allocator.compile import Compiled
    from allocator.engine import Clock
    from allocator.tradeoff.limits import Limited
    from allocator.tradeoff.tasks import Task
    from models.problem import Bools, Problem
    from models.result import Decision
    from models.solve import Settings

#: Program and its sources as (offer id, share), for every program.
Guide = tuple[tuple[str, tuple[tuple[str, float], ...]], ...]
#: Share of the time limit for the plan of a guide, and for that of a pool.
GUIDE_SHARE, POOL_SHARE = 0.25, 0.6


def prepared(
    task: Task, limited: Limited, compiled: Compiled, start: Decision | None, settings: Settings
) -> Decision | None:
    """The better of a start and the quick plan that the task's guide or pool allows."""
    if task.guide:
        keep = _guided(limited.problem, task.guide)
        share = GUIDE_SHARE
    elif task.pool:
        keep = _pooled(limited, compiled, task.pool)
        share = POOL_SHARE
    else:
        return start
    if keep is None:
        return start
    from models.finish import best_plan
    from models.restrict import keep_options
    from models.solve import solve

    few = keep_options(limited.problem, keep)
    limit = None if settings.time_limit is None else share * settings.time_limit
    begin = None if start is None else few.lower(start)
    found = solve(few.problem, "highs", replace(settings, time_limit=limit), begin).decision
    return best_plan(limited.problem, [start, None if found is None else few.lift(found)])[0]


def left(limit: float | None, clock: Clock) -> float | None:
    """What the phases since compiling have left of a time limit, at least a second."""
    clock.lap("start")
    return None if limit is None else max(1.0, limit - clock.seconds["start"])


def _guided(problem: Problem, guide: Guide) -> Bools | None:
    """The options (O,) that a guide names; None where one is not allowed."""
    from allocator.replay import option_row

    offers = {offer_id: row for row, offer_id in enumerate(problem.offers.ids)}
    programs = {program_id: row for row, program_id in enumerate(problem.programs.ids)}
    keep = np.zeros(len(problem.options.program), np.bool_)
    for program_id, sources in guide:
        wanted = [(offers.get(offer_id, -1), share) for offer_id, share in sources]
        row = option_row(problem, programs[program_id], wanted)
        if row is None or problem.banned[row]:
            return None
        keep[row] = True
    return keep


def _pooled(limited: Limited, compiled: Compiled, runs: Sequence[Path]) -> Bools | None:
    """The options (O,) that some of the runs chose; None where they chose but one per program."""
    problem = limited.problem
    keep = np.zeros(len(problem.options.program), np.bool_)
    for run in runs:
        plan = read_decision(compiled.problem, run)
        lowered = None if plan is None else limited.lower(plan)
        if lowered is not None:
            keep[lowered.option] = True
    return np.asarray(keep) if keep.sum() > len(problem.programs.ids) else None


def best_start(limited: Limited, compiled: Compiled, runs: Sequence[Path]) -> Decision | None:
    """The cheapest of the plans of some runs that keeps every rule and limit, if any does."""
    from models.finish import best_plan

    found = [read_decision(compiled.problem, run) for run in runs]
    lowered = [None if plan is None else limited.lower(plan) for plan in found]
    return best_plan(limited.problem, lowered)[0]


def read_decision(problem: Problem, run: Path) -> Decision | None:
    """The plan of a run in the rows of `problem`; None where there is none or it does not fit."""
    from allocator.errors import Usage
    from allocator.files import read_plan
    from allocator.replay import decision_of_plan

    try:
        plan = read_plan(run)
        return None if plan["objective"] is None else decision_of_plan(problem, plan)
    except (Usage, KeyError):
        return None
