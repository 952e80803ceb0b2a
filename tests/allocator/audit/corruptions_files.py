"""The files and the inputs of a run, spoilt."""

from __future__ import annotations

import shutil
from collections.abc import Callable

from allocator.audit.schema import TABLES
from tests.allocator.audit.spoil import (
    Corruption,
    cmo,
    cut,
    in_plan,
    in_record,
    in_table,
    put,
    remove,
    text,
)


def no_number(name: str, word: str) -> Callable[[list[list[str]]], None]:
    """Put a word into the last column of a table that holds numbers."""
    at = max(at for at, column in enumerate(TABLES[name]) if column.startswith("#"))
    return lambda rows: rows[2].__setitem__(at, word)


FILES = [
    *(Corruption(f"{name}.csv missing", "files", remove(f"{name}.csv")) for name in TABLES),
    *(
        Corruption(f"{name}.csv empty", "files", text(f"{name}.csv", lambda t: ""))
        for name in TABLES
    ),
    *(
        Corruption(f"{name}.csv cut to {keep:.0%}", "files", cut(f"{name}.csv", keep))
        for name in TABLES
        for keep in (0.1, 0.5, 0.999)
    ),
    *(
        Corruption(f"{name}.csv, a row dropped", "files", in_table(name, lambda rows: rows.pop(2)))
        for name in TABLES
    ),
    *(
        Corruption(
            f"{name}.csv, the last row dropped", "files", in_table(name, lambda rows: rows.pop())
        )
        for name in TABLES
    ),
    *(
        Corruption(
            f"{name}.csv, a row twice", "files", in_table(name, lambda rows: rows.append(rows[2]))
        )
        for name in TABLES
    ),
    *(
        Corruption(
            f"{name}.csv, a column dropped",
            "files",
            in_table(name, lambda rows: [r.pop(1) for r in rows]),
        )
        for name in TABLES
    ),
    *(
        Corruption(
            f"{name}.csv, an unknown id",
            "files",
            in_table(name, lambda rows: rows[2].__setitem__(0, "X9")),
        )
        for name in TABLES
    ),
    *(
        Corruption(
            f"{name}.csv, words for a number",
            "files",
            in_table(name, no_number(name, "many")),
        )
        for name in TABLES
    ),
    *(
        Corruption(
            f"{name}.csv, not a number",
            "files",
            in_table(name, no_number(name, "nan")),
        )
        for name in TABLES
    ),
    Corruption(
        "a number missing", "files", in_table("costs", lambda rows: rows[2].__setitem__(-1, ""))
    ),
    Corruption("a row too short", "files", in_table("costs", lambda rows: rows[2].pop())),
    Corruption(
        "bytes that are no text", "files", lambda run: (run / "risk.csv").write_bytes(b"\xff\xfe")
    ),
    Corruption("an open quote", "files", text("risk.csv", lambda t: t + 'P1,"single')),
    *(
        Corruption(
            f"assignments.csv {column.strip('#')} changed",
            "files",
            in_table("assignments", lambda rows, at=at: rows[1].__setitem__(at, "7")),
        )
        for at, column in enumerate(TABLES["assignments"])
    ),
    *(
        Corruption(
            f"batches.csv {column.strip('#')} changed",
            "files",
            in_table("batches", lambda rows, at=at: rows[1].__setitem__(at, "7")),
        )
        for at, column in enumerate(TABLES["batches"][:6])
    ),
    Corruption(
        "utilisation.csv, another CMO",
        "files",
        in_table("utilisation", lambda rows: rows[1].__setitem__(1, "K2")),
    ),
    Corruption(
        "risk.csv, another option",
        "files",
        in_table("risk", lambda rows: rows[1].__setitem__(1, "single")),
    ),
    Corruption("plan.json missing", "files", remove("plan.json")),
    *(
        Corruption(f"plan.json cut to {keep:.0%}", "files", cut("plan.json", keep))
        for keep in (0.0, 0.3, 0.9, 0.999)
    ),
    Corruption("plan.json a list", "files", text("plan.json", lambda t: "[]")),
    Corruption("plan.json nested without end", "files", text("plan.json", lambda t: "[" * 100000)),
    Corruption("plan.json with NaN", "files", put(lambda p: p, "objective", float("nan"))),
    Corruption("plan.json with infinity", "files", put(lambda p: p, "bound", float("-inf"))),
    Corruption(
        "plan.json with a number too large",
        "files",
        text("plan.json", lambda t: t.replace('"gap": 0.001', '"gap": 1e999')),
    ),
    Corruption(
        "plan.json with a key twice",
        "files",
        text("plan.json", lambda t: t.replace("{", '{"status": "feasible",', 1)),
    ),
    Corruption("plan.json with a key missing", "files", in_plan(lambda p: p.pop("cmos"))),
    Corruption("plan.json with an unknown key", "files", put(lambda p: p, "colour", "red")),
    Corruption("plan.json with a list for an object", "files", put(lambda p: p, "asked", [])),
    Corruption("plan.json with an object for a list", "files", put(lambda p: p, "programs", {})),
    Corruption("plan.json with text for a number", "files", put(lambda p: p, "objective", "12")),
    Corruption("plan.json with truth for a number", "files", put(lambda p: p, "objective", True)),
    Corruption(
        "plan.json with a number for truth", "files", put(lambda p: cmo(p, "K1"), "engaged", 1)
    ),
    Corruption(
        "plan.json of another schema", "files", put(lambda p: p, "schema", "allocator-plan/0")
    ),
    Corruption("another currency", "files", put(lambda p: p, "currency", "USD")),
    Corruption("other periods", "files", put(lambda p: p, "periods", ["2027Q1"])),
    Corruption("a verdict of failure", "files", put(lambda p: p["audit"], "passed", False)),
    Corruption(
        "findings in the verdict",
        "files",
        put(lambda p: p["audit"], "findings", [{"rule": "flow"}]),
    ),
    Corruption("solver.log missing", "files", remove("solver.log")),
]

