"""Prices every supply stream exactly under given adjusted costs, in chunks over threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.problem import Floats, Ints, Problem

Batches = npt.NDArray[np.int16]

#: Streams handed to one compiled call: small enough to share work evenly and to poll for a stop.
CHUNK = 20_000


class Stopped(Exception):  # noqa: N818
    """Pricing was ended before it was through."""


@dataclass(frozen=True)
class Costs:
    """Adjusted costs of pricing, by period of start.

    `batch` and `setup` (F, T) money per batch and per campaign, `limit` and `least` (F, T) most and
    fewest batches, `factor` (T,) multiplies holding, `scale` multiplies shortage, safety and
    holding (0 in phase one). Where `curve_row` (F, T) is not -1, that row of `curve` is the cost of
    0, 1, 2, ... batches with their campaign, in place of `batch` and `setup` (line-days with cuts).
    """

    batch: Floats
    setup: Floats
    limit: Ints
    least: Ints
    factor: Floats
    scale: float = 1.0
    curve_row: Ints | None = None
    curve: Floats | None = None


class Pricer:
    """Streams with their tables, ready for the compiled kernel.

    Streams of one program with the same share and hand-over have one *profile*: the tables of
    demand, cap and target are kept per profile, not per stream. Where `over` comes to say that the
    solve must end, pricing raises Stopped.
    """

    def __init__(
        self, problem: Problem, threads: int = 1, over: Callable[[], bool] | None = None
    ) -> None:
        self.problem, self.over = problem, over
        self.threads = max(1, threads)
        offers, streams = problem.offers, problem.streams
        program = offers.program[streams.offer]
        share_id = np.unique(streams.share, return_inverse=True)[1].reshape(-1)
        before_id = np.unique(streams.before, return_inverse=True)[1].reshape(-1)
        key = program * (int(share_id.max(initial=0)) + 1) + share_id
        key = key * (int(before_id.max(initial=0)) + 1) + before_id
        key = key * (problem.periods + 1) + streams.switch
        _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
        self.profile = inverse.reshape(-1).astype(np.int64)
        tables = problem.stream_tables(first.astype(np.int64))
        self.demand, self.cap, self.target = tables.demand, tables.cap, tables.target
        self.opening = tables.opening
        self.no_curve = np.full((len(offers.ids), problem.periods), -1, np.int64)
        most = tables.demand.sum(1) + tables.cap.max(1, initial=0.0)
        self.width = np.floor(most[self.profile] / offers.good_per_batch[streams.offer]) + 3.0

    def values(self, rows: Ints, costs: Costs) -> Floats:
        """Cheapest cost of each stream of `rows`, (len(rows),)."""
        return self._run(rows, costs, record=False)[0]

    def schedules(self, rows: Ints, costs: Costs) -> tuple[Floats, Batches]:
        """Cheapest cost and its batches by period of start, (len(rows),) and (len(rows), T)."""
        return self._run(rows, costs, record=True)

    def scaled(self, costs: Costs) -> tuple[Ints, Floats, Floats, Floats, Floats]:
        """What compiled code is given of `costs`: rows of curves (F, T), the curves, and the money
        of shortage, of safety stock and of holding, (P,) each.
        """
        programs, row, curve = self.problem.programs, costs.curve_row, costs.curve
        if row is None or curve is None:
            row, curve = self.no_curve, np.zeros((1, 1))
        return (
            row,
            curve,
            programs.shortage_price * costs.scale,
            programs.safety_price * costs.scale,
            programs.holding_price * costs.scale,
        )

    def _run(self, rows: Ints, costs: Costs, record: bool) -> tuple[Floats, Batches]:
        from models.patterns import dp

        problem = self.problem
        value = np.empty(len(rows))
        batches = np.zeros((len(rows) if record else 0, problem.periods), np.int16)
        row, curve, shortage, safety, holding = self.scaled(costs)

        def chunk(start: int) -> None:
            if start and self.over is not None and self.over():
                raise Stopped
            part = rows[start : start + CHUNK]
            dp.price(  # type: ignore[no-untyped-call]
                part,
                problem.streams.offer,
                self.profile,
                problem.offers.program,
                problem.offers.good_per_batch,
                problem.offers.lag,
                costs.limit,
                costs.least,
                costs.batch,
                costs.setup,
                row,
                curve,
                self.demand,
                self.cap,
                self.target,
                self.opening,
                shortage,
                safety,
                holding,
                costs.factor,
                int(self.width[part].max(initial=3.0)),
                record,
                value[start : start + CHUNK],
                batches[start : start + CHUNK],
            )

        starts = range(0, len(rows), CHUNK)
        if self.threads == 1 or len(starts) < 2:
            for start in starts:
                chunk(start)
        else:
            with ThreadPoolExecutor(self.threads) as pool:
                list(pool.map(chunk, starts))
        return value, batches
