"""Rules about who makes what: one option each, allowed sourcing, shares, eligible offers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from allocator.audit.case import Case
from allocator.audit.eligible import obstacles
from allocator.audit.report import ABSOLUTE, same

Faults = Iterator[tuple[str, str]]

COUNTS = {"unsourced": 0, "single": 1, "dual": 2}
ROLES = ("primary", "secondary")


def one_option(case: Case) -> Faults:
    """Every program has exactly one option: unsourced, one source, or two."""
    seen = Counter(entry["program_id"] for entry in case.plan["programs"])
    for program_id in sorted(case.portfolio.programs.keys() - seen.keys()):
        yield program_id, "has no option in the plan"
    for program_id, times in sorted(seen.items()):
        if program_id not in case.portfolio.programs:
            yield program_id, "is no program of the portfolio"
        elif times > 1:
            yield program_id, f"stands in the plan {times} times"
    for entry in case.plan["programs"]:
        option, sources = entry["option"], entry["sources"]
        if COUNTS.get(option) != len(sources):
            yield entry["program_id"], f"is called {option} and has {len(sources)} sources"
        roles = [source["role"] for source in sources]
        if roles != list(ROLES[: len(sources)]):
            yield entry["program_id"], f"has sources in the roles {', '.join(roles)}"


def two_cmos(case: Case) -> Faults:
    """The two sources of a program are at different CMOs."""
    for program_id in case.programs:
        makers = [case.facts.cmo_of(offer) for _, offer in case.sources(program_id)]
        for cmo_id, times in Counter(makers).items():
            if times > 1:
                yield program_id, f"has {times} sources at {cmo_id}"


def sourcing(case: Case) -> Faults:
    """A program has the number of sources that it, the command line or the policy allows."""
    for program_id, entry in case.programs.items():
        allowed, count = allowed_sourcing(case, program_id), len(entry["sources"])
        if (allowed == "single" and count > 1) or (allowed == "dual" and count == 1):
            yield program_id, f"has {count} sources where {allowed} sourcing is asked for"
    in_effect = case.plan["asked"]["sourcing"] or case.portfolio.policy.sourcing
    if case.plan["sourcing"] != in_effect:
        yield "plan.json sourcing", f"says {case.plan['sourcing']}, {in_effect} was in effect"


def allowed_sourcing(case: Case, program_id: str) -> str:
    """single, dual or free: the program's own, else the asked or the policy's.

    A dual that only comes from there is single where no two CMOs can make the program.
    """
    own = case.portfolio.programs[program_id].sourcing
    asked = case.plan["asked"]["sourcing"] or case.portfolio.policy.sourcing
    if own or asked != "dual":
        return own or asked
    makers = {
        case.facts.cmo_of(offer)
        for offer in case.facts.offers_for[program_id]
        if not obstacles(case.facts, offer)
    }
    return "dual" if len(makers) > 1 else "single"


def splits(case: Case) -> Faults:
    """One source carries everything; two carry shares that the policy offers."""
    for program_id, entry in case.programs.items():
        shares = [float(source["share"]) for source in entry["sources"]]
        if len(shares) == 1 and not same(shares[0], 1.0):
            yield program_id, f"has one source with a share of {shares[0]:g}"
        if len(shares) == 2:
            offered = case.portfolio.policy.splits
            if not same(sum(shares), 1.0):
                yield program_id, f"has shares of {shares[0]:g} and {shares[1]:g}"
            elif not any(same(shares[0], split) for split in offered):
                yield program_id, f"is split at {shares[0]:g}, which the policy does not offer"


def eligible(case: Case) -> Faults:
    """Only offers are used that exist, fit the line and the registration, and pass the gates."""
    for program_id, entry in case.programs.items():
        for source in entry["sources"]:
            where = f"{program_id} {source['offer_id']}"
            offer = case.portfolio.offers.get(source["offer_id"])
            if offer is None:
                yield where, "is no offer of the tables"
                continue
            if offer.program_id != program_id:
                yield where, f"is an offer for {offer.program_id}"
            for reason in obstacles(case.facts, offer):
                yield where, reason
            told = (source["cmo_id"], source["line_id"], source["qualified"])
            fact = (case.facts.cmo_of(offer), offer.line_id, offer.qualified)
            if told != fact:
                yield where, f"is said to be {told}, the tables say {fact}"
            if not same(source["batch_size"], offer.batch_size):
                yield where, f"has batches of {offer.batch_size:g}, not {source['batch_size']:g}"


def ready(case: Case) -> Faults:
    """No batch starts before its source is transferred, validated and filed."""
    for program_id, source, offer in case.every_source():
        where = f"{program_id} {offer.offer_id}"
        first = case.facts.ready(offer)
        for t, count in enumerate(case.batches(source)):
            if count > ABSOLUTE and t < first:
                yield f"{where} {case.facts.labels[t]}", "starts a batch before it is ready"
        for key, number in (
            ("ready_period", first),
            ("first_supply_period", case.facts.first_supply(offer)),
        ):
            label = case.facts.labels[number] if number < case.facts.T else "after the horizon"
            if source[key] != label:
                yield f"{where} {key}", f"says {source[key]}, it is {label}"


def campaign(case: Case) -> Faults:
    """A source runs whole batches, in periods of the horizon."""
    for program_id, source, offer in case.every_source():
        for label, count in source["batches"].items():
            where = f"{program_id} {offer.offer_id} {label}"
            if case.facts.period(label) is None:
                yield where, "is no period of the horizon"
            elif count < 0 or abs(count - round(count)) > ABSOLUTE:
                yield where, f"{count:g} is no whole number of batches"


RULES = (one_option, two_cmos, sourcing, splits, eligible, ready, campaign)
