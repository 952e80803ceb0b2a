"""Checks stress.json: each re-routing holds and misses what it says, each bound is proven.

Of the file only the re-routed batches and the dual values are taken; all else is recomputed. A
solver's bound above the linear one is its word: it must lie between that and what is missed.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from allocator.audit.case import Case
from allocator.audit.outage import KINDS, Base, Batches, Outage
from allocator.audit.report import ABSOLUTE, RELATIVE, money_tolerance, same, same_money
from allocator.audit.schema import Shape, misfits

Faults = Iterator[tuple[str, str]]

STRESS_FILE = "stress.json"
TABLE_FILE = "stress.csv"
SCHEMA = "allocator-stress/1"

PROOF: Shape = {
    "bound": "number",
    "flow": {"*": {"*": "number"}},
    "line_days": {"*": {"*": "number"}},
    "short": {"*": "number"},
}
SHORT: Shape = {
    "program_id": "text",
    "units_short": "number",
    "months_short": "number",
    "share_short": "number",
    "allowed_units": "number",
    "exposed": "flag",
    "months_until_short": "number",
    "months_until_recovered": "number?",
    "money": "number",
}
OUTAGE: Shape = {
    "kind": "text",
    "member": "text",
    "cmos": ("text",),
    "recover_months": "number",
    "start_period": "text",
    "kept": "text",
    "money": "number",
    "bound": "number",
    "exposure_bound": "number",
    "limit": "text?",
    "programs": (SHORT,),
    "batches": {"*": {"*": "number"}},
    "proof": PROOF,
    "exposure_proof": PROOF,
}
STRESS: Shape = {
    "schema": "text",
    "plan": "text",
    "groups": ("text",),
    "service_level": "number",
    "currency": "text",
    "limit": "text?",
    "secure": "flag?",
    "exposed": ("text",),
    "months_to_survive": "number?",
    "outages": (OUTAGE,),
}


def stress(case: Case, folder: Path) -> Faults:
    """A stress test beside the plan was made for it, is complete, and says what is so."""
    path = folder / STRESS_FILE
    if not path.is_file():
        if case.plan["sourcing"] == "secure":
            yield STRESS_FILE, "is missing, and with it the proof that the plan is secure"
        return
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)
    except (OSError, ValueError) as error:
        yield STRESS_FILE, f"cannot be read: {error}"
        return
    faults = list(misfits(content, STRESS))
    if faults:
        yield from ((f"{STRESS_FILE} {where}".strip(), what) for where, what in faults[:20])
        return
    base = Base(case)
    yield from _head(base, content)
    yield from _complete(base, content)
    yield from _secure(case, content)
    for entry in content["outages"]:
        where = f"{entry['kind']} {entry['member']} {entry['start_period']}"
        start = case.facts.period(entry["start_period"])
        if start is None or entry["member"] not in base.members(entry["kind"]):
            continue  # a finding of _complete
        outage = Outage(base, entry["kind"], entry["member"], start, entry["recover_months"])
        for part, what in _outage(outage, entry):
            yield f"{where} {part}".strip(), what
    yield from _table(content, folder / TABLE_FILE)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def _head(base: Base, content: dict[str, Any]) -> Faults:
    """What the file says of all outages together."""
    outages, policy = content["outages"], base.case.portfolio.policy
    exposed = {row["program_id"] for o in outages for row in o["programs"] if row["exposed"]}
    first = [row["months_until_short"] for o in outages for row in o["programs"]]
    kept = {outage["kept"] for outage in outages}
    decided = {key: value for key, value in base.case.plan.items() if key != "audit"}
    plan = hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()
    for key, due in (
        ("schema", SCHEMA),
        ("plan", plan),
        ("service_level", policy.service_level),
        ("currency", policy.currency),
        ("groups", [kind for kind in KINDS if kind in content["groups"]]),
        ("exposed", sorted(exposed)),
        ("months_to_survive", min(first, default=None)),
        ("secure", False if "no" in kept else None if "open" in kept else True),
    ):
        if content[key] != due:
            yield f"{STRESS_FILE} {key}", f"says {content[key]!r}, {due!r} is right"
    worst = [outage["money"] for outage in outages]
    if worst != sorted(worst, reverse=True):
        yield f"{STRESS_FILE} outages", "do not stand with the worst first"


def _secure(case: Case, content: dict[str, Any]) -> Faults:
    """A secure plan keeps every service level under every outage of the policy's kinds."""
    if case.plan["sourcing"] != "secure":
        return
    for kind in case.portfolio.policy.secure_groups:
        if kind not in content["groups"]:
            yield f"{STRESS_FILE} groups", f"lack {kind}, against which the plan is to be secure"
    policy = case.portfolio.policy
    first = case.facts.period(policy.secure_from) or 0
    for entry in content["outages"]:
        counts = (case.facts.period(entry["start_period"]) or 0) >= first
        if counts and entry["kind"] in policy.secure_groups and entry["kept"] != "yes":
            where = f"{entry['kind']} {entry['member']} {entry['start_period']}"
            yield where, "breaks a plan that is called secure"


