"""The compiled moves: what they keep up beside the plan, and that they find the cheapest option."""

from __future__ import annotations

from dataclasses import replace
from threading import Thread

import numpy as np
import pytest

from models.evaluate import evaluate
from models.patterns.bound import Lagrangian
from models.patterns.columns import Book
from models.patterns.improving import LEVELS, Improver
from models.patterns.layout import Layout
from models.patterns.plan import FOLLOWS, decision_of, empty_state, settle
from models.patterns.pricing import Pricer, Stopped
from models.patterns.root import Generation
from models.patterns.ruin import improve
from models.patterns.solving import solve, start_master
from models.patterns.swapping import take_out
from models.patterns.watch import Watch
from models.restrict import service_problem
from models.solve import Settings
from tests.factory import random_problem


def improver_of(problem):
    watch = Watch(problem, Settings(gap=0.0))
    lagrangian = Lagrangian(Book(Layout(problem)), Pricer(problem))
    master = start_master(lagrangian)
    relaxation = Generation(lagrangian, master, watch).run(np.inf)
    improver = Improver(lagrangian, relaxation, master, watch, 1)
    none = master.columns.take(np.empty(0, np.int64))
    improver.construct(none, np.zeros(len(problem.lines.ids), np.bool_))
    return improver


@pytest.mark.parametrize("rules", [False, True])
def test_what_moves_keep_up_is_what_the_plan_says(rules):
    improver = improver_of(random_problem(12, programs=10, cmos=5, periods=6, rules=rules))
    problem, ground, state = improver.lagrangian.book.problem, improver.ground, improver.state
    assert np.isfinite(improver.top)
    for _ in range(3):
        improver.run()
    fresh = empty_state(ground)
    settle(ground, fresh, state)
    for name in FOLLOWS:
        assert getattr(state, name) == pytest.approx(getattr(fresh, name), rel=1e-9, abs=1e-6)
    value = evaluate(problem, decision_of(ground, improver.rows, state))
    assert state.total[0] == pytest.approx(value.objective)
    assert state.total[1] == pytest.approx(value.spend.sum())
    assert state.used == pytest.approx(value.used_days)
    for line in range(len(problem.lines.ids)):
        listed, place = set(), state.first[line]
        while place >= 0:
            listed.add(int(place))
            place = state.after[place]
        rows = np.append(problem.offers.line, -1)[state.offer.reshape(-1)]
        assert listed == set(np.flatnonzero(rows == line).tolist())
    best = evaluate(problem, decision_of(ground, improver.rows, improver.best))
    assert not best.broken
    assert improver.top == pytest.approx(best.objective)


def test_swaps_keep_the_best_plan_and_all_that_follows():
    improver = improver_of(random_problem(12, programs=10, cmos=5, periods=6, rules=True))
    problem, ground, state = improver.lagrangian.book.problem, improver.ground, improver.state
    improver.run()
    top, best = improver.top, improver.best.option.copy()
    places = set()
    for rounds in range(30):
        improver.rounds = rounds
        settle(ground, state, improver.best)
        improver._swap()
        assert (state.option >= 0).all()
        assert not state.closed.any()
        assert improver.work.welcome[0] < 0
        fresh = empty_state(ground)
        settle(ground, fresh, state)
        for name in FOLLOWS:
            assert getattr(state, name) == pytest.approx(getattr(fresh, name), rel=1e-9, abs=1e-6)
        places.add(tuple(state.programs_at > 0))
        if improver.top == top:
            assert (improver.best.option == best).all()
        top, best = improver.top, improver.best.option.copy()
    assert len(places) > 1
    decision = decision_of(ground, improver.rows, improver.best)
    assert evaluate(problem, decision).objective == pytest.approx(top)


def test_a_swap_leaves_one_cmo_and_engages_another():
    improver = improver_of(random_problem(12, programs=4, cmos=6, periods=6))
    ground, state, work = improver.ground, improver.state, improver.work
    settle(ground, state, improver.best)
    uses = state.programs_at > 0
    assert uses.any()
    assert not uses.all()
    engaged = np.where(uses, 1.0, 0.0)
    out, new = int(np.flatnonzero(uses)[0]), int(np.flatnonzero(~uses)[0])
    engaged[out], engaged[new] = -30.0, 30.0  # nothing else has any weight beside these
    for seed in range(20):
        settle(ground, state, improver.best)
        before = state.programs_at.copy()
        taken = take_out(ground, state, work, engaged, np.random.default_rng(seed))
        left = bool(state.closed[out])
        assert state.programs_at[out] == (0 if left else before[out])
        assert work.welcome[0] in (-1, new)
        assert left or work.welcome[0] == new
        assert (state.option[taken] == -1).all()
        state.closed[:], work.welcome[0] = False, -1


