"""The record of a run: what went in, with what it was solved, and how long each phase took."""

from __future__ import annotations

import datetime
import hashlib
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.result import Result

SCHEMA = "allocator-record/1"

#: Files of a portfolio folder that a run reads, and so records and copies.
INPUT_FILES = (
    "portfolio.csv",
    "demand.csv",
    "cmos.csv",
    "lines.csv",
    "line_days.csv",
    "offers.csv",
    "tiers.csv",
    "chain.csv",
    "diligence.csv",
    "shifts.csv",
    "contracts.csv",
    "history_lines.csv",
    "policy.toml",
)

#: Name under which a scenario is recorded and copied, whatever its file was called.
SCENARIO_FILE = "scenario.toml"

LIBRARIES = ("click", "highspy", "numba", "numpy", "ortools", "pulp", "rich")


def build_record(
    portfolio: Path,
    scenario: Path | None,
    options: Mapping[str, Any],
    result: Result,
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    """The content of record.json.

    `portfolio` is the input folder or its portfolio.csv, `options` what was asked (with `seed` and
    `threads`), `seconds` the time of each phase so far. Everything but `start`, `seconds`,
    `total_seconds` and the solver's own times repeats with the same inputs and options.
    """
    total = sum(seconds.values())
    start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=total)
    return {
        "schema": SCHEMA,
        "version": version("allocator"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "options": dict(options),
        "seed": options.get("seed"),
        "threads": options.get("threads"),
        "inputs": {
            name: sha256(source)
            for name, source in sorted(input_files(portfolio, scenario).items())
        },
        "start": start.isoformat(timespec="seconds"),
        "seconds": dict(seconds),
        "total_seconds": total,
        "solver": {
            "name": result.solver,
            "seconds": result.seconds,
            "statistics": dict(result.statistics),
        },
    }


def input_files(portfolio: Path, scenario: Path | None) -> dict[str, Path]:
    """Every input file that exists, by the name it is recorded under."""
    folder = portfolio if portfolio.is_dir() else portfolio.parent
    found = {name: folder / name for name in INPUT_FILES if (folder / name).is_file()}
    if scenario is not None:
        found[SCENARIO_FILE] = scenario
    return found


def sha256(path: Path) -> str:
    """Hash of a file's bytes, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def version(distribution: str) -> str | None:
    """Version of an installed distribution, None where it is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
