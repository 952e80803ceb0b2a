"""Supply re-planned after an outage: by hand, by brute force, and its bounds."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace

import numpy as np
import pytest

from models.problem import Problem
from models.recourse import (
    Duals,
    Effort,
    Search,
    Situation,
    exposure_limit,
    outage,
    parts,
    position,
    proven,
    replan,
    situation,
    starts,
)
from models.recourse.linear import build, layout
from models.recourse.parts import grouped
from models.recourse.scene import trimmed
from models.recourse.search import PartSearch, cost
from models.recourse.solver import relaxed, whole
from models.result import Decision
from models.solve import Settings, solve
from tests.factory import random_problem
from tests.models.small import small


def struck(
    problem: Problem,
    plan: Decision,
    cmo: int,
    start: int,
    length: float,
    surge: float = 0.0,
    inputs: tuple[int, ...] = (),
) -> Situation:
    lines = problem.lines.cmo == cmo
    short = np.isin(np.arange(len(problem.offers.ids)), inputs)
    if inputs:
        lines = np.zeros_like(lines)
    event = outage(start, length, lines, short, problem.periods)
    return situation(position(problem, plan, np.full(len(problem.lines.ids), surge)), event)


def two_sites(**offer: object) -> tuple[Problem, Decision]:
    """One program, 10 a quarter, made at K0; K1 is engaged by another and qualified as told."""
    problem = small(
        programs=[{"demand": (10.0,) * 4}, {"demand": (10.0,) * 4}],
        cmos=[{}, {}],
        lines=[{"cmo": 0, "days": 12.0}, {"cmo": 1, "days": 12.0}],
        offers=[
            {"program": 0, "line": 0},
            {"program": 0, "line": 1} | offer,
            {"program": 1, "line": 1},
        ],
    )
    first = {int(problem.streams.offer[s]): s for s in range(len(problem.streams.offer))}
    options = problem.options
    chosen = [
        int(np.flatnonzero((options.first == first[f]) & (options.program == p))[0])
        for p, f in ((0, 0), (1, 2))
    ]
    ones = np.ones(4, np.int64)
    return problem, Decision(np.array(chosen), {0: ones, 2: ones}, np.zeros(2, np.bool_))


def money(case: Situation, effort: Effort | None = None) -> tuple[float, float]:
    found = replan(case, case.planned_unmet, effort or Effort(0.0))
    assert found.finished
    assert found.bound <= found.value + 1e-6
    return found.value, found.bound


def test_a_qualified_site_that_has_days_takes_over():
    problem, plan = two_sites()
    case = struck(problem, plan, 0, 1, 2.0)
    assert case.extra(case.kept)[0] == 20.0
    assert money(case) == (0.0, 0.0)


def test_only_sources_and_qualified_offers_may_be_turned_to():
    problem, plan = two_sites(qualified=False)
    assert position(problem, plan, np.zeros(2)).offers.tolist() == [0, 2]
    value, bound = money(struck(problem, plan, 0, 1, 2.0))
    assert value == bound == 2000.0


def test_a_site_that_is_not_engaged_may_not_be_turned_to():
    problem, plan = two_sites()
    nothing = Decision(
        np.array([plan.option[0], problem.options.start[1]]), {0: plan.batches[0]}, plan.expanded
    )
    assert money(struck(problem, nothing, 0, 1, 2.0))[0] == 2000.0


def test_days_run_out_and_surge_adds_some():
    problem, plan = two_sites()
    tight = replace(problem, lines=replace(problem.lines, days=np.full((2, 4), 9.0)))
    assert money(struck(tight, plan, 0, 1, 2.0))[0] == 2000.0
    assert money(struck(tight, plan, 0, 1, 2.0, surge=0.12))[0] == 0.0
    # surge lasts as long as the outage: half a quarter adds half of it
    assert money(struck(tight, plan, 0, 1, 0.5, surge=0.12))[0] == 1000.0


def test_part_of_a_quarter_leaves_part_of_its_days():
    problem, plan = two_sites(qualified=False)
    # 12 days, a batch takes 5: at half of them one batch still runs, at a quarter none
    assert money(struck(problem, plan, 0, 1, 0.5))[0] == 0.0
    assert money(struck(problem, plan, 0, 1, 0.75))[0] == 1000.0
    # one and a half quarters: none in the first, one in the second
    assert money(struck(problem, plan, 0, 1, 1.5))[0] == 1000.0


def test_batches_started_before_are_released():
    problem, plan = two_sites(qualified=False)
    lagging = replace(problem, offers=replace(problem.offers, lag=np.array([1, 0, 0])))
    case = struck(lagging, plan, 0, 1, 1.0)
    assert case.supply[0].tolist() == [0.0, 10.0, 0.0, 0.0]
    # the first quarter is unmet in the plan, the outage costs the third
    assert case.unmet(case.kept)[0].tolist() == [0.0, 0.0, 10.0, 0.0]
    assert money(case)[0] == 1000.0


def test_stock_is_built_before_when_the_plan_did_and_expires():
    problem, plan = two_sites(qualified=False)
    early = replace(plan, batches={0: np.array([2, 0, 1, 1]), 2: plan.batches[2]})
    assert money(struck(problem, early, 0, 1, 1.0))[0] == 0.0
    brief = replace(problem, programs=replace(problem.programs, shelf_periods=np.zeros(2)))
    case = struck(brief, early, 0, 1, 1.0)
    assert case.planned_unmet[0] == 10.0  # the plan itself lets the stock expire


def test_a_source_that_is_not_ready_is_delayed_with_its_validation():
    problem, plan = two_sites()
    late = replace(
        problem.offers,
        ready=np.array([2, 0, 0]),
        qualified=np.array([False, False, True]),
        validation_days=np.array([5.0, 0.0, 0.0]),
        validation_period=np.array([1, 0, 0]),
    )
    problem = replace(problem, offers=late)
    plan = replace(plan, batches={0: np.array([0, 0, 2, 2]), 2: plan.batches[2]})
    case = struck(problem, plan, 0, 1, 1.0)
    # ready in the fourth quarter instead of the third, validation in the third instead of second
    assert case.most[0].tolist() == [0, 0, 0, 2]
    assert case.room[0].tolist() == [0.0, 0.0, 7.0, 12.0]
    assert money(case)[0] == 1000.0
    # once it is ready, an outage only takes its days
    assert struck(problem, plan, 0, 2, 1.0).most[0].tolist() == [0, 0, 0, 2]
    lines, none = problem.lines.cmo == 0, np.zeros(3, np.bool_)
    assert starts(case.position, lines, none, 1.0) == [1, 2, 3]
    # with a surge an earlier outage may be worse: its extra days are over earlier
    assert starts(replace(case.position, surge=np.ones(2)), lines, none, 1.0) == [0, 1, 2, 3]


def test_a_missing_input_stops_the_offers_that_need_it_and_no_line():
    problem, plan = two_sites()
    case = struck(problem, plan, 0, 1, 1.0, inputs=(0, 1))
    assert money(case)[0] == 1000.0
    assert case.most[0].tolist() == [0, 0, 2, 2]
    # half a quarter without the input: half of the two batches that would fit
    assert struck(problem, plan, 0, 1, 0.5, inputs=(0, 1)).most[0, 1] == 1
    assert money(struck(problem, plan, 0, 1, 1.0, inputs=(0,)))[0] == 0.0


def test_changeovers_take_days_when_supply_is_re_routed():
    problem, plan = two_sites()
    lines = replace(problem.lines, changeover_days=np.array([0.0, 1.0]))
    case = struck(replace(problem, lines=lines), plan, 0, 1, 1.0)
    assert money(case)[0] == 0.0  # 5 + 5 days and two changeovers: all of the 12
    lines = replace(problem.lines, changeover_days=np.array([0.0, 1.5]))
    value, bound = money(struck(replace(problem, lines=lines), plan, 0, 1, 1.0))
    assert value == bound == 1000.0


def test_what_the_service_level_allows_is_no_exposure():
    problem, plan = two_sites(qualified=False)
    case = struck(problem, plan, 0, 1, 1.0)
    assert exposure_limit(case, 0.9)[0] == pytest.approx(3.0, abs=1e-4)
    assert replan(case, exposure_limit(case, 0.6), Effort(0.0)).value == 0.0
    found = replan(case, exposure_limit(case, 0.9), Effort(0.0))
    assert found.bound == pytest.approx(700.0, abs=0.1)


def by_force(case: Situation) -> float:
    """The least money over every re-routing of a tiny problem."""
    cells = np.argwhere(case.most > 0)
    best = np.inf
    for counts in itertools.product(*(range(case.most[a, t] + 1) for a, t in cells)):
        batches = np.zeros_like(case.most)
        batches[cells[:, 0], cells[:, 1]] = counts
        if (case.used(batches) <= case.room * (1 + 1e-9) + 1e-6).all():
            best = min(best, cost(case, batches, case.planned_unmet))
    return best


def tiny(seed: int) -> tuple[Problem, Decision]:
    problem = random_problem(seed, 2, 3, 3, utilisation=0.9)
    found = solve(problem, "highs", Settings(gap=0.05))
    assert found.decision is not None
    return problem, found.decision


@pytest.mark.parametrize("seed", range(8))
def test_no_re_routing_is_better_by_brute_force(seed):
    problem, plan = tiny(seed)
    for cmo, start, surge in itertools.product(range(3), range(3), (0.0, 0.3)):
        case = struck(problem, plan, cmo, start, 1.4, surge)
        if np.prod(case.most[case.most > 0] + 1.0) > 20_000:
            continue
        value, _ = money(case, Effort(0.0))
        assert value == pytest.approx(by_force(case), rel=1e-6, abs=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_weak_duality_gives_the_bound_of_the_relaxation_and_no_other_duals_beat_it(seed):
    problem = random_problem(seed, 6, 3, 5, utilisation=1.0)
    plan = solve(problem, "highs", Settings(gap=0.05, time_limit=5.0)).decision
    assert plan is not None
    rng = np.random.default_rng(seed)
    for cmo in range(3):
        case = struck(problem, plan, cmo, 1, 2.3, 0.1)
        everyone = np.ones(6, np.bool_)
        model = build(layout(case, everyone), case.room, case.planned_unmet, False)
        solved = relaxed(model)
        assert solved.duals is not None
        bound = proven(case, solved.duals, case.planned_unmet)
        assert bound == pytest.approx(solved.bound, rel=1e-6, abs=1e-3)
        least = whole(build(layout(case, everyone), case.room, case.planned_unmet, True), 0.0, None)
        assert least.batches is not None
        attained = cost(case, least.batches, case.planned_unmet)
        for _ in range(20):
            duals = Duals(
                solved.duals.flow * rng.uniform(0.5, 1.5, solved.duals.flow.shape),
                solved.duals.line_days * rng.uniform(0.5, 1.5, solved.duals.line_days.shape),
                solved.duals.short * rng.uniform(0.5, 1.0, solved.duals.short.shape),
            )
            assert proven(case, duals, case.planned_unmet) <= attained + 1e-3


def test_a_large_plan_is_re_routed_by_parts_and_holds():
    problem = random_problem(5, 14, 5, 6, utilisation=0.9)
    plan = solve(problem, "patterns", Settings(gap=0.1)).decision
    assert plan is not None
    for cmo in range(5):
        case = struck(problem, plan, cmo, 1, 2.0)
        search = Search(case, case.planned_unmet, case.kept)
        before = search.value
        search.work(Effort(0.01, time.monotonic() + 1.0))
        found = search.result(0.01)
        assert found.bound <= found.value <= before
        assert found.value == cost(case, found.batches, case.planned_unmet)
        assert (case.used(found.batches) <= case.room * (1 + 1e-9) + 1e-6).all()
        assert (found.batches <= case.most).all()


def one_part(case: Situation) -> float:
    """The least money of a case, all programs given to the solver at once."""
    everyone = np.ones(len(case.price), np.bool_)
    found = whole(build(layout(case, everyone), case.room, case.planned_unmet, True), 0.0, None)
    assert found.batches is not None
    return cost(case, trimmed(case, found.batches), case.planned_unmet)


@pytest.mark.parametrize("seed", [1, 4])
def test_parts_lead_to_the_same_money_as_the_whole(seed):
    problem = random_problem(seed, 6, 4, 4, utilisation=0.9)
    plan = solve(problem, "patterns", Settings(gap=0.1)).decision
    assert plan is not None
    several = 0
    for cmo, surge in itertools.product(range(4), (0.0, 0.2)):
        case = struck(problem, plan, cmo, 0, 1.5, surge)
        several += len(np.unique(grouped(case))) > 1
        value, bound = money(case, Effort(1e-6))
        assert value == pytest.approx(one_part(case), rel=1e-4, abs=1e-2)
        found = replan(case, case.planned_unmet, Effort(1e-6))
        if found.duals is not None:  # the duals of the parts prove together what is said
            proof = proven(case, found.duals, case.planned_unmet)
            assert found.linear == pytest.approx(min(proof, value))
            assert found.linear <= bound * (1 + 1e-9) + 1e-6
    assert several


def test_programs_are_one_part_where_their_line_is_scarce():
    problem, plan = two_sites()
    case = struck(problem, plan, 0, 1, 2.0)  # both could want two batches of 5 days out of 12
    assert grouped(case).tolist() == [0, 0]
    wide = replace(problem, lines=replace(problem.lines, days=np.full((2, 4), 600.0)))
    case = struck(wide, plan, 0, 1, 2.0)
    assert grouped(case).tolist() == [0, 1]
    (part,) = parts(case, np.array([True, False]))
    assert part.programs.tolist() == [0]
    assert part.key == parts(case, np.array([True, False]))[0].key
    assert part.key != parts(case, np.array([False, True]))[0].key


@pytest.mark.parametrize("seed", range(4))
def test_refilled_lines_hold_and_cost_no_more(seed):
    problem = random_problem(seed, 8, 3, 6, utilisation=1.0)
    plan = solve(problem, "highs", Settings(gap=0.1, time_limit=5.0)).decision
    assert plan is not None
    better = 0
    for cmo in range(3):
        case = struck(problem, plan, cmo, 1, 2.0)
        search = PartSearch(case, case.planned_unmet, case.kept)
        before = search.value
        search.refilling(Effort(0.0))
        assert search.value <= before
        better += search.value < before
        search.relaxation(Effort(0.0))
        assert search.value >= search.bound * (1 - 1e-9) - 1e-6
        assert (case.used(search.best) <= case.room * (1 + 1e-9) + 1e-6).all()
        assert (search.best <= case.most).all()
    assert better


def test_a_search_goes_on_from_what_another_found():
    problem = random_problem(1, 6, 3, 5, utilisation=1.0)
    plan = solve(problem, "highs", Settings(gap=0.1, time_limit=5.0)).decision
    assert plan is not None
    case = struck(problem, plan, 0, 1, 2.0)
    first = PartSearch(case, case.planned_unmet, case.kept)
    first.work(Effort(0.0, looks=0))
    second = PartSearch(case, case.planned_unmet, case.kept)
    second.resume(first.found)
    assert (second.value, second.bound, second.stage) == (first.value, first.bound, first.stage)
    second.work(Effort(1e-6))
    assert second.met(1e-6)


def test_a_bounded_look_ends_and_repeats():
    problem = random_problem(5, 14, 5, 6, utilisation=0.9)
    plan = solve(problem, "patterns", Settings(gap=0.1)).decision
    assert plan is not None
    case = struck(problem, plan, 0, 1, 2.0)
    model = build(
        layout(case, np.ones(len(case.price), np.bool_)), case.room, case.planned_unmet, True
    )
    one, two = (whole(model, 0.0, None, looks=1) for _ in range(2))
    assert not one.finished
    assert one.bound == two.bound


def test_no_time_leaves_the_plan_less_what_is_lost():
    problem, plan = two_sites()
    case = struck(problem, plan, 0, 1, 2.0)
    found = replan(case, case.planned_unmet, Effort(0.0, time.monotonic()))
    assert not found.finished
    assert (found.value, found.bound) == (2000.0, 0.0)
    stopped = replan(case, case.planned_unmet, Effort(0.0, stop=lambda: True))
    assert stopped.value == 2000.0
