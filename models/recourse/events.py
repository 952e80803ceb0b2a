"""What an outage leaves of a plan: line-days, batches that may start, stock that is there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.problem import Bools, Floats, Ints
from models.recourse.scene import NOISE, Scene, trimmed
from models.recourse.standing import Position

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
class Situation(Scene):
    """An outage as a plan meets it: the whole portfolio as a scene.

    Offers are the A usable ones of the position, in its order.
    """

    position: Position
    outage: Outage

    @cached_property
    def kept(self) -> Ints:
        """The plan's own batches from the start on, less those the outage takes, (A, T)."""
        return trimmed(self, np.minimum(self.position.planned, self.most))


def situation(position: Position, event: Outage) -> Situation:
    """What an outage leaves of a plan."""
    offers = position.problem.offers
    rows, start = position.offers, event.start
    stopped = event.lines[position.line] | event.inputs[rows]
    waiting = (offers.ready[rows] > start) | (offers.validation_period[rows] >= start)
    delayed = stopped & waiting & ~offers.qualified[rows]
    delay = np.where(delayed, event.periods, 0)
    room = _room(position, event, delay)
    problem = position.problem
    return Situation(
        start=start,
        wanted=problem.programs.demand,
        cap=position.cap,
        price=problem.programs.shortage_price,
        supply=_supply(position, start),
        planned_unmet=position.unmet[:, start:].sum(1),
        program=position.program,
        line=position.line,
        good=offers.good_per_batch[rows],
        days=offers.days[rows],
        lag=offers.lag[rows],
        changeover=problem.lines.changeover_days,
        room=room,
        most=_most(position, event, room, offers.ready[rows] + delay),
        position=position,
        outage=event,
    )


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


def exposure_limit(situation: Scene, service_level: float) -> Floats:
    """Units that each program may be short, the plan's own unmet demand among them, (P,).

    A millionth of demand is rounding: MIP solvers keep their rows no closer.
    """
    spare = (1.0 - service_level + ROUNDING) * situation.demand
    limit: Floats = situation.planned_unmet + spare
    return limit