def test_a_program_is_put_where_it_costs_least():
    problem = random_problem(4, programs=8, cmos=4, periods=5)
    cmos = replace(problem.cmos, floor=0 * problem.cmos.floor, tiers=((),) * 4)
    improver = improver_of(replace(problem, cmos=cmos))
    improver.run()
    problem, ground, state = improver.lagrangian.book.problem, improver.ground, improver.state
    for p in range(8):
        settle(ground, state, improver.best)
        without = improver.best._replace(
            offer=improver.best.offer.copy(), own=improver.best.own.copy()
        )
        without.offer[p], without.own[p] = -1, 0.0
        settle(ground, state, without)
        found, _ = improve(
            ground, state, improver.saved, empty_state(ground), np.inf, 1, np.array([p]), 0,
            improver.chance, 6, 0.0, 0.0 * improver.warmth, 0.0, LEVELS, 0.0, 0, improver.work,
        )  # fmt: skip
        assert found == pytest.approx(cheapest(improver, without, p))


def cheapest(improver, without, p):
    """Least objective over all candidate options of `p` beside the plan `without` it."""
    lagrangian, ground, state = improver.lagrangian, improver.ground, empty_state(improver.ground)
    problem, lines = lagrangian.book.problem, lagrangian.book.problem.lines
    offers, line = problem.offers, problem.offers.line
    settle(ground, state, without)
    free = (ground.days[0] + ground.days[1] * state.grown[:, None] - state.used)[line]
    free[np.arange(len(line)), offers.validation_period] -= offers.validation_days
    fits = np.floor((free - lines.changeover_days[line][:, None]) / offers.days[:, None] + 1e-9)
    limit = np.clip(fits.astype(np.int64), 0, problem.max_batches)
    none = np.zeros(len(lagrangian.layout.lower))
    costs, _ = lagrangian.costs(lagrangian.prices(none, np.empty((0, 2), np.int64)))
    options = problem.options
    mine = improver.rows[options.program[improver.rows] == p]
    worth = []
    for option in mine:
        streams = [s for s in (options.first[option], options.second[option]) if s >= 0]
        chosen = problem.streams.offer[streams]
        shut = free[chosen, offers.validation_period[chosen]] < -1e-7
        crowded = [
            state.programs_at[k] >= problem.cmos.max_programs[k] >= 0
            for k in problem.offer_cmo[chosen]
        ]
        if shut.any() or any(crowded):
            continue
        column = lagrangian.columns(np.array([option]), replace(costs, limit=limit))
        engaged = {int(k) for k in problem.offer_cmo[chosen] if state.programs_at[k] == 0}
        fees = sum(problem.cmos.onboarding_cost[k] + problem.cmos.fees[k] for k in engaged)
        worth.append(state.total[0] + column.cost[0] + fees)
    return min(worth)


def test_dear_and_cheap_programs_move_at_heats_of_their_own():
    improver = improver_of(random_problem(12, programs=10, cmos=5, periods=6))
    cost = np.abs(improver.least)
    assert improver.warmth.mean() == pytest.approx(cost.mean())
    assert (improver.warmth > 0.0).all()
    assert (np.diff(improver.warmth[np.argsort(cost)]) > 0.0).all()
    heats = []
    for cold in (1.0, 0.0):  # of one program alone: kept only as far as its own heat allows
        improver.warmth[:] = 0.0
        improver.warmth[0] = cold * 1e12
        settle(improver.ground, improver.state, improver.best)
        improver.chance[:] = 2.0  # every move begins with the first program
        improver._moves(np.empty(0, np.int64), 200, 1.0)
        heats.append(improver.state.total[0])
    assert heats[0] > improver.top
    assert heats[1] == pytest.approx(improver.top)


def test_an_attempt_that_is_no_better_changes_nothing():
    improver = improver_of(random_problem(11, programs=10, cmos=5, periods=6))
    improver.run()
    top, plan = improver.top, [field.copy() for field in improver.best[:5]]
    nothing = improver.columns().take(np.empty(0, np.int64))
    improver.attempt(nothing, np.zeros_like(improver.best.grown))
    if improver.top == top:
        assert all(np.array_equal(a, b) for a, b in zip(improver.best, plan, strict=False))
    assert improver.top <= top


def test_cycles_of_cooling_grow_up_to_their_limit():
    improver = improver_of(random_problem(2, programs=4, cmos=3, periods=4))
    assert improver.length == improver.shortest == 1
    lengths = []
    for _ in range(16):
        lengths.append(improver.length)
        improver.run()
    assert lengths == [1, 2, 2, *[4] * 4, *[8] * 8, 16]


