"""Confidence intervals that hold for rare events too."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, log, log1p, sqrt
from statistics import NormalDist

import numpy as np

from allocator.simulation.case import Floats

#: From so many futures with an event on, a mean is near enough to normal.
MANY = 250


def mean_interval(values: Floats, most: float, error: float) -> tuple[float, float]:
    """Interval for the mean of independent values in [0, `most`], wrong with chance `error`.

    The central limit theorem where enough values differ from 0, else the empirical Bernstein
    bound of Maurer and Pontil (2009, theorem 4, two-sided), which holds for any distribution.
    """
    count = len(values)
    if count < 2:
        return 0.0, inf
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    if np.count_nonzero(values) >= MANY:
        half = _z(error) * deviation / sqrt(count)
    else:
        chance = log(4.0 / error)
        half = deviation * sqrt(2.0 * chance / count) + 7.0 * most * chance / (3.0 * (count - 1))
    return max(mean - half, 0.0), mean + half


def share_interval(hits: int, count: int, error: float) -> tuple[float, float]:
    """Interval for a probability from `hits` in `count` trials, wrong with chance `error`.

    Wilson's score interval where both outcomes are frequent, else that of Clopper and Pearson.
    """
    if min(hits, count - hits) >= MANY:
        z, share = _z(error), hits / count
        scale = 1.0 + z * z / count
        middle = (share + z * z / (2.0 * count)) / scale
        half = z / scale * sqrt(share * (1.0 - share) / count + (z / (2.0 * count)) ** 2)
        return middle - half, middle + half
    if 2 * hits > count:
        low, high = share_interval(count - hits, count, error)
        return 1.0 - high, 1.0 - low
    tail = error / 2.0
    high = _largest(lambda p: _at_most(hits, count, p) >= tail)
    low = 0.0 if hits == 0 else _largest(lambda p: 1.0 - _at_most(hits - 1, count, p) <= tail)
    return low, high


def _z(error: float) -> float:
    return NormalDist().inv_cdf(1.0 - error / 2.0)


def _largest(holds: Callable[[float], bool]) -> float:
    """The largest p for which `holds`; it holds up to some p and not beyond."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if holds(middle) else (low, middle)
    return 0.5 * (low + high)


def _at_most(hits: int, count: int, p: float) -> float:
    """P(X <= hits) of a binomial X, 0 < p < 1."""
    i = np.arange(hits)
    ways = np.concatenate([[0.0], np.cumsum(np.log((count - i) / (i + 1.0)))])
    number = np.arange(hits + 1)
    return float(np.exp(ways + number * log(p) + (count - number) * log1p(-p)).sum())
