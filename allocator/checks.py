"""All problems of a portfolio at once: of the tables one by one, of their sense together.

Warnings don't stop a run: they name what will surprise its reader.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from allocator.calendar import period_months
from allocator.capacity_check import capacity_findings
from allocator.eligibility import Eligibility, eligibility
from allocator.findings import Finding, in_order, number
from allocator.portfolio import Offer, Portfolio, Program
from allocator.read import load
from allocator.tables import Table

MANY = 50
"""So many programs without a maker get their reasons worked out, the others are named only."""

MANY_ROWS = 200
"""So many offers that cannot be used are named each, the others counted."""


def check(path: Path | str, scenario: Path | str | None = None) -> tuple[Finding, ...]:
    """Errors and warnings of a folder's tables, policy and scenario, in order. Never raises."""
    loaded = load(path, scenario)
    if loaded.portfolio is None:
        return loaded.findings
    return in_order((*loaded.findings, *sense(loaded.portfolio, loaded.tables)))


def sense(portfolio: Portfolio, tables: Mapping[str, Table]) -> Iterator[Finding]:
    """Warnings on a portfolio without errors; `tables` give the line numbers."""
    eligible = eligibility(portfolio)
    lines = _Lines(tables)
    by_program: dict[str, list[Offer]] = {key: [] for key in portfolio.programs}
    for offer_id in eligible.offers:
        offer = portfolio.offers[offer_id]
        by_program[offer.program_id].append(offer)
    yield from _homeless(eligible, by_program, lines)
    yield from _ineligible_quotes(eligible, lines)
    for key, offers in by_program.items():
        program = portfolio.programs[key]
        yield from _program_findings(portfolio, program, offers, lines)
    yield from _idle(portfolio, lines)
    yield from _charge(portfolio)
    yield from capacity_findings(portfolio, by_program, lines)


class _Lines:
    """Line numbers of the rows behind the domain objects."""

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self.programs = _numbers(tables, "portfolio", "program_id")
        self.cmos = _numbers(tables, "cmos", "cmo_id")
        self.lines = _numbers(tables, "lines", "line_id")
        self.offers = {
            (row.values["program_id"], row.values["line_id"], row.values["batch_size"]): row.line
            for row in (tables["offers"].rows if "offers" in tables else ())
        }

    def offer(self, offer: Offer) -> int | None:
        """Line of offers.csv of an offer, None for one that a rate card made."""
        return self.offers.get((offer.program_id, offer.line_id, offer.batch_size))


def _numbers(tables: Mapping[str, Table], name: str, column: str) -> dict[str, int]:
    return {str(row.values[column]): row.line for row in tables[name].rows} if tables else {}


def _warn(file: str, row: int | None, column: str, what: str, remedy: str) -> Finding:
    return Finding(file, row, column, what, remedy, "warning")


def _homeless(
    eligible: Eligibility, by_program: Mapping[str, list[Offer]], lines: _Lines
) -> Iterator[Finding]:
    """Programs that nobody can make."""
    homeless = [key for key, offers in by_program.items() if not offers]
    for count, key in enumerate(homeless):
        nearest = f"; nearest: {_nearest(eligible, key)}" if count < MANY else ""
        yield _warn(
            "portfolio.csv",
            lines.programs.get(key),
            "program_id",
            f"nobody can make {key}{nearest}",
            "it will be unsourced; ask for an offer, add a line, or correct what stands against it",
        )


def _nearest(eligible: Eligibility, program_id: str) -> str:
    """The line with the fewest reasons against it, and these."""
    reasons = [(eligible.reasons(program_id, key), key) for key in eligible.portfolio.lines]
    fewest = min(reasons, key=lambda pair: (len(pair[0]), pair[1]))[0]
    others = len(reasons) - 1
    more = f" ({others} other lines have as many reasons or more)" if others else ""
    return " and ".join(fewest) + more


