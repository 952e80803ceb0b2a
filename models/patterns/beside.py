"""The search on two threads: what raises the bound on one, moves on the other, side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from models.patterns.columns import Columns
from models.patterns.improving import Improver
from models.patterns.pace import Pace
from models.patterns.pricing import Stopped
from models.patterns.search import Mip, Search
from models.patterns.tally import Tally
from models.patterns.turns import PATIENCE
from models.problem import Bools
from models.result import Decision

BOUND, PLANS = 0, 1
#: Units that the first polish is expected to take, per program and at most.
PER_PROGRAM, LONGEST = 0.15, 40.0

Step = Literal["cut", "lines", "node", "wait"] | Mip


@dataclass(frozen=True)
class Proof:
    """What the side of the bound has found: bound and plan, and what moves should know.

    `better`: its last MIP found this plan. `settled` is new since the last such news, `improver`
    is guided by what has just been proven, `growing` tells whether the bound may still rise.
    """

    bound: float | None
    decision: Decision | None
    objective: float | None
    better: bool
    settled: tuple[Columns, Bools] | None
    improver: Improver | None
    growing: bool


@dataclass(frozen=True)
class Plan:
    """What moves have found, in so many turns so far.

    `ready`: it keeps to the lines' days; `tied`: a limit on spend shares matters to it. `ends` are
    plans at which they ended.
    """

    decision: Decision | None
    objective: float | None
    turns: int
    ready: bool
    tied: bool
    ends: tuple[Columns, ...] = ()


class Beside:
    """Both sides of one search; `run` until the watch is over.

    Each has a watch of its own. They tell each other by `pace`, so that equal seeds find equal
    plans however fast each side is.
    """

    def __init__(self, search: Search, improver: Improver) -> None:
        self.search, self.watch = search, search.watch
        self.aside = search.watch.aside()
        #: what moves began with, and what the side of the bound knows of them
        self.first, self.known = improver, Plan(None, None, 0, False, False)
        #: the moves whose candidates MIPs take
        self.guide = improver
        self.pace = Pace()
        #: units that each kind of step took last
        self.taken: dict[Step, float] = {}

    def run(self) -> None:
        """Both sides to their ends, then the better of what they found."""
        with ThreadPoolExecutor(1) as pool:
            moving = pool.submit(self.improve)
            try:
                self.prove()
            finally:
                moving.result()
                self.watch.exchange(self.aside)

    # ---- the bound -------------------------------------------------------------------------

    def prove(self) -> None:
        """The side of the bound. Raises Stopped where pricing was ended."""
        failed = True
        try:
            moving = True
            while not self.watch.over() and (self.search.growing or moving):
                kind = self.kind()
                for news in self.pace.begin(BOUND, self.units(kind)):
                    moving = news is not None
                    self.learn(news)
                if self.pace.failed:
                    return
                better, improver, former = False, None, self.search.settled
                try:
                    better, improver = self.step(kind)
                finally:
                    self.pace.finish(BOUND, self.proof(better, former, improver))
            failed = False
        except Stopped:
            failed = False
            raise
        finally:
            self.pace.leave(BOUND, failed)

    def kind(self) -> Step:
        """What the next step is about."""
        search, known = self.search, self.known
        due = search.due(known.turns, known.ready, known.tied)
        if due is not None:
            return due
        if search.tree is None:
            return "cut"
        if not search.growing:
            return "wait"
        return "node" if search.tree.pending is None else "lines"

    def units(self, kind: Step) -> float:
        """Units of work that a step is expected to take: as many as the last of its kind."""
        if kind == "wait":
            return 1.0
        first = Tally().units(Tally(), self.search.streams)
        if kind == "polish":
            first = min(PER_PROGRAM * self.search.lagrangian.layout.P, LONGEST)
        return self.taken.get(kind, first)

    def step(self, kind: Step) -> tuple[bool, Improver | None]:
        """A step; whether a MIP found a better plan, and moves that are guided anew."""
        search, known = self.search, self.known
        before = replace(search.master.tally)
        better, improver = False, None
        if kind in ("polish", "restricted"):
            better = search.solve_mip(kind, known.turns, self.guide.rows, known.ends)
        elif kind != "wait" and search.prove() and known.ready:
            improver = self.guide = search.improver(1)
        self.taken[kind] = search.master.tally.units(before, search.streams)
        return better, improver

    def learn(self, news: Plan | None) -> None:
        """Take in what moves have found; None: they have ended."""
        if news is not None:
            self.known = news
            self.watch.take(news.decision, news.objective, None)

    def proof(
        self, better: bool, former: tuple[Columns, Bools] | None, improver: Improver | None
    ) -> Proof:
        """How this side stands after a step, before which `former` was settled."""
        watch, search = self.watch, self.search
        fresh = search.growing and search.settled is not former
        return Proof(
            watch.bound,
            watch.decision,
            watch.objective,
            better,
            search.settled if fresh else None,
            improver,
            search.growing,
        )

    # ---- the plans -------------------------------------------------------------------------

    def improve(self) -> None:
        """The side of the moves."""
        failed = True
        try:
            improver, watch = self.first, self.aside
            improver.watch = watch
            idle = turns = weary = 0
            growing = True
            while not watch.over() and (growing or weary < PATIENCE):
                for news in self.pace.begin(PLANS, 1.0):
                    improver = self.guided(improver, news)
                    growing = news.growing
                if self.pace.failed:
                    return
                idle = 0 if improver.run() else idle + 1
                weary = min(idle // improver.length, PATIENCE)
                turns += 1
                ready = bool(np.isfinite(improver.top))
                tied = improver.breaks or improver.tied
                plan = Plan(watch.decision, watch.objective, turns, ready, tied, improver.ends)
                self.pace.finish(PLANS, plan)
            failed = False
        finally:
            self.pace.finish(PLANS, None)
            self.pace.leave(PLANS, failed)

    def guided(self, improver: Improver, news: Proof) -> Improver:
        """The moves to go on with after what the other side has proven."""
        watch, before = self.aside, self.aside.objective
        watch.take(news.decision, news.objective, news.bound)
        if news.improver is not None:
            improver = news.improver
            improver.watch = watch
            known = watch.decision
            if known is not None and np.isin(known.option, improver.rows).all():
                assert watch.objective is not None
                improver.load(known, watch.objective)
            else:  # found since, with options that are no candidates now
                assert news.decision is not None
                assert news.objective is not None
                improver.load(news.decision, news.objective)
        improver.adopt(news.better and watch.objective != before)
        if news.settled is not None:
            improver.attempt(*news.settled)
        return improver
