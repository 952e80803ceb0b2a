"""Second sources: each step the best there is, nested; the ranking, the knee, and stock instead."""

import csv
import json
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import allocator
from allocator.compile import compile_problem
from allocator.errors import RulesConflict, Usage
from allocator.portfolio import Cmo, Policy
from allocator.read import read_portfolio
from allocator.tradeoff import ranking as ranking_module
from allocator.tradeoff import second_sources
from allocator.tradeoff.limits import Limits
from allocator.tradeoff.second_report import RANKING, SecondPlan, knee, ranking
from allocator.tradeoff.stock_or_site import lost_months, stock_for
from allocator.tradeoff.tasks import Done
from models.evaluate import evaluate
from models.result import Result
from tests.allocator.outages.test_stress import inputs
from tests.allocator.portfolios import line, offer, portfolio, program, quarters
from tests.brute_force import brute_force

INSTANCES = Path(__file__).resolve().parents[3] / "instances"
TINY = INSTANCES / "tiny"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    out = tmp_path_factory.mktemp("second") / "out"
    return allocator.second(TINY, solver="highs", gap=0.0, trial_limit=None, out=out)


@pytest.fixture(scope="module")
def compiled():
    return compile_problem(read_portfolio(TINY, None), "free")


def test_each_step_is_the_best_of_all_plans_with_these_second_sources(tiny, compiled):
    order = [row["program_id"] for row in tiny.data["ranking"]]
    assert len(tiny.data["curve"]) == 1 + len(order)
    for n, row in enumerate(tiny.data["curve"]):
        limited = Limits(dual=tuple(order[:n])).apply(compiled)
        best, _ = brute_force(limited.problem)
        assert row["objective"] == pytest.approx(best)
        assert row["bound"] == pytest.approx(best, rel=2e-6)


def test_steps_are_nested(tiny):
    order = [row["program_id"] for row in tiny.data["ranking"]]
    for row in tiny.data["curve"]:
        plan = json.loads((tiny.folder / row["folder"] / "plan.json").read_text())
        dual = {p["program_id"] for p in plan["programs"] if p["option"] == "dual"}
        assert dual <= set(order[: row["second_sources"]])
        singles = set(order[row["second_sources"] :])
        assert not dual & singles
        assert allocator.verify(tiny.folder / row["folder"]).passed


def test_steps_of_cost_and_risk_are_differences(tiny):
    assert tiny.data["curve"][0]["cost_step"] is None
    for before, after in pairwise(tiny.data["curve"]):
        assert after["cost_step"] == pytest.approx(after["cost"] - before["cost"])
        assert after["risk_step"] == pytest.approx(after["risk"] - before["risk"])


def test_trials_are_the_best_with_all_other_sources_kept(tiny, compiled):
    """Other programs keep the options of the plan with single sources."""
    from allocator.replay import decision_of_plan
    from models.restrict import keep_options

    problem = compiled.problem
    plan = json.loads((tiny.folder / "plans" / "000" / "plan.json").read_text())
    base = decision_of_plan(problem, plan)
    start = evaluate(problem, base)
    options = problem.options
    for row in tiny.data["ranking"]:
        p = problem.programs.ids.index(row["program_id"])
        keep = np.zeros(len(options.program), np.bool_)
        keep[base.option] = True
        keep[options.program == p] = options.second[options.program == p] >= 0
        best, decision = brute_force(keep_options(problem, keep).problem)
        value = evaluate(keep_options(problem, keep).problem, decision)
        assert best == pytest.approx(value.objective)
        cost = value.cash_cost + value.shortage_cost - start.cash_cost - start.shortage_cost
        assert row["cost"] == pytest.approx(cost, abs=1e-4 * best)
        assert row["least_cost"] <= row["cost"] + 1e-6


def test_files(tiny):
    assert json.loads((tiny.folder / "second.json").read_text()) == tiny.data
    for name in ("ranking", "left_out", "curve", "stock_or_site"):
        with (tiny.folder / f"{name}.csv").open() as stream:
            assert len(list(csv.DictReader(stream))) == len(tiny.data[name])


def test_what_is_finished_is_taken_over(tiny, monkeypatch):
    monkeypatch.setattr("models.solve.solve", lambda *_: pytest.fail("solved again"))
    again = allocator.second(TINY, solver="highs", gap=0.0, trial_limit=None, out=tiny.folder)
    assert again.data == tiny.data


