"""The plan that actions are taken from: of the last answer's room, the service level kept.

The last answer is the cheapest plan, and where shortage costs less than serving it may leave more
unmet than the policy's service level allows, though a plan that keeps it exists.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from allocator.growth.answers import LOSES_MONTHS, Answer, answer_of, with_bound
from allocator.growth.service import CLOSE, Search, best_of
from models.evaluate import evaluate
from models.result import Result

if TYPE_CHECKING:
    from allocator.growth.case import Situation
    from models.result import Decision

#: Seconds where no limit is given.
SECONDS = 45.0
#: Shares of the time for the linear relaxation, which may prove that no plan keeps the level, and
#: for finding one that does; the rest makes it cheaper.
RELAXING, SEEKING = 0.15, 0.5
#: Multiples of what shortage costs at which a cheaper plan that keeps the level is looked for.
PRICES = (1.5, 2.0, 3.0, 5.0, 10.0, 30.0)


@dataclass(frozen=True)
class Level:
    """The plan to act on: `answer` is the last answer itself, or a dearer one named "level".

    `keeps` tells whether it keeps the level; where not, `excluded` whether no plan does (else none
    was found). `costs_more` is its objective less that of the last answer, money.
    """

    answer: Answer
    keeps: bool
    excluded: bool
    costs_more: float

    def figures(self) -> dict[str, Any]:
        """What capacity.json says of the plan beside its actions."""
        return {
            "service_level": self.answer.compiled.portfolio.policy.service_level,
            "on_time_share": self.answer.plan["on_time_share"],
            "keeps_level": self.keeps,
            "level_excluded": self.excluded,
            "costs_more": self.costs_more,
            "unmet": unmet_programs(self.answer),
        }


def unmet_programs(answer: Answer) -> list[dict[str, Any]]:
    """Programs with months of supply missing, the dearest first; given up: without a source."""
    rows = [
        {
            "program_id": row["program_id"],
            "months_short": row["months_short"],
            "shortage": row["costs"]["shortage"],
            "given_up": not row["sources"],
        }
        for row in answer.plan["programs"]
        if row["months_short"] > LOSES_MONTHS
    ]
    return sorted(rows, key=lambda r: (-r["shortage"], r["program_id"]))


def level_plan(situation: Situation, answers: Sequence[Answer], seconds: float) -> Level:
    """The last answer where it keeps the level, else a plan that does, else the last answer."""
    last = answers[-1]
    level = situation.case.portfolio.policy.service_level
    share = last.plan["on_time_share"]
    if share is None or share >= level - CLOSE:  # None: nothing is demanded
        return Level(last, True, False, 0.0)
    end = time.monotonic() + seconds
    known = [a.decision for a in answers]
    search = Search(situation, last.name, level, known, situation.case.solving)
    search.relax(RELAXING * seconds)
    search.seek(SEEKING * (end - time.monotonic()))
    decision = None if search.survives is False else _cheapest(search, end)
    if decision is None:
        return Level(last, False, search.survives is False, 0.0)
    value = _cost(search, decision)
    found = Result("feasible", "time", decision, value, None, last.result.solver, 0.0)
    result = with_bound(found, last.result.bound, situation.case.solving.gap)
    answer = answer_of("level", last.compiled, result, situation.case)
    return Level(answer, True, False, value - (last.result.objective or 0.0))


def _cheapest(search: Search, end: float) -> Decision | None:
    """The cheapest plan found that keeps the level, in the rows of the whole problem.

    Each multiple of what shortage costs gives a plan that is cheapest for the service it has; the
    first that keeps the level need not be dearer than those after it.
    """
    room, problem = search.room, search.room.problem
    best = search.best if search.survives else None
    for number, factor in enumerate(PRICES):
        left = (end - time.monotonic()) / (len(PRICES) - number)
        if left <= 0.1:
            break
        price = problem.programs.shortage_price * factor
        dear = replace(problem, programs=replace(problem.programs, shortage_price=price))
        start = best or search.best
        inside = None if start is None else room.lower(start)
        result = search.solving.within(left).run(dear, inside, search.phase)
        if result.decision is None:
            continue
        plan, share = best_of(room, [room.lift(result.decision)])
        if plan is None or share is None or share < search.level - CLOSE:
            continue
        if best is None or _cost(search, plan) < _cost(search, best):
            best = plan
        if result.status == "optimal":
            break
    return best


def _cost(search: Search, decision: Decision) -> float:
    """All cost of a decision that the room allows, at what shortage really costs."""
    inside = search.room.lower(decision)
    assert inside is not None
    return evaluate(search.room.problem, inside).objective
