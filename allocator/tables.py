"""Reading one CSV file into typed rows, with every problem found."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from allocator.fields import BY_DEFAULT, REQUIRED_TABLES, Field, fields
from allocator.findings import Finding, Severity, closest, did_you_mean, fold
from allocator.values import Value, parse, period_label

DEMAND = Field(
    "portfolio", "", "number", "the program's unit per period", False, "0", 0.0, None, False,
    False, (), {}, False, "Demand of the period",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its line number in the file, and its values, blanks as defaults or None.

    `given` holds the columns that were not blank; `demand` the demand by period label
    (portfolio.csv only). A value that was in error is None; `sound` tells whether any was.
    """

    line: int
    values: Mapping[str, Value]
    given: frozenset[str]
    demand: Mapping[str, float]
    sound: bool


@dataclass(frozen=True, slots=True)
class Table:
    """One file: rows, the period columns of portfolio.csv in the file's order, and problems.

    `dropped` holds the cells of rows that could not be read, so that an id among them is not
    reported as unknown elsewhere.
    """

    name: str
    file: str
    rows: tuple[Row, ...]
    columns: tuple[str, ...]
    periods: tuple[str, ...]
    findings: tuple[Finding, ...]
    present: bool = True
    dropped: frozenset[str] = frozenset()


class _Findings:
    """Collects the findings of one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Finding] = []

    def add(
        self, row: int | None, column: str, what: str, remedy: str, severity: Severity = "error"
    ) -> None:
        self.found.append(Finding(self.file, row, column, what, remedy, severity))


def read_table(name: str, path: Path) -> Table:
    """Rows of table `name` in `path`; a missing file is an error only for a required table."""
    found = _Findings(path.name)
    if not path.is_file():
        if name in REQUIRED_TABLES:
            found.add(
                None, "", "the file is missing", f"put a {path.name} into the portfolio's folder"
            )
        return Table(name, path.name, (), (), (), tuple(found.found), present=False)
    try:
        text = _decode(path.read_bytes(), found)
    except OSError as error:
        found.add(None, "", f"cannot be read: {error.strerror or error}", "let it be read")
        return Table(name, path.name, (), (), (), tuple(found.found))
    if not text.strip():
        if not found.found and (name in REQUIRED_TABLES or not text):
            found.add(None, "", "the file is empty", f"start it with the columns {_required(name)}")
        return Table(name, path.name, (), (), (), tuple(found.found))
    records = _records(text, found)
    header = next(records, None)
    if header is None or not _separated(text.lstrip().split("\n", 1)[0], name, found):
        return Table(name, path.name, (), (), (), tuple(found.found))
    return _typed(name, header, records, found)


def _required(name: str) -> str:
    return ",".join(field.name for field in fields(name).values() if field.required)


def _decode(data: bytes, found: _Findings) -> str:
    """Text of a file with line feeds; what is not UTF-8 is reported and read as Latin-1."""
    remedy = "save it as 'CSV UTF-8 (comma delimited)'"
    if data[:2] == b"PK" or data[:4] == b"\xd0\xcf\x11\xe0":
        found.add(None, "", "the file is an Excel workbook, not CSV", remedy)
        return ""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        found.add(None, "", "the file is UTF-16", remedy)
        return ""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        found.add(
            before.count(b"\n") + 1,
            "",
            f"byte 0x{data[error.start]:02X} is not UTF-8 (Latin-1 reads it as "
            f"{data[error.start : error.start + 1].decode('latin-1')!r})",
            remedy,
        )
        text = data.decode("latin-1")
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        found.add(line, "", "there is a zero byte in the text", remedy)
        text = text.replace("\0", "")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _separated(first: str, name: str, found: _Findings) -> bool:
    """Whether the header is separated by commas; says so if it isn't."""
    for mark, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        known = sum(
            closest(cell.strip(' "'), fields(name)) is not None for cell in first.split(mark)
        )
        if mark in first and known > 1:
            found.add(
                1, "", f"the columns are separated by {word}", "save the file separated by commas"
            )
            return False
    return True


