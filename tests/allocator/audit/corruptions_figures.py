"""What a plan says of CMOs, money and proof, spoilt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from allocator.audit.schema import COST_LINES, PROGRAM_LINES
from tests.allocator.audit.spoil import (
    Corruption,
    cell,
    cmo,
    in_plan,
    in_table,
    line,
    more,
    program,
    put,
)


def words(name: str, program_id: str, column: str, value: str) -> Callable[[Path], None]:
    """Put words into a cell of a program's row."""

    def work(rows: list[list[str]]) -> None:
        [row] = [row for row in rows if row[rows[0].index("program_id")] == program_id]
        row[rows[0].index(column)] = value

    return in_table(name, work)


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
    *(
        Corruption(f"{name} {value!r} of {who}", "risk", words("risk", who, name, value))
        for who, name, value in (
            ("P1", "p50_date", ""),
            ("P1", "p50_date", "2099-01"),
            ("P1", "p90_date", "2028-13"),
            ("P4", "p90_date", "2028-01"),
            ("P4", "critical_step", "transfer"),
        )
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
