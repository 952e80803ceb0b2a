"""Knock-out gates: why a CMO may make nothing."""

from __future__ import annotations

from collections.abc import Iterator

from allocator.diligence import answer_reasons, headings_of
from allocator.portfolio import Cmo, Portfolio


def barred(portfolio: Portfolio) -> dict[str, tuple[str, ...]]:
    """Every gate that a CMO fails, in words, its answers to due diligence included.

    CMOs that pass all of them, or that the policy waives by name, have no entry.
    """
    every = {cmo_id: gate_reasons(portfolio, cmo_id) for cmo_id in portfolio.cmos}
    return {cmo_id: reasons for cmo_id, reasons in every.items() if reasons}


def gate_reasons(portfolio: Portfolio, cmo_id: str) -> tuple[str, ...]:
    """The gates that the CMO fails, in words; none where the policy waives it by name.

    A blank score, answer or inspection class passes. Critical findings without a date count as
    recent.
    """
    gates, cmo = portfolio.policy.gates, portfolio.cmos[cmo_id]
    if cmo_id in gates.waived:
        return ()
    found = []
    if gates.oai and cmo.last_inspection == "OAI":
        when = f" ({cmo.inspection_date})" if cmo.inspection_date else ""
        found.append(
            f"CMO {cmo_id}'s last inspection{when} was classed OAI (official action indicated)"
        )
    found += _critical(portfolio, cmo)
    found += _scores(portfolio, cmo)
    found += [f"CMO {cmo_id}: {reason}" for reason in answer_reasons(portfolio, cmo_id)]
    return tuple(found)


def _scores(portfolio: Portfolio, cmo: Cmo) -> Iterator[str]:
    """Headings below what the policy asks for, from cmos.csv or where blank from answers."""
    asked = portfolio.policy.gates.min_scores
    if not asked:
        return
    scores = headings_of(portfolio, cmo.cmo_id)
    for heading, least in sorted(asked.items()):
        has = scores[heading].value
        if has is not None and has < least:
            by = " by its answers" if scores[heading].origin == "diligence" else ""
            yield (
                f"CMO {cmo.cmo_id} scores {has:g}{by} for {heading}, the policy asks for {least:g}"
            )


def _critical(portfolio: Portfolio, cmo: Cmo) -> Iterator[str]:
    within = portfolio.policy.gates.critical_within_months
    if not cmo.critical_findings:
        return
    count = f"CMO {cmo.cmo_id} has {cmo.critical_findings} critical findings"
    if not cmo.inspection_date:
        yield f"{count} and no inspection date, so they count as recent"
        return
    year, month = (int(part) for part in cmo.inspection_date.split("-")[:2])
    ago = portfolio.periods[0].first_month - (12 * year + month - 1)
    if ago <= within:
        yield (
            f"{count}, inspected {cmo.inspection_date}: within {within:g} months before "
            f"{portfolio.periods[0].label}"
        )
