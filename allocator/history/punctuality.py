"""Punctuality of each site, from the lines that it shipped itself, and of no others."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from allocator.history.reading import HistoryLine

#: A month in days, for the distribution of slip in months.
DAYS_PER_MONTH = 30.4375
#: Row of punctuality.csv that holds all sites together.
ALL_SITES = "(all sites)"
_QUANTILES = (0.5, 0.8, 0.9, 0.95)
COLUMNS = (
    "cmo_id",
    "lines",
    "direct_lines",
    "late_share",
    "mean_days_late",
    *(f"days_late_p{round(q * 100)}" for q in _QUANTILES),
    "max_days_late",
    "slip_0",
    "slip_1_month",
    "slip_2_months",
    "slip_3_months_or_more",
)


@dataclass(frozen=True)
class Punctuality:
    """Days late of the lines that a site shipped directly, sorted; early and on time are 0.

    `lines` counts all its lines. Without direct lines nothing is known of the site.
    """

    cmo_id: str
    lines: int
    days_late: tuple[int, ...]

    @property
    def late_share(self) -> float | None:
        """Share of direct lines delivered after the agreed day; None where unknown."""
        if not self.days_late:
            return None
        return sum(days > 0 for days in self.days_late) / len(self.days_late)

    def slips(self) -> tuple[float, ...] | None:
        """Share of direct lines on time, and up to 1, up to 2 and over 2 months late."""
        if not self.days_late:
            return None
        months = [math.ceil(days / DAYS_PER_MONTH) for days in self.days_late]
        count = len(months)
        return (*(months.count(m) / count for m in range(3)), sum(m > 2 for m in months) / count)

    def row(self) -> dict[str, object]:
        """Row of punctuality.csv; blank is unknown, never 0."""
        row: dict[str, object] = dict.fromkeys(COLUMNS, "")
        row |= {"cmo_id": self.cmo_id, "lines": self.lines, "direct_lines": len(self.days_late)}
        slips = self.slips()
        if slips is None:
            return row
        values = (
            self.late_share,
            math.fsum(self.days_late) / len(self.days_late),
            *(quantile(self.days_late, q) for q in _QUANTILES),
            self.days_late[-1],
            *slips,
        )
        return row | {
            column: round(float(value or 0.0), 4)
            for column, value in zip(COLUMNS[3:], values, strict=True)
        }


def punctuality(lines: Iterable[HistoryLine], cmo_ids: dict[str, str]) -> tuple[Punctuality, ...]:
    """Punctuality of each site in `cmo_ids` (site name -> id), by id, and of all sites last.

    The last row counts every line, also of sites that have no id.
    """
    lines = tuple(lines)
    sites: dict[str, list[HistoryLine]] = {cmo_id: [] for cmo_id in sorted(cmo_ids.values())}
    for line in lines:
        if line.site in cmo_ids:
            sites[cmo_ids[line.site]].append(line)
    return (*(_of(cmo_id, mine) for cmo_id, mine in sites.items()), _of(ALL_SITES, lines))


def _of(cmo_id: str, lines: Sequence[HistoryLine]) -> Punctuality:
    late = sorted(ln.days_late for ln in lines if ln.direct and ln.days_late is not None)
    return Punctuality(cmo_id, len(lines), tuple(late))


def quantile(ordered: Sequence[float], share: float) -> float:
    """Quantile of sorted values, straight between neighbours (Hyndman and Fan's type 7).

    Raises ValueError where there are no values.
    """
    if not ordered:
        raise ValueError("no values to take a quantile of")
    at = share * (len(ordered) - 1)
    below = math.floor(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (at - below) * (ordered[above] - ordered[below])
