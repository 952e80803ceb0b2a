"""The policy's `[simulation]` table: how uncertain demand is, and what counts as the tail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite

from allocator.findings import Finding, did_you_mean
from allocator.portfolio import Policy, Portfolio
from allocator.risk.settings import cvar_level

#: Standard deviation of demand over its forecast: an assumption, the forecast error of one
#: program's whole level. No figure is published that holds for a portfolio: give your own.
DEMAND_ERROR = 0.1
#: The exact figures are tested at this family-wise confidence.
CONFIDENCE = 0.99

#: Key -> lowest and highest number allowed.
LIMITS = {"demand_error": (0.0, 2.0), "cvar_level": (0.5, 0.9999), "confidence": (0.5, 0.999999)}


def simulation_setting(policy: Policy, key: str) -> float:
    """A number of `[simulation]`, or its default; the tail's level is that of `[risk]`."""
    defaults = {"demand_error": DEMAND_ERROR, "confidence": CONFIDENCE}
    value = _table(policy).get(key, defaults.get(key))
    return float(value) if isinstance(value, int | float) else cvar_level(policy)


def demand_error_assumed(policy: Policy) -> bool:
    """Whether the policy leaves the error of demand to the default."""
    return "demand_error" not in _table(policy)


def simulation_findings(portfolio: Portfolio) -> Iterator[Finding]:
    """Unknown keys of `[simulation]`, and numbers out of range."""
    for key, value in _table(portfolio.policy).items():
        where = f"simulation.{key}"
        if key not in LIMITS:
            remedy = did_you_mean(str(key), LIMITS, f"known: {', '.join(LIMITS)}")
            yield Finding("policy.toml", None, where, "the key is unknown", remedy)
            continue
        low, high = LIMITS[key]
        if (
            not isinstance(value, int | float)
            or isinstance(value, bool)
            or not isfinite(value)
            or not low <= value <= high
        ):
            remedy = f"give a number from {low:g} to {high:g}"
            yield Finding("policy.toml", None, where, f"{value!r} is not allowed", remedy)


def _table(policy: Policy) -> Mapping[str, object]:
    table = policy.extra.get("simulation", {})
    return table if isinstance(table, Mapping) else {}
