"""Breakpoints: by hand, against brute force, and honest where the time is too short."""

from __future__ import annotations

import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from allocator.growth.bisect import Bracket, PortfolioAsk, bracket
from allocator.growth.breakpoints import _share_highs, _why, breakpoints, program_growth
from allocator.growth.case import ANSWERS
from allocator.growth.closing import both_sides
from allocator.growth.demand import Growth
from allocator.growth.descent import FIRST_DOWN, Descent, fall
from allocator.growth.ends import LOOK_SECONDS, NEAR, SURE, Ends, Pace
from allocator.growth.service import (
    SCALE,
    Probe,
    Search,
    on_time,
    priced_service,
    weights,
)
from allocator.growth.sides import Side, ascend, farthest, rise, slope_of
from allocator.growth.single import beside_others, just_enough, own_probe
from allocator.growth.stretch import stretched
from allocator.portfolio import Cmo
from allocator.read import read_portfolio
from allocator.tradeoff.crew import Crew
from models.evaluate import evaluate
from models.problem import Rule
from models.restrict import with_days
from models.result import Decision
from models.solve import Settings, solve
from tests.allocator.growth.cases import ALL, case_of, one_line, rule, two_sites
from tests.allocator.portfolios import line, offer, portfolio, program, quarters
from tests.brute_force import brute_force
from tests.models.small import small


def ends(row):
    return row["survives"], row["fails"]


def searched(search, seconds):
    search.relax(seconds)
    search.prove(seconds)
    search.seek(seconds)
    return search.probe()


def test_one_line_and_two_programs_break_where_the_line_is_full():
    """The line holds 20 batches a quarter and today's demand takes 10 of them: exactly twofold."""
    found = breakpoints(case_of(one_line()), Growth(2.0), 60.0)
    rows = {row["answer"]: row for row in found["portfolio"]}
    for answer in ANSWERS[:3]:
        low, high = ends(rows[answer])
        assert low == 2.0
        assert 2.0 < high <= 2.0 * 1.01
        assert rows[answer]["proven"]
        assert rows[answer]["monotone"]
        assert rows[answer]["breaks_first"]["line_id"] == "L"
    # the expansion comes only in the second quarter, so it does not help the first
    assert ends(rows["expanded"])[0] == 2.0
    assert (
        "L is full in 2027Q1: 100 of 100 days are taken (A 50 %, B 50 %)"
        in (rows["rescheduled"]["why"][0])
    )


def test_one_program_alone_breaks_where_the_others_leave_no_days():
    found = breakpoints(case_of(one_line()), Growth(2.0), 60.0)
    rows = {(row["program_id"], row["answer"]): row for row in found["programs"]}
    assert len(rows) == 2 * 4
    for key, row in rows.items():
        assert row["survives"] <= 3.0 < row["fails"] <= row["survives"] * 1.01, key
        assert row["survives"] >= 3.0 / 1.01
        assert row["proven"]


def test_surge_moves_the_breakpoint():
    found = breakpoints(case_of(one_line(surge=0.2)), Growth(2.0), 60.0)
    low, high = ends(found["portfolio"][-1])
    assert low <= 2.4 < high  # 24 batches a quarter for 10 today
    assert low >= 2.4 / 1.01


def test_a_new_source_helps_once_it_is_ready():
    tables = two_sites(service_level=0.75)
    found = breakpoints(case_of(tables), Growth(2.0, since="2027Q3"), 60.0)
    rows = {row["answer"]: row for row in found["portfolio"]}
    # demand 100 + 100 + 100 m + 100 m against 100 a quarter at K
    low, high = ends(rows["rescheduled"])
    assert low <= 1.667 < high * 1.001
    # from 2027Q3 on J adds up to 800 a quarter
    assert rows["requalified"]["survives"] > 5.0


def test_the_search_equals_brute_force_on_tiny():
    case = case_of(read_portfolio("instances/tiny"))
    for multiplier in (1.2, 1.3):
        situation = case.quick_situation(Growth(multiplier))
        room = situation.room("requalified")
        least, _ = brute_force(priced_service(room.problem))
        best = 1.0 - least / SCALE
        starts = [stretched(situation.problem, case.decision, situation.factors)]
        for level, expected in ((best - 1e-4, True), (best + 1e-4, False)):
            probe = searched(Search(situation, "requalified", level, starts, case.solving), 60.0)
            assert probe.survives is expected
            if expected:
                assert probe.on_time >= level - 1e-9
                assert on_time(situation.problem, probe.decision) == pytest.approx(probe.on_time)
            else:
                assert best - 1e-9 <= probe.limit < level


