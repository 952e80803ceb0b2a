"""A finished run read back is the decision that was written."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import allocator
from allocator.compile import compile_problem
from allocator.errors import Usage
from allocator.replay import carried, read_finished
from models.evaluate import evaluate

TINY = Path(__file__).resolve().parents[2] / "instances" / "tiny"


@pytest.fixture
def run(tmp_path):
    allocator.run(TINY, solver="highs", gap=0.0, out=tmp_path / "run")
    return tmp_path / "run"


def test_the_decision_has_the_value_of_the_plan(run):
    read = read_finished(run)
    value = evaluate(read.compiled.problem, read.decision)
    assert value.broken == ()
    assert value.objective == pytest.approx(read.plan["objective"], rel=1e-12)


def test_a_scenario_and_asked_sourcing_count(tmp_path):
    scenario = tmp_path / "scenario.toml"
    scenario.write_text("[demand]\nall = 0.5\n")
    out = tmp_path / "run"
    allocator.run(TINY, solver="highs", sourcing="single", scenario=scenario, out=out)
    read = read_finished(out)
    value = evaluate(read.compiled.problem, read.decision)
    assert value.objective == pytest.approx(read.plan["objective"], rel=1e-12)
    assert (read.compiled.problem.options.second < 0).all()


def test_shares_in_either_order_are_one_option(run):
    plan = json.loads((run / "plan.json").read_text())
    for program in plan["programs"]:
        program["sources"].reverse()
    before = read_finished(run).decision
    (run / "plan.json").write_text(json.dumps(plan))
    assert read_finished(run).decision.option.tolist() == before.option.tolist()


@pytest.mark.parametrize("change", [{"offer_id": "P1@LX@50"}, {"share": 0.123}])
def test_a_plan_that_does_not_fit_its_tables_is_refused(run, change):
    plan = json.loads((run / "plan.json").read_text())
    plan["programs"][0]["sources"][0] |= change
    (run / "plan.json").write_text(json.dumps(plan))
    with pytest.raises(Usage, match="verify"):
        read_finished(run)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda plan: plan["programs"].pop(),
        lambda plan: plan["programs"].append({"program_id": "foreign", "sources": []}),
        lambda plan: plan.update(periods=[*plan["periods"][:-1], "2099Q4"]),
        lambda plan: plan["programs"][0]["sources"][0].update(offer_id="no such offer"),
    ],
)
def test_a_plan_about_something_else_is_refused(run, spoil):
    plan = json.loads((run / "plan.json").read_text())
    made = [row for row in plan["programs"] if row["sources"]]
    plan["programs"].sort(key=lambda row: row["program_id"] != made[0]["program_id"])
    spoil(plan)
    (run / "plan.json").write_text(json.dumps(plan))
    with pytest.raises(Usage, match="does not fit"):
        read_finished(run)


def test_a_decision_is_carried_to_tables_with_other_rows(run):
    read = read_finished(run)
    problem, tables = read.compiled.problem, read.compiled.portfolio
    used = {problem.offers.ids[f] for f, made in read.decision.batches.items() if made.any()}
    spare = next(i for i in problem.offers.ids if i not in used)
    rest = {i: offer for i, offer in tables.offers.items() if i != spare}
    fewer = compile_problem(replace(tables, offers=rest)).problem
    assert len(fewer.offers.ids) < len(problem.offers.ids)
    there = carried(problem, fewer, read.decision)
    assert there is not None
    value = evaluate(fewer, there)
    assert value.objective == pytest.approx(read.plan["objective"], rel=1e-12)
    back = carried(fewer, problem, there)
    assert back is not None
    assert back.option.tolist() == read.decision.option.tolist()


def test_a_decision_whose_offer_is_gone_is_not_carried(run):
    read = read_finished(run)
    problem, tables = read.compiled.problem, read.compiled.portfolio
    used = next(problem.offers.ids[f] for f, made in read.decision.batches.items() if made.any())
    rest = {i: offer for i, offer in tables.offers.items() if i != used}
    fewer = compile_problem(replace(tables, offers=rest)).problem
    assert carried(problem, fewer, read.decision) is None