def _ineligible_quotes(eligible: Eligibility, lines: _Lines) -> Iterator[Finding]:
    """Rows of offers.csv that cannot be used: the first ones with the reasons, the rest counted."""
    usable = set(eligible.offers)
    rows = [
        (row, offer.offer_id)
        for offer in eligible.portfolio.offers.values()
        if offer.offer_id not in usable and (row := lines.offer(offer)) is not None
    ]
    remedy = "correct the tables if this is wrong; otherwise the row is left out"
    for row, offer_id in sorted(rows)[:MANY_ROWS]:
        why = " and ".join(eligible.offer_reasons(offer_id))
        yield _warn("offers.csv", row, "", f"the offer cannot be used: {why}", remedy)
    if len(rows) > MANY_ROWS:
        more = f"{number(len(rows) - MANY_ROWS)} more offers, this one first, cannot be used"
        yield _warn("offers.csv", sorted(rows)[MANY_ROWS][0], "", more, remedy)


def _program_findings(
    portfolio: Portfolio, program: Program, offers: list[Offer], lines: _Lines
) -> Iterator[Finding]:
    row, file = lines.programs.get(program.program_id), "portfolio.csv"
    needed = [quantity for quantity in program.demand if quantity > 0]
    if not needed:
        what = f"{program.program_id} has no demand in any period"
        yield _warn(file, row, "program_id", what, "give its demand, or leave the row out")
        return
    if not offers:
        return
    mean, months = sum(needed) / len(needed), period_months(portfolio)
    worth = program.delay_cost_per_month * months / mean
    price, cheapest = min((o.price_per_batch / o.good_per_batch, o.offer_id) for o in offers)
    if worth < price:
        yield _warn(
            file,
            row,
            "delay_cost_per_month",
            f"{program.program_id} is worth {number(worth)} a {_one(program.unit)} (delay cost of "
            f"a period over its mean demand), less than the {number(price)} of its cheapest offer "
            f"{cheapest}: not making it looks best",
            "check the unit of the demand and of delay_cost_per_month",
        )
    if program.sourcing == "dual" and len({portfolio.lines[o.line_id].cmo_id for o in offers}) < 2:
        cmo_id = portfolio.lines[offers[0].line_id].cmo_id
        yield _warn(
            file,
            row,
            "sourcing",
            f"{program.program_id} asks for dual, but only {cmo_id} can make it",
            "it will be unsourced; ask for a second offer, or leave sourcing blank",
        )
    smallest = min(offer.good_per_batch for offer in offers)
    kept = mean / months * program.shelf_life_months
    if smallest > kept:
        yield _warn(
            file,
            row,
            "shelf_life_months",
            f"the smallest batch of {program.program_id} gives {number(smallest)} {program.unit}, "
            f"its shelf life covers {number(kept)}: the rest is scrapped",
            "ask for a smaller batch, or check units",
        )


def _one(unit: str) -> str:
    """One of a unit: vials, a vial."""
    return unit[:-1] if unit.endswith("s") and len(unit) > 2 else unit


def _idle(portfolio: Portfolio, lines: _Lines) -> Iterator[Finding]:
    """CMOs without a line, and lines that nobody has an offer for."""
    offered = {offer.line_id for offer in portfolio.offers.values()}
    owning = {line.cmo_id for line in portfolio.lines.values()}
    for key in portfolio.cmos:
        if key not in owning:
            what = f"{key} has no line"
            yield _warn("cmos.csv", lines.cmos.get(key), "cmo_id", what, "add one to lines.csv")
    for key, line in portfolio.lines.items():
        if key not in offered:
            card = line.price_per_batch is not None and line.days_per_batch is not None
            why = "its rate card suits no program" if card else "it has no rate card"
            what = f"{key} has no row in offers.csv and {why}, so it stays idle"
            remedy = "add an offer, or price_per_batch and days_per_batch"
            yield _warn("lines.csv", lines.lines.get(key), "line_id", what, remedy)


def _charge(portfolio: Portfolio) -> Iterator[Finding]:
    """The charge on safety stock must stay small, or holding stock back would pay."""
    months = period_months(portfolio) * len(portfolio.periods)
    charge = portfolio.policy.safety_stock_charge
    stocked = any(program.safety_stock_months > 0 for program in portfolio.programs.values())
    if stocked and charge * months >= 0.5:
        yield _warn(
            "policy.toml",
            None,
            "safety_stock_charge",
            f"{charge:g} a month is {charge * months:.3g} over the {months} months of the horizon: "
            "stock may be held back while demand goes unmet",
            f"give less than {0.5 / months:.2g}",
        )
