"""A secure plan as it stands, and the cheapest way to add one program so that it stays secure.

For every outage the plan holds a re-routing, so for every outage it is known which line-days are
left. A program is added within those: its batches in the days that all outages of others leave, its
own re-routing after each outage that hits it in the days that are left then.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.patterns.pricing import Costs, Pricer
from models.problem import Bools, Floats, Ints, Problem
from models.result import Decision
from models.secure.check import Terms
from models.secure.paths import cheapest
from models.secure.standby import needs, reserved
from models.stock import flow_cost, simulate, unsourced_cost, unsourced_tables

#: Entries of a table of what outages leave unmet, by stock.
GRID = 160
#: Buckets of stock of each source in a search for a schedule, of one source and of two.
SINGLE, PAIR = 160, 28
#: Buckets of demand that must stay unmet, and what share of a period's largest demand each is.
DEBTS_SINGLE, OWING_SINGLE = 48, 0.06
DEBTS_PAIR, OWING_PAIR = 20, 0.125
#: Periods of demand beyond the longest outage that a source makes ahead in it.
AHEAD = 2.5
#: Options of a program that are tried in full, the most promising first.
TRIED = 10
#: Part of the service level's units that stored re-routings use, against rounding.
SPARE = 0.999


@dataclass(frozen=True)
class Case:
    """The outages of `terms`: G threats from the start of each of T periods on.

    `cover` (G, T, T) the share of each period in which it stands still, `lines` (G, L) and
    `inputs` (G, F) what it takes, `offers` (G, F) both together, `lengths` (G,) whole periods.
    """

    cover: Floats
    lines: Bools
    inputs: Bools
    offers: Bools
    lengths: Ints


def case_of(problem: Problem, terms: Terms) -> Case:
    """The outages of `terms` as arrays."""
    threats = [threat for threat in terms.threats if threat.length > 0]
    G, T = len(threats), problem.periods
    t = np.arange(T)
    gone = np.array([threat.length for threat in threats]).reshape(G, 1, 1)
    cover = np.clip(gone - (t[None, None, :] - t[None, :, None]), 0.0, 1.0)
    cover = np.where((t[None, :] < t[:, None])[None], 0.0, cover)
    cover[cover < 1e-9] = 0.0
    lines = np.array([x.lines for x in threats], np.bool_).reshape(G, len(problem.lines.ids))
    inputs = np.array([x.inputs for x in threats], np.bool_).reshape(G, len(problem.offers.ids))
    offers = lines[:, problem.offers.line] | inputs
    lengths = np.ceil(gone.reshape(G) - 1e-9).astype(np.int64)
    return Case(cover, lines, inputs, offers, lengths)


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
    """What is left for U usable offers on R lines: see `reserved`; `facts` are its offers' arrays."""

    lines: Ints
    slot: Ints
    free: Floats
    stopped: Bools
    inputs: Bools
    facts: tuple[Ints, Bools, Ints, Floats, Floats, Floats]


@dataclass(frozen=True)
class Entry:
    """A program in the plan: its option, batches by period of start, days it takes of `lines`.

    `taken` (G, T, R, T) under each outage, `base` (R, T) without one. `relies` (K,) CMOs whose
    offers it may turn to, `cost` money of its own.
    """

    option: int
    batches: dict[int, Ints]
    lines: Ints
    base: Floats
    taken: Floats
    relies: Bools
    cost: float


