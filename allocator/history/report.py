"""What an ingest did, in figures and words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from allocator.findings import Finding


@dataclass(frozen=True)
class Late:
    """Lines with both dates, and how many of them were delivered after the agreed day."""

    lines: int
    late: int

    @property
    def share(self) -> float | None:
        """Share late; None where nothing is known."""
        return self.late / self.lines if self.lines else None


@dataclass(frozen=True)
class IngestReport:
    """The outcome of an ingest. Counts `_in_history` are before periods are cut off.

    `site_names_in_history` counts spellings, `sites_in_history` what they stand for. `spend` is
    money, `unpriced` the ids of lines without a value.
    """

    out: Path
    title: str
    currency: str
    rows_read: int
    rows_matching: int
    rows_left_out: int
    products_in_history: int
    site_names_in_history: int
    sites_in_history: int
    periods_in_history: int
    spend_in_history: float
    cells_repaired: int
    late_all: Late
    late_direct: Late
    periods: tuple[str, ...]
    lines_in_horizon: int
    spend: float
    programs: int
    cmos: int
    manufacturing_lines: int
    offers: int
    multi_source_programs: int
    unpriced: tuple[str, ...]
    findings: tuple[Finding, ...]

    def lines(self) -> Iterator[str]:
        """The report, line by line."""
        yield f"{self.title or 'History'}: {self.rows_matching:,} of {self.rows_read:,} rows count"
        if self.rows_left_out:
            yield f"  {self.rows_left_out:,} of them could not be used and are left out"
        merged = self.site_names_in_history - self.sites_in_history
        yield (
            f"  {self.products_in_history:,} products, {self.site_names_in_history:,} site names"
            f" ({merged} merged: {self.sites_in_history:,} sites),"
            f" {self.periods_in_history} periods, {self.currency} {self.spend_in_history:,.0f}"
        )
        yield f"  late: {_share(self.late_all)} of all lines, {_share(self.late_direct)}" + (
            " of those shipped by the manufacturer"
        )
        if self.cells_repaired:
            yield f"  {self.cells_repaired:,} cells repaired"
        if self.unpriced:
            yield f"  {len(self.unpriced)} lines without a value set no price: " + ", ".join(
                self.unpriced
            )
        yield (
            f"Tables in {self.out}: {self.periods[0]} to {self.periods[-1]}"
            f" ({len(self.periods)} periods), {self.lines_in_horizon:,} lines,"
            f" {self.currency} {self.spend:,.0f}"
        )
        yield (
            f"  {self.programs} programs ({self.multi_source_programs} with two sites or more),"
            f" {self.cmos} CMOs, {self.manufacturing_lines} lines, {self.offers} offers"
        )
        yield "  what history cannot tell, and what was assumed instead: assumptions.md"
        for finding in self.findings:
            yield f"warning: {finding}"


def _share(late: Late) -> str:
    if late.share is None:
        return "unknown share"
    return f"{late.share:.1%} ({late.late:,} of {late.lines:,})"
