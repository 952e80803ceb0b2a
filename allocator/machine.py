"""Does this machine have what the program needs? Each check is run, not looked up."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata

#: Distribution -> the version this program was tested with; None: any.
LIBRARIES = {
    "numpy": None,
    "numba": None,
    "highspy": "1.12.0",
    "pulp": "3",
    "ortools": "9.15",
    "click": None,
    "rich": None,
}


@dataclass(frozen=True)
class Check:
    """One thing looked at: `ok`, what was found, and what to do where it is not."""

    name: str
    ok: bool
    found: str
    remedy: str = ""


def doctor() -> tuple[Check, ...]:
    """Check the interpreter, the libraries, each solver on a real model, and the disk."""
    checks = [_python(), *(_library(name, wanted) for name, wanted in LIBRARIES.items())]
    checks += [_solver("highs"), _solver("cbc"), _solver("cpsat"), _solver("patterns")]
    return (*checks, _cores(), _disk())


def _python() -> Check:
    found = platform.python_version()
    return Check("python", sys.version_info >= (3, 11), found, "install Python 3.11 or later")


def _library(name: str, wanted: str | None) -> Check:
    try:
        found = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Check(name, False, "not installed", f"pip install {name}")
    ok = wanted is None or found == wanted or found.startswith(wanted + ".")
    return Check(name, ok, found, f"pip install '{name}=={wanted}.*'")


def _guard(name: str, probe: Callable[[], tuple[bool, str]], remedy: str) -> Check:
    try:
        ok, found = probe()
    except Exception as error:  # whatever a solver raises is the finding
        return Check(name, False, f"{type(error).__name__}: {error}", remedy)
    return Check(name, ok, found, remedy)


def _solver(name: str) -> Check:
    def probe() -> tuple[bool, str]:
        from models.sample import SAMPLE_OPTIMUM, sample_problem
        from models.solve import Settings, solve

        result = solve(sample_problem(), name, Settings(time_limit=60.0, gap=0.0))
        if result.objective is None:
            return False, f"{result.status}: no plan for the sample problem"
        right = abs(result.objective - SAMPLE_OPTIMUM) <= 1e-6 * SAMPLE_OPTIMUM
        return right, f"{result.objective:,.2f} of {SAMPLE_OPTIMUM:,.2f} in {result.seconds:.1f} s"

    return _guard(f"solver {name}", probe, "reinstall in a fresh environment")


def _cores() -> Check:
    count = available_cores()
    return Check("cores", count >= 1, str(count))


def available_cores() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def _disk() -> Check:
    free = shutil.disk_usage(tempfile.gettempdir()).free / 1e9
    return Check("temporary disk", free > 1.0, f"{free:,.0f} GB free", "free at least 1 GB")
