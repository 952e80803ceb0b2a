"""The rows of the CSV files of a run (docs/files.md)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from allocator.plan_detail import Detail, Stream
from allocator.portfolio import Portfolio
from allocator.risk.dates import supply_dates

if TYPE_CHECKING:
    from allocator.compile import Compiled

Row = dict[str, Any]

#: File name without `.csv` -> its columns, in order.
COLUMNS: dict[str, tuple[str, ...]] = {
    "assignments": (
        "program_id",
        "option",
        "role",
        "cmo_id",
        "line_id",
        "offer_id",
        "batch_size",
        "share",
        "qualified",
        "ready_period",
        "first_supply_period",
        "batches",
    ),
    "batches": (
        "program_id",
        "cmo_id",
        "line_id",
        "offer_id",
        "period",
        "batches",
        "released",
        "demand",
        "served",
        "unmet",
        "stock",
        "scrap",
        "safety_target",
        "safety_gap",
    ),
    "utilisation": (
        "line_id",
        "cmo_id",
        "period",
        "offered_days",
        "expansion_days",
        "batch_days",
        "changeover_days",
        "validation_days",
        "used_days",
        "free_days",
    ),
    "costs": ("line", "program_id", "cmo_id", "period", "amount"),
    "risk": (
        "program_id",
        "option",
        "late_months",
        "lost_months",
        "risk_cost",
        "p50_date",
        "p90_date",
        "critical_step",
    ),
}

OPTION_NAMES = ("unsourced", "single", "dual")


def option_name(streams: list[Stream]) -> str:
    """`unsourced`, `single` or `dual`, from the streams of one program."""
    return OPTION_NAMES[sum(stream.offer is not None for stream in streams)]


def rows_of(plan: Detail, compiled: Compiled) -> dict[str, list[Row]]:
    """The rows of every table of a plan, sorted by ids and periods."""
    portfolio = compiled.portfolio
    by_id = sorted(range(len(plan.problem.programs.ids)), key=plan.problem.programs.ids.__getitem__)
    streams = [stream for p in by_id for stream in plan.streams_of(p)]
    return {
        "assignments": [assignment(plan, portfolio, stream) for stream in streams],
        "batches": [row for stream in streams for row in batch_rows(plan, stream)],
        "utilisation": list(utilisation_rows(plan, portfolio)),
        "costs": cost_rows(plan),
        "risk": [risk_row(plan, compiled, p) for p in by_id],
    }


def assignment(plan: Detail, portfolio: Portfolio, stream: Stream) -> Row:
    """Who makes what: one source of a program, blanks where it has none."""
    problem = plan.problem
    row: Row = dict.fromkeys(COLUMNS["assignments"], "")
    row["program_id"] = problem.programs.ids[stream.program]
    row["option"] = option_name(plan.streams_of(stream.program))
    if stream.offer is None:
        return row
    f, labels = stream.offer, problem.period_labels
    line = int(problem.offers.line[f])
    return row | {
        "role": stream.role,
        "cmo_id": problem.cmos.ids[int(problem.lines.cmo[line])],
        "line_id": problem.lines.ids[line],
        "offer_id": problem.offers.ids[f],
        "batch_size": float(portfolio.offers[problem.offers.ids[f]].batch_size),
        "share": stream.share,
        "qualified": bool(problem.offers.qualified[f]),
        "ready_period": labels[int(problem.offers.ready[f])],
        "first_supply_period": labels[int(problem.offers.first_supply[f])],
        "batches": int(stream.batches.sum()),
    }


def batch_rows(plan: Detail, stream: Stream) -> Iterator[Row]:
    """Batches and stock movements of one stream, a row per period."""
    problem = plan.problem
    ids = dict.fromkeys(("cmo_id", "line_id", "offer_id"), "")
    if stream.offer is not None:
        line = int(problem.offers.line[stream.offer])
        ids = {
            "cmo_id": problem.cmos.ids[int(problem.lines.cmo[line])],
            "line_id": problem.lines.ids[line],
            "offer_id": problem.offers.ids[stream.offer],
        }
    for t, label in enumerate(problem.period_labels):
        yield {
            "program_id": problem.programs.ids[stream.program],
            **ids,
            "period": label,
            "batches": int(stream.batches[t]),
            "released": plain(stream.released[t]),
            "demand": plain(stream.demand[t]),
            "served": plain(stream.demand[t] - stream.unmet[t]),
            "unmet": plain(stream.unmet[t]),
            "stock": plain(stream.stock[t]),
            "scrap": plain(stream.scrap[t]),
            "safety_target": plain(stream.target[t]),
            "safety_gap": plain(stream.safety_gap[t]),
        }


def utilisation_rows(plan: Detail, portfolio: Portfolio) -> Iterator[Row]:
    """Line-days offered, taken and free, a row per line of the portfolio and period."""
    rows = {line_id: row for row, line_id in enumerate(plan.problem.lines.ids)}
    for line_id in sorted(portfolio.lines):
        line, row = portfolio.lines[line_id], rows[line_id]
        for t, label in enumerate(plan.problem.period_labels):
            offered = plain(plan.problem.lines.days[row, t])  # with a surge where there is one
            added = plain(plan.expansion_days(row)[t])
            days = [plain(use[row, t]) for use in plan.line_use]
            used = days[0] + days[1] + days[2]
            yield {
                "line_id": line_id,
                "cmo_id": line.cmo_id,
                "period": label,
                "offered_days": offered,
                "expansion_days": added,
                "batch_days": days[0],
                "changeover_days": days[1],
                "validation_days": days[2],
                "used_days": used,
                "free_days": offered + added - used,
            }


def cost_rows(plan: Detail) -> list[Row]:
    """Every amount booked once, by line, program, CMO and period."""
    problem = plan.problem
    programs, cmos, labels = problem.programs.ids, problem.cmos.ids, problem.period_labels
    order = [*plan.value.cash, "shortage", "safety_stock", "risk"]
    rows: list[Row] = [
        {
            "line": booking.line,
            "program_id": "" if booking.program is None else programs[booking.program],
            "cmo_id": "" if booking.cmo is None else cmos[booking.cmo],
            "period": "" if booking.period is None else labels[booking.period],
            "amount": plain(booking.amount),
        }
        for booking in plan.bookings
    ]
    when = {label: t for t, label in enumerate(labels)}
    return sorted(
        rows,
        key=lambda r: (
            order.index(r["line"]),
            r["program_id"],
            r["cmo_id"],
            when.get(r["period"], -1),
        ),
    )


def risk_row(plan: Detail, compiled: Compiled, program: int) -> Row:
    """Timeline risk of the chosen option of a program; money is weighted as in the objective.

    Dates of first supply are blank where there is no source, the critical step where nothing waits.
    """
    options, option = plan.problem.options, int(plan.decision.option[program])
    dates = supply_dates(compiled, option)
    return {
        "program_id": plan.problem.programs.ids[program],
        "option": option_name(plan.streams_of(program)),
        "late_months": plain(options.late_months[option]),
        "lost_months": plain(options.lost_months[option]),
        "risk_cost": plain(plan.value.program_risk[program]),
        "p50_date": "" if dates is None else dates.p50_date,
        "p90_date": "" if dates is None else dates.p90_date,
        "critical_step": "" if dates is None else dates.critical_step or "",
    }


def plain(number: Any) -> float:
    """A numpy number as a Python float, without a negative zero."""
    return float(number) + 0.0
