"""The files of a growth report: capacity.json, a heat map of the lines and a curve of service."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from allocator.errors import AuditFailed, Usage
from allocator.files import write_json, write_table
from allocator.growth.report import SCHEMA, CapacityReport

CAPACITY_FILE = "capacity.json"
RESERVE = ("line_id", "cmo_id", "period", "days", "days_today", "days_more")
HEAT = ("answer", "line_id", "cmo_id", "period", "offered_days", "used_days", "utilisation")
CURVE = ("answer", "multiplier", "on_time_share", "on_time_limit", "survives", "plan")


def check_folder(target: Path) -> None:
    """Refuse to write over anything but a former report or an empty folder. Raises Usage.

    A place where nothing can be written is refused too: before anything is solved.
    """
    _check_place(Path(os.path.abspath(target)).parent)
    if not target.exists() or _is_report(target):
        return
    if not target.is_dir():
        raise Usage(f"{target} is a file; give a folder for the report")
    if any(target.iterdir()):
        raise Usage(f"{target} holds something else than a report; give a new or an empty folder")


def _check_place(place: Path) -> None:
    """Raise Usage where no folder can be made in `place`, which need not exist yet."""
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise Usage(f"{place} is a file; give another place for the report")
    try:
        Path(tempfile.mkdtemp(prefix=".allocator-", dir=place)).rmdir()
    except OSError as error:
        what = error.strerror or error
        raise Usage(f"nothing can be written in {place} ({what}); give another place") from None


def _is_report(folder: Path) -> bool:
    try:
        data = json.loads((folder / CAPACITY_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(data, dict) and data.get("schema") == SCHEMA


@contextmanager
def staging(out: str | Path | None) -> Iterator[Path | None]:
    """Where the answers' runs wait for the rest of the report: beside its folder; None without.

    What waits there goes if the report is not finished, but for an answer that failed its audit,
    which stays where the message says.
    """
    if out is None:
        yield None
        return
    target = Path(os.path.abspath(out))
    staged = target.parent / f".{target.name}-{uuid.uuid4().hex[:12]}-answers"
    try:
        yield staged
    except AuditFailed:
        raise
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise


def write_files(report: CapacityReport, out: Path, staged: Path | None = None) -> CapacityReport:
    """Write the report's folder whole or not at all; the report with its folder.

    What is in `staged` goes into it.
    """
    target = Path(os.path.abspath(out))
    check_folder(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    made = target.parent / f".{target.name}-{uuid.uuid4().hex[:12]}"
    made.mkdir()
    try:
        if staged is not None:
            for entry in sorted(staged.iterdir()):
                shutil.move(entry, made / entry.name)
            staged.rmdir()
        write_json(made / CAPACITY_FILE, report.data)
        write_table(made / "utilisation_heat.csv", HEAT, heat_rows(report))
        write_table(made / "on_time_curve.csv", CURVE, curve_rows(report.data))
        if "reserve" in report.data:
            days = report.data["reserve"]["line_days"]
            write_table(made / "reserve_line_days.csv", RESERVE, days)
        if target.exists():
            shutil.rmtree(target)
        made.rename(target)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return replace(report, folder=target)


def heat_rows(report: CapacityReport) -> Iterator[dict[str, Any]]:
    """Utilisation of every line in every period, of today's plan and each answer.

    `utilisation` is blank where a line offers no days.
    """
    for answer in (report.today, *report.answers):
        for line in answer.plan["lines"]:
            for period, days in line["days"].items():
                share = days["used"] / days["offered"] if days["offered"] > 0 else ""
                yield {
                    "answer": answer.name,
                    "line_id": line["line_id"],
                    "cmo_id": line["cmo_id"],
                    "period": period,
                    "offered_days": days["offered"],
                    "used_days": days["used"],
                    "utilisation": share,
                }


def curve_rows(data: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """On-time share over the multiplier of all demand, for each answer.

    `on_time_share` is what a plan attains, `on_time_limit` what none can exceed; each is blank
    where it was not computed. `plan` says what the plan was made for: "schedule" (today's,
    stretched), "cost" (the answer as solved) or "service" (searched for service).
    """
    for row in data.get("curve", ()):
        yield {name: "" if row[name] is None else row[name] for name in CURVE}
