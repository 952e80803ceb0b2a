"""What an outage leaves of a plan: line-days, batches that may start, stock that is there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.problem import Bools, Floats, Ints
from models.recourse.standing import Position

#: Units and days smaller than this share of their scale are rounding noise.
NOISE = 1e-9
#: Share of demand by which a service level may be missed as rounding.
ROUNDING = 1e-6


@dataclass(frozen=True)
class Outage:
    """Something stops at the start of period `start`.

    `cover` (T,) is the share of each period in which it stands still, 0 before `start`; `periods`
    the whole periods by which it delays a source that is not ready yet. `lines` (L,) stand still;
    `inputs` (F,) are offers that lack an input while their lines run on.
    """

    start: int
    cover: Floats
    periods: int
    lines: Bools
    inputs: Bools


def outage(start: int, length: float, lines: Bools, inputs: Bools, periods: int) -> Outage:
    """An outage of `length` periods (fractional) from the start of period `start` on."""
    cover = np.clip(length - (np.arange(periods) - start), 0.0, 1.0)
    cover[:start] = 0.0
    cover[cover < NOISE] = 0.0
    return Outage(start, cover, int(np.ceil(length - NOISE)), lines, inputs)


@dataclass(frozen=True)
class Situation:
    """An outage as a plan meets it. Periods before `start` are past: entries there are 0.

    `room` (L, T) line-days for batches and changeovers, `most` (A, T) batches of each usable offer
    that may start and could be of use, `supply` (P, T) units that come from batches started
    before, the stock at the start among them.
    """

    position: Position
    outage: Outage
    room: Floats
    most: Ints
    supply: Floats

    @property
    def start(self) -> int:
        """First period of the outage."""
        return self.outage.start

    @cached_property
    def kept(self) -> Ints:
        """The plan's own batches from the start on, less those the outage takes, (A, T)."""
        return trimmed(self, np.minimum(self.position.planned, self.most))

    def used(self, batches: Ints) -> Floats:
        """Line-days of batches (A, T) and their changeovers, (L, T)."""
        position, problem = self.position, self.position.problem
        days = problem.offers.days[position.offers][:, None] * batches
        days = days + problem.lines.changeover_days[position.line][:, None] * (batches > 0)
        used = np.zeros(self.room.shape)
        np.add.at(used, position.line, days)
        return used

    def unmet(self, batches: Ints) -> Floats:
        """Demand unmet from the start on when `batches` (A, T) are started from then on, (P, T)."""
        position, problem = self.position, self.position.problem
        free = self.supply.copy()
        good = problem.offers.good_per_batch[position.offers]
        lag = problem.offers.lag[position.offers]
        row, t = np.nonzero(batches)
        released = t + lag[row]
        row, t, released = (part[released < problem.periods] for part in (row, t, released))
        np.add.at(free, (position.program[row], released), good[row] * batches[row, t])
        unmet = np.zeros(free.shape)
        held = np.zeros(len(free))
        for period in range(self.start, problem.periods):
            left = held + free[:, period] - problem.programs.demand[:, period]
            unmet[:, period] = np.maximum(-left, 0.0)
            held = np.clip(left, 0.0, position.cap[:, period])
        return unmet

    @cached_property
    def planned_unmet(self) -> Floats:
        """Demand that the plan itself leaves unmet from the start on, (P,)."""
        total: Floats = self.position.unmet[:, self.start :].sum(1)
        return total

    @cached_property
    def demand(self) -> Floats:
        """Demand from the start on, (P,)."""
        total: Floats = self.position.problem.programs.demand[:, self.start :].sum(1)
        return total

    def extra(self, batches: Ints) -> Floats:
        """Units that each program is short beyond what the plan itself leaves unmet, (P,)."""
        more = self.unmet(batches).sum(1) - self.planned_unmet
        return np.where(more > NOISE * np.maximum(self.demand, 1.0), more, 0.0)


def situation(position: Position, event: Outage) -> Situation:
    """What an outage leaves of a plan."""
    offers = position.problem.offers
    rows, start = position.offers, event.start
    stopped = event.lines[position.line] | event.inputs[rows]
    waiting = (offers.ready[rows] > start) | (offers.validation_period[rows] >= start)
    delayed = stopped & waiting & ~offers.qualified[rows]
    delay = np.where(delayed, event.periods, 0)
    room = _room(position, event, delay)
    most = _most(position, event, room, offers.ready[rows] + delay)
    return Situation(position, event, room, most, _supply(position, start))


