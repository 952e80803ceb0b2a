"""Knock-out gates: why a CMO may make nothing."""

from __future__ import annotations

from collections.abc import Iterator

from allocator.diligence.gates import gate_reasons as answer_reasons
from allocator.portfolio import Cmo, Portfolio


def barred(portfolio: Portfolio) -> dict[str, tuple[str, ...]]:
    """Every gate that a CMO fails, in words, its answers to due diligence included.

    CMOs that pass all of them, or that the policy waives by name, have no entry.
    """
    answers = answer_reasons(portfolio)
    every = {
        cmo_id: gate_reasons(portfolio, cmo_id) + answers.get(cmo_id, ())
        for cmo_id in portfolio.cmos
    }
    return {cmo_id: reasons for cmo_id, reasons in every.items() if reasons}


def gate_reasons(portfolio: Portfolio, cmo_id: str) -> tuple[str, ...]:
    """The gates on columns of cmos.csv that the CMO fails, in words; none where it is waived.

    A blank score or inspection class passes. Critical findings without a date count as recent.
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
    for score, least in sorted(gates.min_scores.items()):
        has = cmo.scores.get(score)
        if has is not None and has < least:
            found.append(f"CMO {cmo_id} scores {has:g} for {score}, the policy asks for {least:g}")
    return tuple(found)


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
