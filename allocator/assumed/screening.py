"""What a changed figure does to a plan and to its alternatives, without solving anything.

The present decision is valued under the changed figures. Each option of each program has an
estimate of its own cost: transfer, risk, batches at their price per good unit, and the months in
which it cannot supply. Where an alternative comes to look cheaper than the chosen option by more
than it did before, the award may flip; by how much, summed over programs, ranks the assumptions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from allocator.compile import Compiled
from allocator.replay import decision_of_plan
from models.evaluate import evaluate
from models.problem import Problem
from models.result import Decision

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Screened:
    """One side of one assumption.

    `awards_exist` says whether every chosen option can still be chosen, `plan_holds` whether its
    very batches still break no rule; `cost_change` is then what the plan costs more. `promise` is
    the estimated money by which alternatives become preferable, `drift` by how much the nearest
    one gains, whether or not that is enough.
    """

    compiled: Compiled
    decision: Decision | None
    awards_exist: bool
    plan_holds: bool
    cost_change: float | None
    promise: float
    drift: float


def own_costs(problem: Problem) -> Floats:
    """Estimated cost of each option by itself, (O,): no line is full, no batch is rounded."""
    programs, offers, streams, options = (
        problem.programs,
        problem.offers,
        problem.streams,
        problem.options,
    )
    program = offers.program[streams.offer]
    demand = programs.demand[program] * streams.shares(slice(None), problem.periods)
    price = programs.shortage_price[program]
    unit = np.minimum(offers.price / offers.good_per_batch, np.inf)[streams.offer]
    supplies = np.arange(problem.periods)[None, :] >= offers.first_supply[streams.offer][:, None]
    per_unit = np.where(supplies, np.minimum(unit, price)[:, None], price[:, None])
    of_stream = np.append((demand * per_unit).sum(axis=1), 0.0)  # row -1: no source
    missing = programs.demand.sum(axis=1) * programs.shortage_price
    made = of_stream[options.first] + of_stream[options.second]
    supply = np.where(options.first >= 0, made, missing[options.program])
    total: Floats = options.fixed_cost + problem.risk_weight * options.risk_cost + supply
    return total


def screen(
    base: Compiled, decision: Decision, plan: dict[str, object], changed: Compiled
) -> Screened:
    """Compare the plan `decision` of `base`, as plan.json tells it, under the changed figures."""
    before = evaluate(base.problem, decision).objective
    kept = decision_of_plan(changed.problem, plan)
    if kept is None or changed.problem.banned[kept.option].any():
        return Screened(changed, None, False, False, None, float("inf"), float("inf"))
    value = evaluate(changed.problem, kept)
    holds = not value.broken
    promise, drift = _promise(base, decision.option, changed, kept.option)
    return Screened(
        compiled=changed,
        decision=kept,
        awards_exist=True,
        plan_holds=holds,
        cost_change=value.objective - before if holds else None,
        promise=promise,
        drift=drift,
    )


def _promise(base: Compiled, old: Ints, changed: Compiled, new: Ints) -> tuple[float, float]:
    """Estimated money by which alternatives become preferable, and the largest gain of one."""
    problem = changed.problem
    program = problem.options.program
    cost = own_costs(problem)
    after = cost - cost[new][program]  # how much dearer than the chosen one
    cost = own_costs(base.problem)
    margin = cost - cost[old][base.problem.options.program]
    before = _matched(base, margin, changed)
    fallen = np.minimum(before, 0.0) - after
    gain = np.where(np.isfinite(before), before - after, -after)
    allowed = ~problem.banned
    best = np.zeros(len(new))
    np.maximum.at(best, program[allowed], fallen[allowed])
    return float(best.sum()), float(np.max(gain[allowed], initial=0.0))


def _matched(base: Compiled, margin: Floats, changed: Compiled) -> Floats:
    """Margins of the base in the changed problem's rows, infinite for options that are new."""
    same = base.offer_ids == changed.offer_ids and base.sourcing == changed.sourcing
    if same and len(margin) == len(changed.problem.options.program):
        return margin
    known = dict(zip(_keys(base.problem), margin.tolist(), strict=True))
    return np.array([known.get(key, np.inf) for key in _keys(changed.problem)], np.float64)


def _keys(problem: Problem) -> list[tuple[object, ...]]:
    """Names of the options: program, and offers with their shares."""
    options, streams = problem.options, problem.streams
    names = [
        (problem.offers.ids[f], round(s, 6))
        for f, s in zip(streams.offer.tolist(), streams.share.tolist(), strict=True)
    ]
    names.append(("", 0.0))
    return [
        (problem.programs.ids[p], names[one], names[two])
        for p, one, two in zip(
            options.program.tolist(), options.first.tolist(), options.second.tolist(), strict=True
        )
    ]
