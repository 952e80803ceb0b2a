"""scenario.toml: changes laid over a portfolio. `docs/policy.md` describes the keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from allocator.findings import Finding, did_you_mean
from allocator.policy import SOURCING
from allocator.portfolio import Line, Period, Portfolio, Program, Rule
from allocator.rules import id_findings, read_rules
from allocator.settings import Section, load_toml


@dataclass(frozen=True)
class Outage:
    """A CMO stands still for some months from the start of a period on."""

    cmo_id: str
    from_period: str
    months: float


@dataclass(frozen=True)
class PriceChange:
    """A factor on batch prices: of one CMO, line or program (`of` says which), or of all."""

    of: str
    member: str
    factor: float


@dataclass(frozen=True)
class Scenario:
    """Changes to a portfolio. `demand_all` and `programs` count from `demand_from` on."""

    file: str = "scenario.toml"
    demand_all: float = 1.0
    programs: Mapping[str, float] = field(default_factory=dict)
    periods: Mapping[str, float] = field(default_factory=dict)
    demand_from: str = ""
    outages: tuple[Outage, ...] = ()
    prices: tuple[PriceChange, ...] = ()
    rules_off: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    sourcing: str = ""


def read_scenario(path: Path) -> tuple[Scenario, tuple[Finding, ...]]:
    """The scenario of a file, and its problems; ids are checked when it is applied."""
    table, source, unreadable = load_toml(path)
    found = list(unreadable)
    top = Section(table, source, found)
    demand = top.section("demand")
    off = top.section("rules")
    scenario = Scenario(
        file=path.name,
        demand_all=demand.number("all", 1.0),
        programs=demand.factors("programs"),
        periods={label.upper(): factor for label, factor in demand.factors("periods").items()},
        demand_from=demand.text("from").upper(),
        outages=tuple(_outage(section) for section in top.sections("outage")),
        prices=tuple(_price(section) for section in top.sections("price")),
        rules_off=off.texts("off"),
        rules=read_rules(top.sections("rule")),
        sourcing=top.word("sourcing", SOURCING, ""),
    )
    for section in (demand, off, top):
        section.finish()
    return scenario, tuple(found)


def _outage(section: Section) -> Outage:
    for key in ("cmo", "from", "months"):
        if not section.has(key):
            section.add(key, "is missing", 'write cmo = "...", from = "2027Q1", months = 6')
    outage = Outage(
        section.text("cmo"), section.text("from").upper(), section.number("months", 0.0)
    )
    section.finish()
    return outage


def _price(section: Section) -> PriceChange:
    given = [key for key in ("cmo", "line", "program") if section.has(key)]
    if len(given) > 1:
        section.add("", f"names {' and '.join(given)}", "name one of them per [[price]]")
    if not section.has("factor"):
        section.add("factor", "is missing", "write factor = 1.1 for prices a tenth higher")
    of = given[0] if given else ""
    change = PriceChange(of, section.text(of) if of else "", section.number("factor", 1.0))
    section.finish()
    return change


def apply_scenario(
    portfolio: Portfolio, scenario: Scenario
) -> tuple[Portfolio, tuple[Finding, ...]]:
    """The portfolio with the scenario laid over it, and what the scenario names wrongly.

    What is named wrongly is left out of the change.
    """
    found = list(_unknown(portfolio, scenario))
    if found:
        return portfolio, tuple(found)
    policy = portfolio.policy
    kept = [rule for rule in policy.rules if rule.label not in scenario.rules_off]
    added = _relabelled(scenario.rules, {rule.label for rule in kept})
    policy = replace(policy, sourcing=scenario.sourcing or policy.sourcing, rules=(*kept, *added))
    changed = replace(
        portfolio,
        programs=_demand(portfolio, scenario),
        lines=_outages(portfolio, scenario.outages),
        policy=policy,
    )
    return _prices(changed, scenario.prices), ()


def _unknown(portfolio: Portfolio, scenario: Scenario) -> Iterable[Finding]:
    """Names in the scenario that the portfolio doesn't have."""
    labels = [period.label for period in portfolio.periods]
    named: list[tuple[str, str, Iterable[str]]] = [
        *(("demand.programs", name, portfolio.programs) for name in scenario.programs),
        *(("demand.periods", name, labels) for name in scenario.periods),
        *(("outage cmo", outage.cmo_id, portfolio.cmos) for outage in scenario.outages),
        *(("outage from", outage.from_period, labels) for outage in scenario.outages),
        *(
            ("rules.off", name, [r.label for r in portfolio.policy.rules])
            for name in scenario.rules_off
        ),
    ]
    if scenario.demand_from:
        named.append(("demand.from", scenario.demand_from, labels))
    of: dict[str, Iterable[str]] = {
        "cmo": portfolio.cmos,
        "line": portfolio.lines,
        "program": portfolio.programs,
    }
    named += [(f"price {p.of}", p.member, of[p.of]) for p in scenario.prices if p.of]
    for place, name, known in named:
        if name not in known:
            remedy = did_you_mean(name, known, "name one that the tables and the policy have")
            yield Finding(scenario.file, None, place, f"there is no {name!r}", remedy)
    yield from id_findings(scenario.rules, portfolio, scenario.file)


