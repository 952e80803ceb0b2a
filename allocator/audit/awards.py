"""The award rules of the policy and the programs that a CMO takes at most."""

from __future__ import annotations

from collections.abc import Iterator

from allocator.audit.case import Case
from allocator.audit.eligible import obstacles
from allocator.audit.report import ABSOLUTE
from allocator.audit.schema import CASH_LINES
from allocator.portfolio import Offer, Rule

Faults = Iterator[tuple[str, str]]

#: Key that lists members of a group -> what the CMOs are grouped by.
PLACES = {"cmos": "cmo", "owners": "owner", "regions": "region", "countries": "country"}


def _rules(case: Case, name: str) -> list[Rule]:
    return [rule for rule in case.portfolio.policy.rules if rule.name == name]


def _words(rule: Rule, key: str) -> list[str]:
    """A list of a rule's settings; a single word is a list of one."""
    value = rule.settings[key]
    if isinstance(value, list | tuple):
        return [str(word) for word in value]
    return [str(value)]


def _number(rule: Rule, key: str) -> float:
    return float(str(rule.settings[key]))


def _member(case: Case, cmo_id: str, by: str) -> str:
    """Owner, region or country of a CMO, or its id; blank where that is unknown."""
    return cmo_id if by == "cmo" else str(getattr(case.portfolio.cmos[cmo_id], by))


def _cmos_named(case: Case, rule: Rule) -> set[str]:
    """CMOs that a rule's list of cmos, owners, regions or countries covers; all without one."""
    for key, by in PLACES.items():
        if key in rule.settings:
            words = _words(rule, key)
            return {k for k in case.portfolio.cmos if _member(case, k, by) in words}
    return set(case.portfolio.cmos)


def _groups(case: Case, rule: Rule) -> dict[str, list[str]]:
    """CMOs by member of what the rule counts per; a CMO of unknown owner stands alone."""
    by = str(rule.settings.get("per", "cmo"))
    wanted = _words(rule, "of") if "of" in rule.settings else None
    groups: dict[str, list[str]] = {}
    for cmo_id in sorted(case.portfolio.cmos):
        member = _member(case, cmo_id, by) or f"({cmo_id})"
        if wanted is None or member in wanted:
            groups.setdefault(member, []).append(cmo_id)
    return groups


def _programs_named(case: Case, rule: Rule) -> list[str]:
    """Programs that a rule names and the plan has; all without a list."""
    if "programs" not in rule.settings:
        return list(case.programs)
    return [pid for pid in case.programs if pid in _words(rule, "programs")]


def _engaged(case: Case, rule: Rule) -> int:
    return sum(bool(case.makes[cmo_id]) for cmo_id in _cmos_named(case, rule))


def max_cmos(case: Case) -> Faults:
    """At most so many of the CMOs are engaged."""
    for rule in _rules(case, "max_cmos"):
        count, limit = _engaged(case, rule), _number(rule, "limit")
        if count > limit:
            yield rule.label, f"{count} CMOs are engaged, at most {limit:g} may be"


def min_cmos(case: Case) -> Faults:
    """At least so many of the CMOs are engaged."""
    for rule in _rules(case, "min_cmos"):
        count, limit = _engaged(case, rule), _number(rule, "limit")
        if count < limit:
            yield rule.label, f"{count} CMOs are engaged, at least {limit:g} have to be"


def max_programs(case: Case) -> Faults:
    """No CMO, owner, region or country makes more programs than it may."""
    for cmo_id, made in case.makes.items():
        most = case.portfolio.cmos[cmo_id].max_programs
        if most is not None and len(made) > most:
            yield cmo_id, f"makes {len(made)} programs, at most {most} are taken"
    for rule in _rules(case, "max_programs"):
        limit = _number(rule, "limit")
        for member, cmos in _groups(case, rule).items():
            count = len(set().union(*(case.makes[cmo_id] for cmo_id in cmos)))
            if count > limit:
                yield f"{rule.label}[{member}]", f"{count} programs are made, {limit:g} may be"


def max_spend_share(case: Case) -> Faults:
    """Nobody gets more than the share of all spend that the rule allows."""
    total = sum(case.spend.values())
    for rule in _rules(case, "max_spend_share"):
        share = _number(rule, "share")
        for member, cmos in _groups(case, rule).items():
            paid = sum(case.spend[k, year] for k in cmos for year in case.facts.years)
            if paid > share * total * (1.0 + 1e-9) + ABSOLUTE:
                yield (
                    f"{rule.label}[{member}]",
                    f"gets {paid:,.2f} of {total:,.2f}, the share may be {share:g}",
                )


