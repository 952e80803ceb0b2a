"""How demand grows: by one factor, by form or program, from a period on, at once or in steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from allocator.errors import Usage
from allocator.findings import did_you_mean
from allocator.portfolio import Portfolio, Program


@dataclass(frozen=True)
class Growth:
    """Multipliers of demand. The most specific stands: program, else form, else `demand`.

    `since` is the label of the first grown period (blank: the first of the horizon). With `ramp` n
    the growth arrives in n equal steps from there on; 1 or less is all at once.
    """

    demand: float = 2.0
    programs: Mapping[str, float] = field(default_factory=dict)
    forms: Mapping[str, float] = field(default_factory=dict)
    since: str = ""
    ramp: int = 1

    def factor(self, program: Program) -> float:
        """The multiplier of one program once its growth is complete."""
        by_form = self.forms.get(program.dosage_form, self.demand)
        return self.programs.get(program.program_id, by_form)

    def factors(self, portfolio: Portfolio, program: Program) -> tuple[float, ...]:
        """The multiplier of one program in each period."""
        labels = [period.label for period in portfolio.periods]
        start = len(labels) - periods_left(labels, self.since)
        steps = max(1, self.ramp)
        full = self.factor(program) - 1.0
        return tuple(
            1.0 + full * min(1.0, max(0, t - start + 1) / steps) for t in range(len(labels))
        )

    def scaled(self, multiplier: float) -> Growth:
        """The same shape of growth with every program's factor at `multiplier`."""
        return replace(self, demand=multiplier, programs={}, forms={})


def grown(portfolio: Portfolio, growth: Growth) -> Portfolio:
    """The portfolio with its demand multiplied; what delay costs per month stays as it is."""
    programs = {}
    for key, program in portfolio.programs.items():
        factors = growth.factors(portfolio, program)
        demand = tuple(d * f for d, f in zip(program.demand, factors, strict=True))
        programs[key] = replace(program, demand=demand)
    return replace(portfolio, programs=programs)


def check_growth(portfolio: Portfolio, growth: Growth) -> Growth:
    """The growth with ids as the tables spell them. Raises Usage for what the tables don't have."""
    forms = sorted({program.dosage_form for program in portfolio.programs.values()})
    labels = [period.label for period in portfolio.periods]
    known(growth.programs, portfolio.programs, "program")
    known(growth.forms, forms, "dosage form")
    since = growth.since.strip().upper()
    if since:
        known([since], labels, "period")
    for name, factor in [
        ("demand", growth.demand),
        *growth.programs.items(),
        *growth.forms.items(),
    ]:
        if not 0.0 <= factor <= 1000.0:
            raise Usage(f"{name}: {factor:g} is no multiplier of demand; give one from 0 to 1000")
    room = periods_left(labels, since)
    if not 0 <= growth.ramp <= room:
        start = since or labels[0]
        raise Usage(
            f"ramp: {growth.ramp} periods; give one from 1 (at once) to {room}, the periods from"
            f" {start} on, so that all of the growth arrives"
        )
    return replace(growth, since=since)


def periods_left(labels: Sequence[str], since: str) -> int:
    """How many periods there are from `since` on; blank: from the first on."""
    return len(labels) - (labels.index(since) if since else 0)


def known(names: Iterable[str], ids: Iterable[str], what: str) -> None:
    """Raise Usage for the first name that is none of `ids`, with the one that may be meant."""
    ids = list(ids)
    for name in names:
        if name not in ids:
            shown = ", ".join(ids[:8]) + (" ..." if len(ids) > 8 else "")
            raise Usage(f"there is no {what} {name!r}; {did_you_mean(name, ids, 'use ' + shown)}")
