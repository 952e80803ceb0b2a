"""Read the files of a run, trusting none of them. What cannot be read becomes a finding."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from allocator.audit.report import AuditFinding
from allocator.audit.schema import PLAN, TABLES, misfits
from allocator.portfolio import Portfolio

#: One row of a CSV file: text, or numbers where the column holds numbers (None where blank).
Row = dict[str, Any]


@dataclass
class Loaded:
    """What could be read of a run; None for what could not, with a finding for each reason.

    `lines` of a table are the line numbers of its rows in the file.
    """

    plan: dict[str, Any] | None = None
    record: dict[str, Any] | None = None
    portfolio: Portfolio | None = None
    tables: dict[str, list[Row] | None] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    findings: list[AuditFinding] = field(default_factory=list)

    def fault(self, rule: str, where: str, what: str) -> None:
        """Keep a finding."""
        self.findings.append(AuditFinding(rule, where, what))


def load(folder: Path) -> Loaded:
    """Read plan.json, the CSV files, record.json and the copied inputs of a run."""
    run = Loaded()
    plan = _json(run, folder / "plan.json", "files")
    if plan is not None:
        faults = list(misfits(plan, PLAN))
        for where, what in faults[:20]:
            run.fault("files", f"plan.json {where}".strip(), what)
        run.plan = None if faults else plan
    run.record = _json(run, folder / "record.json", "record")
    for name in TABLES:
        run.tables[name] = _table(run, folder / f"{name}.csv", TABLES[name])
    if not (folder / "solver.log").is_file():
        run.fault("files", "solver.log", "is missing")
    _inputs(run, folder / "inputs")
    return run


def _json(run: Loaded, path: Path, rule: str) -> dict[str, Any] | None:
    """An object from a JSON file without doubled keys and without NaN or infinity."""
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text, object_pairs_hook=_no_doubles, parse_constant=_no_constant)
    except FileNotFoundError:
        run.fault(rule, path.name, "is missing")
    except (OSError, ValueError, RecursionError) as error:
        run.fault(rule, path.name, f"cannot be read: {error}")
    else:
        if isinstance(content, dict):
            return content
        run.fault(rule, path.name, "is not an object")
    return None


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"{next(k for k in keys if keys.count(k) > 1)!r} stands there twice")
    return content


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def _table(run: Loaded, path: Path, columns: tuple[str, ...]) -> list[Row] | None:
    """The rows of a CSV file, numbers read; None where any part of it is not as it should be."""
    try:
        text = path.read_bytes().decode("utf-8")
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except FileNotFoundError:
        run.fault("files", path.name, "is missing")
        return None
    except (OSError, ValueError, csv.Error) as error:
        run.fault("files", path.name, f"cannot be read: {error}")
        return None
    names = [column.lstrip("#") for column in columns]
    if not lines or lines[0] != names:
        run.fault("files", path.name, f"has not the columns {', '.join(names)}")
        return None
    if not text.endswith("\n"):
        run.fault("files", path.name, "is cut short: its last line has no end")
    sound = True
    rows: list[Row] = []
    for number, cells in enumerate(lines[1:], start=2):
        row = _row(columns, cells, blanks=path.name == "assignments.csv")
        if row is None:
            sound = False
            run.fault("files", f"{path.name}:{number}", "is not a row of the table")
        else:
            rows.append(row)
    return rows if sound else None


def _row(columns: tuple[str, ...], cells: list[str], blanks: bool) -> Row | None:
    """A row with its numbers read, None where it is none; `blanks`: numbers may be missing."""
    if len(cells) != len(columns):
        return None
    row: Row = {}
    for column, cell in zip(columns, cells, strict=True):
        if not column.startswith("#"):
            row[column] = cell
            continue
        number = _number(cell)
        if not blanks and number is None:
            return None
        if number is not None and not math.isfinite(number):
            return None
        row[column[1:]] = number
    return row


def _number(cell: str) -> float | None:
    """A number, None for a blank, NaN for anything else."""
    if cell == "":
        return None
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _inputs(run: Loaded, folder: Path) -> None:
    """Hash the copied inputs and read them with the table reader that the run used."""
    from allocator.read import read_portfolio

    if not folder.is_dir():
        run.fault("files", "inputs", "is missing")
        return
    for path in sorted(folder.iterdir()):
        try:
            run.hashes[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            run.fault("files", f"inputs/{path.name}", f"cannot be read: {error}")
    scenario = folder / "scenario.toml"
    try:
        run.portfolio = read_portfolio(folder, scenario if scenario.is_file() else None)
    except Exception as error:  # whatever is wrong with the tables is a finding, not a crash
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        run.fault("files", "inputs", f"cannot be read: {first}")
