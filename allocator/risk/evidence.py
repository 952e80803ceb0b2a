"""Readiness with due diligence: answers fill blank headings, the program's own kind counts.

A shift measured elsewhere (shifts.csv, such as fitted punctuality) stands over what scores make of
the odds of slipping; the odds of outages stay with the scores.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from allocator.diligence import experience, headings_of
from allocator.diligence.catalogue import ASPECTS, LIMITS
from allocator.diligence.depth import HEADING, kind_of
from allocator.diligence.score import answers_of
from allocator.portfolio import Offer, Portfolio
from allocator.risk.readiness import LARGEST_SHIFT, Readiness, readiness

Floats = npt.NDArray[np.float64]

#: Questions whose answers count differently for each program.
ABOUT_PROGRAMS = frozenset({*ASPECTS, LIMITS})

#: What a measured shift is called among the parts of a readiness.
MEASURED = "measured"


def site_readiness(
    portfolio: Portfolio,
    cmo_ids: Iterable[str],
    shifts: Mapping[str, Readiness] | None = None,
) -> dict[str, Readiness]:
    """Shifts of each CMO as such; those of `shifts` stand over the portfolio's own."""
    given = shifts or {}
    return {
        cmo_id: given[cmo_id] if cmo_id in given else _as_such(portfolio, cmo_id)
        for cmo_id in sorted(set(cmo_ids))
    }


def slip_log_odds(
    portfolio: Portfolio,
    offers: Sequence[Offer],
    ready: Mapping[str, Readiness],
    shifts: Mapping[str, Readiness] | None = None,
) -> Floats:
    """Log-odds of slip of each offer, (F,): its CMO's, with technical_depth of the program's kind.

    `ready` is what `site_readiness` gave. Measured shifts stay as they are.
    """
    cmo_of = [portfolio.lines[offer.line_id].cmo_id for offer in offers]
    result = np.array([ready[cmo_id].slip for cmo_id in cmo_of], np.float64)
    measured = {*(shifts or ()), *portfolio.shifts}
    scores = {
        cmo_id: _scores(portfolio, cmo_id)
        for cmo_id in sorted(set(cmo_of) - measured)
        if ABOUT_PROGRAMS & answers_of(portfolio, cmo_id).keys()
    }
    known: dict[tuple[str, ...], float] = {}
    for row, (cmo_id, offer) in enumerate(zip(cmo_of, offers, strict=True)):
        if cmo_id in scores:
            key = (cmo_id, *kind_of(portfolio.programs[offer.program_id]))
            if key not in known:
                depth = experience(portfolio, cmo_id, offer.program_id).value
                known[key] = _readiness(portfolio, cmo_id, {**scores[cmo_id], HEADING: depth}).slip
            result[row] = known[key]
    return result


def _as_such(portfolio: Portfolio, cmo_id: str) -> Readiness:
    made = _readiness(portfolio, cmo_id, _scores(portfolio, cmo_id))
    if cmo_id not in portfolio.shifts:
        return made
    measured = portfolio.shifts[cmo_id].slip_log_odds
    held = max(-LARGEST_SHIFT, min(LARGEST_SHIFT, measured))
    return replace(made, slip=held, slip_parts={MEASURED: held})


def _scores(portfolio: Portfolio, cmo_id: str) -> dict[str, float | None]:
    return {heading: score.value for heading, score in headings_of(portfolio, cmo_id).items()}


def _readiness(portfolio: Portfolio, cmo_id: str, scores: Mapping[str, float | None]) -> Readiness:
    return readiness(replace(portfolio.cmos[cmo_id], scores=scores), portfolio.policy)