def _at(case: Case, rule: Rule, program_id: str) -> list[str]:
    """Offers of a program that are at the CMOs or lines that the rule names."""
    if "lines" in rule.settings:
        lines = _words(rule, "lines")
        return [o.offer_id for _, o in case.sources(program_id) if o.line_id in lines]
    cmos = _cmos_named(case, rule)
    return [o.offer_id for _, o in case.sources(program_id) if case.facts.cmo_of(o) in cmos]


def force(case: Case) -> Faults:
    """Each of the programs has a source where the rule wants one."""
    for rule in _rules(case, "force"):
        for program_id in _programs_named(case, rule):
            if not _at(case, rule, program_id):
                yield f"{rule.label} {program_id}", "has no source there"


def forbid(case: Case) -> Faults:
    """None of the programs has a source where the rule wants none."""
    for rule in _rules(case, "forbid"):
        for program_id in _programs_named(case, rule):
            for offer_id in _at(case, rule, program_id):
                yield f"{rule.label} {program_id}", f"has the source {offer_id}"


def keep_incumbent(case: Case) -> Faults:
    """Each of the programs keeps a source that is already qualified."""
    for rule in _rules(case, "keep_incumbent"):
        named = "programs" in rule.settings
        for program_id in _programs_named(case, rule):
            kept = any(offer.qualified for _, offer in case.sources(program_id))
            if not kept and (named or _has_incumbent(case, program_id)):
                yield f"{rule.label} {program_id}", "has no qualified source"


def _has_incumbent(case: Case, program_id: str) -> bool:
    """Whether a program has a qualified offer that may be used."""
    return any(
        offer.qualified and not obstacles(case.facts, offer)
        for offer in case.facts.offers_for[program_id]
    )


def sources_differ_by(case: Case) -> Faults:
    """The two sources of a program share no owner, region, country or input."""
    for rule in _rules(case, "sources_differ_by"):
        for program_id in _programs_named(case, rule):
            offers = [offer for _, offer in case.sources(program_id)]
            if len(offers) != 2:
                continue
            for by in _words(rule, "by"):
                shared = _shared(case, offers, by)
                if shared:
                    yield f"{rule.label} {program_id}", f"both sources have the {by} {shared}"


def _shared(case: Case, offers: list[Offer], by: str) -> str:
    """What two offers have in common, blank for nothing; unknown is never in common."""
    if by == "shared_inputs":
        one, two = (set(offer.shared_inputs) for offer in offers)
        return ", ".join(sorted(one & two))
    first, second = (_member(case, case.facts.cmo_of(offer), by) for offer in offers)
    return first if first == second else ""


def not_together(case: Case) -> Faults:
    """No two of the programs are made at one CMO."""
    for rule in _rules(case, "not_together"):
        named = set(_programs_named(case, rule))
        for cmo_id, made in case.makes.items():
            if len(made & named) > 1:
                yield f"{rule.label} {cmo_id}", f"makes {', '.join(sorted(made & named))}"


def budget(case: Case) -> Faults:
    """Cash of the period, or of the periods together, stays within the budget."""
    cash = dict.fromkeys(case.facts.labels, 0.0)
    for (line, _, _, label), amount in case.bookings.items():
        if line in CASH_LINES and line != "rebates":
            cash[label] += amount
    for rule in _rules(case, "budget"):
        limit, period = _number(rule, "limit"), rule.settings.get("period", "total")
        if period == "each":
            parts = {f"[{label}]": [label] for label in cash}
        else:
            parts = {"": list(cash) if period == "total" else _words(rule, "period")}
        for part, labels in parts.items():
            paid = sum(cash[label] for label in dict.fromkeys(labels))
            if paid > limit * (1.0 + 1e-9) + ABSOLUTE:
                yield f"{rule.label}{part}", f"{paid:,.2f} is spent, {limit:,.2f} may be"


RULES = (
    max_cmos,
    min_cmos,
    max_programs,
    max_spend_share,
    force,
    forbid,
    keep_incumbent,
    sources_differ_by,
    not_together,
    budget,
)
