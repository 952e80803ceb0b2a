"""Outages that come together: exact probabilities and months of lost supply for one or two sites.

A *shock* strikes in a year with its own probability and stops everything that shares it for its
months to recover. Shocks are independent of each other; sites that share one are not. Outages of
one year are taken to begin together, which is pessimistic for two sites and lets a year's state be
the set of shocks that strike. A site is out for the longest of those that strike it.

Survival functions of "how long" are steps between the shocks' durations, so every expectation is a
finite sum. Probabilities go through log1p and expm1, so rare ones keep their precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Shock:
    """One cause: `kind` is site, owner, region, country or shared_input, `member` which of it."""

    kind: str
    member: str
    probability: float
    recover_months: float

    @property
    def label(self) -> str:
        """`region EU`, `site K1`."""
        return f"{self.kind.replace('_', ' ')} {self.member}"


@dataclass(frozen=True)
class Shocks:
    """Sites as sets of shocks. `of_site` (C, G) holds shock rows, -1 pads.

    `log_survive` (H + 1,) is log(1 - probability) and `months` (H + 1,) the duration of each
    shock; the last entry stands for the padding.
    """

    of_site: Ints
    log_survive: Floats
    months: Floats


def shock_table(shocks: Sequence[Shock], sites: Sequence[Sequence[int]]) -> Shocks:
    """Arrays for `sites`, each a list of rows of `shocks`."""
    width = max((len(site) for site in sites), default=0)
    of_site = np.full((len(sites), max(width, 1)), -1, np.int64)
    for row, site in enumerate(sites):
        of_site[row, : len(site)] = site
    probability = np.array([*(shock.probability for shock in shocks), 0.0])
    # a certain shock: log(0) is kept finite, exp of it is 0
    log_survive = np.log1p(-np.minimum(probability, 1.0 - 1e-16))
    log_survive[probability >= 1.0] = -1e4
    months = np.array([*(shock.recover_months for shock in shocks), 0.0])
    return Shocks(of_site, log_survive, months)


def prob_out(shocks: Shocks, site: Ints) -> Floats:
    """Probability that a site is out at some time of a year, (N,)."""
    return np.asarray(-np.expm1(_log_survive(shocks, shocks.of_site[site], None)))


def prob_both_out(shocks: Shocks, one: Ints, two: Ints) -> Floats:
    """Probability that both sites are out in a year, (N,)."""
    a, b = shocks.of_site[one], shocks.of_site[two]
    return _prob_both(shocks, a, b, _shared(a, b), _shared(b, a), None)


def months_out(shocks: Shocks, site: Ints, cover: Floats) -> Floats:
    """Expected months a year that a site is out beyond `cover` months, (N,)."""
    rows = shocks.of_site[site]
    total = np.zeros(len(rows))
    ends = np.sort(np.maximum(shocks.months[rows], cover[:, None]), axis=1)
    x = cover
    for k in range(ends.shape[1]):
        out = -np.expm1(_log_survive(shocks, rows, x))
        total += (ends[:, k] - x) * out
        x = ends[:, k]
    return total


def months_both_out(shocks: Shocks, one: Ints, two: Ints, cover: Floats) -> Floats:
    """Expected months a year that both sites are out beyond `cover` months, (N,)."""
    a, b = shocks.of_site[one], shocks.of_site[two]
    shared_a, shared_b = _shared(a, b), _shared(b, a)
    months = np.concatenate([shocks.months[a], shocks.months[b]], axis=1)
    ends = np.sort(np.maximum(months, cover[:, None]), axis=1)
    total = np.zeros(len(a))
    x = cover
    for k in range(ends.shape[1]):
        length = ends[:, k] - x
        if np.any(length > 0):
            total += length * _prob_both(shocks, a, b, shared_a, shared_b, x)
        x = ends[:, k]
    return total


def _shared(a: Ints, b: Ints) -> Bools:
    """Which shocks of `a` (N, G) stand in the same row of `b` too."""
    found = np.zeros(a.shape, np.bool_)
    for k in range(b.shape[1]):
        found |= a == b[:, k : k + 1]
    return np.asarray(found & (a >= 0))


def _prob_both(
    shocks: Shocks, a: Ints, b: Ints, shared_a: Bools, shared_b: Bools, x: Floats | None
) -> Floats:
    """P(both struck for more than x months): a common shock, or else one of its own each."""
    common = _log_survive(shocks, np.where(shared_a, a, -1), x)
    own_a = -np.expm1(_log_survive(shocks, np.where(shared_a, -1, a), x))
    own_b = -np.expm1(_log_survive(shocks, np.where(shared_b, -1, b), x))
    return np.asarray(-np.expm1(common) + np.exp(common) * own_a * own_b)


def _log_survive(shocks: Shocks, rows: Ints, x: Floats | None) -> Floats:
    """Log-probability that none of a row's shocks that last over x months strikes, (N,)."""
    logs = shocks.log_survive[rows]
    if x is not None:
        logs = np.where(shocks.months[rows] > x[:, None], logs, 0.0)
    return np.asarray(logs.sum(axis=1))
