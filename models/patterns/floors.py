"""Lower bounds on the values of streams, carried from one pricing to the next.

A stream's value is the least of sums of costs that are none of them negative. Where no cost falls
below a share a of what it was, no sum does: a times the old value is a bound on the new one. Most
options are thus known to be no program's best without being priced (patterns.md, `floors`).
"""

from __future__ import annotations

import numpy as np

from models.patterns.pricing import Costs
from models.problem import Floats, Ints

#: Offers and periods whose curves are compared at a time.
CHUNK = 50_000
#: Taken off each share against rounding.
ROUNDING = 1e-12


class Floors:
    """Bounds of S streams, `floor` (S,): -inf where nothing is known."""

    def __init__(self, offer: Ints, count: int) -> None:
        self.offer = offer
        self.floor = np.full(len(offer), -np.inf)
        self.costs: Costs | None = None
        self.count = count

    def move(self, costs: Costs) -> Floats:
        """Bounds at new costs, (S,); those priced at them are to be told to `learn`."""
        share = np.full(self.count, -np.inf) if self.costs is None else shares(self.costs, costs)
        self.costs = costs
        factor = share[self.offer]
        known = (factor >= 0.0) & (self.floor >= 0.0)
        moved = np.where(np.isfinite(self.floor) & known, self.floor, 0.0) * np.maximum(factor, 0.0)
        moved[np.isposinf(self.floor)] = np.inf  # no schedule then, none now
        self.floor = np.where(known, moved, -np.inf)
        return self.floor.copy()

    def learn(self, rows: Ints, values: Floats) -> None:
        """Exact values of streams at the costs of the last `move`."""
        self.floor[rows] = values


def shares(old: Costs, new: Costs) -> Floats:
    """By offer (F,) the least share of its old costs that any cost still has, at most 1.

    -inf where costs are negative or more schedules are allowed than before.
    """
    if old.scale != new.scale:
        return np.full(len(new.batch), -np.inf)
    curved = (_rows(old) >= 0) | (_rows(new) >= 0)
    plain, curved = (new.limit > 0) & ~curved, (new.limit > 0) & curved
    share = np.full(len(new.batch), float(np.min(_kept(old.factor, new.factor))))
    for before, now in ((old.batch, new.batch), (old.setup, new.setup)):
        share = np.minimum(share, np.where(plain, _kept(before, now), 1.0).min(1))
    offer, period = np.nonzero(curved)
    for first in range(0, len(offer), CHUNK):
        f, t = offer[first : first + CHUNK], period[first : first + CHUNK]
        made = np.arange(1, int(new.limit[f, t].max()) + 1)
        kept = _kept(_curve(old, f, t, made), _curve(new, f, t, made))
        np.minimum.at(share, f, np.where(made <= new.limit[f, t][:, None], kept, 1.0).min(1))
    freer = np.asarray((new.limit > old.limit).any(1) | (new.least < old.least).any(1))
    share[freer] = -np.inf
    return np.where(share >= 0.0, share * (1.0 - ROUNDING), -np.inf)


def _rows(costs: Costs) -> Ints:
    """Curve of each offer and period (F, T), -1 for none."""
    if costs.curve_row is None:
        return np.full(costs.limit.shape, -1, np.int64)
    return costs.curve_row


def _curve(costs: Costs, f: Ints, t: Ints, made: Ints) -> Floats:
    """Cost of so many batches of some offers, each in one period, (len(f), len(made))."""
    table = costs.batch[f, t][:, None] * made + costs.setup[f, t][:, None]
    row = _rows(costs)[f, t]
    has = np.flatnonzero(row >= 0)
    if costs.curve is not None and len(has):
        known = made[made < costs.curve.shape[1]]
        table[has, : len(known)] = costs.curve[row[has]][:, known]
    return np.asarray(table)


def _kept(before: Floats, now: Floats) -> Floats:
    """Share of each cost that is left, at most 1; -inf where either is negative."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(before > 0.0, np.minimum(now / before, 1.0), 1.0)
    return np.where((before < 0.0) | (now < 0.0), -np.inf, share)
