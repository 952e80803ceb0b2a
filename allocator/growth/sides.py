"""The side of a breakpoint that looks for plans, and what both sides have at hand.

A multiplier between the ends is settled by a plan or by a bound, never by both, so each side asks
at multipliers of its own, and ends what the other has settled meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING

from allocator.growth.bisect import HIGHEST, LOWEST, WITHIN, Bracket, PortfolioAsk
from allocator.growth.case import Case
from allocator.growth.demand import Growth
from allocator.growth.ends import Ends
from allocator.growth.service import CLOSE, Probe, Search, best_of
from allocator.tradeoff.crew import Report, Stop

if TYPE_CHECKING:
    from models.result import Decision

#: What keeps rounding from leaving the ends a little too far apart.
SAME = 1e-9
#: The least seconds of a side for one multiplier.
LEAST_SLICE = 2.0
#: How near a plan is followed to where it fails, as share of WITHIN.
FINE = 0.025
#: How close linear relaxations look for where they fail themselves.
RELAXED = 0.015
#: How far below the upper end, as share of it, plans are first looked for.
FIRST_UP = 0.05


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


def rise(sides: Sequence[Side], progress: Report, stop: Stop) -> list[list[Probe]]:
    """Plans for each answer in turn; those of one are plans of the next."""
    plans: list[Decision] = []
    found: list[list[Probe]] = []
    for number, side in enumerate(sides):
        now = time.time()
        until = now + (side.until - now) / (len(sides) - number)
        mine = replace(side, plans=(*side.plans, *plans), until=until)
        probes = ascend(mine, progress, stop)
        found.append(probes)
        best = max((p for p in probes if p.survives), key=lambda p: p.multiplier, default=None)
        if best is not None and best.decision is not None:
            plans.append(best.decision)
    return found


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
    while best is not None and best.multiplier < HIGHEST and step > 1.0 + FINE * WITHIN:
        further = at(min(best.multiplier * step, HIGHEST))
        if further is None:
            step = sqrt(step)
        else:
            best = further
    return best


def ascend(side: Side, progress: Report, stop: Stop) -> list[Probe]:
    """Plans that survive ever larger multipliers.

    Each is asked for half the way to what is known to fail, first nearer to that; every better one
    on the way is followed to where it survives.
    """
    own = Own(side, progress, stop)
    for plan in side.plans:
        own.follow(plan)
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
        search.better = own.follow
        search.find(own.left)
        if not own.keep(search).survives:
            wall = m
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

    def search(self, m: float, least: float = 1.0) -> Search:
        """A search at a multiplier that ends once the other side has settled that one.

        Or once it is no more than `least` times the lower end, where a larger one does as well.
        """

        def over() -> bool:
            high = self.ends.high
            return self.stopped() or m <= least * self.ends.low or (high is not None and m >= high)

        plan = self.ends.plan
        if plan is not None:
            self.ask.plans.append(plan)
        solving = replace(self.solving, stop=over)
        case = replace(self.side.case, solving=solving)
        self.ask.case = case
        return self.ask.search(case.quick_situation(self.side.growth.scaled(m)))

    def keep(self, search: Search) -> Probe:
        """Take in what a search found."""
        probe = self.ask.kept(search)
        self.take(probe)
        return probe

    def follow(self, plan: Decision) -> None:
        """See how far a plan goes."""
        reached = farthest(self.ask, plan, self.ends.low)
        if reached is not None and reached.multiplier > self.ends.low:
            self.take(reached)

    def take(self, probe: Probe) -> None:
        """Note a probe and tell the other side."""
        self.probes.append(probe)
        if probe.survives is not None:
            m = probe.multiplier
            if probe.survives:
                self.ends.tell(low=m, plan=probe.decision)
            else:
                self.ends.tell(high=m)
