"""Every plan of a tiny problem, tried: the optimum without any solver.

Each program's options are unrolled into *columns*, an option with its whole batch schedule. Columns
of all programs are then combined in order of their own cost, and a branch is left only where its
own cost, less the highest rebate that it could ever earn, already exceeds the best plan found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from models.evaluate import evaluate, flow_cost, simulate, unsourced_cost
from models.problem import Problem, StreamTables
from models.result import Decision


@dataclass(frozen=True)
class Column:
    """One option of a program with its batches; `least` bounds what it adds to any plan."""

    option: int
    batches: tuple[tuple[int, tuple[int, ...]], ...]
    least: float
    used: np.ndarray  # (L, T) line-days
    cmos: frozenset[int]


def brute_force(problem: Problem) -> tuple[float, Decision]:
    """The optimal objective and a plan that has it."""
    columns = [cheapest(program_columns(problem, p)) for p in range(len(problem.programs.ids))]
    least = [mine[0].least for mine in columns]
    rest = [sum(least[p:]) for p in range(len(least) + 1)]
    lines = problem.lines
    t = np.arange(problem.periods)
    most = lines.days + lines.expansion_days[:, None] * (t >= lines.expansion_period[:, None])
    once = problem.cmos.onboarding_cost + problem.cmos.fees
    best: tuple[float, Decision | None] = (np.inf, None)

    def go(p: int, cost: float, used: np.ndarray, at: frozenset[int], chosen: list[Column]) -> None:
        nonlocal best
        if p == len(columns):
            plan = decision(problem, chosen, used)
            value = evaluate(problem, plan)
            if not value.broken and value.objective < best[0]:
                best = value.objective, plan
            return
        for column in columns[p]:
            if cost + column.least + rest[p + 1] >= best[0] - 1e-9:
                return  # columns are sorted: no later one can do better
            new = column.cmos - at
            more = cost + column.least + sum(float(once[k]) for k in new)
            if more + rest[p + 1] >= best[0] - 1e-9:
                continue
            total = used + column.used
            if np.all(total <= most + 1e-9):
                go(p + 1, more, total, at | new, [*chosen, column])

    go(0, 0.0, np.zeros_like(lines.days), frozenset(), [])
    assert best[1] is not None
    return best[0], best[1]


def cheapest(columns: Iterator[Column]) -> list[Column]:
    """Of columns with the same batches (other splits) the cheapest, in order of their cost."""
    best: dict[object, Column] = {}
    for column in columns:
        key = (column.batches, column.cmos)
        if key not in best or column.least < best[key].least:
            best[key] = column
    return sorted(best.values(), key=lambda column: column.least)


def decision(problem: Problem, chosen: list[Column], used: np.ndarray) -> Decision:
    """The plan of some columns; a line is expanded only where it must be."""
    return Decision(
        option=np.array([column.option for column in chosen], np.int64),
        batches={f: np.array(n, np.int64) for column in chosen for f, n in column.batches},
        expanded=np.any(used > problem.lines.days + 1e-9, axis=1),
    )


def program_columns(problem: Problem, p: int) -> Iterator[Column]:
    """Every allowed option of program p with every batch schedule."""
    options = problem.options
    shape = problem.lines.days.shape
    for row in range(options.start[p], options.start[p + 1]):
        if problem.banned[row]:
            continue
        risk = problem.risk_weight * float(options.risk_cost[row])
        streams = [int(s) for s in (options.first[row], options.second[row]) if s >= 0]
        if not streams:
            idle = risk + float(unsourced_cost(problem)[p])
            yield Column(row, (), idle, np.zeros(shape), frozenset())
            continue
        fixed = float(options.fixed_cost[row]) + risk
        for parts in product(*(stream_schedules(problem, s) for s in streams)):
            batches = tuple((f, n) for f, n, _, _ in parts)
            least = fixed + sum(cost for _, _, cost, _ in parts)
            used = sum((used for _, _, _, used in parts), np.zeros(shape))
            cmos = frozenset(int(problem.offer_cmo[f]) for f, _ in batches)
            yield Column(row, batches, least, used, cmos)


def stream_schedules(
    problem: Problem, stream: int
) -> list[tuple[int, tuple[int, ...], float, np.ndarray]]:
    """Every batch schedule of one stream: offer, batches, its least cost, its line-days (L, T)."""
    offers, lines = problem.offers, problem.lines
    f = int(problem.streams.offer[stream])
    line = int(offers.line[f])
    limits = [range(int(n) + 1) for n in problem.max_batches[f]]
    n = np.array(list(product(*limits)), np.int64)
    released = np.zeros(n.shape)
    lag = int(offers.lag[f])
    released[:, lag:] = n[:, : n.shape[1] - lag] * offers.good_per_batch[f]
    one = problem.stream_tables(np.array([stream]))
    count = len(n)
    tables = StreamTables(
        np.repeat(one.demand, count, 0),
        np.repeat(one.cap, count, 0),
        np.repeat(one.target, count, 0),
        np.repeat(one.opening, count),
    )
    program = np.full(count, offers.program[f])
    flow = np.sum(flow_cost(problem, program, simulate(tables, released)), axis=0)
    price, campaign = float(offers.price[f]), float(lines.changeover_cost[line])
    tiers = problem.cmos.tiers[int(lines.cmo[line])]
    kept = 1.0 - max((rate for _, rate in tiers), default=0.0)
    least = flow + n.sum(1) * price * kept + (n > 0).sum(1) * campaign
    least -= (1.0 - kept) * float(offers.validation_cost[f])
    rows = []
    for schedule, cost in zip(n, least, strict=True):
        used = np.zeros(lines.days.shape)
        used[line] = offers.days[f] * schedule + lines.changeover_days[line] * (schedule > 0)
        used[line, offers.validation_period[f]] += offers.validation_days[f]
        if np.all(used[line] <= lines.days[line] + lines.expansion_days[line] + 1e-9):
            rows.append((f, tuple(int(x) for x in schedule), float(cost), used))
    return rows
