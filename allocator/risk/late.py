"""Months of late start: of every offer alone, and of every pair of a program's offers.

A source may supply from a = max(chain, ready period) + lag on, never before the plan wants it. A
month of delay counts as much as the program's demand in it against its mean, as a month of
shortage does, so a slip before there is demand costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from allocator.calendar import lag_periods, ready_period
from allocator.portfolio import Offer, Portfolio
from allocator.risk.chain import PER_MONTH, shift_odds, survival_of_total
from allocator.risk.steps import chain_months, shapes

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Offers whose chains are convolved at once.
CHUNK = 2048


@dataclass(frozen=True)
class LateTable:
    """Expected months of late start by program, for one source and for two.

    `single` (F,). Pairs of program p stand in `pair` from `offset[p]` on, row-major over its
    `count[p]` offers; `local` (F,) is the number of an offer within its program.
    """

    single: Floats
    pair: Floats
    offset: Ints
    count: Ints
    local: Ints

    def of_pair(self, program: Ints, one: Ints, two: Ints) -> Floats:
        """Expected months that the earlier of two offers (rows) starts late, (N,)."""
        at = self.offset[program] + self.local[one] * self.count[program] + self.local[two]
        return np.asarray(self.pair[at])


def survivals(
    portfolio: Portfolio, offers: Sequence[Offer], log_odds: Floats, table: Floats | None = None
) -> tuple[Floats, Ints]:
    """P(first supply later than x) at grid points x, (F, points), and planned points (F,).

    Before the planned point it is 1; `log_odds` (F,) moves the odds of each point after it.
    """
    months = portfolio.periods[0].months
    lag = np.array([lag_periods(offer, months) for offer in offers], np.int64)
    ready = np.array([ready_period(offer, months) for offer in offers], np.int64)
    qualified = np.array([offer.qualified for offer in offers], np.bool_)
    chain = chain_months(portfolio, offers, table)
    chain[qualified] = 0.0
    planned = (ready + lag) * months * PER_MONTH
    behind = lag * months * PER_MONTH
    last = np.ceil(chain[:, :, 2].sum(axis=1) * PER_MONTH).astype(np.int64) + chain.shape[1]
    points = int(max(np.max(last + behind, initial=0), np.max(planned, initial=0))) + 1
    later = shift_odds(survival_of_total(chain, points), log_odds)
    column = np.arange(points)[None, :] - behind[:, None]
    later = np.take_along_axis(later, np.clip(column, 0, points - 1), axis=1)
    return np.where(np.arange(points)[None, :] < planned[:, None], 1.0, later), planned


def late_table(
    portfolio: Portfolio,
    offers: Sequence[Offer],
    program: Ints,
    programs: int,
    weight: Floats,
    after: Floats,
    log_odds: Floats,
) -> LateTable:
    """All expected late months. `program` (F,) is each offer's row among `programs`.

    `weight` (P, T) is the demand of each period relative to the program's mean, `after` (P,) the
    same beyond the horizon.
    """
    order = np.argsort(program, kind="stable")
    bounds = np.searchsorted(program[order], np.arange(programs + 1))
    count = np.diff(bounds)
    local = np.zeros(len(offers), np.int64)
    local[order] = np.arange(len(offers)) - bounds[program[order]]
    offset = np.concatenate([[0], np.cumsum(count**2)])
    single, pair = np.zeros(len(offers)), np.zeros(offset[-1])
    shape = shapes(portfolio.policy)
    step = PER_MONTH * portfolio.periods[0].months
    for first, last in _blocks(bounds):
        rows = order[bounds[first] : bounds[last]]
        survival, planned = survivals(
            portfolio, [offers[row] for row in rows], log_odds[rows], shape
        )
        for p in range(first, last):
            mine = slice(bounds[p] - bounds[first], bounds[p + 1] - bounds[first])
            points_weight = per_point(weight[p], after[p], step, survival.shape[1])
            alone, both = _expected(survival[mine], planned[mine], points_weight)
            single[order[bounds[p] : bounds[p + 1]]] = alone
            pair[offset[p] : offset[p + 1]] = both.ravel()
    return LateTable(single, pair, offset, count, local)


def _blocks(bounds: Ints) -> Iterator[tuple[int, int]]:
    """Ranges of programs with about CHUNK offers each."""
    programs, first = len(bounds) - 1, 0
    while first < programs:
        last = int(np.searchsorted(bounds, bounds[first] + CHUNK, side="right")) - 1
        last = min(max(last, first + 1), programs)
        yield first, last
        first = last


def per_point(weight: Floats, after: float, step: int, points: int) -> Floats:
    """Weighted months of each span from a grid point to the next, (points,)."""
    known = np.repeat(weight, step)[:points]
    return np.asarray(np.concatenate([known, np.full(points - len(known), after)]) / PER_MONTH)


def _expected(survival: Floats, planned: Ints, per_point: Floats) -> tuple[Floats, Floats]:
    """E[late] of each row, (n,), and of the earlier of each two rows, (n, n), symmetric.

    With R the survival from the planned point on and B the step before it, the product of two
    survivals after the earlier plan is R B' + B R' + R R': only sums of non-negative terms.
    """
    before = np.arange(survival.shape[1])[None, :] < planned[:, None]
    rest = np.where(before, 0.0, survival)
    weighted = rest * per_point
    crossed = weighted @ before.T.astype(np.float64)
    both = crossed + 0.5 * (weighted @ rest.T)
    return weighted.sum(axis=1), both + both.T
