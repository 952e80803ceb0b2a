"""Problems small enough to compute by hand: every figure has a plain default."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from models.options import enumerate_options
from models.problem import Cmos, Lines, Offers, Problem, Programs, Rule

PROGRAM = {
    "demand": (10.0, 10.0),
    "after": 10.0,
    "shortage": 100.0,
    "holding": 0.0,
    "safety": 0.0,
    "opening": 0.0,
    "shelf": 8.0,
    "safety_periods": 0.0,
}
CMO = {"onboarding": 0.0, "fees": 0.0, "floor": 0.0, "max_programs": -1, "tiers": ()}
LINE = {
    "cmo": 0,
    "days": 100.0,
    "changeover_days": 0.0,
    "changeover_cost": 0.0,
    "expansion_days": 0.0,
    "expansion_cost": 0.0,
    "expansion_period": 0,
}
OFFER = {
    "program": 0,
    "line": 0,
    "good": 10.0,
    "price": 50.0,
    "days": 5.0,
    "ready": 0,
    "lag": 0,
    "transfer": 0.0,
    "validation": 0.0,
    "validation_days": 0.0,
    "validation_period": 0,
    "qualified": True,
}


def small(
    programs: Sequence[dict[str, Any]] = ({},),
    cmos: Sequence[dict[str, Any]] = ({},),
    lines: Sequence[dict[str, Any]] = ({},),
    offers: Sequence[dict[str, Any]] = ({},),
    sourcing: str = "single",
    splits: Sequence[float] = (0.6,),
    rules: Sequence[Rule] = (),
    year: Sequence[int] | None = None,
) -> Problem:
    """A problem from dictionaries; what they leave out stands in the tables above.

    Without changes: one program with a demand of 10 in each of two quarters of one year, one
    qualified offer of 10 good units for 50 money and 5 days, 100 days a quarter, shortage 100 per
    unit, everything else free. Ids are P0.., K0.., L0.., F0.., periods 2027Q1...
    """
    part = [PROGRAM | p for p in programs]
    cmo = [CMO | k for k in cmos]
    line = [LINE | row for row in lines]
    offer = [OFFER | f for f in offers]
    T = len(part[0]["demand"])
    years = np.array(year if year is not None else [t // 4 for t in range(T)], np.int64)
    Y = int(years.max()) + 1

    def floats(rows: list[dict[str, Any]], name: str) -> np.ndarray:
        return np.array([row[name] for row in rows], np.float64)

    def ints(rows: list[dict[str, Any]], name: str) -> np.ndarray:
        return np.array([row[name] for row in rows], np.int64)

    offer_table = Offers(
        ids=tuple(f"F{f}" for f in range(len(offer))),
        program=ints(offer, "program"),
        line=ints(offer, "line"),
        good_per_batch=floats(offer, "good"),
        price=floats(offer, "price"),
        days=floats(offer, "days"),
        ready=ints(offer, "ready"),
        lag=ints(offer, "lag"),
        transfer_cost=floats(offer, "transfer"),
        validation_cost=floats(offer, "validation"),
        validation_days=floats(offer, "validation_days"),
        validation_period=ints(offer, "validation_period"),
        qualified=np.array([row["qualified"] for row in offer], np.bool_),
    )
    streams, options = enumerate_options(
        len(part), offer_table, ints(line, "cmo")[offer_table.line], [sourcing] * len(part), splits
    )
    return Problem(
        period_labels=tuple(f"2027Q{t + 1}" for t in range(T)),
        year=years,
        year_labels=tuple(str(2027 + y) for y in range(Y)),
        programs=Programs(
            ids=tuple(f"P{p}" for p in range(len(part))),
            demand=np.array([row["demand"] for row in part], np.float64),
            demand_after=floats(part, "after"),
            shortage_price=floats(part, "shortage"),
            months_per_unit=np.full(len(part), 0.3),
            holding_price=floats(part, "holding"),
            safety_price=floats(part, "safety"),
            opening_stock=floats(part, "opening"),
            shelf_periods=floats(part, "shelf"),
            safety_periods=floats(part, "safety_periods"),
        ),
        cmos=Cmos(
            ids=tuple(f"K{k}" for k in range(len(cmo))),
            onboarding_cost=floats(cmo, "onboarding"),
            fees=floats(cmo, "fees"),
            floor=np.tile(floats(cmo, "floor")[:, None], (1, Y)),
            max_programs=ints(cmo, "max_programs"),
            tiers=tuple(row["tiers"] for row in cmo),
        ),
        lines=Lines(
            ids=tuple(f"L{i}" for i in range(len(line))),
            cmo=ints(line, "cmo"),
            days=np.array([np.broadcast_to(row["days"], T) for row in line], np.float64),
            changeover_days=floats(line, "changeover_days"),
            changeover_cost=floats(line, "changeover_cost"),
            expansion_days=floats(line, "expansion_days"),
            expansion_cost=floats(line, "expansion_cost"),
            expansion_period=ints(line, "expansion_period"),
        ),
        offers=offer_table,
        streams=streams,
        options=options,
        rules=tuple(rules),
    )
