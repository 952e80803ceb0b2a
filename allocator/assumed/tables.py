"""A sensitivity analysis as people read it on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from allocator.assumed.report import Finding, SensitivityReport
from allocator.show import money

#: Rows shown; the files have all of them.
LISTED = 25
WORDS = {
    "flips": "awards flip",
    "open": "open: the gap is too wide to tell",
    "stands": "plan stands",
    "screened": "not solved again",
}


def show_sensitivity(console: Console, report: SensitivityReport) -> None:
    """The figures worth asking about, what would move, and how sure that is."""
    for line in verdict(report):
        console.print(line, highlight=False)
    console.print(ranking_table(report))
    for finding in report.flips:
        for line in moves(finding):
            console.print(line, highlight=False)


def verdict(report: SensitivityReport) -> list[str]:
    """What the analysis comes to, in words."""
    solved = [one for one in report.findings if one.resolved]
    flips = list(dict.fromkeys(one.doubt.name for one in report.flips))
    lines = [
        f"{len(report.findings)} ends of ranges change something; {len(solved)} were solved again."
    ]
    if report.slack > 0:
        lines.append(
            f"The plan is proven within {money(report.slack)} {report.currency} of the best, so no"
            " difference up to that counts."
        )
    if flips:
        lines.append(f"Worth going to get: {', '.join(flips)}.")
    elif solved:
        lines.append("None of them is proven to flip an award.")
    return lines


def ranking_table(report: SensitivityReport) -> Table:
    """One row per end of a range, the ones most worth asking about first."""
    title = "Which number to go and get"
    if len(report.findings) > LISTED:
        title += f"; the first {LISTED} of {len(report.findings)}"
    table = Table(title=title, title_justify="left")
    for name, right in (
        ("figure", False),
        ("of", False),
        ("taken", True),
        ("if it is", True),
        ("yours", False),
        ("this plan costs", True),
        ("verdict", False),
        ("saved by moving", True),
    ):
        table.add_column(name, justify="right" if right else "left")
    for one in report.findings[:LISTED]:
        change = one.screened.cost_change
        table.add_row(
            one.doubt.column.replace("_", " "),
            one.doubt.of,
            one.doubt.value,
            one.to,
            "assumed" if one.doubt.assumed else "yours",
            "other batches" if change is None else f"{'+' * (change >= 0)}{money(change)}",
            WORDS[one.verdict],
            _saved(one),
        )
    return table


def _saved(finding: Finding) -> str:
    if finding.resolved is None or finding.verdict == "stands":
        return ""
    if finding.resolved.saving is None:
        return "awards cannot stay" if finding.verdict == "flips" else "-"
    return money(finding.resolved.saving)


def moves(finding: Finding) -> list[str]:
    """Which awards flip at one end of a range."""
    assert finding.resolved is not None
    head = f"If {finding.doubt.column} of {finding.doubt.of} is {finding.to}:"
    lines = [head.replace("_", " ")]
    for award in finding.resolved.awards:
        word = "" if award.flips else " (a tie: it may as well stay)"
        lines.append(f"  {award.program_id}: {award.before} -> {award.after}{word}")
    return lines
