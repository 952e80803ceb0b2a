"""What to reserve, on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.table import Table

from allocator.show import money, percent

#: Lines shown, those that reserve most beyond today's plan first; all of them stand in the files.
SHOWN = 16


def show_reserve(console: Console, data: Mapping[str, Any]) -> None:
    """What each reservation costs, which one to hold, its line-days, and contracts for it."""
    found = data["reserve"]
    console.print()
    console.print(_costs(found, data["currency"]))
    for sentence in (_axis(found), _choice(found)):
        console.print(sentence, highlight=False)
    if found["contract"] is not None:
        console.print(_days(found["line_days"], data["periods"]))
        left = len({row["line_id"] for row in found["line_days"]}) - SHOWN
        if left > 0:
            words = f"and {left} more lines: --out writes them to reserve_line_days.csv"
            console.print(words, highlight=False)
    if found["terms"]:
        console.print(_terms(found, data["currency"]))
    console.print(_assumed(found), highlight=False)


def _costs(found: Mapping[str, Any], currency: str) -> Table:
    """All cost of each reservation in each scenario, the contract that is best for it paid."""
    title = f"All cost by what is reserved, its best contract paid ({currency})"
    table = Table(title=title, title_justify="left")
    for name in ("reserved for", "contract"):
        table.add_column(name)
    for scenario in found["scenarios"]:
        x = scenario["relative_demand"]
        name = scenario["name"] + ("" if x is None else f" (x {x:.2f})")
        table.add_column(name, justify="right")
    table.add_column("worst regret", justify="right")
    if _with_odds(found):
        table.add_column("expected", justify="right")
    for row in found["reservations"]:
        costs = [*row["costs_with_contract"], row["worst_regret_with_contract"]]
        if _with_odds(found):
            costs.append(row["expected_cost_with_contract"])
        table.add_row(row["name"], _kind(row["contract"]), *map(money, costs))
    return table


def _axis(found: Mapping[str, Any]) -> str:
    """What the multipliers of the scenarios are, and where the scenarios come from."""
    words = "x: the line-days that the whole horizon's demand asks for, against today's demand."
    if found["scenarios_assumed"]:
        words += " The scenarios are assumed: policy.toml has none."
    return words


def _choice(found: Mapping[str, Any]) -> str:
    """Which reservation to hold, and how it is contracted."""
    if found["contract"] is None:
        return f"Least {found['criterion']}: reserve nothing beyond today's plan."
    kind = _kind(found["contract"])
    return f"Least {found['criterion']}: reserve for {found['choice']!r}, under {kind}."


def _days(rows: Sequence[Mapping[str, Any]], periods: Sequence[str]) -> Table:
    """Line-days to reserve of each line, periods with as many together."""
    table = Table(title="Line-days to reserve", title_justify="left")
    for name in ("line", "in all", "more than today", "by period"):
        table.add_column(name, justify="right" if name in ("in all", "more than today") else "left")
    lines: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        lines.setdefault(row["line_id"], {})[row["period"]] = row
    more = {line: sum(r["days_more"] for r in cells.values()) for line, cells in lines.items()}
    for line in sorted(lines, key=lambda i: (-more[i], i))[:SHOWN]:
        days = [lines[line][p]["days"] if p in lines[line] else 0.0 for p in periods]
        spans = ", ".join(_spans(days, periods)) or "none"
        table.add_row(line, f"{sum(days):,.1f}", f"{more[line]:+,.1f}", spans)
    return table


def _spans(days: Sequence[float], periods: Sequence[str]) -> Iterator[str]:
    """Runs of periods that reserve as many days, in words; idle ones are left out."""
    cells = [
        (f"{day:.1f}".removesuffix(".0"), period) for day, period in zip(days, periods, strict=True)
    ]
    for amount, run in groupby(cells, key=lambda cell: cell[0]):
        labels = [label for _, label in run]
        if amount != "0":
            span = labels[0] if len(labels) == 1 else f"{labels[0]} to {labels[-1]}"
            yield f"{span}: {amount}"


def _terms(found: Mapping[str, Any], currency: str) -> Table:
    """What each contract costs at most, what the reservation saves net of it, and from when."""
    title = f"Contracts for {found['terms_for']!r}: saved against today's plan ({currency})"
    table = Table(title=title, title_justify="left")
    table.add_column("contract")
    table.add_column("costs at most", justify="right")
    for scenario in found["scenarios"]:
        table.add_column(f"saves, {scenario['name']}", justify="right")
    for name in ("expected", "pays from") if _with_odds(found) else ("pays from",):
        table.add_column(name, justify="right")
    for row in found["terms"]:
        sums = [row["worst_cost"], *row["savings"]]
        if _with_odds(found):
            sums.append(row["expected_saving"])
        table.add_row(_kind(row["kind"]), *map(money, sums), _pays_from(row))
    return table


def _pays_from(row: Mapping[str, Any]) -> str:
    """The demand from which the reservation pays; a dash where demand does not decide it."""
    if row["break_even_demand"] is not None:
        return f"x {row['break_even_demand']:.3f}"
    return "never" if max(row["savings"]) < 0 else "-"


def _assumed(found: Mapping[str, Any]) -> str:
    """The terms that nobody gave."""
    terms = [
        f"{name.replace('_', ' ')} {percent(found['policy_terms'][name], 0)}"
        for name in found["assumed"]
    ]
    if not terms:
        return "Terms: those of contracts.csv and policy.toml."
    return f"Assumed where contracts.csv has no other: {', '.join(terms)}."


def _with_odds(found: Mapping[str, Any]) -> bool:
    """Whether the scenarios have probabilities."""
    return all(scenario["probability"] is not None for scenario in found["scenarios"])


def _kind(kind: str | None) -> str:
    """A kind of contract in words."""
    return "none" if kind is None else kind.replace("_", " ")
