"""Which programs are looked at together for the bound of secure plans, and what that proved.

Programs that could use a line in common, at most three of them, are a group of their own problem
(`group.py`); those whose own search for a schedule did not end are one by themselves. What a group
costs at least without some CMOs becomes a row of the choice.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from models.patterns.apart import components, engaging, sets_out
from models.problem import Bools, Floats, Ints, Problem
from models.result import Decision
from models.secure.check import Terms
from models.secure.choosing import Cover
from models.secure.group import Group, Money

#: Most programs of a group.
LARGEST = 3
#: Seconds of a group's first search; each one after that takes twice as many.
FIRST, LONGEST = 3.0, 24.0
#: Share of its cost that a program may still be dearer by, where no plan tells.
UNKNOWN = 0.05


@dataclass
class Item:
    """What is known of a group without some CMOs: its bound, seconds of the next search."""

    bound: float = -np.inf
    seconds: float = FIRST
    closed: bool = False


@dataclass
class Groups:
    """The groups of a problem; `plan` is a secure one, None where none is known."""

    problem: Problem
    terms: Terms
    plan: Decision | None
    #: what each program costs in that plan, (P,), inf where that is not known
    costs: Floats
    items: dict[tuple[tuple[int, ...], frozenset[int]], Item] = field(default_factory=dict)
    made: dict[tuple[int, ...], Group | None] = field(default_factory=dict)
    parts: list[tuple[int, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        problem, options = self.problem, self.problem.options
        self.at = engaging(problem)
        usable = np.flatnonzero(self.at[~problem.banned].any(0)).tolist()
        self.outs = [out for out in sets_out(problem.rules, usable) if out]
        #: CMOs around each program, (P, K)
        self.around = np.zeros((len(problem.programs.ids), self.at.shape[1]), np.bool_)
        np.logical_or.at(self.around, options.program, self.at & ~problem.banned[:, None])
        self.owner = np.full(len(problem.lines.ids), -1, np.int64)

    def form(self, least: Floats) -> None:
        """Groups of programs that could cost much more than they do at `least` (P,).

        Each line's expansion is paid by the first of its programs, in that order.
        """
        problem, offers = self.problem, self.problem.offers
        able = np.zeros((len(least), len(problem.lines.ids)), np.bool_)
        able[offers.program, offers.line] = True
        near = (able.astype(np.int64) @ able.T.astype(np.int64)) > 0
        dearer = self.dearer(least)
        for part in components(problem):
            left = part[np.argsort(-dearer[part], kind="stable")].tolist()
            for p in reversed(left):
                self.owner[able[p]] = p
            while left:
                beside = [p for p in left[1:] if near[left[0], p]][: LARGEST - 1]
                group = [left[0], *beside]
                self.parts.append(tuple(sorted(group)))
                left = [p for p in left if p not in group]

    def dearer(self, least: Floats) -> Floats:
        """What programs may cost beyond `least`, (P,)."""
        return np.where(np.isfinite(self.costs), self.costs - least, UNKNOWN * np.abs(least))

    def out(self, engaged: Bools) -> frozenset[int]:
        """CMOs (K,) that stay out by the rules where these are engaged."""
        there = set(np.flatnonzero(engaged).tolist())
        return next((out for out in self.outs if not out & there), frozenset())

    def next(
        self, paid: Floats, rough: Ints, out: frozenset[int], seconds: float
    ) -> tuple[tuple[int, ...], frozenset[int]] | None:
        """The group whose search promises most; None where none is left or too short a time.

        `paid` (P,) is what the choice charges each program, `rough` programs whose own search did
        not end.
        """
        dearer = self.dearer(paid)
        best, most = None, 0.0
        for programs in [*((int(p),) for p in rough), *self.parts]:
            near = frozenset(np.flatnonzero(self.around[list(programs)].any(0)).tolist())
            key = programs, out & near
            item = self.items.setdefault(key, Item())
            gain = max(float(dearer[list(programs)].sum()), 0.0) / item.seconds
            if not item.closed and gain > most and item.seconds <= seconds:
                best, most = key, gain
        return best

    def search(
        self,
        key: tuple[tuple[int, ...], frozenset[int]],
        money: Money,
        values: Floats,
        stop: Callable[[], bool] | None,
        until: float,
    ) -> None:
        """Look closer at a group."""
        programs, out = key
        item, group = self.items[key], self.group(programs)
        if group is None:
            item.closed = True
            return
        owned = np.isin(self.owner, programs)
        # an expansion is paid once
        money = Money(money.apart, money.batch, money.setup, np.where(owned, money.expansion, 0.0))
        least = {p: max(self.known((p,), out), -np.inf) for p in programs}
        least = {p: value for p, value in least.items() if np.isfinite(value)}
        began = time.monotonic()
        seconds = min(item.seconds, max(until - began, 0.1))
        found = group.solve(money, out, values, least, seconds, self.plan, stop)
        if found.bound is not None:
            item.bound = max(item.bound, found.bound)
        item.closed = found.closed or item.seconds >= LONGEST
        item.seconds *= 2.0

    def known(self, programs: tuple[int, ...], out: frozenset[int]) -> float:
        """What is proven of some programs: without fewer CMOs they cost no more."""
        bounds = (i.bound for (q, v), i in self.items.items() if q == programs and v <= out)
        return max(bounds, default=-np.inf)

    def group(self, programs: tuple[int, ...]) -> Group | None:
        """The problem of a group, made once; None where it would not know all offers."""
        if programs not in self.made:
            group = Group(self.problem, self.terms, np.array(programs, np.int64))
            self.made[programs] = group if group.complete else None
        return self.made[programs]

    def covers(self) -> list[Cover]:
        """What is proven so far."""
        found = []
        for (programs, out), item in self.items.items():
            if np.isfinite(item.bound):
                found.append(Cover(np.array(programs, np.int64), sorted(out), item.bound))
        return found
