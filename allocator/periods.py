"""Planning periods from the labels of the demand columns."""

from __future__ import annotations

from collections.abc import Iterable

from allocator.findings import Finding
from allocator.portfolio import Period
from allocator.values import MONTH, QUARTER


def period(label: str) -> Period:
    """The period of a label such as 2027Q1 or 2027-01. ValueError for anything else."""
    quarter = QUARTER.match(label)
    if quarter:
        return Period(label.upper(), 3, 12 * int(quarter[1]) + 3 * (int(quarter[2]) - 1))
    month = MONTH.match(label)
    if month:
        return Period(label, 1, 12 * int(month[1]) + int(month[2]) - 1)
    raise ValueError(f"{label!r} is not a period")


def horizon(
    labels: Iterable[str], file: str, whole: bool
) -> tuple[tuple[Period, ...], tuple[Finding, ...]]:
    """Periods in order of time, and what is wrong with the labels.

    `whole`: each period of the horizon must be there (columns); otherwise gaps are filled (rows).
    """
    given = sorted({period(label) for label in labels}, key=lambda p: (p.first_month, p.months))
    if not given:
        return (), ()
    if len({p.months for p in given}) > 1:
        quarter = next(p.label for p in given if p.months == 3)
        month = next(p.label for p in given if p.months == 1)
        what = f"quarters ({quarter}) and months ({month}) are mixed"
        return (), (Finding(file, None if not whole else 1, "", what, "use one of them only"),)
    months = given[0].months
    every = tuple(
        from_month(first, months)
        for first in range(given[0].first_month, given[-1].first_month + 1, months)
    )
    missing = [p.label for p in every if p not in set(given)]
    if whole and missing:
        return (), (
            Finding(
                file,
                1,
                missing[0],
                f"periods are missing between {given[0].label} and {given[-1].label}: "
                + ", ".join(missing[:5])
                + (" ..." if len(missing) > 5 else ""),
                "add the columns; a blank cell is a demand of 0",
            ),
        )
    return every, ()


def from_month(first_month: int, months: int) -> Period:
    """The quarter or month that starts at `first_month` (12 * year + month - 1)."""
    year, month = divmod(first_month, 12)
    label = f"{year}Q{month // 3 + 1}" if months == 3 else f"{year}-{month + 1:02d}"
    return Period(label, months, first_month)
