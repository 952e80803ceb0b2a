"""A growth report on a terminal, in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from allocator.growth.show_reserve import show_reserve
from allocator.show import money, percent

#: Lines and programs shown of each answer; all of them stand in capacity.json.
SHOWN = 8
#: Reasons shown of each answer.
REASONS = 3


def show_report(console: Console, data: Mapping[str, Any]) -> None:
    """The whole report: the four answers, then what else was asked for."""
    console.print(growth_words(data["growth"]), highlight=False)
    for note in data["notes"]:
        console.print(f"Note: {note}", highlight=False)
    console.print(answers_table(data))
    console.print("Audit: passed by today's plan and by each answer")
    for answer in data["answers"]:
        _answer(console, answer)
    if "breakpoints" in data:
        _breakpoints(console, data)
    if "slots" in data:
        _slots(console, data)
    if "reserve" in data:
        show_reserve(console, data)
    _actions(console, data)


def growth_words(growth: Mapping[str, Any]) -> str:
    """The growth in one sentence."""
    parts = [f"all demand x {growth['demand']:g}"]
    parts += [f"{form} x {factor:g}" for form, factor in growth["forms"].items()]
    parts += [f"{program} x {factor:g}" for program, factor in growth["programs"].items()]
    words = "Growth: " + ", ".join(parts)
    if growth["since"]:
        words += f", from {growth['since']} on"
    if growth["ramp"] > 1:
        words += f", in {growth['ramp']} steps"
    return words + "."


def answers_table(data: Mapping[str, Any]) -> Table:
    """Today's plan and the four answers side by side."""
    table = Table(title=f"Four answers ({data['currency']})", title_justify="left")
    columns = ("", "all cost", "no plan below", "gap", "cash", "demand not met", "months short")
    for name in (*columns, "on time"):
        table.add_column(name, justify="left" if not name else "right")
    rows = [data["today"], *data["answers"]]
    for number, answer in enumerate(rows):
        table.add_row(
            f"{number} {answer['name']}" if number else "today",
            money(answer["objective"]),
            money(answer["bound"]),
            percent(answer["gap"]),
            money(answer["cash_cost"]),
            money(answer["cost_lines"]["shortage"]),
            f"{answer['months_short']:.1f}",
            percent(answer["on_time_share"], 1),
            end_section=number == 0,
        )
    return table


def _answer(console: Console, answer: Mapping[str, Any]) -> None:
    """Fullest lines and losing programs of one answer."""
    lines = [
        f"{line['line_id']} {percent(line['utilisation'], 0)}"
        f" (fullest {line['fullest_period']}, {percent(line['fullest_utilisation'], 0)})"
        for line in answer["lines"][:SHOWN]
    ]
    lost = [
        f"{row['program_id']} {row['months_short']:.1f} months short"
        f" (today {row['months_short_today']:.1f})"
        for row in answer["losers"]
    ]
    title = f"{answer['name'].capitalize()}: {answer['title']}"
    console.print(f"\n{title}", style="bold", highlight=False)
    console.print(f"  fullest lines: {listed(lines)}", highlight=False)
    console.print(f"  programs that lose: {listed(lost)}", highlight=False)
    _reasons(console, answer["why"])
    if answer["expanded"]:
        console.print(f"  expanded: {', '.join(answer['expanded'])}", highlight=False)


def _reasons(console: Console, sentences: Sequence[str]) -> None:
    """The first sentences on what is short and why."""
    for sentence in sentences[:REASONS]:
        console.print(f"  {sentence}", highlight=False)
    if len(sentences) > REASONS:
        more = len(sentences) - REASONS
        console.print(f"  and {more} more reasons in capacity.json", highlight=False)


def _breakpoints(console: Console, data: Mapping[str, Any]) -> None:
    """How far demand can grow, for all of it and for single programs."""
    level = percent(data["service_level"], 1)
    table = Table(title=f"Growth that keeps {level} on time", title_justify="left")
    for name in ("", "survives", "fails", "breaks first"):
        table.add_column(name, justify="right" if name in ("survives", "fails") else "left")
    found = data["breakpoints"]
    titles = {answer["name"]: answer["title"] for answer in data["answers"]}
    for row in found["portfolio"]:
        table.add_row(row["answer"], *_ends(row), _first(row))
    console.print()
    console.print(table)
    shown: list[str] = []
    for row in found["portfolio"]:
        if row["why"] and row["why"] != shown:
            console.print(f"{titles[row['answer']]}, just above:", highlight=False)
            _reasons(console, row["why"])
            shown = row["why"]
    for row in (*found["portfolio"], *found["programs"]):
        if not row["monotone"]:
            console.print(_comes_back(row), highlight=False)
    single = Table(title="One program alone, the others as today", title_justify="left")
    for name in ("program", *("stretched", "re-scheduled", "requalified", "expanded")):
        single.add_column(name, justify="left" if name == "program" else "right")
    by_program: dict[str, list[str]] = {}
    for row in found["programs"]:
        by_program.setdefault(row["program_id"], []).append(_ends(row)[0])
    for program_id, cells in by_program.items():
        single.add_row(program_id, *cells)
    console.print(single)


