"""What one more batch or five more line-days are worth: exact, by solving with and without.

The value is that of a plan whose programs keep their sources and shares while the CMO's lines are
scheduled anew, so only the one CMO has to be solved, to proof: only the one line where there is
neither a floor nor a rebate on the CMO's spend. Each side of the difference is a
plan and a bound, so the value is an interval: bound before less plan after, to plan before less
bound after. More days never cost more, so it is never below 0.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from allocator.growth.candidates import Candidate, candidates
from models.parts import CmoPart, cmo_part
from models.relax import relaxation
from models.restrict import with_days
from models.solve import Settings

if TYPE_CHECKING:
    from allocator.growth.answers import Answer
    from allocator.growth.case import Solving
    from models.problem import Floats, Problem
    from models.result import Decision, Result

#: Line-days of the slot that every candidate is valued with, beside one batch.
SLOT_DAYS = 5.0
#: Relative gap to which both sides are solved: values are differences, small beside the sides.
GAP = 1e-6
#: Seconds for all slot values where no limit is given.
SECONDS = 170.0


@dataclass
class Side:
    """A line with what it depends on, before anything is added: its LP's prices, a solved plan."""

    part: CmoPart
    price: Floats
    result: Result | None = None


def slot_values(
    answer: Answer, count: int, solving: Solving, seconds: float = SECONDS
) -> dict[str, Any]:
    """The `count` most promising slots with their exact values, the most valuable first."""
    end = time.monotonic() + seconds
    problem, decision = answer.compiled.problem, answer.decision
    sides = _sides(problem, decision, solving)
    rows: list[dict[str, Any]] = []
    prices = {line: side.price for line, side in sides.items()}
    chosen = candidates(problem, decision, prices, count, SLOT_DAYS)
    for number, candidate in enumerate(chosen):
        left = (end - time.monotonic()) / (len(chosen) - number)
        rows += _values(problem, decision, sides[candidate.line], candidate, solving, left)
    rows.sort(key=lambda r: (-r["value_low"], -(r["value_high"] or 0.0), r["line_id"], r["period"]))
    return {
        "answer": answer.name,
        "kept": "sources and shares; the CMO's lines are scheduled anew",
        "rules_left_out": sorted(
            rule.label for rule in problem.rules if rule.name in ("budget", "max_spend_share")
        ),
        "asked": count,
        "valued": len(chosen),
        "slots": rows,
    }


def _sides(problem: Problem, decision: Decision, solving: Solving) -> dict[int, Side]:
    """By line: the problem and the LP prices of every line that makes something.

    Lines of a CMO with a floor or rebates share one side.
    """
    sides: dict[int, Side] = {}
    cmos, lines = problem.cmos, problem.lines
    for cmo in range(len(cmos.ids)):
        joint = bool(cmos.tiers[cmo]) or bool(np.any(cmos.floor[cmo] > 0))
        mine = np.flatnonzero(lines.cmo == cmo).tolist()
        for group in [mine] if joint else [[line] for line in mine]:
            part = cmo_part(problem, decision, cmo, None if joint else group[0])
            if len(part.offers):
                loose = relaxation(part.problem, Settings(threads=solving.threads))
                sides |= dict.fromkeys(group, Side(part, loose.day_price))
    return sides


def _values(
    problem: Problem,
    decision: Decision,
    side: Side,
    candidate: Candidate,
    solving: Solving,
    seconds: float,
) -> list[dict[str, Any]]:
    """Five line-days and one batch more at one candidate."""
    part = side.part
    if side.result is None:
        side.result = _solved(part.problem, part.lower(decision), solving, seconds / 3.0)
    before = side.result
    offer = _best_batch(part.problem, candidate)
    kinds: list[tuple[str, float, str | None]] = [("line_days", SLOT_DAYS, None)]
    if offer is not None:
        days = float(part.problem.offers.days[offer])
        kinds.append(("batch", days, part.problem.offers.ids[offer]))
    rows = []
    for kind, days, offer_id in kinds:
        added = part.problem.lines.days.copy()
        added[candidate.line, candidate.period] += days
        after = _solved(with_days(part.problem, added), before.decision, solving, seconds / 3.0)
        low, high = value_interval(before, after)
        rows.append(
            {
                "line_id": problem.lines.ids[candidate.line],
                "cmo_id": problem.cmos.ids[problem.lines.cmo[candidate.line]],
                "period": problem.period_labels[candidate.period],
                "what": kind,
                "days": days,
                "offer_id": offer_id,
                "value_low": low,
                "value_high": high,
                "value_per_day": low / days,
                "dual_hint": candidate.hint * days,
                "plan_hint": candidate.saving,
            }
        )
    return rows


def _solved(problem: Problem, start: Decision | None, solving: Solving, seconds: float) -> Result:
    """One side to proof within some seconds."""
    return solving.within(max(seconds, 1.0)).run(problem, start, "slots", gap=GAP)


def value_interval(before: Result, after: Result) -> tuple[float, float | None]:
    """The least and the most (None: not known) that the added days can be worth."""
    if before.objective is None or after.objective is None:
        return 0.0, None
    low = 0.0 if before.bound is None else max(0.0, before.bound - after.objective)
    return low, None if after.bound is None else max(low, before.objective - after.bound)


def _best_batch(problem: Problem, candidate: Candidate) -> int | None:
    """The offer on the line whose batch saves most shortage per line-day; None: none is ready."""
    offers = problem.offers
    ready = [
        f
        for f in np.flatnonzero(offers.line == candidate.line).tolist()
        if offers.ready[f] <= candidate.period
        and candidate.period + offers.lag[f] < problem.periods
    ]
    price = problem.programs.shortage_price
    return max(
        ready,
        key=lambda f: (price[offers.program[f]] * offers.good_per_batch[f] / offers.days[f], -f),
        default=None,
    )
