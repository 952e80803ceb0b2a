"""Timeline risk in months and money: late start and lost supply, computed exactly (docs/risk.md).

Plain numbers and domain objects only: nothing of `models`, so that the audit may use it.
"""

from allocator.risk.assumptions import risk_assumptions
from allocator.risk.options import (
    OptionRisks,
    RiskBasis,
    option_risk_by_ids,
    option_risks,
    risk_basis,
)

__all__ = [
    "OptionRisks",
    "RiskBasis",
    "option_risk_by_ids",
    "option_risks",
    "risk_assumptions",
    "risk_basis",
]
