"""Room made for a program after an outage: those that share its lines are re-routed with it.

A plan holds a re-routing of every program under every outage. Where that of a newcomer does not
fit beside them, all that could use its lines are planned anew, in whole batches.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from models.problem import Bools, Floats, Ints, Problem
from models.recourse.refill import refill
from models.recourse.scene import Scene, trimmed
from models.secure.standing import Entry, Standing, relied_on

#: Rounds of refilling lines for one outage.
ROUNDS = 60


@dataclass(frozen=True)
class Shared:
    """A newcomer with its re-routings, and the `others` whose re-routings changed for it."""

    entry: Entry
    others: dict[int, Entry]


class Sharing:
    """A newcomer `entry` of program `p`, not yet in the plan, and those that could use its lines.

    N programs with A usable offers on R lines, the newcomer first. `spare` is the share of demand
    that an outage may leave unmet beyond what the plan does.
    """

    def __init__(self, standing: Standing, p: int, entry: Entry, spare: float) -> None:
        self.standing, self.problem, self.spare = standing, standing.problem, spare
        near = {
            q: other
            for q, other in enumerate(standing.entries)
            if other is not None and q != p and np.isin(other.lines, entry.lines).any()
        }
        self.programs = [p, *near]
        self.entries = [entry, *near.values()]
        self.offers = np.concatenate([each.reserve.offers for each in self.entries])
        self.ends = np.cumsum([0, *(len(each.reserve.offers) for each in self.entries)])
        self.lines, self.line = np.unique(
            self.problem.offers.line[self.offers], return_inverse=True
        )
        there = standing.programs_at > 0
        there[standing.cmos_of(entry.option)] = True
        self.engaged = there[self.problem.offer_cmo[self.offers]]

    def room_made(self, unsafe: Bools) -> tuple[Shared | None, list[int]]:
        """All re-routed under each of the `unsafe` outages (G, T), or groups where none is found.

        Of a group that fails once, no other outage is looked at.
        """
        routes: list[tuple[int, int, Ints]] = []
        failed: list[int] = []
        for g, s in np.argwhere(unsafe).tolist():
            if g in failed:
                continue
            found = self.routed(g, s)
            if found is None:
                failed.append(g)
            else:
                routes.append((g, s, found))
        return (None, failed) if failed else (self.changed(routes), failed)

    def routed(self, g: int, s: int) -> Ints | None:
        """Batches (A, T) that keep every level under outage `g` from the start of `s` on."""
        room = self.room(g, s)
        if (room < -1e-7).any():  # the newcomer's validation runs do not fit
            return None
        scene = self.scene(g, s, np.maximum(room, 0.0))
        now = np.concatenate([each.reserve.routes[g, s] for each in self.entries])
        found: Ints = refill(  # type: ignore[no-untyped-call]
            s,
            (scene.wanted, scene.cap, scene.price, scene.planned_unmet),
            (scene.program, scene.line, scene.good, scene.days, scene.lag, scene.changeover),
            scene.supply,
            scene.room,
            scene.most,
            trimmed(scene, np.minimum(now, scene.most)),
            ROUNDS,
            0.0,
            0,
        )
        fits = (scene.used(found) <= scene.room * (1 + 1e-9) + 1e-7).all()
        return found if fits and not scene.extra(found).any() else None

    def scene(self, g: int, s: int, room: Floats) -> Scene:
        """What is left for all of them; what each may be short counts as left unmet by the plan."""
        offers, rows = self.problem.offers, self.offers
        demand, allowed = self.demand, [each.reserve.unmet[s:].sum() for each in self.entries]
        return Scene(
            start=s,
            wanted=demand,
            cap=self.standing.case.cap[self.programs],
            price=self.problem.programs.shortage_price[self.programs],
            supply=self.supply(s),
            planned_unmet=np.array(allowed) + self.spare * demand[:, s:].sum(1),
            program=self.owner,
            line=self.line,
            good=offers.good_per_batch[rows],
            days=offers.days[rows],
            lag=offers.lag[rows],
            changeover=self.problem.lines.changeover_days[self.lines],
            room=room,
            most=self.most(g, s, room),
        )

    @cached_property
    def owner(self) -> Ints:
        """Place of each offer's program, (A,)."""
        return np.repeat(np.arange(len(self.entries)), np.diff(self.ends))

    @cached_property
    def planned(self) -> Ints:
        """Batches without an outage, (A, T)."""
        return np.concatenate([each.reserve.planned for each in self.entries])

    @cached_property
    def demand(self) -> Floats:
        """Units wanted, (N, T)."""
        return self.problem.programs.demand[self.programs]

    def room(self, g: int, s: int) -> Floats:
        """Line-days left for batches and changeovers of all of them, (R, T)."""
        room = self.standing.free[g, s][self.lines]
        room[:, :s] = 0.0
        for i, each in enumerate(self.entries):
            place = np.searchsorted(self.lines, each.lines)
            if i:
                room[place] += each.taken[g, s]
            room[place] -= validation(self.problem, each, g, s)
        return np.asarray(room)

    def most(self, g: int, s: int, room: Floats) -> Ints:
        """Most batches of each offer that fit, (A, T)."""
        problem, case, rows = self.problem, self.standing.case, self.offers
        offers, t = problem.offers, np.arange(problem.periods)
        stopped = case.offers[g, rows]
        waiting = (offers.ready[rows] > s) | (offers.validation_period[rows] >= s)
        delay = np.where(stopped & waiting & ~offers.qualified[rows], case.lengths[g], 0)
        change = problem.lines.changeover_days[self.lines][self.line][:, None]
        fits = np.floor((room[self.line] - change) / offers.days[rows][:, None] + 1e-9)
        share = np.where(case.inputs[g, rows][:, None], 1.0 - case.cover[g, s][None, :], 1.0)
        fits = np.floor(np.maximum(fits, 0.0) * share + 1e-9)
        first = np.maximum(offers.ready[rows] + delay, s)[:, None]
        able = (t >= first) & (t + offers.lag[rows][:, None] < len(t)) & self.engaged[:, None]
        return np.where(able, fits, 0.0).astype(np.int64)

    def supply(self, s: int) -> Floats:
        """Stock at the start, and what batches started before release from then on, (N, T)."""
        T, offers = self.problem.periods, self.problem.offers
        supply = np.zeros((len(self.entries), T))
        supply[:, s] = [each.reserve.stock[s] for each in self.entries]
        row, begun = np.nonzero(self.planned[:, :s])
        released = begun + offers.lag[self.offers][row]
        inside = (released >= s) & (released < T)
        row, begun, released = row[inside], begun[inside], released[inside]
        units = offers.good_per_batch[self.offers][row] * self.planned[row, begun]
        np.add.at(supply, (self.owner[row], released), units)
        return supply

    def changed(self, routes: list[tuple[int, int, Ints]]) -> Shared:
        """The entries with the re-routings (A, T) that were found for some outages."""
        new: dict[int, Entry] = {}
        for i, (p, entry) in enumerate(zip(self.programs, self.entries, strict=True)):
            rows, held = slice(self.ends[i], self.ends[i + 1]), entry.reserve
            mine = [
                (g, s, batches[rows])
                for g, s, batches in routes
                if (batches[rows] != held.routes[g, s]).any()
            ]
            if mine or i == 0:
                new[p] = re_routed(self.problem, entry, mine)
        return Shared(new.pop(self.programs[0]), new)


