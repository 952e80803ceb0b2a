"""Comparisons on a terminal, a column per plan with bridges below; frontiers, a row per point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from allocator.show import COST_NAMES, money, percent
from allocator.tradeoff.bridge import STEPS
from allocator.tradeoff.figures import STRESS_GAP
from allocator.tradeoff.report import sources_text

#: Changes of source shown of each bridge; all of them stand in changes.csv.
SHOWN = 12


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
            console.print(changes_text(bridge), highlight=False, markup=False)
    for note in data["notes"]:
        console.print(f"Note: {note}.", highlight=False, markup=False)


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
        ("worst outage", [_worst(plan) for plan in plans]),
        ("what it costs", [_at_most(plan) for plan in plans]),
        ("at least", [money(plan["worst_outage_bound"]) for plan in plans]),
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


def _worst(plan: Mapping[str, Any]) -> str:
    if plan["exposed_programs"] is None:
        return "not computed"
    if plan["worst_outage"] is None:
        return "none"
    return ("" if plan["worst_outage_proven"] else "perhaps ") + str(plan["worst_outage"])


def _at_most(plan: Mapping[str, Any]) -> str:
    """What the worst outage costs, `at most` where more than the gap is left to prove."""
    amount = plan["worst_outage_money"]
    if amount is None:
        return "-"
    open_ = amount - plan["worst_outage_bound"] > STRESS_GAP * amount
    return ("at most " if open_ else "") + money(amount)


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
    console.print(frontier_text(data), highlight=False)


def frontier_text(data: Mapping[str, Any]) -> str:
    """Whether a point may be missing, and what would tell."""
    if not data["finished"]:
        return "Stopped early: run again with the same --out to go on."
    if data["complete"]:
        return "No further plan of the kind is left between these."
    wide = [row["gap"] for row in data["points"] if (row["gap"] or 0.0) > data["asked"]["gap"]]
    text = "Not proven to be complete: further plans may lie between these"
    if len(data["points"]) >= data["asked"]["points"]:
        text += " (more --points)"
    if wide:
        text += (
            f"; {len(wide)} of {len(data['points'])} points are not proven within"
            f" {percent(data['asked']['gap'])}, at worst within {percent(max(wide))}, and cheaper"
            " plans of their risk may exist (more --time-limit)"
        )
    return f"{text}."