def test_parts_equal_brute_force_on_tiny():
    case = case_of(read_portfolio("instances/tiny"))
    solving = replace(case.solving, solver="patterns")
    situation = case.quick_situation(Growth(1.3))
    least, _ = brute_force(priced_service(situation.room("requalified").problem))
    best = 1.0 - least / SCALE
    for level, expected in ((best - 1e-4, True), (best + 1e-4, False)):
        search = Search(situation, "requalified", level, [], solving)
        search.exclude(60.0)
        assert search.share is None
        assert search.limit >= best - 1e-9
        assert search.survives is (None if expected else False)
        search.find(60.0)
        assert search.survives is expected


def test_where_plans_of_parts_break_a_budget_the_whole_is_searched(monkeypatch):
    case = case_of(one_line(rules=(rule("budget", year=2027, limit=500.0),)))
    situation = case.quick_situation(Growth(1.5))
    monkeypatch.setattr("allocator.growth.service.WHOLE", 0.0)
    solving = replace(case.solving, solver="patterns")
    search = Search(situation, "requalified", 1.0, [], solving)
    search.find(10.0)
    assert 0.0 < search.share < 1.0
    monkeypatch.setattr(Search, "seek", lambda self, seconds: None)
    search = Search(situation, "requalified", 1.0, [], solving)
    search.find(10.0)
    assert search.share is None


def test_a_named_solver_searches_both_sides():
    case = case_of(one_line())
    named = replace(case.solving, solver="highs")
    for multiplier, expected in ((1.9, True), (2.1, False)):
        situation = case.quick_situation(Growth(multiplier))
        search = Search(situation, "requalified", 1.0, [], named)
        search.exclude(10.0)
        search.find(10.0)
        assert search.survives is expected


def test_ends_on_tiny_are_what_they_claim():
    case = case_of(read_portfolio("instances/tiny"))
    found = breakpoints(case, Growth(2.0), 60.0)
    lows = [row["survives"] for row in found["portfolio"]]
    assert lows == sorted(lows) or max(b / a for a, b in zip(lows[1:], lows, strict=False)) < 1.01
    for row in [*found["portfolio"], *found["programs"]]:
        assert row["proven"] or row["beyond"]
        if row["survives"] is not None:
            assert row["on_time_share"] >= 0.98 - 1e-9
        if row["fails"] is not None:
            assert row["on_time_limit"] < 0.98
            assert row["why"]
    assert all(found["probes"].values())


def test_without_time_nothing_is_claimed():
    case = case_of(read_portfolio("instances/tiny"))
    situation = case.quick_situation(Growth(1.5))
    search = Search(situation, "requalified", 0.98, [case.decision], case.solving)
    probe = searched(search, 0.0)
    assert probe.survives is None


def fake(survives):
    def ask(multiplier, seconds):
        return Probe(multiplier, None, None, survives(multiplier), None)

    return ask


def test_bisection_closes_in_from_both_sides():
    found = bracket(fake(lambda m: m <= 3.3), 5.0, 5.0)
    assert found.low.multiplier <= 3.3 < found.high.multiplier
    assert found.width <= 0.01
    assert found.monotone
    assert max(p.multiplier for p in found.samples) == pytest.approx(2 * found.high.multiplier)


def test_bisection_below_today_and_beyond_what_is_looked_at():
    found = bracket(fake(lambda m: m <= 0.3), 5.0, 5.0)
    assert found.low.multiplier <= 0.3 < found.high.multiplier
    assert bracket(fake(lambda m: True), 5.0, 5.0).high is None
    assert bracket(fake(lambda m: False), 5.0, 5.0).low is None


def test_what_is_not_settled_stays_open_between_the_ends():
    found = bracket(fake(lambda m: None if 1.5 < m < 1.7 else m <= 1.5), 0.5, 0.5)
    assert found.low.multiplier == pytest.approx(1.5, rel=0.01)
    assert found.high.multiplier == pytest.approx(1.7, rel=0.01)
    assert found.width > 0.01
    assert found.open
    assert bracket(fake(lambda m: None), 0.2, 0.2).low is None
    low_only = bracket(fake(lambda m: True if m <= 1.0 else None), 0.2, 0.2)
    assert low_only.low.multiplier == 1.0
    assert low_only.high is None


