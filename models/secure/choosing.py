"""The cheapest choice of an option for each program, at what options cost at least: a small MIP.

It knows the rules that count CMOs and programs, as rows of the layout of `patterns` in which only
engagement and whole options stand. Options of a program at the same CMOs are one variable, at the
value of the least of them. What programs cost together at least (`grouping.py`) are rows: what is
missing there is charged to the programs on top of their options.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.patterns.layout import Layout
from models.problem import Bools, Floats, Ints, Problem

#: Relative gap to which the choice is solved.
GAP = 1e-7


@dataclass(frozen=True)
class Cover:
    """Programs that cost `bound` together at least where none of the CMOs `out` is engaged.

    With the expansions of `lines`.
    """

    programs: Ints
    out: Sequence[int]
    bound: float
    lines: Sequence[int] = ()


class Choice:
    """Variables: one for each program and set of CMOs (N), then engagement of each CMO (K), then
    what each program costs beyond its option (P).

    `rows` are the rows of the layout that the choice keeps itself, so their duals can be 0.
    """

    def __init__(self, problem: Problem, layout: Layout) -> None:
        self.problem, self.layout = problem, layout
        options = problem.options
        cmo = np.append(problem.offer_cmo, len(problem.cmos.ids))
        offer = np.append(problem.streams.offer, -1)
        pair = np.sort(
            np.column_stack([cmo[offer[options.first]], cmo[offer[options.second]]]), axis=1
        )
        key = np.column_stack([options.program, pair])
        kinds, group = np.unique(key, axis=0, return_inverse=True)
        self.group = group.reshape(-1)
        self.program, self.cmos = kinds[:, 0], kinds[:, 1:]
        self.y = layout.y
        self.rows = self._rows()
        self.highs = self._model()

    def at(self, member: Bools, programs: Bools | None = None) -> Ints:
        """Variables of these programs with a source at one of some CMOs (K,)."""
        there = np.append(member, False)[self.cmos].any(1)
        if programs is not None:
            there &= programs[self.program]
        return np.flatnonzero(there)

    def _rows(self) -> Ints:
        """Rows of the layout with nothing in them but engagement and whole options."""
        layout = self.layout
        count = len(layout.lower)
        only = np.ones(count, np.bool_)
        only[: layout.P + layout.L * layout.T] = False
        for row, *_ in layout.spend_entries:
            only[row] = False
        for row, _ in layout.budgets:
            only[row] = False
        engagement = np.zeros(len(layout.side.cost), np.bool_)
        engagement[self.y] = True
        for row, side, _ in layout.side.entries:
            if not engagement[side]:
                only[row] = False
        return np.flatnonzero(only)

    def _model(self) -> Any:
        import highspy

        N, K, layout = len(self.program), self.layout.K, self.layout
        place = {int(row): i for i, row in enumerate(self.rows)}
        terms: list[list[tuple[Ints, float]]] = [[] for _ in place]
        cmo_of = {int(side): k for k, side in enumerate(self.y)}
        one = np.eye(K, dtype=np.bool_)
        for row, k, programs in layout.at_entries:
            if row in place:
                terms[place[row]].append((self.at(one[k], programs), 1.0))
        for each in layout.groups:
            if each.row in place:
                terms[place[each.row]].append((self.at(each.member, each.programs), 1.0))
        for row, side, value in layout.side.entries:
            if row in place:
                terms[place[row]].append((np.array([N + cmo_of[side]]), value))
        lower = [layout.lower[row] for row in self.rows]
        upper = [layout.upper[row] for row in self.rows]
        for p in range(layout.P):
            mine = np.flatnonzero(self.program == p)
            terms.append([(mine, 1.0)])
            lower.append(1.0)
            upper.append(1.0)
            for k in np.unique(self.cmos[mine]).tolist():
                if k < K:
                    there = mine[(self.cmos[mine] == k).any(1)]
                    terms.append([(there, 1.0), (np.array([N + k]), -1.0)])
                    lower.append(-np.inf)
                    upper.append(0.0)
        highspy.Highs.resetGlobalScheduler(True)
        highs = highspy.Highs()
        for name, option in (("output_flag", False), ("threads", 1), ("mip_rel_gap", GAP)):
            highs.setOptionValue(name, option)
        none_i, none_f = np.empty(0, np.int32), np.empty(0)
        total = N + K + layout.P
        highs.addCols(
            total, np.zeros(total), np.zeros(total), np.ones(total), 0, none_i, none_i, none_f
        )
        index = np.arange(N + K, dtype=np.int32)
        highs.changeColsIntegrality(N + K, index, np.ones(N + K, np.uint8))
        for parts, low, high in zip(terms, lower, upper, strict=True):
            columns = np.concatenate([np.empty(0, np.int64), *(part for part, _ in parts)])
            values = [np.full(len(part), value) for part, value in parts]
            highs.addRow(
                low,
                high,
                len(columns),
                columns.astype(np.int32),
                np.concatenate([none_f, *values]),
            )
        self.count = highs.getNumRow()
        return highs

    def best(
        self,
        values: Floats,
        engagement: Floats,
        seconds: float,
        covers: Sequence[Cover] = (),
    ) -> tuple[float | None, Ints]:
        """What any choice costs at least, and the options chosen; None where nothing is proven.

        `values` (O,) of options, inf where banned, `engagement` (K,) of CMOs. Afterwards `engaged`
        (K,) flags the CMOs of the choice, and `paid` (P,) is what it charges each program.
        """
        import highspy

        N = len(self.program)
        order = np.lexsort((values, self.group))
        first = np.searchsorted(self.group[order], np.arange(N))
        option = order[first]
        cost = values[option]
        able = np.isfinite(cost)
        more = self.layout.P
        index = np.arange(N + len(engagement) + more, dtype=np.int32)
        unit = max(1.0, float(np.abs(cost[able]).max(initial=0.0)) / 1e4)
        money = np.concatenate([np.where(able, cost, 0.0) / unit, engagement / unit, np.ones(more)])
        self.highs.changeColsCost(len(index), index, money)
        most = np.full(more, self.highs.getInfinity())
        top = np.concatenate([able.astype(np.float64), np.ones(len(engagement)), most])
        self._cover(covers, money[:N], unit)
        self.highs.changeColsBounds(len(index), index, np.zeros(len(index)), top)
        self.highs.setOptionValue("time_limit", max(seconds, 0.01))  # from the start of a run
        self.highs.run()
        info = self.highs.getInfo()
        bound = float(info.mip_dual_bound) * unit
        if info.primal_solution_status != highspy.kSolutionStatusFeasible:
            return (bound if np.isfinite(bound) else None), np.empty(0, np.int64)
        x = np.array(self.highs.getSolution().col_value)
        chosen = np.flatnonzero(x[:N] > 0.5)
        self.engaged = x[N : N + len(engagement)] > 0.5
        self.paid = x[N + len(engagement) :] * unit
        np.add.at(self.paid, self.program[chosen], cost[chosen])
        return bound, option[chosen]

    def _cover(self, covers: Sequence[Cover], money: Floats, unit: float) -> None:
        """Replace the rows of what programs cost together; `money` (N,) in units of `unit`."""
        N, K, count = len(self.program), self.layout.K, self.highs.getNumRow()
        if count > self.count:
            rows = np.arange(self.count, count, dtype=np.int32)
            self.highs.deleteRows(len(rows), rows)
        for cover in covers:
            mine = np.flatnonzero(np.isin(self.program, cover.programs))
            least = np.full(self.layout.P, np.inf)
            np.minimum.at(least, self.program[mine], money[mine])
            bound = cover.bound / unit
            weak = min(float(least[cover.programs].sum()), bound)  # true with any CMO engaged
            out = np.asarray(cover.out, np.int64)
            columns = np.concatenate([mine, N + K + cover.programs, N + out])
            value = np.concatenate(
                [money[mine], np.ones(len(cover.programs)), np.full(len(out), bound - weak)]
            )
            infinity = self.highs.getInfinity()
            self.highs.addRow(bound, infinity, len(columns), columns.astype(np.int32), value)
