"""Rules about the files themselves: complete, in agreement, and of the inputs they came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from allocator.audit.case import Case
from allocator.audit.load import Loaded, Row
from allocator.audit.money import expected_bookings
from allocator.audit.report import money_tolerance, same
from allocator.audit.schema import COST_LINES, KEYS, LIMITS, SOURCINGS, STATUSES

Faults = Iterator[tuple[str, str]]

SCHEMA = "allocator-plan/1"
RECORD_SCHEMA = "allocator-record/1"

#: Figures that exist only where there is a plan.
FIGURES = (
    "objective",
    "cash_cost",
    "shortage_cost",
    "risk_cost",
    "months_short",
    "expected_delay_months",
)


def files(case: Case) -> Faults:
    """The files are complete, and say the same as one another."""
    yield from _words(case)
    yield from _figures(case)
    yield from _ids(case, "cmos", "cmo_id", case.portfolio.cmos)
    yield from _ids(case, "lines", "line_id", case.portfolio.lines)
    for entry in case.plan["lines"]:
        line = case.portfolio.lines.get(entry["line_id"])
        if list(entry["days"]) != case.facts.labels:
            yield f"plan.json {entry['line_id']} days", "are not those of every period"
        if line is not None and line.cmo_id != entry["cmo_id"]:
            yield f"plan.json {entry['line_id']}", f"belongs to {line.cmo_id}"
    if case.has_plan:
        yield from _rows(case)
    else:
        for name, rows in case.run.tables.items():
            if rows:
                yield f"{name}.csv", "has rows without a plan"


def _words(case: Case) -> Faults:
    """Words that have a fixed vocabulary, and what the inputs say themselves."""
    plan, asked = case.plan, case.plan["asked"]
    for key, value, known in (
        ("schema", plan["schema"], (SCHEMA,)),
        ("status", plan["status"], STATUSES),
        ("limit", plan["limit"], LIMITS),
        ("asked sourcing", asked["sourcing"], SOURCINGS),
        ("currency", plan["currency"], (case.portfolio.policy.currency,)),
        ("periods", plan["periods"], (case.facts.labels,)),
    ):
        if value not in known:
            yield f"plan.json {key}", f"{value!r} is not right"
    verdict = plan["audit"]
    if verdict is not None and verdict != {"passed": True, "findings": []}:
        yield "plan.json audit", "says that the plan did not pass"
    if plan["conflict"] and plan["status"] != "infeasible":
        yield "plan.json conflict", f"is stated with the status {plan['status']}"


def _figures(case: Case) -> Faults:
    """Numbers exist where there is a plan, and only there."""
    plan = case.plan
    stated = {key: plan[key] for key in FIGURES}
    stated |= {f"cost_lines {line}": plan["cost_lines"][line] for line in COST_LINES}
    for key, value in stated.items():
        if (value is None) == case.has_plan:
            what = "is missing" if case.has_plan else "is stated without a plan"
            yield f"plan.json {key}", what
    if not case.has_plan:
        for key in ("programs", "cmos", "lines"):
            if plan[key]:
                yield f"plan.json {key}", "are stated without a plan"
        for key in ("gap", "on_time_share"):
            if plan[key] is not None:
                yield f"plan.json {key}", "is stated without a plan"


def _ids(case: Case, key: str, name: str, known: Iterable[str]) -> Faults:
    """Every CMO and line of the tables stands in the plan once, in the order of the ids."""
    found = [entry[name] for entry in case.plan[key]]
    wanted = sorted(known) if case.has_plan else []
    if found != wanted:
        odd = sorted((Counter(found) - Counter(wanted)) + (Counter(wanted) - Counter(found)))
        yield f"plan.json {key}", f"are not those of the tables: {', '.join(odd) or 'order'}"


def _rows(case: Case) -> Faults:
    """Every row of every table is there once, and no other."""
    expected: dict[str, dict[tuple[str, ...], Row]] = {
        "assignments": _assignments(case),
        "batches": {
            (stream.program.program_id, stream.offer_id, label): {
                "cmo_id": stream.cmo_id,
                "line_id": "" if stream.offer is None else stream.offer.line_id,
                "batches": count,
            }
            for stream in case.streams
            for label, count in zip(case.facts.labels, stream.batches, strict=True)
        },
        "utilisation": {
            (line_id, label): {"cmo_id": line.cmo_id}
            for line_id, line in case.portfolio.lines.items()
            for label in case.facts.labels
        },
        "risk": {(pid,): {"option": entry["option"]} for pid, entry in case.programs.items()},
    }
    for name, rows in expected.items():
        if case.run.tables.get(name) is not None:
            yield from _compare(name, case.table(name), rows)
    if case.run.tables.get("costs") is not None:
        yield from _cost_rows(case)


def _compare(name: str, rows: list[Row], expected: dict[tuple[str, ...], Row]) -> Faults:
    seen = Counter(tuple(row[key] for key in KEYS[name]) for row in rows)
    yield from _seen(name, seen, expected)
    for row in rows:
        key = tuple(row[column] for column in KEYS[name])
        for column, due in expected.get(key, {}).items():
            stated = row[column]
            numbers = isinstance(due, float | int) and isinstance(stated, float | int)
            if not (same(stated, due) if numbers else stated == due):
                where = " ".join(filter(None, key))
                yield f"{name}.csv {where} {column}", f"says {stated!r}, plan.json {due!r}"


def _seen(name: str, seen: Counter[tuple[str, ...]], expected: Mapping[Any, Any]) -> Faults:
    """Rows that are missing, twice there, or not known."""
    for key in expected:
        if not seen[key]:
            yield f"{name}.csv {' '.join(filter(None, key))}", "the row is missing"
    for key, times in seen.items():
        where = f"{name}.csv {' '.join(filter(None, key))}"
        if key not in expected:
            yield where, "the row is not known"
        elif times > 1:
            yield where, f"the row stands there {times} times"


def _assignments(case: Case) -> dict[tuple[str, ...], Row]:
    """The rows of assignments.csv that plan.json makes."""
    rows: dict[tuple[str, ...], Row] = {}
    for program_id, entry in case.programs.items():
        option = {"option": entry["option"]}
        if not entry["sources"]:
            texts = ("cmo_id", "line_id", "offer_id", "ready_period", "first_supply_period")
            blanks: dict[str, Any] = dict.fromkeys((*texts, "qualified"), "")
            numbers = dict.fromkeys(("batch_size", "share", "batches"))
            rows[program_id, ""] = option | blanks | numbers
        for source in entry["sources"]:
            copied = {key: value for key, value in source.items() if key != "role"}
            copied["batches"] = sum(source["batches"].values())
            copied["qualified"] = "yes" if source["qualified"] else "no"
            rows[program_id, source["role"]] = option | copied
    return rows


def _cost_rows(case: Case) -> Faults:
    """Every amount is booked once; what is nothing need not be booked."""
    expected = expected_bookings(case)
    rows = case.table("costs")
    seen = Counter(tuple(row[key] for key in KEYS["costs"]) for row in rows)
    due = {key for key, amount in expected.items() if abs(amount) > money_tolerance(0.0)}
    yield from _seen("costs", seen, dict.fromkeys(sorted(due | (seen.keys() & expected.keys()))))


def record(run: Loaded, case: Case | None) -> Faults:
    """The record names the inputs that lie beside it, unchanged, and what was asked."""
    if run.record is None:
        return
    if run.record.get("schema") != RECORD_SCHEMA:
        yield "record.json schema", f"{run.record.get('schema')!r} is not right"
    inputs = run.record.get("inputs")
    if not isinstance(inputs, dict):
        yield "record.json inputs", "are missing"
        return
    for name in sorted(inputs.keys() | run.hashes.keys()):
        if name not in run.hashes:
            yield f"inputs/{name}", "is recorded and missing"
        elif name not in inputs:
            yield f"inputs/{name}", "is not recorded"
        elif inputs[name] != run.hashes[name]:
            yield f"inputs/{name}", "was changed after the run"
    options = run.record.get("options")
    if not isinstance(options, dict):
        yield "record.json options", "are missing"
        return
    asked = case.plan["asked"] if case is not None else {}
    for key, value in asked.items():
        if key in options and options[key] != value:
            yield f"plan.json asked {key}", f"is {value!r}, recorded is {options[key]!r}"
