"""Rules about CMOs: engagement, spend, take-or-pay and rebates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from allocator.audit.case import Case
from allocator.audit.report import same_money

Faults = Iterator[tuple[str, str]]


def _entries(case: Case) -> Iterator[tuple[str, dict[str, Any]]]:
    """What plan.json says of each CMO of the portfolio."""
    for entry in case.plan["cmos"]:
        if entry["cmo_id"] in case.portfolio.cmos:
            yield entry["cmo_id"], entry


def engaged(case: Case) -> Faults:
    """A CMO that makes anything is engaged, onboarded and overseen; any other is not."""
    for cmo_id, entry in _entries(case):
        made = sorted(case.makes[cmo_id])
        if entry["programs"] != made:
            yield cmo_id, f"is said to make {_list(entry['programs'])}, it makes {_list(made)}"
        if entry["engaged"] != bool(made):
            said = "engaged" if entry["engaged"] else "not engaged"
            yield cmo_id, f"is said to be {said} and makes {len(made)} programs"
        cost = case.portfolio.cmos[cmo_id].onboarding_cost if made else 0.0
        fees = case.annual_fees(cmo_id) if made else 0.0
        for key, due in (("onboarding", cost), ("annual_fees", fees)):
            if not same_money(entry[key], due):
                yield f"{cmo_id} {key}", f"{entry[key]:,.2f} is stated, {due:,.2f} is due"


def spend(case: Case) -> Faults:
    """Spend with a CMO in a calendar year is its batches and validation runs of that year."""
    yield from _by_year(case, "spend", lambda cmo_id, year: case.spend[cmo_id, year])


def take_or_pay(case: Case) -> Faults:
    """An engaged CMO is paid at least its yearly floor."""
    yield from _by_year(case, "take_or_pay", case.take_or_pay)


def tiers(case: Case) -> Faults:
    """A year's rebate is that of the highest tier that its spend reaches."""
    yield from _by_year(case, "rebate", case.rebate)


def _by_year(case: Case, key: str, recomputed: Any) -> Faults:
    for cmo_id, entry in _entries(case):
        if list(entry[key]) != case.facts.years:
            yield f"{cmo_id} {key}", f"is given for {_list(entry[key])}"
            continue
        for year, stated in entry[key].items():
            due = recomputed(cmo_id, year)
            if not same_money(stated, due):
                yield f"{cmo_id} {key} {year}", f"{stated:,.2f} is stated, {due:,.2f} follows"


def _list(words: Any) -> str:
    return ", ".join(words) or "nothing"


RULES = (engaged, spend, take_or_pay, tiers)
