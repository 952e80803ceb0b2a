"""A bound for programs that fall into parts which share no line, joined by what CMOs they engage.

Where CMOs cost nothing themselves (`models.restrict.service_problem`) such parts meet in rules
alone. A limit on engaged CMOs says that some must stay out: for each set of those, what the parts
cost at least without them adds up, and the least of the sums is the bound. Each part without some
CMOs is a search of its own (relaxation, cuts, lines, tree), taken up a step at a time where it
counts. Other rules that join parts hold within each part.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations, product
from math import comb

import numpy as np

from models.patterns.part import subproblem
from models.patterns.pricing import Stopped
from models.patterns.search import Search
from models.patterns.solving import first_plans, start_generation
from models.patterns.warming import warm_up
from models.patterns.watch import Watch
from models.problem import Bools, Ints, Problem, Rule
from models.solve import Settings

#: Rules that a part keeps; without the others its bound holds as well.
KEPT = ("max_cmos", "max_programs", "not_together", "force")
#: Sets of CMOs that stay out are looked at with fewer CMOs, rather than more sets than this.
MOST_SETS = 200
#: What a search is taken to raise the total by, as share of it, where it raised nothing lately.
HOPE = 1e-3


@dataclass(frozen=True)
class Key:
    """A part, by its number, without some CMOs."""

    part: int
    out: frozenset[int]


class Item:
    """The search for the bound of one part without some CMOs."""

    def __init__(self, problem: Problem, watch: Watch, bound: float) -> None:
        """`bound` is proven before."""
        self.problem, self.watch, self.bound = problem, watch, bound
        self.search: Search | None = None
        self.done = False
        #: units of work so far, and the bound then
        self.history: list[tuple[float, float]] = [(0.0, bound)]

    def step(self) -> None:
        """Raise the bound a little, unless that is `done`."""
        try:
            units = self._begin() if self.search is None else self._prove(self.search)
        except Stopped:
            self.done = True
            return
        if self.watch.bound is not None:
            self.bound = max(self.bound, self.watch.bound)
        self.history.append((self.history[-1][0] + units, self.bound))

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

    def pace(self, total: float) -> float:
        """What a unit of work has raised the bound by, in the later half of all its work."""
        work, bound = self.history[-1]
        if work <= 0.0:
            return np.inf
        since, before = next(h for h in reversed(self.history) if h[0] <= work / 2.0)
        return (bound - before + HOPE * total) / (work - since)


class Apart:
    """The bound of a problem whose CMOs cost nothing; `step` raises it, within one thread."""

    def __init__(self, problem: Problem, settings: Settings) -> None:
        warm_up(settings)
        self.problem = problem
        self.watch = Watch(problem, replace(settings, progress=None))
        self.parts = components(problem)
        at = engaging(problem)
        usable = np.flatnonzero(at[~problem.banned].any(0)).tolist()
        self.at = at
        self.outs = sets_out(problem.rules, usable)
        used = [at[np.isin(problem.options.program, part)].any(0) for part in self.parts]
        self.around = [frozenset(np.flatnonzero(row).tolist()) for row in used]
        self.items: dict[Key, Item] = {}

    @property
    def bound(self) -> float:
        """The least sum over the sets of CMOs that may stay out."""
        return min(self.total(out) for out in self.outs)

    def total(self, out: frozenset[int]) -> float:
        """What all parts cost at least without these CMOs."""
        return sum(self.known(Key(i, out & near)) for i, near in enumerate(self.around))

    def known(self, key: Key) -> float:
        """What is proven of a part: without fewer CMOs it costs no more."""
        bounds = (i.bound for k, i in self.items.items() if k.part == key.part and k.out <= key.out)
        return max(bounds, default=-np.inf)

    def step(self) -> bool:
        """Raise what is proven for the set of CMOs of the least sum; False where nothing can."""
        if self.watch.over():
            return False
        out = min(self.outs, key=self.total)
        items = [self.item(Key(i, out & near)) for i, near in enumerate(self.around)]
        total = sum(item.bound for item in items)
        open_ = [item for item in items if not item.done]
        if not open_ or not np.isfinite(total) and total > 0:
            return False
        max(open_, key=lambda item: item.pace(max(total, 1.0))).step()
        return True

    def item(self, key: Key) -> Item:
        """The search for a part without some CMOs, first that without none of them left out."""
        if key not in self.items:
            problem, options = self.problem, self.problem.options
            mine = np.isin(options.program, self.parts[key.part])
            rows = np.flatnonzero(mine)
            part, _ = subproblem(problem, self.parts[key.part], rows)
            banned = np.flatnonzero(self.at[rows][:, sorted(key.out)].any(1))
            rules = [r for r in part.rules if r.name in KEPT]
            rules.append(Rule("force", "CMOs that stay out", banned=banned))
            part = replace(part, rules=tuple(rules))
            watch = Watch(part, self.watch.settings, self.watch.started)
            self.items[key] = Item(part, watch, self.known(key))
        return self.items[key]


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
