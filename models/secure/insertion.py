"""The cheapest way to add one program to a secure plan so that it stays secure.

A program is added within the days that are left: its batches in those that all outages of others
leave, its own re-routing after each outage that hits it in those that are left then.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.patterns.pricing import Costs
from models.problem import Bools, Floats, Ints, Problem
from models.secure.check import Terms
from models.secure.paths import cheapest
from models.secure.sharing import Shared, Sharing, line_days
from models.secure.sources import (
    Source,
    View,
    alternates,
    by_release,
    flow_prices,
    least_values,
    released,
    source_of,
    spans,
    started,
    streams_of,
    two,
    view_of,
)
from models.secure.standby import needs, reserved
from models.secure.standing import (
    Entry,
    Reserve,
    Standing,
    closed_cmos,
    has_room,
    relied_on,
)
from models.stock import flow_cost, simulate, unsourced_cost

#: Entries of a table of what outages leave unmet, by stock.
GRID = 200
#: Labels of a period that are followed in a search for a schedule.
BEAM = 30
#: Options of a program that are tried in full, the most promising first.
TRIED = 10
#: How much dearer than alone, as a factor, an option is looked for first.
NEAR = 1.3
#: Part of the service level's units that stored re-routings use, against rounding.
SPARE = 0.999
#: Schedules that are tried for an option while others could make room for it.
ATTEMPTS = 3


class Inserter:
    """Finds the cheapest secure way to add a program to a `Standing`."""

    def __init__(self, problem: Problem, terms: Terms) -> None:
        self.problem, self.terms = problem, terms
        self.idle = unsourced_cost(problem)
        self.own = problem.options.fixed_cost + problem.risk_weight * problem.options.risk_cost
        #: what options cost at least without outages, and as far as is known with them, (O,)
        self.least = least_values(problem)
        self.floor = self.least.copy()
        self.full = Standing(problem, terms, problem.lines.expansion_days > 0)
        self.full.programs_at[:] = 1  # alone, a program may turn to every CMO
        self.alone: dict[int, float] = {}
        self.sources: dict[int, Source] = {}
        #: CMOs that no program may go to, (K,)
        self.shut = np.zeros(len(problem.cmos.ids), np.bool_)
        #: share of demand that stored re-routings may leave unmet
        self.spare = (1.0 - terms.service_level) * SPARE
        #: share of the days that others take after an outage which they are hoped to give up
        self.hope = 0.0

    def source(self, option: int, others: list[int]) -> Source:
        """The tables of an option with these other offers to turn to."""
        known = self.sources.get(option)
        if known is None:
            known = self.sources[option] = source_of(self.problem, option)
        return replace(known, offers=np.array([*known.offers, *others], np.int64))

    def candidates(self, standing: Standing, p: int) -> list[tuple[float, int]]:
        """Options of a program with what they cost at least, the cheapest first."""
        problem, options = self.problem, self.problem.options
        cmos = problem.cmos
        closed = closed_cmos(standing, p) | self.shut
        found = []
        for o in range(options.start[p] + 1, options.start[p + 1]):
            if not np.isfinite(self.floor[o]):
                continue
            own = standing.cmos_of(o)
            fresh = [k for k in own if standing.programs_at[k] == 0]
            extra = sum(float(cmos.onboarding_cost[k] + cmos.fees[k]) for k in fresh)
            if not closed[own].any() and has_room(standing, own, fresh):
                found.append((float(self.floor[o]) + extra, o))
        return sorted(found)

    def best(self, standing: Standing, p: int, cutoff: float = np.inf) -> Shared | None:
        """The cheapest secure entry of a program found, None where being unsourced is cheaper.

        With engagement of new CMOs counted in, less than `cutoff`.
        """
        start = int(self.problem.options.start[p])
        if not self.problem.banned[start]:
            cutoff = min(cutoff, float(self.idle[p]))
        best: Shared | None = None
        for factor in (NEAR, np.inf):  # a low cutoff makes the searches short
            tried = 0
            for least, o in self.candidates(standing, p):
                if least >= cutoff or tried >= TRIED:
                    break
                extra = least - float(self.floor[o])
                if self.least_alone(o, cutoff - extra) + extra >= cutoff:
                    continue
                tried += 1
                top = min(cutoff - extra, factor * float(self.floor[o]))
                entry = self.placed(standing, o, top)
                if entry is not None:
                    best, cutoff = entry, entry.entry.cost + extra
            if best is not None:
                break
        return best

    def least_alone(self, option: int, cutoff: float) -> float:
        """What an option costs with everything to itself; `cutoff` where it is not below that."""
        if option not in self.alone and self.floor[option] < cutoff:
            entry = self.alone_entry(option, cutoff)
            if entry is not None:
                self.alone[option] = entry.cost
            at_least = cutoff if entry is None else entry.cost
            self.floor[option] = max(float(self.floor[option]), at_least)
        return float(self.floor[option])

    def alone_entry(self, option: int, cutoff: float) -> Entry | None:
        """A secure schedule of an option with everything to itself, cheaper than `cutoff`."""
        source = self.source(option, alternates(self.full, option))
        found = self.entry(self.full, source, view_of(self.full, source.offers), cutoff, False)
        return None if found is None else found[0]

    def placed(self, standing: Standing, option: int, cutoff: float) -> Shared | None:
        """A secure schedule of an option cheaper than `cutoff`, with room made for it.

        Where others can't make the room that was hoped for, the next one counts on none of theirs
        under the outages of that group.
        """
        p = int(self.problem.options.program[option])
        source = self.source(option, alternates(standing, option))
        strict = np.zeros(len(standing.case.lengths), np.bool_)
        for _ in range(ATTEMPTS):
            view = view_of(standing, source.offers, self.hope, strict)
            found = self.entry(standing, source, view, cutoff, True)
            if found is None:
                return None
            entry, safe = found
            if safe.all():
                return Shared(entry, {})
            sharing = Sharing(standing, p, entry, self.spare)
            shared, failed = sharing.room_made(~safe)
            if shared is not None:
                return shared
            if self.hope == 0.0 or strict[failed].all():
                return None
            strict[failed] = True
        return None

    def entry(
        self, standing: Standing, source: Source, view: View, cutoff: float, reserve: bool
    ) -> tuple[Entry, Bools] | None:
        """A schedule of an option cheaper than `cutoff` that is secure with the days of `view`.

        With its re-routings where `reserve`, and under which outages these do beside those of
        others, (G, T).
        """
        limit = self.room(standing, source, view)
        if limit is None:
            return None
        value, batches = self._schedule(
            source, view, limit, cutoff - float(self.own[source.option])
        )
        if not np.isfinite(value):
            return None
        planned = started(batches, source.lag)[: source.count]
        return self.settled(standing, source, view, planned, value, reserve)

    def former(self, standing: Standing, option: int, batches: list[Ints]) -> Shared | None:
        """An option with batches (T,) of each source, room made for it after outages.

        None where that is not secure here.
        """
        source = self.source(option, alternates(standing, option))
        view = view_of(standing, source.offers)
        planned = np.array(batches, np.int64).reshape(source.count, self.problem.periods)
        days = self._days(
            source.offers[: source.count], planned, view.slot[: source.count], len(view.lines)
        )
        if (days > standing.base[view.lines] * (1 + 1e-9) + 1e-7).any():
            return None
        cost = self._cost(source, planned)
        entry, safe = self.settled(standing, source, view, planned, cost, True)
        if safe.all():
            return Shared(entry, {})
        sharing = Sharing(standing, self.program(source), entry, self.spare)
        return sharing.room_made(~safe)[0]

    def priced(self, standing: Standing, option: int, costs: Costs, cutoff: float) -> Entry | None:
        """The option by the schedule that is cheapest at `costs`, below `cutoff` without its own.

        None where there is none, or none that is secure here.
        """
        source = self.source(option, alternates(standing, option))
        view = view_of(standing, source.offers)
        limit = self.room(standing, source, view)
        if limit is None:
            return None
        mine = source.offers[: source.count]
        batch = by_release(costs.batch[mine], source.lag)
        setup = by_release(costs.setup[mine], source.lag)
        value, batches = self._schedule(source, view, limit, cutoff, (batch, setup))
        if not np.isfinite(value):
            return None
        planned = started(batches, source.lag)[: source.count]
        cost = self._cost(source, planned)
        entry, safe = self.settled(standing, source, view, planned, cost, True)
        return entry if safe.all() else None

    def _cost(self, source: Source, planned: Ints) -> float:
        """Money for batches (n, T) by start, their changeovers, stock and missing supply."""
        problem, offers = self.problem, self.problem.offers
        streams, mine = streams_of(problem, source.option), source.offers[: source.count]
        flow = simulate(problem.stream_tables(streams), self._released(source, planned))
        program = np.repeat(problem.options.program[source.option], len(streams))
        cost = float(np.sum(flow_cost(problem, program, flow)))
        cost += float(offers.price[mine] @ planned.sum(1))
        change = problem.lines.changeover_cost[offers.line[mine]]
        return cost + float(change @ (planned > 0).sum(1))

    def _schedule(
        self,
        source: Source,
        view: View,
        limit: Ints,
        cutoff: float,
        money: tuple[Floats, Floats] | None = None,
    ) -> tuple[float, Ints]:
        """Cost and batches (2, T) by release of the cheapest schedule; inf without one.

        `money` are costs of a batch and a changeover by release, (2, T) each, else the offers' own.
        """
        problem, T, case = self.problem, self.problem.periods, self.full.case
        p, count, mine = self.program(source), source.count, source.offers[: source.count]
        demand = problem.programs.demand[p]
        units = float(demand.sum() + problem.programs.opening_stock[p])
        step = max(units, 1e-9) / (GRID - 1)
        need = np.empty((2, T + 1, GRID))
        others, own, waiting = np.empty((2, T + 1)), np.empty((2, T + 1)), np.empty(2, np.int64)
        needs(  # type: ignore[no-untyped-call]
            False,
            view.free,
            view.slot,
            case.cover,
            view.stopped,
            view.inputs,
            case.lengths,
            self.terms.first,
            *view.facts,
            problem.offers.validation_period[source.offers],
            count,
            demand,
            self.full.case.cap[p],
            self.spare,
            step,
            need,
            others,
            own,
            waiting,
        )
        if money is None:
            price = problem.offers.price[mine]
            setup = problem.lines.changeover_cost[problem.offers.line[mine]]
            money = (
                two(np.repeat(price[:, None], T, axis=1)),
                two(np.repeat(setup[:, None], T, axis=1)),
            )
        batches = np.zeros((2, T), np.int64)
        value = cheapest(  # type: ignore[no-untyped-call]
            False,
            BEAM,
            count,
            source.demand,
            source.cap,
            source.target,
            source.opening,
            source.good,
            source.lag,
            released(limit, source.lag),
            *money,
            self._prices(p),
            need,
            step,
            others,
            own,
            waiting,
            spans(problem, mine),
            cutoff,
            batches,
        )
        return float(value), batches

    def settled(
        self,
        standing: Standing,
        source: Source,
        view: View,
        planned: Ints,
        value: float,
        reserve: bool,
    ) -> tuple[Entry, Bools]:
        """The entry of batches (n, T) by start; under which outages it is safe, (G, T)."""
        problem, case, rows, count = self.problem, standing.case, source.offers, source.count
        offers, option, T = problem.offers, source.option, problem.periods
        size = len(case.lengths), T
        taken = np.zeros((*size, len(view.lines), T))
        routes = np.zeros((*size, len(rows), T), np.int64)
        safe = np.ones(size, np.bool_)
        everything = np.zeros((len(rows), T), np.int64)
        everything[:count] = planned
        tables = problem.stream_tables(streams_of(problem, option))
        flow = simulate(tables, self._released(source, planned))
        stock = np.concatenate([[tables.opening.sum()], flow.stock.sum(0)[:-1]])
        held = Reserve(count, rows, view.slot, everything, routes, stock, flow.unmet.sum(0))
        if reserve:
            p = self.program(source)
            reserved(  # type: ignore[no-untyped-call]
                standing.free[:, :, view.lines],
                standing.whole[:, :, view.lines],
                view.slot,
                case.cover,
                view.stopped,
                view.inputs,
                case.lengths,
                self.terms.first,
                *view.facts,
                offers.validation_days[rows],
                offers.validation_period[rows],
                everything,
                count,
                stock,
                held.unmet,
                problem.programs.demand[p],
                case.cap[p],
                self.spare,
                taken,
                routes,
                safe,
            )
        base = self._days(rows[:count], planned, view.slot[:count], len(view.lines))
        made = {int(f): n for f, n in zip(rows[:count], planned, strict=True)}
        cost = value + float(self.own[option])
        entry = Entry(option, made, view.lines, base, taken, relied_on(problem, held), cost, held)
        return entry, safe

    def room(self, standing: Standing, source: Source, view: View) -> Ints | None:
        """Most batches of each source by period of start, (n, T); None: no room for validation.

        What is free without an outage and in each that does not hit the option.
        """
        problem, offers = self.problem, self.problem.offers
        mine, slot = source.offers[: source.count], view.slot[: source.count]
        hit = (view.stopped | view.inputs)[:, : source.count]
        line = offers.line[mine]
        others = ~hit.any(1)
        days = standing.base[line].copy()
        if others.any():
            days = np.minimum(days, view.free[others][:, :, slot].min((0, 1)))
        self._until_ready(view, mine, hit, days)
        rows, v = np.arange(len(mine)), offers.validation_period[mine]
        days[rows, v] -= offers.validation_days[mine]
        if (days[rows, v] < -1e-7).any():
            return None
        change = problem.lines.changeover_days[line][:, None]
        fits = np.floor((days - change) / offers.days[mine][:, None] + 1e-9)
        return np.clip(np.minimum(fits, problem.max_batches[mine]), 0, None).astype(np.int64)

    def _until_ready(self, view: View, mine: Ints, hit: Bools, days: Floats) -> None:
        """Lower `days` (n, T) to what is left when a source stops long before it is ready.

        Until then the others go on as planned.
        """
        offers = self.problem.offers
        for i, f in enumerate(mine.tolist()):
            ready = int(offers.ready[f])
            if offers.qualified[f] or ready <= self.terms.first:
                continue
            for j in range(len(mine)):
                threats = hit[:, i] & ~hit[:, j]
                if threats.any():
                    room = view.free[threats][:, :ready, view.slot[j], :ready]
                    days[j, :ready] = np.minimum(days[j, :ready], room.min((0, 1)))

    def _days(self, rows: Ints, planned: Ints, slot: Ints, lines: int) -> Floats:
        """Line-days of batches, changeovers and validation, (lines, T)."""
        offers = self.problem.offers
        days = line_days(self.problem, rows, planned)
        days[np.arange(len(rows)), offers.validation_period[rows]] += offers.validation_days[rows]
        out = np.zeros((lines, self.problem.periods))
        np.add.at(out, slot, days)
        return out

    def program(self, source: Source) -> int:
        """The program of an option."""
        return int(self.problem.options.program[source.option])

    def _released(self, source: Source, planned: Ints) -> Floats:
        """Good units coming free per period, (n, T)."""
        units = released(planned, source.lag)[: source.count]
        return np.asarray(units * source.good[: source.count, None])

    def _prices(self, p: int) -> Floats:
        programs, factor = self.problem.programs, np.ones(self.problem.periods)
        return flow_prices(
            float(programs.shortage_price[p]),
            float(programs.safety_price[p]),
            float(programs.holding_price[p]),
            factor,
        )
