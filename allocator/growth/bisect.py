"""The largest multiplier of demand that an answer survives, both ends proven."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from allocator.growth.case import Case, Situation
from allocator.growth.demand import Growth
from allocator.growth.service import CLOSE, Probe, Search, on_time
from allocator.growth.stretch import stretched

if TYPE_CHECKING:
    from models.result import Decision

#: Ends of a breakpoint may be this far apart, relative to the lower.
WITHIN = 0.01
#: Multipliers that are looked at; what survives the highest is not looked for further.
LOWEST, HIGHEST = 1.0 / 64.0, 32.0
#: Share of a probe's time for the bound, and how many plans found last the next probe starts from.
PROVING, MOST_PLANS = 0.6, 8
#: Points above the upper end at which monotonicity is checked, as multiples of it.
ABOVE = (1.05, 1.25, 2.0)

Ask = Callable[[float, float], Probe]


@dataclass
class Bracket:
    """What is proven so far: survived up to `low`, failed from `high` on, nothing known between.

    None: no such end was found within LOWEST and HIGHEST. `open` holds multipliers that the time
    did not settle.
    """

    low: Probe | None = None
    high: Probe | None = None
    open: list[Probe] = field(default_factory=list)
    samples: list[Probe] = field(default_factory=list)

    def note(self, probe: Probe) -> None:
        """Take a probe in."""
        self.samples.append(probe)
        m = probe.multiplier
        if probe.survives is None:
            self.open = [p for p in self.open if p.multiplier != m] + [probe]
        elif probe.survives:
            self.low = probe if self.low is None or m > self.low.multiplier else self.low
        else:
            self.high = probe if self.high is None or m < self.high.multiplier else self.high
        self.open = sorted(
            (p for p in self.open if self._between(p.multiplier)), key=lambda p: p.multiplier
        )

    def _between(self, m: float) -> bool:
        above = self.low is None or m > self.low.multiplier
        return above and (self.high is None or m < self.high.multiplier)

    @property
    def width(self) -> float:
        """(high - low) / low; infinite where an end is missing."""
        if self.low is None or self.high is None:
            return float("inf")
        return self.high.multiplier / self.low.multiplier - 1.0

    @property
    def lowest_fails(self) -> float | None:
        """The lowest multiplier that was seen to fail; below `low` where not `monotone`."""
        fails = (p.multiplier for p in self.samples if p.survives is not None and not p.survives)
        return min(fails, default=None)

    @property
    def highest_holds(self) -> Probe | None:
        """What was seen to survive the highest multiplier."""
        holds = (p for p in self.samples if p.survives)
        return max(holds, key=lambda p: p.multiplier, default=None)

    @property
    def monotone(self) -> bool:
        """Whether no multiplier above one that fails was seen to survive."""
        lowest, highest = self.lowest_fails, self.highest_holds
        return lowest is None or highest is None or highest.multiplier < lowest

    def rise(self) -> bool:
        """Go on from the highest multiplier that was seen to survive; whether that is above `high`.

        What failed above it is the new upper end.
        """
        highest = self.highest_holds
        if highest is None or self.high is None or highest.multiplier < self.high.multiplier:
            return False
        above = [p for p in self.samples if p.multiplier > highest.multiplier]
        fails = [p for p in above if p.survives is not None and not p.survives]
        self.low = highest
        self.high = min(fails, key=lambda p: p.multiplier, default=None)
        self.open = [p for p in self.open if self._between(p.multiplier)]
        return True

    def next(self) -> float | None:
        """The multiplier to ask next; None where the ends are close enough or cannot get closer."""
        if self.low is None:
            below = self.high or (self.open[0] if self.open else None)
            m = 1.0 if below is None else below.multiplier / 2.0
            return m if m >= LOWEST else None
        low = self.low.multiplier
        if self.high is None:
            m = (self.open[-1].multiplier if self.open else low) * 2.0
            return m if m <= HIGHEST else None
        if self.width <= WITHIN:
            return None
        first = self.open[0].multiplier if self.open else self.high.multiplier
        last = self.open[-1].multiplier if self.open else low
        gaps = [(low, first), (last, self.high.multiplier)]
        lower, upper = max(gaps, key=lambda pair: pair[1] / pair[0])
        return None if upper / lower <= 1.0 + WITHIN / 2.0 else sqrt(lower * upper)


def bracket(ask: Ask, seconds: float, probe_seconds: float, first: Sequence[float] = ()) -> Bracket:
    """Bisect; `ask(multiplier, seconds)` probes. What stays unsettled is asked again at the end.

    `first` are multipliers to begin with. Where what fails is found to survive again further up,
    the ends are looked for there, above the highest multiplier that was seen to survive.
    """
    found = Bracket()
    end = time.monotonic() + seconds
    for m in first:
        if time.monotonic() < end:
            found.note(ask(m, probe_seconds))
    found.rise()
    _close_in(ask, found, probe_seconds, end)
    _check_above(ask, found)
    while found.rise() and time.monotonic() < end:
        _close_in(ask, found, probe_seconds, end)
        _check_above(ask, found)
    return found


def _close_in(ask: Ask, found: Bracket, probe_seconds: float, end: float) -> None:
    """Bisect between the ends until `end`, a moment of `time.monotonic`."""
    while (m := found.next()) is not None and time.monotonic() < end:
        found.note(ask(m, min(probe_seconds, max(1.0, end - time.monotonic()))))
    while found.open and found.width > WITHIN and time.monotonic() < end - 1.0:
        m = found.open[0].multiplier if found.low is not None else found.open[-1].multiplier
        probe = ask(m, end - time.monotonic())
        found.note(probe)
        if probe.survives is None:
            break


def _check_above(ask: Ask, found: Bracket) -> None:
    """Whether what fails survives again further up."""
    if found.high is not None:
        for factor in ABOVE:
            found.samples.append(ask(found.high.multiplier * factor, 2.0))


class PortfolioAsk:
    """Probes of one answer when all demand grows; plans found are kept as starts for the next."""

    def __init__(self, case: Case, answer: str, growth: Growth, plans: list[Decision]) -> None:
        self.case, self.answer, self.growth, self.plans = case, answer, growth, plans
        self.level = case.portfolio.policy.service_level

    def __call__(self, multiplier: float, seconds: float) -> Probe:
        """Whether the answer survives this multiplier, within some seconds."""
        situation = self.case.quick_situation(self.growth.scaled(multiplier))
        if self.answer == "stretched":
            return stretched_probe(situation, self.level)
        end = time.monotonic() + seconds
        search = self.search(situation)
        search.relax(seconds)
        search.prove(PROVING * (end - time.monotonic()))
        search.seek(end - time.monotonic())
        return self.kept(search)

    def search(self, situation: Situation) -> Search:
        """A search that starts from today's plan and the best ones found so far."""
        starts = [stretched_plan(situation), self.case.decision, *self.plans[-MOST_PLANS:]]
        return Search(situation, self.answer, self.level, starts, self.case.solving)

    def kept(self, search: Search) -> Probe:
        """What a search found; its plan is a start for the next."""
        probe = search.probe()
        if probe.decision is not None:
            self.plans.append(probe.decision)
        return probe


def stretched_plan(situation: Situation) -> Decision:
    """Today's plan stretched to the situation's demand."""
    return stretched(situation.problem, situation.case.decision, situation.factors)


def stretched_probe(situation: Situation, level: float) -> Probe:
    """The stretched plan is what it is: its own service is what it attains and cannot exceed."""
    plan = stretched_plan(situation)
    share = on_time(situation.problem, plan)
    survives = share >= level - CLOSE
    return Probe(situation.growth.demand, share, share, bool(survives), plan)


def own_share(situation: Situation, decision: Decision, program: int) -> float:
    """On-time share of one program under a decision; 1 where nothing is demanded."""
    from models.evaluate import evaluate

    wanted = float(situation.problem.programs.demand[program].sum())
    unmet = float(evaluate(situation.problem, decision).program_unmet[program])
    return 1.0 if wanted <= 0 else float(np.clip(1.0 - unmet / wanted, 0.0, 1.0))
