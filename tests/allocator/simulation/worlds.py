"""Small plans worked out by hand, for tests of their futures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from allocator.compile import compile_problem
from allocator.portfolio import Cmo, OutageGroup, Policy, Portfolio
from allocator.replay import option_row
from allocator.simulation.case import Case, build_case
from allocator.simulation.draws import Draws
from models.result import Decision
from tests.allocator.portfolios import line, offer, portfolio, program, quarters

#: A year of 30 units a quarter: ten a month.
DEMAND = (30.0,) * 4


def world(offers, policy: Policy | None = None, cmos: int = 2, **changes) -> Portfolio:
    """One program P of 30 units a quarter for a year, lines L0, L1 at CMOs K0, K1."""
    makers = [Cmo(f"K{k}", "EU", outage_per_year=0.05, recover_months=6.0) for k in range(cmos)]
    return portfolio(
        quarters(4),
        [program("P", DEMAND, **changes)],
        makers,
        [line(f"L{k}", f"K{k}", 4, days=(1000.0,) * 4) for k in range(cmos)],
        offers,
        policy,
    )


def case_of(tables: Portfolio, batches: dict[str, tuple[int, ...]], share: float = 1.0) -> Case:
    """The plan that makes P from the named offers; the first carries `share`."""
    compiled = compile_problem(tables, "free")
    problem = compiled.problem
    rows = [problem.offers.ids.index(name) for name in batches]
    shares = [share, 1.0 - share][: len(rows)]
    found = option_row(problem, 0, list(zip(rows, shares, strict=True)))
    assert found is not None
    counts = dict(zip(rows, (np.array(n) for n in batches.values()), strict=True))
    expanded = np.zeros(len(problem.lines.ids), np.bool_)
    return build_case(compiled, Decision(np.array([found]), counts, expanded))


def calm(case: Case, futures: int = 1, **changes) -> Draws:
    """Futures in which nothing happens, but for `changes`."""
    classes, sources = case.strikes.shape[1], len(case.sources.offer)
    draws = Draws(
        slip=np.zeros((futures, sources)),
        slip_most=np.zeros(sources),
        out=np.zeros((futures, case.years, classes)),
        struck=np.zeros((futures, case.years, classes), np.int64),
        begins=np.zeros((futures, case.years)),
        demand=np.ones((futures, len(case.problem.programs.ids))),
    )
    return replace(draws, **changes)


def shared_api(probability: float = 0.03, months: float = 6.0) -> OutageGroup:
    return OutageGroup("shared_input", "API-1", probability, months)


def qualified(line_id: str, **changes):
    return offer("P", line_id, offer_id=f"P@{line_id}@10", qualified=True, **changes)


def transferred(line_id: str, **changes):
    months = {
        "transfer_months_low": 2.0,
        "transfer_months_mode": 3.0,
        "transfer_months_high": 9.0,
    }
    return offer("P", line_id, offer_id=f"P@{line_id}@10", **{**months, **changes})
