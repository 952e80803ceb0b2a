"""Which outages a plan does not withstand: the separation step of the secure plan."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.problem import Bools, Floats, Problem
from models.recourse import (
    Effort,
    Outage,
    Search,
    Situation,
    exposure_limit,
    outage,
    position,
    situation,
    starts,
)
from models.result import Decision

#: Tells outages apart: start, lines, offers.
Key = tuple[int, bytes, bytes]


@dataclass(frozen=True)
class Threat:
    """Something that may stop: its lines (L,) or inputs (F,), for `length` periods."""

    label: str
    lines: Bools
    inputs: Bools
    length: float


@dataclass(frozen=True)
class Terms:
    """Against what a plan is to be secure, and how far: `surge` (L,) as in `Position`.

    Outages count from the start of period `first` on: before, there may be no second source yet.
    """

    threats: tuple[Threat, ...]
    surge: Floats
    service_level: float
    first: int = 0


@dataclass(frozen=True)
class Breach:
    """An outage under which no re-routing was found that keeps every service level.

    `money` is what is short beyond the levels, `programs` (P,) those it concerns; `proven` tells
    that there is no such re-routing, by the solver's bound.
    """

    event: Outage
    money: float
    programs: Bools
    proven: bool

    @property
    def key(self) -> Key:
        """The same for the same outage."""
        return key_of(self.event)


def key_of(event: Outage) -> Key:
    """The same for the same outage."""
    return event.start, event.lines.tobytes(), event.inputs.tobytes()


def breaches(
    problem: Problem,
    decision: Decision,
    terms: Terms,
    effort: Effort,
    seconds: float,
    most: float = np.inf,
    suspects: Collection[Key] = (),
) -> list[Breach]:
    """Outages that break the plan, the worst first; each is looked at for at most `seconds`.

    Ends early where the money of all breaches passes `most`; `suspects` are looked at first.
    """
    found: list[Breach] = []
    cases = situations(problem, decision, terms)
    for case in sorted(cases, key=lambda case: key_of(case.outage) not in suspects):
        breach = examine(case, terms.service_level, effort, seconds)
        if breach is not None:
            found.append(breach)
            most -= breach.money
        if most < 0 or (effort.stop is not None and effort.stop()):
            break
    return sorted(found, key=lambda breach: (-breach.money, breach.key))


def situations(problem: Problem, decision: Decision, terms: Terms) -> Sequence[Situation]:
    """Every threat at every start that takes something from the plan."""
    where = position(problem, decision, terms.surge)
    return [
        situation(where, outage(start, threat.length, threat.lines, threat.inputs, problem.periods))
        for threat in terms.threats
        if threat.length > 0
        for start in starts(where, threat.lines, threat.inputs, threat.length)
        if start >= terms.first
    ]


def examine(case: Situation, service_level: float, effort: Effort, seconds: float) -> Breach | None:
    """The breach of one outage, None where a re-routing keeps every level."""
    allowed = exposure_limit(case, service_level)
    search = Search(case, allowed, case.kept)
    until = time.monotonic() + seconds
    if effort.until is not None:
        until = min(until, effort.until)
    search.work(replace(effort, until=until))
    if search.value <= 0:
        return None
    short = case.unmet(search.best).sum(1) - allowed > 1e-9 * np.maximum(case.demand, 1.0)
    return Breach(case.outage, search.value, short, search.bound > 0)


def any_time(stop: Callable[[], bool] | None, threads: int, until: float | None) -> Effort:
    """The effort of a check: any plan that keeps all levels ends it."""
    return Effort(0.05, until, threads, stop)
