"""Errors that show only when rows and tables are held together: ids, ranges, units, order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from allocator.defaults import TRANSFER_COLUMNS
from allocator.findings import Finding, closest, fold
from allocator.tables import Row, Table

KEYS = {
    "portfolio": ("program_id",),
    "cmos": ("cmo_id",),
    "lines": ("line_id",),
    "offers": ("program_id", "line_id", "batch_size"),
    "demand": ("program_id", "period"),
    "line_days": ("line_id", "period"),
    "tiers": ("cmo_id", "spend_from"),
    "chain": ("program_id", "line_id", "step"),
    "diligence": ("cmo_id", "question"),
    "shifts": ("cmo_id",),
    "contracts": ("line_id", "kind"),
}
REFERENCES = (
    ("lines", "cmo_id", "cmos"),
    ("offers", "program_id", "portfolio"),
    ("offers", "line_id", "lines"),
    ("demand", "program_id", "portfolio"),
    ("line_days", "line_id", "lines"),
    ("tiers", "cmo_id", "cmos"),
    ("chain", "program_id", "portfolio"),
    ("chain", "line_id", "lines"),
    ("diligence", "cmo_id", "cmos"),
    ("shifts", "cmo_id", "cmos"),
    ("contracts", "line_id", "lines"),
)
ORDERED = {
    "portfolio": (("batch_min", "batch_max"),),
    "lines": (("batch_min", "batch_max"),),
    "offers": (
        ("transfer_months_low", "transfer_months_mode"),
        ("transfer_months_mode", "transfer_months_high"),
        ("transfer_months_low", "transfer_months_high"),
    ),
    "chain": (("low", "mode"), ("mode", "high"), ("low", "high")),
}


def link_findings(tables: Mapping[str, Table]) -> Iterator[Finding]:
    """Every such problem of all tables."""
    for table in tables.values():
        yield from _duplicates(table)
        yield from _order(table)
    for name in ("portfolio", "cmos", "lines"):
        yield from _near_ids(tables[name])
    for name, column, target in REFERENCES:
        yield from _unknown(tables[name], column, tables[target])
    yield from _demand_twice(tables)
    yield from _units(tables)
    yield from _tiers(tables["tiers"])
    yield from _qualified(tables["offers"])


def _duplicates(table: Table) -> Iterator[Finding]:
    columns = KEYS[table.name]
    first: dict[tuple[object, ...], int] = {}
    for row in table.rows:
        key = tuple(row.values[column] for column in columns)
        if None in key:
            continue
        if key in first:
            words = ", ".join(f"{part:g}" if isinstance(part, float) else str(part) for part in key)
            yield Finding(
                table.file,
                row.line,
                columns[-1],
                f"{words} stands already in line {first[key]}",
                "delete one of the rows or change its key",
            )
        else:
            first[key] = row.line


def _near_ids(table: Table) -> Iterator[Finding]:
    """Ids that differ only by case, spaces or hyphens are kept apart, and pointed at."""
    column = KEYS[table.name][0]
    first: dict[str, str] = {}
    for row in table.rows:
        value = row.values[column]
        if not isinstance(value, str):
            continue
        other = first.setdefault(fold(value), value)
        if other != value:
            yield Finding(
                table.file,
                row.line,
                column,
                f"{value!r} and {other!r} differ only by case, spaces or hyphens",
                "they are two different ids; give them one spelling if one is meant",
                "warning",
            )


def _ids(table: Table) -> set[str]:
    column = KEYS[table.name][0]
    return {str(row.values[column]) for row in table.rows if row.values[column] is not None}


def _unknown(table: Table, column: str, target: Table) -> Iterator[Finding]:
    if not target.rows:  # its own findings say why
        return
    known = _ids(target) | target.dropped
    for row in table.rows:
        value = row.values[column]
        if value is not None and value not in known:
            near = closest(str(value), known)
            hint = f"did you mean {near!r}? or " if near is not None else ""
            yield Finding(
                table.file,
                row.line,
                column,
                f"there is no {value!r} in {target.file}",
                f"{hint}add a row to {target.file}",
            )


def _order(table: Table) -> Iterator[Finding]:
    for low, high in ORDERED.get(table.name, ()):
        for row in table.rows:
            a, b = row.values[low], row.values[high]
            if isinstance(a, float) and isinstance(b, float) and a > b:
                yield Finding(
                    table.file,
                    row.line,
                    low,
                    f"{a:g} is above {high} {b:g}",
                    f"give a {low} up to the {high}",
                )


def _demand_twice(tables: Mapping[str, Table]) -> Iterator[Finding]:
    portfolio, demand = tables["portfolio"], tables["demand"]
    if portfolio.periods and demand.present:
        yield Finding(
            demand.file,
            None,
            "",
            f"demand stands here and in the columns {portfolio.periods[0]} ... of portfolio.csv",
            "keep one of them",
        )
    if not portfolio.periods and not demand.present and portfolio.rows:
        yield Finding(
            portfolio.file,
            1,
            "",
            "there is no demand",
            "add a column for each period, such as 2027Q1, or a demand.csv",
        )


def _units(tables: Mapping[str, Table]) -> Iterator[Finding]:
    """A quoted offer must count in one unit."""
    lines = _column(tables["lines"].rows, "line_id", "unit")
    programs = _column(tables["portfolio"].rows, "program_id", "unit")
    for row in tables["offers"].rows:
        ours = programs.get(str(row.values["program_id"]))
        theirs = lines.get(str(row.values["line_id"]))
        if ours is not None and theirs is not None and ours.casefold() != theirs.casefold():
            yield Finding(
                tables["offers"].file,
                row.line,
                "batch_size",
                f"program {row.values['program_id']} counts in {ours}, "
                f"line {row.values['line_id']} in {theirs}",
                "give both the same unit in portfolio.csv and lines.csv",
            )


def _column(rows: tuple[Row, ...], key: str, column: str) -> dict[str, str]:
    return {
        str(row.values[key]): str(row.values[column])
        for row in rows
        if row.values[key] is not None and row.values[column] is not None
    }


def _tiers(table: Table) -> Iterator[Finding]:
    """A higher spend must not earn a lower rebate."""
    by_cmo: dict[str, list[tuple[float, float, int]]] = {}
    for row in table.rows:
        spend, rebate = row.values["spend_from"], row.values["rebate"]
        if isinstance(spend, float) and isinstance(rebate, float):
            by_cmo.setdefault(str(row.values["cmo_id"]), []).append((spend, rebate, row.line))
    for tiers in by_cmo.values():
        tiers.sort()
        for (_, lower, above), (spend, rebate, line) in pairwise(tiers):
            if rebate < lower:
                yield Finding(
                    table.file,
                    line,
                    "rebate",
                    f"{rebate:g} from {spend:g} on is below the {lower:g} of line {above}",
                    "let the rebate rise with the spend",
                )


def _qualified(table: Table) -> Iterator[Finding]:
    """Qualified offers need no transfer, so figures given for one are not used. Said once."""
    rows = [
        (row.line, column)
        for row in table.rows
        for column in TRANSFER_COLUMNS
        if row.values["qualified"] is True and column in row.given and row.values[column]
    ]
    if rows:
        count = len({line for line, _ in rows})
        columns = ", ".join(dict.fromkeys(column for _, column in rows))
        yield Finding(
            table.file,
            rows[0][0],
            rows[0][1],
            f"{count} qualified offers, this one first, have figures that are not used: {columns}",
            "leave them blank, or write qualified no",
            "warning",
        )
