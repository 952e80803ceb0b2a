"""What a solve gives back: a decision, and apart from it status, limit, objective and bound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from models.problem import Bools, Ints

Status = Literal["optimal", "feasible", "infeasible", "no_plan"]
Limit = Literal["time", "gap", "interrupt", "memory"]

#: Relative difference under which objective and bound count as equal (solver tolerances).
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Decision:
    """What is decided; stock, shortage and cost follow from it (`models.evaluate`).

    `option` (P,) is the row of the chosen option of each program, `batches` maps an offer to its
    whole batches started per period (T,), `expanded` (L,) tells which lines are expanded.
    """

    option: Ints
    batches: Mapping[int, Ints]
    expanded: Bools


@dataclass(frozen=True)
class Result:
    """A finished solve.

    `status` says what is known, `limit` which limit ended the search (None: none did). `objective`
    is the exactly evaluated objective of `decision`; both are None where no plan was found.
    `bound` is a proven lower bound, None where there is none. `conflict` names a minimal set of
    rules that cannot all hold where the status is infeasible.
    """

    status: Status
    limit: Limit | None
    decision: Decision | None
    objective: float | None
    bound: float | None
    solver: str
    seconds: float
    conflict: tuple[str, ...] = ()
    log: str = ""
    statistics: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def gap(self) -> float | None:
        """(objective - bound) / |objective|, never negative; None where either is unknown."""
        return relative_gap(self.objective, self.bound)


def relative_gap(objective: float | None, bound: float | None) -> float | None:
    """Relative gap of a minimisation, None where one side is unknown."""
    if objective is None or bound is None:
        return None
    return max(0.0, objective - bound) / max(abs(objective), 1e-9)


def status_of(objective: float | None, bound: float | None, gap: float) -> Status:
    """`optimal` only where the bound proves the objective within the asked relative gap."""
    reached = relative_gap(objective, bound)
    if objective is None:
        return "no_plan"
    return "optimal" if reached is not None and reached <= max(gap, TOLERANCE) else "feasible"
