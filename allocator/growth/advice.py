"""What the table of reservations says: which to hold and how it is contracted, as capacity.json.

Costs come with and without the contract; what to hold is chosen with it. For today's plan nothing
is signed, so reserving nothing more is one of the choices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from allocator.growth.breakeven import break_even, relative_demand
from allocator.growth.choice import Alternative, Choice
from allocator.growth.settings import (
    KINDS,
    DemandScenario,
    assumed_terms,
    contract_kinds,
    scenarios_given,
    terms,
)

if TYPE_CHECKING:
    from allocator.growth.case import Case, Situation
    from allocator.growth.reserve import Outcome, Reservation
    from models.problem import Floats


@dataclass(frozen=True)
class Table:
    """Reservations (rows) against scenarios; the first row is today's plan."""

    held: Sequence[Reservation]
    outcomes: Sequence[Sequence[Outcome]]
    odds: Sequence[float] | None
    kinds: Sequence[str]

    @cached_property
    def cost(self) -> Floats:
        """All cost but that of a contract, (rows, S)."""
        return np.array([[outcome.cost for outcome in row] for row in self.outcomes])

    def totals(self, row: int, kind: str | None) -> Floats:
        """All cost of a reservation under a contract in each scenario, (S,)."""
        if kind is None:
            return np.asarray(self.cost[row])
        number = KINDS.index(kind)
        return np.array([outcome.signed[number].total for outcome in self.outcomes[row]])

    @cached_property
    def choice(self) -> Choice:
        """Today's plan, and every other reservation under each kind of contract to choose among."""
        found = [Alternative(0, None, self.totals(0, None))]
        found += [
            Alternative(row, kind, self.totals(row, kind))
            for row in range(1, len(self.held))
            for kind in self.kinds
        ]
        return Choice(found, self.odds)


def advice(
    case: Case,
    found: Sequence[DemandScenario],
    situations: Sequence[Situation],
    held: Sequence[Reservation],
    outcomes: Sequence[Sequence[Outcome]],
) -> dict[str, Any]:
    """Costs and regrets, the choice, the days to reserve, and the contract terms."""
    policy = case.portfolio.policy
    odds = [s.probability for s in found if s.probability is not None]
    complete = odds if len(odds) == len(found) else None
    table = Table(held, outcomes, complete, contract_kinds(policy))
    best = table.choice.best()
    demands = [s.problem.programs.demand for s in situations]
    relative = relative_demand(case.compiled.problem, case.decision, demands)
    compared = best.reservation or _best_before_contracts(table)
    return {
        "criterion": table.choice.criterion,
        "assumed": assumed_terms(policy),
        "policy_terms": terms(policy),
        "scenarios_assumed": not scenarios_given(policy),
        "scenarios": [
            {
                "name": s.name,
                "demand": s.growth.demand,
                "relative_demand": None if relative is None else relative[number],
                "probability": s.probability,
            }
            for number, s in enumerate(found)
        ],
        "reservations": [_reservation(table, row) for row in range(len(held))],
        "choice": held[best.reservation].name,
        "contract": best.kind,
        "line_days": _line_days(case, held[best.reservation], held[0]),
        "terms_for": None if compared is None else held[compared].name,
        "terms": []
        if compared is None
        else _terms(table, compared, relative, case.compiled.problem.lines.ids),
    }


def _best_before_contracts(table: Table) -> int | None:
    """The reservation (row) beyond today's plan that would do best if contracts cost nothing."""
    rows = range(1, len(table.held))
    return min(rows, key=lambda row: table.choice.score(table.cost[row]), default=None)


def _reservation(table: Table, row: int) -> dict[str, Any]:
    """One reservation: without a contract, and under the one that is best for it."""
    outcomes, choice = table.outcomes[row], table.choice
    regret = table.cost[row] - table.cost.min(0)
    best = choice.best(row)
    with_regret = choice.regret(best.totals)
    return {
        "name": table.held[row].name,
        "line_days": float(table.held[row].days.sum()),
        "costs": [outcome.cost for outcome in outcomes],
        "bounds": [outcome.bound for outcome in outcomes],
        "shortages": [outcome.shortage for outcome in outcomes],
        "regrets": regret.tolist(),
        "worst_regret": float(regret.max()),
        "expected_cost": choice.expected(table.cost[row]),
        "contract": best.kind,
        "costs_with_contract": best.totals.tolist(),
        "regrets_with_contract": with_regret.tolist(),
        "worst_regret_with_contract": float(with_regret.max()),
        "expected_cost_with_contract": choice.expected(best.totals),
    }


def _terms(
    table: Table, row: int, relative: Sequence[float] | None, line_ids: Sequence[str]
) -> list[dict[str, Any]]:
    """Each kind of contract for a reservation, the best first by what the choice goes by."""
    choice = table.choice
    totals = {kind: table.totals(row, kind) for kind in KINDS}
    least = np.min(list(totals.values()), axis=0)
    lines = np.flatnonzero(table.held[row].days.sum(1) > 0).tolist()
    rows = []
    for number, kind in enumerate(KINDS):
        costs = totals[kind] - table.cost[row]
        saving = table.cost[0] - totals[kind]
        owed = np.array([outcome.signed[number].owed for outcome in table.outcomes[row]])
        rows.append(
            {
                "kind": kind,
                "costs": costs.tolist(),
                "owed": owed.sum(1).tolist(),
                "expected_cost": choice.expected(costs),
                "worst_cost": float(costs.max()),
                "worst_regret": float((totals[kind] - least).max()),
                "savings": saving.tolist(),
                "expected_saving": choice.expected(saving),
                "break_even_demand": None if relative is None else break_even(relative, saving),
                "lines": {line_ids[line]: owed[:, line].tolist() for line in lines},
            }
        )
    return sorted(rows, key=lambda r: (choice.score(totals[r["kind"]]), r["kind"]))


def _line_days(case: Case, chosen: Reservation, today: Reservation) -> list[dict[str, Any]]:
    """Line-days to reserve by line and period, and those of today's plan."""
    problem, lines = case.compiled.problem, case.portfolio.lines
    return [
        {
            "line_id": line_id,
            "cmo_id": lines[line_id].cmo_id,
            "period": label,
            "days": float(chosen.days[line, t]),
            "days_today": float(today.days[line, t]),
            "days_more": float(chosen.days[line, t] - today.days[line, t]),
        }
        for line, line_id in enumerate(problem.lines.ids)
        for t, label in enumerate(problem.period_labels)
        if chosen.days[line, t] > 0 or today.days[line, t] > 0
    ]
