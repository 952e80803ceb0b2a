"""Breakpoints: the largest multiplier of demand that each answer survives, for all and for each."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
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
from allocator.growth.closing import both_sides, check_above
from allocator.growth.demand import Growth
from allocator.growth.service import Probe, best_of
from allocator.growth.sides import Loose, relax
from allocator.growth.single import beside_others, own_probe, stretched_own_probe
from allocator.growth.why import explain
from allocator.tradeoff.crew import Crew, Job, Report, Stop
from models.solve import Progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.problem import Floats
    from models.result import Decision

#: Seconds for all breakpoints where nothing else is asked, and the most shares of them for single
#: programs and for the linear relaxations of an answer.
SECONDS, PROGRAM_SHARE, RELAXING = 290.0, 0.25, 0.05
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
    solving = case.solving
    large = _large(case)
    quiet = replace(case, solving=replace(solving, until=None, progress=None, stop=None, threads=1))
    plans = (case.decision, *known)
    workers = min(2, solving.threads) if large else 1
    with Crew(workers, solving.progress, solving.stop) as crew:
        most = RELAXING * seconds
        jobs = [Job("single programs", of_programs, Alone(quiet, growth, PROGRAM_SHARE * seconds))]
        jobs += [
            Job(f"{answer} relaxed", relax, Loose(quiet, answer, growth, plans, most))
            for answer in ANSWERS[1:]
            if large
        ]
        alone, *found = crew.run(jobs)
        loose: list[list[Probe]] = [[] for _ in ANSWERS]
        loose[1 : 1 + len(found)] = [each or [] for each in found]
        brackets = _of_all(case, growth, end, list(plans), loose, crew)
    programs = alone or of_programs(Alone(quiet, growth, 0.0))  # None: not begun before a stop
    probes = {a: tuple(b.samples) for a, b in zip(ANSWERS, brackets, strict=True)}
    _share_highs(brackets)
    portfolio = [
        _row(case, growth, answer, None, found, before)
        for answer, found in zip(ANSWERS, brackets, strict=True)
    ]
    return {"within": WITHIN, "portfolio": portfolio, "programs": programs, "probes": probes}


def _large(case: Case) -> bool:
    """Whether processes of their own, and relaxations first, are worth their time."""
    return case.compiled.problem.max_batches.size > SMALL


def _of_all(
    case: Case,
    growth: Growth,
    end: float,
    plans: list[Decision],
    loose: Sequence[list[Probe]],
    crew: Crew,
) -> list[Bracket]:
    """The ends of each answer when all demand grows; plans of one answer are plans of the next.

    `loose` are the probes of each answer by linear relaxation, on large problems.
    """
    asks = [PortfolioAsk(case, answer, growth, plans) for answer in ANSWERS]
    apart = 1 if _large(case) else len(asks)  # answers that are bisected one after the other
    brackets: list[Bracket] = []
    for number, ask in enumerate(asks[:apart]):
        left = max((end - time.monotonic()) / (len(asks) - number), 1.0)
        low = brackets[-1].low if brackets else None
        first = [] if low is None else [low.multiplier]
        first = [*EVEN] if ask.answer == "stretched" else first
        if LOWEST <= growth.demand <= HIGHEST:
            first.append(growth.demand)  # the very question
        brackets.append(bracket(ask, left, max(1.0, PROBE_SHARE * left), first))
        _keep_plan(brackets[-1], plans)
    rest = [Bracket() for _ in asks[apart:]]
    both_sides(asks[apart:], rest, loose[apart:], end - time.monotonic(), crew)
    for ask, found in zip(asks[apart:], rest, strict=True):
        check_above(ask, found)
        _keep_plan(found, plans)
    return [*brackets, *rest]


def _keep_plan(found: Bracket, plans: list[Decision]) -> None:
    """The plan that survives farthest is one to start from."""
    if found.low is not None and found.low.decision is not None:
        plans.append(found.low.decision)


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


@dataclass(frozen=True)
class Alone:
    """What `of_programs` is asked: whose programs, which growth, and the most seconds."""

    case: Case
    growth: Growth
    seconds: float


def of_programs(asked: Alone, progress: Report = None, stop: Stop = None) -> list[dict[str, Any]]:
    """Rows of single programs, each growing alone: a row per answer; without ends after time."""
    end = time.monotonic() + asked.seconds
    case, problem = asked.case, asked.case.compiled.problem
    before = unmet_shares(problem, case.decision)
    rows = []
    for program, program_id in enumerate(problem.programs.ids):
        if problem.programs.demand[program].sum() > 0:
            over = stop is not None and stop()
            left = 0.0 if over else end - time.monotonic()
            rows += _of_program(case, asked.growth, program, before, left)
            if progress is not None:
                done = f"{program_id} alone, {program + 1} of {len(problem.programs.ids)}"
                progress(Progress(asked.seconds - end + time.monotonic(), None, None, done))
    return rows


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
