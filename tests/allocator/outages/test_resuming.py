"""A stress test that is cut off, taken up again, and fanned out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import allocator
from allocator.outages import partial, stressing
from allocator.outages.groups import KINDS
from allocator.outages.testing import Pool
from allocator.replay import read_finished
from models.recourse import Found, Tried
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


def nothing_known(look):
    del look["least"]


def a_bound_that_no_batches_attain(look):
    look["least"]["bound"] = 10 * look["least"]["bound"] + 1e6


def a_bound_that_duals_do_not_prove(look):
    look["least"]["linear"] = look["least"]["bound"] = look["least"]["bound"] / 2 + 1e6


def duals_below_nothing(look):
    for part in (look["least"]["duals"] or [{"values": []}])[:2]:
        part["values"] = [-value - 1.0 for value in part["values"]]


def batches_that_do_not_fit(look):
    packed = look["least"]["batches"]
    packed["values"] = [count + 1000 for count in packed["values"]]


def batches_of_another_shape(look):
    look["least"]["batches"] = {"shape": [1, 1], "values": [0]}


@pytest.mark.parametrize(
    "spoil",
    [
        nothing_known,
        a_bound_that_no_batches_attain,
        a_bound_that_duals_do_not_prove,
        duals_below_nothing,
        batches_that_do_not_fit,
        batches_of_another_shape,
        lambda look: look.update(rounds=None),
        lambda look: look["least"].update(bound="much"),
        lambda look: look["least"].update(bound=float("nan")),
        lambda look: look["least"]["batches"].update(shape=[7, 7]),
    ],
)
def test_a_damaged_line_is_worked_out_again(run, whole, tmp_path, spoil):
    allocator.stress(run, time_limit=None, gap=1e-4, out=tmp_path, stop=halting(60))
    file = tmp_path / PARTIAL
    head, *lines = file.read_text().splitlines()
    looks = [json.loads(line) for line in lines]
    assert looks
    for look in looks:
        spoil(look)
    file.write_text("\n".join([head, *map(json.dumps, looks)]) + "\n")
    assert stressed(run, tmp_path) == whole


def test_what_cannot_be_so_is_not_believed(run):
    finished = read_finished(run)
    _, _, pool = stressing._tests(finished.compiled, finished.decision, KINDS)
    overfull = unproven = 0
    for name, trial in pool.trials.items():
        scene, least = trial.scene, trial.least
        if (scene.used(scene.most) > scene.room + 1).any():
            overfull += 1
            pool.resume({name: (Tried(Found(scene.most, 0.0, 0.0, None, 0), None), 3)})
        elif least.value > 1:
            unproven += 1
            half = least.value / 2
            pool.resume({name: (Tried(Found(least.best, half, half, None, 1), None), 3)})
        assert name not in pool.rounds
        pool.resume({name: (trial.tried, 3)})
        assert pool.rounds[name] == 3
    assert overfull
    assert unproven


def test_one_display_counts_the_parts(run, tmp_path):
    said = []
    allocator.stress(run, out=tmp_path, progress=lambda state: said.append(state.phase))
    done, of, total = said[-1].split()[:3]
    assert (of, done) == ("of", total)


def test_a_short_limit_says_so_and_keeps_what_there_is(run, tmp_path):
    report = allocator.stress(run, time_limit=1e-6, gap=0.0, out=tmp_path)
    assert report.limit == "time"
    assert report.secure in (False, None)
