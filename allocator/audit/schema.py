"""The shape of plan.json as docs/files.md gives it, and a checker of shapes.

A shape is the name of a kind of value, `(shape,)` a list of such, `{"*": shape}` an object with
any keys, and any other dict an object with exactly these keys. A `?` lets a value be null.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

Shape = Any

COST_LINES = (
    "batches",
    "validation",
    "transfer",
    "changeovers",
    "holding",
    "onboarding",
    "annual_fees",
    "take_or_pay",
    "expansions",
    "rebates",
    "shortage",
    "safety_stock",
    "risk",
)
CASH_LINES = COST_LINES[:10]
PROGRAM_LINES = (
    "batches",
    "validation",
    "transfer",
    "changeovers",
    "holding",
    "shortage",
    "safety_stock",
    "risk",
)

STATUSES = ("optimal", "feasible", "infeasible", "no_plan")
LIMITS = (None, "time", "gap", "interrupt", "memory")
SOURCINGS = (None, "single", "dual", "free", "secure")

SOURCE: Shape = {
    "offer_id": "text",
    "cmo_id": "text",
    "line_id": "text",
    "batch_size": "number",
    "share": "number",
    "role": "text",
    "qualified": "flag",
    "ready_period": "text",
    "first_supply_period": "text",
    "batches": {"*": "number"},
}
PROGRAM: Shape = {
    "program_id": "text",
    "option": "text",
    "sources": (SOURCE,),
    "months_short": "number",
    "unmet_units": "number",
    "costs": dict.fromkeys(PROGRAM_LINES, "number"),
    "risks": {"late_months": "number", "lost_months": "number"},
}
CMO: Shape = {
    "cmo_id": "text",
    "programs": ("text",),
    "engaged": "flag",
    "onboarding": "number",
    "annual_fees": "number",
    "spend": {"*": "number"},
    "take_or_pay": {"*": "number"},
    "rebate": {"*": "number"},
}
LINE: Shape = {
    "line_id": "text",
    "cmo_id": "text",
    "expanded": "flag",
    "days": {"*": {"offered": "number", "used": "number", "free": "number"}},
}
PLAN: Shape = {
    "schema": "text",
    "status": "text",
    "limit": "text?",
    "solver": "text",
    "sourcing": "text",
    "asked": {"solver": "text", "sourcing": "text?", "gap": "number"},
    "currency": "text",
    "periods": ("text",),
    "objective": "number?",
    "bound": "number?",
    "gap": "number?",
    "cash_cost": "number?",
    "shortage_cost": "number?",
    "risk_cost": "number?",
    "cost_lines": dict.fromkeys(COST_LINES, "number?"),
    "months_short": "number?",
    "expected_delay_months": "number?",
    "on_time_share": "number?",
    "audit": "any",
    "conflict": ("text",),
    "assumptions": ({"where": "text", "what": "text"},),
    "programs": (PROGRAM,),
    "cmos": (CMO,),
    "lines": (LINE,),
}

#: CSV file without `.csv` -> its columns, a `#` before those that hold numbers.
TABLES: dict[str, tuple[str, ...]] = {
    name: tuple(columns.split())
    for name, columns in {
        "assignments": "program_id option role cmo_id line_id offer_id #batch_size #share qualified"
        " ready_period first_supply_period #batches",
        "batches": "program_id cmo_id line_id offer_id period #batches #released #demand #served"
        " #unmet #stock #scrap #safety_target #safety_gap",
        "utilisation": "line_id cmo_id period #offered_days #expansion_days #batch_days"
        " #changeover_days #validation_days #used_days #free_days",
        "costs": "line program_id cmo_id period #amount",
        "risk": "program_id option #late_months #lost_months #risk_cost p50_date p90_date"
        " critical_step",
    }.items()
}

#: What makes a row of each table the only one of its kind.
KEYS = {
    "assignments": ("program_id", "role"),
    "batches": ("program_id", "offer_id", "period"),
    "utilisation": ("line_id", "period"),
    "costs": ("line", "program_id", "cmo_id", "period"),
    "risk": ("program_id",),
}


def misfits(value: Any, shape: Shape, where: str = "") -> Iterator[tuple[str, str]]:
    """Every place where a value has not the shape it should have, and what is wrong there."""
    if isinstance(shape, str):
        if not _fits(value, shape):
            yield where, f"{_short(value)} where a {shape.rstrip('?')} belongs"
    elif isinstance(shape, tuple) and isinstance(value, list):
        for number, item in enumerate(value):
            yield from misfits(item, shape[0], f"{where}[{number}]")
    elif isinstance(shape, dict) and isinstance(value, dict):
        yield from _entries(value, shape, where)
    else:
        kind = "list" if isinstance(shape, tuple) else "object"
        yield where, f"{_short(value)} where a {kind} belongs"


def _entries(value: dict[str, Any], shape: dict[str, Shape], where: str) -> Iterator[Any]:
    """Misfits of the entries of an object."""
    wanted = dict.fromkeys(value, shape["*"]) if "*" in shape else shape
    for key in sorted(wanted.keys() | value.keys()):
        place = f"{where}.{key}".lstrip(".")
        if key not in value:
            yield place, "is missing"
        elif key not in wanted:
            yield place, "is not known"
        else:
            yield from misfits(value[key], wanted[key], place)


def _fits(value: Any, kind: str) -> bool:
    if kind == "any" or (value is None and kind.endswith("?")):
        return True
    if kind.startswith("number"):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and math.isfinite(value)
    return isinstance(value, bool if kind.startswith("flag") else str)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
