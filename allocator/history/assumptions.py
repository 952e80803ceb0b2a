"""What a history cannot tell, and what stands in the tables instead: `assumptions.md`."""

from __future__ import annotations

from allocator.history.keys import KEYS
from allocator.history.mapping import HistoryMap
from allocator.history.report import IngestReport
from allocator.history.tables import Tables

#: Keys whose value is a judgement about the world, not a description of the file.
JUDGED = ("periods", "tables", "assume")


def assumptions(report: IngestReport, tables: Tables, mapping: HistoryMap) -> str:
    """The page `assumptions.md`, in Markdown."""
    parts = [
        f"# What was assumed: {report.title or 'order history'}",
        "",
        f"{report.lines_in_horizon:,} lines of {tables.periods[0]} to {tables.periods[-1]},"
        f" {report.currency} {report.spend:,.0f}. Change a figure in the map and ingest again, or"
        " change the tables.",
        "",
        "## What the history cannot tell",
        "",
        *(f"- **{what}** {instead}" for what, instead in _unknown(mapping)),
        "",
        "## The figures used",
        "",
        "| key of the map | value | from | meaning |",
        "|---|---|---|---|",
        *(
            f"| `{key.section}.{key.name}` | {mapping[f'{key.section}.{key.name}'] or '(none)'}"
            f" | {'map' if f'{key.section}.{key.name}' in mapping.given else 'default'}"
            f" | {key.help} |"
            for key in KEYS
            if key.section in JUDGED
        ),
        "",
        *_names(report, tables, mapping),
    ]
    return "\n".join(parts).rstrip("\n") + "\n"


def _unknown(mapping: HistoryMap) -> list[tuple[str, str]]:
    """What no order history holds, and what stands in its place."""
    days, headroom = mapping["tables.days_per_period"], mapping["tables.headroom"]
    quantile, least = mapping["tables.batch_quantile"], mapping["tables.min_days_per_batch"]
    whose = "at the site" if mapping["tables.batch_rule"] == "order_of_pair" else "anywhere"
    return [
        (
            "Capacity.",
            f"The most that a line is known to have made in one period fills {days:g} line-days; it"
            f" is offered {headroom:g} times that in every period. The true capacity is higher:"
            " nobody is seen at his limit. Units of one kind of line count alike, whatever their"
            " strength.",
        ),
        (
            "Lines.",
            "One per site, kind of dosage form and unit; it may make what the site has made.",
        ),
        (
            "Batches.",
            f"The {quantile:g} quantile of the orders of the product {whose} stands for the batch,"
            f" at least what the line makes in {least:g} days.",
        ),
        (
            "Prices for other volumes.",
            f"The median price per unit (over {mapping['tables.price_weight']}) that the site was"
            " paid for the product in these periods, for any volume and in any period"
            + (
                ", each product's own price trend taken out first."
                if mapping["tables.price_trend"] == "removed"
                else "; sites that sold early may look dear."
            ),
        ),
        (
            "Who else could make a product.",
            "Only sites that delivered it in these periods, all of them qualified;"
            " no transfers, no validation, no onboarding beyond what `assume` says.",
        ),
        (
            "The need.",
            "What was delivered in the period of its agreed date. Orders that were never placed,"
            " and stock before the first period, are not in the history.",
        ),
        (
            "The loss from missing supply.",
            f"{mapping['assume.delay_cost_multiple']:g} times the product's own spend per month.",
        ),
        (
            "Outages.",
            "Not in the history: the program's stated defaults hold. Lateness of lines shipped by"
            " the manufacturer stands in punctuality.csv; lines from a distribution centre say"
            " nothing of the manufacturer."
            if mapping.direct
            else "Not in the history: the program's stated defaults hold. No line is known to have"
            " been shipped by the manufacturer, so punctuality is unknown.",
        ),
        ("Freight, insurance, duties.", "Left out, on both sides of every comparison."),
    ]


def _names(report: IngestReport, tables: Tables, mapping: HistoryMap) -> list[str]:
    """Merged names, lines without a price, and what looks odd."""
    merged = [
        f"- {word} = {name}"
        for aliases in (mapping.site_aliases, mapping.product_aliases)
        for word, name in sorted(aliases.items())
    ]
    unpriced = [
        f"- line {line.line}: {line.product}, {line.site}, {line.units:,.0f} {line.form.unit}"
        for line in tables.unpriced
    ]
    warnings = [f"- {finding}" for finding in report.findings]
    page = []
    for title, rows in (
        ("Names merged", merged),
        ("Lines without a value (demand counts, price does not)", unpriced),
        ("To look at", warnings),
    ):
        page += [f"## {title}", "", *(rows or ["none"]), ""]
    return page
