"""Plans assembled of entries that were found apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.evaluate import evaluate
from models.problem import Problem
from models.secure import assembling
from models.secure.assembling import Assembly, Picked
from models.secure.insertion import Inserter
from models.secure.pool import Packed, Pool, packed
from models.secure.rebuilding import Kept, Rebuilder
from models.secure.standing import Entry, Standing, fits
from tests.factory import random_problem
from tests.models.small import small
from tests.models.terms import broken, each_cmo, each_pair


def never() -> bool:
    return False


@pytest.fixture
def nothing_new(monkeypatch):
    """No entries but those of the pool."""
    monkeypatch.setattr(assembling, "ROUNDS", 0)


def standing_by(days: float, elsewhere: float = 60.0, onboarding: float = 0.0) -> Problem:
    """P0 and P1 are cheap at K0, which may stop, if K1 makes them then; 20 a batch dearer at K2.

    P2 is made at K1 for 60 a batch, or at K2 for `elsewhere`. The line at K1 that P0 and P1 may
    turn to has `days` a quarter, a batch takes 5. Three batches each in all, one a quarter.
    """
    return small(
        programs=[{"demand": (10.0,) * 3}] * 3,
        cmos=[{}, {"onboarding": onboarding}, {}],
        lines=[{"cmo": 0}, {"cmo": 0}, {"cmo": 1, "days": days}, {"cmo": 1}, {"cmo": 2}],
        offers=[
            {"program": 0, "line": 0},
            {"program": 0, "line": 2, "price": 99.0},
            {"program": 0, "line": 4, "price": 70.0},
            {"program": 1, "line": 1},
            {"program": 1, "line": 2, "price": 99.0},
            {"program": 1, "line": 4, "price": 70.0},
            {"program": 2, "line": 3, "price": 60.0},
            {"program": 2, "line": 4, "price": elsewhere},
        ],
    )


def k0_stops(problem: Problem) -> Inserter:
    """K0 may stop for a quarter; nothing else does."""
    terms = each_cmo(problem, 1.0)
    return Inserter(problem, replace(terms, threats=terms.threats[:1]))


def entry_of(inserter: Inserter, offer: int) -> Entry:
    """A program made by one offer, K1 being engaged and nobody else in the plan."""
    problem = inserter.problem
    standing = Standing(problem, inserter.terms, np.zeros(len(problem.lines.ids), np.bool_))
    standing.programs_at[1] = 1
    streams = problem.options.first
    option = next(
        o
        for o in range(len(streams))
        if streams[o] >= 0 and problem.streams.offer[streams[o]] == offer
    )
    found = inserter.placed(standing, option, np.inf)
    assert found is not None
    return found.entry


def plan_of(inserter: Inserter, offers: list[int]) -> Picked:
    """The programs made by these offers, in order."""
    entries: list[Packed | None] = [packed(entry_of(inserter, f), 0) for f in offers]
    return Picked(entries, np.zeros(len(inserter.problem.lines.ids), np.bool_))


def offers_of(plan: Picked | None) -> list[int] | None:
    if plan is None:
        return None
    return [f for each in plan.entries if each is not None for f in each.entry.batches]


def assembled(inserter: Inserter, plan: list[int], pool: list[int], cost: float) -> Picked | None:
    known = Pool(3, 0)
    for f in pool:
        p = int(inserter.problem.offers.program[f])
        known.add(p, entry_of(inserter, f))
    return Assembly(inserter, 0).best(known, plan_of(inserter, plan), cost, 60.0)


@pytest.mark.usefixtures("nothing_new")
def test_of_two_half_good_plans_the_good_halves_are_taken():
    """One has P0 cheap and P1 dear, the other the other way round; 10 days let K1 make both."""
    inserter = k0_stops(standing_by(10.0))
    found = assembled(inserter, [0, 5, 6], [2, 3, 6], 150.0 + 210.0 + 180.0)
    assert offers_of(found) == [0, 3, 6]


@pytest.mark.usefixtures("nothing_new")
def test_what_does_not_fit_after_an_outage_is_not_combined(monkeypatch):
    """5 days let K1 make one of the two."""
    inserter = k0_stops(standing_by(5.0))
    assert assembled(inserter, [0, 5, 6], [2, 3, 6], 540.0) is None
    from_dear = assembled(inserter, [2, 5, 6], [0, 3, 6], 600.0)
    assert offers_of(from_dear) in ([0, 5, 6], [2, 3, 6])
    monkeypatch.setattr(assembling.Choosing, "_overfull", lambda self, weight: [])
    assert offers_of(assembled(inserter, [0, 5, 6], [2, 3, 6], 540.0)) == [0, 3, 6]


@pytest.mark.usefixtures("nothing_new")
@pytest.mark.parametrize("onboarding", [0.0, 1.0])
def test_who_is_relied_on_stays_engaged(onboarding, monkeypatch):
    """P2 would cost less at K2, but then K1 would have no program of its own."""
    inserter = k0_stops(standing_by(10.0, elsewhere=55.0, onboarding=onboarding))
    found = assembled(inserter, [0, 5, 6], [3, 7], 540.0 + onboarding)
    assert offers_of(found) == [0, 3, 6]
    monkeypatch.setattr(assembling.Choosing, "_used", lambda self: None)
    assert offers_of(assembled(inserter, [0, 5, 6], [3, 7], 540.0 + onboarding)) == [0, 3, 7]


@pytest.mark.usefixtures("nothing_new")
def test_an_expansion_lends_its_days_after_an_outage():
    problem = standing_by(5.0)
    days, cost = problem.lines.expansion_days.copy(), problem.lines.expansion_cost.copy()
    days[2], cost[2] = 5.0, 7.0
    inserter = k0_stops(
        replace(problem, lines=replace(problem.lines, expansion_days=days, expansion_cost=cost))
    )
    found = assembled(inserter, [0, 5, 6], [3], 540.0)
    assert found is not None
    assert offers_of(found) == [0, 3, 6]
    assert found.expanded.tolist() == [False, False, True, False, False]
    cost[2] = 70.0  # more than P1 saves
    dear = replace(problem, lines=replace(problem.lines, expansion_days=days, expansion_cost=cost))
    assert assembled(k0_stops(dear), [0, 5, 6], [3], 540.0) is None


def test_entries_that_pay_are_found_where_nobody_came_across_them():
    """P1 is cheap at K0, which the plan engages, and the pool is empty."""
    inserter = k0_stops(standing_by(10.0))
    plan = assembled(inserter, [0, 5, 6], [], 540.0)
    assert offers_of(plan) == [0, 3, 6]


def test_nothing_is_assembled_of_nothing_or_without_time():
    inserter = k0_stops(standing_by(10.0))
    nobody = Picked([None] * 3, np.zeros(5, np.bool_))
    assert Assembly(inserter, 0).best(Pool(3, 0), nobody, 1e9, 60.0) is None
    pool = Pool(3, 0)
    pool.add(1, entry_of(inserter, 3))
    assert Assembly(inserter, 0).best(pool, plan_of(inserter, [0, 5, 6]), 540.0, 0.0) is None


@pytest.mark.parametrize("seed", range(8))
def test_assembled_plans_are_secure_and_no_dearer(seed, monkeypatch):
    problem = random_problem(seed, 5, 3, 4, utilisation=0.7, splits=(0.5, 0.7))
    terms = each_pair(problem, 1.0, 0.9) if seed % 4 == 3 else each_cmo(problem, 1.5, 0.9, 0.1)
    monkeypatch.setattr(assembling, "ROUNDS", seed % 3)
    rebuilder = Rebuilder(problem, terms, seed)
    rebuilder.construct(None, never)
    rebuilder.run(30, never)
    before = rebuilder.best.objective
    better = rebuilder.assemble(60.0, never)
    assert better == (rebuilder.best.objective < before)
    plan = rebuilder.decision()
    assert broken(problem, plan, terms) == []
    assert rebuilder.best.objective == pytest.approx(evaluate(problem, plan).objective)


@pytest.mark.usefixtures("nothing_new")
def test_the_search_goes_on_from_the_plan_that_was_assembled():
    inserter = k0_stops(standing_by(10.0))
    rebuilder = Rebuilder(inserter.problem, inserter.terms, 0)
    assert not rebuilder.assemble(60.0, never)
    entries = [entry_of(inserter, f) for f in (0, 5, 6)]
    rebuilder.adopt(Kept(list(entries), np.zeros(5, np.bool_), 540.0))
    rebuilder.pool.add(1, entry_of(inserter, 3))
    assert rebuilder.assemble(60.0, never)
    assert rebuilder.best.objective == pytest.approx(480.0)
    assert rebuilder.objective == rebuilder.best.objective
    assert rebuilder.standing.relied()
    assert broken(inserter.problem, rebuilder.decision(), inserter.terms) == []


def test_what_does_not_fit_beside_the_others_is_added_anew(monkeypatch):
    """Without its rows an assembly puts P0 and P1 on days of K1 that do for one of them."""
    inserter = k0_stops(standing_by(5.0))
    monkeypatch.setattr(assembling.Choosing, "_overfull", lambda self, weight: [])
    rebuilder = Rebuilder(inserter.problem, inserter.terms, 0)
    entries = [entry_of(inserter, f) for f in (2, 5, 6)]
    rebuilder.adopt(Kept(list(entries), np.zeros(5, np.bool_), 600.0))
    for p, f in ((0, 0), (1, 3)):
        rebuilder.pool.add(p, entry_of(inserter, f))
    assert rebuilder.assemble(60.0, never)
    assert rebuilder.best.objective == pytest.approx(540.0)
    assert broken(inserter.problem, rebuilder.decision(), inserter.terms) == []


def test_an_entry_fits_where_its_days_are_left():
    inserter = k0_stops(standing_by(5.0))
    standing = Standing(inserter.problem, inserter.terms, np.zeros(5, np.bool_))
    one, two = entry_of(inserter, 0), entry_of(inserter, 3)
    assert fits(standing, two)
    standing.add(0, one)
    assert not fits(standing, two)  # after an outage both would need K1
    standing.drop(0)
    standing.base[1] = 4.0
    assert not fits(standing, two)


def test_assemblies_that_find_nothing_become_seldom(monkeypatch):
    from models.secure import rebuilding

    monkeypatch.setattr(rebuilding, "ASSEMBLED", 2)
    monkeypatch.setattr(rebuilding, "SELDOM", 8)
    inserter = k0_stops(standing_by(10.0))
    rebuilder = Rebuilder(inserter.problem, inserter.terms, 0)
    rebuilder.construct(None, never)
    when: list[int] = []
    answers = iter([False, True, False, False, False, False])

    def noted(self: Rebuilder, *_: object) -> bool:
        when.append(self.steps)
        return next(answers)

    monkeypatch.setattr(Rebuilder, "assemble", noted)
    rebuilder.run(35, never)
    assert when == [2, 6, 8, 12, 20, 28]
