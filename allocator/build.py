"""Typed objects from sound rows, sorted by id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar, cast

from allocator.defaults import OUTAGE_PER_YEAR, RECOVER_MONTHS, UNKNOWN_OEB
from allocator.fields import SCORES, fields
from allocator.portfolio import ChainSteps, Cmo, Contract, Line, Period, Program, Shift, Tier
from allocator.tables import Row, Table

T = TypeVar("T")
Assumed = tuple[tuple[str, str], ...]


def _plain(table: str, row: Row, leave: Iterable[str] = ()) -> dict[str, object]:
    """Values of a row by the names of the domain object's attributes; blanks without a default."""
    skip = set(leave)
    return {
        name: row.values[name]
        for name in fields(table)
        if name not in skip and row.values[name] is not None
    }


def build_programs(
    table: Table, demand: Table, periods: tuple[Period, ...]
) -> tuple[dict[str, Program], Assumed]:
    """Programs by id, with their demand from either table, and what was assumed of them."""
    quantities: dict[tuple[str, str], float] = {
        (str(row.values["program_id"]), str(row.values["period"])): cast(
            float, row.values["quantity"]
        )
        for row in demand.rows
    }
    programs: dict[str, Program] = {}
    for row in table.rows:
        plain = _plain("portfolio", row)
        key = str(plain["program_id"])
        plain["unit"] = str(plain["unit"]).casefold()
        plain["demand"] = tuple(
            row.demand.get(period.label, quantities.get((key, period.label), 0.0))
            for period in periods
        )
        programs[key] = Program(**plain)  # type: ignore[arg-type]
    shelf = fields("portfolio")["shelf_life_months"].default
    oeb = f"band {UNKNOWN_OEB} (unknown is treated as {UNKNOWN_OEB})"
    return _sorted(programs), (
        *_blank(table, "portfolio.csv", "max_oeb", oeb, "programs"),
        *_blank(table, "portfolio.csv", "shelf_life_months", f"{shelf} months", "programs"),
    )


def build_cmos(table: Table) -> tuple[dict[str, Cmo], Assumed]:
    """CMOs by id, and what was assumed of them."""
    cmos: dict[str, Cmo] = {}
    for row in table.rows:
        plain = _plain("cmos", row, SCORES)
        plain.setdefault("outage_per_year", OUTAGE_PER_YEAR)
        plain.setdefault("recover_months", RECOVER_MONTHS)
        plain["scores"] = {score: row.values[score] for score in SCORES}
        cmos[str(plain["cmo_id"])] = Cmo(**plain)  # type: ignore[arg-type]
    return _sorted(cmos), (
        *_blank(table, "cmos.csv", "outage_per_year", f"{OUTAGE_PER_YEAR:g} a year", "CMOs"),
        *_blank(table, "cmos.csv", "recover_months", f"{RECOVER_MONTHS:g} months", "CMOs"),
    )


def _blank(table: Table, file: str, column: str, value: str, what: str) -> Assumed:
    """The assumption that fills a blank column, with how often; nothing where none is blank."""
    count = sum(column not in row.given for row in table.rows)
    return ((f"{file} {column}", f"{value} assumed for {count} {what}"),) if count else ()


def build_lines(table: Table, line_days: Table, periods: tuple[Period, ...]) -> dict[str, Line]:
    """Lines by id, with the days of line_days.csv in place of those of each period."""
    days: dict[tuple[str, str], float] = {
        (str(row.values["line_id"]), str(row.values["period"])): cast(float, row.values["days"])
        for row in line_days.rows
    }
    lines: dict[str, Line] = {}
    for row in table.rows:
        plain = _plain("lines", row, ["days_per_period"])
        key, usual = str(plain["line_id"]), cast(float, row.values["days_per_period"])
        plain["unit"] = str(plain["unit"]).casefold()
        plain["days"] = tuple(days.get((key, period.label), usual) for period in periods)
        lines[key] = Line(**plain)  # type: ignore[arg-type]
    return _sorted(lines)


def build_tiers(table: Table) -> dict[str, tuple[Tier, ...]]:
    """Tiers by CMO, ascending."""
    tiers: dict[str, list[Tier]] = {}
    for row in table.rows:
        tier = Tier(
            str(row.values["cmo_id"]),
            cast(float, row.values["spend_from"]),
            cast(float, row.values["rebate"]),
        )
        tiers.setdefault(tier.cmo_id, []).append(tier)
    return {key: tuple(sorted(tiers[key], key=lambda t: t.spend_from)) for key in sorted(tiers)}


def build_chain(table: Table) -> dict[tuple[str, str], ChainSteps]:
    """Steps of chain.csv by program and line, as (low, mode, high) months."""
    chain: dict[tuple[str, str], dict[str, tuple[float, float, float]]] = {}
    for row in table.rows:
        key = str(row.values["program_id"]), str(row.values["line_id"])
        low, mode, high = (cast(float, row.values[name]) for name in ("low", "mode", "high"))
        chain.setdefault(key, {})[str(row.values["step"])] = (low, mode, high)
    return {key: chain[key] for key in sorted(chain)}


def build_shifts(table: Table) -> dict[str, Shift]:
    """Measured shifts by CMO."""
    rows = [Shift(**_plain("shifts", row)) for row in table.rows]  # type: ignore[arg-type]
    return _sorted({shift.cmo_id: shift for shift in rows})


def build_contracts(table: Table) -> dict[tuple[str, str], Contract]:
    """Terms of reserved days by line and kind."""
    rows = [Contract(**_plain("contracts", row)) for row in table.rows]  # type: ignore[arg-type]
    terms = {(row.line_id, row.kind): row for row in rows}
    return {key: terms[key] for key in sorted(terms)}


def _sorted(items: Mapping[str, T]) -> dict[str, T]:
    return {key: items[key] for key in sorted(items)}
