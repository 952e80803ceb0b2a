"""Offers: the quoted rows of offers.csv, and what rate cards make of the other pairs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from allocator.defaults import TRANSFER_COLUMNS, offer_defaults
from allocator.portfolio import Line, Offer, Program
from allocator.tables import Row
from allocator.values import Value


def offer_id(program_id: str, line_id: str, batch_size: float) -> str:
    """Id of an offer: the two ids and the batch size, written so that no two sizes collapse."""
    if batch_size == int(batch_size) and batch_size < 1e15:
        return f"{program_id}@{line_id}@{int(batch_size)}"
    short = f"{batch_size:g}"
    size = short if float(short) == batch_size else repr(batch_size)
    return f"{program_id}@{line_id}@{size}"


def build_offers(
    rows: Iterable[Row], programs: Mapping[str, Program], lines: Mapping[str, Line]
) -> dict[str, Offer]:
    """All offers by id, sorted by program, line and batch size.

    `rows` must be sound: known ids, nothing in error, no size of a pair twice.
    """
    quoted = [_quoted(row, programs) for row in rows]
    pairs = {(offer.program_id, offer.line_id) for offer in quoted}
    made = _rate_card_offers(programs, lines, pairs)
    every = sorted([*quoted, *made], key=lambda o: (o.program_id, o.line_id, o.batch_size))
    offers: dict[str, Offer] = {}
    for offer in every:
        key, number = offer.offer_id, 2
        while key in offers:  # an @ inside ids can make two pairs read alike
            key, number = f"{offer.offer_id}~{number}", number + 1
        offers[key] = offer if key == offer.offer_id else replace(offer, offer_id=key)
    return offers


def _number(values: Mapping[str, Value], column: str) -> float:
    value = values[column]
    assert isinstance(value, int | float), column
    return value


def _quoted(row: Row, programs: Mapping[str, Program]) -> Offer:
    """The offer of one row, blanks filled with the stated defaults."""
    values = row.values
    program_id, line_id = str(values["program_id"]), str(values["line_id"])
    qualified = values["qualified"] is True
    shared = values["shared_inputs"]
    filled, assumed = fill(values, row.given, programs[program_id], qualified)
    size = _number(values, "batch_size")
    return Offer(
        offer_id=offer_id(program_id, line_id, size),
        program_id=program_id,
        line_id=line_id,
        batch_size=size,
        price_per_batch=_number(values, "price_per_batch"),
        days_per_batch=_number(values, "days_per_batch"),
        qualified=qualified,
        shared_inputs=shared if isinstance(shared, tuple) else (),
        assumed=assumed,
        yield_=filled["yield"],
        fail_rate=filled["fail_rate"],
        transfer_cost=filled["transfer_cost"],
        transfer_months_low=filled["transfer_months_low"],
        transfer_months_mode=filled["transfer_months_mode"],
        transfer_months_high=filled["transfer_months_high"],
        ppq_batches=int(filled["ppq_batches"]),
        filing_months=filled["filing_months"],
        release_months=filled["release_months"],
    )


def fill(
    values: Mapping[str, Value], given: frozenset[str], program: Program, qualified: bool
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Values of the columns that have stated defaults, and which of them are assumed.

    A qualified offer needs no transfer, validation or filing: these are 0 and nothing is assumed.
    Of low, mode and high months, those that are given move the others so that they stay in order.
    """
    defaults = offer_defaults(program.dosage_form, program.molecule_type, program.stage)
    filled: dict[str, float] = {}
    assumed: list[str] = []
    for column, default in defaults.items():
        if qualified and column in TRANSFER_COLUMNS:
            filled[column] = 0.0
        elif column in given:
            filled[column] = _number(values, column)
        else:
            filled[column] = default
            assumed.append(column)
    low, mode, high = ("transfer_months_low", "transfer_months_mode", "transfer_months_high")
    if mode in given:
        scale = filled[mode] / defaults[mode]
        if low not in given:
            filled[low] = min(filled[mode], defaults[low] * scale)
        if high not in given:
            filled[high] = max(filled[mode], defaults[high] * scale)
    else:
        least = filled[low] if low in given else 0.0
        most = filled[high] if high in given else max(filled[mode], least)
        filled[mode] = min(max(filled[mode], least), most)
        filled[low] = min(filled[low], filled[mode])
        filled[high] = max(filled[high], filled[mode])
    return filled, tuple(assumed)


def _rate_card_offers(
    programs: Mapping[str, Program], lines: Mapping[str, Line], pairs: set[tuple[str, str]]
) -> list[Offer]:
    """One offer for each pair without a row whose line has a rate card and takes such programs.

    Its size is the largest batch that the line runs and the program's registered range allows.
    """
    cards = [
        line
        for line in lines.values()
        if line.price_per_batch is not None and line.days_per_batch is not None
    ]
    taking: dict[tuple[str, str, str, str], list[Line]] = {}
    offers: list[Offer] = []
    for program in programs.values():
        kind = (program.dosage_form, program.molecule_type, program.stage, program.unit)
        if kind not in taking:
            taking[kind] = [line for line in cards if takes(line, program)]
        filled, assumed = fill({}, frozenset(), program, qualified=False)
        for line in taking[kind]:
            size = largest_batch(program, line)
            if size is not None and (program.program_id, line.line_id) not in pairs:
                offers.append(_carded(program, line, size, filled, assumed))
    return offers


def takes(line: Line, program: Program) -> bool:
    """Whether the line makes such forms, molecules and stages, counted in the same unit."""
    return (
        program.dosage_form in line.dosage_forms
        and (not line.molecule_types or program.molecule_type in line.molecule_types)
        and (not line.stages or program.stage in line.stages)
        and program.unit == line.unit
    )


def largest_batch(program: Program, line: Line) -> float | None:
    """Largest batch that both allow; None where their ranges exclude each other."""
    low = max(line.batch_min, program.batch_min or 0.0)
    high = line.batch_max if program.batch_max is None else min(line.batch_max, program.batch_max)
    return high if low <= high else None


def _carded(
    program: Program, line: Line, size: float, filled: dict[str, float], assumed: tuple[str, ...]
) -> Offer:
    assert line.price_per_batch is not None
    assert line.days_per_batch is not None
    return Offer(
        offer_id(program.program_id, line.line_id, size),
        program.program_id,
        line.line_id,
        size,
        line.price_per_batch,
        line.days_per_batch,
        filled["yield"],
        filled["fail_rate"],
        False,
        filled["transfer_cost"],
        filled["transfer_months_low"],
        filled["transfer_months_mode"],
        filled["transfer_months_high"],
        int(filled["ppq_batches"]),
        filled["filing_months"],
        filled["release_months"],
        (),
        assumed,
    )
