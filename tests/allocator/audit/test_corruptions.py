"""A good run, its files spoilt in every way that the rules name: each is found and named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from allocator.audit import RULES, audit
from tests.allocator.audit.corruptions_decisions import DECISIONS, LINES, STOCK
from tests.allocator.audit.corruptions_figures import CMOS, MONEY, PROOF
from tests.allocator.audit.corruptions_files import FILES, INPUTS
from tests.allocator.audit.example import write_example, write_inputs
from tests.allocator.audit.test_illegal_plans import ILLEGAL

CORRUPTIONS = [*DECISIONS, *STOCK, *LINES, *CMOS, *MONEY, *PROOF, *FILES, *INPUTS]


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    _, run, report = write_example(folder / "run", write_inputs(folder / "inputs"))
    assert report.passed
    return run


@pytest.fixture
def run(good, tmp_path) -> Path:
    return Path(shutil.copytree(good, tmp_path / "run"))


@pytest.mark.parametrize("case", CORRUPTIONS, ids=lambda case: case.name)
def test_a_corruption_is_found_and_named(case, run):
    case.spoil(run)
    report = audit(run)
    assert not report.passed
    assert case.rule in {finding.rule for finding in report.findings}, report.findings


def test_every_rule_of_the_audit_has_a_corruption():
    tried = {case.rule for case in CORRUPTIONS} | {case.rule for case in ILLEGAL}
    assert tried == RULES.keys() | {"files", "record"}


def test_names_of_corruptions_are_told_apart():
    names = [case.name for case in CORRUPTIONS]
    assert len(names) == len(set(names))


def test_no_rule_fails_to_run_on_a_corrupt_file(good, tmp_path):
    """A fault in a decision is named as such, never as a rule that could not be checked."""
    for case in [*DECISIONS, *STOCK, *LINES, *CMOS, *PROOF]:
        run = Path(shutil.copytree(good, tmp_path / "run"))
        case.spoil(run)
        whats = [finding.what for finding in audit(run).findings]
        assert not any("cannot be checked" in what for what in whats), (case.name, whats)
        shutil.rmtree(run)