def _room(position: Position, event: Outage, delay: Ints) -> Floats:
    """Line-days left for batches and changeovers, (L, T); validation runs come first."""
    problem, offers, rows = position.problem, position.problem.offers, position.offers
    left = np.where(
        event.lines[:, None],
        1.0 - event.cover[None, :],
        1.0 + position.surge[:, None] * event.cover[None, :],
    )
    room = position.days * left
    days = offers.validation_days[rows] * position.chosen
    when = offers.validation_period[rows] + delay
    inside = (days > 0) & (when < problem.periods)
    np.subtract.at(room, (position.line[inside], when[inside]), days[inside])
    room = np.maximum(room, 0.0)
    room[:, : event.start] = 0.0
    return room


def _most(position: Position, event: Outage, room: Floats, ready: Ints) -> Ints:
    """Most batches of each usable offer that fit and could be of use, (A, T)."""
    problem, offers, rows = position.problem, position.problem.offers, position.offers
    periods = np.arange(problem.periods)[None, :]
    change = problem.lines.changeover_days[position.line][:, None]
    fits = np.floor((room[position.line] - change) / offers.days[rows][:, None] + 1e-9)
    left = np.where(event.inputs[rows][:, None], 1.0 - event.cover[None, :], 1.0)
    fits = np.floor(np.maximum(fits, 0.0) * left + 1e-9)
    released = periods + offers.lag[rows][:, None]
    last = np.minimum(released, problem.periods - 1)
    full = problem.programs.demand + position.cap
    useful = np.take_along_axis(full[position.program], last, axis=1)
    needed = np.ceil(useful / offers.good_per_batch[rows][:, None] - 1e-9)
    starts = (released < problem.periods) & (periods >= ready[:, None]) & (periods >= event.start)
    return np.where(starts, np.minimum(fits, needed), 0.0).astype(np.int64)


def _supply(position: Position, start: int) -> Floats:
    """Stock at the start, and what batches of the past release from then on, (P, T)."""
    problem, offers, rows = position.problem, position.problem.offers, position.offers
    supply = np.zeros(position.unmet.shape)
    supply[:, start] = (
        problem.programs.opening_stock if start == 0 else position.stock[:, start - 1]
    )
    row, t = np.nonzero(position.planned[:, :start])
    released = t + offers.lag[rows][row]
    inside = (released >= start) & (released < problem.periods)
    row, t, released = row[inside], t[inside], released[inside]
    units = offers.good_per_batch[rows][row] * position.planned[row, t]
    np.add.at(supply, (position.program[row], released), units)
    return supply


def exposure_limit(situation: Situation, service_level: float) -> Floats:
    """Units that each program may be short, the plan's own unmet demand among them, (P,).

    A millionth of demand is rounding: MIP solvers keep their rows no closer.
    """
    spare = (1.0 - service_level + ROUNDING) * situation.demand
    limit: Floats = situation.planned_unmet + spare
    return limit


def trimmed(situation: Situation, batches: Ints) -> Ints:
    """Batches (A, T) with as few less as make every line fit."""
    batches = batches.copy()
    over = situation.used(batches) > situation.room * (1 + 1e-9) + 1e-6
    for line, t in np.argwhere(over):
        _cut(situation, batches, int(line), int(t))
    return batches


def _cut(situation: Situation, kept: Ints, line: int, t: int) -> None:
    """Take batches off an overloaded line, those worth least per day first."""
    position, problem = situation.position, situation.position.problem
    mine = np.flatnonzero((position.line == line) & (kept[:, t] > 0))
    rows = position.offers[mine]
    worth = problem.programs.shortage_price[position.program[mine]]
    worth = worth * problem.offers.good_per_batch[rows] / problem.offers.days[rows]
    days = problem.offers.days[rows]
    change = float(problem.lines.changeover_days[line])
    over = float((days * kept[mine, t]).sum() + change * len(mine) - situation.room[line, t])
    for place in np.argsort(worth, kind="stable"):
        row, each = int(mine[place]), float(days[place])
        while over > 1e-6 and kept[row, t] > 0:
            kept[row, t] -= 1
            over -= each + (change if kept[row, t] == 0 else 0.0)