def test_pricing_stops_when_the_solve_must_end(monkeypatch):
    problem = random_problem(2, programs=4, cmos=3, periods=4)
    monkeypatch.setattr("models.patterns.pricing.CHUNK", 5)
    watch = Watch(problem, Settings())
    lagrangian = Lagrangian(Book(Layout(problem)), Pricer(problem, 1, lambda: True))
    costs, _ = lagrangian.costs(
        lagrangian.prices(np.zeros(len(lagrangian.layout.lower)), np.empty((0, 2), np.int64))
    )
    with pytest.raises(Stopped):
        lagrangian.pricer.values(lagrangian.rows, costs)
    result = Generation(lagrangian, start_master(lagrangian), watch).run(np.inf)
    assert result.priced is None


@pytest.mark.parametrize("threads", [1, 2])
def test_a_stop_before_the_search_leaves_the_plan_at_hand(monkeypatch, threads):
    # moves price their candidates before the search begins: a stop then must not end in an error
    problem = random_problem(2, programs=4, cmos=3, periods=4)
    monkeypatch.setattr("models.patterns.pricing.CHUNK", 5)
    phases = []
    settings = Settings(
        threads=threads,
        progress=lambda now: phases.append(now.phase),
        stop=lambda: "first plan" in phases,
    )
    result = solve(problem, settings)
    assert result.limit == "interrupt"
    assert result.decision is not None
    assert result.bound is not None
    assert "search" not in phases


@pytest.mark.parametrize("seed", [3, 4, 22])
def test_programs_that_must_move_together_do(seed):
    # each program alone is placed as cheaply as the others let it long before the optimum
    problem = random_problem(seed, programs=7, cmos=3, periods=6, utilisation=1.1)
    proven = solve(problem, Settings(gap=1e-7))
    improver = improver_of(problem)
    for _ in range(6):
        improver.run()
    assert proven.status == "optimal"
    assert improver.top == pytest.approx(proven.objective)


def only_joint(monkeypatch, share):
    monkeypatch.setattr("models.patterns.improving.JOINT", share)
    monkeypatch.setattr("models.patterns.improving.LATE_EFFORT", np.inf)


@pytest.mark.parametrize("seed", [5, 22, 23, 24])
def test_programs_of_one_line_are_scheduled_together(seed, monkeypatch):
    # all on one line: what one after the other cannot reach, one search over time does
    problem = random_problem(seed, programs=4, cmos=1, periods=6, utilisation=1.1, features=False)
    proven = solve(problem, Settings(gap=1e-7))
    tops = []
    for share in (0.0, 1.0):
        only_joint(monkeypatch, share)
        improver = improver_of(problem)
        improver._turn(3000, 0.0, late=True)
        tops.append(improver.top)
    assert proven.status == "optimal"
    assert tops[1] == pytest.approx(proven.objective)
    assert tops[0] > tops[1] * 1.005


@pytest.mark.parametrize("rules", [False, True])
def test_joint_moves_keep_the_plan_and_what_follows_from_it(rules, monkeypatch):
    only_joint(monkeypatch, 1.0)
    improver = improver_of(random_problem(12, programs=10, cmos=5, periods=6, rules=rules))
    before = improver.top
    improver._turn(1000, 0.05, late=True)
    problem, ground, state = improver.lagrangian.book.problem, improver.ground, improver.state
    assert improver.top < before
    fresh = empty_state(ground)
    settle(ground, fresh, state)
    for name in FOLLOWS:
        assert getattr(state, name) == pytest.approx(getattr(fresh, name), rel=1e-9, abs=1e-6)
    best = evaluate(problem, decision_of(ground, improver.rows, improver.best))
    assert not best.broken
    assert improver.top == pytest.approx(best.objective)


def test_programs_that_cost_nothing_end_a_joint_move(monkeypatch):
    # programs served in full cost nothing here, and no share of nothing ever reaches a limit
    only_joint(monkeypatch, 1.0)
    problem = service_problem(random_problem(3, programs=6, cmos=2, periods=6, utilisation=1.3))
    price = np.where(np.arange(6) < 4, 0.0, problem.programs.shortage_price)
    problem = replace(problem, programs=replace(problem.programs, shortage_price=price))
    improver = improver_of(problem)
    assert (improver.state.own == 0.0).any()
    moving = Thread(target=improver._turn, args=(500, improver.top / 10, True), daemon=True)
    moving.start()
    moving.join(180.0)
    assert not moving.is_alive()
    assert improver.work.effort[1] > 0