def _slots(console: Console, data: Mapping[str, Any]) -> None:
    """What more days are worth, the most valuable first."""
    found = data["slots"]
    if not found["slots"]:
        console.print("\nNo line is in use, so no slot is valued.", highlight=False)
        return
    table = Table(title=f"What a slot is worth ({data['currency']})", title_justify="left")
    for name in ("line", "period", "slot", "worth at least", "at most", "LP hint"):
        table.add_column(name, justify="left" if name in ("line", "period", "slot") else "right")
    alike: dict[tuple[Any, ...], list[str]] = {}
    for row in found["slots"]:
        key = [row["line_id"], row["what"], row["days"], row["offer_id"], money(row["value_low"])]
        high = "-" if row["value_high"] is None else money(row["value_high"])
        alike.setdefault((*key, high, money(row["dual_hint"])), []).append(row["period"])
    for (line_id, kind, days, offer_id, low, high, hint), periods in alike.items():
        what = f"{days:g} line-days"
        if kind == "batch":
            what = f"1 batch of {offer_id.split('@')[0]} ({days:g} days)"
        more = f" or {len(periods) - 1} more" if len(periods) > 1 else ""
        table.add_row(line_id, periods[0] + more, what, low, high, hint)
    console.print()
    console.print(table)
    if found["valued"] < found["asked"]:
        words = f"{found['valued']} places, not {found['asked']}: no line in use has more periods."
        console.print(words, highlight=False)
    console.print(f"Kept: {found['kept']}. The LP's hint is no value.", highlight=False)


def _actions(console: Console, data: Mapping[str, Any]) -> None:
    """What to do by when, the soonest first, and the budget."""
    found = data["actions"]
    new = [row for row in found["actions"] if row["new"]]
    console.print("\nWhat the last answer asks for, beyond today's plan", style="bold")
    console.print(f"  {level_words(data)}", highlight=False)
    unmet = [
        f"{row['program_id']} {row['months_short']:.1f} months"
        + (" (given up)" if row["given_up"] else "")
        for row in found["unmet"]
    ]
    console.print(f"  stays unmet: {listed(unmet)}", highlight=False)
    surge = [row["line_id"] for row in new if "line_days" in row]
    if surge:
        first = min(row["latest"] for row in new if "line_days" in row)
        console.print(f"  from {first} on: agree surge on {listed(surge)}", highlight=False)
    steps = [row for row in new if "line_days" not in row]
    for row in steps[: 2 * SHOWN]:
        console.print(f"  by {row['latest']}: {row['what']}, {row['id']}", highlight=False)
    if not new:
        console.print("  nothing new")
    if len(steps) > 2 * SHOWN:
        console.print(f"  and {len(steps) - 2 * SHOWN} more in capacity.json", highlight=False)
    for row in found["budget"]:
        console.print(
            f"  {row['year']}: cash {money(row['cash'])}, today's plan {money(row['cash_today'])}",
            highlight=False,
        )


def level_words(data: Mapping[str, Any]) -> str:
    """Which plan the actions are from, and what keeping the service level costs."""
    found = data["actions"]
    level, share = percent(found["service_level"], 1), percent(found["on_time_share"], 1)
    if not found["keeps_level"]:
        none = "no plan keeps" if found["level_excluded"] else "no plan was found that keeps"
        return f"{none} {level} on time; the last answer has {share}"
    if found["answer"] != "level":
        return f"it keeps {level} on time: {share}"
    more = money(max(0.0, found["costs_more"]))
    return (
        f"from a plan of the same room that keeps {level} on time ({share});"
        f" keeping it costs {more} more than the last answer"
    )


def _ends(row: Mapping[str, Any]) -> tuple[str, str]:
    """Both ends of a breakpoint; what is not proven close enough has a question mark."""
    mark = "" if row["proven"] or row["beyond"] else " ?"
    low, high = row["survives"], row["fails"]
    survives = row["beyond"] or "-" if low is None else f"x {low:.3f}"
    if low is not None and high is None and row["beyond"]:
        survives = row["beyond"]
    return survives + mark, "-" if high is None else f"x {high:.3f}{mark}"


def _comes_back(row: Mapping[str, Any]) -> str:
    """That something smaller fails than what survives."""
    who = f"{row['program_id']} alone, " if row["program_id"] else ""
    return (
        f"Not monotone: {who}{row['answer']} fails at x {row['lowest_fails']:.3f} already,"
        f" though {_ends(row)[0]} survives."
    )


def _first(row: Mapping[str, Any]) -> str:
    """What breaks first, in a few words."""
    first = row["breaks_first"]
    if first is None:
        return "-"
    place = first["line_id"] or ", ".join(first["programs"][:3])
    return f"{place} in {first['period']}"


def listed(items: Sequence[str]) -> str:
    """The first items, and how many more there are."""
    if not items:
        return "none"
    more = len(items) - SHOWN
    return ", ".join(items[:SHOWN]) + (f" and {more} more" if more > 0 else "")
