"""Which programs are looked at together for the bound of secure plans, and what that proved.

All programs that share lines, directly or through others, are a group with a problem of its own
(`group.py`), and so are two or three of them that could use one in common; those whose own search
for a schedule did not end are one by themselves. What a group costs at least without some CMOs
becomes a row of the choice, and of the problems of larger groups.
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

#: Most programs of a group that is not all that share lines.
LARGEST = 3
#: Seconds of a group's first search, for so many programs at most, else in proportion; each one
#: after that takes twice as many.
FIRST, FIRST_OF = 3.0, 3
#: Share of its cost that a program may still be dearer by, where no plan tells.
UNKNOWN = 0.05
#: A group that was raised by a smaller share than this is left alone.
BARREN = 1e-4


@dataclass
class Item:
    """What is known of a group without some CMOs: its bound, seconds of the next search, and by
    what the last one raised it.
    """

    seconds: float
    bound: float = -np.inf
    raised: float = np.inf
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
            self.parts.append(tuple(part.tolist()))
            for p in reversed(left):
                self.owner[able[p]] = p
            while left:
                beside = [p for p in left[1:] if near[left[0], p]][: LARGEST - 1]
                group = [left[0], *beside]
                if len(group) > 1 and len(group) < len(part):
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
            item = self.item(key)
            gain = max(float(dearer[list(programs)].sum()), 0.0)
            gain = min(gain, item.raised) / item.seconds
            if not item.closed and gain > most and item.seconds <= seconds:
                best, most = key, gain
        return best

    def item(self, key: tuple[tuple[int, ...], frozenset[int]]) -> Item:
        """What is known of a group without some CMOs."""
        if key not in self.items:
            self.items[key] = Item(FIRST * max(1.0, len(key[0]) / FIRST_OF))
        return self.items[key]

    def search(
        self,
        key: tuple[tuple[int, ...], frozenset[int]],
        money: Money,
        values: Floats,
        paid: Floats,
        stop: Callable[[], bool] | None,
        until: float,
    ) -> None:
        """Look closer at a group; `paid` (P,) as in `next`."""
        programs, out = key
        item, group = self.items[key], self.group(programs)
        if group is None:
            item.closed = True
            return
        owned = np.isin(self.owner, programs)
        # an expansion is paid once
        money = Money(money.apart, money.batch, money.setup, np.where(owned, money.expansion, 0.0))
        inside = set(programs)
        covers = [
            c for c in self.covers() if inside.issuperset(c.programs) and out.issuperset(c.out)
        ]
        began = time.monotonic()
        seconds = min(item.seconds, max(until - began, 0.1))
        found = group.solve(money, out, values, covers, seconds, self.plan, stop)
        if found.bound is not None:
            item.bound = max(item.bound, found.bound)
        before = float(paid[list(programs)].sum())
        item.raised = max(item.bound - before, 0.0)
        item.closed = found.closed or item.raised <= BARREN * abs(before)
        item.seconds *= 2.0

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
                lines = np.flatnonzero(np.isin(self.owner, programs)).tolist()
                found.append(Cover(np.array(programs, np.int64), sorted(out), item.bound, lines))
        return found
