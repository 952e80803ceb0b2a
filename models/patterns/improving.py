"""Integer plans by ruin and recreate, guided by the duals of the relaxation."""

from __future__ import annotations

import numpy as np

from models.patterns.bound import Lagrangian
from models.patterns.columns import Columns
from models.patterns.plan import candidates, decision_of, empty_state, ground_of, settle, work_of
from models.patterns.root import Relaxation
from models.patterns.watch import Watch
from models.problem import Bools, Floats, Ints
from models.result import Decision

#: Candidate options per program: so many of the best, and at least so many per CMO.
CANDIDATES, PER_CMO = 40, 2
#: Moves between two looks at the clock.
ROUND = 100
#: Programs that a move may take out, and the share of moves that expand, give back or close.
SIZE, RESHAPE = 6, 0.05
#: Shares of the guiding prices that a move is made with.
GUIDES = np.array([0.0, 0.0, 0.3, 0.6, 1.0])


class Improver:
    """A plan under improvement over the candidate options of one relaxation."""

    def __init__(
        self, lagrangian: Lagrangian, relaxation: Relaxation, pairs: Ints, watch: Watch, seed: int
    ) -> None:
        assert relaxation.priced is not None
        assert relaxation.duals is not None
        self.lagrangian, self.watch, self.seed = lagrangian, watch, seed
        also = np.empty(0, np.int64)
        if watch.decision is not None:
            also = watch.decision.option
        values = relaxation.priced.options
        self.rows = candidates(lagrangian, values, CANDIDATES, PER_CMO, also)
        prices = lagrangian.prices(relaxation.duals[: len(relaxation.duals)], pairs)
        self.ground = ground_of(lagrangian, self.rows, prices)
        self.least = relaxation.priced.least
        self.state = empty_state(self.ground)
        self.best = empty_state(self.ground)
        self.saved = empty_state(self.ground)
        self.work = work_of(self.ground)
        self.top = np.inf
        self.rounds = 0

    def construct(self, grown: Bools) -> None:
        """Fill an empty plan, the dearest programs first, at guiding prices."""
        self.state.grown[:] = grown
        self._moves(np.argsort(-self.least, kind="stable"), 0, 0.0)
        self._hand_over()

    def load(self, decision: Decision) -> None:
        """Start from a decision whose options are candidates."""
        problem, T = self.lagrangian.book.problem, self.lagrangian.layout.T
        options, streams = problem.options, problem.streams
        parts = []
        for source, stream in enumerate((options.first, options.second)):
            row = stream[decision.option]
            self.best.offer[:, source] = np.where(row >= 0, streams.offer[row], -1)
            batches = np.zeros((len(row), T), np.int16)
            for p in np.flatnonzero(row >= 0):
                made = decision.batches.get(int(self.best.offer[p, source]))
                if made is not None:
                    batches[p] = made
            self.best.batches[:, source] = batches
            parts.append(batches)
        columns = self.lagrangian.book.columns(decision.option, parts[0], parts[1])
        self.best.own[:] = columns.cost
        self.best.option[:] = np.searchsorted(self.rows, decision.option)
        self.best.grown[:] = decision.expanded
        assert self.watch.objective is not None
        self.top = self.watch.objective

    def run(self, rounds: int, slack: float) -> bool:
        """`rounds` times ROUND moves from the best plan; whether a better one was found.

        `slack` is the share of the gap by which a plan may be worse than the best one and still be
        kept, falling to 0 over the rounds.
        """
        before = self.top
        settle(self.ground, self.state, self.best)
        bound = self.watch.bound if self.watch.bound is not None else self.top
        start = slack * max(self.top - bound, 0.0)
        none = np.empty(0, np.int64)
        for turn in range(rounds):
            if self.watch.over():
                break
            self._moves(none, ROUND, start * (1.0 - turn / rounds))
        return self._hand_over() and self.top < before

    def _moves(self, start: Ints, moves: int, slack: float) -> None:
        from models.patterns.ruin import improve

        self.rounds += 1
        self.top, _ = improve(
            self.ground,
            self.state,
            self.saved,
            self.best,
            self.top,
            (self.seed * 1_000_003 + self.rounds) % 2**32,
            start,
            moves,
            SIZE,
            RESHAPE,
            slack,
            1.0,
            GUIDES,
            self.work,
        )

    def _hand_over(self) -> bool:
        """Offer the best plan to the watch; whether it was better."""
        if not np.isfinite(self.top):
            return False
        return self.watch.offer(decision_of(self.ground, self.rows, self.best))

    def columns(self) -> Columns:
        """The best plan as columns, one per program."""
        option: Ints = self.rows[self.best.option]
        made = self.best.batches.astype(np.int16)
        return self.lagrangian.book.columns(option, made[:, 0], made[:, 1])


def expanded_lines(expand: Ints, side: Floats) -> Bools:
    """Lines that the relaxation expands by half or more, (L,)."""
    values = np.append(side, 0.0)
    return np.asarray(values[np.where(expand >= 0, expand, len(side))] >= 0.5)
