"""Drawing and rounding: every figure that is written is rounded, so that the same seed gives the
same bytes on every platform.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log10

import numpy as np

from allocator.generator.platforms import Range


def stream(seed: int, step: int) -> np.random.Generator:
    """The random stream of one step of the generator, independent of the other steps."""
    return np.random.default_rng([seed, step])


def significant(value: float, digits: int = 3) -> float:
    """`value` rounded to so many significant digits, 0 for 0; whole numbers from 10^digits on."""
    if value <= 0:
        return 0.0
    return round(value, digits - 1 - floor(log10(value)))


def between(rng: np.random.Generator, limits: Range, digits: int = 3) -> float:
    """Uniform between two limits, rounded."""
    return significant(float(rng.uniform(*limits)), digits)


def log_between(rng: np.random.Generator, low: float, high: float) -> float:
    """Log-uniform between two positive limits, not rounded."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def half(value: float) -> float:
    """Rounded to the next half, at least one half."""
    return max(0.5, round(2.0 * value) / 2.0)


def pick(rng: np.random.Generator, shares: Sequence[float]) -> int:
    """A row, drawn with probability in proportion to `shares`."""
    cumulative = np.cumsum(np.asarray(shares, np.float64))
    return int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))


def quota(total: int, shares: Sequence[float], least: int = 0) -> list[int]:
    """`total` seats dealt in proportion to `shares` (largest remainder), each at least `least`."""
    weight = np.asarray(shares, np.float64) / float(np.sum(shares))
    seats = np.maximum(np.floor(weight * total).astype(int), least)
    while seats.sum() < total:
        seats[int(np.argmax(weight * total - seats))] += 1
    while seats.sum() > total and seats.max() > least:
        excess = np.where(seats > least, seats - weight * total, -np.inf)
        seats[int(np.argmax(excess))] -= 1
    return [int(seat) for seat in seats]
