"""Rules about cost: every line, every total, timeline risk, and what the objective proves."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from allocator.audit.case import Case, Key
from allocator.audit.report import money_tolerance, same, same_money
from allocator.audit.schema import CASH_LINES, COST_LINES, PROGRAM_LINES

Faults = Iterator[tuple[str, str]]


def _unlike(where: str, stated: float | None, due: float) -> Faults:
    if stated is None:
        yield where, "is missing"
    elif not same_money(stated, due):
        yield where, f"{stated:,.2f} is stated, {due:,.2f} follows"


def costs(case: Case) -> Faults:
    """Every cost line is what the decisions cost, in the plan, by program, and as booked."""
    for line in COST_LINES:
        yield from _unlike(
            f"cost_lines {line}", case.plan["cost_lines"][line], case.cost_line(line)
        )
    for program_id, entry in case.programs.items():
        for line in PROGRAM_LINES:
            due = case.program_costs.get((program_id, line), 0.0)
            yield from _unlike(f"{program_id} {line}", entry["costs"][line], due)
    if case.run.tables.get("costs") is not None:
        yield from _booked(case)


def _booked(case: Case) -> Faults:
    """The rows of costs.csv, one by one and summed by line."""
    due = expected_bookings(case)
    sums: dict[str, float] = defaultdict(float)
    for row in case.table("costs"):
        key = (row["line"], row["program_id"], row["cmo_id"], row["period"])
        sums[row["line"]] += row["amount"]
        if key in due:
            yield from _unlike(f"costs.csv {' '.join(filter(None, key))}", row["amount"], due[key])
    for line in COST_LINES:
        yield from _unlike(f"costs.csv {line}", sums[line], case.cost_line(line))


def expected_bookings(case: Case) -> dict[Key, float]:
    """Every row that costs.csv may have, with its amount."""
    risks = {("risk", pid, "", ""): money for pid, (_, _, money) in case.risks.items()}
    return case.bookings | risks


def totals(case: Case) -> Faults:
    """Cash, shortage and risk are the sums of their lines, and the objective is their sum."""
    plan = case.plan
    shortage = case.cost_line("shortage") + case.cost_line("safety_stock")
    due = {
        "cash_cost": sum(case.cost_line(line) for line in CASH_LINES),
        "shortage_cost": shortage,
        "risk_cost": case.cost_line("risk"),
    }
    due["objective"] = sum(due.values())
    for key, amount in due.items():
        yield from _unlike(key, plan[key], amount)


def service(case: Case) -> Faults:
    """Missing supply, late start and the share served on time are those of the programs."""
    facts, plan = case.facts, case.plan
    short = late = 0.0
    served: list[tuple[float, float]] = []
    for program_id in case.programs:
        program = case.portfolio.programs[program_id]
        unmet = case.unmet[program_id]
        short += unmet * facts.months_per_unit(program)
        late += case.risks[program_id][0]
        if sum(program.demand) > 0:
            busy = sum(quantity > 0 for quantity in program.demand)
            share = 1.0 - unmet / sum(program.demand)
            served.append((share, program.delay_cost_per_month * busy))
    due: dict[str, float | None] = {
        "months_short": short,
        "expected_delay_months": late,
        "on_time_share": _weighted(served),
    }
    for key, figure in due.items():
        stated = plan[key]
        alike = stated is None if figure is None else stated is not None and same(stated, figure)
        if not alike:
            yield key, f"{stated} is stated, {figure} follows"


def _weighted(served: list[tuple[float, float]]) -> float | None:
    """Weighted mean; plain where no program has a weight, None where there is no program."""
    if not served:
        return None
    if sum(weight for _, weight in served) <= 0:
        served = [(share, 1.0) for share, _ in served]
    return sum(share * weight for share, weight in served) / sum(weight for _, weight in served)


def risk(case: Case) -> Faults:
    """Months late, months lost and their money are those of the chosen option."""
    for program_id, entry in case.programs.items():
        late, lost, _ = case.risks[program_id]
        for key, due in (("late_months", late), ("lost_months", lost)):
            if not same(entry["risks"][key], due):
                yield f"{program_id} {key}", f"{entry['risks'][key]:g} is stated, {due:g} follows"
    for row in case.table("risk"):
        program_id = row["program_id"]
        if program_id not in case.risks:
            continue
        late, lost, money = case.risks[program_id]
        for key, due in (("late_months", late), ("lost_months", lost)):
            if not same(row[key], due):
                yield f"risk.csv {program_id} {key}", f"{row[key]:g} is stated, {due:g} follows"
        yield from _unlike(f"risk.csv {program_id} risk_cost", row["risk_cost"], money)
        yield from _dates(row)


def _dates(row: dict[str, Any]) -> Faults:
    """A sourced program has dates of first supply, P50 first, an unsourced one has none.

    What they are is not computed again: they enter no cost and no rule.
    """
    where, dates = f"risk.csv {row['program_id']}", (row["p50_date"], row["p90_date"])
    if row["option"] == "unsourced":
        if any(dates) or row["critical_step"]:
            yield where, "has a date of first supply without a source"
    elif not all(re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", date) for date in dates):
        yield where, f"{' and '.join(dates)} are no months by which it first supplies"
    elif dates[0] > dates[1]:
        yield where, f"{dates[0]} (P50) lies after {dates[1]} (P90)"


def bound(case: Case) -> Faults:
    """No plan costs less than its proven bound, and only a bound near enough proves an optimum."""
    plan = case.plan
    objective, least, gap = plan["objective"], plan["bound"], plan["gap"]
    if objective is None:
        return
    if least is None:
        if gap is not None:
            yield "gap", f"{gap:g} is stated without a bound"
        if plan["status"] == "optimal":
            yield "status", "optimal is stated without a bound"
        return
    if least > objective + money_tolerance(objective):
        yield "bound", f"{least:,.2f} lies above the objective {objective:,.2f}"
    reached = max(0.0, objective - least) / max(abs(objective), 1e-9)
    if gap is None or abs(gap - reached) > 1e-9 + 1e-6 * reached:
        yield "gap", f"{gap} is stated, objective and bound are {reached:g} apart"
    asked = max(plan["asked"]["gap"], 1e-6)
    if plan["status"] == "optimal" and reached > asked * (1.0 + 1e-9):
        yield "status", f"optimal is stated with a gap of {reached:g}, asked was {asked:g}"


RULES = (costs, totals, service, risk, bound)
