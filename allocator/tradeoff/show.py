"""Comparisons on a terminal: plans as columns, figures as rows, the bridges below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from allocator.show import COST_NAMES, money, percent
from allocator.tradeoff.bridge import STEPS
from allocator.tradeoff.report import sources_text

#: Changes of source shown of each bridge; all of them stand in changes.csv.
SHOWN = 12
#: What is said of a program whose choice is `better` one of these.
STOCK_WORDS = {"stock": "stock", "site": "second source", "enough": "no stock needed"}


def show_comparison(console: Console, data: Mapping[str, Any]) -> None:
    """Everything that tells the plans apart."""
    scenarios = dict.fromkeys(plan["scenario"] for plan in data["plans"])
    for scenario in scenarios:
        plans = [plan for plan in data["plans"] if plan["scenario"] == scenario]
        bridges = [bridge for bridge in data["bridges"] if bridge["scenario"] == scenario]
        title = "Plans side by side" + ("" if len(scenarios) == 1 else f", {scenario}")
        console.print(plans_table(plans, f"{title} ({data['currency']})"))
        if bridges:
            console.print(bridge_table(bridges, data["currency"]))
        for bridge in bridges:
            console.print(changes_text(bridge), highlight=False)
    for note in data["notes"]:
        console.print(f"Note: {note}.", highlight=False)


def plans_table(plans: Sequence[Mapping[str, Any]], title: str) -> Table:
    """A column per plan."""
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for plan in plans:
        table.add_column(plan["policy"], justify="right")
    for name, cells in plan_rows(plans):
        if name:
            table.add_row(name, *cells)
        else:
            table.add_section()
    return table


def plan_rows(plans: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    """Names and cells of the rows; a blank name is a rule across the table."""
    rows = [
        ("status", [_status(plan) for plan in plans]),
        ("all cost", [money(plan["objective"]) for plan in plans]),
        ("no plan below", [money(plan["bound"]) for plan in plans]),
        ("gap", [percent(plan["gap"]) for plan in plans]),
        ("", []),
    ]
    for line, name in COST_NAMES.items():
        if any(abs(plan[line] or 0.0) > 0.005 for plan in plans):
            rows.append((name, [money(plan[line]) for plan in plans]))
    rows.append(("", []))
    for figure, name in (
        ("cash_cost", "cash"),
        ("shortage_cost", "shortage"),
        ("risk_cost", "risk"),
    ):
        rows.append((name, [money(plan[figure]) for plan in plans]))
    rows += [
        ("", []),
        ("months of supply missing", [_number(plan["months_short"], 1) for plan in plans]),
        ("late months to expect", [_number(plan["expected_delay_months"], 1) for plan in plans]),
        ("demand on time", [percent(plan["on_time_share"], 1) for plan in plans]),
        ("programs without / one / two", [_counts(plan) for plan in plans]),
        ("sources", [_number(plan["sources"]) for plan in plans]),
        ("CMOs engaged", [_number(plan["cmos_engaged"]) for plan in plans]),
        ("programs exposed to an outage", [_exposed(plan) for plan in plans]),
        ("worst outage", [plan["worst_outage"] or "not computed" for plan in plans]),
        ("what it costs", [money(plan["worst_outage_money"]) for plan in plans]),
    ]
    return rows


def _status(plan: Mapping[str, Any]) -> str:
    return "no plan found" if plan["status"] == "no_plan" else str(plan["status"])


def _number(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _counts(plan: Mapping[str, Any]) -> str:
    names = ("programs_unsourced", "programs_single", "programs_dual")
    return " / ".join(_number(plan[name]) for name in names)


def _exposed(plan: Mapping[str, Any]) -> str:
    if plan["exposed_programs"] is None:
        return "not computed"
    return f"{plan['exposed_programs']}" + ("" if plan["outages_proven"] else " or fewer")


def bridge_table(bridges: Sequence[Mapping[str, Any]], currency: str) -> Table:
    """What the next plan costs more, step by step; each column sums to its last row."""
    table = Table(title=f"From one plan to the next ({currency})", title_justify="left")
    table.add_column("")
    for bridge in bridges:
        table.add_column(f"{bridge['from']} to {bridge['to']}", justify="right")
    table.add_row("all cost before", *[money(bridge["start"]) for bridge in bridges])
    for step, name in STEPS.items():
        amounts = [bridge["steps"][step] for bridge in bridges]
        if any(abs(amount) > 0.005 for amount in amounts):
            table.add_row(name, *[signed(amount) for amount in amounts])
    table.add_section()
    table.add_row("all cost after", *[money(bridge["end"]) for bridge in bridges])
    return table


def signed(amount: float) -> str:
    """Money with its sign."""
    text = money(abs(amount))
    return text if float(text.replace(",", "")) == 0 else ("+" if amount > 0 else "-") + text


def changes_text(bridge: Mapping[str, Any]) -> str:
    """Which programs change source."""
    head = f"{bridge['from']} to {bridge['to']}: {len(bridge['changes'])} programs change source"
    lines = [
        f"  {change['program_id']}: {sources_text(change['from'])} -> {sources_text(change['to'])}"
        for change in bridge["changes"][:SHOWN]
    ]
    more = len(bridge["changes"]) - SHOWN
    if more > 0:
        lines.append(f"  and {more} more: changes.csv")
    return "\n".join([head + (":" if lines else "."), *lines])


def show_frontier(console: Console, data: Mapping[str, Any]) -> None:
    """The plans from the cheapest to the safest, and what the next money of safety costs."""
    table = Table(title=f"Cost against risk ({data['currency']})", title_justify="left")
    for name in (
        "",
        "cost",
        "risk",
        "no plan below",
        "gap",
        "price of risk",
        "one / two",
        "on time",
    ):
        table.add_column(name, justify="right" if name else "left")
    for row in data["points"]:
        price = row["price_of_risk"]
        table.add_row(
            str(row["number"]) + ("" if row["supported"] else " *"),
            money(row["cost"]),
            money(row["risk"]),
            money(row["bound"]),
            percent(row["gap"]),
            "" if price is None else f"{price:,.2f}",
            f"{row['programs_single']} / {row['programs_dual']}",
            percent(row["on_time_share"], 1),
        )
    console.print(table)
    console.print(
        "Cost is cash and shortage. Price of risk: money paid for each money of risk that the plan"
        " removes beyond the one above it.",
        highlight=False,
    )
    if any(not row["supported"] for row in data["points"]):
        console.print(
            "* above the line between its neighbours: no weight of risk makes it the best.",
            highlight=False,
        )
    if data["complete"]:
        console.print("No further plan of the kind is left between these.", highlight=False)
    if not data["finished"]:
        console.print("Stopped early: run again with the same --out to go on.", highlight=False)


def show_second(console: Console, data: Mapping[str, Any]) -> None:
    """The ranking with stock beside it, the curve, and its knee."""
    currency = data["currency"]
    if not data["ranking"]:
        console.print("No program that leaves its sourcing open could get a second source.")
    else:
        console.print(ranking_table(data, currency))
    console.print(curve_table(data, currency))
    console.print(knee_text(data), highlight=False)
    if not data["finished"]:
        console.print("Stopped early: run again with the same --out to go on.", highlight=False)


def ranking_table(data: Mapping[str, Any], currency: str) -> Table:
    """What a second source of each program removes and costs, and the stock that does as well."""
    title = f"Second sources by risk removed per money ({currency})"
    table = Table(title=title, title_justify="left")
    for name in (
        "program",
        "risk removed",
        "cost",
        "per money",
        "months of stock",
        "its cost",
        "better",
    ):
        table.add_column(name, justify="left" if name in ("program", "better") else "right")
    for row, stock in zip(data["ranking"], data["stock_or_site"], strict=True):
        per_money = row["removed_per_money"]
        months = f"{stock['extra_months']:.1f}"
        table.add_row(
            row["program_id"],
            money(row["risk_removed"]),
            signed(row["cost"]),
            "saves" if per_money is None else f"{per_money:.3f}",
            months if stock["shelf_life_allows"] else f"{months} (shelf life)",
            money(stock["stock_cost"]),
            STOCK_WORDS[stock["better"]],
        )
    return table


def curve_table(data: Mapping[str, Any], currency: str) -> Table:
    """One more second source per row."""
    table = Table(title=f"One more second source at a time ({currency})", title_justify="left")
    for name in (
        "",
        "program",
        "cost",
        "risk",
        "all cost",
        "no plan below",
        "gap",
        "+ cost",
        "+ risk",
    ):
        table.add_column(name, justify="left" if name == "program" else "right")
    for row in data["curve"]:
        mark = " <" if row["second_sources"] == data["knee"] else ""
        steps = [row["cost_step"], row["risk_step"]]
        table.add_row(
            f"{row['second_sources']}{mark}",
            row["program_id"] or "one source each",
            money(row["cost"]),
            money(row["risk"]),
            money(row["objective"]),
            money(row["bound"]),
            percent(row["gap"]),
            *["" if step is None else signed(step) for step in steps],
        )
    return table


def knee_text(data: Mapping[str, Any]) -> str:
    """Where to stop."""
    cheapest = f"All cost is least with {data['cheapest']} second sources."
    if data["knee"] is None:
        return f"The curve has no knee. {cheapest}"
    return f"Knee of the curve (<): {data['knee']} second sources. {cheapest}"