def test_service_that_comes_back_is_not_called_monotone():
    found = bracket(fake(lambda m: m <= 1.3 or 2.0 < m <= 3.0), 5.0, 5.0)
    assert not found.monotone
    assert found.lowest_fails == pytest.approx(1.3, rel=0.01)
    assert found.low.multiplier <= 3.0 < found.high.multiplier  # the largest that survives
    assert found.width <= 0.01
    assert bracket(fake(lambda m: m <= 1.3 or m > 2.0), 5.0, 5.0).high is None
    empty = Bracket()
    assert empty.monotone
    assert empty.width == float("inf")


def test_the_stretched_schedule_is_looked_at_in_even_steps(monkeypatch):
    """It fails at 1.2, survives from 1.25 to 1.33 again, and the ends alone would not show it."""
    monkeypatch.setattr(
        "allocator.growth.bisect.stretched_probe",
        lambda now, _: fake(lambda m: m < 1.15 or 1.25 < m < 1.33)(now.growth.demand, 0.0),
    )
    found = breakpoints(case_of(one_line()), Growth(2.0), 60.0)
    row = found["portfolio"][0]
    assert row["answer"] == "stretched"
    assert not row["monotone"]
    assert row["lowest_fails"] <= 1.2
    assert 1.3 <= row["survives"] < 1.33 <= row["fails"]
    assert row["proven"]
    assert found["portfolio"][1]["monotone"]


def test_an_end_that_differs_by_rounding_alone_is_not_taken_over():
    probe = Probe(2.0, 0.9, 0.9, False, "a plan")
    less = replace(probe, multiplier=2.0 * (1.0 - 1e-12))
    lower = replace(probe, multiplier=1.9)
    brackets = [Bracket(high=p) for p in (probe, probe, less, lower)]
    _share_highs(brackets[:3])
    assert brackets[1].high.decision == "a plan"
    _share_highs(brackets)
    assert brackets[1].high.multiplier == 1.9


def test_an_end_without_a_plan_is_explained_by_the_plan_below_it():
    case = case_of(one_line())
    low = Probe(2.0, 1.0, None, True, searched(
        Search(case.quick_situation(Growth(2.0)), "requalified", 1.0, [], case.solving), 10.0
    ).decision)  # fmt: skip
    found = Bracket(low=low, high=Probe(2.01, None, 0.99, False, None))
    none = np.zeros((2, 4))
    first, sentences = _why(case, Growth(2.0), "requalified", None, found, none)
    assert first["line_id"] == "L"
    assert "L is full" in sentences[0]
    assert _why(case, Growth(2.0), "requalified", None, Bracket(), none) == (None, [])


def test_weights_are_what_delay_costs_and_alike_where_it_costs_nothing():
    problem = small(programs=[{"shortage": 1.0}, {"shortage": 3.0, "demand": (0.0, 0.0)}])
    assert weights(problem).tolist() == [1.0 / 20.0, 0.0]
    problem = small(
        programs=[{"shortage": 0.0}, {"shortage": 0.0, "demand": (40.0, 40.0)}],
        offers=[{}, {"program": 1}],
    )
    assert (weights(problem) * problem.programs.demand.sum(1)).tolist() == [0.5, 0.5]


