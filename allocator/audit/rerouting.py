"""One outage of stress.json against the tables: its re-routing, what that misses, its bounds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from allocator.audit.outage import Batches, Outage
from allocator.audit.report import (
    ABSOLUTE,
    MONEY_ABSOLUTE,
    RELATIVE,
    money_tolerance,
    same,
    same_money,
)

Faults = Iterator[tuple[str, str]]

#: Share of the money missed that duals must prove beyond the levels; less might be noise.
KEPT_PROVEN = 1e-6


def rerouting(outage: Outage, gap: float, entry: dict[str, Any]) -> Faults:
    """One outage, asked for a gap: what it is, its re-routing, what that misses, and the bounds."""
    base, kind, member = outage.base, entry["kind"], entry["member"]
    for key, due in (
        ("cmos", base.cmos(kind, member)),
        ("recover_months", base.recover_months(kind, member)),
    ):
        if entry[key] != due:
            yield key, f"says {entry[key]!r}, {due!r} is right"
    faults = list(_changes(outage, entry["batches"]))
    yield from faults
    if faults:
        return
    batches = _rerouted(outage, entry["batches"])
    yield from _fits(outage, batches)
    faults = list(_short(outage, entry, batches))
    yield from faults
    if not faults:
        yield from _kept(outage, entry)
    yield from _limit(gap, entry)
    yield from _bounds(outage, entry)


def _changes(outage: Outage, changes: dict[str, dict[str, Any]]) -> Faults:
    """Changes are whole batches of offers that may be turned to, none of them in the past."""
    for offer_id, counts in changes.items():
        if offer_id not in outage.base.usable:
            yield f"batches {offer_id}", "is no offer that may be turned to"
        for label, count in counts.items():
            t = outage.base.facts.period(label)
            if t is None or t < outage.start:
                yield f"batches {offer_id} {label}", "is no period from the outage on"
            if count < 0 or count != int(count):
                yield f"batches {offer_id} {label}", f"{count:g} is no whole number of batches"


def _rerouted(outage: Outage, changes: dict[str, dict[str, Any]]) -> Batches:
    """Batches of every usable offer: the plan's where nothing is changed."""
    facts, base = outage.base.facts, outage.base
    batches = {}
    for offer_id in base.usable:
        counts = list(base.planned.get(offer_id, [0] * facts.T))
        for label, count in changes.get(offer_id, {}).items():
            counts[facts.labels.index(label)] = int(count)
        batches[offer_id] = counts
    return batches


def _fits(outage: Outage, batches: Batches) -> Faults:
    """What is started is ready, has its inputs, and fits the days that are left."""
    base, facts = outage.base, outage.base.facts
    for line_id, offers in base.usable_on.items():
        change = base.case.portfolio.lines[line_id].changeover_days
        for t in range(outage.start, facts.T):
            running = [offer for offer in offers if batches[offer.offer_id][t]]
            if not running:
                continue
            used, room = 0.0, outage.room(line_id, t)
            for offer in running:
                count = batches[offer.offer_id][t]
                used += count * offer.days_per_batch + change
                starved = outage.kind == "shared_input" and outage.strikes(offer)
                if t < outage.ready(offer):
                    yield f"{offer.offer_id} {facts.labels[t]}", "starts before it is ready"
                elif starved and count > outage.fits(offer, t):
                    what = f"{count} batches start, inputs allow {outage.fits(offer, t)}"
                    yield f"{offer.offer_id} {facts.labels[t]}", what
            if used > room * (1 + 1e-9) + ABSOLUTE:
                yield f"{line_id} {facts.labels[t]}", f"{used:g} of {room:g} days are used"


