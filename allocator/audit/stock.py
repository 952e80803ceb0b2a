"""Rules about supply and stock."""

from __future__ import annotations

from collections.abc import Iterator

from allocator.audit.case import Case
from allocator.audit.load import Row
from allocator.audit.report import same, tolerance
from allocator.audit.streams import Stream

Faults = Iterator[tuple[str, str]]


def _rows(case: Case) -> Iterator[tuple[str, Row, Stream, int]]:
    """Rows of batches.csv with their stream and period; rows of neither are the files' fault."""
    for row in case.table("batches"):
        stream = case.stream_by_key.get((row["program_id"], row["offer_id"]))
        t = case.facts.period(row["period"])
        if stream is not None and t is not None:
            name = " ".join(part for part in (row["program_id"], row["offer_id"]) if part)
            yield f"{name} {row['period']}", row, stream, t


def flow(case: Case) -> Faults:
    """Stock is what was there, plus batches released, less demand served, less scrap."""
    for where, row, stream, t in _rows(case):
        for column, due in (
            ("released", stream.released[t]),
            ("demand", stream.demand[t]),
            ("served", stream.demand[t] - stream.unmet[t]),
            ("unmet", stream.unmet[t]),
            ("stock", stream.stock[t]),
            ("scrap", stream.scrap[t]),
        ):
            if not same(row[column], due, stream.scale):
                yield f"{where} {column}", f"{row[column]:g} is stated, {due:g} follows"
    for program_id, entry in case.programs.items():
        program, unmet = case.portfolio.programs[program_id], case.unmet[program_id]
        months = unmet * case.facts.months_per_unit(program)
        for key, due, scale in (
            ("unmet_units", unmet, sum(program.demand)),
            ("months_short", months, 0.0),
        ):
            if not same(entry[key], due, scale):
                yield f"{program_id} {key}", f"{entry[key]:g} is stated, {due:g} follows"


def serve_first(case: Case) -> Faults:
    """Demand is served before any stock is kept or scrapped."""
    for where, row, stream, t in _rows(case):
        kept = row["stock"] + row["scrap"]
        slack = tolerance(stream.demand[t], stream.scale)
        if row["unmet"] > slack and kept > slack:
            yield where, f"{row['unmet']:g} are not served while {kept:g} are kept or scrapped"
        if not same(row["served"] + row["unmet"], row["demand"], stream.scale):
            yield where, "served and unmet are not the demand together"


def shelf_life(case: Case) -> Faults:
    """No more is kept than is used up within the shelf life."""
    for where, row, stream, t in _rows(case):
        if row["stock"] > stream.cap[t] + tolerance(stream.cap[t], stream.scale):
            yield where, f"{row['stock']:g} are kept, shelf life allows {stream.cap[t]:g}"


def safety_stock(case: Case) -> Faults:
    """What is missing to the safety stock is stated."""
    for where, row, stream, t in _rows(case):
        gap = max(0.0, stream.target[t] - stream.stock[t])
        for column, due in (("safety_target", stream.target[t]), ("safety_gap", gap)):
            if not same(row[column], due, stream.scale):
                yield f"{where} {column}", f"{row[column]:g} is stated, {due:g} follows"


RULES = (flow, serve_first, shelf_life, safety_stock)
