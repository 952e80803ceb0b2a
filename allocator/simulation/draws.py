"""What chance decides in each future: slips, outages, demand. Every cause has its own generator.

A generator is seeded by the seed and the name of what it draws for (an offer, a cause, a program),
so two plans simulated with one seed meet the same futures, and the order of rows changes nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from allocator.risk.chain import PER_MONTH
from allocator.risk.late import survivals
from allocator.simulation.case import Case, Floats, Ints


@dataclass(frozen=True)
class Draws:
    """N futures. `slip` (N, S) months that each source's first supply comes later than planned.

    `slip_most` (S,) is the most that it can be.
    `out` (N, Y, C) months that a class of sites stands still from the year's outage on, 0 for none
    or for shocks that take no time; `struck` (N, Y, C) whether any shock strikes; `begins` (N, Y)
    the month of the year in which its outages begin. `demand` (N, P) is the factor on the plan's.
    """

    slip: Floats
    slip_most: Floats
    out: Floats
    struck: Ints
    begins: Floats
    demand: Floats

    def first(self, futures: int) -> Draws:
        """The first so many futures."""
        few = slice(0, futures)
        return Draws(
            slip=self.slip[few],
            slip_most=self.slip_most,
            out=self.out[few],
            struck=self.struck[few],
            begins=self.begins[few],
            demand=self.demand[few],
        )


def generator(seed: int, *name: str) -> np.random.Generator:
    """The generator of one named thing."""
    digest = hashlib.sha256("\x00".join(name).encode()).digest()[:16]
    return np.random.default_rng([seed, int.from_bytes(digest, "big")])


def draw(case: Case, futures: int, seed: int, demand_error: float) -> Draws:
    """All that is drawn ahead; failed batches are drawn where they are made."""
    slip, most = _slips(case, futures, seed)
    out, struck = _outages(case, futures, seed)
    return Draws(
        slip=slip,
        slip_most=most,
        out=out,
        struck=struck,
        begins=generator(seed, "begins").uniform(0.0, 12.0, (futures, case.years)),
        demand=_demand(case, futures, seed, demand_error),
    )


def _slips(case: Case, futures: int, seed: int) -> tuple[Floats, Floats]:
    """Months late of each source by its chain, (N, S), and at most, (S,): 0 where qualified.

    The inverse of the distribution that the exact figures integrate (`allocator.risk.late`).
    """
    sources, portfolio = case.sources, case.compiled.portfolio
    slip, most = np.zeros((futures, len(sources.offer))), np.zeros(len(sources.offer))
    rows = np.flatnonzero(~sources.qualified)
    if not len(rows):
        return slip, most
    ids = [case.problem.offers.ids[f] for f in sources.offer[rows]]
    log_odds = case.basis.slip_log_odds[sources.offer[rows]]
    later, planned = survivals(portfolio, [portfolio.offers[i] for i in ids], log_odds)
    most[rows] = np.maximum((later > 0).sum(axis=1) - planned, 0) / PER_MONTH
    for place, (row, offer_id) in enumerate(zip(rows, ids, strict=True)):
        u = generator(seed, "slip", offer_id).random(futures)
        # a > j exactly where P(a > j) > u, and P(a > j) falls with j
        reached = np.searchsorted(-later[place], -u, side="left")
        slip[:, row] = np.maximum(reached - planned[place], 0) / PER_MONTH
    return slip, most


def _outages(case: Case, futures: int, seed: int) -> tuple[Floats, Ints]:
    """Months out (N, Y, C) and whether struck (N, Y, C): the longest of a year's shocks."""
    shape = (futures, case.years, case.strikes.shape[1])
    out, struck = np.zeros(shape), np.zeros(shape, np.bool_)
    seen: dict[str, int] = {}
    for shock, hits in zip(case.shocks, case.strikes, strict=True):
        seen[shock.label] = number = seen.get(shock.label, 0) + 1
        u = generator(seed, "shock", shock.label, str(number)).random(shape[:2])
        strikes = (u < shock.probability)[:, :, None]
        struck[:, :, hits] |= strikes
        out[:, :, hits] = np.maximum(out[:, :, hits], strikes * shock.recover_months)
    return out, struck.astype(np.int64)


def _demand(case: Case, futures: int, seed: int, error: float) -> Floats:
    """Factor on each program's whole demand, (N, P): lognormal, mean 1, deviation `error`."""
    ids = case.problem.programs.ids
    factor = np.ones((futures, len(ids)))
    if error <= 0.0:
        return factor
    spread = np.sqrt(np.log1p(error * error))
    for p, program_id in enumerate(ids):
        normal = generator(seed, "demand", program_id).standard_normal(futures)
        factor[:, p] = np.exp(spread * normal - 0.5 * spread * spread)
    return factor
