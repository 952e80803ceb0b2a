"""Bound and plans side by side: the same result however fast each side is, none left alone."""

from __future__ import annotations

import time

import numpy as np
import pytest

from models.patterns import beside
from models.patterns.beside import Beside, Proof
from models.patterns.improving import Improver
from models.patterns.restricted import polish
from models.patterns.search import Search
from models.patterns.solving import solve as solve_patterns
from models.patterns.solving import start_generation
from models.patterns.tally import LEAST, SIMPLEX, STEPS, STREAMS, WHOLE, Tally
from models.patterns.watch import Watch
from models.solve import Settings
from tests.factory import random_problem

CASE = {"programs": 10, "cmos": 5, "periods": 6}


def search_of(problem, **settings):
    """A search whose relaxation is solved, before its first step."""
    watch = Watch(problem, Settings(**{"gap": 0.0, "threads": 2} | settings))
    generation = start_generation(watch)
    generation.run(np.inf)
    return Search(generation, watch, np.inf)


def slowed(monkeypatch, owner, name):
    """Let a method take a while, at random."""
    rng, plain = np.random.default_rng(0), getattr(owner, name)

    def slow(*args):
        time.sleep(float(rng.uniform(0.0, 0.05)))
        return plain(*args)

    monkeypatch.setattr(owner, name, slow)


@pytest.mark.parametrize("side", [(Improver, "run"), (Search, "prove")])
@pytest.mark.parametrize("seed", [4, 12])
def test_how_fast_a_side_is_changes_nothing(monkeypatch, side, seed):
    problem = random_problem(seed, **CASE, rules=True)
    settings = Settings(gap=0.004, threads=2, seed=seed)
    first = solve_patterns(problem, settings)
    slowed(monkeypatch, *side)
    second = solve_patterns(problem, settings)
    assert first.status == "optimal"
    assert first.objective == second.objective
    assert first.bound == second.bound
    assert np.array_equal(first.decision.option, second.decision.option)
    assert first.statistics == second.statistics


def test_a_side_that_fails_ends_the_other_and_tells(monkeypatch):
    def fail(self):
        raise ArithmeticError("no moves")

    monkeypatch.setattr(Improver, "run", fail)
    with pytest.raises(ArithmeticError, match="no moves"):
        solve_patterns(random_problem(4, **CASE), Settings(gap=0.0, threads=2))
    monkeypatch.undo()

    def ended(self):
        raise ArithmeticError("no bound")

    monkeypatch.setattr(Search, "prove", ended)
    with pytest.raises(ArithmeticError, match="no bound"):
        solve_patterns(random_problem(4, **CASE), Settings(gap=0.0, threads=2))


def test_moves_give_up_once_the_bound_can_rise_no_more(monkeypatch):
    monkeypatch.setattr(beside, "PATIENCE", 2)
    search = search_of(random_problem(4, **CASE))
    search.growing = False
    improver = search.begin()
    Beside(search, improver).run()  # ends by itself
    assert search.watch.objective == pytest.approx(improver.top)


def test_new_moves_go_on_from_a_plan_that_they_know():
    search = search_of(random_problem(12, **CASE))
    improver = search.begin()
    both = Beside(search, improver)
    improver.watch = both.aside
    watch = search.watch
    guided = search.improver(1)
    kept = watch.decision, watch.objective
    news = Proof(None, *kept, False, None, guided, True)
    assert both.guided(improver, news) is guided
    assert guided.watch is both.aside
    assert guided.top == watch.objective
    # a better plan with an option that is no candidate of theirs
    guided = search.improver(1)
    guided.rows = np.setdiff1d(guided.rows, improver.rows[:0])
    strange = np.full_like(kept[0].option, -1)
    both.aside.decision = type(kept[0])(strange, {}, kept[0].expanded)
    both.aside.objective = kept[1] - 1.0
    both.guided(improver, Proof(None, *kept, False, None, guided, True))
    assert guided.top == kept[1]


def test_a_step_is_expected_to_take_what_the_last_of_its_kind_took():
    search = search_of(random_problem(4, **CASE))
    both = Beside(search, search.begin())
    first = both.units("cut")
    assert first == pytest.approx(LEAST + search.streams / STREAMS)
    assert both.units("wait") == 1.0
    both.step("cut")
    assert both.units("cut") == both.taken["cut"] > first
    assert both.units("lines") == first


def test_work_counts_in_turns_of_moves():
    before = Tally(10, 20, 1)
    now = Tally(10 + int(STEPS), 20 + int(2 * SIMPLEX), 4)
    assert now.units(before, 2 * STREAMS) == pytest.approx(LEAST + 2 + 1 + 2 + 3 * WHOLE)


def test_polishing_knows_where_moves_ended():
    problem = random_problem(12, **CASE)
    best = solve_patterns(problem, Settings(gap=1e-4)).decision
    found = []
    for known in (False, True):
        search = search_of(problem, threads=1)
        search.plant()
        search.watch.decision = search.watch.objective = None
        idle = problem.options.start[:-1].copy()
        search.watch.offer(type(best)(idle, {}, best.expanded))
        ends = (search.lagrangian.book.columns_of(best),) if known else ()
        polish(search.tree, search.watch, ends)
        found.append(search.watch.objective)
    value = search_of(problem).watch
    assert value.offer(best)
    assert found[1] <= value.objective + 1e-6
    assert found[1] < found[0]


def test_the_ends_of_cycles_are_kept_up_to_a_number(monkeypatch):
    from models.patterns import improving

    monkeypatch.setattr(improving, "ENDS", 3)
    improver = search_of(random_problem(12, **CASE)).begin()
    sizes = []
    while len(sizes) < 40:
        improver.run()
        sizes.append(len(improver.ends))
    assert sizes[0] == 1  # the first cycle is one turn
    assert max(sizes) == 3
    assert all(len(end) == CASE["programs"] for end in improver.ends)


def test_a_mip_counts_its_time_from_its_own_start(monkeypatch):
    # HiGHS counts the time of an LP from the first run on
    search = search_of(random_problem(12, **CASE))
    monkeypatch.setattr(search.master.highs, "getRunTime", lambda: 1000.0)
    assert search.master.solve_whole(7.0, 10) is not None
    assert search.master.highs.getOptionValue("time_limit")[1] == 7.0


def test_a_mip_ends_by_its_work_and_the_next_one_begins_anew():
    search = search_of(random_problem(12, **CASE))
    looks = []
    search.master.highs.cbMipInterrupt.subscribe(looks.append)
    search.master.solve_whole(60.0, 100)
    assert len(looks) > 3
    for _ in range(2):  # HiGHS keeps the answer of the last look
        looks.clear()
        search.master.solve_whole(60.0, 100, checks=3)
        assert len(looks) == 3
    looks.clear()
    search.master.solve_whole(60.0, 100)
    assert len(looks) > 3
