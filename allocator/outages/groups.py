"""Which single outages there are: each CMO, owner, region, country and shared input of a plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from allocator.defaults import RECOVER_MONTHS
from allocator.errors import Usage
from allocator.findings import did_you_mean
from allocator.portfolio import Portfolio

#: What can stop as one.
KINDS = ("cmo", "owner", "region", "country", "shared_input")


@dataclass(frozen=True)
class Group:
    """Everything that stops together: its CMOs, or (kind shared_input) all that needs an input.

    `recover_months` is the policy's for the group where it gives one, else the longest of the CMOs.
    """

    kind: str
    member: str
    cmos: tuple[str, ...]
    recover_months: float

    @property
    def label(self) -> str:
        """`region EU`, `cmo K1`."""
        return f"{self.kind.replace('_', ' ')} {self.member}"


def check_kinds(kinds: Iterable[str]) -> tuple[str, ...]:
    """The kinds asked for, in the order of KINDS. Raises Usage for an unknown or no kind."""
    asked = set(kinds)
    for kind in sorted(asked - set(KINDS)):
        hint = did_you_mean(kind, KINDS, f"use {', '.join(KINDS)}")
        raise Usage(f"no outage group {kind!r}; {hint}")
    if not asked:
        raise Usage(f"name at least one outage group of {', '.join(KINDS)}")
    return tuple(kind for kind in KINDS if kind in asked)


def groups_of(
    portfolio: Portfolio, kinds: Sequence[str], offer_ids: Iterable[str]
) -> tuple[Group, ...]:
    """Every group of these kinds that some of `offer_ids` depends on, by kind and member."""
    offers = [portfolio.offers[offer_id] for offer_id in offer_ids]
    used = {portfolio.lines[offer.line_id].cmo_id for offer in offers}
    found: list[Group] = []
    for kind in check_kinds(kinds):
        if kind == "shared_input":
            members = {name for offer in offers for name in offer.shared_inputs}
        else:
            members = {member_of(portfolio, cmo_id, kind) for cmo_id in used} - {""}
        for member in sorted(members):
            cmos = tuple(sorted(_cmos(portfolio, kind, member)))
            found.append(Group(kind, member, cmos, _months(portfolio, kind, member, cmos)))
    return tuple(found)


def member_of(portfolio: Portfolio, cmo_id: str, kind: str) -> str:
    """The owner, region or country of a CMO (blank: unknown), or the CMO itself."""
    return cmo_id if kind == "cmo" else str(getattr(portfolio.cmos[cmo_id], kind))


def _cmos(portfolio: Portfolio, kind: str, member: str) -> set[str]:
    """CMOs of a group; for a shared input those that make something with it."""
    if kind == "shared_input":
        return {
            portfolio.lines[offer.line_id].cmo_id
            for offer in portfolio.offers.values()
            if member in offer.shared_inputs
        }
    return {i for i in portfolio.cmos if member_of(portfolio, i, kind) == member}


def _months(portfolio: Portfolio, kind: str, member: str, cmos: Sequence[str]) -> float:
    """Months until a group is back."""
    given = [
        group.recover_months
        for group in portfolio.policy.outage_groups
        if (group.kind, group.member) == (kind, member)
    ]
    if given:
        return max(given)
    own = (portfolio.cmos[cmo_id].recover_months for cmo_id in cmos)
    return max(RECOVER_MONTHS if months is None else months for months in own)
