"""Enablers of a secure plan, each priced by solving."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

import allocator
from allocator.compile import compile_problem
from allocator.errors import NoPlan, RulesConflict, Usage
from allocator.outages import Enabler, enabler_search, enabling
from allocator.outages.enabler_changes import changes, full_lines, security_costs
from allocator.outages.enabler_search import Search
from allocator.outages.enabler_show import STATES, show_enablers
from allocator.read import read_portfolio
from models.evaluate import evaluate
from tests.allocator.outages.test_secure_run import POLICY_SECURE
from tests.allocator.outages.test_stress import LINES, inputs

OFFERS = """\
program_id,line_id,batch_size,price_per_batch,days_per_batch,yield,fail_rate,qualified,transfer_cost,transfer_months_low,transfer_months_mode,transfer_months_high,ppq_batches,filing_months,release_months
P1,L1,30,100,5,1,0,yes,,,,,,,0
P1,L2,30,100,5,1,0,no,50,5,6,7,1,0,0
P2,L2,30,100,5,1,0,yes,,,,,,,0
"""
POLICY = POLICY_SECURE.split("[[")[0]
KINDS = {"surge", "stock", "safety_stock", "qualification", "expansion"}


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return inputs(tmp_path_factory.mktemp("enablers"), offers=OFFERS, policy=POLICY)


@pytest.fixture(scope="module")
def found(tables, tmp_path_factory):
    out = tmp_path_factory.mktemp("enablers") / "out"
    return allocator.enablers(tables, solver="highs", gap=0.0, out=out)


def by_kind(report):
    return {enabler.kind: enabler for enabler in report.enablers}


def test_each_enabler_is_worth_what_it_saves(found, tmp_path):
    assert found.secure_objective > found.plain_objective
    assert found.given_up
    kinds = by_kind(found)
    assert set(kinds) == KINDS
    # what a month more of target is worth is what a plan with it costs less (or more)
    higher = inputs(tmp_path / "more", offers=OFFERS, policy=POLICY)
    table = higher / "portfolio.csv"
    rows = [row.split(",") for row in table.read_text().splitlines()]
    more = [[*rows[0], "safety_stock_months"]]
    more += [[*row, "1" if row[0] in found.security_costs else "0"] for row in rows[1:]]
    table.write_text("\n".join(",".join(row) for row in more) + "\n")
    again = allocator.run(higher, sourcing="secure", solver="highs", gap=0.0)
    saved = found.secure_objective - again.plan["objective"]
    assert kinds["safety_stock"].worth == pytest.approx(saved, abs=1e-3)
    assert kinds["qualification"].worth > 0
    # whatever only allows more can't cost: the plan without it counts too
    assert all(kinds[kind].worth >= -1e-6 for kind in ("surge", "qualification", "expansion"))
    assert found.secure_bound is not None
    assert found.secure_bound <= found.secure_objective


def test_enablers_are_ranked_by_what_they_save_beyond_their_price(found):
    kinds = by_kind(found)
    assert kinds["qualification"].price == 50 + 100
    # a month of 10 kg of each program, made at 100 for 30
    assert kinds["stock"].price == pytest.approx(2 * 10 * 100 / 30)
    assert kinds["safety_stock"].price == 0.0
    assert kinds["surge"].price is None
    for enabler in found.enablers:
        assert enabler.net == pytest.approx(enabler.worth - (enabler.price or 0.0))
    dear = Enabler("stock", "dear", 100.0, worth=120.0, net=20.0)
    good = Enabler("surge", "good", None, worth=50.0, net=50.0)
    some = [Enabler("surge", "unknown", None), dear, good]
    assert [e.what for e in sorted(some, key=enabling._order)] == ["good", "dear", "unknown"]


def test_each_saving_has_its_proof(found):
    """Searched to a gap of 0, no enabler can save more than it does."""
    for enabler in found.enablers:
        assert enabler.state == "searched"
        assert enabler.bound <= found.secure_objective - enabler.worth + 1e-6
        assert enabler.most >= enabler.worth
        assert enabler.most == pytest.approx(enabler.worth, abs=1e-3 * found.secure_objective)


def test_files_say_what_the_report_says(found):
    assert found.finished
    assert json.loads((found.folder / "enablers.json").read_text()) == found.data
    with (found.folder / "enablers.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["what"] for row in rows] == [enabler.what for enabler in found.enablers]
    for sourcing in ("free", "secure"):
        assert allocator.verify(found.folder / "plans" / sourcing).passed


def test_what_is_finished_is_taken_over(found, tables, monkeypatch):
    monkeypatch.setattr("models.secure.solve_secure", lambda *_: pytest.fail("solved again"))
    again = allocator.enablers(tables, solver="highs", gap=0.0, out=found.folder)
    assert again.data == found.data


def test_two_processes_find_what_one_finds(found, tables):
    two = allocator.enablers(tables, solver="highs", gap=0.0, threads=2)
    assert two.data == found.data
    assert two.folder is None


def test_a_stop_marks_what_was_not_searched_and_is_gone_on_from(found, tables, tmp_path):
    phases = []
    halted = allocator.enablers(
        tables,
        solver="highs",
        gap=0.0,
        out=tmp_path / "out",
        progress=lambda state: phases.append(state.phase),
        stop=lambda: any(phase.startswith("3 of") for phase in phases),
    )
    assert not halted.finished
    states = [enabler.state for enabler in halted.enablers]
    assert states.count("searched") == 1
    assert states[1:] == ["not_begun"] * (len(states) - 1)
    assert all(e.worth is None for e in halted.enablers if e.state == "not_begun")
    stream = io.StringIO()
    show_enablers(Console(file=stream, width=200), halted.data)
    shown = stream.getvalue()
    assert "Stopped early" in shown
    assert shown.count("not searched") == len(states) - 1
    whole = allocator.enablers(tables, solver="highs", gap=0.0, out=tmp_path / "out")
    assert whole.data == found.data


@pytest.mark.parametrize(
    ("limit", "seconds", "again"),
    [(None, 9.0, False), ("time", 5.0, False), ("time", 9.0, True), ("interrupt", 5.0, True)],
)
def test_a_search_goes_on_where_more_could_come_of_it(limit, seconds, again, found, tmp_path):
    asked = Search(next(iter(changes_of(found))), found.folder, "highs", 0.0, seconds, 0, tmp_path)
    assert enabler_search._whole(asked, {"plan": {"limit": limit}, "time_limit": 5.0}) != again


def changes_of(report):
    run = report.folder / "plans" / "secure"
    compiled = compile_problem(read_portfolio(run / "inputs", None), "secure")
    plan = json.loads((run / "plan.json").read_text())
    return changes(compiled, list(report.security_costs), full_lines(plan))


def test_a_search_begins_with_what_it_had(found, tmp_path, monkeypatch):
    change = next(c for c in changes_of(found) if c.kind == "qualification")
    base = found.folder / "plans" / "secure"
    asked = Search(change, base, "highs", 0.0, None, 0, tmp_path / "kept.json")
    plan = enabler_search.search(asked)
    content = json.loads(asked.cache.read_text())
    content["plan"]["limit"] = "interrupt"
    asked.cache.write_text(json.dumps(content))
    begun = []

    def watched(compiled, solver, settings, start):
        begun.append(evaluate(compiled.problem, start).objective)
        return real(compiled, solver, settings, start)

    real = enabler_search.secure_result
    monkeypatch.setattr(enabler_search, "secure_result", watched)
    assert enabler_search.search(asked)["objective"] == plan["objective"]
    assert begun == [plan["objective"]]


def test_programs_that_pay_for_security_without_giving_up_demand_are_tried():
    def plan(objective, **costs):
        programs = [{"program_id": i, "costs": {"batches": c}} for i, c in costs.items()]
        return {"objective": objective, "programs": programs}

    before, after = plan(60.0, A=10.0, B=20.0, C=30.0), plan(75.0, A=15.0, B=30.0, C=30.0)
    assert security_costs(before, after) == {"B": 10.0, "A": 5.0}


def test_an_expansion_costs_what_the_tables_say(tmp_path):
    head, one, two = LINES.splitlines()
    lines = f"{head},expansion_days,expansion_cost\n{one},4,700\n{two},,\n"
    where = inputs(tmp_path, offers=OFFERS, lines=lines, policy=POLICY)
    compiled = compile_problem(read_portfolio(where, None), "secure")
    own, share = list(changes(compiled, [], ["L1", "L2"]))[1:]
    assert own.price == 700.0
    assert own.portfolio.lines["L1"].days == (14.0,) * 4
    assert share.price is None
    assert share.portfolio.lines["L2"].days == (12.0,) * 4


def test_every_state_has_words():
    assert set(STATES) == {"searched", "stopped", "not_begun", "no_plan"}


def test_nothing_to_compare_with(tables):
    with pytest.raises(NoPlan, match="same --out"):
        allocator.enablers(tables, solver="highs", stop=lambda: True)
    with pytest.raises(Usage):
        allocator.enablers(tables, gap=-1.0)


def test_rules_that_cannot_hold_are_named(tmp_path):
    rule = '[[rule]]\nname = "force"\nlabel = "at K2"\nprograms = ["P1"]\ncmos = ["K2"]\n'
    rule += '[[rule]]\nname = "forbid"\nlabel = "not at K2"\nprograms = ["P1"]\ncmos = ["K2"]\n'
    with pytest.raises(RulesConflict, match="at K2"):
        allocator.enablers(inputs(tmp_path, offers=OFFERS, policy=POLICY + rule), solver="highs")


def test_a_plan_found_with_an_enabler_counts_without_it_where_it_is_secure(
    found, tables, monkeypatch
):
    """The search without finds only a dear plan: that is not what the enablers are worth."""
    real = allocator.outages.secure_result

    def unlucky(compiled, solver, settings, start=None):
        best = real(compiled, solver, settings, start)
        nothing = compiled.problem.options.start[:-1].copy()
        decision = replace(best.decision, option=nothing, batches={})
        dear = evaluate(compiled.problem, decision).objective
        return replace(best, decision=decision, objective=dear, status="feasible")

    monkeypatch.setattr("allocator.outages.secure_result", unlucky)
    again = allocator.enablers(tables, solver="highs", gap=0.0)
    assert again.secure_objective == pytest.approx(found.secure_objective)
    one, two = by_kind(found), by_kind(again)
    assert two["surge"].worth == pytest.approx(one["surge"].worth)
    assert two["qualification"].worth == pytest.approx(one["qualification"].worth)
