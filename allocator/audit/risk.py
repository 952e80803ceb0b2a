"""Risk of a chosen option, asked of `allocator.risk`, which knows nothing of `models`."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.portfolio import Portfolio


def option_risk(
    portfolio: Portfolio, program_id: str, sources: Sequence[tuple[str, float]]
) -> tuple[float, float, float]:
    """Late months, lost months and risk money (before `risk_weight`) of (offer id, share) pairs."""
    from allocator.risk import option_risk_by_ids

    return option_risk_by_ids(portfolio, program_id, list(sources)[:2])