def test_a_stop_keeps_the_plan_with_single_sources():
    phases = []
    halted = allocator.second(
        TINY,
        solver="highs",
        gap=0.0,
        progress=lambda state: phases.append(state.phase),
        stop=lambda: any(phase.startswith("1 of") for phase in phases),
    )
    assert not halted.data["finished"]
    assert halted.data["ranking"] == []
    assert len(halted.data["curve"]) == 1
    assert halted.folder is None


def test_no_more_steps_than_asked():
    few = allocator.second(TINY, most=1, solver="highs", gap=0.0)
    assert [row["second_sources"] for row in few.data["curve"]] == [0, 1]
    assert len(few.data["ranking"]) == 3


@pytest.mark.parametrize("wrong", [{"most": -1}, {"trial_limit": 0.0}, {"gap": -1.0}])
def test_bad_options_are_refused(wrong):
    with pytest.raises(Usage):
        allocator.second(TINY, **wrong)


def test_rules_that_cannot_hold_are_named():
    with pytest.raises(RulesConflict):
        allocator.second(INSTANCES / "infeasible", solver="highs")


def test_a_program_that_asks_for_its_sourcing_keeps_it():
    tables = read_portfolio(TINY, None)
    programs = dict(tables.programs)
    programs["P1"] = replace(programs["P1"], sourcing="dual")
    asked = compile_problem(replace(tables, programs=programs), "free")
    problem = Limits(dual=("P2",)).apply(asked).problem
    two = problem.options.second >= 0
    sourced = problem.options.first >= 0
    for p, wanted in enumerate((True, True, False)):
        mine = (problem.options.program == p) & sourced
        assert set(two[mine].tolist()) == {wanted}


def trial(cost, risk, least=None, one=0.0, two=0.0):
    found = dict.fromkeys(RANKING) | {"cost": cost, "risk": risk, "least_cost": least}
    return found | {"worst_money_one": one, "worst_money_two": two}


def test_ranking_puts_savings_first_and_useless_ones_last():
    found = ranking(
        {
            "dear": trial(110.0, 40.0),
            "saves": trial(95.0, 45.0, 90.0),
            "useless": trial(90.0, 50.0),
            "good": trial(105.0, 40.0),
            "spares little": trial(105.0, 50.0 - 1e-12, one=10.0, two=5.0),
            "spares": trial(105.0, 51.0, one=10.0, two=0.0),
        },
        {"cost": 100.0, "risk": 50.0},
    )
    names = [row["program_id"] for row in found]
    assert names == ["saves", "good", "dear", "spares", "spares little", "useless"]
    assert [row["removed_per_money"] for row in found[:3]] == [None, 2.0, 1.0]
    assert found[0]["least_cost"] == -10.0


def curve(*money):
    return [SecondPlan(tuple("abcdef"[:n]), c, r, "", {}) for n, (c, r) in enumerate(money)]


def test_knee_is_farthest_below_the_line():
    # removed 0.7 for 0.2 of the money at the first step, 0.9 for 0.5 at the second
    assert knee(curve((0, 100), (20, 30), (50, 10), (100, 0))) == 1
    assert knee(curve((0, 100), (40, 90), (60, 10), (100, 0))) == 2


@pytest.mark.parametrize(
    "steps",
    [[(0, 1), (1, 0)], [(0, 1), (1, 1), (2, 1)], [(2, 9), (1, 5), (0, 0)]],
    ids=["two steps", "no risk removed", "nothing paid"],
)
def test_a_curve_that_is_no_trade_has_no_knee(steps):
    assert knee(curve(*steps)) is None


def one_site(shelf=24.0, holding=1.0, **changes):
    """One site out in a tenth of the years for 6 months, beside one that is never out."""
    tables = portfolio(
        quarters(8),
        [
            program(
                "P",
                (30.0,) * 8,
                shelf_life_months=shelf,
                holding_cost_per_unit_month=holding,
                **changes,
            )
        ],
        [
            Cmo("K1", "EU", outage_per_year=0.1, recover_months=6.0),
            Cmo("K2", "US", outage_per_year=0.0, recover_months=6.0),
        ],
        [line("L1", "K1", 8), line("L2", "K2", 8)],
        [offer("P", "L1", qualified=True), offer("P", "L2", qualified=True)],
        Policy(),
    )
    return compile_problem(tables, "free")


