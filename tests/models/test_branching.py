"""Decisions that split a node: their sides cover everything, and tiers of spend come first."""

from __future__ import annotations

import numpy as np
import pytest

import models.patterns.branching as branching_module
from models.evaluate import rebate
from models.patterns.branching import Branching, Choice, best
from models.patterns.layout import Layout
from models.patterns.solving import start_generation
from models.patterns.watch import Watch
from models.solve import Settings, solve_by
from tests.factory import random_problem
from tests.models.small import small

TIERS = ((80.0, 0.05), (160.0, 0.1))


def relaxed(problem):
    """The master of a problem at the end of column generation."""
    generation = start_generation(Watch(problem, Settings(gap=1e-6)))
    generation.run(np.inf, 1e-9)
    assert generation.master.solve()
    return generation.master


def test_a_ladder_says_what_a_spend_pays_back():
    layout = Layout(small(cmos=[{"tiers": TIERS}]))
    (ladder,) = layout.ladders
    assert ladder.start.tolist() == [0.0, 80.0, 160.0]
    upper, cost = np.array(layout.side.upper), np.array(layout.side.cost)
    assert upper[ladder.spent[:2]].tolist() == [80.0, 160.0]  # more is in the next tier
    for spend in (0.0, 79.0, 80.0, 159.0, 160.0, 200.0):
        tier = int(np.flatnonzero(ladder.start <= spend)[-1])
        assert spend <= upper[ladder.spent[tier]]
        assert -cost[ladder.spent[tier]] * spend == rebate(TIERS, spend)


@pytest.mark.parametrize("tier", [1, 2])
def test_the_two_sides_of_a_tier_share_out_all_tiers(tier):
    problem = small(cmos=[{"tiers": TIERS}])
    layout = Layout(problem)
    branching, choice = Branching(problem, layout), Choice(ladder=0, tier=tier)
    everything = ~problem.banned
    reached = layout.ladders[0].reached
    on, off = (
        branching.masks((side,), everything)[2][reached] > 0.0 for side in (choice, choice.other())
    )
    assert on.tolist() == [i >= tier for i in range(3)]
    assert (on != off).all()


@pytest.mark.parametrize(("more", "weight"), [((), 5.0), (((300.0, 0.12),), 7.0)])
def test_the_first_tier_above_the_spend_is_weighed_by_the_rebate_that_mixing_invents(more, weight):
    # two batches of 50 a year: 5 % back, and the relaxation takes the highest rate
    problem = small(cmos=[{"tiers": TIERS + more}])
    master = relaxed(problem)
    found = Branching(problem, master.layout).tiers(master)
    ((invented, choice),) = found
    assert choice == Choice(ladder=0, tier=2)
    assert invented == pytest.approx(weight)


@pytest.mark.parametrize("on", [True, False])
def test_either_side_of_a_tier_has_its_true_rebate(on):
    problem = small(cmos=[{"tiers": TIERS}])
    master = relaxed(problem)
    side = Choice(ladder=0, tier=2, on=on)
    mask, lower, upper = Branching(problem, master.layout).masks((side,), ~problem.banned)
    master.restrict(mask[master.columns.option], lower, upper)
    assert master.solve()
    spent = master.side_values[master.layout.ladders[0].spent]
    paid_back = float(master.layout.ladders[0].rate @ spent)
    assert paid_back == pytest.approx(rebate(TIERS, float(spent.sum())))


def test_the_weightiest_come_first_and_equal_ones_in_their_order():
    choices = [Choice(p=p) for p in range(4)]
    found = list(zip([1.0, 3.0, 3.0, 2.0], choices, strict=True))
    assert best(found, 3) == [choices[1], choices[2], choices[3]]


def test_trees_over_tiers_prove_the_optimum(monkeypatch):
    seen = []
    plain = branching_module.Branching.tiers

    def spied(self, master):
        found = plain(self, master)
        seen.extend(found)
        return found

    monkeypatch.setattr(branching_module.Branching, "tiers", spied)
    for seed in range(4):
        problem = random_problem(seed, programs=4, cmos=2, periods=4)
        settings = Settings(time_limit=60.0, gap=1e-6)
        exact = solve_by("highs", problem, settings, None)
        found = solve_by("patterns", problem, settings, None)
        assert found.objective == pytest.approx(exact.objective, rel=1e-5)
        assert found.bound <= exact.objective * (1 + 1e-6)
    assert seen


def test_nothing_else_is_tried_where_mixing_tiers_invents_much(monkeypatch):
    # a rebate of 5 or 7 where the objective is some hundreds, beside a program on two lines
    problem = small(cmos=[{"tiers": (*TIERS, (300.0, 0.12))}])
    master = relaxed(problem)
    branching = Branching(problem, master.layout)
    other = (1e9, Choice(p=0, line=0))
    monkeypatch.setattr(branching, "sources", lambda master: [other])
    assert [choice.ladder for choice in branching.candidates(master)] == [0]
    monkeypatch.setattr(branching_module, "REBATE", 1.0)
    assert {choice.ladder for choice in branching.candidates(master)} == {0, -1}
