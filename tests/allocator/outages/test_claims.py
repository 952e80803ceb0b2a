"""Claims of a stress.json that contradict what it holds itself, and what it has to be believed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import allocator
from allocator.errors import AuditFailed, Usage
from allocator.files import write_table
from allocator.outages import stressing
from allocator.outages.files import COLUMNS
from tests.allocator.outages.test_stress import inputs, kept, worst

NO_PROOF = {"bound": 0.0, "flow": {}, "line_days": {}, "short": {}}


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A run of two programs and its stress test."""
    where = tmp_path_factory.mktemp("claims")
    allocator.run(inputs(where / "in"), solver="highs", gap=0.0, out=where / "run")
    allocator.stress(where / "run", gap=0.0)
    return where / "run"


def written(run: Path, folder: Path, spoil) -> Path:
    """A copy of the run whose stress test is spoilt, with a table that says the same."""
    shutil.copytree(run, folder)
    content = json.loads((folder / "stress.json").read_text())
    spoil(content)
    (folder / "stress.json").write_text(json.dumps(content))
    rows = []
    for rank, outage in enumerate(content["outages"], start=1):
        refuted = outage["exposure_proof"]["bound"] > 1e-6 * outage["money"]
        proven = {
            "proven": outage["proof"]["bound"],
            "kept_proven": outage["kept"] == "yes" or (outage["kept"] == "no" and refuted),
        }
        head = dict.fromkeys(COLUMNS, "") | {"rank": rank} | outage | proven
        short = [head | row | {"program_money": row["money"]} for row in outage["programs"]]
        rows += [row | {"money": outage["money"]} for row in short] or [head]
    write_table(folder / "stress.csv", COLUMNS, rows)
    return folder


def no_level_is_missed(content):
    kept(content).update(kept="no", exposure_bound=1e-3)


def not_decided_though_it_is(content):
    kept(content).update(kept="open", limit="time")
    content.update(secure=False, limit="time")


def more_beyond_the_levels_than_is_missed(content):
    worst(content)["exposure_bound"] *= 100


def stopped_though_proven(content):
    worst(content)["limit"] = content["limit"] = "time"


def finished_though_not_proven(content):
    worst(content).update(bound=0.0, proof=NO_PROOF)


def finished_though_a_part_is_not(content):
    worst(content).update(bound=0.0, proof=NO_PROOF, limit="time")


def stopped_though_every_part_is_finished(content):
    content["limit"] = "interrupt"


def stopped_by_something_else(content):
    content["limit"] = worst(content)["limit"] = "boredom"


def asked_for_less_than_nothing(content):
    content["gap"] = -1.0


def a_proof_by_rounding(content):
    """A cent is within the rounding of money, but no proof that a level cannot be kept."""
    outage = worst(content)
    outage["exposure_proof"] = NO_PROOF | {"bound": 0.009}


def a_kind_that_is_none(content):
    worst(content)["kind"] = "planet"


SPOILT = [
    no_level_is_missed, not_decided_though_it_is, more_beyond_the_levels_than_is_missed,
    stopped_though_proven, finished_though_not_proven, finished_though_a_part_is_not,
    stopped_though_every_part_is_finished, stopped_by_something_else, asked_for_less_than_nothing,
    a_proof_by_rounding, a_kind_that_is_none,
]  # fmt: skip


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
def test_claims_that_contradict_the_rest(spoil, run, tmp_path):
    findings = allocator.verify(written(run, tmp_path / "run", spoil)).findings
    assert findings
    assert not any("cannot be checked" in f.what or "csv" in f.where for f in findings)


def test_a_table_made_anew_passes(run, tmp_path):
    assert allocator.verify(written(run, tmp_path / "run", lambda content: None)).passed


