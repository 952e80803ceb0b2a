"""Second sources on a terminal: the ranking with stock beside it, who is left out, the curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from allocator.show import money, percent
from allocator.tradeoff.show import signed

#: What is said of a program whose choice is `better` one of these.
STOCK_WORDS = {"stock": "stock", "site": "second source", "enough": "one is as safe"}
#: Why a program is not ranked.
REASONS = {
    "own_sourcing": "its row asks for its own sourcing",
    "unsourced": "it has no source in the plan with one source each",
    "no_pair": "the rules allow no two of its sources together",
    "no_fit": "no pair of its sources fits the rules beside the sources that the others keep",
    "time": "no plan with two sources was found in time (--trial-limit)",
    "stopped": "it was not tried before the stop",
}
#: What the columns of the ranking mean.
RANKING_WORDS = (
    "Risk removed goes by odds: of an outage the survivor makes up only what `surge` says, so"
    " without surge two sites lose as many months as one. At worst: what the program is short of in"
    " the worst outage of its own sources, whatever the odds, re-routed as in `allocator stress`,"
    " with one source and with two."
)


def show_second(console: Console, data: Mapping[str, Any]) -> None:
    """The ranking with stock beside it, the curve, and its knee."""
    currency = data["currency"]
    if not data["ranking"]:
        console.print("No program that leaves its sourcing open could get a second source.")
    else:
        console.print(ranking_table(data, currency))
        console.print(RANKING_WORDS, highlight=False)
        console.print(stock_table(data, currency))
    for line in left_out_lines(data["left_out"]):
        console.print(line, highlight=False, markup=False)
    console.print(curve_table(data, currency))
    console.print(knee_text(data), highlight=False)
    if not data["finished"]:
        console.print("Stopped early: run again with the same --out to go on.", highlight=False)


def left_out_lines(left_out: Sequence[Mapping[str, Any]]) -> list[str]:
    """Programs that are not ranked, a line per reason."""
    lines = []
    for reason, words in REASONS.items():
        names = [
            row["program_id"] + (f" ({', '.join(row['rules'])})" if row["rules"] else "")
            for row in left_out
            if row["reason"] == reason
        ]
        if names:
            lines.append(f"Not ranked: {', '.join(names)}: {words}.")
    return lines


def ranking_table(data: Mapping[str, Any], currency: str) -> Table:
    """What a second source of each program removes and costs, by odds and at worst."""
    title = f"Second sources by risk removed per money ({currency})"
    table = Table(title=title, title_justify="left")
    for name in ("program", "risk removed", "cost", "per money", "at worst, one", "at worst, two"):
        table.add_column(name, justify="left" if name == "program" else "right")
    for row in data["ranking"]:
        per_money = row["removed_per_money"]
        table.add_row(
            row["program_id"],
            money(row["risk_removed"]),
            signed(row["cost"]),
            "saves" if per_money is None else f"{per_money:.3f}",
            *[worst_text(row, sources) for sources in ("one", "two")],
        )
    return table


def stock_table(data: Mapping[str, Any], currency: str) -> Table:
    """The stock that makes one source as safe as two, beside the second source."""
    title = f"Stock that makes one source as safe as two ({currency})"
    table = Table(title=title, title_justify="left")
    for name in ("program", "months by odds", "at worst", "its cost", "second source", "better"):
        table.add_column(name, justify="left" if name in ("program", "better") else "right")
    for row in data["stock_or_site"]:
        table.add_row(
            row["program_id"],
            f"{row['extra_months_odds']:.1f}",
            f"{row['extra_months_worst']:.1f}",
            money(row["stock_cost"]),
            signed(row["site_cost"]),
            STOCK_WORDS[row["better"]] + ("" if row["shelf_life_allows"] else " (shelf life)"),
        )
    return table


def worst_text(row: Mapping[str, Any], sources: str) -> str:
    """Money that a program is short of at worst; `~` where the re-routing may not be the best."""
    return ("" if row[f"worst_proven_{sources}"] else "~") + money(row[f"worst_money_{sources}"])


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
