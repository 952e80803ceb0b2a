"""A plan, an audit and a list of findings on a terminal, in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

#: What each line of cost is called when people read it.
COST_NAMES = {
    "batches": "batches",
    "validation": "validation batches",
    "transfer": "technology transfer",
    "changeovers": "changeovers",
    "holding": "holding stock",
    "onboarding": "onboarding",
    "annual_fees": "annual fees",
    "take_or_pay": "take-or-pay shortfall",
    "expansions": "expansions",
    "rebates": "rebates",
    "shortage": "demand not met",
    "safety_stock": "safety stock missing",
    "risk": "timeline risk",
}


def money(amount: float | None) -> str:
    """Money for reading: thousands separated, cents only where it is small; `-` for none."""
    if amount is None:
        return "-"
    return f"{amount:,.2f}" if abs(amount) < 100 else f"{amount:,.0f}"


def percent(share: float | None, digits: int = 2) -> str:
    """A share as a percentage; `-` where there is none."""
    return "-" if share is None else f"{100 * share:.{digits}f} %"


def quantity(units: float) -> str:
    """A quantity for reading: thousands separated, never an exponent."""
    return f"{units:,.0f}" if abs(units) >= 1000 else f"{units:g}"


def verdict(plan: Mapping[str, Any], currency: str) -> str:
    """One or two sentences: what the plan costs and how sure that is."""
    if plan["status"] == "infeasible":
        rules = ", ".join(plan["conflict"])
        return (
            f"No plan: these rules cannot all hold: {rules}.\n"
            "Drop or loosen one of them in policy.toml; without any one of them the rest can hold."
        )
    if plan["status"] == "no_plan":
        return f"No plan was found before the limit ({plan['limit']}). Give more time."
    cost = f"{money(plan['objective'])} {currency}"
    bound = plan["bound"]
    if plan["status"] == "optimal":
        proof = f"proven within {percent(plan['gap'])} of the best possible"
        if plan["gap"] < 5e-5:
            proof = "proven to be the best possible"
    elif bound is None:
        proof = "feasible; how far it is from the best possible is not known"
    else:
        proof = f"feasible, at most {percent(plan['gap'])} above the best possible"
    if plan["limit"] is not None and plan["limit"] != "gap":
        proof += f" (stopped by: {plan['limit']})"
    floor = "" if bound is None else f" No plan can cost less than {money(bound)}."
    return f"Plan of {cost}, {proof}.{floor}"


#: What a secure plan promises, and why it may miss more demand than another.
SECURE = (
    "Secure: under every single outage that policy.toml names, each program keeps its service level"
    " of what this plan supplies. Where nothing can cover an outage yet, the plan promises less"
    " from the start, and that counts as missing. `allocator enablers` prices what would help;"
    " `from` in [secure] of policy.toml lets outages count from a later period on."
)


def show_plan(console: Console, plan: Mapping[str, Any], currency: str) -> None:
    """The whole plan: verdict, who makes what, what it costs, how full the lines are."""
    console.print(verdict(plan, currency), highlight=False)
    if plan["objective"] is None:
        return
    console.print(assignment_table(plan))
    console.print(cost_table(plan, currency))
    console.print(line_table(plan))
    homeless = [p["program_id"] for p in plan["programs"] if p["option"] == "unsourced"]
    if homeless:
        console.print(f"Without a source: {', '.join(homeless)}.", highlight=False)
    console.print(
        f"On time: {percent(plan['on_time_share'], 1)} of demand;"
        f" {plan['months_short']:.1f} months of supply missing in all;"
        f" late starts to expect beyond the plan: {plan['expected_delay_months']:.1f} months.",
        highlight=False,
    )
    if plan.get("sourcing") == "secure":
        console.print(SECURE, highlight=False)
    if plan["assumptions"]:
        console.print(
            f"{len(plan['assumptions'])} figures are assumed, not yours: see plan.json.",
            highlight=False,
        )
    audit = plan["audit"]
    word = "passed" if audit["passed"] else "FAILED"
    console.print(f"Audit {word}: every rule and every cost line was computed again.")


def assignment_table(plan: Mapping[str, Any]) -> Table:
    """Who makes what: one row per source."""
    table = Table(title="Who makes what", title_justify="left")
    for name, right in (
        ("program", False),
        ("source", False),
        ("line", False),
        ("share", True),
        ("batch size", True),
        ("batches", True),
        ("supplies from", False),
        ("months short", True),
    ):
        table.add_column(name, justify="right" if right else "left")
    for program in plan["programs"]:
        short = f"{program['months_short']:.1f}" if program["months_short"] > 0.05 else ""
        if not program["sources"]:
            table.add_row(program["program_id"], "no source", "", "", "", "", "", short)
        for place, source in enumerate(program["sources"]):
            table.add_row(
                program["program_id"] if place == 0 else "",
                source["cmo_id"],
                source["line_id"],
                percent(source["share"], 0),
                quantity(source["batch_size"]),
                str(sum(source["batches"].values())),
                source["first_supply_period"],
                short if place == 0 else "",
            )
    return table


def cost_table(plan: Mapping[str, Any], currency: str) -> Table:
    """Every line of cost that is not zero, and the three sums."""
    table = Table(title=f"What it costs ({currency})", title_justify="left")
    table.add_column("line")
    table.add_column("amount", justify="right")
    for line, amount in plan["cost_lines"].items():
        if abs(amount) > 0.005:
            table.add_row(COST_NAMES.get(line, line), money(amount))
    table.add_section()
    for name in ("cash_cost", "shortage_cost", "risk_cost", "objective"):
        table.add_row(name.replace("_", " "), money(plan[name]))
    return table


def line_table(plan: Mapping[str, Any]) -> Table:
    """How full each used line is, over the horizon and in its fullest period."""
    table = Table(title="How full the lines are", title_justify="left")
    for name in ("line", "CMO", "days used", "days offered", "mean", "fullest period"):
        table.add_column(name, justify="left" if name in ("line", "CMO") else "right")
    for line in plan["lines"]:
        days = line["days"]
        used = sum(day["used"] for day in days.values())
        offered = sum(day["offered"] for day in days.values())
        if used <= 0:
            continue
        label, share = max(
            ((t, d["used"] / d["offered"]) for t, d in days.items() if d["offered"] > 0),
            key=lambda pair: pair[1],
            default=("", 0.0),
        )
        name = line["line_id"] + (" (expanded)" if line["expanded"] else "")
        table.add_row(
            name,
            line["cmo_id"],
            f"{used:,.0f}",
            f"{offered:,.0f}",
            percent(used / offered if offered else None, 0),
            f"{label} {percent(share, 0)}",
        )
    return table


def show_rows(console: Console, title: str, columns: Sequence[str], rows: Iterable[Any]) -> None:
    """A small table of strings."""
    table = Table(title=title, title_justify="left")
    for name in columns:
        table.add_column(name)
    for row in rows:
        table.add_row(*[str(cell) for cell in row])
    console.print(table)
