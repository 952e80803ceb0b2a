"""What a CMO's scorecard does to its odds of slipping and of stopping: small, printed, weighted.

Logistic: log-odds = default + shift. The shift is a weighted mean of the scores' distances from a
neutral score. It is an assumption, not a measurement; docs/risk.md gives its origin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import exp

from allocator.portfolio import Cmo, Policy
from allocator.risk.settings import setting

#: A score that changes nothing: the assumed average of CMOs that pass a sponsor's first screen.
NEUTRAL_SCORE = 70.0
#: Log-odds for ten points off neutral under every heading: 0.2 is a factor of 1.22 in the odds.
LOG_ODDS_PER_10_POINTS = 0.2
#: No scorecard moves the odds by more than a factor e.
LARGEST_SHIFT = 1.0

#: How much each heading says about slips of a qualification, and about outages of a site.
SLIP_WEIGHTS: Mapping[str, float] = {
    "tech_transfer": 3.0,
    "technical_depth": 2.0,
    "regulatory": 2.0,
    "scale_up": 1.0,
    "communication": 1.0,
    "supply_chain": 1.0,
}
OUTAGE_WEIGHTS: Mapping[str, float] = {
    "quality_culture": 3.0,
    "supply_chain": 3.0,
    "regulatory": 2.0,
    "financial": 1.0,
    "lifecycle": 1.0,
}
HEADINGS = tuple(sorted({*SLIP_WEIGHTS, *OUTAGE_WEIGHTS}))


@dataclass(frozen=True)
class Readiness:
    """Log-odds shifts of one CMO; negative is better than the default.

    `slip_parts` and `outage_parts` are what each heading adds, `missing` the headings without a
    score, which are neutral.
    """

    slip: float
    outage: float
    slip_parts: Mapping[str, float] = field(default_factory=dict)
    outage_parts: Mapping[str, float] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


def readiness(
    cmo: Cmo, policy: Policy, evidence: Mapping[str, float | None] | None = None
) -> Readiness:
    """The shifts of one CMO from its scorecard, 0-100 per heading.

    `evidence` gives scores for headings that the scorecard leaves blank, e.g. from answers to a
    questionnaire. `policy.score_weights` multiplies the weight of a heading (default 1).
    """
    scores = {h: cmo.scores.get(h) for h in HEADINGS}
    for heading, score in (evidence or {}).items():
        if scores.get(heading) is None:
            scores[heading] = score
    slip, slip_parts = _shift(scores, SLIP_WEIGHTS, policy)
    outage, outage_parts = _shift(scores, OUTAGE_WEIGHTS, policy)
    missing = tuple(h for h in HEADINGS if scores[h] is None)
    return Readiness(slip, outage, slip_parts, outage_parts, missing)


def shifted(probability: float, log_odds: float) -> float:
    """A probability with its log-odds moved; 0 and 1 stay what they are."""
    factor = exp(log_odds)
    return probability * factor / (1.0 - probability + probability * factor)


def _shift(
    scores: Mapping[str, float | None], defaults: Mapping[str, float], policy: Policy
) -> tuple[float, dict[str, float]]:
    """Shift and its parts. A blank score counts as neutral and keeps its weight."""
    neutral = setting(policy, "neutral_score", NEUTRAL_SCORE)
    slope = setting(policy, "log_odds_per_10_points", LOG_ODDS_PER_10_POINTS) / 10.0
    weights = {h: w * policy.score_weights.get(h, 1.0) for h, w in defaults.items()}
    total = sum(weights.values())
    if total <= 0:
        return 0.0, {}
    parts = {
        h: slope * weight / total * (neutral - score)
        for h, weight in weights.items()
        if (score := scores[h]) is not None
    }
    shift = sum(parts.values())
    if abs(shift) > LARGEST_SHIFT:
        parts = {h: part * LARGEST_SHIFT / abs(shift) for h, part in parts.items()}
        shift = LARGEST_SHIFT if shift > 0 else -LARGEST_SHIFT
    return shift, parts
