"""docs/tables.md, made from the field table and the stated defaults.

    python -c "from allocator.field_page import page; print(page(), end='')" > docs/tables.md

A test keeps the page equal to what `page()` returns.
"""

from __future__ import annotations

from allocator.defaults import (
    BY_CLASS,
    EARLY_COST,
    EARLY_MONTHS,
    FILING_MONTHS,
    OUTAGE_PER_YEAR,
    PPQ_BATCHES,
    RECOVER_MONTHS,
)
from allocator.fields import BY_DEFAULT, REQUIRED_TABLES, TABLES, Field, fields

INTRO = """# The input tables

A folder with one CSV file per table, UTF-8, separated by commas, numbers with a decimal point and
without thousands separators. `portfolio.csv`, `cmos.csv` and `lines.csv` are enough to run.
Columns may stand in any order, and rows too; a column marked * is required, a blank cell takes the
default. `allocator check FOLDER` names every problem with its file, line, column and remedy.

Money is in one currency, quantities are in the program's unit, line capacity is in line-days,
durations are in months. This page is made from `allocator/fields.csv`, which also drives the
reading and checking.
"""

NOTES = {
    "portfolio": "One row per program. After these columns stands one column of demand per period, "
    "in the program's unit: quarters (`2027Q1`) or months (`2027-01`), one kind only, none left "
    "out; a blank cell is a demand of 0. Or leave them out and give `demand.csv`.",
    "cmos": "One row per contract manufacturer. Scores run from 0 to 100; blank is unknown.",
    "lines": "One row per line (suite). With `price_per_batch` and `days_per_batch` a line has a "
    "rate card: each program that it can make and that has no row in `offers.csv` for it gets an "
    "offer with the largest batch that both allow.",
    "offers": "Optional. One row is one quoted batch size of a program on a line; several rows of "
    "a pair are alternatives. A qualified offer needs no transfer, validation or filing.",
    "demand": "Optional, in place of the demand columns of `portfolio.csv`. Periods that are left "
    "out have a demand of 0.",
    "line_days": "Optional: line-days that differ from `days_per_period`.",
    "tiers": "Optional: rebates on the whole spend of a calendar year.",
    "chain": "Optional: months of single steps of a qualification where you know better than the "
    "default shapes of `docs/risk.md`. The totals of `offers.csv` stay what the plan goes by.",
    "diligence": "Optional: answers to the questions of `docs/diligence.md`.",
    "shifts": "Optional: measured odds of slipping in place of those from scores, such as fitted "
    "punctuality (`docs/diligence.md`).",
    "contracts": "Optional: terms on which line-days can be reserved, compared by `allocator "
    "capacity --reserve` (`docs/capacity.md`). Terms that a line leaves out are the policy's.",
}


def page() -> str:
    """The whole page, in Markdown."""
    parts = [INTRO, *map(_table, TABLES), _defaults()]
    return "\n".join(parts)


def _table(name: str) -> str:
    need = "required" if name in REQUIRED_TABLES else "optional"
    rows = [_row(field) for field in fields(name).values()]
    head = "| column | what | unit or words | default |\n|---|---|---|---|"
    return "\n".join([f"## {name}.csv ({need})\n", f"{NOTES[name]}\n", head, *rows, ""])


def _row(field: Field) -> str:
    star = "\\*" if field.required else ""
    default = {BY_DEFAULT: "see below"}.get(field.default, field.default)
    return f"| `{field.name}`{star} | {field.description} | {_kind(field)} | {default} |"


def _kind(field: Field) -> str:
    """Unit with its range, or the words of the vocabulary."""
    if field.words:
        some = ", ".join(field.words) + (" or another" if field.open_words else "")
        return f"{some}; several with `;`" if field.type == "words" else some
    if field.type == "boolean":
        return "yes or no"
    if field.type in ("number", "integer"):
        return ", ".join(part for part in (field.unit, _range(field)) if part)
    return {"list": "names separated by `;`", "date": "YYYY-MM-DD"}.get(field.type, field.type)


def _range(field: Field) -> str:
    """The range where the unit doesn't say it already."""
    if any(word in field.unit for word in (" to ", "up to")):
        return ""
    if field.low is not None and field.high is not None:
        return f"{field.low:g} to {field.high:g}"
    if field.low is None:
        return ""
    return f"above {field.low:g}" if field.low_open else f"{field.low:g} or more"


def _defaults() -> str:
    """The stated defaults, which depend on the dosage form and the stage."""
    lines = [
        "## Stated defaults",
        "",
        "Where an offer that is not qualified leaves a column blank, or is made from a rate card, "
        "these",
        "stand in. They are assumptions, taken from the middle of what is usual in the trade, and "
        "every",
        "plan lists those it rests on. Money is in US dollars, whatever the policy's currency.",
        "",
        "| class of dosage form | transfer_months low, mode, high | transfer_cost | release_months "
        "| yield | fail_rate |",
        "|---|---|---|---|---|---|",
    ]
    for name, values in BY_CLASS.items():
        months = ", ".join(f"{part:g}" for part in values.transfer_months)
        lines.append(
            f"| {name} | {months} | {values.transfer_cost:,.0f} | {values.release_months:g} "
            f"| {values.yield_:g} | {values.fail_rate:g} |"
        )
    ppq = ", ".join(f"{stage} {count}" for stage, count in PPQ_BATCHES.items())
    filing = ", ".join(f"{stage} {months:g}" for stage, months in FILING_MONTHS.items())
    lines += [
        "",
        "Tablets, capsules and the like are oral solid; vials, syringes and whatever is injected "
        "are",
        "sterile; the drug substance of a mab, adc, vaccine, cell or gene therapy is a biologic",
        "drug substance; every other form is `other`.",
        "",
        f"- Up to phase 2 a transfer takes {EARLY_MONTHS:g} of these months and {EARLY_COST:g} of "
        "the money.",
        f"- `ppq_batches`: {ppq}.",
        f"- `filing_months`: {filing}, all others 0.",
        "- Where the mode of the transfer months is given and low or high is blank, they keep",
        "  their proportion to it.",
        f"- `outage_per_year` {OUTAGE_PER_YEAR:g} and `recover_months` {RECOVER_MONTHS:g} of a "
        "CMO: no defensible figure is",
        "  published, so give your own.",
        "- A program without `max_oeb` is treated as band 4.",
        "",
    ]
    return "\n".join(lines)
