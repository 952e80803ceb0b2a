"""The tables in arrays: programs, CMOs, lines and offers by the conventions of docs/model.md.

Every array stands in the order of the ids, so the order of the rows of a table changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from allocator.calendar import EPS, lag_periods, period_months, ready_period
from allocator.portfolio import Period, Portfolio
from models.problem import Cmos, Floats, Ints, Lines, Offers, Programs


def demand_after(demand: Floats, months: int) -> Floats:
    """Demand per period beyond the horizon, (P,): the mean of the last 12 months of the table."""
    last = min(demand.shape[1], max(1, round(12 / months)))
    mean: Floats = demand[:, -last:].mean(axis=1)
    return mean


def mean_demand(demand: Floats) -> Floats:
    """Mean demand over the periods with demand, (P,); 0 where there is none at all."""
    return np.asarray(demand.sum(axis=1) / np.maximum((demand > 0).sum(axis=1), 1))


def program_arrays(portfolio: Portfolio) -> Programs:
    """All programs of the portfolio."""
    months, policy = period_months(portfolio), portfolio.policy
    ids = tuple(sorted(portfolio.programs))
    rows = [portfolio.programs[i] for i in ids]
    demand = np.array([row.demand for row in rows], np.float64).reshape(
        len(rows), len(portfolio.periods)
    )
    mean = mean_demand(demand)
    per_unit = np.divide(float(months), mean, out=np.zeros_like(mean), where=mean > 0)
    shortage = per_unit * np.array([row.delay_cost_per_month for row in rows])
    column = {
        name: np.array([getattr(row, name) for row in rows], np.float64)
        for name in (
            "holding_cost_per_unit_month",
            "opening_stock",
            "shelf_life_months",
            "safety_stock_months",
        )
    }
    return Programs(
        ids=ids,
        demand=demand,
        demand_after=demand_after(demand, months),
        shortage_price=shortage,
        months_per_unit=per_unit,
        holding_price=column["holding_cost_per_unit_month"] * months,
        safety_price=shortage * policy.safety_stock_charge * months,
        opening_stock=column["opening_stock"],
        shelf_periods=column["shelf_life_months"] / months,
        safety_periods=column["safety_stock_months"] / months,
    )


def year_rows(periods: Sequence[Period]) -> tuple[Ints, tuple[str, ...], Floats]:
    """Row of the calendar year of each period (T,), the years' labels, their months (Y,)."""
    years = sorted({period.year for period in periods})
    row_of = {year: row for row, year in enumerate(years)}
    year = np.array([row_of[period.year] for period in periods], np.int64)
    months = np.bincount(year, [period.months for period in periods], len(years))
    return year, tuple(str(y) for y in years), months.astype(np.float64)


def cmo_arrays(portfolio: Portfolio) -> Cmos:
    """All CMOs; floors and fees pro rata to the months inside the horizon."""
    ids = tuple(sorted(portfolio.cmos))
    rows = [portfolio.cmos[i] for i in ids]
    year_months = year_rows(portfolio.periods)[2]
    horizon_years = year_months.sum() / 12.0
    floor = np.array([row.min_annual_spend for row in rows], np.float64)
    return Cmos(
        ids=ids,
        onboarding_cost=np.array([row.onboarding_cost for row in rows], np.float64),
        fees=np.array([row.annual_fee for row in rows], np.float64) * horizon_years,
        floor=floor[:, None] * (year_months / 12.0)[None, :],
        max_programs=np.array(
            [-1 if row.max_programs is None else row.max_programs for row in rows], np.int64
        ),
        tiers=tuple(
            tuple(sorted((t.spend_from, t.rebate) for t in portfolio.tiers.get(i, ()))) for i in ids
        ),
    )


def line_arrays(portfolio: Portfolio, cmos: Cmos) -> Lines:
    """All lines."""
    months = period_months(portfolio)
    ids = tuple(sorted(portfolio.lines))
    rows = [portfolio.lines[i] for i in ids]
    cmo_row = {i: k for k, i in enumerate(cmos.ids)}
    later = [math.ceil(row.expansion_months / months - EPS) for row in rows]
    return Lines(
        ids=ids,
        cmo=np.array([cmo_row[row.cmo_id] for row in rows], np.int64),
        days=np.array([row.days for row in rows], np.float64).reshape(
            len(rows), len(portfolio.periods)
        ),
        changeover_days=np.array([row.changeover_days for row in rows], np.float64),
        changeover_cost=np.array([row.changeover_cost for row in rows], np.float64),
        expansion_days=np.array([row.expansion_days for row in rows], np.float64),
        expansion_cost=np.array([row.expansion_cost for row in rows], np.float64),
        expansion_period=np.array(later, np.int64),
    )


def offer_arrays(
    portfolio: Portfolio, offer_ids: Sequence[str], programs: Programs, lines: Lines
) -> Offers:
    """The named offers, in the order given."""
    months, last = period_months(portfolio), len(portfolio.periods) - 1
    rows = [portfolio.offers[i] for i in offer_ids]
    program_row = {i: p for p, i in enumerate(programs.ids)}
    line_row = {i: line for line, i in enumerate(lines.ids)}
    line = np.array([line_row[row.line_id] for row in rows], np.int64)
    qualified = np.array([row.qualified for row in rows], np.bool_)
    new = ~qualified
    ppq = np.array([row.ppq_batches for row in rows], np.float64) * new
    price = np.array([row.price_per_batch for row in rows], np.float64)
    days = np.array([row.days_per_batch for row in rows], np.float64)
    mode = np.array([row.transfer_months_mode for row in rows], np.float64)
    validated = np.clip(np.ceil(mode / months - EPS) - 1, 0, last).astype(np.int64)
    return Offers(
        ids=tuple(offer_ids),
        program=np.array([program_row[row.program_id] for row in rows], np.int64),
        line=line,
        good_per_batch=np.array([row.good_per_batch for row in rows], np.float64),
        price=price,
        days=days,
        ready=np.array([ready_period(row, months) for row in rows], np.int64),
        lag=np.array([lag_periods(row, months) for row in rows], np.int64),
        transfer_cost=np.array([row.transfer_cost for row in rows], np.float64) * new,
        validation_cost=ppq * price,
        validation_days=np.where(ppq > 0, ppq * days + lines.changeover_days[line], 0.0),
        validation_period=np.where(new, validated, 0),
        qualified=qualified,
    )
