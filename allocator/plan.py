"""The content of plan.json and of the CSV files, from a solved problem (docs/files.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from allocator.plan_detail import Detail, detail, rebate_of, take_or_pay
from allocator.plan_tables import COLUMNS, assignment, option_name, plain, rows_of
from allocator.portfolio import Portfolio
from models.evaluate import CASH_LINES

if TYPE_CHECKING:
    from allocator.compile import Compiled
    from models.result import Result

SCHEMA = "allocator-plan/1"

#: The cost lines in the order they are shown; `cash_cost` sums those up to `rebates`.
COST_LINES = (*CASH_LINES, "shortage", "safety_stock", "risk")

#: The cost lines that belong to programs, as they stand with each program.
PROGRAM_LINES = (
    "batches",
    "validation",
    "transfer",
    "changeovers",
    "holding",
    "shortage",
    "safety_stock",
    "risk",
)


def build_plan(
    compiled: Compiled, result: Result, *, solver: str, sourcing: str | None, gap: float
) -> dict[str, Any]:
    """The content of plan.json, its `audit` still None.

    `solver`, `sourcing` (None: the policy's) and `gap` are what was asked. Where the result has no
    decision, every number is None and the lists are empty.
    """
    portfolio = compiled.portfolio
    plan: dict[str, Any] = {
        "schema": SCHEMA,
        "status": result.status,
        "limit": result.limit,
        "solver": result.solver or solver,
        "sourcing": sourcing or portfolio.policy.sourcing,
        "asked": {"solver": solver, "sourcing": sourcing, "gap": float(gap)},
        "currency": portfolio.policy.currency,
        "periods": [period.label for period in portfolio.periods],
        "objective": result.objective,
        "bound": result.bound,
        "gap": result.gap,
        **_no_figures(),
        "audit": None,
        "conflict": list(result.conflict),
        "assumptions": _assumptions(compiled),
        "programs": [],
        "cmos": [],
        "lines": [],
    }
    if result.decision is None:
        return plan
    spelt = detail(compiled.problem, result.decision)
    by_id = sorted(
        range(len(spelt.problem.programs.ids)), key=spelt.problem.programs.ids.__getitem__
    )
    programs = [_program(spelt, portfolio, p) for p in by_id]
    return plan | {
        **_figures(spelt, portfolio, programs),
        "programs": programs,
        "cmos": [_cmo(spelt, cmo_id, programs) for cmo_id in sorted(portfolio.cmos)],
        "lines": _lines(spelt, portfolio),
    }


def plan_tables(compiled: Compiled, result: Result) -> dict[str, list[dict[str, Any]]]:
    """Rows of each CSV file by its name without `.csv`; no rows where there is no plan."""
    if result.decision is None:
        return {name: [] for name in COLUMNS}
    return rows_of(detail(compiled.problem, result.decision), compiled)


def _no_figures() -> dict[str, Any]:
    return {
        "cash_cost": None,
        "shortage_cost": None,
        "risk_cost": None,
        "cost_lines": dict.fromkeys(COST_LINES),
        "months_short": None,
        "expected_delay_months": None,
        "on_time_share": None,
    }


def _figures(
    spelt: Detail, portfolio: Portfolio, programs: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """The figures of the whole plan."""
    value = spelt.value
    lines = value.cash | {
        "shortage": value.shortage,
        "safety_stock": value.safety_stock,
        "risk": value.risk,
    }
    return {
        "objective": plain(value.objective),
        "cash_cost": plain(value.cash_cost),
        "shortage_cost": plain(value.shortage_cost),
        "risk_cost": plain(value.risk),
        "cost_lines": {line: plain(lines[line]) for line in COST_LINES},
        "months_short": sum(program["months_short"] for program in programs),
        "expected_delay_months": sum(program["risks"]["late_months"] for program in programs),
        "on_time_share": _on_time_share(portfolio, programs),
    }


def _on_time_share(portfolio: Portfolio, programs: Iterable[Mapping[str, Any]]) -> float | None:
    """Share of demand served in its period: mean over programs, weighted by what delay costs.

    The weight is delay_cost_per_month x periods with demand; where all are 0, programs count
    alike. None where nothing is demanded.
    """
    shares: list[float] = []
    weights: list[float] = []
    for row in programs:
        program = portfolio.programs[row["program_id"]]
        wanted = sum(program.demand)
        if wanted > 0:
            shares.append(1.0 - row["unmet_units"] / wanted)
            busy = sum(quantity > 0 for quantity in program.demand)
            weights.append(program.delay_cost_per_month * busy)
    if not shares:
        return None
    if sum(weights) <= 0:
        weights = [1.0] * len(shares)
    return sum(s * w for s, w in zip(shares, weights, strict=True)) / sum(weights)


def _program(spelt: Detail, portfolio: Portfolio, p: int) -> dict[str, Any]:
    problem, streams = spelt.problem, spelt.streams_of(p)
    option = int(spelt.decision.option[p])
    sources = []
    for stream in streams:
        if stream.offer is None:
            continue
        row = assignment(spelt, portfolio, stream)
        del row["program_id"], row["option"]
        row["batches"] = {
            label: int(n)
            for label, n in zip(problem.period_labels, stream.batches, strict=True)
            if n
        }
        sources.append(row)
    unmet = plain(spelt.value.program_unmet[p])
    return {
        "program_id": problem.programs.ids[p],
        "option": option_name(streams),
        "sources": sources,
        "months_short": unmet * plain(problem.programs.months_per_unit[p]),
        "unmet_units": unmet,
        "costs": {line: plain(spelt.cost_of(p, line)) for line in PROGRAM_LINES},
        "risks": {
            "late_months": plain(problem.options.late_months[option]),
            "lost_months": plain(problem.options.lost_months[option]),
        },
    }


def _cmo(spelt: Detail, cmo_id: str, programs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    problem, value = spelt.problem, spelt.value
    k = problem.cmos.ids.index(cmo_id)
    engaged = bool(value.engaged[k])
    years = list(enumerate(problem.year_labels))
    return {
        "cmo_id": cmo_id,
        "programs": [
            program["program_id"]
            for program in programs
            if any(source["cmo_id"] == cmo_id for source in program["sources"])
        ],
        "engaged": engaged,
        "onboarding": plain(problem.cmos.onboarding_cost[k] * engaged),
        "annual_fees": plain(problem.cmos.fees[k] * engaged),
        "spend": {label: plain(value.spend[k, y]) for y, label in years},
        "take_or_pay": {label: plain(take_or_pay(spelt, k, y)) for y, label in years},
        "rebate": {label: plain(rebate_of(spelt, k, y)) for y, label in years},
    }


def _lines(spelt: Detail, portfolio: Portfolio) -> list[dict[str, Any]]:
    """Used and free days of every line, and whether it is expanded."""
    problem = spelt.problem
    batch, changeover, validation = spelt.line_use
    lines = []
    for line_id in sorted(portfolio.lines):
        row = problem.lines.ids.index(line_id)
        offered = problem.lines.days[row] + spelt.expansion_days(row)
        used = batch[row] + changeover[row] + validation[row]
        lines.append(
            {
                "line_id": line_id,
                "cmo_id": portfolio.lines[line_id].cmo_id,
                "expanded": bool(spelt.decision.expanded[row]),
                "days": {
                    label: {
                        "offered": plain(offered[t]),
                        "used": plain(used[t]),
                        "free": plain(offered[t] - used[t]),
                    }
                    for t, label in enumerate(problem.period_labels)
                },
            }
        )
    return lines


def _assumptions(compiled: Compiled) -> list[dict[str, str]]:
    """Every default that stood in for a user's figure, and what compiling decided."""
    from allocator.defaults import assumptions
    from allocator.risk import risk_assumptions

    portfolio = compiled.portfolio
    notes = [
        *assumptions(portfolio),
        *risk_assumptions(portfolio, compiled.offer_ids),
        *compiled.notes,
    ]
    return [_note(note) for note in notes]


def _note(note: Any) -> dict[str, str]:
    """A note as `where` and `what`, from a pair, a mapping, an object or `where: what`."""
    if isinstance(note, str):
        where, colon, what = note.partition(": ")
        return {"where": where if colon else "", "what": what if colon else note}
    if isinstance(note, Mapping):
        return {"where": str(note["where"]), "what": str(note["what"])}
    if isinstance(note, tuple):
        return {"where": str(note[0]), "what": str(note[1])}
    return {"where": str(note.where), "what": str(note.what)}