@pytest.mark.parametrize(
    ("part", "name", "values"),
    [
        ("flow", "NOPE", {"2027Q4": 1.0}),
        ("line_days", "NOPE", {"2027Q4": 1.0}),
        ("short", "NOPE", 1.0),
        ("flow", "P1", {"1999Q1": 1.0}),
        ("line_days", "L1", {"2026Q4": 1.0}),
    ],
)
def test_duals_of_what_does_not_exist_are_named_and_the_rest_is_checked(
    part, name, values, run, tmp_path
):
    def spoil(content):
        worst(content)["proof"][part][name] = values
        content["outages"][-1]["cmos"] = ["nobody"]

    findings = allocator.verify(written(run, tmp_path / "run", spoil)).findings
    assert any(f"proof {part} {name}" in f.where for f in findings)
    assert any("nobody" in f.what for f in findings)
    assert not any("cannot be checked" in f.what for f in findings)


def test_what_rests_on_the_solvers_word_is_told(run, tmp_path):
    (proven,) = allocator.verify(run).trusted
    assert "no claim" in proven

    def believe(content):
        worst(content).update(proof=NO_PROOF, exposure_proof=NO_PROOF)

    report = allocator.verify(written(run, tmp_path / "run", believe))
    assert report.passed
    (trusted,) = report.trusted
    assert "1 of 36 outages rest on" in trusted
    assert "1 for their bound, 1 for a level" in trusted


def test_the_table_must_not_call_proven_what_is_not(run, tmp_path):
    folder = Path(shutil.copytree(run, tmp_path / "run"))
    table = (folder / "stress.csv").read_text()
    (folder / "stress.csv").write_text(table.replace("6000.0,yes", "6001.0,yes", 1))
    (finding,) = allocator.verify(folder).findings
    assert finding.where.endswith("proven")


# ---- audits of `stress` itself ---------------------------------------------------------------


def test_a_plan_that_fails_its_audit_is_not_tested(run, tmp_path):
    spoilt = Path(shutil.copytree(run, tmp_path / "run"))
    plan = json.loads((spoilt / "plan.json").read_text())
    plan["programs"][0]["sources"][0]["batches"]["2027Q1"] += 50
    (spoilt / "plan.json").write_text(json.dumps(plan))
    with pytest.raises(AuditFailed, match="is not tested"):
        allocator.stress(spoilt, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_result_that_fails_its_audit_is_not_written(run, tmp_path, monkeypatch):
    monkeypatch.setattr("allocator.outages.testing.changes", lambda *_: {})
    with pytest.raises(AuditFailed, match="is not written"):
        allocator.stress(run, out=tmp_path)
    assert not (tmp_path / "stress.json").exists()


def test_a_test_that_lies_elsewhere_is_audited(run, tmp_path):
    allocator.stress(run, groups=["cmo"], out=tmp_path)
    assert allocator.verify(run, tmp_path).passed
    assert len(allocator.verify(run, tmp_path).trusted) == 2
    with pytest.raises(Usage, match="verify RUN --stress"):
        allocator.verify(tmp_path)
    content = json.loads((tmp_path / "stress.json").read_text())
    content["outages"].pop()
    (tmp_path / "stress.json").write_text(json.dumps(content))
    assert any("missing" in f.what for f in allocator.verify(run, tmp_path).findings)
    assert allocator.verify(run).passed
    with pytest.raises(Usage, match=r"no stress\.json"):
        allocator.verify(run, tmp_path / "nothing")


def test_the_test_of_another_run_is_not_written_over(run, tmp_path):
    other = Path(shutil.copytree(run, tmp_path / "other"))
    with pytest.raises(Usage, match="another run"):
        allocator.stress(run, groups=["cmo"], out=other)


def test_what_is_finished_was_not_stopped(run, tmp_path, monkeypatch):
    """Ctrl-C after the last look ends nothing early."""
    work, over = stressing.work, []
    monkeypatch.setattr(stressing, "work", lambda *given: (work(*given), over.append(True)))
    report = allocator.stress(run, out=tmp_path, stop=lambda: bool(over))
    assert over
    assert report.limit is None
