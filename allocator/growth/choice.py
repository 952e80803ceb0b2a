"""Which reservation to hold, and under which contract: by expected cost or by worst regret."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from models.problem import Floats

#: Decimals of money to which two choices count as equal; the first of them then stands.
DECIMALS = 6


@dataclass(frozen=True)
class Alternative:
    """A reservation (its row) under a `kind` of contract (None: under none).

    `totals` (S,) is all cost in each scenario, the contract paid.
    """

    reservation: int
    kind: str | None
    totals: Floats


@dataclass(frozen=True)
class Choice:
    """All that can be chosen among; `odds` of the scenarios, None without probabilities."""

    alternatives: Sequence[Alternative]
    odds: Sequence[float] | None

    @property
    def criterion(self) -> str:
        """What is to be least."""
        return "worst regret" if self.odds is None else "expected cost"

    @cached_property
    def least(self) -> Floats:
        """The least cost in each scenario, (S,), had one known."""
        return np.asarray(np.min([a.totals for a in self.alternatives], axis=0))

    def regret(self, totals: Floats) -> Floats:
        """Cost above the least in each scenario, (S,)."""
        return totals - self.least

    def expected(self, totals: Floats) -> float | None:
        """The mean over the scenarios by their odds; None without probabilities."""
        return None if self.odds is None else float(totals @ np.array(self.odds, np.float64))

    def score(self, totals: Floats) -> tuple[float, float]:
        """What is to be least, of one alternative; where it is as low, the mean of its costs.

        One bad scenario may settle the worst regret; the mean then tells what the others cost.
        """
        expected = self.expected(totals)
        score = float(self.regret(totals).max()) if expected is None else expected
        return round(score, DECIMALS), round(float(totals.mean()), DECIMALS)

    def best(self, reservation: int | None = None) -> Alternative:
        """The best of all, or of one reservation; the first of several as good."""
        mine = [a for a in self.alternatives if reservation in (None, a.reservation)]
        return min(mine, key=lambda a: self.score(a.totals))
