"""CBC, the binary that comes with PuLP, as a child process in a temporary folder.

CBC writes its answer with eight digits, so only its integers are used; it overruns its time limit
now and then, and is stopped from outside where it does.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from models.compact.matrix import Matrix
from models.compact.outcome import Outcome
from models.problem import Floats
from models.result import Limit
from models.solve import Progress, Settings

#: Seconds that CBC gets to write its answer after it was asked to stop, before it is killed.
GRACE_SECONDS = 15.0
POLL_SECONDS = 0.05

_NUMBER = r"(-?[\d.]+(?:e[+-]?\d+)?)"
_AFTER = re.compile(rf"Cbc0010I After .*?, {_NUMBER} best solution, best possible {_NUMBER}", re.I)
_LOWER = re.compile(rf"^Lower bound:\s+{_NUMBER}", re.M | re.I)
_RELAXED = re.compile(rf"^Continuous objective value is {_NUMBER}", re.M | re.I)


def cbc_path() -> str:
    """The CBC binary: PuLP's own, else one on the path. Raises FileNotFoundError without one."""
    import pulp

    bundled = str(pulp.PULP_CBC_CMD.pulp_cbc_path)
    if os.access(bundled, os.X_OK):
        return bundled
    found = shutil.which("cbc")
    if found is None:
        raise FileNotFoundError("no CBC: PuLP brings none for this machine, none is on the path")
    return found


def run_cbc(
    matrix: Matrix, settings: Settings, time_limit: float | None, start: Floats | None
) -> Outcome:
    """Solve the matrix with CBC; `start` (columns,) is offered as a MIP start."""
    with tempfile.TemporaryDirectory(prefix="allocator-cbc-") as folder:
        home = Path(folder)
        (home / "model.mps").write_text(mps_text(matrix), encoding="ascii")
        if start is not None:
            (home / "start.mst").write_text(_start_text(matrix, start), encoding="ascii")
        limit = _run(
            home, _arguments(settings, time_limit, start is not None), settings, time_limit
        )
        log = (home / "log").read_text(encoding="utf-8", errors="replace")
        answer = home / "answer.sol"
        text = answer.read_text(encoding="utf-8", errors="replace") if answer.exists() else ""
    return read_outcome(matrix, text, log, limit)


def _arguments(settings: Settings, time_limit: float | None, start: bool) -> list[str]:
    words = ["model.mps", "-timeMode", "elapsed", "-ratio", f"{settings.gap:.12g}"]
    words += ["-randomSeed", str(settings.seed + 1), "-randomCbcSeed", str(settings.seed + 1)]
    if time_limit is not None:
        words += ["-sec", f"{max(time_limit, 0.01):.3f}"]
    if settings.threads > 1:
        words += ["-threads", str(settings.threads)]
    if start:
        words += ["-mips", "start.mst"]
    return [*words, "-solve", "-solu", "answer.sol"]


