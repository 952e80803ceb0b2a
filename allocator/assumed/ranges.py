"""How far off each assumption may be. `docs/sensitivity.md` prints these and says why."""

from __future__ import annotations

from collections.abc import Mapping

from allocator.defaults import BIOLOGIC, ORAL_SOLID, OTHER, STERILE

#: Range of a default of offers.csv by class of form. Transfer cost in multiples of the default;
#: validation batches are one more or less whatever stands here.
OFFER_RANGES: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "yield": {
        ORAL_SOLID: (0.94, 0.99),
        STERILE: (0.90, 0.98),
        BIOLOGIC: (0.85, 1.0),
        OTHER: (0.90, 0.99),
    },
    "fail_rate": {
        ORAL_SOLID: (0.005, 0.03),
        STERILE: (0.01, 0.05),
        BIOLOGIC: (0.03, 0.12),
        OTHER: (0.005, 0.06),
    },
    "transfer_cost": {
        ORAL_SOLID: (0.5, 2.0),
        STERILE: (0.4, 2.0),
        BIOLOGIC: (0.5, 2.0),
        OTHER: (0.4, 2.0),
    },
    "ppq_batches": dict.fromkeys((ORAL_SOLID, STERILE, BIOLOGIC, OTHER), (0.0, 0.0)),
    "filing_months": dict.fromkeys((ORAL_SOLID, STERILE, BIOLOGIC, OTHER), (2.0, 6.0)),
    "release_months": {
        ORAL_SOLID: (0.5, 1.0),
        STERILE: (1.0, 2.0),
        BIOLOGIC: (1.5, 3.0),
        OTHER: (0.5, 2.0),
    },
}

#: Factors on figures that nobody knows exactly; `surge` is added to the policy's.
FACTORS: Mapping[str, tuple[float, float]] = {
    "outage_per_year": (0.4, 2.0),
    "recover_months": (0.5, 2.0),
    "common_outage": (0.0, 2.0),
    "delay_cost_per_month": (0.5, 2.0),
    "surge": (-0.1, 0.1),
}

#: Added to the slope of the scorecard and to its neutral score.
SCORE_RANGES: Mapping[str, tuple[float, float]] = {
    "log_odds_per_10_points": (-0.2, 0.2),
    "neutral_score": (-10.0, 10.0),
}
