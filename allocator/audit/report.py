"""What the audit says, and how near is near enough."""

from __future__ import annotations

from dataclasses import dataclass

#: Money may differ by this share of the amount, plus `MONEY_ABSOLUTE` of the currency.
RELATIVE = 1e-6
MONEY_ABSOLUTE = 0.01

#: Days, units, shares and months may differ by this, plus `RELATIVE` of the figure.
ABSOLUTE = 1e-6

#: Rounding noise of a difference, relative to the numbers it is taken of.
NOISE = 1e-12


@dataclass(frozen=True, slots=True, order=True)
class AuditFinding:
    """One fault: the rule that is broken, where, and what is wrong there.

    `rule` is the name that the rule has in `models/compact.md` and docs/audit.md.
    """

    rule: str
    where: str
    what: str

    def __str__(self) -> str:
        """One line: `line_days L1 2027Q2: 31 of 30 days are used`."""
        return f"{self.rule} {self.where}: {self.what}"


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The audit's verdict; `trusted` is what it had to believe, in words."""

    findings: tuple[AuditFinding, ...]
    trusted: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the plan holds and costs what it says."""
        return not self.findings


def money_tolerance(amount: float) -> float:
    """How far a stated amount of money may lie from the recomputed one."""
    return RELATIVE * abs(amount) + MONEY_ABSOLUTE


def tolerance(figure: float, scale: float = 0.0) -> float:
    """How far a stated number of days, units, months or a share may lie from the recomputed one.

    `scale` is the size of the numbers whose difference it is: they carry rounding noise of their
    own size.
    """
    return RELATIVE * abs(figure) + ABSOLUTE + NOISE * abs(scale)


def same_money(stated: float, recomputed: float) -> bool:
    """Whether two amounts of money agree."""
    return abs(stated - recomputed) <= money_tolerance(recomputed)


def same(stated: float, recomputed: float, scale: float = 0.0) -> bool:
    """Whether two numbers of days, units, months or shares agree; `scale` as in `tolerance`."""
    return abs(stated - recomputed) <= tolerance(recomputed, scale)
