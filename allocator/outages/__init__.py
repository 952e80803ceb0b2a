"""Single outages: what each one takes from a plan, and what re-routing saves (docs/stress.md)."""

from allocator.outages.enabling import Enabler, EnablerReport, enablers
from allocator.outages.results import OutageResult, ProgramShort, Proof, StressReport
from allocator.outages.securing import certificate, secure_result, secure_terms
from allocator.outages.stressing import stress, stress_plan

__all__ = [
    "Enabler",
    "EnablerReport",
    "OutageResult",
    "ProgramShort",
    "Proof",
    "StressReport",
    "certificate",
    "enablers",
    "secure_result",
    "secure_terms",
    "stress",
    "stress_plan",
]