class Standing:
    """A secure plan with the line-days that are left, without outages and in each of them."""

    def __init__(self, problem: Problem, terms: Terms, expanded: Bools) -> None:
        self.problem, self.terms, self.expanded = problem, terms, expanded
        self.case = case_of(problem, terms)
        lines, T = problem.lines, problem.periods
        grown = np.arange(T)[None, :] >= lines.expansion_period[:, None]
        self.base = lines.days + (lines.expansion_days * expanded)[:, None] * grown
        cover = self.case.cover[:, :, None, :]
        left = np.where(
            self.case.lines[:, None, :, None],
            1.0 - cover,
            1.0 + terms.surge[None, None, :, None] * cover,
        )
        self.free = self.base[None, None] * left
        past = np.arange(T)[None, :] < np.arange(T)[:, None]
        past = past | (np.arange(T) < terms.first)[:, None]
        self.free = np.where(past[None, :, None, :], np.inf, self.free)
        self.whole = self.free.copy()
        self.entries: list[Entry | None] = [None] * len(problem.programs.ids)
        self.programs_at = np.zeros(len(problem.cmos.ids), np.int64)

    def decision(self) -> Decision:
        """The plan; programs without an entry are unsourced."""
        option = self.problem.options.start[:-1].copy()
        batches: dict[int, Ints] = {}
        for p, entry in enumerate(self.entries):
            if entry is not None:
                option[p] = entry.option
                batches |= entry.batches
        return Decision(option, batches, self.expanded)

    def cmos_of(self, option: int) -> list[int]:
        """CMOs of an option's sources."""
        problem, options = self.problem, self.problem.options
        rows = [int(s) for s in (options.first[option], options.second[option]) if s >= 0]
        return [int(problem.offer_cmo[problem.streams.offer[s]]) for s in rows]

    def add(self, p: int, entry: Entry) -> None:
        """Put a program in."""
        self.entries[p] = entry
        self.base[entry.lines] -= entry.base
        self.free[:, :, entry.lines] -= entry.taken
        self.programs_at[self.cmos_of(entry.option)] += 1

    def drop(self, p: int) -> Entry | None:
        """Take a program out; what it was."""
        entry = self.entries[p]
        if entry is not None:
            self.entries[p] = None
            self.base[entry.lines] += entry.base
            self.free[:, :, entry.lines] += entry.taken
            self.programs_at[self.cmos_of(entry.option)] -= 1
        return entry

    def relied(self) -> bool:
        """Whether every CMO that some re-routing turns to is engaged."""
        relies = np.zeros(len(self.programs_at), np.bool_)
        for entry in self.entries:
            if entry is not None:
                relies |= entry.relies
        return not (relies & (self.programs_at == 0)).any()


