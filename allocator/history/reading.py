"""From rows of text to typed history lines: filters, aliases, numbers, dates, periods."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from allocator.errors import BadData
from allocator.findings import Finding, in_order
from allocator.history.mapping import Form, HistoryMap
from allocator.history.source import Source

#: Joins the columns that together name a product.
JOIN = " | "


@dataclass(frozen=True)
class HistoryLine:
    """One order or delivery line. `units` are single units (tablets, ml), `paid` is its money.

    `period` counts months or quarters since year 0, so that periods can be compared and counted.
    """

    row: int
    line: str
    product: str
    form: Form
    site: str
    units: float
    paid: float
    scheduled: date
    delivered: date | None
    direct: bool
    period: int

    @property
    def price(self) -> float:
        """Money per unit."""
        return self.paid / self.units

    @property
    def days_late(self) -> int | None:
        """Days from the agreed to the real delivery, 0 where early; None where not recorded."""
        if self.delivered is None:
            return None
        return max(0, (self.delivered - self.scheduled).days)


@dataclass(frozen=True)
class History:
    """The lines that count, in the file's order, and what was met on the way.

    `site_names` are the sites as written, before aliases. `months` is the length of a period.
    """

    lines: tuple[HistoryLine, ...]
    months: int
    rows_read: int
    rows_matching: int
    site_names: tuple[str, ...]
    product_names: tuple[str, ...]
    findings: tuple[Finding, ...]

    def last(self, periods: int) -> tuple[HistoryLine, ...]:
        """Lines of the last so many periods; all of them for 0."""
        if not periods:
            return self.lines
        end = max(line.period for line in self.lines)
        return tuple(line for line in self.lines if line.period > end - periods)


def period_label(period: int, months: int) -> str:
    """Label of a period as the tables write it: `2012Q1` or `2012-01`."""
    year, part = divmod(period, 12 // months)
    return f"{year}Q{part + 1}" if months == 3 else f"{year}-{part + 1:02d}"


def read_history(source: Source, mapping: HistoryMap) -> History:
    """Type every row that the map's filters keep. Raises BadData naming every unreadable row."""
    rows = [(at, row) for at, row in source.rows if _counts(row, mapping)]
    reader = _Rows(source.file, mapping)
    lines = [line for at, row in rows if (line := reader.line(at, row)) is not None]
    findings = in_order(reader.findings)
    if any(finding.severity == "error" for finding in findings):
        raise BadData(findings)
    if not lines:
        what = f"no row is left of {len(source.rows)} read"
        raise BadData([Finding(source.file, None, "", what, "check [keep] and [leave_out]")])
    unused = _unused(mapping, reader)
    return History(
        lines=tuple(lines),
        months=3 if mapping["periods.length"] == "quarter" else 1,
        rows_read=len(source.rows),
        rows_matching=len(rows),
        site_names=tuple(sorted(reader.sites)),
        product_names=tuple(sorted(reader.products)),
        findings=(*findings, *unused),
    )


def _counts(row: dict[str, str], mapping: HistoryMap) -> bool:
    """Whether the filters of the map let a row through."""
    kept = all(row[column] in words for column, words in mapping.keep.items())
    return kept and not any(row[column] in words for column, words in mapping.leave_out.items())


def _unused(mapping: HistoryMap, reader: _Rows) -> list[Finding]:
    """Names in the map that the history does not hold: likely misspelt."""
    seen = {
        "site_aliases": (mapping.site_aliases, reader.sites),
        "product_aliases": (mapping.product_aliases, reader.products),
    }
    return [
        Finding(
            mapping.file,
            None,
            f"{kind}.{word}",
            "stands nowhere in the history's rows that count",
            "check its spelling",
            "warning",
        )
        for kind, (aliases, names) in seen.items()
        for word in sorted(set(aliases) - set(names))
    ]


