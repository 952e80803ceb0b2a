"""stress.json and stress.csv: what a stress test found, with all that its proof needs."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from allocator.errors import Usage
from allocator.files import PLAN_FILE, is_run, write_json, write_table
from allocator.outages.results import OutageResult, ProgramShort, Proof, StressReport

SCHEMA = "allocator-stress/1"
STRESS_FILE = "stress.json"
TABLE_FILE = "stress.csv"

#: Where tests of a secure plan go in its folder, whose own stress.json is its certificate.
SECURE_FOLDER = "stress"

COLUMNS = (
    "rank",
    "kind",
    "member",
    "recover_months",
    "start_period",
    "kept",
    "money",
    "bound",
    "proven",
    "kept_proven",
    "program_id",
    "units_short",
    "months_short",
    "share_short",
    "exposed",
    "months_until_short",
    "months_until_recovered",
    "program_money",
)


def result_folder(run: Path, plan: Mapping[str, Any], out: str | Path | None) -> Path:
    """Where a test of a run is written, never over a certificate or the test of another run."""
    secure = plan["sourcing"] == "secure"
    if out is None:
        return run / SECURE_FOLDER if secure else run
    folder = Path(out)
    own = folder.resolve() == run.resolve()
    if own and secure:
        raise Usage(
            f"{folder} holds the certificate of a secure plan; give another folder as --out"
        )
    if is_run(folder) and not own:
        raise Usage(f"{folder} is the folder of another run; give another folder as --out")
    return folder


def write_stress(report: StressReport, content: Mapping[str, Any], out: Path) -> Path:
    """Write both files into `out` (made if it isn't there), each whole or not at all."""
    out.mkdir(parents=True, exist_ok=True)
    _put(out / STRESS_FILE, lambda path: write_json(path, content))
    rows = list(stress_rows(report))
    _put(out / TABLE_FILE, lambda path: write_table(path, COLUMNS, rows))
    return out


def plan_hash(run: Path) -> str:
    """Tells which plan was tested: the hash of plan.json without the audit's verdict."""
    plan = json.loads((run / PLAN_FILE).read_text(encoding="utf-8"))
    plan.pop("audit", None)
    return hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()


def stress_content(report: StressReport, plan: str) -> dict[str, Any]:
    """The content of stress.json; `plan` is the hash of the plan.json that was tested."""
    return {
        "schema": SCHEMA,
        "plan": plan,
        "groups": list(report.kinds),
        "service_level": report.service_level,
        "currency": report.currency,
        "gap": report.gap,
        "limit": report.limit,
        "secure": report.secure,
        "exposed": list(report.exposed),
        "months_to_survive": report.months_to_survive,
        "outages": [_outage(result) for result in report.outages],
    }


def _outage(result: OutageResult) -> dict[str, Any]:
    group = result.group
    return {
        "kind": group.kind,
        "member": group.member,
        "cmos": list(group.cmos),
        "recover_months": group.recover_months,
        "start_period": result.start_period,
        "kept": result.kept,
        "money": result.money,
        "bound": result.bound,
        "exposure_bound": result.exposure_bound,
        "limit": result.limit,
        "programs": [_program(program) for program in result.programs],
        "batches": {offer: dict(counts) for offer, counts in result.changes.items()},
        "proof": _proof(result.proof),
        "exposure_proof": _proof(result.exposure_proof),
    }


def _program(program: ProgramShort) -> dict[str, Any]:
    return {
        "program_id": program.program_id,
        "units_short": program.units_short,
        "months_short": program.months_short,
        "share_short": program.share_short,
        "allowed_units": program.allowed_units,
        "exposed": program.exposed,
        "months_until_short": program.months_until_short,
        "months_until_recovered": program.months_until_recovered,
        "money": program.money,
    }


def _proof(proof: Proof) -> dict[str, Any]:
    return {
        "bound": proof.bound,
        "flow": _nested(proof.flow),
        "line_days": _nested(proof.line_days),
        "short": dict(proof.short),
    }


def _nested(values: Mapping[tuple[str, str], float]) -> dict[str, dict[str, float]]:
    nested: dict[str, dict[str, float]] = {}
    for (outer, inner), value in values.items():
        nested.setdefault(outer, {})[inner] = value
    return nested


def stress_rows(report: StressReport) -> list[dict[str, Any]]:
    """Rows of stress.csv: one per outage and program short, one with blanks where none is."""
    rows = []
    for rank, result in enumerate(report.outages, start=1):
        head = {
            "rank": rank,
            "kind": result.group.kind,
            "member": result.group.member,
            "recover_months": result.group.recover_months,
            "start_period": result.start_period,
            "kept": result.kept,
            "money": result.money,
            "bound": result.bound,
            "proven": result.proven,
            "kept_proven": result.kept_proven,
        }
        blank = dict.fromkeys(COLUMNS, "")
        short = [_program(program) for program in result.programs]
        rows += [blank | row | {"program_money": row["money"]} | head for row in short] or [
            blank | head
        ]
    return rows


def _put(path: Path, write: Callable[[Path], None]) -> None:
    """Write beside the file and give it its name only when it is whole."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    os.close(handle)
    try:
        write(Path(name))
        os.chmod(name, 0o644)
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)
