"""Secure sourcing: the cheapest plan that withstands every single outage, and its certificate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from allocator.calendar import period_months
from allocator.outages.cases import struck, surge_of
from allocator.outages.groups import groups_of
from allocator.outages.stressing import certify_plan

if TYPE_CHECKING:
    from allocator.compile import Compiled
    from models.result import Decision, Result
    from models.secure import Terms
    from models.solve import Settings


def secure_terms(compiled: Compiled) -> Terms:
    """Against what the policy wants plans to be secure: every group that some offer belongs to."""
    from models.secure import Terms, Threat

    policy = compiled.portfolio.policy
    groups = groups_of(compiled.portfolio, policy.secure_groups, compiled.problem.offers.ids)
    months = period_months(compiled.portfolio)
    threats = tuple(
        Threat(group.label, *struck(compiled, group), group.recover_months / months)
        for group in groups
    )
    labels = compiled.problem.period_labels
    first = labels.index(policy.secure_from) if policy.secure_from else 0
    return Terms(threats, surge_of(compiled), policy.service_level, first)


def secure_result(
    compiled: Compiled,
    solver: str,
    settings: Settings,
    warm_start: Decision | None = None,
) -> Result:
    """The cheapest secure plan; `solver` finds the plain plan that the search starts from.

    The status is that of secure plans: `no_plan` where none was found before the limit.
    """
    from models.secure import solve_secure

    return solve_secure(compiled.problem, secure_terms(compiled), settings, solver, warm_start)


def certificate(compiled: Compiled, decision: Decision) -> Callable[[Path], None]:
    """Writes stress.json and stress.csv of a secure plan into a run's folder."""
    from allocator.outages.files import plan_hash, stress_content, write_stress

    report = certify_plan(compiled, decision, kinds=compiled.portfolio.policy.secure_groups)

    def write(folder: Path) -> None:
        write_stress(report, stress_content(report, plan_hash(folder)), folder)

    return write