def _complete(base: Base, content: dict[str, Any]) -> Faults:
    """Every group stands there at every start that matters, once, and no other."""
    due = {
        (kind, member, base.facts.labels[t])
        for kind in content["groups"]
        if kind in KINDS
        for member in base.members(kind)
        if base.recover_months(kind, member) > 0
        for t in base.starts(kind, member)
    }
    stated = [(o["kind"], o["member"], o["start_period"]) for o in content["outages"]]
    for key in sorted(due - set(stated)):
        yield " ".join(key), "the outage is missing"
    for key in sorted(set(stated)):
        if key not in due:
            yield " ".join(key), "is no outage of this plan"
        elif stated.count(key) > 1:
            yield " ".join(key), "stands there twice"


def _outage(outage: Outage, entry: dict[str, Any]) -> Faults:
    """One outage: what it is, its re-routing, what that misses, and the bounds."""
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
    batches = rerouted(outage, entry["batches"])
    yield from _fits(outage, batches)
    yield from _short(outage, entry, batches)
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


def rerouted(outage: Outage, changes: dict[str, dict[str, Any]]) -> Batches:
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
            used = 0.0
            for offer in running:
                count = batches[offer.offer_id][t]
                used += count * offer.days_per_batch + change
                starved = outage.kind == "shared_input" and outage.strikes(offer)
                if t < outage.ready(offer):
                    yield f"{offer.offer_id} {facts.labels[t]}", "starts before it is ready"
                elif starved and count > outage.fits(offer, t):
                    what = f"{count} batches start, inputs allow {outage.fits(offer, t)}"
                    yield f"{offer.offer_id} {facts.labels[t]}", what
            room = outage.room(line_id, t) if running else 0.0
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
        due = shortfall(outage, program_id, batches)
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


def shortfall(outage: Outage, program_id: str, batches: Batches) -> dict[str, Any] | None:
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
    allowed = spare_units(outage, program_id)
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


def spare_units(outage: Outage, program_id: str) -> float:
    """Units that the service level lets a program be short from the start on."""
    policy, programs = outage.base.case.portfolio.policy, outage.base.case.portfolio.programs
    return (1.0 - policy.service_level) * sum(programs[program_id].demand[outage.start :])


def _bounds(outage: Outage, entry: dict[str, Any]) -> Faults:
    """The linear bounds follow from their duals; no bound lies above what is attained."""
    exposed = any(row["exposed"] for row in entry["programs"])
    if entry["kept"] == "yes" and exposed:
        yield "kept", "says yes, but a program is exposed"
    if entry["kept"] not in ("yes", "no", "open"):
        yield "kept", f"{entry['kept']!r} is not right"
    if (entry["kept"] == "no") != (entry["exposure_bound"] > 0):
        yield "exposure_bound", f"{entry['exposure_bound']:g} with kept {entry['kept']}"
    if entry["bound"] > entry["money"] + money_tolerance(entry["money"]):
        yield "bound", f"{entry['bound']:.2f} lies above the {entry['money']:.2f} attained"
    programs = outage.base.case.portfolio.programs
    nothing = dict.fromkeys(programs, 0.0)
    spare = {
        program_id: spare_units(outage, program_id) + 1e-6 * sum(program.demand[outage.start :])
        for program_id, program in programs.items()
    }
    for key, stated, spared in (
        ("proof", entry["bound"], nothing),
        ("exposure_proof", entry["exposure_bound"], spare),
    ):
        proof = entry[key]
        if proof["bound"] > stated + money_tolerance(stated):
            yield key, f"proves {proof['bound']:.2f}, but {stated:.2f} is stated as bound"
        yield from _proof(outage, key, proof, spared)


def _proof(outage: Outage, key: str, proof: dict[str, Any], spared: dict[str, float]) -> Faults:
    """Duals are at least 0, a unit short costs no more than its price, and they give the bound."""
    programs, facts = outage.base.case.portfolio.programs, outage.base.facts
    values = [
        v for part in ("flow", "line_days") for row in proof[part].values() for v in row.values()
    ]
    if min([*values, *proof["short"].values()], default=0.0) < 0:
        yield key, "has a dual value below 0"
        return
    for program_id, value in proof["short"].items():
        price = facts.shortage_price(programs[program_id])
        if value > price * (1 + RELATIVE):
            yield f"{key} {program_id}", f"prices a unit at {value:g}, it costs {price:g}"
    due = outage.proven(proof, spared)
    if proof["bound"] > due + money_tolerance(due):
        yield key, f"states {proof['bound']:.2f}, its duals prove {due:.2f}"


def _table(content: dict[str, Any], path: Path) -> Faults:
    """stress.csv says the same as stress.json."""
    due: list[dict[str, Any]] = []
    for rank, outage in enumerate(content["outages"], start=1):
        head = {"rank": rank, **outage}
        short = [row | {"program_money": row["money"]} | head for row in outage["programs"]]
        due += short or [head]
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream, strict=True))
    except (OSError, ValueError, csv.Error) as error:
        yield TABLE_FILE, f"cannot be read: {error}"
        return
    if len(rows) != len(due):
        yield TABLE_FILE, f"has {len(rows)} rows, {len(due)} belong there"
        return
    for number, (row, facts) in enumerate(zip(rows, due, strict=True), start=2):
        for column, cell in row.items():
            if cell != _cell(facts.get(column, "")):
                yield (
                    f"{TABLE_FILE}:{number} {column}",
                    f"says {cell!r}, stress.json {facts.get(column)!r}",
                )


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
