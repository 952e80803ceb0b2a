"""How good given probabilities were: Brier score, log loss, calibration table, ranking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: Upper ends of the bins of the calibration table: probabilities of being late.
BINS = (0.01, 0.02, 0.05, 0.1, 0.2, 1.0)


@dataclass(frozen=True)
class Bin:
    """Events whose probability was given as above `low` and up to `high`."""

    low: float
    high: float
    events: int
    expected: float
    share: float


@dataclass(frozen=True)
class Measure:
    """Mean squared error (Brier) and mean negative log-likelihood of given probabilities."""

    brier: float
    log_loss: float


def measure(given: Floats, came: Floats) -> Measure:
    """Measures of probabilities within (0, 1) against what came, 0 or 1, (N,) each."""
    loss = came * np.log(given) + (1.0 - came) * np.log1p(-given)
    return Measure(float(np.mean((given - came) ** 2)), float(-np.mean(loss)))


def calibration(given: Floats, came: Floats, ends: Sequence[float] = BINS) -> tuple[Bin, ...]:
    """The calibration table; bins that hold nothing are left out."""
    row = np.searchsorted(ends, given)
    found = []
    for b, (low, high) in enumerate(zip((0.0, *ends[:-1]), ends, strict=True)):
        mine = row == b
        if mine.any():
            expected, share = float(given[mine].mean()), float(came[mine].mean())
            found.append(Bin(low, high, int(mine.sum()), expected, share))
    return tuple(found)


def calibration_error(bins: Sequence[Bin]) -> float:
    """Mean difference of what was expected and what came, weighted by events."""
    events = sum(b.events for b in bins)
    return sum(b.events * abs(b.expected - b.share) for b in bins) / events


def auc(given: Floats, came: Floats) -> float:
    """Chance that an event was given the higher probability than a non-event; ties count half."""
    one, other = given[came > 0], np.sort(given[came == 0])
    below = np.searchsorted(other, one, side="left")
    upto = np.searchsorted(other, one, side="right")
    return float(np.mean(below + upto) / (2.0 * len(other)))


def sigmoid(x: Floats | float) -> Floats:
    """Probability of log-odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.asarray(x, np.float64))))


def level(log_odds: Floats, events: float) -> float:
    """What to add to all log-odds so that as many events are expected as there were."""
    low, high = -40.0, 40.0
    for _ in range(100):
        middle = (low + high) / 2.0
        if sigmoid(log_odds + middle).sum() < events:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0
