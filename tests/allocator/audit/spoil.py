"""Ways to spoil the files of a run."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


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