def test_a_rule_that_joins_parts_is_kept():
    """Two programs on lines of their own; one CMO is allowed, so the second keeps today's."""
    tables = portfolio(
        quarters(2),
        [program("A", (20.0, 20.0)), program("B", (20.0, 20.0))],
        [Cmo("J", "US"), Cmo("K", "EU")],
        [
            line("KA", "K", 2, days=(8.0, 8.0)),
            line("KB", "K", 2, days=(8.0, 8.0)),
            line("JA", "J", 2, days=(80.0, 80.0), dosage_forms=("tablet",)),
        ],
        [offer("A", "KA"), offer("B", "KB"), offer("A", "JA", price_per_batch=150.0)],
        replace(ALL, rules=(rule("max_cmos", limit=1),)),
    )
    tables = replace(
        tables, offers={k: replace(o, qualified=True) for k, o in tables.offers.items()}
    )
    case = case_of(tables)
    situation = case.quick_situation(Growth(3.0))
    probe = searched(Search(situation, "requalified", 0.7, [case.decision], case.solving), 10.0)
    assert probe.survives is False  # the parts alone would allow 5/6
    assert probe.limit == pytest.approx(4 / 6, abs=1e-4)
    search = Search(situation, "requalified", 0.66, [case.decision], case.solving)
    assert searched(search, 10.0).on_time == pytest.approx(4 / 6)
    free = replace(tables, policy=replace(tables.policy, rules=()))
    case = case_of(free)
    situation = case.quick_situation(Growth(3.0))
    probe = searched(Search(situation, "requalified", 0.8, [case.decision], case.solving), 10.0)
    assert probe.survives


def test_rules_that_no_plan_keeps_leave_no_service():
    case = case_of(one_line())
    for way in ("relax", "prove"):
        search = Search(case.quick_situation(Growth(1.5)), "requalified", 0.5, [], case.solving)
        assert search.probe().survives is None
        every = Rule("force", "none", banned=np.arange(len(search.room.problem.options.program)))
        search.room = replace(search.room, problem=replace(search.room.problem, rules=(every,)))
        getattr(search, way)(10.0)
        assert (search.limit, search.survives, search.best) == (0.0, False, None)


def test_a_plan_that_breaks_a_budget_does_not_survive():
    """Demand is met at twice the spend; the bound does not know the budget, the plan does."""
    free = case_of(one_line())
    situation = free.quick_situation(Growth(1.5))
    probe = searched(Search(situation, "requalified", 1.0, [], free.solving), 10.0)
    assert probe.survives
    tables = one_line(rules=(rule("budget", year=2027, limit=500.0),))
    case = case_of(tables)
    situation = case.quick_situation(Growth(1.5))
    probe = searched(Search(situation, "requalified", 1.0, [], case.solving), 10.0)
    assert probe.survives is None
    assert 0.0 < probe.on_time < 1.0
    assert probe.limit == pytest.approx(1.0)


@pytest.mark.parametrize("threads", [1, 2])
def test_both_sides_close_in_on_the_breakpoint_computed_by_hand(threads, monkeypatch):
    monkeypatch.setattr("allocator.growth.breakpoints.SMALL", 0)
    case = case_of(one_line())
    case = replace(case, solving=replace(case.solving, threads=threads))
    found = breakpoints(case, Growth(2.0), 60.0)
    for row in found["portfolio"]:
        low, high = ends(row)
        assert low <= 2.0 < high <= low * 1.01 * (1 + 1e-9), row["answer"]
        assert row["proven"]
        assert row["monotone"]
        assert row["breaks_first"]["line_id"] == "L"


def test_both_sides_agree_with_bisection_on_tiny(monkeypatch):
    case = case_of(read_portfolio("instances/tiny"))
    rows = {}
    for most in (0, 10**9):
        monkeypatch.setattr("allocator.growth.breakpoints.SMALL", most)
        rows[most] = breakpoints(case, Growth(2.0), 60.0)["portfolio"]
    for one, other in zip(rows[0], rows[10**9], strict=True):
        assert one["survives"] < other["fails"], one["answer"]
        assert other["survives"] < one["fails"], one["answer"]
        assert one["proven"]


class Scripted:
    """A search that finds plans up to `found`, proves failure from `proven` on, and looks near."""

    resumable = True

    def __init__(self, m, level, found, proven):
        self.multiplier, self.level, self.found, self.proven = m, level, found, proven
        self.share, self.limit, self.survives = level - 0.1 * (m - 1.0), None, None

    def find(self, seconds):
        if self.multiplier <= self.found:
            self.survives, self.share = True, self.level
        else:
            self.share = self.level - 0.1 * (self.multiplier - self.found)

    @property
    def settled(self):
        return self.survives is not None

    def exclude(self, seconds, leave):
        self.limit = self.level + 0.2 * (self.proven - self.multiplier)
        if self.multiplier >= self.proven:
            self.survives = False
        return True

    def probe(self):
        return Probe(self.multiplier, self.share, self.limit, self.survives, "a plan")