def _short(outage: Outage, entry: dict[str, Any], batches: Batches) -> Faults:
    """Every program short is there with what it misses; all together cost what is said."""
    base = outage.base
    stated = {row["program_id"]: row for row in entry["programs"]}
    if len(stated) < len(entry["programs"]) or stated.keys() - base.unmet.keys():
        yield "programs", "name one twice, or one that does not exist"
        return
    touched = {base.usable[offer_id].program_id for offer_id in entry["batches"]}
    total = 0.0
    for program_id in sorted(touched | stated.keys()):
        due = _shortfall(outage, program_id, batches)
        row = stated.get(program_id)
        if due is None or row is None:
            if due is not None or row is not None:
                yield program_id, "is short and not there" if row is None else "is not short"
            continue
        total += due["money"]
        for key, value in due.items():
            number = isinstance(value, float) and isinstance(row[key], int | float)
            if not (same(row[key], value, row["units_short"]) if number else row[key] == value):
                yield f"{program_id} {key}", f"says {row[key]!r}, {value!r} follows"
    if not same_money(entry["money"], total):
        yield "money", f"{entry['money']:.2f} is stated, {total:.2f} follows"


def _shortfall(outage: Outage, program_id: str, batches: Batches) -> dict[str, Any] | None:
    """What a program misses beyond the plan's own unmet demand, None where it misses nothing."""
    base, facts, start = outage.base, outage.base.facts, outage.start
    program = base.case.portfolio.programs[program_id]
    demand = sum(program.demand[start:])
    unmet = outage.unmet(program_id, batches)
    extra = sum(unmet[start:]) - sum(base.unmet[program_id][start:])
    if extra <= 1e-9 * max(demand, 1.0):
        return None
    more = [
        t
        for t in range(start, facts.T)
        if unmet[t] - base.unmet[program_id][t] > 1e-9 * max(program.demand[t], 1.0)
    ]
    first, last = more[0], more[-1]
    part = min(1.0, (unmet[first] - base.unmet[program_id][first]) / program.demand[first])
    allowed = _spare_units(outage, program_id)
    return {
        "units_short": extra,
        "months_short": extra * facts.months_per_unit(program),
        "share_short": extra / demand,
        "allowed_units": allowed,
        "exposed": extra > allowed + 1.01e-6 * demand,
        "months_until_short": (first - start + 1.0 - part) * facts.M,
        "months_until_recovered": None if last == facts.T - 1 else (last + 1.0 - start) * facts.M,
        "money": extra * facts.shortage_price(program),
    }


def _spare_units(outage: Outage, program_id: str) -> float:
    """Units that the service level lets a program be short from the start on."""
    policy, programs = outage.base.case.portfolio.policy, outage.base.case.portfolio.programs
    return (1.0 - policy.service_level) * sum(programs[program_id].demand[outage.start :])


def _spared(outage: Outage) -> dict[str, float]:
    """Units that each program may be short and keep its level, rounding among them."""
    return {
        program_id: _spare_units(outage, program_id) + 1e-6 * sum(program.demand[outage.start :])
        for program_id, program in outage.base.case.portfolio.programs.items()
    }


def _kept(outage: Outage, entry: dict[str, Any]) -> Faults:
    """The re-routing shows what is kept; that a level cannot be kept needs it to be missed here."""
    exposed = any(row["exposed"] for row in entry["programs"])
    if entry["kept"] not in ("yes", "no", "open"):
        yield "kept", f"{entry['kept']!r} is not right"
    elif (entry["kept"] == "yes") == exposed:
        what = "a program is" if exposed else "no program is"
        yield "kept", f"says {entry['kept']}, but {what} exposed"
    if (entry["kept"] == "no") != (entry["exposure_bound"] > 0):
        yield "exposure_bound", f"{entry['exposure_bound']:g} with kept {entry['kept']}"
    spared, facts = _spared(outage), outage.base.facts
    attained = 0.0
    for row in entry["programs"]:
        program = outage.base.case.portfolio.programs[row["program_id"]]
        beyond = max(0.0, row["units_short"] - spared[row["program_id"]])
        attained += facts.shortage_price(program) * beyond
    if entry["exposure_bound"] > attained + money_tolerance(attained):
        what = f"{entry['exposure_bound']:.2f} lies above the {attained:.2f} attained"
        yield "exposure_bound", what


