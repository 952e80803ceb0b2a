"""The independent audit: is a written plan feasible, and does it cost what it says?

It re-reads the inputs and the files of a run, takes only the decisions from them and recomputes
everything else from docs/model.md. It uses no solver and shares no code with `models`, with the
compiler or with the writer of plans (a test walks its imports).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from allocator.audit import agree, awards, cmos, lines, money, options, stock, stress
from allocator.audit.case import Case
from allocator.audit.load import load
from allocator.audit.report import AuditFinding, AuditReport

__all__ = ["RULES", "AuditFinding", "AuditReport", "audit", "audit_plan", "audit_stress"]

Rule = Callable[[Case], Iterator[tuple[str, str]]]

#: Rules that need a plan, by name. `files` and `record` hold without one.
RULES: dict[str, Rule] = {
    rule.__name__: rule
    for module in (options, stock, lines, cmos, awards, money)
    for rule in module.RULES
}

#: Findings kept of one rule; a plan that is wrong everywhere needs no longer list.
MOST = 50


def audit(run_folder: str | Path, stress_folder: str | Path | None = None) -> AuditReport:
    """Check the files of a run against its inputs. Unreadable files are findings, not errors.

    `stress_folder` has a stress test of the same plan, which need not lie in the run's folder.
    """
    folder = Path(run_folder)
    report, case = audit_plan(folder)
    if case is None:
        return report
    tested = [folder]
    if stress_folder is not None and Path(stress_folder).resolve() != folder.resolve():
        tested.append(Path(stress_folder))
    findings, trusted = list(report.findings), []
    for where in tested:
        found = _apply("stress", partial(stress.stress, case, where, certificate=where is folder))
        findings += found
        trusted += [] if found else [stress.trusted(where)]
    return AuditReport(tuple(dict.fromkeys(findings)), tuple(word for word in trusted if word))


def audit_plan(folder: Path) -> tuple[AuditReport, Case | None]:
    """Check a run without any stress test, and what can be tested: None where there is no plan."""
    run = load(folder)
    case = None
    if run.plan is not None and run.portfolio is not None:
        case = Case(run, run.plan, run.portfolio)
    findings = list(run.findings)
    findings += _apply("record", partial(agree.record, run, case))
    if case is not None:
        findings += _apply("files", partial(agree.files, case))
        for name, rule in RULES.items() if case.has_plan else ():
            findings += _apply(name, partial(rule, case))
    planned = case if case is not None and case.has_plan else None
    return AuditReport(tuple(dict.fromkeys(findings))), planned


def audit_stress(case: Case, content: dict[str, Any]) -> AuditReport:
    """Check what a stress.json is to say of a plan before it is written."""
    return AuditReport(tuple(_apply("stress", partial(stress.claims, case, content))))


def _apply(name: str, rule: Callable[[], Iterator[tuple[str, str]]]) -> list[AuditFinding]:
    """The findings of one rule; a plan so broken that the rule cannot be checked is one, too."""
    found: list[AuditFinding] = []
    try:
        found += [AuditFinding(name, where, what) for where, what in rule()]
    except Exception as error:  # the audit's word must not depend on how a file is broken
        found.append(AuditFinding(name, "", f"cannot be checked: {type(error).__name__} {error}"))
    if len(found) > MOST:
        more = len(found) - MOST
        found[MOST:] = [AuditFinding(name, "", f"and {more} more of this rule")]
    return found
