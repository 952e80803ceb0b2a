"""Neighbourhoods: groups of competing programs, re-solved together by columns and a small MIP."""

from __future__ import annotations

import numpy as np

from models.patterns.columns import Book, Columns, join
from models.patterns.part import Part, usage
from models.patterns.root import Generation
from models.patterns.watch import Watch
from models.problem import Bools, Floats, Ints

#: Rounds of column generation on a group, and nodes of its MIP.
ROUNDS, NODES = 25, 300
#: Seconds that the MIP of one group may take; a guard, the nodes end it first.
SECONDS = 5.0


class Groups:
    """Re-solves groups of programs of a plan given as one column per program.

    `rows` are the candidate options (sorted), `values` their reduced values at the root (O,).
    """

    def __init__(self, book: Book, rows: Ints, values: Floats, watch: Watch, seed: int) -> None:
        self.book, self.rows, self.watch = book, rows, watch
        self.owner = book.problem.options.program[rows]
        self.rng = np.random.default_rng(seed)
        self.interest = self._interest(rows, values[rows])

    def _interest(self, rows: Ints, values: Floats) -> Floats:
        """How much each program wants each line, (P, L): shares of its ten best options."""
        problem, layout = self.book.problem, self.book.layout
        interest = np.zeros((layout.P, layout.L))
        line_of = np.append(problem.offers.line[problem.streams.offer], -1)
        order = np.lexsort((values, self.owner))
        first = np.searchsorted(self.owner[order], np.arange(layout.P))
        rank = np.arange(len(order)) - first[self.owner[order]]
        best = rows[order[rank < 10]]
        for stream in (problem.options.first[best], problem.options.second[best]):
            line = line_of[stream]
            use = line >= 0
            np.add.at(interest, (problem.options.program[best[use]], line[use]), 0.1)
        return interest

    def choose(self, plan: Columns, least: Floats, size: int) -> Ints:
        """A group of `size` programs: one with much to gain, and those that want its lines."""
        problem, layout = self.book.problem, self.book.layout
        wanted = self.interest.copy()
        line_of = np.append(problem.offers.line[problem.streams.offer], -1)
        for stream in (problem.options.first[plan.option], problem.options.second[plan.option]):
            line = line_of[stream]
            use = np.flatnonzero(line >= 0)
            wanted[use, line[use]] += 0.5
        regret = np.maximum(plan.cost - least, 0.0) + 1e-9
        weight = regret / regret.sum() + 1.0 / layout.P
        seed = int(self.rng.choice(layout.P, p=weight / weight.sum()))
        near = np.minimum(wanted, wanted[seed][None, :]).sum(1) + 1e-6
        near *= self.rng.uniform(0.2, 1.0, layout.P)
        near[seed] = np.inf
        return np.sort(np.argsort(-near, kind="stable")[: min(size, layout.P)])

    def resolve(
        self, plan: Columns, group: Ints, pool: Columns | None, grown: Bools
    ) -> tuple[Columns, Bools] | None:
        """A better or equal choice for the group, the rest of the plan fixed; None: none found.

        Returns all columns of the plan and the lines expanded.
        """
        del grown
        inside = np.zeros(self.book.layout.P, np.bool_)
        inside[group] = True
        rest = plan.take(np.flatnonzero(~inside))
        used, engaged = usage(self.book, rest)
        part = Part(self.book, group, self._rows(plan, inside), used, engaged)
        own = part.inward(plan.take(group))
        part.master.add(own)
        if pool is not None:
            part.master.add(part.fitting(part.inward(pool)))
        generation = Generation(part.lagrangian, part.master, self.watch, part=True)
        generation.run(self.watch.seconds + SECONDS, 1e-3, ROUNDS)
        chosen = part.master.solve_whole(min(SECONDS, self.watch.left), NODES, own)
        if chosen is None:
            return None
        found = part.outward(part.master.columns.take(chosen))
        joined = join([rest, found])
        order = np.argsort(self.book.problem.options.program[joined.option], kind="stable")
        values = np.append(part.master.side_values, 0.0)
        expand = part.book.layout.expand
        lines = values[np.where(expand >= 0, expand, len(values) - 1)] > 0.5
        return joined.take(order), np.asarray(lines)

    def _rows(self, plan: Columns, inside: Bools) -> Ints:
        """Candidate options of a group, with those it has now."""
        mine = self.rows[inside[self.owner]]
        now = plan.option[inside]
        return np.union1d(mine, now)