def test_months_of_stock_by_hand():
    """0.1 x (6 - c) months a year over 2 years: half of 1.2 is left at 3 months."""
    case = one_site()
    assert lost_months(case, 0, 0, 0.0) == pytest.approx(1.2)
    row = stock_for(case, "P", "P@L1@10", 0.6, 0.0, 1000.0)
    assert row["lost_months_one"] == pytest.approx(1.2)
    assert row["cover_months"] == pytest.approx(3.0, abs=1e-5)
    # 10 a month: 30 units, held 24 months at 1, made at 100 for 10
    assert row["units"] == pytest.approx(30.0, rel=1e-5)
    assert row["holding_cost"] == pytest.approx(720.0, rel=1e-5)
    assert row["making_cost"] == pytest.approx(300.0, rel=1e-5)
    assert row["better"] == "site"
    assert stock_for(case, "P", "P@L1@10", 0.6, 0.0, 1100.0)["better"] == "stock"


def test_two_sources_that_lose_nothing_take_stock_for_the_whole_outage():
    row = stock_for(one_site(), "P", "P@L1@10", 0.0, 0.0, 1e9)
    assert row["cover_months"] == pytest.approx(6.0, abs=1e-5)


def test_shelf_life_can_forbid_the_stock():
    row = stock_for(one_site(shelf=2.0), "P", "P@L1@10", 0.6, 0.0, 1e9)
    assert not row["shelf_life_allows"]
    assert row["better"] == "site"


def test_stock_that_is_there_counts():
    row = stock_for(one_site(safety_stock_months=2.0), "P", "P@L1@10", 0.6, 0.0, 1e9)
    assert row["lost_months_one"] == pytest.approx(0.8)
    assert row["extra_months"] == pytest.approx(1.0, abs=1e-5)


def test_no_stock_is_needed_where_one_source_is_as_safe():
    row = stock_for(one_site(), "P", "P@L2@10", 0.6, 0.0, 100.0)
    assert row["better"] == "enough"
    assert row["extra_months"] == 0.0
    assert row["stock_cost"] == 0.0


def test_stock_covers_the_worst_outage_too():
    """By odds one source is as safe; in its worst outage the second one spares 40 units."""
    row = stock_for(one_site(), "P", "P@L2@10", 0.6, 40.0, 1e9)
    assert (row["extra_months_odds"], row["extra_months_worst"]) == (0.0, pytest.approx(4.0))
    assert row["units"] == pytest.approx(40.0)
    assert row["better"] == "stock"
    less = stock_for(one_site(), "P", "P@L1@10", 0.6, 20.0, 1e9)
    assert less["extra_months"] == pytest.approx(3.0, abs=1e-5)
    assert less["extra_months_worst"] == pytest.approx(2.0)


#: P1 may be made at K1, and at K2 after a transfer that takes no time; P2 only at K2.
TWO_SITES = """\
program_id,line_id,batch_size,price_per_batch,days_per_batch,yield,fail_rate,qualified,transfer_cost,transfer_months_low,transfer_months_mode,transfer_months_high,ppq_batches,filing_months,release_months
P1,L1,30,100,5,1,0,yes,,,,,,,0
P1,L2,30,100,5,1,0,no,500,0,0,0,0,0,0
P2,L2,30,100,5,1,0,yes,,,,,,,0
"""
ALIKE = """\
cmo_id,region,owner,country,recover_months
K1,EU,Alpha,DE,6
K2,US,Beta,US,6
"""
FREE = 'service_level = 0.9\nsourcing = "free"\n'


@pytest.fixture(scope="module")
def spared(tmp_path_factory):
    where = tmp_path_factory.mktemp("spared")
    tables = inputs(where / "in", offers=TWO_SITES, cmos=ALIKE, policy=FREE)
    return allocator.second(tables, solver="highs", gap=0.0, trial_limit=None, out=where / "out")


