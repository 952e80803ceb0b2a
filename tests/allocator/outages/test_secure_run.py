"""A secure run: its certificate, its audit, and what makes it break."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import allocator
from allocator.errors import Usage
from allocator.outages import certificate, secure_terms
from allocator.read import inspect
from allocator.replay import read_finished
from tests.allocator.folders import said
from tests.allocator.outages.test_stress import OFFERS, POLICY, inputs

POLICY_SECURE = POLICY.replace('sourcing = "single"', 'sourcing = "free"')
OFFERS_SECURE = OFFERS + "P2,L1,30,150,5,1,0,yes,0,\n"


@pytest.fixture(scope="module")
def secured(tmp_path_factory) -> Path:
    where = tmp_path_factory.mktemp("secure")
    run = where / "run"
    tables = inputs(where / "in", offers=OFFERS_SECURE, policy=POLICY_SECURE)
    outcome = allocator.run(tables, sourcing="secure", solver="highs", gap=0.0, out=run)
    assert outcome.plan["status"] == "optimal"
    return run


def test_a_secure_plan_has_no_exposed_program(secured, tmp_path):
    report = allocator.stress(secured, groups=["cmo"], out=tmp_path)
    assert report.secure is True
    assert report.exposed == ()


def test_its_certificate_is_there_and_checked(secured, tmp_path):
    assert allocator.verify(secured).passed
    run = Path(shutil.copytree(secured, tmp_path / "run"))
    (run / "stress.json").unlink()
    assert "missing" in allocator.verify(run).findings[0].what


def test_a_certificate_of_other_kinds_is_none(secured, tmp_path):
    run = Path(shutil.copytree(secured, tmp_path / "run"))
    allocator.stress(run, groups=["country"], out=tmp_path)
    for name in ("stress.json", "stress.csv"):
        shutil.copyfile(tmp_path / name, run / name)
    assert any("lack cmo" in f.what for f in allocator.verify(run).findings)


def test_a_test_of_a_secure_plan_leaves_its_certificate(secured, tmp_path):
    run = Path(shutil.copytree(secured, tmp_path / "run"))
    report = allocator.stress(run, groups=["country"], time_limit=1e-6)
    assert report.folder == run / "stress"
    assert (run / "stress.json").read_bytes() == (secured / "stress.json").read_bytes()
    assert allocator.verify(run, report.folder).passed
    with pytest.raises(Usage, match="certificate"):
        allocator.stress(run, groups=["country"], out=tmp_path / "." / "run")
    with pytest.raises(Usage, match="another run"):
        allocator.stress(secured, out=run)


def test_a_broken_outage_in_the_certificate_is_found(secured, tmp_path):
    run = Path(shutil.copytree(secured, tmp_path / "run"))
    content = json.loads((run / "stress.json").read_text())
    content["outages"][0]["kept"] = "open"
    (run / "stress.json").write_text(json.dumps(content))
    assert any("called secure" in f.what for f in allocator.verify(run).findings)


def test_a_line_day_less_than_the_certificate_uses_breaks_it(secured, tmp_path):
    """Where the re-routing fills a line, one day less there and a program is exposed."""
    finished = read_finished(secured)
    content = json.loads((secured / "stress.json").read_text())
    tight = next(o for o in content["outages"] if o["member"] == "K1" and o["batches"])
    assert set(tight["batches"]) & {"P1@L2@30"}
    inputs_folder = Path(shutil.copytree(secured / "inputs", tmp_path / "in"))
    (inputs_folder / "line_days.csv").write_text(
        "line_id,period,days\n" + f"L2,{tight['start_period']},9\n"
    )
    from allocator.compile import compile_problem
    from allocator.outages import stress_plan
    from allocator.read import read_portfolio

    fewer = compile_problem(read_portfolio(inputs_folder), "secure")
    report = stress_plan(fewer, finished.decision, kinds=["cmo"])
    assert report.secure is False
    assert any(r.start_period == tight["start_period"] and r.kept == "no" for r in report.outages)


def test_the_policy_may_ask_for_it_and_say_against_what(tmp_path):
    policy = POLICY_SECURE.replace('"free"', '"secure"')
    tables = inputs(
        tmp_path / "in",
        offers=OFFERS_SECURE,
        policy=policy + '\n[secure]\ngroups = ["cmo", "country"]\nfrom = "2027Q3"\n',
    )
    outcome = allocator.run(tables, solver="highs", gap=0.0, out=tmp_path / "run")
    assert outcome.plan["sourcing"] == "secure"
    terms = secure_terms(outcome.compiled)
    assert terms.first == 2
    assert [threat.label for threat in terms.threats] == [
        "cmo K1", "cmo K2", "country DE", "country US"
    ]  # fmt: skip
    content = json.loads((tmp_path / "run" / "stress.json").read_text())
    assert content["groups"] == ["cmo", "country"]
    assert allocator.verify(tmp_path / "run").passed


@pytest.mark.parametrize(
    ("section", "word"),
    [
        ('groups = ["planet"]', "planet"),
        ('group = ["cmo"]', "unknown"),
        ('from = "2031Q1"', "2031Q1"),
        ("from = 3", "not a text"),
    ],
)
def test_wrong_keys_are_reported_once(section, word, tmp_path):
    tables = inputs(tmp_path / "in", policy=POLICY + f"\n[secure]\n{section}\n")
    _, findings = inspect(tables, None)
    assert len([text for text in said(findings) if word in text]) == 1


def test_a_plan_that_is_not_secure_gets_no_clean_certificate(tmp_path):
    tables = inputs(tmp_path / "in", policy=POLICY)
    run = tmp_path / "run"
    allocator.run(tables, solver="highs", gap=0.0, out=run)
    finished = read_finished(run)
    certificate(finished.compiled, finished.decision)(run)
    content = json.loads((run / "stress.json").read_text())
    assert content["secure"] is False
    assert allocator.verify(run).passed  # it says so itself, and was never called secure
