"""The policy's `[capacity]` table: demand scenarios, and terms of capacity contracts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from allocator.errors import Usage
from allocator.growth.demand import Growth, check_growth
from allocator.portfolio import Policy, Portfolio

#: Terms where the policy gives none. The shapes are public (take-or-pay of 70 to 100 %, suite fees
#: refunded by what is resold, cancellation by notice); the numbers are customary: assumptions.
TERMS: Mapping[str, float] = {
    "spot_share": 0.0,
    "take_or_pay_share": 0.8,
    "min_spend_share": 0.8,
    "resold_share": 0.5,
    "cancel_under_3_months": 1.0,
    "cancel_3_to_6_months": 0.6,
    "cancel_beyond_6_months": 0.1,
}
#: Kinds of contract, in the order that decides where they are as good.
KINDS = ("take_or_pay", "min_spend", "suite_fee", "cancellation")
SCENARIO_KEYS = ("demand", "probability", "programs", "forms", "from", "ramp")


@dataclass(frozen=True)
class DemandScenario:
    """One future of demand; `probability` None: none was given."""

    name: str
    growth: Growth
    probability: float | None = None


def terms(policy: Policy) -> dict[str, float]:
    """Every term, the policy's own over the default."""
    given = table(policy)
    return {
        key: float(value) if isinstance(value := given.get(key, usual), int | float) else usual
        for key, usual in TERMS.items()
    }


def assumed_terms(policy: Policy) -> list[str]:
    """Terms that the policy does not give."""
    return [key for key in TERMS if key not in table(policy)]


def contract_kinds(policy: Policy) -> tuple[str, ...]:
    """The kinds of contract to choose among: the one that the policy names, else all."""
    named = table(policy).get("contract")
    return KINDS if named is None else (str(named),)


def scenarios_given(policy: Policy) -> bool:
    """Whether the policy has scenarios of its own."""
    return bool(table(policy).get("scenarios"))


def scenarios(policy: Policy, growth: Growth) -> tuple[DemandScenario, ...]:
    """The policy's scenarios; without any: today's demand, half of the growth, all of it.

    `growth` says from when and how fast demand grows where a scenario does not.
    """
    given = table(policy).get("scenarios", {})
    if not isinstance(given, Mapping) or not given:
        return (
            DemandScenario("as today", growth.scaled(1.0)),
            DemandScenario("half of the growth", halved(growth)),
            DemandScenario("the whole growth", growth),
        )
    return tuple(_scenario(str(name), value, growth) for name, value in given.items())


def halved(growth: Growth) -> Growth:
    """Half of what each factor adds to today's demand: of all of it, of forms, of programs."""

    def half(factors: Mapping[str, float]) -> dict[str, float]:
        return {name: (1.0 + factor) / 2.0 for name, factor in factors.items()}

    demand = (1.0 + growth.demand) / 2.0
    return replace(growth, demand=demand, programs=half(growth.programs), forms=half(growth.forms))


def checked_scenarios(portfolio: Portfolio, growth: Growth) -> tuple[DemandScenario, ...]:
    """The scenarios with ids as the tables spell them. Raises Usage for what does not fit them."""
    found = []
    for scenario in scenarios(portfolio.policy, growth):
        try:
            checked = check_growth(portfolio, scenario.growth)
        except Usage as error:
            raise Usage(f"scenario {scenario.name!r}: {error}") from None
        found.append(replace(scenario, growth=checked))
    return tuple(found)


def _scenario(name: str, value: object, growth: Growth) -> DemandScenario:
    if not isinstance(value, Mapping):
        return DemandScenario(name, growth.scaled(float(str(value))))
    probability = value.get("probability")
    return DemandScenario(
        name,
        Growth(
            float(value.get("demand", 1.0)),
            dict(value.get("programs", {})),
            dict(value.get("forms", {})),
            str(value.get("from", growth.since)).upper(),
            int(value.get("ramp", growth.ramp)),
        ),
        None if probability is None else float(probability),
    )


def table(policy: Policy) -> Mapping[str, object]:
    """The `[capacity]` table, empty where there is none."""
    given = policy.extra.get("capacity", {})
    return given if isinstance(given, Mapping) else {}
