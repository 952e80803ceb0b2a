"""policy.toml: what the sponsor wants, every key checked. `docs/policy.md` describes the keys."""

from __future__ import annotations

from pathlib import Path

from allocator.diligence.gates import read_diligence, read_gates
from allocator.fields import SCORES
from allocator.findings import Finding, did_you_mean
from allocator.portfolio import Gates, OutageGroup, Policy, Portfolio
from allocator.rules import id_findings, members, read_rules
from allocator.settings import Section, load_toml

SOURCING = ("single", "dual", "free", "secure")
OUTAGE_KINDS = ("owner", "region", "country", "shared_input")
SECURE_KINDS = ("cmo", *OUTAGE_KINDS)
OTHER_SECTIONS = ("risk", "capacity", "simulation")
"""Tables that other parts read and check themselves; they come through in `Policy.extra`."""


def read_policy(path: Path) -> tuple[Policy, tuple[Finding, ...]]:
    """The policy of a file, and its problems; every default where there is no file."""
    if not path.exists():
        return Policy(), ()
    table, source, unreadable = load_toml(path)
    found = list(unreadable)
    top = Section(table, source, found)
    usual = Policy()
    policy = Policy(
        currency=top.text("currency", usual.currency),
        sourcing=top.word("sourcing", SOURCING, usual.sourcing),
        splits=_splits(top, usual.splits),
        risk_weight=top.number("risk_weight", usual.risk_weight),
        service_level=top.number("service_level", usual.service_level, 0.0, 1.0),
        safety_stock_charge=top.number("safety_stock_charge", usual.safety_stock_charge),
        surge=top.number("surge", usual.surge),
        secure_groups=_secure(top.section("secure")),
        secure_from=_secure_from(top),
        gates=_gates(top.section("gates")),
        score_weights=_scores(top.section("score_weights"), 1.0e6),
        outage_groups=tuple(_outage_group(s) for s in top.sections("outage_group")),
        rules=read_rules(top.sections("rule")),
        extra=_extra(top),
        diligence=read_diligence(top.section("diligence")),
    )
    top.finish()
    return policy, tuple(found)


def _splits(top: Section, usual: tuple[float, ...]) -> tuple[float, ...]:
    """Primary shares, ascending, each once."""
    if not top.has("splits"):
        return usual
    value = top.table["splits"]
    items = value if isinstance(value, list) else [value]
    shares = [float(item) for item in items if isinstance(item, int | float) and 0.5 <= item < 1.0]
    if not shares or len(shares) < len(items):
        top.add(
            "splits",
            f"{value!r} is not a list of primary shares",
            "give shares from 0.5 to below 1, such as [0.5, 0.6, 0.7, 0.8]",
        )
        return usual
    return tuple(sorted(set(shares)))


def _secure(section: Section) -> tuple[str, ...]:
    """The kinds of outages that a secure plan withstands, each once, in a fixed order."""
    asked = section.texts("groups", least=1)
    for kind in asked:
        if kind not in SECURE_KINDS:
            remedy = did_you_mean(kind, SECURE_KINDS, f"use {', '.join(SECURE_KINDS)}")
            section.add("groups", f"{kind!r} is no kind of outage", remedy)
    section.has("from")  # read by _secure_from
    section.finish()
    return tuple(kind for kind in SECURE_KINDS if kind in asked) or Policy().secure_groups


def _secure_from(top: Section) -> str:
    """Label of the first period whose outages count for a secure plan, blank for all."""
    return Section(top.section("secure").table, top.source, top.found, "secure").text("from")


def _gates(section: Section) -> Gates:
    usual = Gates()
    gates = Gates(
        oai=section.flag("oai", usual.oai),
        critical_within_months=section.number(
            "critical_within_months", usual.critical_within_months
        ),
        min_scores=_scores(section.section("min_scores"), 100.0),
        waived=section.texts("waived"),
        diligence=read_gates(section.section("diligence")),
    )
    section.finish()
    return gates


def _scores(section: Section, high: float) -> dict[str, float]:
    """Numbers by heading of the scorecard."""
    given = {score: section.number(score, 0.0, 0.0, high) for score in section.table}
    for score in given:
        if score not in SCORES:
            remedy = did_you_mean(score, SCORES, f"use {', '.join(SCORES)}")
            section.add(score, "there is no such score", remedy)
    return given


def _outage_group(section: Section) -> OutageGroup:
    for key in ("kind", "member", "outage_per_year", "recover_months"):
        if not section.has(key):
            section.add(key, "is missing", "add it; docs/policy.md says how")
    group = OutageGroup(
        kind=section.word("kind", OUTAGE_KINDS, ""),
        member=section.text("member"),
        outage_per_year=section.number("outage_per_year", 0.0, 0.0, 1.0),
        recover_months=section.number("recover_months", 0.0),
    )
    section.finish()
    return group


def _extra(top: Section) -> dict[str, object]:
    """What other parts read: their tables as they stand, and the months of a period if given."""
    extra: dict[str, object] = {
        key: dict(top.section(key).table) for key in OTHER_SECTIONS if top.has(key)
    }
    if top.has("months_per_period"):
        extra["months_per_period"] = top.whole("months_per_period", 0)
    return extra


def rule_findings(portfolio: Portfolio) -> tuple[Finding, ...]:
    """Names in the policy that the tables don't have: in rules, gates and outage groups."""
    file, policy = "policy.toml", portfolio.policy
    found = list(id_findings(policy.rules, portfolio, file))
    inputs = {name for offer in portfolio.offers.values() for name in offer.shared_inputs}
    for cmo_id in policy.gates.waived:
        if cmo_id not in portfolio.cmos:
            remedy = did_you_mean(cmo_id, portfolio.cmos, "name CMOs of cmos.csv")
            what = f"there is no CMO {cmo_id!r}"
            found.append(Finding(file, None, "gates.waived", what, remedy))
    labels = [period.label for period in portfolio.periods]
    if policy.secure_from and policy.secure_from not in labels:
        remedy = did_you_mean(policy.secure_from, labels, "name a period of the tables")
        what = f"there is no period {policy.secure_from!r}"
        found.append(Finding(file, None, "secure.from", what, remedy))
    for group in policy.outage_groups:
        known = inputs if group.kind == "shared_input" else members(portfolio, group.kind)
        if group.member not in known:
            what = f"no {group.kind.replace('_', ' ')} is called {group.member!r}"
            remedy = did_you_mean(group.member, known, "name one that the tables have")
            found.append(Finding(file, None, "outage_group", what, remedy))
    return tuple(found)
