"""An option's sources as arrays of two, by period of release, for the compiled searches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.patterns.pricing import Costs, Pricer
from models.problem import Bools, Floats, Ints, Problem
from models.secure.standing import Standing
from models.stock import unsourced_cost


@dataclass(frozen=True)
class Source:
    """An option with its usable offers: `offers` (U,), the first `count` of them its sources.

    Tables by period of release, (2, T) or (2,), as `cheapest` wants them.
    """

    option: int
    offers: Ints
    count: int
    demand: Floats
    cap: Floats
    target: Floats
    opening: Floats
    good: Floats
    lag: Ints


@dataclass(frozen=True)
class View:
    """What is left for U usable offers on R lines, as `reserved` wants it; `facts` by offer."""

    lines: Ints
    slot: Ints
    free: Floats
    stopped: Bools
    inputs: Bools
    facts: tuple[Ints, Bools, Ints, Floats, Floats, Floats]


def streams_of(problem: Problem, option: int) -> Ints:
    """The streams of an option, one or two."""
    options = problem.options
    rows = [s for s in (options.first[option], options.second[option]) if s >= 0]
    return np.array(rows, np.int64)


def source_of(problem: Problem, option: int) -> Source:
    """The tables of an option without other offers to turn to."""
    rows = streams_of(problem, option)
    mine = problem.streams.offer[rows]
    tables = problem.stream_tables(rows)
    return Source(
        option,
        mine,
        len(rows),
        two(tables.demand),
        two(tables.cap),
        two(tables.target),
        two(tables.opening),
        two(problem.offers.good_per_batch[mine]),
        two(problem.offers.lag[mine]),
    )


def view_of(standing: Standing, rows: Ints, hope: float = 0.0, strict: Bools | None = None) -> View:
    """What a standing and its outages mean for some offers of one program.

    `hope` and `strict` as in `Standing.free_of`.
    """
    offers, case = standing.problem.offers, standing.case
    strict = np.zeros(len(case.lengths), np.bool_) if strict is None else strict
    lines, slot = np.unique(offers.line[rows], return_inverse=True)
    return View(
        lines,
        slot.reshape(-1),
        standing.free_of(lines, hope, strict),
        np.ascontiguousarray(case.lines[:, offers.line[rows]]),
        np.ascontiguousarray(case.inputs[:, rows]),
        (
            offers.ready[rows],
            ~offers.qualified[rows],
            offers.lag[rows],
            offers.good_per_batch[rows],
            offers.days[rows],
            standing.problem.lines.changeover_days[offers.line[rows]],
        ),
    )


def least_values(problem: Problem) -> Floats:
    """What each option costs at least, with all lines to itself and no outages, (O,)."""
    offers, T = problem.offers, problem.periods
    F = len(offers.ids)
    batch = np.repeat(offers.price[:, None], T, axis=1)
    setup = np.repeat(problem.lines.changeover_cost[offers.line][:, None], T, axis=1)
    most = problem.max_batches
    costs = Costs(batch, setup, most, np.zeros_like(most), np.ones(T))
    rows = np.arange(len(problem.streams.offer))
    values = np.append(Pricer(problem).values(rows, costs), 0.0) if F else np.zeros(1)
    options = problem.options
    own = options.fixed_cost + problem.risk_weight * options.risk_cost
    total = own + values[options.first] + values[options.second]
    total[options.start[:-1]] = unsourced_cost(problem)
    total[problem.banned] = np.inf
    return np.asarray(total)


def alternates(standing: Standing, option: int) -> list[int]:
    """Other qualified offers of the program at engaged CMOs, the fastest on each line."""
    problem = standing.problem
    offers, options = problem.offers, problem.options
    p = int(options.program[option])
    mine = problem.streams.offer[streams_of(problem, option)]
    there = standing.programs_at > 0
    there[problem.offer_cmo[mine]] = True
    able = (offers.program == p) & offers.qualified & there[problem.offer_cmo]
    rows = [int(f) for f in np.flatnonzero(able) if offers.line[f] not in offers.line[mine]]
    rows.sort(key=lambda f: (-offers.good_per_batch[f] / offers.days[f], f))
    found: list[int] = []
    for f in rows:
        if offers.line[f] not in offers.line[found]:
            found.append(f)
    return found


def two(rows: np.ndarray) -> np.ndarray:
    """One or two rows as two, the second 0 where there is none."""
    if len(rows) == 2:
        return np.ascontiguousarray(rows)
    return np.concatenate([rows, np.zeros_like(rows)])


def released(batches: Ints, lag: Ints) -> Ints:
    """Batches by period of start as batches by period of release, (2, T)."""
    out = np.zeros((2, batches.shape[1]), np.int64)
    for i in range(len(batches)):
        shift = int(lag[i])
        out[i, shift:] = batches[i, : batches.shape[1] - shift]
    return out


def by_release(rows: Floats, lag: Ints) -> Floats:
    """Costs (n, T) by period of start as costs by period of release, (2, T); 0 where none start."""
    out = np.zeros((2, rows.shape[1]))
    for i in range(len(rows)):
        shift = int(lag[i])
        out[i, shift:] = rows[i, : rows.shape[1] - shift]
    return out


def flow_prices(shortage: float, safety: float, holding: float, factor: Floats) -> Floats:
    """Money per unit unmet, below the target, kept and scrapped by period, (4, T).

    Scrap waits for its destruction until the horizon ends; `factor` (T,) multiplies holding.
    """
    kept = holding * factor
    scrapped = np.cumsum(kept[::-1])[::-1]
    return np.stack([np.full(len(factor), shortage), np.full(len(factor), safety), kept, scrapped])


def started(batches: Ints, lag: Ints) -> Ints:
    """Batches (2, T) by period of release as batches by period of start."""
    out = np.zeros_like(batches)
    for i in range(len(batches)):
        shift = int(lag[i])
        out[i, : batches.shape[1] - shift] = batches[i, shift:]
    return out


def spans(problem: Problem, mine: Ints) -> Ints:
    """Periods from the last stop before a source is ready to its first release then, (2,)."""
    offers = problem.offers
    ready, lag = offers.ready[mine], offers.lag[mine]
    before = np.maximum(ready - 1, offers.validation_period[mine])
    return np.asarray(two(np.maximum(before, ready) + lag - before))
