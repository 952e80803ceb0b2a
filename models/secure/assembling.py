"""The cheapest plan of entries at hand: a MIP with rows for the days that outages leave.

Its master is that of the plain problem (models/patterns/patterns.md), its columns are whole
entries, each with the re-routings that it was found with. Rows of outages join where a solution
violates them, entries that the linear program asks for join as well.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from models.patterns.columns import Book
from models.patterns.improving import expanded_lines
from models.patterns.layout import Layout
from models.patterns.master import Master
from models.problem import Bools, Floats, Ints
from models.secure.generating import Generator, Prices
from models.secure.insertion import Inserter
from models.secure.pool import Packed, Pool
from models.secure.standing import Standing

#: Rows that join at once, and solves of the linear program and of the MIP until no more are
#: violated.
ROWS, SOLVES, WHOLE_SOLVES = 400, 40, 3
#: Times that new entries join, and the share of the time for them.
ROUNDS, GENERATING = 3, 0.5
#: Nodes of a MIP at most.
NODES = 200
#: Share of what a plan could save at most that a column may cost: dearer ones hardly stand in one.
HOPEFUL = 0.1
#: Days by which an outage may be overfull.
TOLERANCE = 1e-6

#: A row: days after an outage (line, group, start, period), or who relies on whom (program, CMO).
Row = tuple[int, ...]


@dataclass(frozen=True)
class Picked:
    """Entries by program, None for one that is left unsourced, and expansions (L,)."""

    entries: list[Packed | None]
    expanded: Bools


class Assembly:
    """Assembles plans that withstand the outages of `inserter`, one after the other."""

    def __init__(self, inserter: Inserter, seed: int) -> None:
        problem, terms = inserter.problem, inserter.terms
        self.book = Book(Layout(problem))
        self.generator = Generator(inserter, self.book, seed)
        bare = np.zeros(len(problem.lines.ids), np.bool_)
        #: days that outages leave of lines as they are, (G, T, L, T), and how many more expanded
        self.days = Standing(problem, terms, bare).whole
        grown = Standing(problem, terms, problem.lines.expansion_days > 0).whole
        self.more = np.subtract(
            grown, self.days, where=np.isfinite(self.days), out=np.zeros_like(grown)
        )
        #: rows that mattered the last time, with which the next one begins: with all that ever
        #: joined a MIP takes several times as long
        self.rows: list[Row] = []

    def best(self, pool: Pool, plan: Picked, objective: float, seconds: float) -> Picked | None:
        """The cheapest plan of the entries of `pool` and of `plan`, which costs `objective`.

        None where none is found that is cheaper within the time. It may break an outage still
        where that is short: not every row joins. Entries found on the way join the pool.
        """
        until = time.monotonic() + seconds
        enough = until - (1.0 - GENERATING) * seconds
        mine = [(p, each) for p, each in enumerate(plan.entries) if each is not None]
        if not mine:
            return None
        engaged = np.logical_or.reduce([each.entry.relies for _, each in mine])
        for number in range(ROUNDS + 1):
            unlike = {(p, each.key): (p, each) for p, each in [*mine, *pool]}
            choosing = Choosing(self, list(unlike.values()), self.rows)
            if not choosing.relax(until):
                return None
            self.rows = choosing.binding()
            if number == ROUNDS or time.monotonic() >= enough:
                break
            new = self.generator.entries(choosing.prices(), engaged, plan.expanded, enough)
            for p, entry in new:
                pool.add(p, entry)
            if not new:
                break
        relaxed = len(choosing.rows)
        picked = choosing.cheaper(len(mine), objective, until)
        self.rows += list(choosing.rows)[relaxed:]
        return picked


class Choosing:
    """One choice. Columns: `idle` (I,) programs left unsourced, then N entries with programs."""

    def __init__(
        self, assembly: Assembly, entries: list[tuple[int, Packed]], rows: list[Row]
    ) -> None:
        self.assembly, self.book = assembly, assembly.book
        layout, problem = self.book.layout, self.book.problem
        self.program = np.array([p for p, _ in entries], np.int64)
        self.entries = [each for _, each in entries]
        #: CMOs that entries use, with or without an outage, (N, K)
        self.relies = np.array([each.entry.relies for each in self.entries], np.bool_)
        self.idle = np.flatnonzero(~problem.banned[problem.options.start[:-1]])
        self.master = Master(self.book)
        self.side = np.array(layout.side.lower), np.array(layout.side.upper)
        none = np.zeros((len(self.idle), layout.T), np.int16)
        self.master.append(self.book.columns(problem.options.start[:-1][self.idle], none, none))
        batches = np.zeros((2, len(entries), layout.T), np.int16)
        for number, each in enumerate(self.entries):
            held = each.entry.reserve
            batches[: held.count, number] = held.planned[: held.count]
        self.option = np.array([each.entry.option for each in self.entries], np.int64)
        self.master.append(self.book.columns(self.option, batches[0], batches[1]))
        self.master.phase(False)
        #: place in the master of each row that joined
        self.rows: dict[Row, int] = {}
        self._used()
        self._join(rows)

    def _used(self) -> None:
        """A CMO is engaged by a source of some program there, not by being relied on alone."""
        source = np.zeros((len(self.entries), self.book.layout.K + 1), np.bool_)
        for cmo in self.book.cmos(self.option):
            source[np.arange(len(cmo)), cmo] = True
        for k in np.flatnonzero((self.relies & ~source[:, :-1]).any(0)).tolist():
            there = np.flatnonzero(source[:, k])
            self._row(0.0, {int(self.book.layout.y[k]): 1.0}, there, -np.ones(len(there)))

    def relax(self, until: float) -> bool:
        """Solve the linear program over all rows that matter; whether there was time."""
        master = self.master
        master.restrict(np.ones(master.count, np.bool_), *self.side)
        for _ in range(SOLVES):
            left = until - time.monotonic()
            if left <= 0.0 or not master.solve(left):
                return False
            if not self.cut(master.weights):
                break
        return True

    def binding(self) -> list[Row]:
        """The rows that bind in the linear program."""
        duals = np.array(self.master.highs.getSolution().row_dual)
        return [key for key, row in self.rows.items() if duals[row] < 0.0]

    def prices(self) -> Prices:
        """What the linear program pays for programs and line-days."""
        duals = np.array(self.master.highs.getSolution().row_dual) * self.master.unit
        pairs = [row for row in self.rows if len(row) == 2]
        of_pairs = duals[[self.rows[pair] for pair in pairs]]
        scarce = {
            row: float(-duals[place])
            for row, place in self.rows.items()
            if len(row) > 2 and duals[place] < 0.0
        }
        layout = np.concatenate([duals[: len(self.book.layout.lower)], of_pairs])
        return Prices(layout, np.array(pairs, np.int64).reshape(-1, 2), scarce)

    def hopeful(self, objective: float) -> Bools:
        """Columns that may well stand in a plan cheaper than `objective`, (I + N,)."""
        master = self.master
        reduced = np.array(master.highs.getSolution().col_dual)[master.first_column :] * master.unit
        return np.asarray(reduced <= HOPEFUL * (objective - master.objective))

    def cheaper(self, count: int, objective: float, until: float) -> Picked | None:
        """The cheapest plan found after `relax`, again and again with the rows that it violates.

        None where none is cheaper than that of the first `count` entries, which costs `objective`.
        """
        absent = np.isin(self.idle, self.program[:count], invert=True)
        start = np.concatenate([np.flatnonzero(absent), len(self.idle) + np.arange(count)])
        allowed = self.hopeful(objective)
        allowed[start] = True
        self.master.restrict(allowed, *self.side)
        picked: Picked | None = None
        for _ in range(WHOLE_SOLVES):
            left = until - time.monotonic()
            chosen = self.master.solve_whole(left, NODES, start=start) if left > 0.0 else None
            if chosen is None:
                break
            value = float(self.master.highs.getInfo().objective_function_value) * self.master.unit
            if value >= objective * (1 - 1e-7):
                return None
            picked = self._picked(chosen)
            weight = np.zeros(self.master.count)
            weight[chosen] = 1.0
            if not self.cut(weight):
                break
        return picked

    def _picked(self, chosen: Ints) -> Picked:
        """The plan of some columns."""
        entries: list[Packed | None] = [None] * self.book.layout.P
        for number in (chosen[chosen >= len(self.idle)] - len(self.idle)).tolist():
            entries[int(self.program[number])] = self.entries[number]
        return Picked(entries, expanded_lines(self.book.layout.expand, self.master.side_values))

    def cut(self, weight: Floats) -> bool:
        """Add the rows that columns of this weight (I + N,) violate; whether there are any."""
        weight = weight[len(self.idle) :]
        new = [*self._unmatched(weight), *self._overfull(weight)]
        self._join(new)
        return bool(new)

    def _unmatched(self, weight: Floats) -> list[Row]:
        """Where entries of weight (N,) use a CMO that is not engaged as far."""
        layout = self.book.layout
        at = np.zeros((layout.P, layout.K))
        np.add.at(at, self.program, weight[:, None] * self.relies)
        over = np.argwhere(at > self.master.side_values[layout.y][None, :] + TOLERANCE)
        return [(p, k) for p, k in over.tolist() if (p, k) not in self.rows]

    def _overfull(self, weight: Floats) -> list[Row]:
        """Where the days after an outage do not do for entries of weight (N,), the worst first."""
        assembly, expand = self.assembly, self.book.layout.expand
        side = np.append(self.master.side_values, 0.0)
        grown = side[np.where(expand >= 0, expand, -1)]
        excess = -(assembly.days + assembly.more * grown[None, None, :, None])
        for number in np.flatnonzero(weight > 1e-9).tolist():
            each = self.entries[number]
            excess[:, :, each.entry.lines] += weight[number] * each.all_days()
        over = np.argwhere(excess > TOLERANCE)
        worst = over[np.argsort(-excess[tuple(over.T)], kind="stable")]
        rows: list[Row] = [(line, g, s, t) for g, s, line, t in worst.tolist()]
        return [row for row in rows if row not in self.rows][:ROWS]

    def _join(self, rows: list[Row]) -> None:
        """Add rows: the days after outages do, and the CMOs that entries use are engaged."""
        layout, assembly = self.book.layout, self.assembly
        places = [row for row in rows if len(row) > 2]
        line, g, s, t = np.array(places, np.int64).reshape(-1, 4).T
        days = np.array([each.days(line, g, s, t) for each in self.entries])
        for i, row in enumerate(places):
            more, expand = float(assembly.more[g[i], s[i], line[i], t[i]]), layout.expand[line[i]]
            side = {int(expand): -more} if expand >= 0 and more > 0.0 else {}
            users, most = np.flatnonzero(days[:, i]), assembly.days[g[i], s[i], line[i], t[i]]
            self.rows[row] = self._row(float(most), side, users, days[users, i])
        for p, k in (row for row in rows if len(row) == 2):
            users = np.flatnonzero((self.program == p) & self.relies[:, k])
            side = {int(layout.y[k]): -1.0}
            self.rows[p, k] = self._row(0.0, side, users, np.ones(len(users)))

    def _row(self, most: float, side: dict[int, float], users: Ints, share: Floats) -> int:
        """Add a row of some side variables and entries; its place."""
        highs, first = self.master.highs, self.master.first_column + len(self.idle)
        index = np.concatenate([np.array(list(side), np.int64), first + users]).astype(np.int32)
        value = np.concatenate([np.array(list(side.values()), np.float64), share])
        highs.addRow(-np.inf, most, len(index), index, value)
        self.master.tightened = True
        return int(highs.getNumRow()) - 1
