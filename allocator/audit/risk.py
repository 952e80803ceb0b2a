"""Risk of a chosen option, asked of `allocator.risk`, which knows nothing of `models`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from allocator.portfolio import Portfolio


def option_risk(
    portfolio: Portfolio, program_id: str, sources: Sequence[tuple[str, float]]
) -> tuple[float, float, float]:
    """Late months, lost months and risk money (before `risk_weight`) of (offer id, share) pairs."""
    from allocator import risk

    if not sources:
        return 0.0, 0.0, 0.0
    if hasattr(risk, "option_risk_by_ids"):
        late, lost, money = risk.option_risk_by_ids(portfolio, program_id, list(sources))
        return float(late), float(lost), float(money)
    basis = risk.risk_basis(portfolio, [offer_id for offer_id, _ in sources])
    row = sorted(portfolio.programs).index(program_id)
    second = (1, sources[1][1]) if len(sources) == 2 else (-1, 0.0)
    risks = risk.option_risks(
        basis,
        np.array([row]),
        np.array([0]),
        np.array([sources[0][1]]),
        np.array([second[0]]),
        np.array([second[1]]),
    )
    return float(risks.late_months[0]), float(risks.lost_months[0]), float(risks.risk_cost[0])
