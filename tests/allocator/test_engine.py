"""The main job as a library function."""

import json
import re
from pathlib import Path

import pytest

import allocator
from allocator.engine import default_run_folder
from allocator.errors import AuditFailed, BadData, Usage

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "instances" / "tiny"


def test_same_inputs_seed_and_threads_give_the_same_plan():
    first, second = (allocator.run(TINY, solver="highs", gap=0.0).plan for _ in range(2))
    assert first == second
    assert first["audit"]["passed"]


def test_without_a_folder_nothing_stays_on_disk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = allocator.run(TINY, solver="highs")
    assert outcome.folder is None
    assert list(tmp_path.iterdir()) == []


def test_a_portfolio_may_be_named_by_its_file():
    by_file = allocator.run(TINY / "portfolio.csv", solver="highs", gap=0.0).plan
    assert by_file["objective"] == allocator.run(TINY, solver="highs", gap=0.0).plan["objective"]


def test_the_record_tells_what_went_in(tmp_path):
    allocator.run(TINY, solver="highs", seed=7, threads=1, out=tmp_path / "run")
    record = json.loads((tmp_path / "run" / "record.json").read_text())
    assert record["seed"] == 7
    assert record["options"]["solver"] == "highs"
    assert set(record["seconds"]) >= {"read", "compile", "solve"}
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in record["inputs"].values())


@pytest.mark.parametrize(
    "wrong",
    [{"gap": -0.1}, {"threads": 0}, {"time_limit": 0.0}, {"sourcing": "triple"}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_bad_options_are_refused_before_any_work(wrong):
    with pytest.raises(Usage):
        allocator.run("nowhere", **wrong)


def test_bad_data_is_raised_whole(tmp_path):
    with pytest.raises(BadData) as raised:
        allocator.run(tmp_path)
    assert raised.value.findings


def test_a_plan_that_fails_its_audit_is_not_a_plan(tmp_path, monkeypatch):
    from allocator import plan

    real = plan.build_plan

    def flatter(*args, **kwargs):
        built = real(*args, **kwargs)
        return built | {"cash_cost": built["cash_cost"] - 1000.0}

    monkeypatch.setattr(plan, "build_plan", flatter)
    with pytest.raises(AuditFailed) as raised:
        allocator.run(TINY, solver="highs", out=tmp_path / "run")
    assert "cash_cost" in str(raised.value)
    assert not (tmp_path / "run").exists()
    assert not list(tmp_path.rglob("plan.json"))


def test_run_folders_by_default_never_collide(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("allocator.engine.time.strftime", lambda _: "20270101-000000")
    first = default_run_folder(TINY)
    assert first == Path("runs/tiny-20270101-000000")
    first.mkdir(parents=True)
    assert default_run_folder(TINY / "portfolio.csv") == Path("runs/tiny-20270101-000000-2")


def test_a_folder_with_other_files_is_refused_before_any_work(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(Usage, match="holds something else"):
        allocator.run("nowhere", out=tmp_path)


def test_verify_wants_a_run(tmp_path):
    with pytest.raises(Usage, match=r"plan\.json"):
        allocator.verify(tmp_path)
    allocator.run(TINY, solver="highs", out=tmp_path / "run")
    assert allocator.verify(tmp_path / "run").passed