@pytest.mark.parametrize("slope", [None, 0.2])
def test_each_side_comes_as_close_as_its_searches_allow(slope, monkeypatch, tmp_path):
    case = case_of(one_line())
    asked = []

    def search(ask, situation):
        asked.append(situation.growth.demand)
        return Scripted(situation.growth.demand, ask.level, 1.5, 1.6)

    monkeypatch.setattr(PortfolioAsk, "search", search)
    monkeypatch.setattr("allocator.growth.sides.farthest", lambda ask, plan, m: None)
    until = time.time() + 20.0
    side = Side(case, "requalified", Growth(2.0), 1.0, 4.0, slope, (), until, str(tmp_path / "up"))
    (tmp_path / "up").mkdir()
    low = max(p.multiplier for p in ascend(side, None, None) if p.survives)
    assert 1.5 / 1.021 <= low <= 1.5
    ups, asked = asked, []
    side = replace(side, folder=str(tmp_path))
    high = min(p.multiplier for p in fall([side], None, None)[0] if p.survives is False)
    assert 1.6 <= high <= 1.6 * 1.021
    assert len(ups) <= 12
    assert len(asked) <= 16


def test_a_plan_that_falls_short_is_followed_down_as_soon_as_it_is_found(monkeypatch, tmp_path):
    case = case_of(one_line())

    class Finds(Scripted):
        better = None

        def find(self, seconds):
            self.better("a plan")
            assert Ends(tmp_path, 1.0, None).low == 1.4  # the other side knows while this goes on
            super().find(seconds)

    def search(ask, situation):
        return Finds(situation.growth.demand, ask.level, 1.0, 9.0)

    def reached(ask, plan, start):
        return Probe(1.4, ask.level, None, True, plan) if start <= 1.4 else None

    monkeypatch.setattr(PortfolioAsk, "search", search)
    monkeypatch.setattr("allocator.growth.sides.farthest", reached)
    until = time.time() + 20.0
    side = Side(case, "requalified", Growth(2.0), 1.0, 2.0, None, (), until, str(tmp_path))
    probes = ascend(side, None, None)
    assert probes[0].multiplier == 1.4
    assert probes[1].multiplier == pytest.approx(1.9)
    assert probes[1].survives is None
    assert max(p.multiplier for p in probes if p.survives) == 1.4


def test_sides_take_turns_in_one_process_and_end_where_they_meet(monkeypatch):
    case = case_of(one_line())
    monkeypatch.setattr("allocator.growth.closing.start_low", _known)
    monkeypatch.setattr("allocator.growth.closing.rise", _rise)
    monkeypatch.setattr("allocator.growth.closing.fall", _fall)
    loose = [Probe(2.0, None, 0.9, False, None), Probe(1.9, None, 0.999, None, None)]

    def closed_in():
        found = [Bracket(), Bracket()]
        asks = [PortfolioAsk(case, name, Growth(2.0), []) for name in ("requalified", "expanded")]
        with Crew(1) as crew:
            both_sides(asks, found, [loose, []], 20.0, crew)
        return [[p.multiplier for p in each.samples] for each in found]

    first, second = closed_in()
    assert first == [1.0, 2.0, 1.5, 1.75, 1.755]
    assert second == [1.0, 3.0, 2.0, 2.005]  # nothing failed for it: from 3.0 on by the plans' side
    monkeypatch.setattr("allocator.growth.closing.rise", _arrive)
    first, second = closed_in()
    assert first == [1.0, 2.0, 1.99]  # close enough: no proof is asked for


def _arrive(sides, progress, stop):
    return [[Probe(1.99, None, None, True, None)] for _ in sides]


def _known(ask, found):
    found.note(Probe(1.0, None, None, True, None))


def _rise(sides, progress, stop):
    failing = [Probe(3.0, None, None, False, None)]
    return [
        failing if s.high is None else [Probe((s.low + s.high) / 2.0, None, None, True, None)]
        for s in sides
    ]


def _fall(sides, progress, stop):
    return [
        [] if side.low < 1.6 else [Probe(side.low + 0.005, None, None, False, None)]
        for side in sides
    ]