def _relabelled(rules: Iterable[Rule], taken: set[str]) -> list[Rule]:
    """Added rules with labels that the policy's rules don't have."""
    added = []
    for rule in rules:
        label, number = rule.label, 2
        while label in taken:
            label, number = f"{rule.label}_{number}", number + 1
        taken.add(label)
        added.append(replace(rule, label=label))
    return added


def _demand(portfolio: Portfolio, scenario: Scenario) -> dict[str, Program]:
    """Programs with their demand multiplied."""
    labels = [period.label for period in portfolio.periods]
    start = labels.index(scenario.demand_from) if scenario.demand_from else 0
    programs = {}
    for key, program in portfolio.programs.items():
        factor = scenario.demand_all * scenario.programs.get(key, 1.0)
        demand = tuple(
            quantity * (factor if t >= start else 1.0) * scenario.periods.get(labels[t], 1.0)
            for t, quantity in enumerate(program.demand)
        )
        programs[key] = replace(program, demand=demand)
    return programs


def _outages(portfolio: Portfolio, outages: Iterable[Outage]) -> dict[str, Line]:
    """Lines with the days of the stopped CMOs cut by the share of each period that they stop."""
    lines = dict(portfolio.lines)
    for key, line in portfolio.lines.items():
        spans = [
            (first, first + outage.months)
            for outage in outages
            if outage.cmo_id == line.cmo_id
            for first in [_first_month(portfolio.periods, outage.from_period)]
        ]
        if spans:
            days = tuple(
                offered * _running(period, spans)
                for offered, period in zip(line.days, portfolio.periods, strict=True)
            )
            lines[key] = replace(line, days=days)
    return lines


def _first_month(periods: Iterable[Period], label: str) -> int:
    return next(period.first_month for period in periods if period.label == label)


def _running(period: Period, spans: Iterable[tuple[float, float]]) -> float:
    """Share of a period in which none of the spans of months stops the line."""
    running, at = 0.0, float(period.first_month)
    end = at + period.months
    for start, stop in sorted(spans):
        running += max(0.0, min(start, end) - at)
        at = max(at, min(stop, end))
    return (running + max(0.0, end - at)) / period.months


def _prices(portfolio: Portfolio, prices: Iterable[PriceChange]) -> Portfolio:
    """Offers with their batch prices multiplied; several factors that meet are multiplied."""
    offers = dict(portfolio.offers)
    for change in prices:
        for key, offer in offers.items():
            member = {
                "cmo": portfolio.lines[offer.line_id].cmo_id,
                "line": offer.line_id,
                "program": offer.program_id,
            }.get(change.of, "")
            if member == change.member:
                price = offer.price_per_batch * change.factor
                offers[key] = replace(offer, price_per_batch=price)
    return replace(portfolio, offers=offers)
