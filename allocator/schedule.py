"""Batches of one source that makes a whole program: as late as they can be, never too late."""

from __future__ import annotations

import numpy as np

from models.problem import Floats, Ints, Problem

#: Quantities below this share of a batch are noise of floating point.
NOISE = 1e-9


def just_in_time(problem: Problem, stream: int, expanded: bool) -> Ints:
    """Batches started per period, (T,), that serve a stream's demand and safety stock.

    Each batch starts in the last period from which it is released in time; where the line's days
    of that period are full, in an earlier one from the offer's readiness on. What cannot be served
    is left out: unmet demand is lost, and nobody makes it later. The line has no other work;
    `expanded` adds its expansion.
    """
    tables = problem.stream_tables(np.array([stream]))
    offer = int(problem.streams.offer[stream])
    good = float(problem.offers.good_per_batch[offer])
    lag = int(problem.offers.lag[offer])
    limit = batch_limit(problem, offer, expanded)
    wanted, aim = tables.demand[0].copy(), tables.target[0].copy()
    cap, opening = tables.cap[0], float(tables.opening[0])
    periods = problem.periods
    batches = np.zeros(periods, np.int64)
    for _ in range(2 * periods + 1):
        released = _released(wanted, aim, cap, opening, good)
        batches = _within(limit, released, lag)
        stock, unmet = _flow(wanted, cap, opening, good, batches, lag)
        short = (unmet > NOISE * good) | (stock < aim - NOISE * good)
        if not short.any():
            break
        first = int(np.argmax(short))  # give up what the first such period lacks; plan again
        wanted[first] -= unmet[first]
        aim[first] = min(aim[first], stock[first])
    return batches


def batch_limit(problem: Problem, offer: int, expanded: bool) -> Ints:
    """Most batches that an otherwise empty line can start per period, (T,)."""
    offers, lines = problem.offers, problem.lines
    line, t = int(offers.line[offer]), np.arange(problem.periods)
    days = lines.days[line] + lines.expansion_days[line] * (
        expanded & (t >= lines.expansion_period[line])
    )
    days = days - offers.validation_days[offer] * (t == offers.validation_period[offer])
    room = np.floor((days - lines.changeover_days[line]) / offers.days[offer] + NOISE)
    usable = (t >= offers.ready[offer]) & (t + offers.lag[offer] < problem.periods)
    return np.where(usable, np.maximum(room, 0), 0).astype(np.int64)


def _released(wanted: Floats, aim: Floats, cap: Floats, opening: float, good: float) -> Ints:
    """Batches to be released per period, (T,), if the line had no limits."""
    released = np.zeros(len(wanted), np.int64)
    held = opening
    for t in range(len(wanted)):
        lacking = wanted[t] + aim[t] - held
        released[t] = max(0, int(np.ceil(lacking / good - NOISE)))
        held = min(max(held + good * released[t] - wanted[t], 0.0), cap[t])
    return released


def _within(limit: Ints, released: Ints, lag: int) -> Ints:
    """Batches by period of start; what a period cannot take moves to the one before."""
    batches = np.zeros(len(limit), np.int64)
    over = 0
    for t in range(len(limit) - 1, -1, -1):
        asked = over + (int(released[t + lag]) if t + lag < len(limit) else 0)
        batches[t] = min(asked, int(limit[t]))
        over = asked - int(batches[t])
    return batches


def _flow(
    wanted: Floats, cap: Floats, opening: float, good: float, batches: Ints, lag: int
) -> tuple[Floats, Floats]:
    """Stock at the end of each period and unmet demand, (T,) each."""
    stock, unmet = np.zeros(len(wanted)), np.zeros(len(wanted))
    held = opening
    for t in range(len(wanted)):
        left = held + (good * batches[t - lag] if t >= lag else 0.0) - wanted[t]
        unmet[t] = max(-left, 0.0)
        held = min(max(left, 0.0), cap[t])
        stock[t] = held
    return stock, unmet