def test_plans_of_one_answer_are_followed_in_the_next(monkeypatch, tmp_path):
    """The first answer finds a plan, which goes farther where more is allowed."""
    case = case_of(one_line())
    folders = [tmp_path / answer for answer in ANSWERS[1:3]]
    for folder in folders:
        folder.mkdir()

    def reached(ask, plan, start):
        m = {"rescheduled": 1.2, "requalified": 1.5}[ask.answer]
        return Probe(m, ask.level, None, True, plan) if plan == "a plan" and start <= m else None

    monkeypatch.setattr(
        PortfolioAsk,
        "search",
        lambda ask, situation: Scripted(situation.growth.demand, ask.level, 1.15, 9.0),
    )
    monkeypatch.setattr("allocator.growth.sides.farthest", reached)
    until = time.time() + 20.0
    sides = [
        Side(case, folder.name, Growth(2.0), 1.0, 2.0, None, (), until, str(folder))
        for folder in folders
    ]
    first, second = rise(sides, None, None)
    assert max(p.multiplier for p in first if p.survives) <= 1.2
    assert second[0].multiplier == 1.5
    assert Ends(folders[1], 1.0, 2.0).low == 1.5
    assert Ends(folders[1], 1.0, 2.0).plan == "a plan"


def test_proofs_of_all_answers_take_turns_and_the_last_gets_what_is_left(monkeypatch, tmp_path):
    """Each call works a second of a clock by hand; only half of the answers can be proven."""
    now, turns = [0.0], []
    monkeypatch.setattr("allocator.growth.descent.time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr("allocator.growth.descent.SLICE", 2.5)
    case = case_of(one_line())

    class Works(Scripted):
        def __init__(self, ask, m):
            super().__init__(m, ask.level, 1.0, 1.9 if ask.answer == "rescheduled" else 1.5)
            self.answer, self.steps = ask.answer, 0

        def exclude(self, seconds, leave):
            while self.steps < 4:
                now[0] += 1.0
                self.steps += 1
                turns.append(self.answer)
                if leave(self.level + 1e-3 / self.steps):
                    return True
            return super().exclude(seconds, leave)

    monkeypatch.setattr(
        PortfolioAsk, "search", lambda ask, situation: Works(ask, situation.growth.demand)
    )
    sides = []
    for answer in ANSWERS[1:]:
        (tmp_path / answer).mkdir()
        until = time.time() + 1e6
        folder = str(tmp_path / answer)
        sides.append(Side(case, answer, Growth(2.0), 1.45, 2.0, None, (), until, folder))
    found = fall(sides, None, None)
    assert turns[:9] == [a for a in ANSWERS[1:] for _ in range(3)]  # a slice for each first
    highs = [min(p.multiplier for p in each if p.survives is False) for each in found]
    assert 1.9 <= highs[0] <= 1.9 * 1.0051
    assert all(1.5 <= high <= 1.5 * 1.0051 for high in highs[1:])
    while_first = turns[9 : max(i for i, a in enumerate(turns) if a == "rescheduled")]
    assert "requalified" not in while_first
    assert 0.3 < while_first.count("expanded") / len(while_first) < 0.7


def test_a_proof_left_is_kept_while_others_further_up_are_had(tmp_path, monkeypatch):
    """Two proofs are left on the way up; once the one above is had, the higher one goes on."""
    case = case_of(one_line())
    begun = []

    class Slow(Scripted):
        def exclude(self, seconds, leave):
            self.limit = self.level + 0.2 * (1.5 - self.multiplier)
            if self.multiplier >= 1.7 or self in begun:
                self.survives = False
            else:
                begun.append(self)
            return True

    monkeypatch.setattr(
        PortfolioAsk,
        "search",
        lambda ask, situation: Slow(situation.growth.demand, ask.level, 1.0, 1.5),
    )
    until = time.time() + 100.0
    side = Side(case, "requalified", Growth(2.0), 1.2, 2.0, None, (), until, str(tmp_path))
    descent = Descent(side, None, None)
    assert descent.aim == pytest.approx(2.0 * (1.0 - FIRST_DOWN))
    kept = []
    while descent.going() and len(descent.own.probes) < 40:
        descent.step(10.0, 100.0)
        kept = max(kept, [search for search, _ in descent.paused], key=len)
    assert kept[:2] == begun[:2]  # the first one too, once another is left
    left = [s.multiplier for s in begun]
    fails = [p.multiplier for p in descent.own.probes if p.survives is False]
    assert len(left) >= 2
    assert max(left) in fails  # it was not begun anew


def test_the_slope_is_that_of_the_two_limits_next_to_the_level():
    limits = {1.0: 1.0, 1.2: 0.99, 1.3: 0.97, 2.0: 0.5}
    loose = [Probe(m, None, limit, None, None) for m, limit in limits.items()]
    assert slope_of(loose, 0.98) == pytest.approx(0.2)
    assert slope_of(loose[:1], 0.98) is None


def test_a_side_ends_what_the_other_has_settled(monkeypatch, tmp_path):
    """Proofs fail from 1.6 on; a plan comes to 1.55 while a proof is under way further down."""
    case = case_of(one_line())
    other = Ends(tmp_path, 1.0, 2.0)

    class Slow(Scripted):
        def __init__(self, ask, m):
            super().__init__(m, ask.level, 1.0, 1.6)
            self.over = ask.case.solving.stop

        def exclude(self, seconds, leave):
            super().exclude(seconds, leave)
            if self.survives is None:
                assert not self.over()
                other.tell(low=1.59)
                time.sleep(1.1 * LOOK_SECONDS)
                assert self.over()
            return True

    monkeypatch.setattr(
        PortfolioAsk, "search", lambda ask, situation: Slow(ask, situation.growth.demand)
    )
    until = time.time() + 200.0
    side = Side(case, "requalified", Growth(2.0), 1.0, 2.0, None, (), until, str(tmp_path))
    (probes,) = fall([side], None, None)
    assert min(p.multiplier for p in probes if p.survives is False) <= 1.59 * 1.01 * 1.0001
    assert time.time() < until - 100.0  # close enough: it does not use up its time
    assert Ends(tmp_path, 1.0, 2.0).met(0.01)


def test_ends_only_move_towards_each_other(tmp_path):
    one, two = Ends(tmp_path, 1.0, None), Ends(tmp_path, 1.2, None)
    assert (one.low, one.high) == (1.0, None)
    assert not one.met(0.5)
    two.tell(low=1.1, high=3.0)
    two.tell(high=4.0)
    time.sleep(1.1 * LOOK_SECONDS)
    assert (one.low, one.high) == (1.0, 3.0)  # 1.1 was no news to the one who told it
    two.tell(low=2.9)
    time.sleep(1.1 * LOOK_SECONDS)
    assert (one.low, one.high) == (2.9, 3.0)
    assert one.met(0.05)
    assert not one.met(0.01)


def paced(limits, seconds=100.0):
    pace = Pace(0.98)
    return [pace.hopeless(limit, i, seconds - i) for i, limit in enumerate(limits, 1)]


def test_a_proof_is_left_where_its_pace_is_too_slow():
    falling = [1.0 - 0.0002 * i for i in range(90)]  # there after 100 steps
    assert not any(paced(falling, 300.0))
    short = paced(falling, 60.0)
    assert short[20]
    assert not any(short[: int(SURE * 60.0)])
    standing = [0.99] * 40
    assert paced(standing)[20]
    # fast at first is not fast now
    assert paced([1.0, 0.985, *[0.9849] * 40])[30]
    assert not any(paced([0.98 + 0.9 * NEAR] * 40))  # so close it is waited for


def test_a_proof_goes_on_where_it_was_left():
    case = case_of(one_line())
    solving = replace(case.solving, solver="patterns")
    search = Search(case.quick_situation(Growth(2.1)), "requalified", 1.0, [], solving)
    limits = []
    assert search.exclude(10.0, lambda limit: limits.append(limit) is None and limit is not None)
    begun = search.apart
    assert search.exclude(10.0)
    assert search.apart is begun
    assert search.survives is False
    easy = Search(case.quick_situation(Growth(1.9)), "requalified", 1.0, [], solving)
    assert not easy.exclude(10.0)  # all was searched
    assert easy.survives is None


def test_a_proof_knows_the_plans_that_are_known_already():
    """A part that one of them serves as well as can be needs no more proof."""
    case = case_of(one_line())
    tight = case.quick_situation(Growth(2.3))
    plan = searched(Search(tight, "requalified", 0.5, [], case.solving), 10.0).decision
    solving = replace(case.solving, solver="patterns")
    search = Search(tight, "requalified", 1.0, [plan], solving)
    search.exclude(10.0)
    assert search.survives is False
    assert search.apart.items
    assert all(item.given for item in search.apart.items.values())


def test_a_plan_known_already_survives_as_far_as_it_goes():
    case = case_of(one_line())
    roomy = case.quick_situation(Growth(1.8))
    plan = searched(Search(roomy, "requalified", 1.0, [], case.solving), 10.0).decision
    ask = PortfolioAsk(case, "requalified", Growth(2.0), [])
    assert 1.79 <= farthest(ask, plan, 1.0).multiplier < 1.82
    assert farthest(ask, case.decision, 1.1) is None


@pytest.mark.parametrize("seed", range(5))
def test_one_program_is_served_as_well_as_brute_force_can(seed):
    """All options of one program, the others fixed: the exact share against every schedule."""
    rng = np.random.default_rng(seed)
    tables = portfolio(
        quarters(3),
        [program("A", tuple(float(d) for d in rng.integers(5, 30, 3))), program("B", (20.0,) * 3)],
        [Cmo("J", "US"), Cmo("K", "EU")],
        [
            line("LJ", "J", 3, days=tuple(float(d) for d in rng.integers(2, 9, 3))),
            line("LK", "K", 3, days=(10.0,) * 3, changeover_days=1.0),
        ],
        [
            offer("A", "LJ", qualified=bool(seed % 2), transfer_months_mode=3.0),
            offer("A", "LK", qualified=True),
            offer("B", "LK", qualified=True),
        ],
        replace(ALL, splits=(0.5, 0.7)),
    )
    case = case_of(tables)
    situation = case.quick_situation(program_growth(Growth(2.0), "A", 1.5))
    single = beside_others(situation, "requalified", 0)
    probe = own_probe(single, situation, 1.1)
    room = situation.room("requalified")
    problem = priced_service(room.problem)
    price = np.array([SCALE / problem.programs.demand[0].sum(), 0.0])
    problem = replace(problem, programs=replace(problem.programs, shortage_price=price))
    today = room.lower(case.decision)
    option = np.array([problem.options.start[0], today.option[1]])
    others = {f: n for f, n in today.batches.items() if problem.offers.program[f] == 1}
    taken = evaluate(problem, replace(today, option=option, batches=others)).used_days
    left = with_days(problem, problem.lines.days - taken)
    result = solve(left, "highs", Settings(gap=0.0, threads=1))
    assert probe.limit == pytest.approx(1.0 - result.objective / SCALE, abs=1e-6)
    assert probe.survives is False


def test_just_enough_batches_serve_as_much():
    problem = small(
        programs=[{"demand": (5.0, 25.0, 10.0), "opening": 8.0}], lines=[{"days": 100.0}]
    )
    stream = int(problem.options.first[1])
    most = np.array([2, 2, 2])
    few = just_enough(problem, stream, most)
    assert few.tolist() == [1, 2, 1]
    plan = Decision(np.array([1]), {0: few}, np.zeros(1, np.bool_))
    assert evaluate(problem, plan).shortage == 0.0


def test_a_better_plan_is_told_while_the_search_goes_on():
    case = case_of(one_line())
    solving = replace(case.solving, solver="patterns")
    search = Search(case.quick_situation(Growth(1.9)), "requalified", 1.0, [], solving)
    told = []
    search.better = told.append
    search.seek(10.0)
    assert search.survives
    assert told[-1] is search.best
    shares = [on_time(case.quick_situation(Growth(1.9)).problem, plan) for plan in told]
    assert shares == sorted(shares)


def test_a_proof_that_cannot_be_taken_up_again_leaves_time_to_the_others(monkeypatch, tmp_path):
    case = case_of(one_line())
    asked = []

    class Named(Scripted):
        resumable = False

        def exclude(self, seconds, leave):
            asked.append(seconds)
            return True

    monkeypatch.setattr(
        PortfolioAsk,
        "search",
        lambda ask, situation: Named(situation.growth.demand, ask.level, 1.0, 9.0),
    )
    until = time.time() + 100.0
    side = Side(case, "requalified", Growth(2.0), 1.0, 2.0, None, (), until, str(tmp_path))
    assert not fall([side], None, None)[0][-1].survives
    assert max(asked) <= 25.0
