"""Room made after an outage: others are re-routed where a newcomer needs their days."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.problem import Problem
from models.secure.insertion import Inserter
from models.secure.rebuilding import Rebuilder
from models.secure.sharing import Sharing, validation
from models.secure.standing import Standing
from tests.factory import random_problem
from tests.models.small import small
from tests.models.terms import broken, each_cmo, each_pair


def never() -> bool:
    return False


def one_line_to_turn_to(days: float) -> Problem:
    """P0 is made early at K1 to have stock; P1 at K0, and may turn to K1's line."""
    return small(
        programs=[
            {"demand": (0.0, 0.0, 0.0, 10.0), "safety": 1.0, "safety_periods": 4.0},
            {"demand": (10.0, 10.0, 10.0, 0.0), "shortage": 1000.0},
        ],
        cmos=[{}, {}],
        lines=[{"cmo": 0, "days": 20.0}, {"cmo": 1, "days": days}],
        offers=[
            {"program": 0, "line": 1},
            {"program": 1, "line": 0},
            {"program": 1, "line": 1, "price": 90.0},
        ],
        sourcing="single",
    )


def k0_stops(problem: Problem):
    """K0 may stop for a quarter; nothing else does."""
    terms = each_cmo(problem, 1.0)
    return replace(terms, threats=terms.threats[:1])


def with_p0(problem: Problem) -> tuple[Inserter, Standing]:
    """P0 in the plan, with P1's own source taken to be engaged."""
    inserter = Inserter(problem, k0_stops(problem))
    standing = Standing(problem, inserter.terms, np.zeros(2, np.bool_))
    found = inserter.best(standing, 0)
    assert found is not None
    standing.add(0, found.entry)
    return inserter, standing


def p1_at_k0(problem: Problem) -> int:
    first = problem.options.first
    rows = [o for o in np.flatnonzero(problem.options.program == 1) if first[o] >= 0]
    return next(int(o) for o in rows if problem.streams.offer[first[o]] == 1)


def free_days(standing: Standing) -> np.ndarray:
    """What the entries leave, counted anew."""
    fresh = Standing(standing.problem, standing.terms, standing.expanded)
    for p, entry in enumerate(standing.entries):
        if entry is not None:
            fresh.add(p, entry)
    return fresh.free


def test_a_program_is_moved_aside_for_one_that_an_outage_hits():
    """The days of a quarter are a batch: both can't use K1 in the same quarter."""
    problem = one_line_to_turn_to(5.0)
    inserter, standing = with_p0(problem)
    before = standing.entries[0]
    option = p1_at_k0(problem)
    inserter.hope = 1.0
    found = inserter.placed(standing, option, np.inf)
    assert found is not None
    assert list(found.others) == [0]
    moved = found.others[0]
    assert moved.batches is before.batches
    assert (moved.reserve.routes != before.reserve.routes).any()
    standing.exchange(0, moved)
    standing.add(1, found.entry)
    inside = np.isfinite(standing.free)
    assert standing.free[inside] == pytest.approx(free_days(standing)[inside])
    assert (standing.free[inside] >= -1e-7).all()
    assert broken(problem, standing.decision(), inserter.terms) == []


def test_groups_under_which_no_room_can_be_made_are_named():
    problem = one_line_to_turn_to(5.0)
    inserter, standing = with_p0(problem)
    option = p1_at_k0(problem)
    alone = inserter.alone_entry(option, np.inf)
    assert alone is not None
    # nobody can be supplied from a line without days
    standing.free[:, :, 1] = 0.0
    unsafe = np.zeros((1, 4), np.bool_)
    unsafe[0, 1] = True
    sharing = Sharing(standing, 1, alone, 0.0)
    assert sharing.room_made(unsafe) == (None, [0])


@pytest.mark.parametrize("seed", range(8))
def test_stored_re_routings_fit_side_by_side_and_nothing_breaks_the_plan(seed):
    problem = random_problem(seed, 4, 3, 4, utilisation=0.7, splits=(0.5, 0.7))
    terms = each_pair(problem, 1.0, 0.9) if seed % 4 == 3 else each_cmo(problem, 1.5, 0.9, 0.1)
    rebuilder = Rebuilder(problem, terms, seed)
    rebuilder.construct(None, never)
    rebuilder.run(40, never)
    rebuilder.restore(rebuilder.best)
    standing = rebuilder.standing
    inside = np.isfinite(standing.free)
    assert standing.free[inside] == pytest.approx(free_days(standing)[inside])
    assert (standing.free[inside] >= -1e-6).all()
    for entry in standing.entries:
        if entry is not None:
            for g, s in np.ndindex(*entry.taken.shape[:2]):
                assert (validation(problem, entry, g, s) >= 0).all()
    assert broken(problem, rebuilder.decision(), terms) == []
