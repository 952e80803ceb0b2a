"""Breakpoints: the largest multiplier of demand that each answer survives, for all and for each."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from allocator.growth.abreast import SMALL
from allocator.growth.bisect import HIGHEST, LOWEST, WITHIN, Bracket, PortfolioAsk, bracket
from allocator.growth.case import ANSWERS, Case, Situation
from allocator.growth.demand import Growth
from allocator.growth.service import Probe
from allocator.growth.sides import both_sides, check_above
from allocator.growth.single import beside_others, own_probe, stretched_own_probe
from allocator.growth.why import explain, unmet_units
from allocator.tradeoff.crew import Crew

if TYPE_CHECKING:
    from collections.abc import Sequence

    from allocator.growth.answers import Answer
    from models.problem import Floats
    from models.result import Decision

#: Seconds for all breakpoints where nothing else is asked, and the share for single programs.
SECONDS, PROGRAM_SHARE = 270.0, 0.25
#: A probe of the portfolio gets at least this share of its answer's time.
PROBE_SHARE = 0.15
#: Steps of the curve of the stretched schedule from one multiple of today's demand to the next.
STEPS = 10


def breakpoints(
    case: Case, growth: Growth, seconds: float = SECONDS, known: Sequence[Decision] = ()
) -> dict[str, Any]:
    """`portfolio` and `programs`: a breakpoint for each answer, and the `curve` of all probes.

    `known` are plans to start from, in the rows of the whole problem.
    """
    end = time.monotonic() + seconds
    before = _todays_shares(case)
    programs = []
    for program in range(len(case.compiled.problem.programs.ids)):
        if case.compiled.problem.programs.demand[program].sum() > 0:
            left = end - time.monotonic() - (1.0 - PROGRAM_SHARE) * seconds
            programs += _of_program(case, growth, program, before, left)
    brackets = _of_all(case, growth, end, known)
    curve = [
        _point(answer, probe)
        for answer, found in zip(ANSWERS, brackets, strict=True)
        for probe in _in_order(found.samples)
    ]
    _share_highs(brackets)
    portfolio = [
        _row(case, growth, answer, None, found, before)
        for answer, found in zip(ANSWERS, brackets, strict=True)
    ]
    return {"within": WITHIN, "portfolio": portfolio, "programs": programs, "curve": curve}


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
                first = None if low is None else low.multiplier
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
        if later.high is not None and (
            earlier.high is None or later.high.multiplier < earlier.high.multiplier
        ):
            earlier.note(replace(later.high, on_time=None, decision=None))


def _todays_shares(case: Case) -> Floats:
    """Share of demand that today's plan leaves unmet at today's demand, (P, T)."""
    problem = case.compiled.problem
    wanted = np.maximum(problem.programs.demand.sum(1), 1e-12)
    shares: Floats = unmet_units(problem, case.decision) / wanted[:, None]
    return shares


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

        found = bracket(ask, seconds, seconds)
        rows.append(_row(case, growth, answer, program_id, found, before))
    return rows


def _in_order(samples: list[Probe]) -> list[Probe]:
    return sorted(samples, key=lambda probe: probe.multiplier)


def _point(answer: str, probe: Probe) -> dict[str, Any]:
    """A point of the curve of service over the multiplier."""
    return {
        "answer": answer,
        "multiplier": probe.multiplier,
        "on_time_share": probe.on_time,
        "on_time_limit": probe.limit,
        "survives": probe.survives,
    }


def curve_of(
    case: Case, points: Sequence[dict[str, Any]], growth: Growth, answers: Sequence[Answer]
) -> list[dict[str, Any]]:
    """The probes, today's schedule stretched to even steps, and the four answers, in order.

    The answers are points of the curve only where all demand grows alike.
    """
    rows = list(points)
    ask = PortfolioAsk(case, "stretched", growth, [])
    rows += [_point("stretched", ask(1.0 + step / STEPS, 1.0)) for step in range(2 * STEPS + 1)]
    if not growth.programs and not growth.forms:
        rows += [
            _point(a.name, Probe(growth.demand, a.plan["on_time_share"], None, None, None))
            for a in answers
            if a.name != "stretched"
        ]
    return sorted(rows, key=lambda row: (ANSWERS.index(row["answer"]), row["multiplier"]))


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
    tried = [probe for probe in (high, *reversed(found.open)) if probe is not None]
    failing = next((p for p in tried if p.decision is not None), None)
    first: dict[str, Any] | None = None
    sentences: list[str] = []
    if failing is not None:
        first, sentences = _why(case, growth, answer, program_id, failing, before)
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
    failing: Probe,
    before: Floats,
) -> tuple[dict[str, Any] | None, list[str]]:
    """What breaks first at the multiplier that fails."""
    m = failing.multiplier
    shape = growth.scaled(m) if program_id is None else program_growth(growth, program_id, m)
    situation: Situation = case.quick_situation(shape)
    room = situation.room(answer)
    plan: Decision | None = failing.decision
    inside = None if plan is None else room.lower(plan)
    return (None, []) if inside is None else explain(room.problem, inside, before)
