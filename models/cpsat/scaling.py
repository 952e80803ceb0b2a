"""Whole numbers for CP-SAT: scales of money and quantities, and what rounding can cost.

The error bound is that of models/cpsat.md: every plan has a counterpart in the integer model whose
objective, scaled back, is at most `Scales.error` above the plan's own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from models.problem import Floats, Ints, Problem, StreamTables
from models.stock import unsourced_cost

#: Decimals of quantities that are kept exactly where the numbers stay small enough.
DECIMALS = 6
#: Sums of coefficient x bound are kept below this; CP-SAT works on 64-bit integers.
LARGEST = 1e17


@dataclass(frozen=True)
class Scales:
    """The integer data. Stock of offer f counts in parts of a batch, `parts[f]` to one batch.

    Per stream (S, T) in parts: `demand`, `cap`, `target`; `opening` (S,). Money counts in units of
    1 / `money`. `stream_error` (S,) is money that rounding the flow of a chosen stream can cost.
    """

    money: float
    parts: Ints  # (F,)
    demand: Ints
    cap: Ints
    target: Ints
    opening: Ints
    stream_error: Floats

    def whole(self, amount: Floats) -> Ints:
        """Money amounts as integers, rounded to nearest."""
        return np.round(amount * self.money).astype(np.int64)

    def lost(self, amount: Floats) -> Floats:
        """By how much rounding changes money amounts, in money."""
        difference: Floats = np.abs(self.whole(amount) / self.money - amount)
        return difference


def choose_scales(problem: Problem, gap: float) -> Scales:
    """Scales fine enough for the asked relative gap, and the flow data in them."""
    fine = min(200.0 / max(gap, 1e-9), 1e7)
    worst = float(unsourced_cost(problem).sum())
    largest = max(worst, float(problem.offers.price.max(initial=0.0))) or 1.0
    money = 10.0 ** math.floor(math.log10(100.0 * fine / largest) + 1e-9)
    default = int(10 ** np.clip(math.ceil(math.log10(fine)), 3, 7))
    tables = problem.stream_tables(slice(None))
    parts = np.ones(len(problem.offers.ids), np.int64)
    rows_of = _rows_by_offer(problem)
    for f, rows in enumerate(rows_of):
        if len(rows):
            parts[f] = _parts(float(problem.offers.good_per_batch[f]), tables, rows, default)
    per_part = (problem.offers.good_per_batch / parts)[problem.streams.offer]
    whole = [
        np.round(table / (per_part if table.ndim == 1 else per_part[:, None])).astype(np.int64)
        for table in (tables.demand, tables.cap, tables.target, tables.opening)
    ]
    demand, cap, target, opening = whole
    error = _flow_error(problem, tables, per_part, demand, cap, target, opening)
    return Scales(money, parts, demand, cap, target, opening, error)


def _rows_by_offer(problem: Problem) -> list[Ints]:
    """Stream rows of each offer."""
    order = np.argsort(problem.streams.offer, kind="stable")
    ends = np.searchsorted(problem.streams.offer[order], np.arange(len(problem.offers.ids) + 1))
    return [order[a:b] for a, b in pairwise(ends.tolist())]


def _parts(good: float, tables: StreamTables, rows: Ints, default: int) -> int:
    """Parts per batch: few that make every quantity whole, else `default`."""
    amounts = np.concatenate(
        [
            [good],
            tables.opening[rows],
            *(table[rows].ravel() for table in (tables.demand, tables.cap, tables.target)),
        ]
    )
    for decimals in range(DECIMALS + 1):
        scaled = amounts * 10.0**decimals
        whole = np.round(scaled)
        if scaled[0] > 10.0 * default:
            break
        if np.all(np.abs(scaled - whole) <= 1e-9 * np.maximum(scaled, 1.0)):
            common = int(np.gcd.reduce(whole.astype(np.int64)))
            return max(1, int(whole[0]) // max(common, 1))
    return default


def _flow_error(
    problem: Problem,
    tables: StreamTables,
    per_part: Floats,
    demand: Ints,
    cap: Ints,
    target: Ints,
    opening: Ints,
) -> Floats:
    """Money by which rounded quantities can change the cost of each stream's flow, (S,)."""
    T, program = problem.periods, problem.offers.program[problem.streams.offer]
    programs, unit = problem.programs, per_part[:, None]
    moved = np.abs(demand * unit - tables.demand).sum(1) + np.abs(cap * unit - tables.cap).sum(1)
    moved = moved + np.abs(opening * per_part - tables.opening)
    safety = programs.safety_price[program]
    per_unit = programs.shortage_price[program] + T * (2 * programs.holding_price[program] + safety)
    error: Floats = moved * per_unit + safety * np.abs(target * unit - tables.target).sum(1)
    return error


def divisor(amounts: Floats, most: Floats) -> int:
    """A power of ten by which to multiply coefficients before rounding, 1 at least.

    As large as keeps the sum of rounded coefficient x largest value `most` below LARGEST.
    """
    total = float(np.sum(np.abs(amounts) * most))
    if total <= 0:
        return 1
    return int(10 ** np.clip(math.floor(math.log10(LARGEST / total)), 0, 9))


def relaxed(coefficients: Floats, most: Floats, limit: float) -> tuple[Ints, int]:
    """Integers for `coefficients @ v <= limit`, v >= 0: kept by every v that keeps the row.

    Exact where all numbers have few decimals; else coefficients are rounded down, so that the row
    allows a little more. `most` bounds each variable.
    """
    numbers = np.append(coefficients, limit)
    for decimals in range(DECIMALS + 1):
        scaled = numbers * 10.0**decimals
        whole = np.round(scaled)
        if np.all(np.abs(scaled - whole) <= 1e-9 * np.maximum(np.abs(scaled), 1.0)):
            if float(np.sum(np.abs(whole[:-1]) * most)) < LARGEST:
                return whole[:-1].astype(np.int64), int(whole[-1])
            break
    scale = divisor(coefficients, most)
    # a hair more room, as in the evaluation, so that decimals such as 0.1 + 0.2 fit 0.3
    room = limit + 1e-9 * abs(limit)
    return np.floor(coefficients * scale).astype(np.int64), math.floor(room * scale)
