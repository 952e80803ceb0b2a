"""Both ends of all breakpoints at once: one process looks for plans, one proves that none are left.

With one worker the two take turns.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from allocator.growth.bisect import ABOVE, WITHIN, Bracket, PortfolioAsk
from allocator.growth.descent import fall
from allocator.growth.service import Probe
from allocator.growth.sides import Side, rise, slope_of, start_low
from allocator.tradeoff.crew import Crew, Job

#: Shares of the time left after which the sides take turns in one process.
ROUNDS = (0.5, 1.0)


def both_sides(
    asks: Sequence[PortfolioAsk],
    found: Sequence[Bracket],
    loose: Sequence[Sequence[Probe]],
    seconds: float,
    crew: Crew,
) -> None:
    """Close in on the breakpoint of each answer from a plan that survives.

    `asks` are the answers in their order, `loose` their probes by linear relaxation (`relax`);
    `found` takes in what is settled.
    """
    end = time.monotonic() + seconds
    slopes = [slope_of(probes, ask.level) for ask, probes in zip(asks, loose, strict=True)]
    for ask, bracket, probes in zip(asks, found, loose, strict=True):
        start_low(ask, bracket)
        for probe in probes:
            if probe.survives is not None:
                bracket.note(probe)

    with TemporaryDirectory() as folder:

        def open_sides(share: float) -> dict[int, Side]:
            until = time.time() + share * (end - time.monotonic())
            return {
                i: side_of(ask, bracket, slopes[i], until, folder)
                for i, (ask, bracket) in enumerate(zip(asks, found, strict=True))
                if bracket.low is not None and bracket.width > WITHIN
            }

        def noted(sides: dict[int, Side], results: Sequence[list[Probe]] | None) -> None:
            for i, probes in zip(sides, results or [], strict=False):
                take_in(asks[i], found[i], probes)

        if crew.workers > 1:
            sides = open_sides(1.0)
            given = tuple(sides.values())
            jobs = [Job("plans", rise, given), Job("proofs", fall, given)] if sides else []
            for results in crew.run(jobs):
                noted(sides, results)
            return
        for share in ROUNDS:
            for way, half in ((rise, 0.5 * share), (fall, share / (2.0 - share))):
                sides = open_sides(half)
                noted(sides, way(tuple(sides.values()), None, crew.stop))
            if not sides or crew.stopped():
                return


def side_of(
    ask: PortfolioAsk, found: Bracket, slope: float | None, until: float, folder: str
) -> Side:
    """What the sides of an answer start from; both of them do in a folder of their own."""
    assert found.low is not None
    threads = max(1, ask.case.solving.threads // 2)
    quiet = replace(ask.case.solving, until=None, progress=None, stop=None, threads=threads)
    case = replace(ask.case, solving=quiet)
    own = Path(folder) / ask.answer
    own.mkdir(exist_ok=True)
    low, high = found.low.multiplier, None if found.high is None else found.high.multiplier
    return Side(case, ask.answer, ask.growth, low, high, slope, tuple(ask.plans), until, str(own))


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
