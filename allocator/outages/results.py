"""What a stress test found: every outage, and what it means for the programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from allocator.outages.groups import Group

#: Share of the money missed that duals must prove beyond the levels; less might be noise.
KEPT_PROVEN = 1e-6

#: Whether every program keeps its service level: a plan shows it, a bound rules it out, or neither.
Kept = Literal["yes", "no", "open"]


@dataclass(frozen=True)
class ProgramShort:
    """What an outage costs one program, beyond what the plan leaves unmet anyway.

    Units, and months of missing supply as `docs/model.md` counts them. `months_until_short` counts
    from the start of the outage; `months_until_recovered` is None where demand is still missed in
    the last period. `allowed_units` is what the service level allows, `exposed` beyond it.
    """

    program_id: str
    units_short: float
    months_short: float
    share_short: float
    allowed_units: float
    exposed: bool
    months_until_short: float
    months_until_recovered: float | None
    money: float


@dataclass(frozen=True)
class Proof:
    """A bound that weak duality proves from these numbers alone (docs/stress.md).

    `flow` is money per unit by (program, period), `line_days` per day by (line, period), `short`
    per unit by program; what is 0 is left out.
    """

    bound: float
    flow: Mapping[tuple[str, str], float] = field(default_factory=dict)
    line_days: Mapping[tuple[str, str], float] = field(default_factory=dict)
    short: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class OutageResult:
    """One outage from the start of one period on, met as well as it can be.

    `money` is what the units short cost in the re-routing of `changes` (offer -> period -> batches
    where they differ from the plan's), `bound` what they cost at least in any. `kept` tells whether
    every program can keep its service level; where it is `no`, `exposure_bound` is above 0. What
    the bounds have above those of `proof` and `exposure_proof` is the MIP solver's word.
    """

    group: Group
    start_period: str
    kept: Kept
    money: float
    bound: float
    exposure_bound: float
    programs: tuple[ProgramShort, ...]
    changes: Mapping[str, Mapping[str, int]]
    proof: Proof
    exposure_proof: Proof
    limit: str | None = None

    @property
    def gap(self) -> float:
        """Relative distance of money and bound."""
        return 0.0 if self.money <= 0 else max(0.0, self.money - self.bound) / self.money

    @property
    def proven(self) -> float:
        """What any re-routing costs at least, without a solver's word."""
        return self.proof.bound

    @property
    def kept_proven(self) -> bool:
        """Whether `kept` is shown without a solver's word: by the re-routing, or by duals."""
        refuted = self.exposure_proof.bound > KEPT_PROVEN * self.money
        return self.kept == "yes" or (self.kept == "no" and refuted)

    @property
    def bound_on_trust(self) -> bool:
        """Whether `bound` is the MIP solver's word where it lies above what is proven."""
        return self.bound - self.proven > 1e-6 * self.bound + 0.01

    @property
    def level_on_trust(self) -> bool:
        """Whether it is the MIP solver's word that some level cannot be kept."""
        return self.kept == "no" and not self.kept_proven

    @property
    def exposed(self) -> tuple[str, ...]:
        """Programs that the re-routing leaves below their service level."""
        return tuple(program.program_id for program in self.programs if program.exposed)

    @property
    def months_until_short(self) -> float | None:
        """Months from the start until the first program is short, None where none is."""
        return min((program.months_until_short for program in self.programs), default=None)


@dataclass(frozen=True)
class StressReport:
    """Every single outage of a plan, the worst first.

    `programs` is the number of programs of the portfolio, `gap` what was asked, `folder` where the
    files are (None: none were written).
    """

    outages: tuple[OutageResult, ...]
    kinds: tuple[str, ...]
    service_level: float
    currency: str
    programs: int
    gap: float
    seconds: float
    limit: str | None = None
    folder: Path | None = None

    @property
    def worst(self) -> OutageResult | None:
        """The outage that costs most, None where there is none."""
        return self.outages[0] if self.outages else None

    @cached_property
    def by_group(self) -> tuple[OutageResult, ...]:
        """The worst start of each group, the worst group first."""
        worst: dict[str, OutageResult] = {}
        for result in self.outages:
            worst.setdefault(result.group.label, result)
        return tuple(worst.values())

    @cached_property
    def exposed(self) -> tuple[str, ...]:
        """Programs that some outage's re-routing leaves below their service level, by id."""
        return tuple(sorted({name for result in self.outages for name in result.exposed}))

    @property
    def secure(self) -> bool | None:
        """Whether the plan keeps every service level under every outage; None: not proven."""
        kept = {result.kept for result in self.outages}
        if "no" in kept:
            return False
        return None if "open" in kept else True

    @property
    def on_trust(self) -> int:
        """Outages of which something is the MIP solver's word."""
        return sum(result.bound_on_trust or result.level_on_trust for result in self.outages)

    @property
    def months_to_survive(self) -> float | None:
        """Months from the start until a program is short, in the outage where that comes first."""
        months = [result.months_until_short for result in self.outages]
        return min((m for m in months if m is not None), default=None)
