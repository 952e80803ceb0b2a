"""Months of a chain of steps as a discrete distribution: exact convolution on a fine grid.

A step is triangular on (low, mode, high). Each is projected on the grid by linear interpolation,
which keeps its mean (and the mean of every function that is linear between grid points); the sum
is then convolved without sampling, with next to no surplus of variance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Grid points per month.
PER_MONTH = 8


@dataclass(frozen=True)
class Distribution:
    """N distributions of months: row i puts `mass[i, j]` on (start[i] + j) / PER_MONTH months."""

    start: Ints
    mass: Floats

    def mean(self) -> Floats:
        """Expected months, (N,)."""
        j = np.arange(self.mass.shape[1])
        return np.asarray((self.start + self.mass @ j) / PER_MONTH)

    def survival(self, points: int) -> Floats:
        """P(months > j / PER_MONTH) for j = 0 .. points - 1, (N, points)."""
        # tails[i, j] = mass at and beyond column j, summed from the small end
        tails = np.cumsum(self.mass[:, ::-1], axis=1)[:, ::-1]
        tails = np.concatenate([tails, np.zeros((len(tails), 1))], axis=1)
        column = np.arange(1, points + 1)[None, :] - self.start[:, None]
        inside = np.take_along_axis(tails, np.clip(column, 0, tails.shape[1] - 1), axis=1)
        return np.asarray(np.minimum(inside, 1.0))


def triangular(low: Floats, mode: Floats, high: Floats) -> Distribution:
    """Triangular distributions on the grid, (N,) each; a width of zero is a fixed duration."""
    a, b, c = (np.asarray(x, np.float64) * PER_MONTH for x in (low, high, mode))
    a, b = np.minimum(a, c), np.maximum(b, c)
    start = np.floor(a + 1e-9).astype(np.int64)
    width = int(np.max(np.ceil(b - 1e-9) - start, initial=0)) + 1
    x = (start[:, None] + np.arange(-1, width + 1)[None, :]).astype(np.float64)
    area = _second_integral(x, a[:, None], c[:, None], b[:, None])
    mass = np.maximum(area[:, 2:] - 2.0 * area[:, 1:-1] + area[:, :-2], 0.0)
    last = np.ceil(b - 1e-9).astype(np.int64) - start
    mass[np.arange(width)[None, :] > last[:, None]] = 0.0  # rounding noise beyond the support
    return Distribution(start, mass / mass.sum(axis=1, keepdims=True))


def _second_integral(x: Floats, a: Floats, c: Floats, b: Floats) -> Floats:
    """E[max(0, x - X)] of a triangular X on (a, c, b), elementwise."""
    left, right, width = c - a, b - c, b - a
    mean = (a + b + c) / 3.0
    up = np.divide((x - a) ** 3, 3.0 * width * left, out=np.zeros_like(x), where=left > 1e-9)
    tail = np.divide((b - x) ** 3, 3.0 * width * right, out=np.zeros_like(x), where=right > 1e-9)
    return np.where(x <= a, 0.0, np.where(x < c, up, np.where(x < b, x - mean + tail, x - mean)))


def convolve(first: Distribution, second: Distribution) -> Distribution:
    """Distribution of the sum of two independent durations, row by row."""
    n, w1 = first.mass.shape
    w2 = second.mass.shape[1]
    out = np.zeros((n, w1 + w2 - 1))
    for j in range(w2):
        out[:, j : j + w1] += first.mass * second.mass[:, j : j + 1]
    return Distribution(first.start + second.start, out)


def total(steps: Floats) -> Distribution:
    """Distribution of the sum of all steps, `steps` (N, n, 3) low, mode, high months.

    Projection on the grid keeps each mean but adds about a sixth of a squared grid step to each
    variance. One such projection is harmless (it leaves the expected delay beyond any grid point
    as it is), nine are not: the steps are drawn towards their means by the common factor that
    takes the surplus out again.
    """
    low, mode, high = np.moveaxis(steps, 2, 0)
    mean = steps.mean(axis=2)
    true = ((low - mode) ** 2 + (mode - high) ** 2 + (high - low) ** 2) / 36.0
    excess = sum(
        _variance(triangular(low[:, k] - low[:, k], mode[:, k] - low[:, k], high[:, k] - low[:, k]))
        - true[:, k]
        for k in range(steps.shape[1])
    )
    part = np.modf(low.sum(axis=1) * PER_MONTH)[0]
    excess = excess + (np.abs(part) * (1.0 - np.abs(part)) - 1.0 / 6.0) / PER_MONTH**2
    variance = true.sum(axis=1)
    ratio = np.divide(excess, variance, out=np.zeros_like(variance), where=variance > 0)
    drawn = mean + np.sqrt(np.clip(1.0 - ratio, 0.0, 1.0))[:, None] * (
        np.moveaxis(steps, 2, 0) - mean
    )
    return _sum_of_steps(*drawn)


def _variance(one: Distribution) -> Floats:
    """Variance in squared months, (N,)."""
    j = np.arange(one.mass.shape[1])
    mean = one.mass @ j
    return np.asarray((one.mass @ (j * j) - mean * mean) / PER_MONTH**2)


def _sum_of_steps(low: Floats, mode: Floats, high: Floats) -> Distribution:
    """Sum of triangular steps (N, n); what lies below their lows is projected once."""
    offset = low.sum(axis=1) * PER_MONTH
    start = np.floor(offset + 1e-9).astype(np.int64)
    part = np.clip(offset - start, 0.0, 1.0)
    result = Distribution(start, np.stack([1.0 - part, part], axis=1))
    nothing = np.zeros(len(low))
    for k in range(low.shape[1]):
        if np.any(high[:, k] > low[:, k]):
            spread = triangular(nothing, mode[:, k] - low[:, k], high[:, k] - low[:, k])
            result = convolve(result, spread)
    return result


def survival_of_total(steps: Floats, points: int) -> Floats:
    """P(sum of the steps > x) at the first `points` grid points, (N, points); `steps` (N, n, 3).

    Chains of about one width are convolved together, so one long chain costs only itself.
    """
    width = (steps[:, :, 2] - steps[:, :, 0]).sum(axis=1) * PER_MONTH
    bucket = np.ceil(np.log2(np.maximum(width, 1.0))).astype(np.int64)
    survival = np.empty((len(steps), points))
    for which in np.unique(bucket):
        rows = np.flatnonzero(bucket == which)
        survival[rows] = total(steps[rows]).survival(points)
    return survival


def shift_odds(survival: Floats, log_odds: Floats) -> Floats:
    """Survival functions (N, points) with the log-odds of each point moved by `log_odds` (N,)."""
    factor = np.exp(log_odds)[:, None]
    return np.asarray(survival * factor / (1.0 - survival + survival * factor))


def quantile(survival: Floats, probability: float) -> float:
    """Smallest grid duration in months that is reached with `probability`, of one (points,) row."""
    reached = np.flatnonzero(survival <= 1.0 - probability + 1e-12)
    return float(reached[0]) / PER_MONTH if len(reached) else float(len(survival)) / PER_MONTH


def share_of_total(steps: Floats, months: float) -> tuple[float, ...]:
    """Expected months of each step given that the whole chain takes `months`, (n,) to that sum.

    `steps` (n, 3). Tells which step a late chain is late by. `months` is taken to the grid.
    """
    parts = [triangular(row[:1], row[1:2], row[2:]) for row in steps]
    at = round(months * PER_MONTH)
    expected: list[float] = []
    for k, part in enumerate(parts):
        rest = _sum_of([p for i, p in enumerate(parts) if i != k])
        value = part.start[0] + np.arange(part.mass.shape[1])
        column = at - value - rest.start[0]
        fits = (column >= 0) & (column < rest.mass.shape[1])
        weight = np.where(
            fits, part.mass[0] * rest.mass[0, np.clip(column, 0, rest.mass.shape[1] - 1)], 0.0
        )
        sure = weight.sum()
        expected.append(float(weight @ value / sure / PER_MONTH) if sure > 0 else float("nan"))
    return tuple(expected)


def _sum_of(parts: Sequence[Distribution]) -> Distribution:
    result = Distribution(np.zeros(1, np.int64), np.ones((1, 1)))
    for part in parts:
        result = convolve(result, part)
    return result
