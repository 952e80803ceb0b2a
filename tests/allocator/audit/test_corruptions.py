"""A good run, its files spoilt in every way that the rules name: each is found and named."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from allocator.audit import RULES, audit
from allocator.audit.schema import COST_LINES, PROGRAM_LINES, TABLES
from tests.allocator.audit.example import write_example, write_inputs
from tests.allocator.audit.test_illegal_plans import ILLEGAL


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    _, run, report = write_example(folder / "run", write_inputs(folder / "inputs"))
    assert report.passed
    return run


@pytest.fixture
def run(good, tmp_path) -> Path:
    return Path(shutil.copytree(good, tmp_path / "run"))


@dataclass(frozen=True)
class Corruption:
    """`spoil` changes the files of a run; the audit has to name `rule`."""

    name: str
    rule: str
    spoil: Callable[[Path], None]


def in_plan(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def spoil(run: Path) -> None:
        path = run / "plan.json"
        plan = json.loads(path.read_text())
        change(plan)
        path.write_text(json.dumps(plan))

    return spoil


def in_record(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def spoil(run: Path) -> None:
        path = run / "record.json"
        record = json.loads(path.read_text())
        change(record)
        path.write_text(json.dumps(record))

    return spoil


def in_table(name: str, change: Callable[[list[list[str]]], Any]) -> Callable[[Path], None]:
    """`change` works on the lists of cells, the header first."""

    def spoil(run: Path) -> None:
        path = run / f"{name}.csv"
        with path.open(newline="") as stream:
            rows = list(csv.reader(stream))
        change(rows)
        with path.open("w", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerows(rows)

    return spoil


def cell(name: str, where: dict[str, str], column: str, change: Callable[[float], Any]):
    """Change one cell of the row that `where` tells."""

    def work(rows: list[list[str]]) -> None:
        header = rows[0]
        for row in rows[1:]:
            if all(row[header.index(key)] == value for key, value in where.items()):
                at = header.index(column)
                row[at] = str(change(float(row[at] or 0)))
                return
        raise AssertionError(f"no row {where} in {name}.csv")

    return in_table(name, work)


def program(plan: dict[str, Any], program_id: str) -> dict[str, Any]:
    return next(p for p in plan["programs"] if p["program_id"] == program_id)


def cmo(plan: dict[str, Any], cmo_id: str) -> dict[str, Any]:
    return next(k for k in plan["cmos"] if k["cmo_id"] == cmo_id)


def line(plan: dict[str, Any], line_id: str) -> dict[str, Any]:
    return next(entry for entry in plan["lines"] if entry["line_id"] == line_id)


def source(plan: dict[str, Any], program_id: str, number: int = 0) -> dict[str, Any]:
    return program(plan, program_id)["sources"][number]


def put(target: Callable[[dict[str, Any]], Any], key: Any, value: Any) -> Callable[[Path], None]:
    """Set a key of a part of the plan; a function is applied to what stands there."""

    def change(plan: dict[str, Any]) -> None:
        part = target(plan)
        part[key] = value(part[key]) if callable(value) else value

    return in_plan(change)


def both(*spoils: Callable[[Path], None]) -> Callable[[Path], None]:
    def spoil(run: Path) -> None:
        for each in spoils:
            each(run)

    return spoil


def more(x: float) -> float:
    return x * 1.00001 + 1.0


def batch(program_id: str, label: str, by: float) -> Callable[[Path], None]:
    """Other batches in plan.json and batches.csv alike."""
    return both(
        in_plan(
            lambda plan: source(plan, program_id)["batches"].update(
                {label: source(plan, program_id)["batches"].get(label, 0) + by}
            )
        ),
        cell("batches", {"program_id": program_id, "period": label}, "batches", lambda n: n + by),
    )


def text(name: str, change: Callable[[str], str]) -> Callable[[Path], None]:
    def spoil(run: Path) -> None:
        path = run / name
        path.write_text(change(path.read_text()))

    return spoil


def remove(name: str) -> Callable[[Path], None]:
    return lambda run: (run / name).unlink()


def cut(name: str, keep: float) -> Callable[[Path], None]:
    def spoil(run: Path) -> None:
        content = (run / name).read_bytes()
        (run / name).write_bytes(content[: int(len(content) * keep)])

    return spoil


P2_Q4 = {"program_id": "P2", "period": "2027Q4"}
P4_Q2 = {"program_id": "P4", "period": "2027Q2"}
L2_Q2 = {"line_id": "L2", "period": "2027Q2"}

DECISIONS = [
    Corruption("a batch too many", "flow", batch("P2", "2027Q4", 1)),
    Corruption("a batch too few", "flow", batch("P3", "2027Q3", -1)),
    Corruption("a batch too many, its cost", "costs", batch("P2", "2027Q4", 1)),
    Corruption("a batch too many, its spend", "spend", batch("P2", "2027Q4", 1)),
    Corruption("batches beyond the line", "line_days", batch("P2", "2027Q4", 9)),
    Corruption("half a batch", "campaign", batch("P2", "2027Q4", 0.5)),
    Corruption("negative batches", "campaign", batch("P2", "2027Q4", -2)),
    Corruption(
        "batches in no period", "campaign", put(lambda p: source(p, "P2")["batches"], "2031Q1", 1)
    ),
    Corruption(
        "batches before ready", "ready", put(lambda p: source(p, "P1", 1)["batches"], "2027Q1", 1)
    ),
    Corruption(
        "ready too soon", "ready", put(lambda p: source(p, "P1", 1), "ready_period", "2027Q1")
    ),
    Corruption(
        "supply too soon",
        "ready",
        put(lambda p: source(p, "P1", 1), "first_supply_period", "2027Q2"),
    ),
    Corruption("a wrong share", "splits", put(lambda p: source(p, "P1"), "share", 0.7)),
    Corruption(
        "a share of half for a single source",
        "splits",
        put(lambda p: source(p, "P2"), "share", 0.5),
    ),
    Corruption(
        "shares the other way round",
        "splits",
        in_plan(lambda p: [s.update(share=1 - s["share"]) for s in program(p, "P1")["sources"]]),
    ),
    Corruption(
        "a split not offered",
        "splits",
        in_plan(
            lambda p: [
                s.update(share=x)
                for s, x in zip(program(p, "P1")["sources"], (0.55, 0.45), strict=True)
            ]
        ),
    ),
    Corruption(
        "the same source twice",
        "two_cmos",
        in_plan(
            lambda p: program(p, "P1").update(
                sources=[source(p, "P1"), source(p, "P1") | {"role": "secondary"}]
            )
        ),
    ),
    Corruption(
        "a source dropped",
        "sourcing",
        in_plan(lambda p: program(p, "P1").update(option="single", sources=[source(p, "P1")])),
    ),
    Corruption("another sourcing in effect", "sourcing", put(lambda p: p, "sourcing", "single")),
    Corruption(
        "an unknown offer", "eligible", put(lambda p: source(p, "P2"), "offer_id", "P2@L9@60")
    ),
    Corruption(
        "an offer for another program",
        "eligible",
        put(lambda p: source(p, "P2"), "offer_id", "P5@L1@50"),
    ),
    Corruption(
        "another CMO than the offer's", "eligible", put(lambda p: source(p, "P2"), "cmo_id", "K1")
    ),
    Corruption(
        "another line than the offer's", "eligible", put(lambda p: source(p, "P2"), "line_id", "L1")
    ),
    Corruption(
        "qualified, which it is not",
        "eligible",
        put(lambda p: source(p, "P1", 1), "qualified", True),
    ),
    Corruption("another batch size", "eligible", put(lambda p: source(p, "P2"), "batch_size", 61)),
    Corruption("a program missing", "one_option", in_plan(lambda p: p["programs"].pop(1))),
    Corruption(
        "a program twice", "one_option", in_plan(lambda p: p["programs"].append(p["programs"][1]))
    ),
    Corruption(
        "an unknown program", "one_option", put(lambda p: program(p, "P4"), "program_id", "P9")
    ),
    Corruption(
        "another option than the sources",
        "one_option",
        put(lambda p: program(p, "P1"), "option", "single"),
    ),
    Corruption(
        "an option there is not", "one_option", put(lambda p: program(p, "P1"), "option", "triple")
    ),
    Corruption(
        "roles swapped",
        "one_option",
        in_plan(
            lambda p: [
                s.update(role=r)
                for s, r in zip(program(p, "P1")["sources"], ("secondary", "primary"), strict=True)
            ]
        ),
    ),
    Corruption(
        "unsourced with batches",
        "one_option",
        in_plan(lambda p: program(p, "P4").update(sources=[source(p, "P2")])),
    ),
    Corruption(
        "sourced, called unsourced",
        "one_option",
        put(lambda p: program(p, "P2"), "option", "unsourced"),
    ),
    Corruption(
        "a source hidden",
        "files",
        in_plan(lambda p: program(p, "P2").update(option="unsourced", sources=[])),
    ),
]

STOCK = [
    *(
        Corruption(f"{column} in {name}", "flow", cell("batches", where, column, more))
        for column in ("released", "demand", "served", "unmet", "stock", "scrap")
        for name, where in (("a source", P2_Q4), ("an unsourced program", P4_Q2))
    ),
    Corruption(
        "stock invented to hide unmet demand",
        "flow",
        both(
            cell("batches", P4_Q2, "unmet", lambda x: 0.0),
            cell("batches", P4_Q2, "served", lambda x: 100.0),
        ),
    ),
    Corruption(
        "unmet and kept at once",
        "serve_first",
        both(cell("batches", P4_Q2, "stock", lambda x: 30.0)),
    ),
    Corruption("served more than is wanted", "serve_first", cell("batches", P4_Q2, "served", more)),
    Corruption(
        "kept beyond the shelf life",
        "shelf_life",
        both(
            cell("batches", {"program_id": "P2", "period": "2027Q1"}, "stock", lambda x: 240.0),
            cell("batches", {"program_id": "P2", "period": "2027Q1"}, "scrap", lambda x: 0.0),
        ),
    ),
    Corruption(
        "scrap hidden",
        "flow",
        cell("batches", {"program_id": "P2", "period": "2027Q1"}, "scrap", lambda x: 0.0),
    ),
    Corruption(
        "safety target",
        "safety_stock",
        cell("batches", {"program_id": "P3", "period": "2027Q2"}, "safety_target", lambda x: 0.0),
    ),
    Corruption(
        "safety gap hidden",
        "safety_stock",
        cell("batches", {"program_id": "P3", "period": "2027Q2"}, "safety_gap", lambda x: 0.0),
    ),
    Corruption("unmet units hidden", "flow", put(lambda p: program(p, "P4"), "unmet_units", 0)),
    Corruption("missing months hidden", "flow", put(lambda p: program(p, "P4"), "months_short", 0)),
]

LINES = [
    *(
        Corruption(f"{column} of a line", rule, cell("utilisation", L2_Q2, column, more))
        for column, rule in (
            ("offered_days", "line_days"),
            ("expansion_days", "expansion"),
            ("batch_days", "line_days"),
            ("changeover_days", "changeover"),
            ("validation_days", "validation"),
            ("used_days", "line_days"),
            ("free_days", "line_days"),
        )
    ),
    *(
        Corruption(
            f"{key} days in the plan",
            "line_days",
            put(lambda p: line(p, "L1")["days"]["2028Q1"], key, more),
        )
        for key in ("offered", "used", "free")
    ),
    Corruption(
        "changeover dropped",
        "changeover",
        cell("utilisation", {"line_id": "L2", "period": "2027Q4"}, "changeover_days", lambda x: 0),
    ),
    Corruption(
        "validation dropped",
        "validation",
        cell("utilisation", L2_Q2, "validation_days", lambda x: 0),
    ),
    Corruption(
        "expansion used and not bought",
        "line_days",
        put(lambda p: line(p, "L1"), "expanded", False),
    ),
    Corruption(
        "expansion bought and not paid", "costs", put(lambda p: p["cost_lines"], "expansions", 0.0)
    ),
    Corruption(
        "expansion bought and not booked",
        "costs",
        in_table("costs", lambda rows: rows.remove(next(r for r in rows if r[0] == "expansions"))),
    ),
    Corruption("an expansion denied", "costs", put(lambda p: line(p, "L1"), "expanded", False)),
]

CMOS = [
    Corruption("onboarding skipped", "engaged", put(lambda p: cmo(p, "K2"), "onboarding", 0.0)),
    Corruption("fees skipped", "engaged", put(lambda p: cmo(p, "K2"), "annual_fees", 0.0)),
    Corruption("engaged hidden", "engaged", put(lambda p: cmo(p, "K2"), "engaged", False)),
    Corruption("engaged for nothing", "engaged", put(lambda p: cmo(p, "K4"), "engaged", True)),
    Corruption(
        "a program of a CMO hidden", "engaged", put(lambda p: cmo(p, "K1"), "programs", ["P1"])
    ),
    Corruption(
        "take-or-pay skipped",
        "take_or_pay",
        put(lambda p: cmo(p, "K2")["take_or_pay"], "2027", 0.0),
    ),
    Corruption(
        "take-or-pay of a year forgotten",
        "take_or_pay",
        in_plan(lambda p: cmo(p, "K2")["take_or_pay"].pop("2028")),
    ),
    Corruption(
        "a rebate below its tier",
        "tiers",
        put(lambda p: cmo(p, "K1")["rebate"], "2028", lambda x: x * 2.5),
    ),
    Corruption(
        "a rebate where there is none",
        "tiers",
        put(lambda p: cmo(p, "K3")["rebate"], "2027", 1000.0),
    ),
    Corruption("spend changed", "spend", put(lambda p: cmo(p, "K1")["spend"], "2027", more)),
    Corruption("a CMO missing", "files", in_plan(lambda p: p["cmos"].pop(0))),
    Corruption("an unknown CMO", "files", put(lambda p: cmo(p, "K4"), "cmo_id", "K9")),
    Corruption("a CMO twice", "files", in_plan(lambda p: p["cmos"].append(p["cmos"][0]))),
    Corruption("a line missing", "files", in_plan(lambda p: p["lines"].pop(0))),
    Corruption("an unknown line", "files", put(lambda p: line(p, "L4"), "line_id", "L9")),
    Corruption("a line of another CMO", "files", put(lambda p: line(p, "L4"), "cmo_id", "K1")),
    Corruption(
        "a period of a line missing",
        "files",
        in_plan(lambda p: line(p, "L4")["days"].pop("2027Q1")),
    ),
]

MONEY = [
    *(
        Corruption(f"cost line {name}", "costs", put(lambda p: p["cost_lines"], name, more))
        for name in COST_LINES
    ),
    *(
        Corruption(f"cost line {name} is null", "costs", put(lambda p: p["cost_lines"], name, None))
        for name in ("batches", "risk")
    ),
    *(
        Corruption(
            f"cost {name} of a program",
            "costs",
            put(lambda p: program(p, "P1")["costs"], name, more),
        )
        for name in PROGRAM_LINES
    ),
    *(
        Corruption(f"booking of {name}", "costs", cell("costs", {"line": name}, "amount", more))
        for name in COST_LINES
    ),
    *(
        Corruption(
            f"booking of {name} dropped",
            "files",
            in_table(
                "costs", lambda rows, name=name: rows.remove(next(r for r in rows if r[0] == name))
            ),
        )
        for name in COST_LINES
    ),
    Corruption(
        "a booking moved to another period",
        "files",
        in_table("costs", lambda rows: rows[1].__setitem__(3, "2028Q2")),
    ),
    *(
        Corruption(f"total {name}", "totals", put(lambda p: p, name, more))
        for name in ("objective", "cash_cost", "shortage_cost", "risk_cost")
    ),
    *(
        Corruption(f"{name} is null", "files", put(lambda p: p, name, None))
        for name in ("objective", "cash_cost", "months_short", "expected_delay_months")
    ),
    *(
        Corruption(f"figure {name}", "service", put(lambda p: p, name, lambda x: x + 0.001))
        for name in ("months_short", "expected_delay_months", "on_time_share")
    ),
    Corruption("on_time_share is null", "service", put(lambda p: p, "on_time_share", None)),
    *(
        Corruption(
            f"{name} of a program", "risk", put(lambda p: program(p, "P1")["risks"], name, more)
        )
        for name in ("late_months", "lost_months")
    ),
    *(
        Corruption(f"{name} in risk.csv", "risk", cell("risk", {"program_id": "P1"}, name, more))
        for name in ("late_months", "lost_months", "risk_cost")
    ),
]

PROOF = [
    Corruption("a bound above the objective", "bound", put(lambda p: p, "bound", lambda x: x * 2)),
    Corruption("another bound", "bound", put(lambda p: p, "bound", lambda x: x * 0.9)),
    Corruption("another gap", "bound", put(lambda p: p, "gap", 0.001)),
    Corruption("no gap", "bound", put(lambda p: p, "gap", None)),
    Corruption("a gap without a bound", "bound", put(lambda p: p, "bound", None)),
    Corruption("optimal with a gap", "bound", put(lambda p: p, "status", "optimal")),
    Corruption(
        "optimal without a bound",
        "bound",
        in_plan(lambda p: p.update(status="optimal", bound=None, gap=None)),
    ),
    Corruption("a status there is not", "files", put(lambda p: p, "status", "solved")),
    Corruption("a limit there is not", "files", put(lambda p: p, "limit", "fatigue")),
    Corruption("infeasible with a plan", "files", put(lambda p: p, "status", "infeasible")),
    Corruption("a conflict with a plan", "files", put(lambda p: p, "conflict", ["max_cmos"])),
    Corruption("another gap asked", "record", put(lambda p: p["asked"], "gap", 0.9)),
    Corruption("another sourcing asked", "record", put(lambda p: p["asked"], "sourcing", "single")),
]

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
            in_table(name, lambda rows: rows[2].__setitem__(-1, "many")),
        )
        for name in TABLES
    ),
    *(
        Corruption(
            f"{name}.csv, not a number",
            "files",
            in_table(name, lambda rows: rows[2].__setitem__(-1, "nan")),
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

CORRUPTIONS = [*DECISIONS, *STOCK, *LINES, *CMOS, *MONEY, *PROOF, *FILES, *INPUTS]


@pytest.mark.parametrize("case", CORRUPTIONS, ids=lambda case: case.name)
def test_a_corruption_is_found_and_named(case, run):
    case.spoil(run)
    report = audit(run)
    assert not report.passed
    assert case.rule in {finding.rule for finding in report.findings}, report.findings


def test_every_rule_of_the_audit_has_a_corruption():
    tried = {case.rule for case in CORRUPTIONS} | {case.rule for case in ILLEGAL}
    assert tried == RULES.keys() | {"files", "record"}


def test_names_of_corruptions_are_told_apart():
    names = [case.name for case in CORRUPTIONS]
    assert len(names) == len(set(names))


def test_no_rule_fails_to_run_on_a_corrupt_file(good, tmp_path):
    """A fault in a decision is named as such, never as a rule that could not be checked."""
    for case in [*DECISIONS, *STOCK, *LINES, *CMOS, *PROOF]:
        run = Path(shutil.copytree(good, tmp_path / "run"))
        case.spoil(run)
        whats = [finding.what for finding in audit(run).findings]
        assert not any("cannot be checked" in what for what in whats), (case.name, whats)
        shutil.rmtree(run)
