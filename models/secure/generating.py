"""Entries that a linear program over entries asks for, at its prices of line-days."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from models.patterns.bound import Lagrangian
from models.patterns.columns import Book
from models.patterns.pricing import Pricer
from models.problem import Bools, Floats, Ints
from models.secure.insertion import Inserter
from models.secure.standing import Entry, Standing

#: Options of a program that are tried at most, the most promising first.
TRIED = 6
#: Shares of the days that count as left where an outage leaves too few, one of them by chance.
SHARES = (0.3, 0.6, 1.0)


@dataclass(frozen=True)
class Prices:
    """Duals of a linear program over entries.

    `duals` of the layout's rows, then of the `pairs` (N, 2) of program and CMO. `scarce` is what a
    line-day is worth (> 0) after an outage, by line, group, start and period.
    """

    duals: Floats
    pairs: Ints
    scarce: dict[tuple[int, ...], float]


class Generator:
    """Prices options by schedules that withstand every outage."""

    def __init__(self, inserter: Inserter, book: Book, seed: int) -> None:
        self.inserter, self.problem = inserter, inserter.problem
        self.lagrangian = Lagrangian(book, Pricer(self.problem))
        self.rng = np.random.default_rng(seed)

    def entries(
        self, prices: Prices, engaged: Bools, expanded: Bools, until: float
    ) -> list[tuple[int, Entry]]:
        """Entries by program at the CMOs `engaged` that look cheaper than what `prices` pay.

        A batch pays for its line-days as if it stood in every outage in which they are scarce. Ends
        with what there is at `until` (of `time.monotonic`).
        """
        problem, lagrangian, options = self.problem, self.lagrangian, self.problem.options
        layout, duals = lagrangian.layout, prices.duals.copy()
        for (line, _, _, t), worth in prices.scarce.items():
            duals[layout.P + line * layout.T + t] -= worth
        priced = lagrangian.prices(duals, prices.pairs)
        costs, once = lagrangian.costs(priced)
        streams = np.full(len(problem.streams.offer) + 1, np.nan)
        streams[lagrangian.rows] = lagrangian.pricer.values(lagrangian.rows, costs)
        with np.errstate(invalid="ignore"):
            values = lagrangian.option_values(priced, once, streams[:-1])
            streams[-1] = 0.0
            apart = values - streams[options.first] - streams[options.second]
        floor = self.inserter.floor
        able = np.isfinite(floor) & np.isfinite(values)
        values[able] += floor[able] - self.inserter.least[able]
        values[~able] = np.inf
        away = np.append(~engaged, False)
        values[away[lagrangian.k1] | away[lagrangian.k2]] = np.inf
        standing = self._standing(prices.scarce, engaged, expanded)
        found = []
        for p in range(layout.P):
            if time.monotonic() >= until:
                break
            pays = float(duals[p])
            first = int(options.start[p]) + 1
            order = np.argsort(values[first : options.start[p + 1]], kind="stable")[:TRIED]
            for o in (first + order[values[first + order] < pays]).tolist():
                entry = self.inserter.priced(standing, o, costs, pays - float(apart[o]))
                if entry is not None:
                    found.append((p, entry))
        return found

    def _standing(
        self, scarce: dict[tuple[int, ...], float], engaged: Bools, expanded: Bools
    ) -> Standing:
        """No program in it, and fewer days left where they are scarce."""
        standing = Standing(self.problem, self.inserter.terms, expanded)
        standing.programs_at[engaged] = 1
        for line, g, s, t in scarce:
            standing.free[g, s, line, t] *= self.rng.choice(SHARES)
        return standing
