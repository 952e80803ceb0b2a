"""A stress test that is cut off, taken up again, and fanned out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import allocator
from allocator.outages import partial, stressing
from allocator.outages.testing import Pool
from tests.allocator.audit.example import TABLES

PARTIAL = "stress.partial.jsonl"


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """The run of a portfolio with every feature."""
    where = tmp_path_factory.mktemp("resume")
    tables = where / "in"
    tables.mkdir()
    for name, text in TABLES.items():
        (tables / name).write_text(text)
    allocator.run(tables, solver="highs", gap=0.02, time_limit=20.0, out=where / "run")
    return where / "run"


@pytest.fixture(scope="module")
def whole(run, tmp_path_factory) -> bytes:
    """What one process finds that nothing interrupts."""
    return stressed(run, tmp_path_factory.mktemp("whole"))


def stressed(run: Path, out: Path, **options) -> bytes:
    allocator.stress(run, time_limit=None, gap=1e-4, out=out, **options)
    return (out / "stress.json").read_bytes()


def halting(after: int):
    """A stop that comes after so many questions."""
    asked = [0]

    def stop() -> bool:
        asked[0] += 1
        return asked[0] > after

    return stop


def test_two_processes_find_what_one_finds(run, whole, tmp_path, monkeypatch):
    monkeypatch.setattr(stressing, "CHUNK", 2)
    assert stressed(run, tmp_path, threads=2) == whole
    assert not (tmp_path / PARTIAL).exists()


@pytest.mark.parametrize("after", [0, 12, 60])
def test_what_was_cut_off_goes_on_to_the_same_end(run, whole, tmp_path, monkeypatch, after):
    monkeypatch.setattr(stressing, "CHUNK", 2)
    halted = allocator.stress(run, time_limit=None, gap=1e-4, out=tmp_path, stop=halting(after))
    assert halted.limit == "interrupt"
    lines = (tmp_path / PARTIAL).read_text().splitlines() if after else []
    assert (tmp_path / PARTIAL).exists() == bool(after)
    begun: list[str] = []
    asked = Pool.asked
    monkeypatch.setattr(
        Pool, "asked", lambda self, names: begun.extend(names) or asked(self, names)
    )
    assert stressed(run, tmp_path) == whole
    assert not (tmp_path / PARTIAL).exists()
    last = {content["key"]: content["rounds"] for content in map(json.loads, lines[1:])}
    assert bool(last) == (after > 0)
    assert bool(last.keys() - set(begun)) == (after > 0)  # what was finished is taken over


def test_a_line_cut_short_costs_only_itself(run, whole, tmp_path):
    allocator.stress(run, time_limit=None, gap=1e-4, out=tmp_path, stop=halting(60))
    file = tmp_path / PARTIAL
    file.write_text(file.read_text()[:-40])
    again = allocator.stress(run, time_limit=None, gap=1e-4, out=tmp_path, stop=halting(3))
    assert again.limit == "interrupt"
    assert stressed(run, tmp_path) == whole


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace('"gap": 0.0001', '"gap": 0.5', 1),
        lambda text: text.replace('"plan": "', '"plan": "0', 1),
        lambda text: "nonsense\n" + text,
        lambda text: "[]\n" + text,
        lambda text: "",
    ],
)
def test_what_belongs_to_something_else_counts_for_nothing(run, tmp_path, spoil):
    allocator.stress(run, time_limit=None, gap=1e-4, out=tmp_path, stop=halting(60))
    file = tmp_path / PARTIAL
    assert partial.Partial(tmp_path, run, 1e-4).read()
    file.write_text(spoil(file.read_text()))
    assert partial.Partial(tmp_path, run, 1e-4).read() == {}


def test_one_display_counts_the_parts(run, tmp_path):
    said = []
    allocator.stress(run, out=tmp_path, progress=lambda state: said.append(state.phase))
    done, of, total = said[-1].split()[:3]
    assert (of, done) == ("of", total)


def test_a_short_limit_says_so_and_keeps_what_there_is(run, tmp_path):
    report = allocator.stress(run, time_limit=1e-6, gap=0.0, out=tmp_path)
    assert report.limit == "time"
    assert report.secure in (False, None)