def re_routed(problem: Problem, entry: Entry, routes: list[tuple[int, int, Ints]]) -> Entry:
    """An entry with other batches (U, T) under some outages."""
    held = entry.reserve
    batches, taken = held.routes.copy(), entry.taken.copy()
    for g, s, made in routes:
        taken[g, s] = validation(problem, entry, g, s)
        np.add.at(taken[g, s], held.slot, line_days(problem, held.offers, made))
        batches[g, s] = made
    held = replace(held, routes=batches)
    return replace(entry, taken=taken, reserve=held, relies=relied_on(problem, held))


def line_days(problem: Problem, rows: Ints, batches: Ints) -> Floats:
    """Line-days of offers' batches (U, T) with their changeovers, (U, T)."""
    offers = problem.offers
    change = problem.lines.changeover_days[offers.line[rows]][:, None]
    return np.asarray(offers.days[rows][:, None] * batches + change * (batches > 0))


def validation(problem: Problem, entry: Entry, g: int, s: int) -> Floats:
    """Days that an entry's validation runs take of its lines under an outage, (R, T)."""
    held = entry.reserve
    days = entry.taken[g, s].copy()
    np.subtract.at(days, held.slot, line_days(problem, held.offers, held.routes[g, s]))
    return np.asarray(np.maximum(days, 0.0))
