"""Months to periods: the roundings of docs/model.md, in one place."""

from __future__ import annotations

import math

from allocator.portfolio import Offer, Portfolio

#: Guards a rounding to whole periods against noise of floating point.
EPS = 1e-9


def period_months(portfolio: Portfolio) -> int:
    """Months per period M; all periods of a portfolio are of one length."""
    return portfolio.periods[0].months


def ready_period(offer: Offer, months: int) -> int:
    """First period in which a commercial batch of the offer may start."""
    if offer.qualified:
        return 0
    return math.ceil((offer.transfer_months_mode + offer.filing_months) / months - EPS)


def lag_periods(offer: Offer, months: int) -> int:
    """Whole periods from the start of a batch to its release, the nearest."""
    return math.floor(offer.release_months / months + 0.5 + EPS)


def first_supply_period(offer: Offer, months: int) -> int:
    """First period in which a batch of the offer can serve demand; may lie past the horizon."""
    return ready_period(offer, months) + lag_periods(offer, months)


def month_label(first_month: int, months: float) -> str:
    """Calendar month (`2028-07`) that lies `months` after the month numbered `first_month`."""
    month = first_month + math.floor(months + EPS)
    return f"{month // 12}-{month % 12 + 1:02d}"
