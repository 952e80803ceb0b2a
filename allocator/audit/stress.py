"""Checks stress.json: each re-routing holds and misses what it says, each bound is proven.

Of the file only the re-routed batches and the dual values are taken; all else is recomputed. A
solver's bound above the linear one is its word: it must lie between that and what is missed.
"""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

from allocator.audit.case import Case
from allocator.audit.outage import KINDS, Base, Outage
from allocator.audit.rerouting import Faults, kept_proven, on_trust, rerouting
from allocator.audit.schema import Shape, misfits

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
    "gap": "number",
    "limit": "text?",
    "secure": "flag?",
    "exposed": ("text",),
    "months_to_survive": "number?",
    "outages": (OUTAGE,),
}


def stress(case: Case, folder: Path, certificate: bool = True) -> Faults:
    """A stress test was made for the plan, is complete, and says what is so.

    As `certificate`, in the folder of a secure plan, it must be there and show that the plan is.
    """
    secure = certificate and case.plan["sourcing"] == "secure"
    if not (folder / STRESS_FILE).is_file():
        if secure:
            yield STRESS_FILE, "is missing, and with it the proof that the plan is secure"
        return
    try:
        content = _read(folder)
    except (OSError, ValueError, RecursionError) as error:
        yield STRESS_FILE, f"cannot be read: {error}"
        return
    faults = list(misfits(content, STRESS))
    if faults:
        yield from ((f"{STRESS_FILE} {where}".strip(), what) for where, what in faults[:20])
        return
    yield from claims(case, content)
    if secure:
        yield from _secure(case, content)
    yield from _table(content, folder / TABLE_FILE)


def claims(case: Case, content: dict[str, Any]) -> Faults:
    """What stress.json says, of all outages together and of each, is so."""
    base = Base(case)
    yield from _head(base, content)
    yield from _complete(base, content)
    for entry in content["outages"]:
        where = f"{entry['kind']} {entry['member']} {entry['start_period']}"
        kind, start = entry["kind"], case.facts.period(entry["start_period"])
        if start is None or kind not in KINDS or entry["member"] not in base.members(kind):
            continue  # a finding of _complete
        outage = Outage(base, kind, entry["member"], start, entry["recover_months"])
        for part, what in rerouting(outage, content["gap"], entry):
            yield f"{where} {part}".strip(), what


def trusted(folder: Path) -> str:
    """What of a stress test that passed is a MIP solver's word; nothing where there is no test."""
    try:
        outages = _read(folder)["outages"]
    except FileNotFoundError:
        return ""
    words = [on_trust(entry) for entry in outages]
    if not any(map(any, words)):
        return f"stress test: no claim about {len(outages)} outages rests on a solver's word"
    return (
        f"stress test: {sum(map(any, words))} of {len(outages)} outages rest on the MIP solver's"
        f" word, {sum(bound for bound, _ in words)} for their bound,"
        f" {sum(level for _, level in words)} for a level that cannot be kept"
    )


def _read(folder: Path) -> Any:
    """The content of stress.json. Raises OSError or ValueError where it cannot be read."""
    text = (folder / STRESS_FILE).read_text(encoding="utf-8")
    return json.loads(text, parse_constant=_no_constant)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def _head(base: Base, content: dict[str, Any]) -> Faults:
    """What the file says of all outages together."""
    outages, policy = content["outages"], base.case.portfolio.policy
    exposed = {row["program_id"] for o in outages for row in o["programs"] if row["exposed"]}
    first = [row["months_until_short"] for o in outages for row in o["programs"]]
    kept = {outage["kept"] for outage in outages}
    limit = "interrupt" if content["limit"] == "interrupt" else "time"
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
        ("limit", limit if any(outage["limit"] for outage in outages) else None),
        ("secure", False if "no" in kept else None if "open" in kept else True),
    ):
        if content[key] != due:
            yield f"{STRESS_FILE} {key}", f"says {content[key]!r}, {due!r} is right"
    if content["gap"] < 0:
        yield f"{STRESS_FILE} gap", f"{content['gap']:g} is below 0"
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


def _table(content: dict[str, Any], path: Path) -> Faults:
    """stress.csv says the same as stress.json."""
    due: list[dict[str, Any]] = []
    for rank, outage in enumerate(content["outages"], start=1):
        proven = {"proven": outage["proof"]["bound"], "kept_proven": kept_proven(outage)}
        head = {"rank": rank, **outage, **proven}
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
