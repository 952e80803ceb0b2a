"""Both ends of a breakpoint at once: one process looks for plans, one proves that none are left.

A multiplier between the ends is settled by a plan or by a bound, never by both, so each side asks
at multipliers of its own, and ends what the other has settled meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from tempfile import TemporaryDirectory
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
from allocator.growth.ends import Ends, Pace
from allocator.growth.service import CLOSE, Probe, Search, best_of
from allocator.tradeoff.crew import Crew, Job, Report, Stop

if TYPE_CHECKING:
    from models.result import Decision

#: Shares of the time left after which the sides take turns in one process.
ROUNDS = (0.5, 1.0)
#: What keeps rounding from leaving the ends a little too far apart.
SAME = 1e-9
#: The least seconds of a side for one multiplier.
LEAST_SLICE = 2.0
#: How close linear relaxations look for where they fail themselves.
RELAXED = 0.015
#: How far below the upper end, as share of it, plans and proofs are first looked for at least. A
#: proof that took less than EASY of the time leads twice as far down as the one before, one that
#: took less than QUICK as far, else half as far.
FIRST_UP, FIRST_DOWN, EASY, QUICK = 0.05, 0.02, 0.04, 0.3


@dataclass(frozen=True)
class Side:
    """What one side is asked: the ends so far, plans to start from, and when to end.

    `until` is a moment of `time.time`; `high` is None where nothing is known to fail. `slope` is by
    how much relaxed service falls per unit of the multiplier, None where that is not known. Both
    sides tell each other in `folder` where they stand.
    """

    case: Case
    answer: str
    growth: Growth
    low: float
    high: float | None
    slope: float | None
    plans: tuple[Decision, ...]
    until: float
    folder: str


def both_sides(
    ask: PortfolioAsk, found: Bracket, loose: Sequence[Probe], seconds: float, crew: Crew
) -> None:
    """Close in on a breakpoint from a plan that survives; `found` takes in what is settled.

    `loose` are probes by linear relaxation (`relax`).
    """
    end = time.monotonic() + seconds
    start_low(ask, found)
    for probe in loose:
        if probe.survives is not None:
            found.note(probe)
    slope = slope_of(loose, ask.level)
    if found.low is None or found.width <= WITHIN:
        return
    threads = max(1, ask.case.solving.threads // 2)
    quiet = replace(ask.case.solving, until=None, progress=None, stop=None, threads=threads)
    case = replace(ask.case, solving=quiet)
    with TemporaryDirectory() as folder:

        def side(share: float) -> Side:
            assert found.low is not None
            low, high = found.low.multiplier, None if found.high is None else found.high.multiplier
            until = time.time() + share * (end - time.monotonic())
            plans = tuple(ask.plans)
            return Side(case, ask.answer, ask.growth, low, high, slope, plans, until, folder)

        if crew.workers > 1:
            asked = side(1.0)
            jobs = [Job(f"{ask.answer} {way.__name__}", way, asked) for way in (ascend, descend)]
            for probes in crew.run(jobs):
                take_in(ask, found, probes or [])
            return
        for share in ROUNDS:
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


@dataclass(frozen=True)
class Loose:
    """What `relax` is asked: the question, plans known, and the most seconds."""

    case: Case
    answer: str
    growth: Growth
    plans: tuple[Decision, ...]
    seconds: float


def relax(asked: Loose, progress: Report, stop: Stop) -> list[Probe]:
    """Probes by linear relaxation alone, nearer and nearer to where the relaxation itself fails."""
    end = time.monotonic() + asked.seconds
    case = replace(asked.case, solving=replace(asked.case.solving, progress=progress, stop=stop))
    ask = PortfolioAsk(case, asked.answer, asked.growth, list(asked.plans))
    found = Bracket()
    start_low(ask, found)
    passed = 1.0 if found.low is None else found.low.multiplier
    probes: list[Probe] = []
    while time.monotonic() < end:
        failed = None if found.high is None else found.high.multiplier
        if failed is not None and failed <= passed * (1.0 + RELAXED):
            break
        m = 2.0 * passed if failed is None else sqrt(passed * failed)
        if m > HIGHEST:
            break
        search = ask.search(case.quick_situation(ask.growth.scaled(m)))
        search.relax(end - time.monotonic())
        if search.survives is None and search.limit is None:
            break  # too large to be relaxed in this time
        probe = search.probe()
        probes.append(probe)
        if probe.survives is not None:
            found.note(probe)
        if probe.survives is not False:
            passed = m
    return probes


def slope_of(loose: Sequence[Probe], level: float) -> float | None:
    """How much relaxed service falls per unit of the multiplier near a level; None: not known."""
    limits = {p.multiplier: p.limit for p in loose if p.limit is not None}
    near = sorted(limits, key=lambda m: abs(limits[m] - level))[:2]
    if len(near) < 2:
        return None
    (lower, more), (upper, less) = ((m, limits[m]) for m in sorted(near))
    return (more - less) / (upper - lower)


def start_low(ask: PortfolioAsk, found: Bracket) -> None:
    """A lower end by the plans known, each followed as far as it survives."""
    for start in (1.0, LOWEST):
        best: Probe | None = None
        for plan in ask.plans:
            best = farthest(ask, plan, start if best is None else best.multiplier) or best
        if best is not None:
            found.note(best)
            return


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
    """Plans that survive ever larger multipliers.

    Each is asked for half the way to what is known to fail, first nearer to that; one that falls
    short there is followed down to where it survives.
    """
    own = Own(side, progress, stop)
    ends = own.ends
    aim = None if ends.high is None else ends.high * (1.0 - FIRST_UP)
    wall: float | None = None  # where all was searched, or what failed by then
    while own.going():
        low, high = ends.low, ends.high
        top = min((m for m in (wall, high) if m is not None), default=None)
        m = low * 1.25 if top is None else max(sqrt(low * top), aim or 0.0)
        m = min(max(m, low * (1.0 + WITHIN)), HIGHEST if high is None else high)
        if high is not None and high <= low * (1.0 + WITHIN) ** 2:
            m = high / (1.0 + WITHIN) * (1.0 + SAME)  # a plan there is close enough
        if top is not None and m >= top:
            break  # no nearer to it than a step
        aim = None
        search = own.search(m)
        search.find(own.left)
        probe = own.keep(search)
        if probe.decision is not None:  # as far as it goes, be that below `m`
            reached = farthest(own.ask, probe.decision, m if probe.survives else ends.low)
            if reached is not None:
                own.take(reached)
        if not probe.survives:
            wall = m
    return own.probes


def descend(side: Side, progress: Report, stop: Stop) -> list[Probe]:
    """Proofs that no plan survives ever smaller multipliers.

    A proof that will hardly be had in time is left for one further up, where its bound would do,
    and taken up again once that is had.
    """
    own = Own(side, progress, stop)
    ends, level, step = own.ends, own.ask.level, 1.0 + WITHIN
    stride = FIRST_DOWN
    aim = None if ends.high is None else ends.high * (1.0 - stride)
    paused: Search | None = None  # a proof that was left
    while own.going():
        low, high = ends.low, ends.high
        if high is not None and paused is not None and paused.multiplier >= high:
            paused = None
        wall = None if paused is None else paused.multiplier
        if high is None:
            m = 2.0 * (wall or low)
        else:
            bottom = max(low, wall or 0.0)
            m = sqrt(bottom * high) if aim is None else aim
            m = min(max(m, bottom * step), high / step)
            m = max(m, low * step)  # a proof there is close enough
        last = high is not None and wall is not None and m <= wall
        m = m if wall is None else max(m, wall)  # as close as it gets: there with all the time
        if not LOWEST <= m <= HIGHEST:
            break
        before, pace = own.left, Pace(level, own.left)
        search = paused if paused is not None and m == wall else own.search(m)
        more = search.exclude(before, None if last else pace.hopeless)
        probe = own.keep(search)
        if probe.survives is False:
            spent = 1.0 - own.left / before
            stride = 2.0 * stride if spent < EASY else stride if spent < QUICK else stride / 2.0
            aim = m * (1.0 - max(stride, WITHIN))
        elif last or not more:
            break
        else:
            aim, stride, paused = None, FIRST_DOWN, search
            if probe.limit is not None and side.slope:
                aim = m + (probe.limit - level) / side.slope
    return own.probes


class Own:
    """What one side has at hand: the question, the ends as both know them, and its probes."""

    def __init__(self, side: Side, progress: Report, stop: Stop) -> None:
        self.side, self.stop = side, stop
        self.solving = replace(side.case.solving, progress=progress)
        self.ask = PortfolioAsk(side.case, side.answer, side.growth, list(side.plans))
        self.ends = Ends(side.folder, side.low, side.high)
        self.probes: list[Probe] = []

    @property
    def left(self) -> float:
        """Seconds left."""
        return self.side.until - time.time()

    def stopped(self) -> bool:
        """Whether a stop was asked for, or the ends are close enough."""
        return (self.stop is not None and self.stop()) or self.ends.met(WITHIN)

    def going(self) -> bool:
        """Whether there is something to look for, and time."""
        return self.left > LEAST_SLICE / 2.0 and not self.stopped()

    def search(self, m: float) -> Search:
        """A search at a multiplier that ends once the other side has settled that one."""

        def over() -> bool:
            high = self.ends.high
            return self.stopped() or m <= self.ends.low or (high is not None and m >= high)

        solving = replace(self.solving, stop=over)
        case = replace(self.side.case, solving=solving)
        self.ask.case = case
        return self.ask.search(case.quick_situation(self.side.growth.scaled(m)))

    def keep(self, search: Search) -> Probe:
        """Take in what a search found."""
        probe = self.ask.kept(search)
        self.take(probe)
        return probe

    def take(self, probe: Probe) -> None:
        """Note a probe and tell the other side."""
        self.probes.append(probe)
        if probe.survives is not None:
            m = probe.multiplier
            self.ends.tell(low=m) if probe.survives else self.ends.tell(high=m)
