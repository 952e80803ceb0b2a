"""stress, enablers and secure runs on the command line."""

from __future__ import annotations

import json

from click.testing import CliRunner

import allocator
from cli import main
from tests.allocator.outages.test_enablers import OFFERS
from tests.allocator.outages.test_secure_run import OFFERS_SECURE, POLICY_SECURE
from tests.allocator.outages.test_stress import inputs


def test_a_secure_run_is_stressed(tmp_path):
    tables = inputs(tmp_path / "in", offers=OFFERS_SECURE, policy=POLICY_SECURE)
    run = tmp_path / "run"
    options = ["--sourcing", "secure", "--solver", "highs", "--threads", "1", "--out", str(run)]
    ran = CliRunner().invoke(main, ["run", str(tables), *options])
    assert ran.exit_code == 0, ran.output
    asked = ["stress", str(run), "--groups", "cmo, country", "--time-limit", "20"]
    shown = CliRunner().invoke(main, asked)
    assert shown.exit_code == 0, shown.output
    assert "single outages keep every program" in shown.output
    as_json = CliRunner().invoke(main, [*asked, "--json"])
    assert json.loads(as_json.stdout)["secure"] is True


def test_a_plan_that_fails_its_audit_exits_6(tmp_path):
    run = tmp_path / "run"
    allocator.run(inputs(tmp_path / "in"), solver="highs", out=run)
    tested = CliRunner().invoke(
        main, ["stress", str(run), "--threads", "1", "--out", str(tmp_path)]
    )
    assert tested.exit_code == 0, tested.output
    verified = CliRunner().invoke(main, ["verify", str(run), "--stress", str(tmp_path)])
    assert verified.exit_code == 0, verified.output
    assert "no claim about 36 outages" in verified.output
    plan = json.loads((run / "plan.json").read_text())
    plan["cash_cost"] += 1000
    (run / "plan.json").write_text(json.dumps(plan))
    spoilt = CliRunner().invoke(main, ["stress", str(run)])
    assert spoilt.exit_code == 6
    assert "cash_cost" in spoilt.output


def test_wrong_groups_are_one_line(tmp_path):
    wrong = CliRunner().invoke(main, ["stress", str(tmp_path), "--groups", "planet"])
    assert wrong.exit_code == 2
    assert "planet" in wrong.output


def test_enablers_in_words(tmp_path):
    tables = inputs(tmp_path / "in", offers=OFFERS, policy=POLICY_SECURE.split("[[")[0])
    out = tmp_path / "out"
    asked = ["enablers", str(tables), "--solver", "highs", "--threads", "1", "--out", str(out)]
    shown = CliRunner().invoke(main, asked)
    assert shown.exit_code == 0, shown.output
    for words in ("A secure plan costs", "Dearer for security's sake", "qualified on L2"):
        assert words in shown.output
    as_json = CliRunner().invoke(main, [*asked, "--json"])
    assert json.loads(as_json.stdout) == json.loads((out / "enablers.json").read_text())
