"""Rows and side variables of the master: everything in it that is not a column of a program.

The order of rows: `one_option` (P), `line_days` (L x T), then the side rows, then pairs of the rule
`engaged` as they are added. Rule names are those of models/patterns/patterns.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from models.problem import Bools, Floats, Ints, Problem


@dataclass
class Side:
    """Side variables: cost, bounds, and their entries in the rows as (row, column, value)."""

    cost: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    integer: list[bool] = field(default_factory=list)
    entries: list[tuple[int, int, float]] = field(default_factory=list)

    def add(self, cost: float, upper: float, integer: bool = False) -> int:
        """A new variable between 0 and `upper`; its number."""
        self.cost.append(cost)
        self.lower.append(0.0)
        self.upper.append(upper)
        self.integer.append(integer)
        return len(self.cost) - 1


@dataclass(frozen=True)
class Group:
    """A row that counts programs with a source at any of some CMOs, each once.

    `member` (K,) flags the CMOs, `programs` (P,) the programs that count.
    """

    row: int
    member: Bools
    programs: Bools


@dataclass(frozen=True)
class Ladder:
    """The tiers of a CMO's spend in a year, the first for what is below all of them, each (n,).

    Side variables: `reached` whether the spend is in a tier, `spent` what is paid there. From
    `start` on it is paid back in the share `rate`.
    """

    reached: Ints
    spent: Ints
    start: Floats
    rate: Floats


class Layout:
    """All rows but the pairs, with what is needed to place a column in them.

    `spend_entries` lists (row, CMO, year, coefficient) of rows that see spend, `at_entries`
    (row, CMO, programs or None) of rows that count programs at one CMO, `groups` those at several,
    `budgets` (row, periods), `shares` the rows of `max_spend_share` in the order of the rules.
    """

    def __init__(self, problem: Problem, whole: Layout | None = None) -> None:
        self.problem = problem
        self.P, self.K = len(problem.programs.ids), len(problem.cmos.ids)
        self.L, self.T, self.Y = len(problem.lines.ids), problem.periods, len(problem.year_labels)
        self.side = Side()
        self.lower: list[float] = [1.0] * self.P + [-np.inf] * (self.L * self.T)
        self.upper: list[float] = [1.0] * self.P + [0.0] * (self.L * self.T)
        self.spend_entries: list[tuple[int, int, int, float]] = []
        self.at_entries: list[tuple[int, int, Bools | None]] = []
        self.groups: list[Group] = []
        self.budgets: list[tuple[int, Ints]] = []
        self.shares: list[int] = []
        self.pairs = self._programs_at()
        # a part of a problem has the rows and coefficients of the whole one
        self.most_spend: Floats = self._most_spend() if whole is None else whole.most_spend
        self.most_programs: Ints = self._most_programs() if whole is None else whole.most_programs
        cmos = problem.cmos
        self.y = np.array(
            [
                self.side.add(cmos.onboarding_cost[k] + cmos.fees[k], 1.0, True)
                for k in range(self.K)
            ],
            np.int64,
        )
        self.line_days()
        self.engaged()
        self.take_or_pay()
        self.tiers()
        self.rules()

    def row(self, lower: float, upper: float) -> int:
        """A new row; its number."""
        self.lower.append(lower)
        self.upper.append(upper)
        return len(self.lower) - 1

    def _programs_at(self) -> Bools:
        """Which programs have an allowed option at which CMO, (P, K)."""
        options, allowed = self.problem.options, ~self.problem.banned
        cmo_of = np.append(self.problem.offer_cmo[self.problem.streams.offer], -1)
        at = np.zeros((self.P, self.K), np.bool_)
        for stream in (options.first, options.second):
            use = allowed & (stream >= 0)
            at[options.program[use], cmo_of[stream[use]]] = True
        return at

    def line_days(self) -> None:
        """Batches, changeovers and validation fit in a line's days, which need an engaged CMO."""
        lines = self.problem.lines
        self.expand = np.full(self.L, -1, np.int64)
        for line in range(self.L):
            k = int(lines.cmo[line])
            rows = self.P + line * self.T + np.arange(self.T)
            for t in range(self.T):
                self.side.entries.append(
                    (int(rows[t]), int(self.y[k]), -float(lines.days[line, t]))
                )
            if lines.expansion_days[line] > 0 and lines.expansion_period[line] < self.T:
                e = self.side.add(float(lines.expansion_cost[line]), 1.0, True)
                self.expand[line] = e
                for t in range(int(lines.expansion_period[line]), self.T):
                    self.side.entries.append((int(rows[t]), e, -float(lines.expansion_days[line])))
                row = self.row(-np.inf, 0.0)
                self.side.entries += [(row, e, 1.0), (row, int(self.y[k]), -1.0)]

    def engaged(self) -> None:
        """No more programs at a CMO than it takes, none unless it is engaged (summed form)."""
        for k in range(self.K):
            row = self.row(-np.inf, 0.0)
            self.at_entries.append((row, k, None))
            self.side.entries.append((row, int(self.y[k]), -float(self.most_programs[k])))

    def _most_programs(self) -> Ints:
        """Most programs that each CMO can make, (K,)."""
        limits = self.problem.cmos.max_programs
        count = self.pairs.sum(0).astype(np.int64)
        return np.asarray(np.where(limits >= 0, np.minimum(count, limits), count))

    def take_or_pay(self) -> None:
        """Spend of a year plus the shortfall paid reaches the floor of an engaged CMO."""
        floor = self.problem.cmos.floor
        self.shortfalls: list[tuple[int, int]] = []
        for k, year in np.argwhere(floor > 0):
            row = self.row(0.0, np.inf)
            g = self.side.add(1.0, float(floor[k, year]))
            self.shortfalls.append((g, int(year)))
            self.spend_entries.append((row, int(k), int(year), 1.0))
            self.side.entries += [(row, g, 1.0), (row, int(self.y[k]), -float(floor[k, year]))]

    def tiers(self) -> None:
        """The rebate of the highest tier that a year's spend reaches; one tier a year.

        An engaged CMO's spend of a year is below the first tier, or in one of them.
        """
        most = self.most_spend
        self.ladders: list[Ladder] = []
        for k, steps in enumerate(self.problem.cmos.tiers):
            for year in range(self.Y if steps else 0):
                reachable = [s for s in steps if s[0] <= most[k, year] * (1 + 1e-9) and s[1] > 0]
                if not reachable:
                    continue
                spend, one = self.row(0.0, 0.0), self.row(0.0, 0.0)
                self.spend_entries.append((spend, k, year, 1.0))
                self.side.entries.append((one, int(self.y[k]), -1.0))
                starts = [0.0, *(start for start, _ in reachable)]
                rates = [0.0, *(rate for _, rate in reachable)]
                tops = [*starts[1:], max(float(most[k, year]), starts[-1])]
                reached, paid = [], []
                for start, rate, end in zip(starts, rates, tops, strict=True):
                    z = self.side.add(0.0, 1.0, True)
                    v = self.side.add(-rate, end)
                    reached.append(z)
                    paid.append(v)
                    top = self.row(-np.inf, 0.0)
                    self.side.entries += [
                        (spend, v, -1.0),
                        (one, z, 1.0),
                        (top, v, 1.0),
                        (top, z, -end),
                    ]
                    if start > 0.0:
                        least = self.row(0.0, np.inf)
                        self.side.entries += [(least, v, 1.0), (least, z, -start * (1 - 1e-9))]
                self.ladders.append(
                    Ladder(np.array(reached), np.array(paid), np.array(starts), np.array(rates))
                )

    def _most_spend(self) -> Floats:
        """More than can be spent with a CMO in a year, (K, Y): full lines at the dearest offer."""
        problem, lines, offers = self.problem, self.problem.lines, self.problem.offers
        grown = np.arange(self.T)[None, :] >= lines.expansion_period[:, None]
        days = lines.days + lines.expansion_days[:, None] * grown
        per_day = np.zeros(self.L)
        np.maximum.at(per_day, offers.line, offers.price / np.maximum(offers.days, 1e-12))
        by_offer = offers.price[:, None] * problem.max_batches
        by_line = np.zeros((self.L, self.T))
        np.add.at(by_line, offers.line, by_offer)
        paid = np.minimum(days * per_day[:, None], by_line)
        most = np.zeros((self.K, self.Y))
        for t in range(self.T):
            np.add.at(most, (lines.cmo, problem.year[t]), paid[:, t])
        year = problem.year[offers.validation_period]
        np.add.at(most, (problem.offer_cmo, year), offers.validation_cost)
        return most

    def rules(self) -> None:
        """The award rules of the policy but those that only ban options."""
        total: int | None = None
        for rule in self.problem.rules:
            members = list(rule.cmos)
            if rule.name in ("max_cmos", "min_cmos"):
                self._count_cmos(members, rule.limit, rule.name == "min_cmos")
            elif rule.name == "max_programs":
                self._count_programs(members, rule.limit)
            elif rule.name == "max_spend_share":
                if total is None:
                    total = self._total_spend()
                row = self.row(-np.inf, 0.0)
                self.shares.append(row)
                self.side.entries.append((row, total, -rule.limit * (1 + 1e-9)))
                self.spend_entries += [
                    (row, k, y, 1.0) for k in dict.fromkeys(members) for y in range(self.Y)
                ]
            elif rule.name == "not_together":
                programs = np.zeros(self.P, np.bool_)
                programs[list(rule.programs)] = True
                for k in range(self.K):
                    row = self.row(-np.inf, 0.0)
                    self.at_entries.append((row, k, programs))
                    self.side.entries.append((row, int(self.y[k]), -1.0))
            elif rule.name == "budget":
                self._budget(np.array(rule.periods, np.int64), rule.limit)

    def _count_cmos(self, members: list[int], limit: float, at_least: bool) -> None:
        row = self.row(limit if at_least else -np.inf, np.inf if at_least else limit)
        for k in dict.fromkeys(members):
            self.side.entries.append((row, int(self.y[k]), 1.0))
            if at_least:  # engaged means: makes some program
                used = self.row(0.0, np.inf)
                self.at_entries.append((used, k, None))
                self.side.entries.append((used, int(self.y[k]), -1.0))

    def _count_programs(self, members: list[int], limit: float) -> None:
        member = np.zeros(self.K, np.bool_)
        member[members] = True
        row = self.row(-np.inf, limit)
        if member.sum() == 1:
            self.at_entries.append((row, members[0], None))
        else:
            self.groups.append(Group(row, member, np.ones(self.P, np.bool_)))

    def _total_spend(self) -> int:
        """A variable that is all spend over the horizon."""
        total = self.side.add(0.0, float(self.most_spend.sum()))
        row = self.row(0.0, 0.0)
        self.side.entries.append((row, total, -1.0))
        self.spend_entries += [(row, k, y, 1.0) for k in range(self.K) for y in range(self.Y)]
        return total

    def _budget(self, periods: Ints, limit: float) -> None:
        """Cash of the periods: columns by their own, fees evenly, onboarding in the first one."""
        problem, cmos = self.problem, self.problem.cmos
        row = self.row(-np.inf, limit * (1 + 1e-9))
        self.budgets.append((row, periods))
        once = 1.0 if 0 in periods else 0.0
        for k in range(self.K):
            share = cmos.fees[k] * len(periods) / self.T + once * cmos.onboarding_cost[k]
            self.side.entries.append((row, int(self.y[k]), float(share)))
        for line in np.flatnonzero(self.expand >= 0):
            cost = once * float(problem.lines.expansion_cost[line])
            self.side.entries.append((row, int(self.expand[line]), cost))
        last = [int(np.flatnonzero(problem.year == y)[-1]) for y in range(self.Y)]
        for shortfall, year in self.shortfalls:
            if last[year] in periods:
                self.side.entries.append((row, shortfall, 1.0))
