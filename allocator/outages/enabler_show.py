"""Enablers on a terminal: what security costs, what is given up for it, and what would help."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from allocator.show import money

#: What is said of an enabler in a state; nothing of one that was searched.
STATES = {
    "searched": "",
    "stopped": "stopped early",
    "not_begun": "not searched",
    "no_plan": "no plan found",
}
#: Programs named with what security costs them; all stand in enablers.json.
SHOWN = 6


def show_enablers(console: Console, data: Mapping[str, Any]) -> None:
    """The content of enablers.json in words and a table."""
    for line in _words(data):
        console.print(line, highlight=False, markup=False)
    console.print(enabler_table(data))
    if any(row["price"] is None for row in data["enablers"]):
        console.print(
            "Blank cost: the tables have no price; it is for you to set against the saving."
        )
    if not data["finished"]:
        console.print("Stopped early: run again with the same --out to go on.", highlight=False)


def _words(data: Mapping[str, Any]) -> Iterator[str]:
    more = data["secure_objective"] - data["plain_objective"]
    yield (
        f"A secure plan costs {money(data['secure_objective'])} {data['currency']},"
        f" {money(more)} more than one that need not be secure; it misses"
        f" {data['secure_months_short']:.1f} months of supply, that one"
        f" {data['plain_months_short']:.1f}."
    )
    costs = [f"{name} {money(cost)}" for name, cost in data["security_costs"].items()]
    if costs:
        rest = f" and {len(costs) - SHOWN} more" if len(costs) > SHOWN else ""
        yield f"Dearer for security's sake: {', '.join(costs[:SHOWN])}{rest}."
    if data["given_up"]:
        yield f"Supplied less, since it could not be kept: {', '.join(data['given_up'])}."
    if data["secure_bound"] is not None:
        doubt = data["secure_objective"] - data["secure_bound"]
        yield (
            f"No secure plan costs less than {money(data['secure_bound'])}: of a saving below"
            f" {money(doubt)}, a better plan without the enabler might have some too."
        )


def enabler_table(data: Mapping[str, Any]) -> Table:
    """A row per enabler; one whose search did not end has no figures that would look final."""
    table = Table(title=f"What would help ({data['currency']})", title_justify="left")
    for name in ("enabler", "saves", "at most", "costs", "less cost", "months missing", ""):
        table.add_column(name, justify="right" if name not in ("enabler", "") else "left")
    for row in data["enablers"]:
        short = row["months_short"]
        table.add_row(
            row["what"],
            money(row["worth"]),
            money(row["most"]),
            "" if row["price"] is None else money(row["price"]),
            money(row["net"]),
            "-" if short is None else f"{short:.1f}",
            STATES[row["state"]],
        )
    return table
