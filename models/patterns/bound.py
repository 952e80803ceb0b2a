"""From duals to adjusted costs, option values, and the Lagrangian bound."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models.patterns.columns import Batches, Book, Columns
from models.patterns.floors import Floors
from models.patterns.layout import Layout
from models.patterns.pricing import Costs, Pricer
from models.problem import Floats, Ints


@dataclass(frozen=True)
class Prices:
    """Duals as the adjusted costs that pricing sees, all in money and none of it negative.

    `line` (L, T) per line-day, `spend` (K, Y) per money spent, `cash` (T,) per cash of a period,
    `at` (P, K) for having a source at a CMO, `groups` for having one in each group of the layout.
    `cuts` for each cut of the pool. `scale` is 1, or 0 where real costs don't count (phase one).
    """

    line: Floats
    spend: Floats
    cash: Floats
    at: Floats
    groups: Floats
    cuts: Floats
    scale: float


@dataclass(frozen=True)
class Priced:
    """Reduced values at some duals: of every stream, every option (inf where banned), the best
    option of each program, and the Lagrangian bound that follows. Of streams and options that are
    no program's best a lower bound is enough.
    """

    streams: Floats
    options: Floats
    best: Ints
    least: Floats
    bound: float
    costs: Costs


#: Times that streams are picked for pricing: the last time, all that might still matter.
LOOKS = 3


class Lagrangian:
    """Prices all options of a layout under any duals."""

    def __init__(self, book: Book, pricer: Pricer) -> None:
        self.book, self.pricer, self.layout = book, pricer, book.layout
        problem = book.problem
        options = problem.options
        self.allowed = ~problem.banned
        used = np.zeros(len(problem.streams.offer), np.bool_)
        for stream in (options.first, options.second):
            used[stream[self.allowed & (stream >= 0)]] = True
        self.rows = np.flatnonzero(used)
        self.k1 = book.first_cmo[options.first].astype(np.int16)
        self.k2 = book.first_cmo[options.second].astype(np.int16)
        self.floors = Floors(problem.streams.offer, len(problem.offers.ids))
        self.limit = problem.max_batches
        self.fewest = np.zeros_like(self.limit)

    def prices(self, duals: Floats, added: Ints, scale: float = 1.0) -> Prices:
        """Adjusted costs from row duals; `added` (n, 2) lists the master's own rows."""
        layout: Layout = self.layout
        P, L, T, K = layout.P, layout.L, layout.T, layout.K
        line = np.maximum(-duals[P : P + L * T], 0.0).reshape(L, T)
        spend = np.zeros((K, layout.Y))
        for row, k, y, value in layout.spend_entries:
            spend[k, y] -= duals[row] * value
        cash = np.zeros(T)
        for row, periods in layout.budgets:
            cash[periods] += max(-duals[row], 0.0)
        at = np.zeros((P, K))
        for row, k, programs in layout.at_entries:
            if duals[row]:
                at[:, k] -= duals[row] if programs is None else duals[row] * programs
        rest, pair = duals[len(layout.lower) :], added[:, 0] >= 0
        at[added[pair, 0], added[pair, 1]] -= rest[pair]
        cuts = np.zeros(len(self.book.cuts))
        cuts[added[~pair, 1]] = np.maximum(-rest[~pair], 0.0)
        groups = np.array([max(-duals[group.row], 0.0) for group in layout.groups])
        return Prices(line, spend, cash, at, groups, cuts, scale)

    def day_prices(self, prices: Prices) -> Floats:
        """About what a line-day costs, (L, T); cuts count at the rate of a full period."""
        day, lines = prices.line.copy(), self.book.problem.lines
        for number in np.flatnonzero(prices.cuts):
            cut = self.book.cuts.cuts[number]
            days = lines.days[cut.line, cut.t]
            if days > 0:
                day[cut.line, cut.t] += prices.cuts[number] / days
        return day

    def costs(self, prices: Prices) -> tuple[Costs, Floats]:
        """Costs for the pricer, and what choosing each offer costs apart from batches, (F,)."""
        problem, offers, lines = (
            self.book.problem,
            self.book.problem.offers,
            self.book.problem.lines,
        )
        line, cmo = offers.line, problem.offer_cmo
        day = prices.line[line]
        money = prices.scale + prices.cash[None, :]
        batch = offers.price[:, None] * (money + prices.spend[cmo][:, problem.year])
        batch = batch + offers.days[:, None] * day
        setup = lines.changeover_cost[line][:, None] * money
        setup = setup + lines.changeover_days[line][:, None] * day
        v = offers.validation_period
        rows = np.arange(len(line))
        paid = money[0, v] + prices.spend[cmo, problem.year[v]]
        once = offers.validation_cost * paid + offers.transfer_cost * money[0, v]
        once = once + offers.validation_days * day[rows, v]
        factor = money[0].copy()
        plain = Costs(batch, setup, self.limit, self.fewest, factor, prices.scale)
        if not prices.cuts.any():
            return plain, once
        row, curve, more = self.book.cuts.curves(prices.cuts, batch, setup)
        return replace(plain, curve_row=row, curve=curve), once + more

    def option_values(self, prices: Prices, once: Floats, streams: Floats) -> Floats:
        """Value of each option given the value of each stream, (O,); inf where banned."""
        problem, options = self.book.problem, self.book.problem.options
        stream = np.append(streams + once[problem.streams.offer], 0.0)
        value = stream[options.first] + stream[options.second]
        value += prices.scale * problem.risk_weight * options.risk_cost
        at = np.column_stack([prices.at, np.zeros(len(prices.at))])
        value += at[options.program, self.k1] + at[options.program, self.k2]
        for price, group in zip(prices.groups, self.layout.groups, strict=True):
            if price:
                member = np.append(group.member, False)
                value += price * (member[self.k1] | member[self.k2])
        idle = options.start[:-1]
        value[idle] += prices.scale * self.book.idle
        if prices.cash.any():
            value[idle] += self.book.idle_cash @ prices.cash
        value[~self.allowed] = np.inf
        return np.asarray(value)

    def priced(self, prices: Prices, costs: Costs, once: Floats) -> tuple[Floats, Floats]:
        """Values of streams (S,) and options (O,): exact, or no more than that where an option is
        known not to be the best of its program.
        """
        options, start = self.book.problem.options, self.book.problem.options.start[:-1]
        streams, known = self.floors.move(costs), np.zeros(len(self.floors.offer) + 1, np.bool_)
        known[-1] = True  # stands for no stream
        apart = self.option_values(prices, np.zeros(len(once)), np.zeros(len(streams)))
        values = self._values(apart, once, streams)
        for look in range(LOOKS):
            least = np.minimum.reduceat(values, start)
            if look < LOOKS - 1:  # the options that look best set a mark for all others
                wanted = self.best(values, least)
            else:
                sure = known[options.first] & known[options.second]
                mark = np.minimum.reduceat(np.where(sure, values, np.inf), start)
                wanted = np.flatnonzero((values < mark[options.program]) & ~sure)
            rows = np.unique(np.concatenate([options.first[wanted], options.second[wanted]]))
            rows = rows[~known[rows]]
            streams[rows] = self.pricer.values(rows, costs)
            self.floors.learn(rows, streams[rows])
            known[rows] = True
            values = self._values(apart, once, streams)
        return streams, values

    def _values(self, apart: Floats, once: Floats, streams: Floats) -> Floats:
        """Values of options (O,) from those of streams and what they cost `apart` from them."""
        options = self.book.problem.options
        stream = np.append(streams + once[self.book.problem.streams.offer], 0.0)
        value = stream[options.first] + stream[options.second]
        value += np.where(self.allowed, apart, 0.0)
        value[~self.allowed] = np.inf
        return np.asarray(value)

    def evaluate(
        self,
        duals: Floats,
        added: Ints,
        scale: float,
        side: Floats,
        limits: tuple[Floats, Floats],
    ) -> Priced:
        """Price everything; `side` are reduced costs of the side variables, `limits` their bounds.

        The bound is the sum of the least option values, of what side variables can gain, and of
        the right-hand sides, less 1e-9 of its parts against rounding.
        """
        prices = self.prices(duals, added, scale)
        costs, once = self.costs(prices)
        streams, options = self.priced(prices, costs, once)
        start = self.book.problem.options.start
        least = np.minimum.reduceat(options, start[:-1])
        if not np.isfinite(least).all():  # a program without any option left: no plan at all
            return Priced(streams, options, self.best(options, least), least, np.inf, costs)
        gain = np.minimum(side * limits[0], side * limits[1])
        fixed = self.fixed(duals)
        bound = float(least.sum() + gain.sum() + fixed.sum())
        error = 1e-9 * float(np.abs(least).sum() + np.abs(gain).sum() + np.abs(fixed).sum())
        return Priced(streams, options, self.best(options, least), least, bound - error, costs)

    def fixed(self, duals: Floats) -> Floats:
        """What the right-hand sides of the layout's rows but `one_option` are worth."""
        P, layout = self.layout.P, self.layout
        dual = duals[P : len(layout.lower)]
        lower, top = np.array(layout.lower[P:]), np.array(layout.upper[P:])
        ends = np.where(dual > 0, lower, np.where(dual < 0, top, 0.0))
        return np.asarray(dual * np.where(np.isfinite(ends), ends, 0.0))

    def best(self, options: Floats, least: Floats) -> Ints:
        """The first option of each program that attains the least value, (P,)."""
        program = self.book.problem.options.program
        hits = np.flatnonzero(options <= least[program])
        first = np.unique(program[hits], return_index=True)[1]
        return hits[first]

    def columns(self, option: Ints, costs: Costs) -> Columns:
        """The cheapest columns of some options at some costs, valued exactly."""
        options = self.book.problem.options
        parts: list[Batches] = []
        for stream in (options.first[option], options.second[option]):
            batches = np.zeros((len(option), self.layout.T), np.int16)
            use = stream >= 0
            batches[use] = self.pricer.schedules(stream[use], costs)[1]
            parts.append(batches)
        return self.book.columns(option, parts[0], parts[1])
