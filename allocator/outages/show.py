"""A stress test on a terminal: the worst outages first, and what they mean."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from allocator.outages.results import OutageResult, StressReport
from allocator.show import money, percent

#: Groups listed; stress.csv has all of them.
MOST_ROWS = 25

MONEY = ("missed", "at least")

WORDS = {"yes": "kept", "no": "NOT kept", "open": "not proven"}


def show_stress(console: Console, report: StressReport) -> None:
    """Verdict, then a table with the worst start of each group."""
    for line in verdict(report):
        console.print(line, highlight=False)
    if report.outages:
        console.print(outage_table(report))
    hidden = len(report.by_group) - MOST_ROWS
    if hidden > 0:
        console.print(f"{hidden} groups that cost less are in stress.csv.", highlight=False)


def verdict(report: StressReport) -> list[str]:
    """A few sentences: does the plan hold, what is the worst, how long until someone is short."""
    count, level = len(report.outages), percent(report.service_level, 1)
    if not count:
        return ["Nothing that can stop takes anything from this plan."]
    lines = []
    if report.secure:
        lines.append(f"All {count} single outages keep every program at {level} of its demand.")
    elif report.secure is None:
        lines.append(
            f"No outage of {count} is proven to take a program below {level} of its demand,"
            " but not all are proven to be harmless."
        )
    else:
        broken = sum(result.kept == "no" for result in report.outages)
        lines.append(
            f"{broken} of {count} single outages take some program below {level} of its demand,"
            " whatever is re-routed."
        )
    if report.exposed:
        lines.append(
            f"Programs below {level} in the re-routings found, {len(report.exposed)} of"
            f" {report.programs}: {', '.join(report.exposed)}. Others may spare some of them,"
            " but where the level is not kept never all at once."
        )
    worst = report.worst
    if worst is not None and worst.money > 0:
        lines.append(_worst(worst, report.currency))
    if report.months_to_survive is not None:
        lines.append(
            "Time to survive: in these re-routings the first program is short after"
            f" {report.months_to_survive:.1f} months."
        )
    if report.on_trust:
        lines.append(
            f"{report.on_trust} of {count} outages rest on the MIP solver's word: `proven` is the"
            " share of `at least` that needs none, `*` marks levels that only it says are not kept."
        )
    if report.limit is not None:
        lines.append(f"Stopped by: {report.limit}. Gaps that are left stand in the table.")
    return lines


def _worst(worst: OutageResult, currency: str) -> str:
    """The dearest outage, with what is proven of it."""
    proof = f"no re-routing misses less than {money(worst.proven)}"
    if worst.bound_on_trust:
        proof += f", by the MIP solver's word {money(worst.bound)}"
    return (
        f"Worst: {worst.group.label} stops in {worst.start_period} for"
        f" {worst.group.recover_months:g} months: {money(worst.money)} {currency} of demand is"
        f" missed; {proof}."
    )


def outage_table(report: StressReport) -> Table:
    """One row per group, at the start that costs most."""
    title = "What stops, at its worst moment, and months and programs of the re-routing found"
    table = Table(title=title, title_justify="left")
    for name, right in (
        ("what stops", False),
        ("from", False),
        ("months", True),
        ("level", False),
        ("missed", True),
        ("at least", True),
        ("proven", True),
        ("below level", True),
        ("short after", True),
        ("back after", True),
    ):
        table.add_column(
            name, justify="right" if right else "left", no_wrap=name in MONEY, overflow="fold"
        )
    for result in report.by_group[:MOST_ROWS]:
        table.add_row(*_row(result))
    return table


def _row(result: OutageResult) -> list[str]:
    after = result.months_until_short
    backs = [program.months_until_recovered for program in result.programs]
    known = [months for months in backs if months is not None]
    back = "beyond" if None in backs else f"{max(known):.0f}" if known else ""
    return [
        result.group.label,
        result.start_period,
        f"{result.group.recover_months:g}",
        WORDS[result.kept] + ("*" if result.level_on_trust else ""),
        money(result.money) if result.money else "",
        money(result.bound) if result.money else "",
        percent(result.proven / result.bound, 0) if result.bound else "",
        str(len(result.exposed)) if result.exposed else "",
        "" if after is None else f"{after:.1f}",
        back,
    ]
