"""A simulation as people read it on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from allocator.show import money, percent
from allocator.simulation.report import UNITS, SimulationReport
from allocator.simulation.spread import Spread

#: Programs listed one by one, the worst first.
LISTED = 20
COLUMNS = ("planned", "mean", "P5", "P50", "P90", "P95")


def show_simulation(console: Console, report: SimulationReport) -> None:
    """The portfolio's distribution, what drives it, the programs, and the check of the risk."""
    console.print(
        f"{report.futures:,} futures of the plan as it stands; nobody re-plans."
        f" Demand off by {percent(report.demand_error, 0)} (one standard deviation).",
        highlight=False,
    )
    console.print(portfolio_table(report))
    console.print(effect_table(report))
    console.print(program_table(report))
    for where, what in report.assumptions:
        console.print(f"Assumed: {where}: {what}.", highlight=False)
    for line in verdict(report):
        console.print(line, highlight=False)


def verdict(report: SimulationReport) -> list[str]:
    """Whether the exact risk figures lie where the futures say, and which do not."""
    agreement = report.agreement
    level, count = percent(agreement.confidence, 0), len(agreement.comparisons)
    off = [one for one in agreement.comparisons if not one.agrees]
    if not off:
        return [
            f"Exact risk and futures agree: all {count} figures lie in their intervals"
            f" ({level} confidence for all of them together)."
        ]
    return [f"{len(off)} of {count} exact figures lie outside their intervals ({level}):"] + [
        f"  {one.program_id} {one.figure}: {one.exact:.6g} exact,"
        f" {one.low:.6g} to {one.high:.6g} simulated"
        for one in off
    ]


def _table(title: str, first: str, columns: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(first, no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right")
    return table


def _cells(planned: float, one: Spread, scale: float | None = None) -> list[str]:
    """Months with one digit, money divided by `scale`."""
    figures = (planned, one.mean, one.p5, one.p50, one.p90, one.p95, one.cvar)
    return [f"{x:,.1f}" if scale is None else money(x / scale) for x in figures]


def _scale(report: SimulationReport) -> tuple[float, str]:
    """Money is shown in thousands where it is large, or the columns would not fit."""
    large = report.portfolio["cost"].cvar >= 1e6
    return (1e3, f"thousand {report.currency}") if large else (1.0, report.currency)


def portfolio_table(report: SimulationReport) -> Table:
    """One row per figure of the portfolio."""
    tail = f"CVaR {percent(report.cvar_level, 0)}"
    scale, unit = _scale(report)
    table = _table(f"The portfolio (money in {unit})", "figure", (*COLUMNS, tail))
    for name, one in report.portfolio.items():
        cells = _cells(report.planned[name], one, None if name in UNITS else scale)
        table.add_row(name.replace("_", " "), *cells)
    return table


def effect_table(report: SimulationReport) -> Table:
    """What each kind of chance does alone."""
    scale, _ = _scale(report)
    columns = ("mean months short", "mean cost")
    table = _table("What drives it, one chance at a time", "chance", columns)
    for effect in report.effects:
        table.add_row(effect.what, f"{effect.months_short:,.1f}", money(effect.cost / scale))
    return table


def program_table(report: SimulationReport) -> Table:
    """Months of missing supply of the programs, the worst tail first."""
    tail = f"CVaR {percent(report.cvar_level, 0)}"
    worst = sorted(report.programs, key=lambda i: (-report.programs[i]["months_short"].cvar, i))
    title = "Months of supply missing, and of late start (mean, P90)"
    if len(worst) > LISTED:
        title += f"; the {LISTED} worst of {len(worst)} programs"
    table = _table(title, "program", (*COLUMNS, tail, "late", "late P90"))
    for program_id in worst[:LISTED]:
        figures = report.programs[program_id]
        late = figures["delay_months"]
        planned = report.planned_programs[program_id]["months_short"]
        cells = _cells(planned, figures["months_short"])
        table.add_row(program_id, *cells, f"{late.mean:.1f}", f"{late.p90:.1f}")
    return table
