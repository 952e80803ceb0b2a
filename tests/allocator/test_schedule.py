"""Batches just in time: no earlier than needed, within the line, never better than the best."""

from dataclasses import replace

import numpy as np
import pytest

from allocator.schedule import batch_limit, just_in_time
from models.evaluate import evaluate
from models.problem import Rule
from models.result import Decision
from models.solve import Settings, solve
from tests.factory import random_problem


def one_source(demand, days, **changes):
    """One program, one qualified offer of 10 units and 2 days a batch, no costs but the batches."""
    base = random_problem(0, programs=1, cmos=1, periods=len(demand), features=False)
    options = base.options
    stream = int(options.first[1])
    offer = int(base.streams.offer[stream])
    line = int(base.offers.line[offer])

    def put(array, value):
        return np.array([value if i == offer else old for i, old in enumerate(array)])

    offers = replace(
        base.offers,
        good_per_batch=put(base.offers.good_per_batch, 10.0),
        days=put(base.offers.days, 2.0),
        ready=put(base.offers.ready, changes.get("ready", 0)),
        lag=put(base.offers.lag, changes.get("lag", 0)),
        validation_days=put(base.offers.validation_days, changes.get("validation_days", 0.0)),
        validation_period=put(base.offers.validation_period, 0),
    )
    lines = replace(
        base.lines,
        days=np.array([days if i == line else row for i, row in enumerate(base.lines.days)]),
        changeover_days=np.full(len(base.lines.ids), changes.get("changeover", 0.0)),
        expansion_days=np.full(len(base.lines.ids), changes.get("expansion", 0.0)),
        expansion_period=np.full(len(base.lines.ids), 1),
    )
    programs = replace(
        base.programs,
        demand=np.array([demand]),
        demand_after=np.array([float(np.mean(demand))]),
        opening_stock=np.array([changes.get("opening", 0.0)]),
        shelf_periods=np.array([changes.get("shelf", 8.0)]),
        safety_periods=np.array([changes.get("safety", 0.0)]),
    )
    return replace(base, offers=offers, lines=lines, programs=programs), stream


@pytest.mark.parametrize(
    ("demand", "days", "changes", "batches"),
    [
        ([20.0, 0.0, 15.0, 5.0], [9.0] * 4, {}, [2, 0, 2, 0]),
        ([20.0, 20.0, 20.0, 20.0], [9.0] * 4, {"lag": 1}, [2, 2, 2, 0]),
        ([20.0, 20.0, 20.0, 20.0], [9.0] * 4, {"ready": 2}, [0, 0, 2, 2]),
        ([10.0, 10.0, 10.0, 60.0], [6.0] * 4, {}, [1, 2, 3, 3]),  # full: made in advance
        ([50.0, 10.0, 10.0, 10.0], [6.0] * 4, {}, [3, 1, 1, 1]),  # what is lost is not made later
        ([25.0, 5.0, 10.0, 10.0], [9.0] * 4, {"opening": 30.0}, [0, 0, 1, 1]),
        ([10.0, 10.0, 10.0, 60.0], [6.0] * 4, {"shelf": 0.0}, [1, 1, 1, 3]),  # nothing keeps
        ([20.0, 20.0, 20.0, 20.0], [20.0] * 4, {"safety": 1.0}, [4, 2, 2, 2]),
        ([20.0, 20.0, 20.0, 20.0], [6.0] * 4, {"safety": 1.0}, [3, 3, 2, 2]),  # made up for later
        ([30.0, 30.0, 30.0, 30.0], [5.0] * 4, {"changeover": 2.0}, [1, 1, 1, 1]),
        ([30.0, 30.0, 30.0, 30.0], [6.0] * 4, {"validation_days": 3.0}, [1, 3, 3, 3]),
    ],
)
def test_batches_start_as_late_as_they_can(demand, days, changes, batches):
    problem, stream = one_source(demand, days, **changes)
    assert just_in_time(problem, stream, False).tolist() == batches


def test_an_expansion_counts_from_its_period():
    problem, stream = one_source([30.0] * 4, [4.0] * 4, expansion=2.0)
    assert just_in_time(problem, stream, False).tolist() == [2, 2, 2, 2]
    assert just_in_time(problem, stream, True).tolist() == [2, 3, 3, 3]
    offer = int(problem.streams.offer[stream])
    assert batch_limit(problem, offer, True).tolist() == [2, 3, 3, 3]


@pytest.mark.parametrize("seed", range(10))
def test_it_keeps_to_the_rules_and_is_never_better_than_the_best(seed):
    base = random_problem(seed, programs=1, cmos=3, periods=8, sourcing="single")
    options = base.options
    for option in range(1, min(len(options.program), 4)):
        others = np.array([row for row in range(len(options.program)) if row != option])
        only = replace(base, rules=(Rule("force", "force", banned=others),))
        best = solve(only, "highs", Settings(gap=0.0))
        stream = int(options.first[option])
        offer = int(base.streams.offer[stream])
        idle = np.zeros(len(base.lines.ids), np.bool_)
        batches = just_in_time(base, stream, False)
        value = evaluate(base, Decision(np.array([option]), {offer: batches}, idle))
        if any("line_days" in what for what in value.broken):
            # only the validation, which no schedule can move, may need the expansion
            line = int(base.offers.line[offer])
            assert base.offers.validation_days[offer] > base.lines.days[line, 0]
            continue
        assert value.broken == ()
        assert value.objective >= best.objective * (1 - 1e-7)
