"""Both ends of a breakpoint at once: one process looks for plans, one proves that none are left.

A multiplier between the ends is settled by a plan or by a bound, never by both, so each side asks
at multipliers of its own: between its end and where it last did not get within its time, guessed
from how much was missing there.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING

from allocator.growth.bisect import (
    ABOVE,
    HIGHEST,
    LOWEST,
    WITHIN,
    Bracket,
    PortfolioAsk,
)
from allocator.growth.case import Case
from allocator.growth.demand import Growth
from allocator.growth.service import CLOSE, Probe, best_of
from allocator.tradeoff.crew import Crew, Job, Report, Stop

if TYPE_CHECKING:
    from models.result import Decision

#: Shares of the time left after which the sides tell each other where they stand.
ROUNDS = (0.5, 1.0)
#: Share of the time for one proof, and the least seconds of a side for one multiplier.
SLICE, LEAST_SLICE = 0.6, 2.0
#: Share of the time in which linear relaxations may look for an upper end, and how close.
RELAXING, RELAXED = 0.15, 0.015
#: How far below the upper end, as share of it, plans and proofs are first looked for; a proof or
#: plan that was had in less than QUICK of its time leads twice as far.
FIRST_UP, FIRST_DOWN, QUICK = 0.05, 0.02, 0.3


@dataclass(frozen=True)
class Side:
    """What one side is asked: the ends so far, plans to start from, and when to end.

    `until` is a moment of `time.time`; `high` is None where nothing is known to fail. `slope` is by
    how much relaxed service falls from one multiplier to the next, None where that is not known.
    """

    case: Case
    answer: str
    growth: Growth
    low: float
    high: float | None
    slope: float | None
    plans: tuple[Decision, ...]
    until: float


def both_sides(ask: PortfolioAsk, found: Bracket, seconds: float, crew: Crew, threads: int) -> None:
    """Close in on a breakpoint from a plan that survives; `found` takes in what is settled."""
    end = time.monotonic() + seconds
    slope = relaxed(ask, found, RELAXING * seconds)
    if found.low is None or found.width <= WITHIN:
        return
    quiet = replace(ask.case.solving, until=None, progress=None, stop=None, threads=threads)
    case = replace(ask.case, solving=quiet)

    def side(share: float) -> Side:
        assert found.low is not None
        low, high = found.low.multiplier, None if found.high is None else found.high.multiplier
        until = time.time() + share * (end - time.monotonic())
        return Side(case, ask.answer, ask.growth, low, high, slope, tuple(ask.plans), until)

    for share in ROUNDS:
        if crew.workers > 1:
            asked = side(share)
            jobs = [Job(f"{ask.answer} {way.__name__}", way, asked) for way in (ascend, descend)]
            for probes in crew.run(jobs):
                take_in(ask, found, probes or [])
        else:
            for way, half in ((ascend, 0.5 * share), (descend, share / (2.0 - share))):
                take_in(ask, found, way(side(half), None, crew.stop))
        if found.width <= WITHIN or crew.stopped():
            return


def take_in(ask: PortfolioAsk, found: Bracket, probes: list[Probe]) -> None:
    """Note probes and keep their plans."""
    for probe in probes:
        found.note(probe)
        if probe.decision is not None:
            ask.plans.append(probe.decision)


def check_above(ask: PortfolioAsk, found: Bracket) -> None:
    """Look at multiples of the upper end with the plans known: monotone or not."""
    if found.high is not None:
        for factor in ABOVE:
            growth = ask.growth.scaled(found.high.multiplier * factor)
            found.samples.append(ask.search(ask.case.quick_situation(growth)).probe())


def relaxed(ask: PortfolioAsk, found: Bracket, seconds: float) -> float | None:
    """A lower end by plans known, an upper end by linear relaxations; `slope` of Side."""
    end = time.monotonic() + seconds
    for start in (1.0, LOWEST):
        best: Probe | None = None
        for plan in ask.plans:
            best = farthest(ask, plan, start if best is None else best.multiplier) or best
        if best is not None:
            found.note(best)
            break
    passed = 1.0 if found.low is None else found.low.multiplier
    limits: dict[float, float] = {}
    while time.monotonic() < end:
        failed = None if found.high is None else found.high.multiplier
        if failed is not None and failed <= passed * (1.0 + RELAXED):
            break
        m = 2.0 * passed if failed is None else sqrt(passed * failed)
        if m > HIGHEST:
            break
        search = ask.search(ask.case.quick_situation(ask.growth.scaled(m)))
        search.relax(end - time.monotonic())
        if search.survives is None and search.limit is None:
            break  # too large to be relaxed in this time
        if search.survives is not None:
            found.note(search.probe())
        if search.survives is not False:
            passed = m
        if search.limit is not None:
            limits[m] = search.limit
    near = sorted(limits, key=lambda m: abs(limits[m] - ask.level))[:2]
    fall = [limits[m] for m in sorted(near)]
    return (fall[0] - fall[1]) / abs(near[0] - near[1]) if len(near) > 1 else None


def farthest(ask: PortfolioAsk, plan: Decision, start: float) -> Probe | None:
    """The plan at the largest multiplier from `start` on that it survives, None: not at `start`."""

    def at(m: float) -> Probe | None:
        room = ask.case.quick_situation(ask.growth.scaled(m)).room(ask.answer)
        inside, share = best_of(room, [plan])
        if share is None or share < ask.level - CLOSE:
            return None
        return Probe(m, share, None, True, inside)

    best, step = at(start), 2.0
    while best is not None and best.multiplier < HIGHEST and step > 1.0 + WITHIN / 4.0:
        further = at(min(best.multiplier * step, HIGHEST))
        if further is None:
            step = sqrt(step)
        else:
            best = further
    return best


def ascend(side: Side, progress: Report, stop: Stop) -> list[Probe]:
    """Plans that survive ever larger multipliers."""
    return _close_in(side, progress, stop, up=True)


def descend(side: Side, progress: Report, stop: Stop) -> list[Probe]:
    """Proofs that no plan survives ever smaller multipliers."""
    return _close_in(side, progress, stop, up=False)


def _close_in(side: Side, progress: Report, stop: Stop, up: bool) -> list[Probe]:
    """Move one end, `up` the lower, towards the other."""
    solving = replace(side.case.solving, progress=progress, stop=stop)
    case = replace(side.case, solving=solving)
    ask = PortfolioAsk(case, side.answer, side.growth, list(side.plans))
    low, high = side.low, side.high
    wall = high if up else low  # where this side did not get, or the other stands
    stride = FIRST_UP if up else FIRST_DOWN
    aim = None if high is None else high * (1.0 - stride)
    probes: list[Probe] = []
    # a plan that falls short is of use further down, a proof that does is of none
    each = max(LEAST_SLICE, (1.0 if up else SLICE) * (side.until - time.time()))
    while (left := side.until - time.time()) > LEAST_SLICE / 2 and not (stop and stop()):
        if high is not None and high <= low * (1.0 + WITHIN):
            break
        m = _next(low, high, wall, aim, up)
        if not LOWEST <= m <= HIGHEST:
            break
        search = ask.search(case.quick_situation(side.growth.scaled(m)))
        share = search.share or 0.0
        started, given, former = time.monotonic(), min(each, left), low
        (search.find if up else search.exclude)(given)
        spent = (time.monotonic() - started) / given
        probe = ask.kept(search)
        probes.append(probe)
        aim = None
        if up and probe.decision is not None:  # as far as it goes, be that below `m`
            reached = farthest(ask, probe.decision, m if probe.survives else low)
            if reached is not None:
                probes.append(reached)
                low = max(low, reached.multiplier)
        if probe.survives is not None:
            low, high = (max(low, m), high) if probe.survives else (low, m)
            wall = high if up and not probe.survives else wall
            stride = 2.0 * stride if spent < QUICK else FIRST_DOWN
            aim = low * (1.0 + stride) if up else m * (1.0 - stride)
        elif _close(m, low if up else high):
            if spent < 0.9:  # all was searched: more time brings no more
                break
            each *= 2.0  # as close as it gets in this time
        else:
            wall = m
            aim = _aim(ask.level, m, former, share, probe, side.slope, up)
    return probes


def _aim(
    level: float,
    m: float,
    low: float,
    before: float,
    probe: Probe,
    slope: float | None,
    up: bool,
) -> float | None:
    """Where the same effort as at `m` would settle it, on a straight line; None: not known.

    Upward the plan that keeps the level at `low` attained `before` at `m`.
    """
    if up:
        gained = (probe.on_time or 0.0) - before
        missing = level - before
        return low + (m - low) * gained / missing if missing > 0.0 else None
    if probe.limit is None or slope is None or slope <= 0.0:
        return None
    return m + (probe.limit - level) / slope


def _close(m: float, end: float | None) -> bool:
    """Whether a multiplier is about one step from an end."""
    return end is not None and abs(m / end - 1.0) <= 2.0 * WITHIN


def _next(low: float, high: float | None, wall: float | None, aim: float | None, up: bool) -> float:
    """The multiplier to ask next: `aim`, else half the way to the wall, yet worth a step."""
    step = 1.0 + WITHIN
    if up:
        if wall is None:
            return low * 1.25
        m = sqrt(low * wall) if aim is None else min(aim, wall / step)
        return max(m, min(low * step, high or HIGHEST))
    if high is None:
        return (wall or low) * 2.0
    m = sqrt((wall or low) * high) if aim is None else max(aim, (wall or low) * step)
    return min(m, max(high / step, low))
