"""The tail of an option: the mean of the months late and lost in its worst futures.

The distribution of an option's months is a sum of independent parts: late start, and the months
lost in each year of the horizon. Each part is put on a grid of 1/8 month by linear interpolation,
which keeps its mean and never makes a tail look better; the sum is convolved, not sampled.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from allocator.calendar import period_months
from allocator.portfolio import Portfolio
from allocator.risk.chain import PER_MONTH
from allocator.risk.joint import Shocks
from allocator.risk.late import per_point, survivals

if TYPE_CHECKING:
    from allocator.risk.options import RiskBasis

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Tail:
    """How much the tail counts, and what it is computed from.

    `weight` in [0, 1], `level` of the CVaR; demand `weights` (P, T) and `after` (P,) as those of
    late starts.
    """

    portfolio: Portfolio
    weight: float
    level: float
    weights: Floats
    after: Floats


def tail_months(
    basis: RiskBasis, program: Ints, one: Ints, share_one: Floats, two: Ints, share_two: Floats
) -> Floats:
    """CVaR of the months late and lost of options given as to `option_risks`, (O,)."""
    months = np.zeros(len(program))
    for p in np.unique(program).tolist():
        rows = np.flatnonzero((program == p) & (one >= 0))
        if len(rows):
            tails = _ProgramTails(basis, p, np.concatenate([one[rows], two[rows]]))
            for row in rows.tolist():
                sources = [(int(one[row]), float(share_one[row]))]
                if two[row] >= 0:
                    sources.append((int(two[row]), float(share_two[row])))
                months[row] = tails.cvar(sources)
    return months


class _ProgramTails:
    """The options of one program; what pairs of sources share is worked out once."""

    def __init__(self, basis: RiskBasis, p: int, offers: Ints) -> None:
        self.basis, self.p = basis, p
        used = np.unique(offers[offers >= 0])
        self.place = {int(f): i for i, f in enumerate(used)}
        portfolio = basis.tail.portfolio
        quotes = [portfolio.offers[basis.offer_ids[f]] for f in used]
        self.survival, self.planned = survivals(portfolio, quotes, basis.slip_log_odds[used])
        months = period_months(portfolio)
        step = PER_MONTH * months
        self.per_point = per_point(
            basis.tail.weights[p], basis.tail.after[p], step, self.survival.shape[1]
        )
        self.span = -np.diff(basis.exposure[p])
        self.year = np.arange(len(self.span)) * months // 12
        self.late: dict[tuple[int, ...], Floats] = {}
        self.states: dict[tuple[int, ...], tuple[Floats, Floats]] = {}

    def distribution(self, sources: list[tuple[int, float]]) -> Floats:
        """Probabilities of 0, 1/8, 2/8 ... months late and lost together."""
        offers = tuple(f for f, _ in sources)
        if offers not in self.late:
            self.late[offers] = self._late(offers)
        result = self.late[offers]
        probability, beyond = self._out(offers)
        start = self.basis.first_supply[list(offers)]
        first, last = int(start.min()), int(start.max())
        missed = self._missed(sources, beyond)
        alone = beyond[:, int(start.argmin())]
        t = np.arange(len(self.span))
        for year in range(int(self.year[-1]) + 1):
            inside = self.year == year
            early = self.span[inside & (t >= first) & (t < last)].sum()
            joint = self.span[inside & (t >= last)].sum()
            if early + joint > 0:
                lost = on_grid(early * alone + joint * missed, probability)
                result = np.convolve(result, lost)
        return result

    def cvar(self, sources: list[tuple[int, float]]) -> float:
        """Mean months of the worst futures."""
        return tail_of(self.distribution(sources), self.basis.tail.level)

    def _late(self, offers: Iterable[int]) -> Floats:
        """Weighted months from planned to actual first supply, the earlier source's."""
        rows = [self.place[f] for f in offers]
        later = np.prod(self.survival[rows], axis=0)
        first = int(self.planned[rows].min())
        later = later[first:]
        steps = np.concatenate([[1.0], later])
        weighted = np.concatenate([[0.0], np.cumsum(self.per_point[first:])])
        return on_grid(weighted[: len(later)], np.maximum(steps[:-1] - steps[1:], 0.0))

    def _out(self, offers: tuple[int, ...]) -> tuple[Floats, Floats]:
        """States of a year: their probabilities (n,) and months beyond cover, (n, sources)."""
        sites = tuple(int(self.basis.sites.of_offer[f]) for f in offers)
        if sites not in self.states:
            probability, months = joint_states(self.basis.sites.shocks, sites)
            cover = self.basis.cover[self.p]
            self.states[sites] = probability, np.maximum(months - cover, 0.0)
        return self.states[sites]

    def _missed(self, sources: list[tuple[int, float]], beyond: Floats) -> Floats:
        """Months of demand lost in each state of a year in which all sources supply, (n,)."""
        if len(sources) == 1:
            return np.asarray(beyond[:, 0])
        both = beyond.min(axis=1)
        missed = both.copy()
        for (_, share), (other, kept), column in (
            (sources[0], sources[1], 0),
            (sources[1], sources[0], 1),
        ):
            left = max(share - kept * float(self.basis.surge[other]), 0.0)
            missed += (beyond[:, column] - both) * left
        return np.asarray(missed)


def joint_states(shocks: Shocks, sites: tuple[int, ...]) -> tuple[Floats, Floats]:
    """How long one or two sites are out in a year: probabilities (n,) and months (n, sites).

    From P(D <= x, D' <= y), the probability that no shock strikes that is too long for its site.
    """
    rows = [shocks.of_site[site][shocks.of_site[site] >= 0] for site in sites]
    levels = [np.unique(np.append(shocks.months[row], 0.0)) for row in rows]
    everything = np.unique(np.concatenate(rows))
    grid = np.meshgrid(*levels, indexing="ij")
    log = np.zeros(grid[0].shape)
    for shock in everything:
        months = shocks.months[shock]
        excluded = np.zeros(log.shape, np.bool_)
        for row, most in zip(rows, grid, strict=True):
            if shock in row:
                excluded |= months > most
        log += np.where(excluded, shocks.log_survive[shock], 0.0)
    mass = np.exp(log)
    for axis in range(mass.ndim):
        mass = np.diff(mass, axis=axis, prepend=0.0)
    probability = np.maximum(mass.ravel(), 0.0)
    months_out = np.stack([most.ravel() for most in grid], axis=1)
    some = probability > 0.0
    return probability[some] / probability.sum(), months_out[some]


def on_grid(values: Floats, probability: Floats) -> Floats:
    """A distribution of months at least 0 on the grid; each value is shared by its neighbours."""
    at = np.asarray(values) * PER_MONTH
    below = np.floor(at + 1e-9).astype(np.int64)
    part = np.clip(at - below, 0.0, 1.0)
    size = int(below.max(initial=0)) + 2
    mass: Floats = np.bincount(below, probability * (1.0 - part), size).astype(np.float64)
    mass += np.bincount(below + 1, probability * part, size)
    return mass if mass[-1] > 0 else mass[:-1]


def tail_of(distribution: Floats, level: float) -> float:
    """Mean months of the worst 1 - `level` of a distribution on the grid."""
    share = 1.0 - level
    worst = distribution[::-1]
    before = np.cumsum(worst) - worst
    taken = np.clip(share - before, 0.0, worst)
    months = np.arange(len(distribution))[::-1] / PER_MONTH
    return float(taken @ months / max(taken.sum(), 1e-300))
