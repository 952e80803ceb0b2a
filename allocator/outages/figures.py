"""A re-routing in the words of the tables: who is short, from when to when, at what price."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from allocator.calendar import period_months
from allocator.outages.results import ProgramShort, Proof

if TYPE_CHECKING:
    from allocator.compile import Compiled
    from models.problem import Bools, Floats, Ints
    from models.recourse import Duals, Situation


#: Share of demand by which a program may be below its level as rounding: a hair above that which
#: `models.recourse.exposure_limit` grants, so that what meets the one meets the other.
EXPOSED = 1.01e-6


def allowance(compiled: Compiled, situation: Situation) -> Floats:
    """Units that each program may be short without losing its service level, (P,)."""
    units: Floats = (1.0 - compiled.portfolio.policy.service_level) * situation.demand
    return units


def is_exposed(extra: Floats, allowed: Floats, demand: Floats) -> Bools:
    """Which programs are short beyond what is allowed, rounding aside, (P,)."""
    return np.asarray(extra > allowed + EXPOSED * demand)


def programs_short(
    compiled: Compiled, situation: Situation, batches: Ints
) -> tuple[ProgramShort, ...]:
    """Every program that a re-routing leaves short of what the plan would have supplied."""
    problem, months = compiled.problem, period_months(compiled.portfolio)
    extra = situation.extra(batches)
    allowed = allowance(compiled, situation)
    exposed = is_exposed(extra, allowed, situation.demand)
    unmet = situation.unmet(batches)
    rows = []
    for p in np.flatnonzero(extra > 0).tolist():
        until, recovered = _dates(situation, p, unmet[p], months)
        rows.append(
            ProgramShort(
                program_id=problem.programs.ids[p],
                units_short=float(extra[p]),
                months_short=float(extra[p] * problem.programs.months_per_unit[p]),
                share_short=float(extra[p] / situation.demand[p]),
                allowed_units=float(allowed[p]),
                exposed=bool(exposed[p]),
                months_until_short=until,
                months_until_recovered=recovered,
                money=float(extra[p] * problem.programs.shortage_price[p]),
            )
        )
    return tuple(sorted(rows, key=lambda row: (-row.money, row.program_id)))


def _dates(situation: Situation, p: int, unmet: Floats, months: int) -> tuple[float, float | None]:
    """Months from the start until demand is first missed, and until it is served again.

    Within a period demand is even and served from its start on. Only what is missed beyond the
    plan's own unmet demand counts.
    """
    start, periods = situation.start, situation.position.problem.periods
    demand = situation.position.problem.programs.demand[p]
    more = unmet - situation.position.unmet[p]
    missed = [t for t in range(start, periods) if more[t] > 1e-9 * max(demand[t], 1.0)]
    first, last = missed[0], missed[-1]
    until = (first - start + 1.0 - min(1.0, more[first] / demand[first])) * months
    return until, None if last == periods - 1 else (last + 1.0 - start) * months


def changes(compiled: Compiled, situation: Situation, batches: Ints) -> dict[str, dict[str, int]]:
    """Batches of a re-routing where they differ from the plan's, by offer and period."""
    problem, position = compiled.problem, situation.position
    found: dict[str, dict[str, int]] = {}
    for a, t in np.argwhere(batches != position.planned).tolist():
        if t >= situation.start:
            offer_id = problem.offers.ids[int(position.offers[a])]
            found.setdefault(offer_id, {})[problem.period_labels[t]] = int(batches[a, t])
    return found


def proof(compiled: Compiled, bound: float, duals: Duals | None) -> Proof:
    """A linear bound with the numbers that prove it."""
    if duals is None or bound <= 0:
        return Proof(0.0)
    problem = compiled.problem
    labels, programs, lines = problem.period_labels, problem.programs.ids, problem.lines.ids
    return Proof(
        bound=bound,
        flow={
            (programs[p], labels[t]): float(duals.flow[p, t])
            for p, t in np.argwhere(duals.flow > 0).tolist()
        },
        line_days={
            (lines[row], labels[t]): float(duals.line_days[row, t])
            for row, t in np.argwhere(duals.line_days > 0).tolist()
        },
        short={
            programs[p]: float(duals.short[p]) for p in np.flatnonzero(duals.short > 0).tolist()
        },
    )