class _Rows:
    """Turns rows into lines and notes every problem."""

    def __init__(self, file: str, mapping: HistoryMap) -> None:
        self.file, self.mapping = file, mapping
        self.findings: list[Finding] = []
        self.sites: Counter[str] = Counter()
        self.products: Counter[str] = Counter()
        self.blank = {word.casefold() for word in mapping["file.blank"]} | {""}
        self.months = 3 if mapping["periods.length"] == "quarter" else 1

    def line(self, at: int, row: dict[str, str]) -> HistoryLine | None:
        """The typed line, or None where the row is left out (a finding says so)."""
        columns = self.mapping.settings["columns"]
        before = len(self.findings)
        product = JOIN.join(row[column] for column in columns["product"])
        site = self.needed(at, columns["site"], row)
        quantity = self.number(at, columns["quantity"], row, above_zero=True)
        pack = self.number(at, columns["pack_size"], row, True) if columns["pack_size"] else 1.0
        paid = self.number(at, columns["value"], row, above_zero=False)
        scheduled = self.day(at, columns["scheduled"], row, needed=True)
        delivered = columns["delivered"] and self.day(at, columns["delivered"], row, needed=False)
        form = self.form(at, row)
        if site is None or quantity is None or pack is None or paid is None or form is None:
            return None
        if scheduled is None or len(self.findings) > before:
            return None
        self.sites[site] += 1
        self.products[product] += 1
        mapping = self.mapping
        return HistoryLine(
            row=at,
            line=row[columns["line"]] if columns["line"] else str(at),
            product=mapping.product_aliases.get(product, product),
            form=form,
            site=mapping.site_aliases.get(site, site),
            units=quantity * pack,
            paid=paid,
            scheduled=scheduled,
            delivered=delivered or None,
            direct=bool(mapping.direct)
            and all(row[column] in words for column, words in mapping.direct.items()),
            period=(12 * scheduled.year + scheduled.month - 1) // self.months,
        )

    def note(self, at: int, column: str, what: str, remedy: str, severe: bool) -> None:
        """A row that cannot be used: an error, or a warning that it is left out."""
        if severe and self.mapping["tables.bad_rows"] == "stop":
            remedy += ', list the word under file.blank, or set tables.bad_rows = "leave_out"'
            self.findings.append(Finding(self.file, at, column, what, remedy))
        else:
            self.findings.append(
                Finding(self.file, at, column, what, "the row is left out", "warning")
            )

    def needed(self, at: int, column: str, row: dict[str, str]) -> str | None:
        """A text that must be there."""
        text = row[column]
        if text.casefold() in self.blank:
            self.note(at, column, "is not recorded", "", severe=False)
            return None
        return text

    def number(self, at: int, column: str, row: dict[str, str], above_zero: bool) -> float | None:
        """A number of at least zero, or above it."""
        text = self.needed(at, column, row)
        if text is None:
            return None
        marks = self.mapping.settings["file"]
        plain = text.replace(marks["thousands"], "") if marks["thousands"] else text
        try:
            value = float(plain if marks["decimal"] == "." else plain.replace(",", "."))
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or "_" in plain:
            self.note(at, column, f"{text!r} is no number", "correct it", severe=True)
            return None
        if value < 0 or (above_zero and value == 0):
            what = f"{text} is {'not above' if above_zero else 'below'} 0"
            self.note(at, column, what, "correct it", severe=True)
            return None
        return value

    def day(self, at: int, column: str, row: dict[str, str], needed: bool) -> date | None:
        """A date in one of the map's formats; blank is allowed unless it is needed."""
        text = row[column]
        if text.casefold() in self.blank:
            if needed:
                self.note(at, column, "is not recorded", "", severe=False)
            return None
        for form in self.mapping["dates.formats"]:
            try:
                return datetime.strptime(text, form).date()
            except ValueError:
                continue
        formats = ", ".join(self.mapping["dates.formats"])
        self.note(at, column, f"{text!r} is no date like {formats}", "correct it", severe=True)
        return None

    def form(self, at: int, row: dict[str, str]) -> Form | None:
        """The dosage form in the tables' words."""
        mapping = self.mapping
        column = mapping["columns.dosage_form"]
        if not column:
            word = mapping["assume.dosage_form"] or "unknown"
            return Form(word, mapping["assume.unit"], word)
        text = row[column]
        if text in mapping.forms:
            return mapping.forms[text]
        if mapping.forms:
            what = f"{text!r} is not in [forms] of {mapping.file}"
            self.note(at, column, what, "add it with its form and unit", severe=True)
            return None
        word = text.casefold().replace(" ", "_") or "unknown"
        return Form(word, mapping["assume.unit"], word)


def check_products(lines: Iterable[HistoryLine], mapping: HistoryMap) -> None:
    """Each product has one dosage form and unit. Raises BadData naming those with several."""
    forms: dict[str, set[Form]] = {}
    for line in lines:
        forms.setdefault(line.product, set()).add(line.form)
    mixed = sorted(product for product, found in forms.items() if len(found) > 1)
    if mixed:
        raise BadData(
            Finding(
                mapping.file,
                None,
                "columns.product",
                f"{product!r} comes in several dosage forms: "
                + ", ".join(sorted(form.form for form in forms[product])),
                "add the column of the dosage form to columns.product, or map both to one form",
            )
            for product in mixed
        )


def spend(lines: Sequence[HistoryLine]) -> float:
    """Money paid for some lines."""
    return math.fsum(line.paid for line in lines)
