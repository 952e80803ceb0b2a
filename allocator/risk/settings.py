"""The policy's `[risk]` table: numbers, and own shapes of qualification chains."""

from __future__ import annotations

from collections.abc import Mapping

from allocator.portfolio import Policy

#: Keys of `[risk]` that are numbers; each has its default where it is used.
NUMBERS = (
    "neutral_score",
    "log_odds_per_10_points",
    "extra_cover_months",
    "tail_weight",
    "cvar_level",
)
#: What counts as the tail unless the policy says otherwise: the worst twentieth of futures.
CVAR_LEVEL = 0.95


def setting(policy: Policy, key: str, default: float) -> float:
    """A number of the `[risk]` table."""
    value = _table(policy).get(key, default)
    return float(value) if isinstance(value, int | float) else default


def cvar_level(policy: Policy) -> float:
    """Level of the conditional value at risk: 0.95 is the mean of the worst 5 % of futures."""
    return setting(policy, "cvar_level", CVAR_LEVEL)


def number_given(policy: Policy, key: str) -> bool:
    """Whether the policy gives a number of the `[risk]` table itself."""
    return key in _table(policy)


def chain_settings(policy: Policy) -> Mapping[str, Mapping[str, tuple[float, ...]]]:
    """`[risk.chain.<class>]`: step -> (low, mode, high) months."""
    chain = _table(policy).get("chain", {})
    if not isinstance(chain, Mapping):
        return {}
    return {str(name): dict(steps) for name, steps in chain.items()}


def _table(policy: Policy) -> Mapping[str, object]:
    table = policy.extra.get("risk", {})
    return table if isinstance(table, Mapping) else {}
