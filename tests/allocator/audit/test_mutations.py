"""Any one number of plan.json or of a table, changed beyond the tolerance, is found."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allocator.audit import audit
from allocator.audit.schema import TABLES
from tests.allocator.audit.example import write_example, write_inputs

#: Far enough beyond 1e-6 of an amount and a cent of money.
FACTORS = st.one_of(st.floats(-2.0, 0.999), st.floats(1.001, 3.0))
SHIFTS = st.one_of(st.floats(0.05, 1e6), st.floats(-1e6, -0.05))


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("mutations")
    _, made, report = write_example(folder / "run", write_inputs(folder / "inputs"))
    assert report.passed
    return made


def numbers(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of all numbers of a JSON value."""
    if isinstance(value, dict):
        return [p for key, item in value.items() for p in numbers(item, (*path, key))]
    if isinstance(value, list):
        return [p for at, item in enumerate(value) for p in numbers(item, (*path, at))]
    return [path] if isinstance(value, int | float) and not isinstance(value, bool) else []


def changed(number: float, factor: float, shift: float) -> float:
    return number * factor if abs(number) > 100 else number + shift


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data(), factor=FACTORS, shift=SHIFTS)
def test_a_changed_number_in_the_plan_is_found(run, data, factor, shift):
    original = (run / "plan.json").read_text()
    plan = json.loads(original)
    *path, last = data.draw(st.sampled_from(numbers(plan)))
    part = plan
    for key in path:
        part = part[key]
    part[last] = changed(part[last], factor, shift)
    try:
        (run / "plan.json").write_text(json.dumps(plan))
        report = audit(run)
    finally:
        (run / "plan.json").write_text(original)
    assert not report.passed, (path, last)


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data(), factor=FACTORS, shift=SHIFTS)
def test_a_changed_number_in_a_table_is_found(run, data, factor, shift):
    name = data.draw(st.sampled_from(sorted(TABLES)))
    file = run / f"{name}.csv"
    original = file.read_text()
    rows = list(csv.reader(original.splitlines()))
    columns = [at for at, column in enumerate(TABLES[name]) if column.startswith("#")]
    cells = [(r, c) for r in range(1, len(rows)) for c in columns if rows[r][c]]
    row, column = data.draw(st.sampled_from(cells))
    rows[row][column] = str(changed(float(rows[row][column]), factor, shift))
    try:
        with file.open("w", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerows(rows)
        report = audit(run)
    finally:
        file.write_text(original)
    assert not report.passed, (name, row, column)


@settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_file_cut_or_garbled_anywhere_is_found_and_never_a_crash(run, tmp_path, data):
    names = ["plan.json", "record.json", *(f"{name}.csv" for name in TABLES)]
    file = run / data.draw(st.sampled_from(names))
    original = file.read_bytes()
    at = data.draw(st.integers(0, len(original.rstrip()) - 1))
    garbage = data.draw(st.binary(max_size=3))
    cut = original[:at] + garbage
    try:
        file.write_bytes(cut)
        report = audit(run)
    finally:
        file.write_bytes(original)
    assert not report.passed


def test_the_run_itself_is_left_as_it_was(run, tmp_path):
    copy = Path(shutil.copytree(run, tmp_path / "copy"))
    assert audit(copy).passed
