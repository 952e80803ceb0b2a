"""Risk of every sourcing option: months of late start, months of lost supply, and their money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from allocator.portfolio import Portfolio

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: Assumptions where cmos.csv is blank: no defensible public figure exists.
OUTAGE_PER_YEAR = 0.05
RECOVER_MONTHS = 4.0


@dataclass(frozen=True)
class RiskBasis:
    """Figures per offer (F,) and program (P,) that the risk of an option is computed from."""

    delay_cost: Floats
    late: Floats
    lost: Floats


@dataclass(frozen=True)
class OptionRisks:
    """Risk of O options, all (O,): `risk_cost` is money before `risk_weight`."""

    late_months: Floats
    lost_months: Floats
    risk_cost: Floats


def risk_basis(portfolio: Portfolio, offer_ids: Sequence[str]) -> RiskBasis:
    """What the risk of options made of the named offers needs; rows follow `offer_ids`."""
    years = sum(period.months for period in portfolio.periods) / 12.0
    late, lost = [], []
    for offer_id in offer_ids:
        offer = portfolio.offers[offer_id]
        cmo = portfolio.cmos[portfolio.lines[offer.line_id].cmo_id]
        cover = portfolio.programs[offer.program_id].safety_stock_months
        low, high = offer.transfer_months_low, offer.transfer_months_high
        spread = high - offer.transfer_months_mode
        # mean excess of a triangular distribution over its mode
        excess = spread**2 / (3.0 * (high - low)) if high > low else 0.0
        late.append(0.0 if offer.qualified else excess)
        rate = OUTAGE_PER_YEAR if cmo.outage_per_year is None else cmo.outage_per_year
        months = RECOVER_MONTHS if cmo.recover_months is None else cmo.recover_months
        lost.append(rate * max(0.0, months - cover) * years)
    cost = [portfolio.programs[i].delay_cost_per_month for i in sorted(portfolio.programs)]
    return RiskBasis(np.array(cost, np.float64), np.array(late), np.array(lost))


def option_risks(
    basis: RiskBasis, program: Ints, one: Ints, share_one: Floats, two: Ints, share_two: Floats
) -> OptionRisks:
    """Risk of options given by program, two offers (-1: none) and their shares, (O,) each."""
    late, lost = np.append(basis.late, 0.0), np.append(basis.lost, 0.0)
    late_months = np.where(two >= 0, np.minimum(late[one], late[two]), late[one])
    lost_months = lost[one] * share_one + lost[two] * share_two
    cost = basis.delay_cost[program] * (late_months + lost_months)
    return OptionRisks(late_months, lost_months, cost)
