"""Breakpoints: the largest multiplier of demand that each answer survives, for all and for each."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from allocator.growth.abreast import SMALL
from allocator.growth.bisect import (
    HIGHEST,
    LOWEST,
    WITHIN,
    Bracket,
    PortfolioAsk,
    bracket,
    stretched_plan,
)
from allocator.growth.bottleneck import unmet_shares
from allocator.growth.case import ANSWERS, Case
from allocator.growth.demand import Growth
from allocator.growth.service import Probe, best_of
from allocator.growth.sides import both_sides, check_above
from allocator.growth.single import beside_others, own_probe, stretched_own_probe
from allocator.growth.why import explain
from allocator.tradeoff.crew import Crew

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.problem import Floats
    from models.result import Decision

#: Seconds for all breakpoints where nothing else is asked, and the share for single programs.
SECONDS, PROGRAM_SHARE = 270.0, 0.25
#: A probe of the portfolio gets at least this share of its answer's time.
PROBE_SHARE = 0.15
#: Multipliers at which the stretched schedule is computed: a rule makes it, so it need not serve a
#: smaller share where more is demanded.
EVEN = tuple(step / 10 for step in range(1, 31))
#: Relative difference below which two multipliers are one.
SAME = 1e-6


def breakpoints(
    case: Case, growth: Growth, seconds: float = SECONDS, known: Sequence[Decision] = ()
) -> dict[str, Any]:
    """`portfolio` and `programs`: a breakpoint for each answer, and `probes`: all by answer.

    `known` are plans to start from, in the rows of the whole problem.
    """
    end = time.monotonic() + seconds
    before = unmet_shares(case.compiled.problem, case.decision)
    programs = []
    for program in range(len(case.compiled.problem.programs.ids)):
        if case.compiled.problem.programs.demand[program].sum() > 0:
            left = end - time.monotonic() - (1.0 - PROGRAM_SHARE) * seconds
            programs += _of_program(case, growth, program, before, left)
    brackets = _of_all(case, growth, end, known)
    probes = {a: tuple(b.samples) for a, b in zip(ANSWERS, brackets, strict=True)}
    _share_highs(brackets)
    portfolio = [
        _row(case, growth, answer, None, found, before)
        for answer, found in zip(ANSWERS, brackets, strict=True)
    ]
    return {"within": WITHIN, "portfolio": portfolio, "programs": programs, "probes": probes}


def _of_all(case: Case, growth: Growth, end: float, known: Sequence[Decision]) -> list[Bracket]:
    """The ends of each answer when all demand grows; plans of one answer are plans of the next."""
    solving = case.solving
    plans: list[Decision] = [case.decision, *known]
    brackets: list[Bracket] = []
    large = case.compiled.problem.max_batches.size > SMALL
    with Crew(min(2, solving.threads), solving.progress, solving.stop) as crew:
        for number, answer in enumerate(ANSWERS):
            ask = PortfolioAsk(case, answer, growth, plans)
            left = max((end - time.monotonic()) / (len(ANSWERS) - number), 1.0)
            if large and answer != "stretched":
                found = Bracket()
                both_sides(ask, found, left, crew, max(1, solving.threads // 2))
                check_above(ask, found)
            else:
                low = brackets[-1].low if brackets else None
                first = [] if low is None else [low.multiplier]
                first = [*EVEN] if answer == "stretched" else first
                if LOWEST <= growth.demand <= HIGHEST:
                    first.append(growth.demand)  # the very question
                found = bracket(ask, left, max(1.0, PROBE_SHARE * left), first)
            if found.low is not None and found.low.decision is not None:
                plans.append(found.low.decision)
            brackets.append(found)
    return brackets


def _share_highs(brackets: Sequence[Bracket]) -> None:
    """What fails where more is allowed fails where less is: upper ends hold for earlier answers.

    The stretched schedule keeps its own, which is known exactly.
    """
    for earlier, later in reversed(list(pairwise(brackets[1:]))):
        if later.high is None:
            continue
        fails = later.high.multiplier
        if earlier.high is None or fails < earlier.high.multiplier * (1.0 - SAME):
            earlier.note(replace(later.high, on_time=None, decision=None))


def program_growth(growth: Growth, program_id: str, multiplier: float) -> Growth:
    """Only one program grows, from the same period on and in the same steps."""
    return Growth(1.0, {program_id: multiplier}, {}, growth.since, growth.ramp)


def _of_program(
    case: Case, growth: Growth, program: int, before: Floats, seconds: float
) -> list[dict[str, Any]]:
    """The breakpoint of one program in each answer, the others as they are today."""
    program_id = case.compiled.problem.programs.ids[program]
    level = case.portfolio.policy.service_level
    if seconds <= 0.0:
        return [_row(case, growth, answer, program_id, Bracket(), before) for answer in ANSWERS]
    base = case.quick_situation(program_growth(growth, program_id, 1.0))
    rows = []
    for answer in ANSWERS:
        single = None if answer == "stretched" else beside_others(base, answer, program)

        def ask(multiplier: float, _: float, single: Any = single) -> Probe:
            now = case.quick_situation(program_growth(growth, program_id, multiplier))
            if single is None:
                return stretched_own_probe(now, program, level)
            return own_probe(single, now, level)

        found = bracket(ask, seconds, seconds, EVEN[4::5] if single is None else ())
        rows.append(_row(case, growth, answer, program_id, found, before))
    return rows


def _row(
    case: Case,
    growth: Growth,
    answer: str,
    program_id: str | None,
    found: Bracket,
    before: Floats,
) -> dict[str, Any]:
    """A breakpoint as capacity.json has it."""
    low, high = found.low, found.high
    first, sentences = _why(case, growth, answer, program_id, found, before)
    return {
        "answer": answer,
        "program_id": program_id,
        "survives": None if low is None else low.multiplier,
        "fails": None if high is None else high.multiplier,
        "proven": low is not None and high is not None and found.width <= WITHIN + 1e-9,
        "beyond": _beyond(found),
        "on_time_share": None if low is None else low.on_time,
        "on_time_limit": None if high is None else high.limit,
        "monotone": found.monotone,
        "lowest_fails": found.lowest_fails,
        "breaks_first": first,
        "why": sentences,
    }


def _beyond(found: Bracket) -> str | None:
    """Where no end was found because none lies within what was looked at."""
    if found.low is None:
        return f"below {LOWEST:g}" if found.next() is None else None
    if found.high is None:
        return f"above {HIGHEST:g}" if found.next() is None else None
    return None


def _why(
    case: Case,
    growth: Growth,
    answer: str,
    program_id: str | None,
    found: Bracket,
    before: Floats,
) -> tuple[dict[str, Any] | None, list[str]]:
    """What breaks first at the multiplier that fails, else at the last one not settled."""
    failing = found.high or (found.open[-1] if found.open else None)
    if failing is None:
        return None, []
    m = failing.multiplier
    shape = growth.scaled(m) if program_id is None else program_growth(growth, program_id, m)
    situation = case.quick_situation(shape)
    room = situation.room(answer)
    if answer == "stretched":
        plan: Decision | None = stretched_plan(situation)
    else:
        # a bound leaves no plan, so the one that survives just below is one of those asked
        known = [p.decision for p in (failing, found.low) if p is not None]
        plan = best_of(room, [d for d in known if d is not None])[0]
    inside = None if plan is None else room.lower(plan)
    if inside is None:
        return None, []
    # today's plan need not be better where less is demanded than today
    return explain(room.problem, inside, before if m > 1.0 else np.zeros_like(before))
