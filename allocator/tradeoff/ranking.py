"""What a second source of one program costs and buys while all other programs keep theirs.

The other programs keep their sources, not their schedules: batches of all programs are planned
anew, so that what the second source takes from their lines is counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from allocator.tradeoff.crew import Report, Stop
from allocator.tradeoff.kept import keep, key_of, read_kept
from allocator.tradeoff.worst_outage import worst_outage
from models.result import Decision

if TYPE_CHECKING:
    from allocator.replay import FinishedRun
    from models.problem import Bools, Problem
    from models.restrict import Restricted

#: The rule that all other programs keep their sources, which needs no naming.
KEPT = "kept sources"
#: Share of a trial's time limit for the outages of the plan with one source, and with two.
OUTAGE_SHARE = 0.25
#: Relative gap to which these small problems are solved: what they tell apart is small too.
FINE_GAP = 1e-4


@dataclass(frozen=True)
class Trial:
    """The plan of run `base`, `program_id` with two sources (blank: as it is, schedules anew).

    `cache` is the file that keeps the answer.
    """

    base: Path
    program_id: str
    solver: str
    time_limit: float | None
    seed: int
    cache: Path


def try_second(trial: Trial, progress: Report = None, stop: Stop = None) -> dict[str, Any] | None:
    """Cost, risk, worst outage and sources of a trial; None where it was stopped.

    `status` is `found`; `infeasible`, with the rules in `conflict`, where no pair fits beside the
    sources of the others; or `no_plan` where none was found in time. `cost` is cash and shortage,
    `least_cost` what is proven of it, `risk` money before `risk_weight`.
    """
    asked = [trial.program_id, trial.solver, trial.time_limit, trial.seed]
    key = key_of(trial.base, asked)
    known = (read_kept(trial.cache, key) or {}).get("found")
    if isinstance(known, dict):
        return known
    found = _solve(trial, progress, stop)
    if stop is not None and stop():
        return found if found["status"] == "found" else None
    keep(trial.cache, key, {"found": found})
    return found


def _solve(trial: Trial, progress: Report, stop: Stop) -> dict[str, Any]:
    from allocator.replay import read_finished
    from models.evaluate import evaluate
    from models.restrict import keep_options
    from models.solve import Settings, solve

    run = read_finished(trial.base)
    problem = run.compiled.problem
    fixed = keep_options(problem, _kept(problem, run.decision, trial.program_id), KEPT)
    settings = Settings(trial.time_limit, FINE_GAP, 1, trial.seed, progress, stop)
    start = _start(fixed, run.decision)
    solved = solve(fixed.problem, trial.solver, settings, start)
    if solved.decision is None:
        rules = [rule for rule in solved.conflict if rule != KEPT]
        return {"status": solved.status, "conflict": rules}
    decision = fixed.lift(solved.decision)
    value = evaluate(problem, decision)
    risk = float(problem.options.risk_cost[decision.option].sum())
    least = None
    if solved.bound is not None:
        least = min(value.objective, solved.bound) - value.risk
    return {
        "status": "found",
        "cost": value.cash_cost + value.shortage_cost,
        "least_cost": least,
        "risk": risk,
        "objective": value.objective,
        "lost_months": _lost(problem, decision, trial.program_id),
        "sources": _sources(problem, decision, trial.program_id),
        **_worst(trial, run, decision, stop),
    }


def _worst(trial: Trial, run: FinishedRun, decision: Decision, stop: Stop) -> dict[str, Any]:
    """The worst outage of the program's own sources in the plan with one, and in that with two."""
    if not trial.program_id:
        return {}
    limit = None if trial.time_limit is None else OUTAGE_SHARE * trial.time_limit
    one = worst_outage(run.compiled, run.decision, trial.program_id, limit, stop)
    two = worst_outage(run.compiled, decision, trial.program_id, limit, stop)
    return one.stated("one") | two.stated("two")


def _start(fixed: Restricted, decision: Decision) -> Decision | None:
    """The plan as it was; the program on trial takes the pair that fits it best as it stands."""
    from models.finish import best_plan

    asis = fixed.lower(decision)
    if asis is not None:
        return asis
    options = fixed.problem.options
    place = {row: i for i, row in enumerate(fixed.options.tolist())}
    chosen = [place.get(row, -1) for row in decision.option.tolist()]
    moved = chosen.index(-1)
    offers = {row: f for f, row in enumerate(fixed.offers.tolist())}
    batches = {offers[f]: n for f, n in decision.batches.items() if f in offers}
    plans = []
    for row in range(int(options.start[moved]), int(options.start[moved + 1])):
        rows = np.array([row if o < 0 else o for o in chosen], np.int64)
        streams = np.concatenate([options.first[rows], options.second[rows]])
        used = set(fixed.problem.streams.offer[streams[streams >= 0]].tolist())
        kept = {f: n for f, n in batches.items() if f in used}
        plans.append(Decision(rows, kept, decision.expanded))
    return best_plan(fixed.problem, plans)[0]


def _kept(problem: Problem, decision: Decision, program_id: str) -> Bools:
    """Options (O,) of a trial: those chosen, but for the program on trial all with two sources."""
    options = problem.options
    keep = np.zeros(len(options.program), np.bool_)
    keep[decision.option] = True
    if program_id:
        mine = options.program == problem.programs.ids.index(program_id)
        keep[mine] = (options.second >= 0)[mine] & ~problem.banned[mine]
    return keep


def _lost(problem: Problem, decision: Decision, program_id: str) -> float | None:
    if not program_id:
        return None
    row = decision.option[problem.programs.ids.index(program_id)]
    return float(problem.options.lost_months[row])


def _sources(problem: Problem, decision: Decision, program_id: str) -> list[list[Any]]:
    """Offer id and share of each source of the program on trial, primary first."""
    if not program_id:
        return []
    options, streams = problem.options, problem.streams
    row = decision.option[problem.programs.ids.index(program_id)]
    return [
        [problem.offers.ids[int(streams.offer[s])], float(streams.share[s])]
        for s in (int(options.first[row]), int(options.second[row]))
        if s >= 0
    ]


def has_pair(problem: Problem, program_id: str) -> bool:
    """Whether the rules allow the program any two sources."""
    options = problem.options
    mine = options.program == problem.programs.ids.index(program_id)
    return bool((mine & (options.second >= 0) & ~problem.banned).any())
