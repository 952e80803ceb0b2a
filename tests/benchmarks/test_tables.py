"""The tables of the benchmarks, on runs that are made up."""

from __future__ import annotations

import pytest

from benchmarks.growth import cmos_of, row_of
from benchmarks.measure import Case, Run
from benchmarks.peers import Row, first_within, gap_of, rows_of, shown, table

OURS = Run(
    101.0, 99.0, 10.0, 0.5, 200.0, ((1.0, None, None), (2.0, 120.0, 90.0), (6.0, 101.0, 99.0)), "x"
)
PEER = Run(104.0, 100.0, 12.0, 0.5, 150.0, ((3.0, 104.0, 100.0),), "feasible")
KILLED = Run(None, None, 60.0, 0.0, 0.0, (), "killed")


def test_a_gap_is_relative_to_the_objective_and_never_negative():
    assert gap_of(200.0, 100.0) == pytest.approx(0.5)
    assert gap_of(99.0, 100.0) == 0.0
    assert gap_of(-100.0, -150.0) == pytest.approx(0.5)
    assert gap_of(None, 1.0) is None
    assert gap_of(1.0, None) is None


def test_the_first_moment_within_a_gap():
    assert first_within(OURS, 100.0, 0.01) == 6.0
    assert first_within(OURS, 100.0, 0.2) == 2.0
    assert first_within(OURS, 100.0, 0.001) is None
    assert first_within(OURS, None, 0.5) is None
    assert first_within(KILLED, 100.0, 0.5) is None


def test_all_are_measured_against_the_best_bound_of_all():
    ours, peer, killed = rows_of({"patterns": OURS, "highs": PEER, "cbc": KILLED})
    assert (ours.solver, ours.gap, ours.own_gap) == (
        "patterns",
        pytest.approx(1 / 101),
        pytest.approx(2 / 101),
    )
    assert (ours.to_1, ours.to_05, ours.seconds, ours.memory_mb) == (6.0, None, 10.0, 200.0)
    assert peer.gap == peer.own_gap == pytest.approx(4 / 104)
    assert killed == Row("cbc", None, None, None, None, 0.0, 60.0, "killed")


def test_without_any_bound_there_is_no_gap():
    (row,) = rows_of({"highs": Run(5.0, None, 1.0, 0.0, 9.0, ((1.0, 5.0, None),), "feasible")})
    assert (row.gap, row.own_gap, row.to_1) == (None, None, None)


def test_the_table_of_a_case():
    lines = table("S free tight 2", rows_of({"patterns": OURS, "highs": PEER, "cbc": KILLED}))
    assert lines == [
        "| S free tight 2 | patterns | 0.990% | 1.980% | 0.26 | 6.0 | - | 10.0 | 200 | x |",
        "| S free tight 2 | highs | 3.846% | 3.846% | 1.00 | - | - | 12.0 | 150 | feasible |",
        "| S free tight 2 | cbc | - | - | - | - | - | 60.0 | 0 | killed |",
    ]
    # the best peer's gap of 0 is no measure
    (alone, _) = table("one", rows_of({"patterns": OURS, "highs": Run(*_exact())}))
    assert alone.split("|")[5].strip() == "-"
    assert shown(None, ".1f") == "-"


def _exact() -> tuple[float, float, float, float, float, tuple[()], str]:
    return 100.0, 100.0, 1.0, 0.0, 1.0, (), "optimal"


def test_the_row_of_a_size():
    case = Case(50, cmos_of(50), 12, 1)
    assert row_of(case, OURS) == "| 50 | 12 | 0.5 | 10.0 | 1.980% | - | 200 | x |"
    assert row_of(case, KILLED) == "| 50 | 12 | 0.0 | 60.0 | - | - | 0 | killed |"
    assert [cmos_of(programs) for programs in (5, 25, 40, 50, 200)] == [3, 8, 12, 12, 40]