class Inserter:
    """Finds the cheapest secure way to add a program to a `Standing`."""

    def __init__(self, problem: Problem, terms: Terms) -> None:
        self.problem, self.terms = problem, terms
        self.idle = unsourced_cost(problem)
        self.own = problem.options.fixed_cost + problem.risk_weight * problem.options.risk_cost
        self.floor = self._plain()
        self.full = Standing(problem, terms, problem.lines.expansion_days > 0)
        self.alone: dict[int, float] = {}
        self.sources: dict[int, Source] = {}
        self.tries = self.failures = 0
        longest = max((threat.length for threat in terms.threats), default=0.0)
        self.longest = float(longest)

    def _plain(self) -> Floats:
        """What each option costs at least, with all lines to itself and no outages, (O,)."""
        problem, offers, T = self.problem, self.problem.offers, self.problem.periods
        F = len(offers.ids)
        batch = np.repeat(offers.price[:, None], T, axis=1)
        setup = np.repeat(problem.lines.changeover_cost[offers.line][:, None], T, axis=1)
        most = problem.max_batches
        costs = Costs(batch, setup, most, np.zeros_like(most), np.ones(T))
        rows = np.arange(len(problem.streams.offer))
        values = np.append(Pricer(problem).values(rows, costs), 0.0) if F else np.zeros(1)
        options = problem.options
        total = self.own + values[options.first] + values[options.second]
        total[options.start[:-1]] = self.idle
        total[problem.banned] = np.inf
        return np.asarray(total)

    def source(self, option: int, alternates: list[int]) -> Source:
        """The tables of an option with these other offers to turn to."""
        problem, streams = self.problem, self.problem.streams
        known = self.sources.get(option)
        if known is None:
            rows = self._streams(option)
            mine = streams.offer[rows]
            tables = problem.stream_tables(rows)
            known = self.sources[option] = Source(
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
        offers = np.array([*known.offers, *alternates], np.int64)
        return Source(
            option,
            offers,
            known.count,
            known.demand,
            known.cap,
            known.target,
            known.opening,
            known.good,
            known.lag,
        )

    def alternates(self, standing: Standing, option: int) -> list[int]:
        """Other qualified offers of the program at engaged CMOs, the fastest on each line."""
        problem, offers, options = self.problem, self.problem.offers, self.problem.options
        p = int(options.program[option])
        streams = [int(s) for s in (options.first[option], options.second[option]) if s >= 0]
        mine = problem.streams.offer[streams]
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

    def candidates(self, standing: Standing, p: int) -> list[tuple[float, int]]:
        """Options of a program with what they cost at least, the cheapest first."""
        problem, options = self.problem, self.problem.options
        cmos = problem.cmos
        closed = self.closed(standing, p)
        found = []
        for o in range(options.start[p] + 1, options.start[p + 1]):
            if not np.isfinite(self.floor[o]):
                continue
            own = standing.cmos_of(o)
            fresh = [k for k in own if standing.programs_at[k] == 0]
            extra = sum(float(cmos.onboarding_cost[k] + cmos.fees[k]) for k in fresh)
            if not closed[own].any() and self.room_for(standing, own, fresh):
                found.append((float(self.floor[o]) + extra, o))
        return sorted(found)

    def closed(self, standing: Standing, p: int) -> Bools:
        """CMOs that a program may not go to as the plan stands, (K,)."""
        limit = self.problem.cmos.max_programs
        closed = (limit >= 0) & (standing.programs_at >= limit)
        for rule in self.problem.rules:
            if rule.name == "not_together" and p in rule.programs:
                for other in rule.programs:
                    entry = standing.entries[other]
                    if entry is not None and other != p:
                        closed[standing.cmos_of(entry.option)] = True
        return np.asarray(closed)

    def room_for(self, standing: Standing, own: list[int], fresh: list[int]) -> bool:
        """Whether the rules that count CMOs and programs allow a program at the CMOs `own`."""
        for rule in self.problem.rules:
            if rule.name == "max_cmos" and fresh:
                engaged = int((standing.programs_at[list(rule.cmos)] > 0).sum())
                if engaged + len(set(fresh) & set(rule.cmos)) > rule.limit:
                    return False
            if rule.name == "max_programs" and set(own) & set(rule.cmos):
                members = set(rule.cmos)
                there = sum(
                    bool(members & set(standing.cmos_of(entry.option)))
                    for entry in standing.entries
                    if entry is not None
                )
                if there + 1 > rule.limit:
                    return False
        return True

    def best(self, standing: Standing, p: int, cutoff: float = np.inf) -> Entry | None:
        """The cheapest secure entry of a program found, None where being unsourced is cheaper.

        With engagement of new CMOs counted in, less than `cutoff`.
        """
        start = int(self.problem.options.start[p])
        if not self.problem.banned[start]:
            cutoff = min(cutoff, float(self.idle[p]))
        best: Entry | None = None
        tried = 0
        for least, o in self.candidates(standing, p):
            if least >= cutoff or tried >= TRIED:
                break
            extra = least - float(self.floor[o])
            if o not in self.alone:
                entry = self.entry(self.full, o, cutoff, False)
                self.alone[o] = np.inf if entry is None else entry.cost
                self.floor[o] = max(self.floor[o], self.alone[o]) if entry else np.inf
                if not np.isfinite(self.floor[o]):
                    self.floor[o] = np.inf
            if self.floor[o] + extra >= cutoff:
                continue
            tried += 1
            entry = self.entry(standing, o, cutoff - extra, True)
            if entry is not None:
                best, cutoff = entry, entry.cost + extra
        return best

    def entry(self, standing: Standing, option: int, cutoff: float, reserve: bool) -> Entry | None:
        """A secure schedule of an option cheaper than `cutoff`; its reserves where asked for."""
        source = self.source(option, self.alternates(standing, option))
        view = self.view(standing, source)
        limit = self.room(standing, source, (view.stopped | view.inputs)[:, : source.count])
        if limit is None:
            return None
        self.tries += 1
        value, batches = self._schedule(source, view, limit, cutoff - float(self.own[option]))
        if not np.isfinite(value):
            return None
        planned = started(batches, source.lag)[: source.count]
        return self.settled(standing, source, view, planned, value, reserve)

    def former(self, standing: Standing, option: int, batches: list[Ints]) -> Entry | None:
        """An option with batches (T,) of each of its sources, None where that is not secure here."""
        source = self.source(option, self.alternates(standing, option))
        view = self.view(standing, source)
        planned = np.array(batches, np.int64).reshape(source.count, self.problem.periods)
        days = self._days(source.offers[: source.count], planned, view.slot, len(view.lines))
        if (days > standing.base[view.lines] * (1 + 1e-9) + 1e-7).any():
            return None
        streams = self._streams(option)
        offers = self.problem.offers
        tables = self.problem.stream_tables(streams)
        flow = simulate(tables, self._released(source, planned))
        program = np.repeat(self.problem.options.program[option], len(streams))
        cost = float(np.sum(flow_cost(self.problem, program, flow)))
        mine = source.offers[: source.count]
        cost += float(offers.price[mine] @ planned.sum(1))
        change = self.problem.lines.changeover_cost[offers.line[mine]]
        cost += float(change @ (planned > 0).sum(1))
        return self.settled(standing, source, view, planned, cost, True)

    def view(self, standing: Standing, source: Source) -> View:
        """What a standing and its outages mean for the usable offers of an option."""
        offers, case, rows = self.problem.offers, standing.case, source.offers
        lines, slot = np.unique(offers.line[rows], return_inverse=True)
        return View(
            lines,
            slot.reshape(-1),
            np.ascontiguousarray(standing.free[:, :, lines]),
            np.ascontiguousarray(case.lines[:, offers.line[rows]]),
            np.ascontiguousarray(case.inputs[:, rows]),
            (
                offers.ready[rows],
                ~offers.qualified[rows],
                offers.lag[rows],
                offers.good_per_batch[rows],
                offers.days[rows],
                self.problem.lines.changeover_days[offers.line[rows]],
            ),
        )

    def _schedule(
        self, source: Source, view: View, limit: Ints, cutoff: float
    ) -> tuple[float, Ints]:
        """Cost and batches (2, T) by release of the cheapest schedule; inf without one."""
        problem, T, case = self.problem, self.problem.periods, self.full.case
        p, count, mine = self.program(source), source.count, source.offers[: source.count]
        demand = problem.programs.demand[p]
        peak = max(float(demand.max(initial=0.0)), 1e-9)
        ahead = AHEAD + self.longest
        step = min(max(float(demand.sum()), 1e-9), (ahead + 1.0) * peak) / (GRID - 1)
        need, extra = np.empty((2, T, GRID)), np.empty((2, T))
        waiting, wait_need = np.empty(2, np.int64), np.empty((2, GRID))
        needs(
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
            self._cap(p),
            (1.0 - self.terms.service_level) * SPARE,
            step,
            False,
            need,
            extra,
            waiting,
            wait_need,
        )
        levels, debts, owing = (
            (SINGLE, DEBTS_SINGLE, OWING_SINGLE) if count == 1 else (PAIR, DEBTS_PAIR, OWING_PAIR)
        )
        price = problem.offers.price[mine]
        setup = problem.lines.changeover_cost[problem.offers.line[mine]]
        joins = source.lag[::-1] == source.lag + 1
        upto = ahead * source.demand.max(1)
        batches = np.zeros((2, T), np.int64)
        value = cheapest(
            count,
            source.demand,
            source.cap,
            source.target,
            source.opening,
            source.good,
            released(limit, source.lag),
            two(np.repeat(price[:, None], T, axis=1)),
            two(np.repeat(setup[:, None], T, axis=1)),
            self._prices(p),
            upto,
            joins if count == 2 else np.zeros(2, np.bool_),
            need,
            step,
            waiting,
            wait_need,
            levels,
            np.maximum((upto + source.good) / levels, 1e-9),
            debts,
            owing * peak,
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
    ) -> Entry | None:
        """The entry of batches (n, T) by start; None where some outage would break it."""
        problem, case, rows, count = self.problem, standing.case, source.offers, source.count
        offers, option = problem.offers, source.option
        taken = np.zeros((*view.free.shape[:3], problem.periods))
        if reserve:
            all_planned = np.zeros((len(rows), problem.periods), np.int64)
            all_planned[:count] = planned
            tables = problem.stream_tables(self._streams(option))
            flow = simulate(tables, self._released(source, planned))
            p = self.program(source)
            if not reserved(
                view.free,
                np.ascontiguousarray(standing.whole[:, :, view.lines]),
                view.slot,
                case.cover,
                view.stopped,
                view.inputs,
                case.lengths,
                self.terms.first,
                *view.facts,
                offers.validation_days[rows],
                offers.validation_period[rows],
                all_planned,
                count,
                np.concatenate([[tables.opening.sum()], flow.stock.sum(0)[:-1]]),
                flow.unmet.sum(0),
                problem.programs.demand[p],
                self._cap(p),
                (1.0 - self.terms.service_level) * SPARE,
                taken,
            ):
                self.failures += 1
                return None
        base = self._days(rows[:count], planned, view.slot[:count], len(view.lines))
        relies = np.zeros(len(problem.cmos.ids), np.bool_)
        relies[problem.offer_cmo[rows]] = True
        made = {int(f): n for f, n in zip(rows[:count], planned, strict=True)}
        cost = value + float(self.own[option])
        return Entry(option, made, view.lines, base, taken, relies, cost)

    def room(self, standing: Standing, source: Source, hit: Bools) -> Ints | None:
        """Most batches of each source by period of start, (n, T); None: no room for validation.

        What is free without an outage and in each that does not hit the option.
        """
        problem, offers = self.problem, self.problem.offers
        mine = source.offers[: source.count]
        line = offers.line[mine]
        others = ~hit.any(1)
        days = standing.base[line].copy()
        if others.any():
            days = np.minimum(days, standing.free[others][:, :, line].min((0, 1)))
        self._until_ready(standing, mine, hit, days)
        rows, v = np.arange(len(mine)), offers.validation_period[mine]
        days[rows, v] -= offers.validation_days[mine]
        if (days[rows, v] < -1e-7).any():
            return None
        change = problem.lines.changeover_days[line][:, None]
        fits = np.floor((days - change) / offers.days[mine][:, None] + 1e-9)
        return np.clip(np.minimum(fits, problem.max_batches[mine]), 0, None).astype(np.int64)

    def _until_ready(self, standing: Standing, mine: Ints, hit: Bools, days: Floats) -> None:
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
                    room = standing.free[threats][:, :ready, offers.line[mine[j]], :ready]
                    days[j, :ready] = np.minimum(days[j, :ready], room.min((0, 1)))

    def _days(self, rows: Ints, planned: Ints, slot: Ints, lines: int) -> Floats:
        """Line-days of batches, changeovers and validation, (lines, T)."""
        offers, change = self.problem.offers, self.problem.lines.changeover_days
        days = offers.days[rows][:, None] * planned
        days = days + change[offers.line[rows]][:, None] * (planned > 0)
        days[np.arange(len(rows)), offers.validation_period[rows]] += offers.validation_days[rows]
        out = np.zeros((lines, self.problem.periods))
        np.add.at(out, slot, days)
        return out

    def program(self, source: Source) -> int:
        """The program of an option."""
        return int(self.problem.options.program[source.option])

    def _streams(self, option: int) -> Ints:
        options = self.problem.options
        rows = [s for s in (options.first[option], options.second[option]) if s >= 0]
        return np.array(rows, np.int64)

    def _released(self, source: Source, planned: Ints) -> Floats:
        """Good units coming free per period, (n, T)."""
        units = released(planned, source.lag)[: source.count]
        return np.asarray(units * source.good[: source.count, None])

    def _cap(self, p: int) -> Floats:
        tables = unsourced_tables(self.problem, np.array([p]))
        return np.ascontiguousarray(tables.cap[0])

    def _prices(self, p: int) -> Floats:
        programs = self.problem.programs
        return np.array(
            [programs.shortage_price[p], programs.safety_price[p], programs.holding_price[p]]
        )


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


def started(batches: Ints, lag: Ints) -> Ints:
    """Batches (2, T) by period of release as batches by period of start."""
    out = np.zeros_like(batches)
    for i in range(len(batches)):
        shift = int(lag[i])
        out[i, : batches.shape[1] - shift] = batches[i, shift:]
    return out