def _records(text: str, found: _Findings) -> Iterator[tuple[int, list[str]]]:
    """Line number and stripped cells of each record that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for record in reader:
            cells = [cell.strip() for cell in record]
            if any(cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        found.add(
            line, "", f"the row cannot be read: {error}", 'close every quote; write "" inside one'
        )


def _typed(
    name: str,
    header: tuple[int, list[str]],
    records: Iterator[tuple[int, list[str]]],
    found: _Findings,
) -> Table:
    columns = _columns(name, header, found)
    known = [column.name for column in columns if column is not None and column is not DEMAND]
    missing = [f for f in fields(name).values() if f.required and f.name not in known]
    for field in missing:
        found.add(
            header[0],
            field.name,
            "the required column is missing",
            f"add it: {field.unit or field.description}",
        )
    periods = [
        label if column is DEMAND else None
        for column, label in zip(columns, map(period_label, header[1]), strict=True)
    ]
    defaults = {f.name: _default(f) for f in fields(name).values()}
    dropped: set[str] = set()
    rows = [
        _row(cells, line, columns, periods, defaults, found)
        for line, cells in _fitting(records, header[1], found, dropped)
    ]
    if not rows and name in REQUIRED_TABLES:
        found.add(None, "", "the file has a header and no rows", "add at least one row")
    if missing:
        rows = []
    return Table(
        name,
        found.file,
        tuple(rows),
        tuple(known),
        tuple(label for label in periods if label is not None),
        tuple(found.found),
        dropped=frozenset(dropped),
    )


def _fitting(
    records: Iterator[tuple[int, list[str]]],
    header: list[str],
    found: _Findings,
    dropped: set[str],
) -> Iterator[tuple[int, list[str]]]:
    """Records with as many cells as the header; blank cells at the end don't matter."""
    for line, cells in records:
        extra = len(cells) - len(header)
        if extra == 0 or (extra > 0 and not any(cells[len(header) :])):
            yield line, cells[: len(header)]
            continue
        dropped.update(cells)
        found.add(
            line,
            "",
            f"the row has {len(cells)} fields, the header {len(header)}",
            "put quotes around a text that holds a comma, and no comma into a number"
            if extra > 0
            else "write a comma for each blank field too",
        )


def _columns(name: str, header: tuple[int, list[str]], found: _Findings) -> list[Field | None]:
    """Field of each column; None where a column is unknown, blank or named twice."""
    line, cells = header
    known = fields(name)
    folded = {fold(field): field for field in known}
    columns: list[Field | None] = []
    seen: set[str] = set()
    for cell in cells:
        column = cell if cell in known else folded.get(fold(cell), "")
        label = period_label(cell) if name == "portfolio" else None
        key = column or label or ""
        if key and key in seen:
            found.add(line, cell, "the column stands there twice", "delete one of them")
            columns.append(None)
            continue
        seen.add(key)
        if not key and cell:
            found.add(line, cell, "the column is unknown", _meant(name, cell))
        columns.append(known[column] if column else DEMAND if label else None)
    return columns


def _meant(name: str, cell: str) -> str:
    """Remedy for an unknown column."""
    if (
        name == "portfolio"
        and any(c.isdigit() for c in cell)
        and closest(cell, fields(name)) is None
    ):
        return "write a period like 2027Q1 or 2027-01, or delete the column"
    return did_you_mean(
        cell, fields(name), "delete it or rename it; docs/tables.md lists the columns"
    )


@cache
def _default(field: Field) -> Value:
    """Value of a blank cell."""
    if field.type in ("list", "words"):
        return ()
    if field.type in ("text",):
        return field.default
    if not field.default or field.default == BY_DEFAULT:
        return None
    return parse(field, field.default)[0]


def _row(
    cells: list[str],
    line: int,
    columns: list[Field | None],
    periods: list[str | None],
    defaults: Mapping[str, Value],
    found: _Findings,
) -> Row:
    values = dict(defaults)
    given: list[str] = []
    demand: dict[str, float] = {}
    sound = True
    for field, label, cell in zip(columns, periods, cells, strict=True):
        if field is None:
            continue
        name = label or field.name
        if not cell:
            if field.required:
                found.add(line, name, "is blank", f"give {field.unit or field.description}")
                sound = False
            continue
        value, problem = parse(field, cell)
        if problem is not None:
            found.add(
                line, name, problem.what, problem.remedy, "warning" if problem.warning else "error"
            )
            sound = sound and problem.warning
        if label is None:
            values[name] = value
            given.append(name)
        elif isinstance(value, float):
            demand[label] = value
    return Row(line, values, frozenset(given), demand, sound)