INPUTS = [
    *(
        Corruption(
            f"inputs/{name} changed after the run",
            "record",
            text(f"inputs/{name}", lambda t: t + "\n"),
        )
        for name in (
            "portfolio.csv",
            "cmos.csv",
            "lines.csv",
            "offers.csv",
            "tiers.csv",
            "policy.toml",
        )
    ),
    *(
        Corruption(f"inputs/{name} missing", "record", remove(f"inputs/{name}"))
        for name in ("portfolio.csv", "offers.csv", "tiers.csv", "policy.toml")
    ),
    Corruption(
        "an inspection turned OAI",
        "record",
        text("inputs/cmos.csv", lambda t: t.replace("VAI", "OAI")),
    ),
    Corruption(
        "an inspection turned OAI, its gate",
        "eligible",
        text("inputs/cmos.csv", lambda t: t.replace("VAI", "OAI")),
    ),
    Corruption(
        "a price changed",
        "costs",
        text("inputs/offers.csv", lambda t: t.replace("90000,6", "91000,6")),
    ),
    Corruption(
        "demand changed",
        "flow",
        text("inputs/portfolio.csv", lambda t: t.replace("60,60,60", "60,61,60")),
    ),
    Corruption(
        "inputs that cannot be read",
        "files",
        text("inputs/lines.csv", lambda t: t.replace("L2", "L1")),
    ),
    Corruption("inputs/ missing", "files", lambda run: shutil.rmtree(run / "inputs")),
    Corruption("a folder among the inputs", "files", lambda run: (run / "inputs" / "more").mkdir()),
    Corruption(
        "an input too many", "record", lambda run: (run / "inputs" / "demand.csv").write_text("x")
    ),
    Corruption(
        "a scenario laid over later",
        "record",
        lambda run: (run / "inputs" / "scenario.toml").write_text("[demand]\nall = 2.0\n"),
    ),
    Corruption("record.json missing", "record", remove("record.json")),
    Corruption("record.json cut short", "record", cut("record.json", 0.5)),
    Corruption(
        "record.json of another schema", "record", in_record(lambda r: r.update(schema="x"))
    ),
    Corruption(
        "a hash changed", "record", in_record(lambda r: r["inputs"].update({"cmos.csv": "0" * 64}))
    ),
    Corruption("no hashes", "record", in_record(lambda r: r.update(inputs=None))),
    Corruption("no options", "record", in_record(lambda r: r.pop("options"))),
    Corruption("another gap recorded", "record", in_record(lambda r: r["options"].update(gap=0.5))),
]
