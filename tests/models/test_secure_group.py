"""Programs looked at together for the bound of secure plans, and placed together in a plan."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from models.evaluate import evaluate
from models.patterns.apart import engaging
from models.problem import Problem, Rule
from models.recourse import Effort
from models.secure import Terms, breaches
from models.secure.anew import ORDERS, orders
from models.secure.bounding import Bounding
from models.secure.choosing import Cover
from models.secure.group import Found, Group
from models.secure.grouping import Groups
from models.secure.insertion import Inserter
from models.secure.rebuilding import Rebuilder
from models.solve import Settings
from tests.factory import random_problem
from tests.models.plans import every_plan
from tests.models.small import small
from tests.models.terms import broken, each_cmo


def never() -> bool:
    return False


def rivals(days: float = 2.0, **cmo: object) -> Problem:
    """Two programs of two CMOs: either line holds both, but after an outage one alone."""
    return small(
        programs=[
            {"demand": (0.0, 20.0), "shortage": 9.0, "holding": 0.1},
            {"demand": (0.0, 20.0), "shortage": 9.0, "holding": 0.1},
        ],
        cmos=[{}, cmo],
        lines=[{"cmo": 0, "days": days}, {"cmo": 1, "days": days}],
        offers=[
            {"program": p, "line": line, "good": 10.0, "price": 30.0 + 5.0 * line, "days": 2.0}
            for p in (0, 1)
            for line in (0, 1)
        ],
        sourcing="free",
        splits=(0.5,),
    )


def bounding(problem: Problem, terms: Terms) -> Bounding:
    return Bounding(problem, Inserter(problem, terms), Settings(), time.monotonic() + 60.0)


def least_secure(problem: Problem, terms: Terms) -> float:
    for value, plan in every_plan(problem):
        if not breaches(problem, plan, terms, Effort(0.0), 60.0):
            return value
    raise AssertionError("no secure plan at all")


def test_a_group_knows_what_programs_take_of_each_other_after_an_outage():
    problem = rivals()
    terms = each_cmo(problem, 2.0, 0.95)
    bound = bounding(problem, terms)
    chosen = bound.choose()
    for effort in (500, 5_000, 50_000):
        chosen = bound.closer(chosen, effort)
    alone = bound.bound
    together = bounding(problem, terms).run()
    least = least_secure(problem, terms)
    assert alone < together * (1 - 1e-3)
    assert together <= least * (1 + 1e-9)
    assert together >= least * 0.98


@pytest.mark.parametrize("seed", range(8))
def test_no_secure_plan_costs_less_than_a_group_by_brute_force(seed):
    rng = np.random.default_rng(seed)
    problem = small(
        programs=[
            {
                "demand": tuple(rng.choice([0.0, 8.0, 15.0], 2)),
                "shortage": float(rng.choice([4.0, 9.0])),
                "holding": 0.1,
                "opening": float(rng.choice([0.0, 5.0])),
            }
            for _ in range(2)
        ],
        cmos=[{"onboarding": float(rng.choice([0.0, 40.0]))} for _ in range(2)],
        lines=[{"cmo": k, "days": float(rng.choice([3.0, 5.0]))} for k in range(2)],
        offers=[
            {
                "program": p,
                "line": line,
                "good": float(rng.choice([8.0, 10.0])),
                "price": float(rng.integers(20, 60)),
                "days": float(rng.choice([1.5, 2.0])),
            }
            | ({"qualified": False, "ready": 1} if rng.random() < 0.3 else {})
            for p in (0, 1)
            for line in (0, 1)
        ],
        sourcing="free",
        splits=(0.5,),
    )
    terms = each_cmo(problem, float(rng.choice([0.6, 1.0, 2.0])), 0.9, float(rng.choice([0, 0.3])))
    least = least_secure(problem, terms)
    bound = bounding(problem, terms)
    proven = bound.run()
    assert proven <= least * (1 + 1e-9) + 1e-6
    assert any(np.isfinite(item.bound) for item in bound.groups.items.values())


@pytest.mark.parametrize("seed", range(4))
def test_the_bound_with_groups_is_below_what_is_built(seed):
    problem = random_problem(seed, 3, 3, 4, utilisation=0.7, splits=(0.5,))
    terms = each_cmo(problem, 1.0, 0.9)
    rebuilder = Rebuilder(problem, terms, 0)
    rebuilder.construct(None, never)
    rebuilder.run(40, never)
    limit = time.monotonic() + 20.0
    led = Bounding(problem, rebuilder.inserter, Settings(), limit, rebuilder.decision()).run()
    assert led <= rebuilder.best.objective * (1 + 1e-9)


def test_what_programs_cost_together_is_a_row_of_the_choice():
    problem = rivals(onboarding=5.0)
    bound = bounding(problem, each_cmo(problem, 1.0))
    choice, cheap = bound.choice, bound.groups.at[:, 0] & ~bound.groups.at[:, 1]
    values, engaging = np.where(cheap, 100.0, 300.0), np.array([0.0, 5.0])
    free, _ = choice.best(values, engaging, 10.0)
    both = np.arange(2)
    assert free == pytest.approx(200.0)
    assert choice.engaged.tolist() == [True, False]
    raised, _ = choice.best(values, engaging, 10.0, [Cover(both, (), free + 70.0)])
    assert raised == pytest.approx(free + 70.0)
    assert choice.paid.sum() == pytest.approx(free + 70.0)
    # where K1 stays out they cost more: it is engaged for its 5, and nothing is made there
    away, _ = choice.best(values, engaging, 10.0, [Cover(both, (1,), free + 70.0)])
    assert away == pytest.approx(free + 5.0)
    assert choice.engaged.tolist() == [True, True]
    again, _ = choice.best(values, engaging, 10.0)
    assert again == pytest.approx(free)


def test_an_expansion_is_paid_by_one_program():
    problem = random_problem(2, 6, 4, 4, utilisation=0.8, splits=(0.5,))
    groups = Groups(problem, each_cmo(problem, 1.0), None, np.full(6, np.inf))
    groups.form(np.ones(6))
    able = np.zeros((6, len(problem.lines.ids)), np.bool_)
    able[problem.offers.program, problem.offers.line] = True
    for line, owner in enumerate(groups.owner):
        assert owner == -1 if not able[:, line].any() else able[owner, line]
    whole = [part for part in groups.parts if len(part) > 3]
    small_ = [p for part in groups.parts if len(part) <= 3 for p in part]
    assert len(small_) == len(set(small_))
    assert all(len(part) >= 2 for part in groups.parts if part in whole)


def test_a_group_without_a_cmo_makes_nothing_there():
    problem = rivals(days=10.0)
    terms = each_cmo(problem, 1.0, 0.95)
    bound = bounding(problem, terms)
    group = Group(problem, terms, np.arange(2))
    found = [
        group.solve(bound.money, frozenset(out), bound.values, (), 20.0) for out in ((), (0,), (1,))
    ]
    assert all(each.closed for each in found)
    costs = [each.bound for each in found]
    assert costs[0] <= costs[2] * (1 + 1e-3) <= costs[1] * (1 + 2e-3)
    assert found[1].bound > found[0].bound * 1.01
    used = {int(problem.offer_cmo[f]) for f, n in found[1].plan.batches.items() if n.any()}
    assert used <= {1}


@pytest.mark.parametrize("p", [0, 1])
def test_a_program_is_placed_beside_the_others_in_what_these_leave(p):
    problem = rivals()
    terms = replace(each_cmo(problem, 2.0, 0.95), threats=())
    rebuilder = Rebuilder(problem, terms, 0)
    rebuilder.construct(None, never)
    rebuilder.restore(rebuilder.best)
    plan = rebuilder.standing.decision()
    rebuilder.standing.drop(p)
    group = Group(problem, terms, np.array([p]), rebuilder.standing)
    found = group.beside(frozenset(), 20.0, plan, never)
    assert found.option[p] != problem.options.start[p]
    used = np.zeros(problem.lines.days.shape)
    others = {f: n for f, n in plan.batches.items() if problem.offers.program[f] != p}
    for f, n in (others | found.batches).items():
        used[problem.offers.line[f]] += problem.offers.days[f] * n
    assert (used <= problem.lines.days + 1e-6).all()
    assert used.sum() == pytest.approx(problem.lines.days.sum())  # all is needed


def test_programs_that_cannot_be_settled_together_are_left_out():
    problem = rivals(days=8.0)
    terms = each_cmo(problem, 1.0, 0.95)
    rebuilder = Rebuilder(problem, terms, 0)
    rebuilder.construct(None, never)
    rebuilder.restore(rebuilder.best)
    plan = rebuilder.standing.decision()
    much = {f: n + 9 * (problem.offers.program[f] == 1) for f, n in plan.batches.items()}
    for p in (0, 1):
        rebuilder.standing.drop(p)
    rebuilder.anew.settle(rebuilder, (0, 1), replace(plan, batches=much))
    assert rebuilder.standing.entries == [None, None]
    rebuilder.anew.settle(rebuilder, (0, 1), plan)
    assert None not in rebuilder.standing.entries


def test_a_program_left_out_is_placed_anew(monkeypatch):
    problem = rivals(days=8.0)
    terms = each_cmo(problem, 1.0, 0.95)
    rebuilder = Rebuilder(problem, terms, 0)
    rebuilder.construct(None, never)
    full = rebuilder.best.objective
    rebuilder.standing.drop(1)
    rebuilder.best = None
    rebuilder.objective = rebuilder.value()
    rebuilder.keep()
    left_out = rebuilder.best.objective
    assert left_out > full * 1.05
    monkeypatch.setattr(rebuilder, "insert", lambda *_: None)  # one by one nothing is placed
    for _ in range(6):
        rebuilder.anew.step(rebuilder, never)
    assert rebuilder.best.objective <= full * (1 + 1e-6)
    plan = rebuilder.decision()
    assert evaluate(problem, plan).objective == pytest.approx(rebuilder.best.objective)
    assert broken(problem, plan, terms) == []


def test_an_expansion_is_charged_to_one_of_the_programs_that_could_use_the_line(monkeypatch):
    problem = rivals()
    bound = bounding(problem, each_cmo(problem, 2.0, 0.95))
    charged = []

    def solve(self, money, *others):
        charged.append(money.expansion)
        return Found(None, None, np.inf, False)

    monkeypatch.setattr(Group, "solve", solve)
    groups = bound.groups
    chosen = bound.choose()
    assert len(chosen)
    groups.form(bound.choice.paid)
    each = np.ones(len(problem.lines.ids))
    money = replace(bound.money, expansion=each)
    for p in range(len(problem.programs.ids)):
        key = (p,), frozenset()
        groups.item(key)
        groups.search(key, money, bound.values, bound.choice.paid, None, np.inf)
    users = [
        len(set(problem.offers.program[problem.offers.line == line])) for line in range(len(each))
    ]
    assert max(users) > 1
    assert np.sum(charged, axis=0) == pytest.approx(np.minimum(users, 1))


def test_rivals_placed_together_stay_apart():
    rule = Rule("not_together", "rivals apart", programs=(0, 1))
    problem = replace(rivals(days=8.0), rules=(rule,))
    terms = replace(each_cmo(problem, 1.0), threats=())
    bound = bounding(problem, terms)
    group = Group(problem, terms, np.array([0, 1]))
    found = group.solve(bound.money, frozenset(), bound.values, (), 20.0)
    at = bound.groups.at[found.plan.option]
    assert at.any(1).all()
    assert not at.all(0).any()


@pytest.mark.parametrize("p", [0, 1])
def test_a_program_is_placed_apart_from_a_rival_that_stays(p):
    rule = Rule("not_together", "rivals apart", programs=(0, 1))
    problem = replace(rivals(days=8.0), rules=(rule,))
    terms = replace(each_cmo(problem, 1.0), threats=())
    rebuilder = Rebuilder(problem, terms, 0)
    rebuilder.construct(None, never)
    rebuilder.restore(rebuilder.best)
    plan = rebuilder.standing.decision()
    rebuilder.standing.drop(p)
    found = Group(problem, terms, np.array([p]), rebuilder.standing).beside(
        frozenset(), 20.0, plan, never
    )
    assert found.option[p] != problem.options.start[p]
    at = engaging(problem)
    assert not (at[found.option[p]] & at[plan.option[1 - p]]).any()


def test_what_others_gave_way_for_is_undone_where_programs_are_not_settled(monkeypatch):
    problem = rivals(days=8.0)
    rebuilder = Rebuilder(problem, each_cmo(problem, 1.0, 0.95), 0)
    rebuilder.construct(None, never)
    rebuilder.restore(rebuilder.best)
    standing, plan = rebuilder.standing, rebuilder.standing.decision()
    standing.drop(0)
    other, free = standing.entries[1], standing.free.copy()

    def give_way(*_):
        mine = standing.entries[1]
        standing.exchange(1, replace(mine, taken=np.zeros_like(mine.taken)))

    monkeypatch.setattr(rebuilder, "take_over", give_way)
    rebuilder.anew.settle(rebuilder, (0,), plan)
    assert standing.entries == [None, other]
    assert standing.free == pytest.approx(free)


def twins(count: int) -> Problem:
    """So many programs that share one line, and one more with a line of its own."""
    return small(
        programs=[{"demand": (0.0, 10.0), "shortage": 9.0, "holding": 0.1}] * (count + 1),
        cmos=[{}, {}],
        lines=[{"cmo": 0, "days": 2.0 * count}, {"cmo": 1, "days": 2.0}],
        offers=[
            {"program": p, "line": int(p == count), "good": 10.0, "price": 30.0, "days": 2.0}
            for p in range(count + 1)
        ],
    )


def test_all_programs_of_a_part_are_placed_at_once_and_once_only(monkeypatch):
    problem = twins(5)
    terms = replace(each_cmo(problem, 1.0), threats=())
    rebuilder = Rebuilder(problem, terms, 0)
    rebuilder.construct(None, never)
    full = rebuilder.best.objective
    for p in (1, 3):
        rebuilder.standing.drop(p)
    rebuilder.best = None
    rebuilder.objective = rebuilder.value()
    rebuilder.keep()
    assert rebuilder.best.objective > full * 1.05
    monkeypatch.setattr(rebuilder, "insert", lambda *_: None)  # one by one nothing is placed
    assert rebuilder.anew.parts(rebuilder) == [(0, 1, 2, 3, 4)]
    assert not rebuilder.anew.part(
        rebuilder, 50.0, never
    )  # other steps find more in so short a time
    assert rebuilder.anew.part(rebuilder, 80.0, never)
    assert rebuilder.best.objective == pytest.approx(full)
    placed = []
    monkeypatch.setattr(rebuilder.anew, "place", lambda *given: placed.append(given[1:3]))
    for _ in range(3):
        rebuilder.anew.part(rebuilder, 64.0, never)
    assert placed == [((0, 1, 2, 3, 4), 16.0)]  # as it is now, once


def test_a_part_is_placed_at_once_after_an_assembly(monkeypatch):
    monkeypatch.setattr("models.secure.rebuilding.ASSEMBLED", 5)
    rebuilder = Rebuilder(rivals(days=8.0), each_cmo(rivals(days=8.0), 1.0, 0.95), 0)
    rebuilder.construct(None, never)
    times = []
    monkeypatch.setattr(rebuilder.anew, "part", lambda _, left, stop: times.append(left))
    monkeypatch.setattr(rebuilder, "assemble", lambda *_: False)
    rebuilder.until_assembly = 5
    rebuilder.run(20, never, left=80.0)
    assert len(times) == 2
    assert all(60.0 < each <= 80.0 for each in times)


def test_many_programs_are_put_in_in_some_of_the_orders():
    rng = np.random.default_rng(0)
    assert len(orders((4, 2, 9), rng)) == 6
    some = orders((4, 2, 9, 7, 1), rng)
    assert len(some) == ORDERS
    assert all(sorted(order) == [1, 2, 4, 7, 9] for order in some)
