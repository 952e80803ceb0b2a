"""Stabilised column generation: the master's linear relaxation and the Lagrangian bound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.patterns.bound import Lagrangian, Priced
from models.patterns.columns import Columns
from models.patterns.master import Master
from models.patterns.pricing import Stopped
from models.patterns.watch import Watch
from models.problem import Floats, Ints

#: Weight of the best duals so far in the duals that are priced (Wentges smoothing).
SMOOTHING = 0.7
#: Relative distance of master and bound at which the relaxation counts as solved.
CONVERGED = 1e-4


@dataclass
class Relaxation:
    """The best bound and the duals that gave it; `infeasible` is a proof that no plan exists.

    `converged`: the master's value is within CONVERGED of the bound.
    """

    bound: float = -np.inf
    duals: Floats | None = None
    priced: Priced | None = None
    objective: float = np.inf
    infeasible: bool = False
    converged: bool = False
    rounds: int = 0


class Generation:
    """Column generation over one master; `run` goes on until converged or `until` seconds.

    `part`: the master is that of a part whose columns are known to keep all rules together, and
    whose bound says nothing of the whole.
    """

    def __init__(
        self, lagrangian: Lagrangian, master: Master, watch: Watch, part: bool = False
    ) -> None:
        self.lagrangian, self.master, self.watch = lagrangian, master, watch
        self.part = part
        self.centre: Floats | None = None
        self.result = Relaxation()
        self.cutoff = np.inf
        self.scale = 1.0 if part else 0.0
        master.phase(not part)

    def run(self, until: float, tolerance: float = CONVERGED, rounds: int = 100_000) -> Relaxation:
        """Generate columns until the relaxation is solved, or `until` seconds of the watch."""
        master, result = self.master, self.result
        for _ in range(rounds):
            if self.watch.seconds >= until or self.watch.over():
                break
            result.rounds += 1
            if not master.solve(
                min(until, self.watch.seconds + self.watch.left) - self.watch.seconds
            ):
                if not master.empty or self.scale == 0.0:
                    break
                self.scale, self.centre = 0.0, None  # no choice of these columns keeps the rules
                result.bound = -np.inf
                master.phase(True)
                continue
            if self.scale == 0.0 and master.objective <= 1e-7:
                self.scale, self.centre = 1.0, None
                master.phase(False)
                continue
            rows = master.separate()
            if rows:
                if self.centre is not None:
                    self.centre = np.concatenate([self.centre, np.zeros(rows)])
                continue
            try:
                added = self.price()
            except Stopped:
                break
            if self.scale == 0.0:
                if result.bound > 1e-6 or not added:
                    result.infeasible = result.bound > 1e-6
                    break
                continue
            result.objective = master.objective
            apart = master.objective - result.bound
            if result.bound >= self.cutoff:
                break
            result.converged = apart <= tolerance * abs(master.objective) or not added
            if result.converged:
                break
        return result

    def price(self) -> int:
        """Price against smoothed duals, then, if that finds nothing, the true ones."""
        true = self.master.duals
        tries = [true]
        if self.centre is not None:
            tries.insert(0, SMOOTHING * self.centre + (1.0 - SMOOTHING) * true)
        for duals in tries:
            priced = self.lagrangian.evaluate(
                duals,
                self.master.added,
                self.scale,
                self.master.side_costs(duals),
                (self.master.side_lower, self.master.side_upper),
            )
            if self.centre is None or priced.bound > self.result.bound:
                self.centre = duals
                self.result.bound, self.result.duals = priced.bound, duals
                self.result.priced = priced
                if self.scale and not self.part:
                    self.watch.raise_bound(priced.bound)
            added = self.master.add(self.worth(self.choice(priced), true, priced))
            if added:
                return added
        return 0

    def choice(self, priced: Priced) -> Ints:
        """Options to make columns of: each program's best, and its best at another CMO."""
        lagrangian = self.lagrangian
        options = lagrangian.book.problem.options
        best = priced.best[np.isfinite(priced.options[priced.best])]
        taken = np.full(lagrangian.layout.P, -2, np.int16)
        taken[options.program[best]] = lagrangian.k1[best]
        other = np.where(lagrangian.k1 == taken[options.program], np.inf, priced.options)
        second = lagrangian.best(other, np.minimum.reduceat(other, options.start[:-1]))
        return np.concatenate([best, second[np.isfinite(other[second])]])

    def worth(self, option: Ints, duals: Floats, priced: Priced) -> Columns:
        """The columns of some options that have a negative reduced cost at the true duals."""
        columns = self.lagrangian.columns(option, priced.costs)
        reduced = self.master.reduced_costs(columns, duals)
        least = 1e-9 * max(1.0, abs(self.master.objective)) / self.lagrangian.layout.P
        return columns.take(np.flatnonzero(reduced < -100 * least))
