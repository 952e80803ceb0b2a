"""Every key that a map may hold, as data: drives reading, messages, `docs/ingest.md` and tests."""

from __future__ import annotations

from dataclasses import dataclass

#: Default of a key that must be given.
REQUIRED = object()


@dataclass(frozen=True)
class Key:
    """One key of the map.

    `kind` is text, texts (one or a list), number, integer or date_formats. `low` and `high` bound
    numbers, `low` itself is out where `low_open`; `words` are the only values allowed.
    """

    section: str
    name: str
    kind: str
    default: object
    help: str
    words: tuple[str, ...] = ()
    low: float | None = None
    low_open: bool = False
    high: float | None = None


KEYS = (
    Key("file", "encoding", "text", "utf-8-sig", "text encoding, e.g. latin-1"),
    Key(
        "file",
        "compression",
        "text",
        "auto",
        "auto looks at the first bytes",
        ("auto", "gzip", "none"),
    ),
    Key("file", "delimiter", "text", ",", "one character between the fields"),
    Key(
        "file",
        "line_ends",
        "text",
        "any",
        "what must end the rows; any takes all three",
        ("any", "lf", "crlf", "cr"),
    ),
    Key(
        "file",
        "mojibake",
        "text",
        "",
        "encoding in which UTF-8 was once misread (cp1252); such cells are repaired",
    ),
    Key("file", "blank", "texts", (), "words that mean: nothing was recorded"),
    Key("file", "decimal", "text", ".", "decimal mark", (".", ",")),
    Key("file", "thousands", "text", "", "thousands separator, if the numbers have one"),
    Key("columns", "product", "texts", REQUIRED, "columns that together name a product"),
    Key("columns", "site", "text", REQUIRED, "manufacturing site"),
    Key("columns", "quantity", "text", REQUIRED, "packs (units, where there is no pack_size)"),
    Key("columns", "value", "text", REQUIRED, "money paid for the row"),
    Key("columns", "scheduled", "text", REQUIRED, "date agreed for delivery; sets the period"),
    Key("columns", "delivered", "text", "", "date of delivery, for punctuality"),
    Key("columns", "pack_size", "text", "", "units per pack; without it quantity is in units"),
    Key("columns", "dosage_form", "text", "", "the history's word for the dosage form"),
    Key("columns", "line", "text", "", "id of the row, for lists; else the line number"),
    Key("dates", "formats", "date_formats", ("%Y-%m-%d",), "as Python's strptime, tried in order"),
    Key("periods", "length", "text", "quarter", "planning period", ("quarter", "month")),
    Key("periods", "last", "integer", 0, "periods kept, counted from the end; 0 is all", low=0),
    Key(
        "tables",
        "batch_rule",
        "text",
        "order_of_pair",
        "orders whose quantile is the batch: of the product at the site, or of the product",
        ("order_of_pair", "order_of_product"),
    ),
    Key("tables", "batch_quantile", "number", 0.5, "0.5 is the median order", low=0.0, high=1.0),
    Key(
        "tables",
        "days_per_period",
        "number",
        60.0,
        "line-days that the best observed period is said to have taken",
        low=0.0,
        low_open=True,
    ),
    Key(
        "tables",
        "min_days_per_batch",
        "number",
        0.0,
        "a batch takes its line so long at least (less where the product needs less)",
        low=0.0,
    ),
    Key(
        "tables",
        "headroom",
        "number",
        1.0,
        "capacity as a multiple of the best observed period",
        low=0.0,
        low_open=True,
    ),
    Key(
        "tables",
        "price_weight",
        "text",
        "lines",
        "the price of a site is the median over its lines, or over their units",
        ("lines", "units"),
    ),
    Key(
        "tables",
        "price_trend",
        "text",
        "kept",
        "whether each product's common price trend is taken out before the median",
        ("kept", "removed"),
    ),
    Key(
        "tables",
        "bad_rows",
        "text",
        "stop",
        "whether unreadable rows stop the work or are left out and listed",
        ("stop", "leave_out"),
    ),
    Key("assume", "currency", "text", "USD", "currency of the history"),
    Key("assume", "molecule_type", "text", "small_molecule", "of every product"),
    Key("assume", "stage", "text", "commercial", "of every product"),
    Key("assume", "dosage_form", "text", "", "of every product, where there is no such column"),
    Key("assume", "unit", "text", "units", "of every product, where its form names none"),
    Key("assume", "sourcing", "text", "free", "sourcing of the policy", ("single", "dual", "free")),
    Key(
        "assume",
        "delay_cost_multiple",
        "number",
        10.0,
        "a month without supply costs so many times the product's spend of a month",
        low=0.0,
    ),
    Key(
        "assume",
        "holding_share_per_month",
        "number",
        0.01,
        "cost of keeping a unit for a month, as a share of its median price",
        low=0.0,
    ),
    Key("assume", "release_months", "number", 0.0, "testing from batch to release", low=0.0),
    Key("assume", "shelf_life_months", "number", 24.0, "of every product", low=0.0, low_open=True),
    Key("assume", "changeover_days", "number", 0.0, "line-days per campaign", low=0.0),
    Key("assume", "onboarding_cost", "number", 0.0, "per site, once", low=0.0),
    Key("assume", "annual_fee", "number", 0.0, "per site and year", low=0.0),
)

#: Sections whose keys are the user's own words, with what they hold.
TABLES = {
    "repairs": "wrong text -> right text, in every cell",
    "keep": "column -> words; only rows with one of them count",
    "leave_out": "column -> words; rows with one of them do not count",
    "direct": "column -> words that tell a row was shipped by the manufacturer itself",
    "product_aliases": "another name of a product -> its name (its columns joined by a bar)",
    "site_aliases": "another name of a site -> its name",
    "forms": "the history's dosage form -> {form, unit, line}",
    "sites": "site -> {id, country, owner}",
    "regions": "country -> region",
}

#: Keys of the inner tables of `forms` and `sites`, and the required ones among them.
INNER = {
    "forms": (("form", "unit", "line"), ("form", "unit")),
    "sites": (("id", "country", "owner"), ()),
}

#: The top level besides sections: `title` and pairs of sites known to be different.
TOP = ("title", "distinct_sites")


def keys_of(section: str) -> dict[str, Key]:
    """Keys of a section by name."""
    return {key.name: key for key in KEYS if key.section == section}


def sections() -> tuple[str, ...]:
    """Every section of a map, in order."""
    return (*dict.fromkeys(key.section for key in KEYS), *TABLES)


def key_table() -> str:
    """The keys as a table in Markdown, as it stands in `docs/ingest.md`."""
    rows = ["| key | default | meaning |", "|---|---|---|"]
    for key in KEYS:
        default = "**required**" if key.default is REQUIRED else f"`{_toml(key.default)}`"
        words = f" ({', '.join(key.words)})" if key.words else ""
        rows.append(f"| `{key.section}.{key.name}` | {default} | {key.help}{words} |")
    return "\n".join(
        [*rows, *(f"| `[{name}]` | (none) | {what} |" for name, what in TABLES.items())]
    )


def _toml(value: object) -> str:
    """A default as the map would write it."""
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{word}"' for word in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)