def _run(
    home: Path, arguments: list[str], settings: Settings, time_limit: float | None
) -> Limit | None:
    """Run CBC in `home`; which limit was imposed from outside, if any."""
    started = time.monotonic()
    limit: Limit | None = None
    hard = np.inf if time_limit is None else started + time_limit + 1.0
    shown: tuple[float | None, float | None] = (None, None)
    with (home / "log").open("wb") as log:
        child = subprocess.Popen(
            [cbc_path(), *arguments], cwd=home, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        asked = None
        try:
            while child.poll() is None:
                try:
                    time.sleep(POLL_SECONDS)
                    wanted = settings.stop is not None and settings.stop()
                except KeyboardInterrupt:
                    wanted = True
                now = time.monotonic()
                if asked is None and (wanted or now > hard):
                    limit, asked = ("interrupt" if wanted else "time"), now
                    child.send_signal(signal.SIGINT)
                if asked is not None and now > asked + GRACE_SECONDS:
                    child.kill()
                if settings.progress is not None:
                    text = (home / "log").read_text(encoding="utf-8", errors="replace")
                    state = _best(text), _bound(text)
                    if state != shown:
                        shown = state
                        settings.progress(Progress(now - started, *state, "cbc"))
        finally:
            if child.poll() is None:
                child.kill()
            child.wait()
    return limit


def read_outcome(matrix: Matrix, answer: str, log: str, imposed: Limit | None) -> Outcome:
    """CBC's answer file and log as an outcome; `imposed` is the limit set from outside.

    A missing answer file (CBC was killed) is an outcome without a plan.
    """
    head = answer.partition("\n")[0].lower()
    infeasible = head.startswith(("infeasible", "integer infeasible"))
    found = head.startswith(("optimal", "stopped")) and "no integer solution" not in head
    limit = imposed
    if limit is None and head.startswith("stopped"):
        limit = "time"
    x, objective, bound = None, None, None
    if found:
        x = _values(matrix, answer)
        objective = float(head.rpartition("objective value")[2])
    if not infeasible:
        bound = objective if found and _exact(head, log) else _bound(log)
    if found and limit is None and not _exact(head, log):
        limit = "gap"
    version = re.search(r"^Version: (\S+)", log, re.M)
    return Outcome(
        x=x,
        objective=objective,
        bound=bound,
        limit=None if infeasible else limit,
        infeasible=infeasible,
        log=log,
        statistics={"cbc_version": version.group(1) if version else "unknown"},
    )


def _exact(head: str, log: str) -> bool:
    """Whether the answer is proven, and not just within a gap."""
    return head.startswith("optimal") and "within gap tolerance" not in log


def _values(matrix: Matrix, answer: str) -> Floats:
    """Column values of an answer file: `index name value dj`, zeros left out."""
    x = np.zeros(matrix.shape[1])
    for line in answer.splitlines()[1:]:
        words = line.replace("**", " ").split()
        if len(words) >= 3 and words[1].startswith("x"):
            x[int(words[1][1:])] = float(words[2])
    return x


def _best(log: str) -> float | None:
    """The incumbent that the log last told of."""
    found = _AFTER.findall(log)
    return _number(found[-1][0]) if found else None


def _bound(log: str) -> float | None:
    """The highest bound in the log, lowered by the digits that the log does not print."""
    texts = [pair[1] for pair in _AFTER.findall(log)]
    texts += _LOWER.findall(log) + _RELAXED.findall(log)
    bounds = [number - _rounding(number) for text in texts if (number := _number(text)) is not None]
    return max(bounds) if bounds else None


def _rounding(number: float) -> float:
    """How much a number printed with 6 significant digits or 3 decimals may be rounded up."""
    return max(abs(number) * 1e-6, 1e-3) if abs(number) < 1e6 else abs(number) * 1e-6


def _number(text: str) -> float | None:
    """A number of the log; CBC prints 1e+50 for none."""
    number = float(text)
    return number if abs(number) < 1e40 else None


def _start_text(matrix: Matrix, start: Floats) -> str:
    """A MIP start: every integer column by name."""
    rows = [f"{j} x{j} {round(start[j])} 0" for j in np.flatnonzero(matrix.integer).tolist()]
    return "\n".join(["Stopped on time - objective value 0", *rows]) + "\n"


def mps_text(matrix: Matrix) -> str:
    """The matrix as free MPS, columns `x0`, `x1` ..., rows `r0`, `r1` ..., all digits kept."""
    rows, columns = matrix.shape
    equal = matrix.row_low == matrix.row_high
    upper = ~equal & np.isfinite(matrix.row_high)
    kinds = np.where(equal, "E", np.where(upper, "L", "G"))
    rhs = np.where(upper | equal, matrix.row_high, matrix.row_low)
    row = np.repeat(np.arange(rows), np.diff(matrix.start))
    order = np.argsort(matrix.index, kind="stable")
    by_column = np.searchsorted(matrix.index[order], np.arange(columns + 1))
    row, value = row[order].tolist(), matrix.value[order].tolist()
    lines = ["NAME allocation", "ROWS", " N cost"]
    lines += [f" {kind} r{i}" for i, kind in enumerate(kinds.tolist())]
    lines += ["COLUMNS"]
    integer, inside = matrix.integer.tolist(), False
    for j, cost in enumerate(matrix.cost.tolist()):
        if integer[j] != inside:
            inside = integer[j]
            lines.append(f" MARKER{j} 'MARKER' '{'INTORG' if inside else 'INTEND'}'")
        lines.append(f" x{j} cost {cost!r}")
        lines += [f" x{j} r{row[e]} {value[e]!r}" for e in range(by_column[j], by_column[j + 1])]
    if inside:
        lines.append(" MARKEREND 'MARKER' 'INTEND'")
    lines += ["RHS", *(f" RHS r{i} {v!r}" for i, v in enumerate(rhs.tolist()) if v), "BOUNDS"]
    for j, (low, high) in enumerate(zip(matrix.low.tolist(), matrix.high.tolist(), strict=True)):
        if low:
            lines.append(f" LO BND x{j} {low!r}" if np.isfinite(low) else f" MI BND x{j}")
        lines.append(f" UP BND x{j} {high!r}" if np.isfinite(high) else f" PL BND x{j}")
    return "\n".join([*lines, "ENDATA", ""])
