"""The files of a run: written whole or not at all, audited before they get their name."""

from __future__ import annotations

import csv
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allocator.errors import Usage
from allocator.plan_tables import COLUMNS
from allocator.record import SCENARIO_FILE, input_files
from allocator.record import SCHEMA as RECORD_SCHEMA

if TYPE_CHECKING:
    from allocator.audit import AuditReport

PLAN_FILE = "plan.json"
RECORD_FILE = "record.json"
LOG_FILE = "solver.log"
INPUTS_FOLDER = "inputs"

#: What a plan that failed its audit is called, so that nothing takes it for a plan.
REJECTED_FILE = "rejected.json"


def write_run(
    out: str | Path | None,
    plan: Mapping[str, Any],
    tables: Mapping[str, Sequence[Mapping[str, Any]]],
    record: Mapping[str, Any],
    *,
    portfolio: Path,
    scenario: Path | None = None,
    log: str = "",
    certify: Callable[[Path], None] | None = None,
) -> tuple[dict[str, Any], Path | None, AuditReport]:
    """Write a run, audit what was written, and only then give the folder its name.

    Returns the plan with its `audit` filled in, the folder and the audit's report. With `out` None
    the files are audited in a temporary folder and nothing stays (folder None). A plan that fails
    its audit is no plan: its files are kept in `<out>-rejected`, the plan as rejected.json.
    `certify` adds files of its own once plan.json is there. A former run in the folder is replaced.
    Raises Usage where the folder holds anything else.
    """
    if out is None:
        with tempfile.TemporaryDirectory(prefix="allocator-") as folder:
            made = Path(folder) / "run"
            audited, report = _write(made, plan, tables, record, portfolio, scenario, log, certify)
        return audited, None, report
    target = Path(os.path.abspath(out))
    check_target(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    made = target.parent / f".{target.name}-{uuid.uuid4().hex[:12]}"
    try:
        audited, report = _write(made, plan, tables, record, portfolio, scenario, log, certify)
        if not report.passed:
            (made / PLAN_FILE).rename(made / REJECTED_FILE)
            target = target.with_name(f"{target.name}-rejected")
            check_target(target)
        _put(made, target)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return audited, target, report


def _write(
    folder: Path,
    plan: Mapping[str, Any],
    tables: Mapping[str, Sequence[Mapping[str, Any]]],
    record: Mapping[str, Any],
    portfolio: Path,
    scenario: Path | None,
    log: str,
    certify: Callable[[Path], None] | None,
) -> tuple[dict[str, Any], AuditReport]:
    """Write every file into a new folder and audit them; the plan gets the audit's verdict."""
    from allocator.audit import audit

    folder.mkdir()
    (folder / INPUTS_FOLDER).mkdir()
    for name, source in input_files(portfolio, scenario).items():
        shutil.copyfile(source, folder / INPUTS_FOLDER / name)
    for name, columns in COLUMNS.items():
        write_table(folder / f"{name}.csv", columns, tables.get(name, ()))
    write_json(folder / RECORD_FILE, record)
    (folder / LOG_FILE).write_text(log, encoding="utf-8")
    write_json(folder / PLAN_FILE, plan)
    if certify is not None:
        certify(folder)
    report = audit(folder)
    findings = [{"rule": f.rule, "where": f.where, "what": f.what} for f in report.findings]
    audited = dict(plan) | {"audit": {"passed": report.passed, "findings": findings}}
    write_json(folder / PLAN_FILE, audited)
    return audited, report


def check_target(target: Path) -> None:
    """Refuse to write over anything but a former run or an empty folder. Raises Usage."""
    if not target.exists() or is_run(target):
        return
    if not target.is_dir():
        raise Usage(f"{target} is a file; give a folder for the run")
    if any(target.iterdir()):
        raise Usage(f"{target} holds something else than a run; give a new or an empty folder")


def is_run(folder: Path) -> bool:
    """Whether a folder holds the files of a run (also of a rejected one)."""
    try:
        record = json.loads((folder / RECORD_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(record, dict) and record.get("schema") == RECORD_SCHEMA


def _put(made: Path, target: Path) -> None:
    """Give `made` its final name; a former folder goes only once the new one stands."""
    if not target.exists():
        made.rename(target)
        return
    former = target.parent / f".{target.name}-{uuid.uuid4().hex[:12]}"
    target.rename(former)
    try:
        made.rename(target)
    except BaseException:
        former.rename(target)
        raise
    shutil.rmtree(former, ignore_errors=True)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON, readable and strict: a number that is not finite raises ValueError."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a CSV file; numbers keep all their digits, truth is `yes` or `no`."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow([_cell(row[column]) for column in columns])


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value


def read_plan(run: str | Path) -> dict[str, Any]:
    """The content of a run's plan.json. Raises Usage where there is none that can be read."""
    return _read_json(Path(run), PLAN_FILE)


def read_record(run: str | Path) -> dict[str, Any]:
    """The content of a run's record.json. Raises Usage where there is none that can be read."""
    return _read_json(Path(run), RECORD_FILE)


def run_inputs(run: str | Path) -> tuple[Path, Path | None]:
    """The copied input folder of a run, and the scenario that was laid over it, if one was."""
    folder = Path(run) / INPUTS_FOLDER
    scenario = folder / SCENARIO_FILE
    return folder, scenario if scenario.is_file() else None


def _read_json(run: Path, name: str) -> dict[str, Any]:
    path = run / name
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise Usage(f"{run} holds no {name}; give the folder of a run") from None
    except ValueError as error:
        raise Usage(f"{path} cannot be read ({error}); run `allocator verify {run}`") from None
    if not isinstance(content, dict):
        raise Usage(f"{path} is not a plan; run `allocator verify {run}`")
    return content
