"""Stock of supply streams: what is served, kept, scrapped and short, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.problem import Floats, Ints, Problem, StreamTables, window


@dataclass(frozen=True)
class Flow:
    """Stock movements of N streams, all (N, T) units; `safety_gap` is stock below target."""

    released: Floats
    stock: Floats
    unmet: Floats
    scrap: Floats
    safety_gap: Floats


def simulate(tables: StreamTables, released: Floats) -> Flow:
    """Serve demand first, keep what the shelf life allows, scrap the rest.

    `released` (N, T) units come free for use at the start of each period. Given the batches this
    is the cheapest flow that never holds stock back from demand (models/compact.md, `flow`).
    """
    stock = np.zeros_like(released)
    unmet = np.zeros_like(released)
    scrap = np.zeros_like(released)
    held = tables.opening
    for t in range(released.shape[1]):
        left = held + released[:, t] - tables.demand[:, t]
        unmet[:, t] = np.maximum(-left, 0.0)
        held = np.clip(left, 0.0, tables.cap[:, t])
        scrap[:, t] = np.maximum(left - held, 0.0) * (left > 0.0)
        stock[:, t] = held
    return Flow(released, stock, unmet, scrap, np.maximum(tables.target - stock, 0.0))


def flow_cost(problem: Problem, program: Ints, flow: Flow) -> tuple[Floats, Floats, Floats]:
    """Holding, shortage and safety-stock cost of each stream, (N,) each.

    Scrap awaits destruction until the end of the horizon and is charged for holding like stock,
    so throwing medicine away never saves money.
    """
    programs = problem.programs
    remaining = np.arange(problem.periods, 0, -1, dtype=np.float64)
    holding = programs.holding_price[program] * (flow.stock.sum(1) + flow.scrap @ remaining)
    shortage = programs.shortage_price[program] * flow.unmet.sum(1)
    safety = programs.safety_price[program] * flow.safety_gap.sum(1)
    return holding, shortage, safety


def unsourced_tables(problem: Problem, program: Ints) -> StreamTables:
    """The tables of programs with no source at all: share 1, served from opening stock."""
    programs = problem.programs
    demand, after = programs.demand[program], programs.demand_after[program]
    cap = window(demand, after, programs.shelf_periods[program])
    target = np.minimum(window(demand, after, programs.safety_periods[program]), cap)
    return StreamTables(demand, cap, target, programs.opening_stock[program])


def unsourced_cost(problem: Problem) -> Floats:
    """Holding, shortage and safety-stock cost together of leaving each program unsourced, (P,)."""
    program = np.arange(len(problem.programs.ids))
    tables = unsourced_tables(problem, program)
    flow = simulate(tables, np.zeros_like(tables.demand))
    total: Floats = np.sum(flow_cost(problem, program, flow), axis=0)
    return total


def released_units(problem: Problem, offer: int, batches: Ints) -> Floats:
    """Good units free for use per period, (T,), from batches started per period."""
    lag = int(problem.offers.lag[offer])
    units = np.zeros(problem.periods)
    if lag < problem.periods:
        units[lag:] = batches[: problem.periods - lag] * problem.offers.good_per_batch[offer]
    return units
