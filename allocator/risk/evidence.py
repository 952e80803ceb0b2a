"""Readiness with due diligence: answers fill blank headings, the program's own kind counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from allocator.diligence import experience, headings_of
from allocator.diligence.depth import HEADING, kind_of
from allocator.portfolio import Offer, Portfolio
from allocator.risk.readiness import Readiness, readiness

Floats = npt.NDArray[np.float64]


def site_readiness(
    portfolio: Portfolio,
    cmo_ids: Iterable[str],
    shifts: Mapping[str, Readiness] | None = None,
) -> dict[str, Readiness]:
    """Shifts of each CMO as such; those of `shifts`, e.g. fitted ones, stand over the scores."""
    found: dict[str, Readiness] = {}
    for cmo_id in sorted(set(cmo_ids)):
        fitted = (shifts or {}).get(cmo_id)
        scores = {h: s.value for h, s in headings_of(portfolio, cmo_id).items()}
        found[cmo_id] = fitted or readiness(portfolio.cmos[cmo_id], portfolio.policy, scores)
    return found


def slip_log_odds(
    portfolio: Portfolio,
    offers: Sequence[Offer],
    ready: Mapping[str, Readiness],
    shifts: Mapping[str, Readiness] | None = None,
) -> Floats:
    """Log-odds of slip of each offer, (F,): its CMO's, with technical_depth of the program's kind.

    `ready` is what `site_readiness` gave. Fitted shifts stay as they are.
    """
    known: dict[tuple[str, ...], float] = {}
    answered = {answer.cmo_id for answer in portfolio.diligence} - set(shifts or ())
    result = np.empty(len(offers))
    for row, offer in enumerate(offers):
        cmo_id = portfolio.lines[offer.line_id].cmo_id
        result[row] = ready[cmo_id].slip
        if cmo_id in answered:
            key = (cmo_id, *kind_of(portfolio.programs[offer.program_id]))
            if key not in known:
                known[key] = _for_program(portfolio, cmo_id, offer.program_id)
            result[row] = known[key]
    return result


def _for_program(portfolio: Portfolio, cmo_id: str, program_id: str) -> float:
    scores = {h: s.value for h, s in headings_of(portfolio, cmo_id).items()}
    scores[HEADING] = experience(portfolio, cmo_id, program_id).value
    return readiness(replace(portfolio.cmos[cmo_id], scores=scores), portfolio.policy).slip
