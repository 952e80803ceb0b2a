"""Random decisions on random portfolios: the audit finds what `evaluate` calls broken, no more.

Two separate readings of docs/model.md, one in arrays and one in loops, have to agree on every
figure of every plan, feasible or not.
"""

from __future__ import annotations

import numpy as np
import pytest

from allocator.compile import Compiled, compile_problem
from allocator.generator import new
from allocator.read import read_portfolio
from models.evaluate import evaluate
from models.result import Decision, Result
from tests.allocator.audit.example import PERIODS, write_example, write_inputs

EVERY_RULE = """
[[rule]]
name = "max_cmos"
limit = 3
[[rule]]
name = "min_cmos"
limit = 3
[[rule]]
name = "max_programs"
limit = 2
per = "region"
[[rule]]
name = "max_spend_share"
share = 0.45
[[rule]]
name = "keep_incumbent"
[[rule]]
name = "sources_differ_by"
by = ["owner", "region", "shared_inputs"]
[[rule]]
name = "budget"
limit = {budget}
period = "each"
"""


def random_decision(compiled: Compiled, seed: int) -> Decision:
    """Any option of each program, a few batches now and then, some lines expanded."""
    problem, rng = compiled.problem, np.random.default_rng(seed)
    options, T = problem.options, problem.periods
    chosen = np.array(
        [
            rng.integers(options.start[p], options.start[p + 1])
            for p in range(len(options.start) - 1)
        ]
    )
    batches = {}
    for option in chosen:
        for stream in (options.first[option], options.second[option]):
            if stream >= 0:
                offer = int(problem.streams.offer[stream])
                first = int(problem.offers.ready[offer]) * int(rng.random() < 0.8)
                counts = rng.integers(0, 4, T) * (rng.random(T) < 0.3 * (seed % 3))
                batches[offer] = np.where(np.arange(T) >= first, counts, 0)
    return Decision(chosen, batches, rng.random(len(problem.lines.ids)) < 0.3)


def broken_rules(compiled: Compiled, broken: tuple[str, ...]) -> set[str]:
    """Names of the rules that `evaluate` lists as `label: what`."""
    names = {rule.label: rule.name for rule in compiled.problem.rules}
    found = set()
    for text in broken:
        label = text.split(": ")[0]
        early = "before it is ready" in text
        found.add("ready" if early else names.get(label, label))
    return found


@pytest.mark.parametrize("seed", range(16))
@pytest.mark.parametrize("periods", [5, 8])
def test_the_audit_finds_what_evaluate_calls_broken(tmp_path, seed, periods):
    folder = new(tmp_path / "in", 6, 4, periods, seed, utilisation=0.6 + 0.1 * (seed % 5))
    with (folder / "policy.toml").open("a") as policy:
        policy.write(EVERY_RULE.format(budget=1e6 * (1 + seed)))
    sourcing = (None, "single", "dual", "free")[seed % 4]
    compiled = compile_problem(read_portfolio(folder), sourcing)
    decision = random_decision(compiled, seed)
    value = evaluate(compiled.problem, decision)
    objective = value.objective
    result = Result("feasible", "time", decision, objective, objective - 1.0, "hand", 0.0)
    plan, _, report = write_example(None, folder, result=result, sourcing=sourcing)
    assert plan["objective"] == objective
    found = {finding.rule for finding in report.findings}
    assert found == broken_rules(compiled, value.broken), report.findings


def test_the_random_decisions_break_rules_and_keep_them(tmp_path):
    broken, kept = set(), 0
    for seed in range(16):
        folder = new(tmp_path / f"{seed}", 6, 4, 5, seed)
        compiled = compile_problem(read_portfolio(folder))
        rules = evaluate(compiled.problem, random_decision(compiled, seed)).broken
        broken |= broken_rules(compiled, rules)
        kept += "line_days" not in broken_rules(compiled, rules)
    assert {"ready", "line_days"} <= broken
    assert kept > 0


@pytest.mark.parametrize("seed", range(6))
def test_months_and_a_horizon_across_two_years_agree_as_well(tmp_path, seed):
    labels = ("2027-10", "2027-11", "2027-12", "2028-01", "2028-02", "2028-03")
    edits = [
        ("portfolio.csv", ",".join(PERIODS), ",".join(labels)),
        ("portfolio.csv", "900000,dual", "900000,"),
        ("offers.csv", "2,4,7,2,2,1.5,S2", "1,2,3,2,1,1.5,S2"),
    ]
    folder = write_inputs(tmp_path / "in", edits)
    compiled = compile_problem(read_portfolio(folder))
    decision = random_decision(compiled, seed)
    value = evaluate(compiled.problem, decision)
    result = Result("feasible", "time", decision, value.objective, None, "hand", 0.0)
    _, _, report = write_example(None, folder, result=result)
    found = {finding.rule for finding in report.findings}
    assert found == broken_rules(compiled, value.broken), report.findings
