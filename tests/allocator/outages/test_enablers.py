"""Enablers of a secure plan, each priced by solving."""

from __future__ import annotations

from dataclasses import replace

import pytest

import allocator
from allocator.errors import NoPlan, Usage
from models.evaluate import evaluate
from tests.allocator.outages.test_secure_run import POLICY_SECURE
from tests.allocator.outages.test_stress import inputs

OFFERS = """\
program_id,line_id,batch_size,price_per_batch,days_per_batch,yield,fail_rate,qualified,transfer_cost,transfer_months_low,transfer_months_mode,transfer_months_high,ppq_batches,filing_months,release_months
P1,L1,30,100,5,1,0,yes,,,,,,,0
P1,L2,30,100,5,1,0,no,50,5,6,7,1,0,0
P2,L2,30,100,5,1,0,yes,,,,,,,0
"""


def test_each_enabler_is_worth_what_it_saves(tmp_path):
    tables = inputs(tmp_path, offers=OFFERS, policy=POLICY_SECURE.split("[[")[0])
    found = allocator.enablers(tables, solver="highs", gap=0.0)
    assert found.secure_objective > found.plain_objective
    assert found.given_up
    by_kind = {enabler.kind: enabler for enabler in found.enablers}
    assert set(by_kind) == {"surge", "stock", "safety_stock", "qualification", "expansion"}
    # what a month more of target is worth is what a plan with it costs less (or more)
    higher = inputs(tmp_path / "more", offers=OFFERS, policy=POLICY_SECURE.split("[[")[0])
    table = higher / "portfolio.csv"
    rows = [row.split(",") for row in table.read_text().splitlines()]
    more = [[*rows[0], "safety_stock_months"]]
    more += [[*row, "1" if row[0] in found.given_up else "0"] for row in rows[1:]]
    table.write_text("\n".join(",".join(row) for row in more) + "\n")
    again = allocator.enablers(higher, solver="highs", gap=0.0)
    saved = found.secure_objective - again.secure_objective
    assert by_kind["safety_stock"].worth == pytest.approx(saved, abs=1e-3)
    second = by_kind["qualification"]
    assert second.price == 50 + 100
    assert second.worth is not None
    assert second.worth > 0
    # whatever only allows more can't cost: the plan without it counts too
    assert all(by_kind[kind].worth >= -1e-6 for kind in ("surge", "qualification", "expansion"))
    assert found.secure_bound is not None
    assert found.secure_bound <= found.secure_objective
    worths = [enabler.worth for enabler in found.enablers]
    assert worths == sorted(worths, reverse=True)


def test_nothing_to_compare_with(tmp_path):
    tables = inputs(tmp_path, offers=OFFERS, policy=POLICY_SECURE.split("[[")[0])
    with pytest.raises(NoPlan):
        allocator.enablers(tables, solver="highs", stop=lambda: True)
    with pytest.raises(Usage):
        allocator.enablers(tables, gap=-1.0)


def test_a_plan_found_with_an_enabler_counts_without_it_where_it_is_secure(tmp_path, monkeypatch):
    """The search without finds only a dear plan: that is not what the enablers are worth."""
    from allocator.outages import enabling

    tables = inputs(tmp_path, offers=OFFERS, policy=POLICY_SECURE.split("[[")[0])
    best = allocator.enablers(tables, solver="highs", gap=0.0)
    search, calls = enabling._secure, []

    def unlucky(compiled, solver, settings, start=None):
        found = search(compiled, solver, settings, start)
        calls.append(compiled)
        if len(calls) > 1:
            return found
        nothing = compiled.problem.options.start[:-1].copy()
        decision = replace(found.decision, option=nothing, batches={})
        return replace(
            found, decision=decision, objective=evaluate(compiled.problem, decision).objective
        )

    monkeypatch.setattr(enabling, "_secure", unlucky)
    again = allocator.enablers(tables, solver="highs", gap=0.0)
    assert again.secure_objective == pytest.approx(best.secure_objective)
    one, two = ({e.kind: e.worth for e in each.enablers} for each in (best, again))
    assert two["surge"] == pytest.approx(one["surge"])
    assert two["qualification"] == pytest.approx(one["qualification"])
