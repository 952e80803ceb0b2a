"""CBC: what its files and its log mean, and its handling from outside."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from models.compact import cbc
from models.compact.build import build
from models.compact.matrix import Matrix, read_matrix
from models.solve import Settings
from tests.models.small import small

MATRIX = read_matrix(build(small()).model.prob)
STOPPED_LOG = """Version: 2.10.3
Continuous objective value is 900.5 - 0.07 seconds
Cbc0010I After 0 nodes, 1 on tree, 1e+50 best solution, best possible 1000 (0.12 seconds)
Cbc0010I After 9 nodes, 1 on tree, 2000.5 best solution, best possible 1500.25 (0.4 seconds)
Result - Stopped on time limit
Lower bound:                    1600.123
"""


def test_optimal_answer() -> None:
    answer = "Optimal - objective value 100.00000000\n      0 x0  2  50\n** 3 x3 1.5 0\n"
    outcome = cbc.read_outcome(MATRIX, answer, "Result - Optimal solution found", None)
    assert outcome.x is not None
    assert (outcome.x[0], outcome.x[3], outcome.x.sum()) == (2.0, 1.5, 3.5)
    assert (outcome.objective, outcome.bound, outcome.limit) == (100.0, 100.0, None)
    assert outcome.statistics == {"cbc_version": "unknown"}


def test_answer_within_a_gap_has_the_bound_of_the_log() -> None:
    log = "Result - Optimal solution found (within gap tolerance)\nLower bound:     95.000\n"
    outcome = cbc.read_outcome(MATRIX, "Optimal - objective value 100\n", log, None)
    assert outcome.limit == "gap"
    assert outcome.bound == pytest.approx(95.0, abs=2e-3)
    assert outcome.bound is not None
    assert outcome.bound < 95.0


def test_stopped_with_a_plan() -> None:
    outcome = cbc.read_outcome(
        MATRIX, "Stopped on time - objective value 2000.5\n", STOPPED_LOG, None
    )
    assert (outcome.objective, outcome.limit) == (2000.5, "time")
    assert outcome.bound is not None
    assert 1600.12 < outcome.bound < 1600.123
    assert outcome.statistics["cbc_version"] == "2.10.3"


def test_stopped_without_a_plan_has_no_values_but_a_bound() -> None:
    head = "Stopped on time (no integer solution - continuous used) - objective value 900.5\n"
    outcome = cbc.read_outcome(MATRIX, head + " 0 x0 0.5 0\n", STOPPED_LOG, None)
    assert (outcome.x, outcome.objective, outcome.limit) == (None, None, "time")
    assert outcome.bound is not None


@pytest.mark.parametrize("head", ["Infeasible - objective value 0", "Integer infeasible - x 1"])
def test_infeasible(head: str) -> None:
    outcome = cbc.read_outcome(MATRIX, head, STOPPED_LOG, None)
    assert outcome.infeasible
    assert (outcome.x, outcome.bound, outcome.limit) == (None, None, None)


def test_killed_before_it_wrote_anything() -> None:
    outcome = cbc.read_outcome(MATRIX, "", "", "time")
    assert (outcome.x, outcome.bound, outcome.limit, outcome.infeasible) == (
        None,
        None,
        "time",
        False,
    )


def test_without_bundled_binary_one_on_the_path_or_a_clear_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import pulp

    monkeypatch.setattr(pulp.PULP_CBC_CMD, "pulp_cbc_path", str(tmp_path / "none"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="no CBC"):
        cbc.cbc_path()
    own = tmp_path / "cbc"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    assert cbc.cbc_path() == str(own)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_cbc_that_does_not_heed_is_killed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stubborn = tmp_path / "cbc"
    stubborn.write_text("#!/bin/sh\ntrap '' INT\necho deaf\nwhile true; do sleep 0.1; done\n")
    stubborn.chmod(0o755)
    monkeypatch.setattr(cbc, "cbc_path", lambda: str(stubborn))
    monkeypatch.setattr(cbc, "GRACE_SECONDS", 0.2)
    outcome = cbc.run_cbc(MATRIX, Settings(threads=2, stop=lambda: True), 60.0, None)
    assert (outcome.x, outcome.limit) == (None, "interrupt")
    assert outcome.bound is None


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_asks_cbc_to_stop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    heeding = tmp_path / "cbc"
    heeding.write_text(
        "#!/bin/sh\ntrap 'echo Stopped on ctrl-c - objective value 7 > answer.sol; exit 0' INT\n"
        "while true; do sleep 0.1; done\n"
    )
    heeding.chmod(0o755)
    monkeypatch.setattr(cbc, "cbc_path", lambda: str(heeding))
    calls: list[int] = []

    def stop() -> bool:
        calls.append(1)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return False

    outcome = cbc.run_cbc(MATRIX, Settings(stop=stop), None, None)
    assert (outcome.objective, outcome.limit) == (7.0, "interrupt")


def test_mps_keeps_all_digits_and_every_kind_of_bound() -> None:
    matrix = Matrix(
        cost=np.array([1 / 3, 0.0]),
        low=np.array([-np.inf, 1.5]),
        high=np.array([np.inf, 2.5]),
        integer=np.array([False, True]),
        row_low=np.array([-np.inf, 1.0, 0.1]),
        row_high=np.array([2.0, 1.0, np.inf]),
        start=np.array([0, 2, 3, 4]),
        index=np.array([0, 1, 1, 0]),
        value=np.array([1.0, 2.0, 3.0, 1e-7]),
        columns={},
    )
    lines = cbc.mps_text(matrix).splitlines()
    for line in (
        " L r0",
        " E r1",
        " G r2",
        f" x0 cost {1 / 3!r}",
        " x0 r2 1e-07",
        " RHS r2 0.1",
        " MI BND x0",
        " PL BND x0",
        " LO BND x1 1.5",
        " UP BND x1 2.5",
    ):
        assert line in lines
    assert lines.index(" x0 r2 1e-07") < lines.index(" MARKER1 'MARKER' 'INTORG'")