def _limit(gap: float, entry: dict[str, Any]) -> Faults:
    """What is open, or further from its bound than was asked for, says what stopped it.

    A re-routing that keeps all levels may cost more than the cheapest, which its bound is about:
    how near that one is is the search's word.
    """
    money = entry["money"]
    over, hair = money - entry["bound"] - max(gap, 1e-6) * money, 1e-7 * money
    dearer = entry["kept"] == "yes"
    unfinished = entry["kept"] == "open" or (over > hair and not dearer)
    finished = entry["kept"] != "open" and over <= -hair
    if entry["limit"] not in (None, "time"):
        yield "limit", f"{entry['limit']!r} is not right"
    elif unfinished and entry["limit"] is None:
        yield "limit", "is not stated, but the outage is not proven within the gap"
    elif finished and entry["limit"] is not None:
        yield "limit", f"says {entry['limit']}, but the outage is proven within the gap"


def _bounds(outage: Outage, entry: dict[str, Any]) -> Faults:
    """The linear bounds follow from their duals; no bound lies above what is attained."""
    if entry["bound"] > entry["money"] + money_tolerance(entry["money"]):
        yield "bound", f"{entry['bound']:.2f} lies above the {entry['money']:.2f} attained"
    nothing = dict.fromkeys(outage.base.case.portfolio.programs, 0.0)
    for key, stated, spared, slack in (
        ("proof", entry["bound"], nothing, MONEY_ABSOLUTE),
        # a proof that some level is missed must not be of a size that noise has, too
        ("exposure_proof", entry["exposure_bound"], _spared(outage), 1e-7 * entry["money"]),
    ):
        proof = entry[key]
        if proof["bound"] > stated + money_tolerance(stated):
            yield key, f"proves {proof['bound']:.2f}, but {stated:.2f} is stated as bound"
        faults = list(_duals(outage, key, proof))
        yield from faults
        if not faults:
            due = outage.proven(proof, spared)
            if proof["bound"] > due * (1 + RELATIVE) + slack:
                yield key, f"states {proof['bound']:.2f}, its duals prove {due:.2f}"


def _duals(outage: Outage, key: str, proof: dict[str, Any]) -> Faults:
    """Duals are of what exists, at least 0, and a unit short costs no more than its price."""
    portfolio, facts = outage.base.case.portfolio, outage.base.facts
    for part, known in (("flow", portfolio.programs), ("line_days", portfolio.lines)):
        for name, row in proof[part].items():
            if name not in known:
                yield f"{key} {part} {name}", "does not exist"
            for label, value in row.items():
                t = facts.period(label)
                if t is None or t < outage.start:
                    yield f"{key} {part} {name} {label}", "is no period from the outage on"
                if value < 0:
                    yield f"{key} {part} {name} {label}", f"has a dual value below 0, {value:g}"
    for program_id, value in proof["short"].items():
        if program_id not in portfolio.programs:
            yield f"{key} short {program_id}", "does not exist"
            continue
        price = facts.shortage_price(portfolio.programs[program_id])
        if value < 0:
            yield f"{key} short {program_id}", f"has a dual value below 0, {value:g}"
        elif value > price * (1 + RELATIVE):
            yield f"{key} short {program_id}", f"prices a unit at {value:g}, it costs {price:g}"


def kept_proven(entry: dict[str, Any]) -> bool:
    """Whether what an outage says of the levels is shown without a solver's word."""
    refuted = bool(entry["exposure_proof"]["bound"] > KEPT_PROVEN * entry["money"])
    return entry["kept"] == "yes" or (entry["kept"] == "no" and refuted)


def on_trust(entry: dict[str, Any]) -> tuple[bool, bool]:
    """Whether a MIP solver's word stands behind: the bound; that a level cannot be kept."""
    bound = entry["bound"] > entry["proof"]["bound"] + money_tolerance(entry["bound"])
    return bound, entry["kept"] == "no" and not kept_proven(entry)
