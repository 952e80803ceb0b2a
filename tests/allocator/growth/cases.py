"""Growth cases that can be computed by hand, and random ones."""

from __future__ import annotations

from dataclasses import replace

from allocator.compile import compile_problem
from allocator.growth.case import Case, Solving
from allocator.portfolio import Cmo, Policy, Portfolio, Rule
from models.solve import Settings, solve
from tests.allocator.portfolios import line, offer, portfolio, program, quarters

#: What the hand-computed cases keep on time: everything.
ALL = Policy(service_level=1.0, risk_weight=0.0)


def case_of(tables: Portfolio, gap: float = 0.0) -> Case:
    """A case with today's plan solved."""
    compiled = compile_problem(tables, None)
    result = solve(compiled.problem, "highs", Settings(gap=gap, threads=1))
    assert result.decision is not None
    return Case(tables, None, compiled, result.decision, result, Solving("highs", gap))


def one_line(**policy: object) -> Portfolio:
    """One line of 100 days; A and B need 50 a quarter each, 5 batches of 10 in 5 days: 50 days.

    So the line is half full, and full when all demand doubles. A alone can grow threefold: 75 of
    the 100 days are left to it. An expansion adds 50 days from the second quarter on.
    """
    return portfolio(
        quarters(4),
        [program(p, (50.0,) * 4, holding_cost_per_unit_month=0.01) for p in ("A", "B")],
        [Cmo("K", "EU")],
        [
            line(
                "L",
                "K",
                4,
                days=(100.0,) * 4,
                expansion_days=50.0,
                expansion_cost=10.0,
                expansion_months=3.0,
            )
        ],
        [
            offer(p, "L", days_per_batch=5.0, price_per_batch=10.0, qualified=True)
            for p in ("A", "B")
        ],
        replace(ALL, **policy),  # type: ignore[arg-type]
    )


def two_sites(**policy: object) -> Portfolio:
    """A at K, which is full today; J can be qualified by the third quarter, and has much room."""
    return portfolio(
        quarters(4),
        [program("A", (100.0,) * 4)],
        [Cmo("J", "US", onboarding_cost=5.0), Cmo("K", "EU")],
        [line("LJ", "J", 4, days=(400.0,) * 4), line("LK", "K", 4, days=(50.0,) * 4)],
        [
            offer(
                "A",
                "LJ",
                days_per_batch=5.0,
                price_per_batch=10.0,
                transfer_cost=50.0,
                transfer_months_low=2.0,
                transfer_months_mode=4.0,
                transfer_months_high=6.0,
                filing_months=2.0,
            ),
            offer("A", "LK", days_per_batch=5.0, price_per_batch=10.0, qualified=True),
        ],
        replace(ALL, **policy),  # type: ignore[arg-type]
    )


def rule(name: str, label: str = "", **settings: object) -> Rule:
    return Rule(name, label or name, settings)
