"""The record of a run names what went in and repeats with it."""

from __future__ import annotations

import datetime
import hashlib
import json
import platform
from importlib import metadata

import pytest

from allocator.record import INPUT_FILES, build_record, input_files, sha256, version
from models.result import Result
from tests.allocator.audit.example import write_inputs

OPTIONS = {"solver": "highs", "sourcing": None, "gap": 0.01, "seed": 7, "threads": 2}
RESULT = Result(
    "optimal", None, None, 1.0, 1.0, "highs", 0.5, statistics={"nodes": 3.0, "backend": "simplex"}
)


@pytest.fixture
def inputs(tmp_path):
    return write_inputs(tmp_path / "inputs")


def test_the_record_names_inputs_options_versions_and_times(inputs):
    before = datetime.datetime.now(datetime.UTC)
    record = build_record(inputs, None, OPTIONS, RESULT, {"read": 60.0, "solve": 0.5})
    assert record["schema"] == "allocator-record/1"
    assert record["version"] == metadata.version("allocator")
    assert record["python"] == platform.python_version()
    assert record["libraries"]["highspy"] == metadata.version("highspy")
    assert record["options"] == OPTIONS
    assert (record["seed"], record["threads"]) == (7, 2)
    assert record["seconds"] == {"read": 60.0, "solve": 0.5}
    assert record["total_seconds"] == 60.5
    assert record["solver"] == {
        "name": "highs",
        "seconds": 0.5,
        "statistics": {"nodes": 3.0, "backend": "simplex"},
    }
    start = datetime.datetime.fromisoformat(record["start"])
    assert start.tzinfo is not None
    assert start < before  # a minute was spent before the record was built
    assert json.loads(json.dumps(record)) == record


def test_the_hash_of_every_input_file(inputs, tmp_path):
    (inputs / "notes.txt").write_text("not read")
    scenario = tmp_path / "outage.toml"
    scenario.write_text("[demand]\nall = 2.0\n")
    hashes = build_record(inputs, scenario, OPTIONS, RESULT, {})["inputs"]
    assert list(hashes) == sorted(hashes)
    assert set(hashes) == {path.name for path in inputs.iterdir()} - {"notes.txt"} | {
        "scenario.toml"
    }
    for name, digest in hashes.items():
        source = scenario if name == "scenario.toml" else inputs / name
        assert digest == hashlib.sha256(source.read_bytes()).hexdigest() == sha256(source)


def test_the_same_inputs_and_options_give_the_same_record_but_for_times(inputs):
    one = build_record(inputs, None, OPTIONS, RESULT, {"solve": 1.0})
    two = build_record(inputs / "portfolio.csv", None, OPTIONS, RESULT, {"solve": 1.0})
    assert {k: v for k, v in one.items() if k != "start"} == {
        k: v for k, v in two.items() if k != "start"
    }


def test_every_table_that_can_be_read_is_an_input_file():
    from allocator.fields import TABLES

    assert {f"{name}.csv" for name in TABLES} <= set(INPUT_FILES)


def test_only_files_that_exist_are_input_files(inputs):
    (inputs / "tiers.csv").unlink()
    assert set(input_files(inputs, None)) == {path.name for path in inputs.iterdir()}


def test_a_library_that_is_not_installed_has_no_version():
    assert version("no-such-library-at-all") is None
