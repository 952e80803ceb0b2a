"""Secure plans of any size: take a few programs out and add each again, secure at every step."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.evaluate import evaluate
from models.problem import Bools, Floats, Ints, Problem
from models.result import Decision
from models.secure.anew import Anew
from models.secure.assembling import Assembly, Picked
from models.secure.check import Terms
from models.secure.insertion import Inserter
from models.secure.pool import Pool, packed
from models.secure.sharing import Shared
from models.secure.standing import Entry, Standing, fits

#: Most programs taken out at once.
LARGEST = 8
#: Share of the objective by which a plan may be dearer than the best and still be gone on from.
SLACK = 0.004
#: Steps from the widest slack to none, and again.
CYCLE = 400
#: Shares of the days taken by others after an outage which a step hopes they can give up.
HOPES = (0.0, 0.5, 1.0)
#: One step in so many opens or closes an expansion, one in so many leaves a CMO.
EXPANSIONS, LEAVES = 12, 20
#: After so many steps one in so many places a few programs all at once, where there are so many
#: seconds left.
JOINED, JOINT, JOINT_LEFT = 320, 8, 12.0
#: Steps until a plan is assembled of all entries at hand, twice as many each time that this finds
#: nothing better, but at most so many.
ASSEMBLED, SELDOM = 150, 1_200
#: Seconds of an assembly at most, and the share of those that are left.
ASSEMBLY_SECONDS, ASSEMBLY_SHARE = 10.0, 0.25


@dataclass
class Kept:
    """A plan that may be gone back to: its entries and expansions."""

    entries: list[Entry | None]
    expanded: Bools
    objective: float


class Rebuilder:
    """Searches secure plans; `best` is the cheapest valid one, None until there is one."""

    def __init__(self, problem: Problem, terms: Terms, seed: int) -> None:
        self.problem, self.terms, self.seed = problem, terms, seed
        self.inserter = Inserter(problem, terms)
        self.rng = np.random.default_rng(seed)
        self.standing = Standing(problem, terms, np.zeros(len(problem.lines.ids), np.bool_))
        self.pool = Pool(len(problem.programs.ids), terms.first)
        #: steps from the last assembly to the next, and until that
        self.between = self.until_assembly = ASSEMBLED
        self.best: Kept | None = None
        self.objective = np.inf
        self.valid = False
        self.steps = 0
        #: seconds of the longest step, and when the last one began
        self.longest = self.began = 0.0
        self.near = self._near()
        self.anew = Anew()

    @cached_property
    def assembly(self) -> Assembly:
        """What assembles plans; a search of few steps needs none."""
        return Assembly(self.inserter, self.seed)

    def _near(self) -> Bools:
        """Which programs could use a line in common, (P, P)."""
        problem = self.problem
        able = np.zeros((len(problem.programs.ids), len(problem.lines.ids)), np.bool_)
        able[problem.offers.program, problem.offers.line] = True
        return np.asarray((able.astype(np.int32) @ able.T.astype(np.int32)) > 0)

    def floors(self) -> Floats:
        """What each program costs at least as far as is known, (P,)."""
        inserter = self.inserter
        least = np.minimum.reduceat(inserter.floor, self.problem.options.start[:-1])
        return np.asarray(np.minimum(least, inserter.idle))

    def costs(self) -> Floats:
        """What each program costs in the plan as it stands, (P,)."""
        idle, entries = self.inserter.idle, self.standing.entries
        return np.array([idle[p] if e is None else e.cost for p, e in enumerate(entries)])

    def regret(self) -> Floats:
        """What each program costs in the plan as it stands above the least it may, (P,)."""
        return np.maximum(self.costs() - self.floors(), 0.0)

    def construct(self, start: Decision | None, stop: Callable[[], bool]) -> None:
        """A first plan: what is secure of `start`, then the rest.

        Those first that being unsourced would cost most.
        """
        self.inserter.hope = 1.0
        order = [int(p) for p in np.argsort(self.floors() - self.inserter.idle, kind="stable")]
        if start is not None:
            self.standing = Standing(self.problem, self.terms, start.expanded.copy())
            for p in order:
                self.take_over(p, int(start.option[p]), start.batches)
        self.insert([p for p in order if self.standing.entries[p] is None], stop)
        self.objective = self.value()
        self.keep()

    def take_over(self, p: int, option: int, batches: Mapping[int, Ints]) -> None:
        """Put a program in with these batches (T,) by offer, where that is secure here."""
        problem = self.problem
        streams = (problem.options.first[option], problem.options.second[option])
        offers = [int(problem.streams.offer[s]) for s in streams if s >= 0]
        if offers:
            none = np.zeros(problem.periods, np.int64)
            made = [np.asarray(batches.get(f, none)) for f in offers]
            self.put(p, self.inserter.former(self.standing, option, made))

    def insert(self, programs: list[int], stop: Callable[[], bool] | None = None) -> None:
        """Add programs in this order, each in the cheapest way found."""
        for p in programs:
            if stop is not None and stop():
                return
            self.put(p, self.inserter.best(self.standing, p))

    def put(self, p: int, found: Shared | None) -> None:
        """Put a program in where a way was found, and remember it."""
        if found is not None:
            for q, other in found.others.items():
                self.standing.exchange(q, other)
                self.pool.add(q, other)
            self.standing.add(p, found.entry)
            self.pool.add(p, found.entry)

    def value(self) -> float:
        """The objective of the plan as it stands, raised above any plan for each broken rule."""
        value = evaluate(self.problem, self.standing.decision())
        broken = len(value.broken) + (not self.standing.relied())
        self.valid = broken == 0
        return value.objective + broken * float(self.inserter.idle.sum())

    def keep(self) -> None:
        """Remember the plan where it is the best so far."""
        if self.valid and (self.best is None or self.objective < self.best.objective):
            standing = self.standing
            self.best = Kept(list(standing.entries), standing.expanded.copy(), self.objective)

    def restore(self, kept: Kept) -> None:
        """Go back to a plan."""
        self.standing = Standing(self.problem, self.terms, kept.expanded.copy())
        for p, entry in enumerate(kept.entries):
            if entry is not None:
                self.standing.add(p, entry)
        self.objective = kept.objective

    def adopt(self, kept: Kept | None) -> None:
        """Go on from a plan where it is cheaper than the best here."""
        if kept is not None and (self.best is None or kept.objective < self.best.objective):
            self.best = kept
            self.restore(kept)

    def twin(self, number: int) -> Rebuilder:
        """Another search from the same plan and with what is known of options, by other chances."""
        other = Rebuilder(self.problem, self.terms, self.seed + number)
        other.inserter.floor = self.inserter.floor.copy()
        other.inserter.alone = dict(self.inserter.alone)
        other.adopt(self.best)
        return other

    def decision(self) -> Decision | None:
        """The best plan."""
        if self.best is None:
            return None
        plan = Standing(self.problem, self.terms, self.best.expanded)
        plan.entries = self.best.entries
        return plan.decision()

    def run(self, steps: int, stop: Callable[[], bool], left: float | None = None) -> None:
        """So many steps, or until `stop` says so; `left` are the seconds for all that follows."""
        self.began = time.monotonic()
        end = np.inf if left is None else self.began + left
        for _ in range(steps):
            if stop():
                return
            self.longest = max(self.longest, time.monotonic() - self.began)
            self.began = time.monotonic()
            self.steps += 1
            if self.steps % CYCLE == 0 and self.best is not None:
                self.restore(self.best)
            self.until_assembly -= 1
            if not self.until_assembly:
                better = self.assemble(ASSEMBLY_SHARE * (end - self.began), stop)
                self.between = ASSEMBLED if better else min(2 * self.between, SELDOM)
                self.until_assembly = self.between
                self.anew.part(self, end - time.monotonic(), stop)
                self.began = time.monotonic()
            late = end - self.began <= JOINT_LEFT
            if self.steps >= JOINED and self.steps % JOINT == 0 and not late:
                self.anew.step(self, stop)
                self.began = time.monotonic()  # its seconds are no measure of other steps
                continue
            if self.steps % EXPANSIONS == 0 and self.expansion():
                continue
            if self.steps % LEAVES == 0 and self.leave():
                continue
            self.step(self.ruined())

    def assemble(self, seconds: float, stop: Callable[[], bool]) -> bool:
        """Go on from the cheapest plan of all entries at hand; whether there is a cheaper one.

        What does not fit beside the others in it is added anew, until `stop` says so.
        """
        if self.best is None:
            return False
        before, first = self.best.objective, self.terms.first
        plan = [None if entry is None else packed(entry, first) for entry in self.best.entries]
        found = self.assembly.best(
            self.pool, Picked(plan, self.best.expanded), before, min(seconds, ASSEMBLY_SECONDS)
        )
        if found is None:
            return False
        self.standing = Standing(self.problem, self.terms, found.expanded.copy())
        left = []
        for p, each in enumerate(found.entries):
            entry = None if each is None else each.unpacked()
            if entry is not None and fits(self.standing, entry):
                self.standing.add(p, entry)
            elif entry is not None:
                left.append((p, entry))
        for p, entry in left:  # its plan with other re-routings, else another plan
            if not stop():
                self.take_over(p, entry.option, entry.batches)
        self.insert(self.order([p for p, _ in left if self.standing.entries[p] is None]), stop)
        self.objective = self.value()
        self.keep()
        if self.objective > before * (1.0 + SLACK):
            self.restore(self.best)
        return self.best.objective < before

    def ruined(self) -> list[int]:
        """Programs to take out: one that costs much more than it must, and some near it."""
        regret = self.regret()
        weight = regret + 0.2 * regret.mean() + 1e-9
        first = int(self.rng.choice(len(regret), p=weight / weight.sum()))
        others = np.flatnonzero(self.near[first])
        others = others[others != first]
        count = min(len(others), int(self.rng.integers(1, LARGEST)))
        if not count:
            return [first]
        chance = weight[others] ** 0.5
        if self.rng.random() < 0.5:
            chance = np.ones(len(others))
        more = self.rng.choice(others, count, replace=False, p=chance / chance.sum())
        return [first, *(int(p) for p in more)]

    def order(self, programs: list[int]) -> list[int]:
        """In which order programs are added again: the dearest first, or by chance."""
        gain = np.array([self.inserter.idle[p] for p in programs]) - self.floors()[programs]
        kind = self.rng.random()
        if kind < 0.4:
            noise = self.rng.random(len(programs))
            key = -gain * (0.5 + noise)
        elif kind < 0.5:
            key = -gain
        else:
            key = self.rng.random(len(programs))
        return [programs[i] for i in np.argsort(key, kind="stable")]

    def step(self, programs: list[int]) -> bool:
        """Take programs out and add them again; whether that is kept."""
        former = list(self.standing.entries)
        for p in programs:
            self.standing.drop(p)
        self.inserter.hope = float(self.rng.choice(HOPES))
        self.insert(self.order(programs))
        return self.judged(former)

    def judged(self, former: list[Entry | None]) -> bool:
        """Keep the plan where it is good enough, else put the former entries back."""
        value = self.value()
        least = np.inf if self.best is None else self.best.objective
        slack = SLACK * (1.0 - (self.steps % CYCLE) / CYCLE)
        if value < self.objective or value < least * (1.0 + slack):
            self.objective = value
            self.keep()
            return True
        changed = [p for p, entry in enumerate(former) if entry is not self.standing.entries[p]]
        for p in changed:
            self.standing.drop(p)
        for p in changed:
            entry = former[p]
            if entry is not None:
                self.standing.add(p, entry)
        return False

    def leave(self) -> bool:
        """Leave one CMO, and so have room for another; False where no program is at one."""
        standing = self.standing
        engaged = np.flatnonzero(standing.programs_at > 0)
        if not len(engaged):
            return False
        chance = 1.0 / standing.programs_at[engaged]
        cmo = int(self.rng.choice(engaged, p=chance / chance.sum()))
        programs = [int(p) for p in np.flatnonzero(standing.present[:, cmo])]
        programs += [p for p in self.drawn() if p not in programs]
        self.inserter.shut[cmo] = True
        self.step(programs)
        self.inserter.shut[cmo] = False
        return True

    def drawn(self) -> list[int]:
        """Programs that would gain most at a CMO that no program goes to."""
        options = self.problem.options
        away = np.flatnonzero(self.standing.programs_at == 0)
        if not len(away):
            return []
        k = int(self.rng.choice(away))
        offers = np.append(self.problem.streams.offer, -1)
        cmo = np.append(self.problem.offer_cmo, -1)
        there = (cmo[offers[options.first]] == k) | (cmo[offers[options.second]] == k)
        floor = np.where(there, self.inserter.floor, np.inf)
        gain = self.costs() - np.minimum.reduceat(floor, options.start[:-1])
        best = np.argsort(-gain, kind="stable")[:LARGEST]
        return [int(p) for p in best if gain[p] > 0]

    def expansion(self) -> bool:
        """Open or close an expansion, its programs added again; False where there is none."""
        lines, offers = self.problem.lines, self.problem.offers
        able = np.flatnonzero(
            (lines.expansion_days > 0) & (lines.expansion_period < self.problem.periods)
        )
        if not len(able):
            return False
        line = int(self.rng.choice(able))
        before = Kept(list(self.standing.entries), self.standing.expanded.copy(), self.objective)
        users = np.unique(offers.program[offers.line == line])
        count = min(len(users), int(self.rng.integers(2, LARGEST + 1)))
        programs = [int(p) for p in self.rng.choice(users, count, replace=False)]
        if before.expanded[line]:  # what uses the line has to go
            on = [p for p, e in enumerate(before.entries) if e is not None and line in e.lines]
            programs = sorted({*programs, *on})
        expanded = before.expanded.copy()
        expanded[line] = not expanded[line]
        self.standing = Standing(self.problem, self.terms, expanded)
        for p, entry in enumerate(before.entries):
            if entry is not None and p not in programs:
                self.standing.add(p, entry)
        self.insert(self.order(programs))
        value = self.value()
        least = np.inf if self.best is None else self.best.objective
        if value < before.objective or value < least * (1.0 + 0.25 * SLACK):
            self.objective = value
            self.keep()
        else:
            self.restore(before)
        return True
