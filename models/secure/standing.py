"""A secure plan as it stands: what every line has left, without an outage and in each of them.

For every outage the plan holds a re-routing of every program, so a program can come or go without
another look at the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.problem import Bools, Floats, Ints, Problem
from models.result import Decision
from models.secure.check import Terms
from models.stock import unsourced_tables


@dataclass(frozen=True)
class Case:
    """The outages of `terms`: G threats from the start of each of T periods on.

    `cover` (G, T, T) the share of each period in which it stands still, `lines` (G, L) and
    `inputs` (G, F) what it takes, `offers` (G, F) both together, `lengths` (G,) whole periods.
    `cap` (P, T) is the most stock that a program may keep, its sources pooled.
    """

    cover: Floats
    lines: Bools
    inputs: Bools
    offers: Bools
    lengths: Ints
    cap: Floats


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
    cap = unsourced_tables(problem, np.arange(len(problem.programs.ids))).cap
    return Case(cover, lines, inputs, offers, lengths, np.ascontiguousarray(cap))


@dataclass(frozen=True)
class Reserve:
    """What a program makes under each outage, and what of it does not depend on the others.

    Of U usable offers, the first `count` of them its sources: `offers` (U,), `slot` (U,) places
    of their lines, `planned` (U, T) batches without an outage and `routes` (G, T, U, T) in each.
    Pooled `stock` (T,) at the start of each period and `unmet` (T,) of the plan.
    """

    count: int
    offers: Ints
    slot: Ints
    planned: Ints
    routes: Ints
    stock: Floats
    unmet: Floats


@dataclass(frozen=True)
class Entry:
    """A program in the plan: its option, batches by period of start, days it takes of `lines`.

    `taken` (G, T, R, T) under each outage, `base` (R, T) without one. `relies` (K,) CMOs whose
    offers it uses, then or now, `cost` money of its own, `reserve` how `taken` comes about.
    """

    option: int
    batches: dict[int, Ints]
    lines: Ints
    base: Floats
    taken: Floats
    relies: Bools
    cost: float
    reserve: Reserve


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
        #: whether a program has a source at a CMO, (P, K)
        self.present = np.zeros((len(self.entries), len(problem.cmos.ids)), np.bool_)
        #: rules that count CMOs or programs, each with the CMOs (K,) it is about
        self.counting = [
            (rule, np.isin(np.arange(len(problem.cmos.ids)), list(rule.cmos)))
            for rule in problem.rules
            if rule.name in ("max_cmos", "max_programs")
        ]

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
        self.present[p, self.cmos_of(entry.option)] = True

    def drop(self, p: int) -> Entry | None:
        """Take a program out; what it was."""
        entry = self.entries[p]
        if entry is not None:
            self.entries[p] = None
            self.base[entry.lines] += entry.base
            self.free[:, :, entry.lines] += entry.taken
            self.programs_at[self.cmos_of(entry.option)] -= 1
            self.present[p] = False
        return entry

    def exchange(self, p: int, entry: Entry) -> None:
        """Put another re-routing of a program in the place of its own; its plan is the same."""
        former = self.entries[p]
        assert former is not None
        self.free[:, :, entry.lines] += former.taken - entry.taken
        self.entries[p] = entry

    def free_of(self, lines: Ints, hope: float, strict: Bools) -> Floats:
        """Days that are left of some lines, (G, T, R, T), with a share of those that are taken.

        `hope` is that share, but for the groups `strict` (G,), where nothing taken counts.
        """
        free = self.free[:, :, lines]
        if hope > 0.0 and not strict.all():
            whole = self.whole[:, :, lines]
            taken = np.subtract(whole, free, where=np.isfinite(whole), out=np.zeros_like(free))
            taken[strict] = 0.0
            free += hope * np.maximum(taken, 0.0)
        return np.ascontiguousarray(free)

    def relied(self) -> bool:
        """Whether every CMO that some re-routing turns to is engaged."""
        relies = np.zeros(len(self.programs_at), np.bool_)
        for entry in self.entries:
            if entry is not None:
                relies |= entry.relies
        return not (relies & (self.programs_at == 0)).any()


def fits(standing: Standing, entry: Entry) -> bool:
    """Whether the days that an entry takes are left, without an outage and in each of them."""
    base, free = standing.base[entry.lines], standing.free[:, :, entry.lines]
    fine = (entry.base <= base * (1 + 1e-9) + 1e-7).all()
    return bool(fine and (entry.taken <= free * (1 + 1e-9) + 1e-7).all())


def relied_on(problem: Problem, held: Reserve) -> Bools:
    """CMOs whose offers a program uses, with or without an outage, (K,)."""
    used = np.array(held.routes.any((0, 1, 3)), np.bool_)
    used[: held.count] = True
    relies = np.zeros(len(problem.cmos.ids), np.bool_)
    relies[problem.offer_cmo[held.offers[used]]] = True
    return relies


def closed_cmos(standing: Standing, p: int) -> Bools:
    """CMOs that a program may not go to as the plan stands, (K,)."""
    limit = standing.problem.cmos.max_programs
    closed = (limit >= 0) & (standing.programs_at >= limit)
    for rule in standing.problem.rules:
        if rule.name == "not_together" and p in rule.programs:
            for other in rule.programs:
                entry = standing.entries[other]
                if entry is not None and other != p:
                    closed[standing.cmos_of(entry.option)] = True
    return np.asarray(closed)


def has_room(standing: Standing, own: list[int], fresh: list[int]) -> bool:
    """Whether the rules that count CMOs and programs allow a program at the CMOs `own`."""
    for rule, members in standing.counting:
        if rule.name == "max_cmos" and fresh:
            engaged = int((standing.programs_at[members] > 0).sum())
            if engaged + int(members[list(set(fresh))].sum()) > rule.limit:
                return False
        if (
            rule.name == "max_programs"
            and members[own].any()
            and int(standing.present[:, members].any(1).sum()) + 1 > rule.limit
        ):
            return False
    return True
