"""A stress test between two audits: of the plan that it tests, and of what it found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from allocator.errors import AuditFailed
from allocator.outages.files import plan_hash, stress_content
from allocator.outages.results import StressReport

if TYPE_CHECKING:
    from allocator.audit import AuditReport
    from allocator.audit.case import Case

#: Findings of a failed audit that are told.
MOST_FINDINGS = 10


def audited_plan(run: Path) -> Case:
    """The audit's view of a plan. Raises AuditFailed where the plan does not pass."""
    from allocator.audit import audit_plan

    report, case = audit_plan(run)
    if case is None or not report.passed:
        raise AuditFailed(_failed(f"the plan of {run} fails its audit and is not tested", report))
    return case


def checked(case: Case, report: StressReport, run: Path) -> dict[str, Any]:
    """What stress.json is to say, audited. Raises AuditFailed where anything of it is not so."""
    from allocator.audit import audit_stress

    content = stress_content(report, plan_hash(run))
    found = audit_stress(case, content)
    if not found.passed:
        raise AuditFailed(_failed("the stress test fails its audit and is not written", found))
    return content


def _failed(what: str, report: AuditReport) -> str:
    lines = [str(finding) for finding in report.findings[:MOST_FINDINGS]]
    return "\n".join([f"{what}, {len(report.findings)} faults", *lines])
