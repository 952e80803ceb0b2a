"""The independent audit: is a written plan feasible, and does it cost what it says?

It re-reads the inputs and the files of a run, takes only the decisions from them and recomputes
everything else from docs/model.md. It uses no solver and shares no code with `models`, with the
compiler or with the writer of plans (a test walks its imports).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from allocator.audit import agree, awards, cmos, lines, money, options, stock, stress
from allocator.audit.case import Case
from allocator.audit.load import load
from allocator.audit.report import AuditFinding, AuditReport

__all__ = ["RULES", "AuditFinding", "AuditReport", "audit"]

Rule = Callable[[Case], Iterator[tuple[str, str]]]

#: Rules that need a plan, by name. `files` and `record` hold without one.
RULES: dict[str, Rule] = {
    rule.__name__: rule
    for module in (options, stock, lines, cmos, awards, money)
    for rule in module.RULES
}

#: Findings kept of one rule; a plan that is wrong everywhere needs no longer list.
MOST = 50


def audit(run_folder: str | Path) -> AuditReport:
    """Check the files of a run against its inputs. Unreadable files are findings, not errors."""
    run = load(Path(run_folder))
    case = None
    if run.plan is not None and run.portfolio is not None:
        case = Case(run, run.plan, run.portfolio)
    findings = list(run.findings)
    findings += _apply("record", partial(agree.record, run, case))
    if case is not None:
        findings += _apply("files", partial(agree.files, case))
        for name, rule in RULES.items() if case.has_plan else ():
            findings += _apply(name, partial(rule, case))
        if case.has_plan:
            findings += _apply("stress", partial(stress.stress, case, Path(run_folder)))
    return AuditReport(tuple(dict.fromkeys(findings)))


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
