"""stress, enablers and secure runs on the command line."""

from __future__ import annotations

import json

from click.testing import CliRunner

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