def test_the_worst_outage_stands_beside_what_the_odds_say(spared):
    """Without surge two sites lose as many months by the odds as one, but the worst is spared."""
    (row,) = spared.data["ranking"]
    assert row["program_id"] == "P1"
    assert row["risk_removed"] == pytest.approx(0.0, abs=1e-9)
    # K1 out for two quarters: 60 of 120 kg, 6 months at 1000; L2 has the days for all of P1
    assert (row["worst_outage_one"], row["worst_units_one"]) == ("cmo K1", pytest.approx(60.0))
    assert row["worst_money_one"] == pytest.approx(6000.0)
    assert (row["worst_outage_two"], row["worst_money_two"]) == (None, 0.0)
    assert row["worst_proven_one"]
    (stock,) = spared.data["stock_or_site"]
    assert stock["extra_months"] == pytest.approx(6.0)
    assert stock["better"] != "enough"


def test_the_worst_outage_is_that_of_the_stress_test(spared):
    report = allocator.stress(spared.folder / "plans" / "000", groups=["cmo"])
    short = [p.money for outage in report.outages for p in outage.programs if p.program_id == "P1"]
    assert spared.data["ranking"][0]["worst_money_one"] == pytest.approx(max(short))


def test_programs_without_a_pair_are_named(spared):
    assert spared.data["left_out"] == [{"program_id": "P2", "reason": "no_pair", "rules": []}]


def test_programs_whose_pairs_fit_no_rule_are_named(tmp_path):
    apart = FREE + '[[rule]]\nname = "not_together"\nlabel = "rivals"\nprograms = ["P1", "P2"]\n'
    tables = inputs(tmp_path / "in", offers=TWO_SITES, cmos=ALIKE, policy=apart)
    found = allocator.second(tables, solver="highs", gap=0.0, out=tmp_path / "out")
    assert found.data["left_out"] == [
        {"program_id": "P1", "reason": "no_fit", "rules": ["rivals"]},
        {"program_id": "P2", "reason": "no_pair", "rules": []},
    ]
    again = allocator.second(tables, solver="highs", gap=0.0, out=tmp_path / "out")
    assert again.data == found.data


@pytest.mark.parametrize(
    ("tried", "reason"), [({}, "stopped"), ({"P1": {"status": "no_plan"}}, "time")]
)
def test_what_was_not_tried_to_the_end_is_named(spared, tmp_path, tried, reason):
    plan = json.loads((spared.folder / "plans" / "000" / "plan.json").read_text())
    tables = read_portfolio(inputs(tmp_path, offers=TWO_SITES, cmos=ALIKE, policy=FREE), None)
    case = second_sources.Case(
        compile_problem(tables, "free"), None, None, tmp_path, None, tried=tried
    )
    case.base = Done(spared.folder, plan)
    assert case.left_out()[0] == {"program_id": "P1", "reason": reason, "rules": []}


def test_a_trial_without_a_plan_in_time_says_so(spared, tmp_path, monkeypatch):
    nothing = Result("no_plan", "time", None, None, None, "highs", 0.0)
    monkeypatch.setattr("models.solve.solve", lambda *_: nothing)
    base = spared.folder / "plans" / "000"
    asked = ranking_module.Trial(base, "P1", "highs", 1.0, 0, tmp_path / "P1.json")
    assert ranking_module.try_second(asked) == {"status": "no_plan", "conflict": []}
    assert ranking_module.try_second(asked, stop=lambda: True) is not None  # known from before
    other = replace(asked, program_id="P2")
    assert ranking_module.try_second(other, stop=lambda: True) is None


def test_a_trial_of_other_inputs_is_made_anew(spared, tmp_path, monkeypatch):
    """The plan may be the same and what is worked out from it not."""
    base = Path(shutil.copytree(spared.folder / "plans" / "000", tmp_path / "base"))
    asked = ranking_module.Trial(base, "P1", "highs", None, 0, tmp_path / "P1.json")
    known = ranking_module.try_second(asked)
    monkeypatch.setattr(ranking_module, "_solve", lambda *_: {"status": "infeasible"})
    assert ranking_module.try_second(asked) == known
    record = json.loads((base / "record.json").read_text())
    record["inputs"]["lines.csv"] = "0" * 64
    (base / "record.json").write_text(json.dumps(record))
    assert ranking_module.try_second(asked) == {"status": "infeasible"}


def test_no_plan_at_all_is_said(monkeypatch):
    from allocator.errors import NoPlan

    with pytest.raises(NoPlan, match="more time"):
        second_sources._refuse(None)
