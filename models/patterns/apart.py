"""Service of programs that fall into parts which share no line, joined by the CMOs they engage.

Where nothing costs but shortage (`models.restrict.service_problem`) such parts meet in rules alone.
A limit on engaged CMOs says that some must stay out: for each set of those, what the parts cost at
least without them adds up, and the least of the sums is the bound. Each part without some CMOs is a
search of its own (relaxation, cuts, lines, tree, moves), taken up a step at a time where it counts.
Other rules that join parts hold within each part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from math import comb

import numpy as np

from models.patterns.part import Maps, subproblem
from models.patterns.pricing import Stopped
from models.patterns.search import Search
from models.patterns.solving import first_plans, start_generation
from models.patterns.turns import Turns
from models.patterns.warming import warm_up
from models.patterns.watch import Watch
from models.problem import Bools, Ints, Problem, Rule
from models.result import Decision
from models.solve import Settings

#: Rules that a part keeps; without the others its bound holds as well.
KEPT = ("max_cmos", "max_programs", "not_together", "force")
#: Sets of CMOs that stay out are looked at with fewer CMOs, rather than more sets than this.
MOST_SETS = 200
#: Where plans are asked for, every step of so many goes to what the bound says.
OTHERS = 4
#: What a search is taken to raise the total by, as share of it, where it raised nothing lately.
HOPE = 1e-3
#: The same at most where a plan is known, as share of what the bound lacks to it.
LACKING = 0.1


@dataclass(frozen=True)
class Key:
    """A part, by its number, without some CMOs."""

    part: int
    out: frozenset[int]


class Item:
    """The search for the bound of one part without some CMOs, and for its plan where asked."""

    def __init__(self, problem: Problem, maps: Maps, watch: Watch, bound: float) -> None:
        """`maps` lead to the rows of the whole problem; `bound` is proven before."""
        self.problem, self.maps, self.watch, self.bound = problem, maps, watch, bound
        self.search: Search | None = None
        self.turns: Turns | None = None
        self.done = False
        #: whether it began with a plan
        self.given = watch.decision is not None
        #: units of work so far, and how near the bound was to zero or to the plan then
        self.history: list[tuple[float, float]] = [(0.0, -np.inf)]

    @property
    def objective(self) -> float:
        """What the best plan known costs, inf where none was searched for yet, nor given."""
        searched = self.turns is not None or self.done or self.given
        return self.watch.objective if searched and self.watch.objective is not None else np.inf

    def step(self, plans: bool) -> None:
        """Raise the bound a little, by turns with `plans`, unless that is `done`."""
        try:
            if self.search is None:
                units = self._begin()
            elif plans and self.search.tree is not None:
                units = self._turn(self.search)
            else:
                units = self._prove(self.search)
        except Stopped:
            self.done = True
            return
        if self.watch.bound is not None:
            self.bound = max(self.bound, self.watch.bound)
        near = self.bound - self.objective if plans else self.bound
        self.history.append((self.history[-1][0] + units, near))

    def _begin(self) -> float:
        """Solve the relaxation; the units of work it took."""
        first_plans(self.problem, self.watch, None)
        generation = start_generation(self.watch)
        before = replace(generation.master.tally)
        relaxation = generation.run(np.inf)
        if relaxation.infeasible:
            self.bound, self.done = np.inf, True
        elif relaxation.priced is None or generation.scale != 1.0:
            self.done = True
        else:
            self.search = Search(generation, self.watch, np.inf)
        return generation.master.tally.units(before, len(generation.lagrangian.rows))

    def _prove(self, search: Search) -> float:
        """A step of the search; the units of work it took."""
        before = replace(search.master.tally)
        search.prove()
        self.done = not search.growing or self.watch.over()
        if search.tree is not None and search.tree.barren and not self.watch.over():
            self.bound = np.inf
        return search.master.tally.units(before, search.streams)

    def _turn(self, search: Search) -> float:
        """A turn of moves or of the search; the units of work it took."""
        if self.turns is None:
            self.turns = Turns(search, search.begin())
        before = self.turns.plans + self.turns.proofs
        self.turns.step()
        self.done = self.turns.over
        return self.turns.plans + self.turns.proofs - before

    def pace(self, total: float) -> float:
        """What a unit of work brought bound and plan closer by, in the later half of all."""
        work, near = self.history[-1]
        if not np.isfinite(near):
            return np.inf
        since, before = next(h for h in reversed(self.history) if h[0] <= work / 2.0)
        gain = near - before if np.isfinite(before) else total
        lacking = self.objective - self.bound
        hope = min(HOPE * total, LACKING * lacking)
        return (gain + hope) / (work - since)


class Apart:
    """The bound of a problem of service, and its plan where asked, in one thread.

    `step` improves them a little.
    """

    def __init__(
        self,
        problem: Problem,
        settings: Settings,
        plans: bool = False,
        starts: Sequence[Decision] = (),
    ) -> None:
        """`plans`: look for them too, from `starts`."""
        warm_up(settings)
        self.problem, self.plans, self.starts = problem, plans, starts
        self.watch = Watch(problem, replace(settings, progress=None))
        self.parts = components(problem)
        self.at = engaging(problem)
        usable = np.flatnonzero(self.at[~problem.banned].any(0)).tolist()
        self.outs = sets_out(problem.rules, usable)
        used = [self.at[np.isin(problem.options.program, part)].any(0) for part in self.parts]
        self.around = [frozenset(np.flatnonzero(row).tolist()) for row in used]
        self.items: dict[Key, Item] = {}
        self.steps = 0
        for start in starts:  # its parts count for the CMOs that it leaves out
            engaged = set(np.flatnonzero(self.at[start.option].any(0)).tolist())
            for out in self.outs:
                if not out & engaged:
                    for key in self.keys(out):
                        self.item(key)

    @property
    def bound(self) -> float:
        """The least sum over the sets of CMOs that may stay out."""
        return min(self.total(out) for out in self.outs)

    @property
    def objective(self) -> float:
        """The least sum of plans over them, inf where a part has none."""
        return min(self.cost(out) for out in self.outs)

    @property
    def relaxed(self) -> bool:
        """Whether the relaxation of every part of the least sum is solved."""
        keys = self.keys(min(self.outs, key=self.total))
        items = [self.items.get(key) for key in keys]
        return all(item is not None and (item.done or item.search is not None) for item in items)

    def keys(self, out: frozenset[int]) -> list[Key]:
        """All parts without these CMOs."""
        return [Key(i, out & near) for i, near in enumerate(self.around)]

    def total(self, out: frozenset[int]) -> float:
        """What all parts cost at least without these CMOs."""
        return sum(self.known(key) for key in self.keys(out))

    def known(self, key: Key) -> float:
        """What is proven of a part: without fewer CMOs it costs no more."""
        bounds = (i.bound for k, i in self.items.items() if k.part == key.part and k.out <= key.out)
        return max(bounds, default=0.0)

    def cost(self, out: frozenset[int]) -> float:
        """What the best plans known of all parts cost without these CMOs."""
        return sum(item.objective if item else np.inf for item in map(self.best, self.keys(out)))

    def best(self, key: Key) -> Item | None:
        """The search that has the best plan of a part, perhaps without more CMOs."""
        items = (i for k, i in self.items.items() if k.part == key.part and k.out >= key.out)
        return min(items, key=lambda item: item.objective, default=None)

    def step(self) -> bool:
        """Go on with the set of CMOs of the least sum; False where that is searched to the end."""
        if self.watch.over():
            return False
        self.steps += 1
        by_cost = self.plans and self.steps % OTHERS > 0
        out = min(self.outs, key=lambda out: (self.cost(out) if by_cost else 0.0, self.total(out)))
        items = [self.item(key) for key in self.keys(out)]
        open_ = [item for item in items if not item.done]
        total = sum(item.bound for item in items)
        if open_ and total < np.inf:
            raw = [item for item in open_ if item.search is None]  # their relaxations come first
            max(raw or open_, key=lambda item: item.pace(max(total, 1.0))).step(self.plans)
        return by_cost or (bool(open_) and total < np.inf)

    def item(self, key: Key) -> Item:
        """The search for a part without some CMOs."""
        if key not in self.items:
            rows = np.flatnonzero(np.isin(self.problem.options.program, self.parts[key.part]))
            part, maps = subproblem(self.problem, self.parts[key.part], rows)
            banned = np.flatnonzero(self.at[rows][:, sorted(key.out)].any(1))
            rules = [r for r in part.rules if r.name in KEPT]
            rules.append(Rule("force", "CMOs that stay out", banned=banned))
            part = replace(part, rules=tuple(rules))
            watch = Watch(part, self.watch.settings, self.watch.started)
            for start in self.starts:
                watch.offer(maps.lower(start))  # a ban forbids what stays out
            self.items[key] = Item(part, maps, watch, self.known(key))
        return self.items[key]

    def plan(self) -> Decision | None:
        """The plans of the parts of the least sum together; it may break rules that join parts."""
        found = [self.best(key) for key in self.keys(min(self.outs, key=self.cost))]
        option = self.problem.options.start[:-1].copy()
        batches: dict[int, Ints] = {}
        expanded = np.zeros(len(self.problem.lines.ids), np.bool_)
        for item in found:
            decision = None if item is None else item.watch.decision
            if item is None or decision is None:
                return None
            option[item.maps.programs] = item.maps.options[decision.option]
            batches |= {int(item.maps.offers[f]): n for f, n in decision.batches.items()}
            expanded |= decision.expanded
        return Decision(option, batches, expanded)


def engaging(problem: Problem) -> Bools:
    """Which option engages which CMO, (O, K)."""
    options, count = problem.options, len(problem.cmos.ids)
    cmo = np.append(problem.offer_cmo[problem.streams.offer], count)
    at = np.zeros((len(options.program), count + 1), np.bool_)
    rows = np.arange(len(at))
    at[rows, cmo[options.first]] = at[rows, cmo[options.second]] = True
    return at[:, :count]


def components(problem: Problem) -> list[Ints]:
    """Programs that can share a line, directly or through others, together; ascending rows."""
    options, offers = problem.options, problem.offers
    streams = np.concatenate([options.first[~problem.banned], options.second[~problem.banned]])
    rows = np.unique(problem.streams.offer[streams[streams >= 0]])
    program, line = offers.program[rows], offers.line[rows]
    group = np.arange(len(problem.programs.ids), dtype=np.int64)
    while True:  # the least of all that share a line, until nothing changes
        first = np.full(len(problem.lines.ids), len(group), np.int64)
        np.minimum.at(first, line, group[program])
        joined = group.copy()
        np.minimum.at(joined, program, first[line])
        if np.array_equal(joined, group):
            return [np.flatnonzero(group == g) for g in np.unique(group)]
        group = joined


def sets_out(rules: tuple[Rule, ...], usable: list[int]) -> list[frozenset[int]]:
    """Sets of CMOs of which at least one stays out in full whatever the plan."""
    found = [frozenset[int]()]
    for rule in rules:
        if rule.name == "max_cmos":
            inside = [k for k in rule.cmos if k in usable]
            out = max(0, len(inside) - int(rule.limit))
            while comb(len(inside), out) * len(found) > MOST_SETS:
                out -= 1
            pairs = product(found, combinations(inside, out))
            found = list(dict.fromkeys(one | frozenset(two) for one, two in pairs))
    return found
