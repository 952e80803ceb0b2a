"""What a MIP solver gives back, the same for every backend."""

from __future__ import annotations

from dataclasses import dataclass, field

from models.problem import Floats
from models.result import Limit


@dataclass(frozen=True)
class Outcome:
    """`x` (columns,) is None where the solver found no plan, `bound` where it proved nothing.

    `infeasible` means proven to have no solution; `log` is the solver's own.
    """

    x: Floats | None
    objective: float | None
    bound: float | None
    limit: Limit | None
    infeasible: bool
    log: str
    statistics: dict[str, float | str] = field(default_factory=dict)
