"""A problem small enough to solve by hand, for checking that a solver works on this machine.

One program needs 100 units in each of two periods; a batch makes 100 units. Source A costs 10 a
batch but takes 60 of the 100 line-days, so it makes one batch per period: 2 batches, 20. Source B
costs 8 a batch and onboarding 50. A alone: 20 + 5 onboarding = 25; B alone: 16 + 50 = 66.
"""

from __future__ import annotations

import numpy as np

from models.options import enumerate_options
from models.problem import Cmos, Lines, Offers, Problem, Programs

#: Objective of the one optimal plan: source A alone, two batches, and its onboarding.
SAMPLE_OPTIMUM = 25.0


def sample_problem() -> Problem:
    """The problem of the module's text."""
    one, two = np.ones(1), np.ones(2)
    offers = Offers(
        ids=("P@A", "P@B"),
        program=np.zeros(2, np.int64),
        line=np.arange(2),
        good_per_batch=100 * two,
        price=np.array([10.0, 8.0]),
        days=60 * two,
        ready=np.zeros(2, np.int64),
        lag=np.zeros(2, np.int64),
        transfer_cost=0 * two,
        validation_cost=0 * two,
        validation_days=0 * two,
        validation_period=np.zeros(2, np.int64),
        qualified=np.ones(2, np.bool_),
    )
    streams, options = enumerate_options(1, offers, np.arange(2), ["free"], [0.5])
    return Problem(
        period_labels=("2027Q1", "2027Q2"),
        year=np.zeros(2, np.int64),
        year_labels=("2027",),
        programs=Programs(
            ids=("P",),
            demand=np.full((1, 2), 100.0),
            demand_after=100 * one,
            shortage_price=10 * one,
            months_per_unit=0.03 * one,
            holding_price=0.01 * one,
            safety_price=0 * one,
            opening_stock=0 * one,
            shelf_periods=4 * one,
            safety_periods=0 * one,
        ),
        cmos=Cmos(
            ids=("A", "B"),
            onboarding_cost=np.array([5.0, 50.0]),
            fees=0 * two,
            floor=np.zeros((2, 1)),
            max_programs=np.full(2, -1),
            tiers=((), ()),
        ),
        lines=Lines(
            ids=("LA", "LB"),
            cmo=np.arange(2),
            days=np.full((2, 2), 100.0),
            changeover_days=two,
            changeover_cost=0 * two,
            expansion_days=0 * two,
            expansion_cost=0 * two,
            expansion_period=np.zeros(2, np.int64),
        ),
        offers=offers,
        streams=streams,
        options=options,
        rules=(),
    )
