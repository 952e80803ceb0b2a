"""The second decomposition, by line: what a line earns at most with streams that fit together.

The decomposition by program prices line-days; a line then seems to carry any mix of streams that
fits on average. Here each line chooses its streams with all their batches exactly. What connects
programs and lines is a *worth* of each stream: a program pays it for the streams of its option, a
line earns it. At the worths that pricing gives, payments and earnings add up to the bound that
pricing proved, and whatever the lines cannot do comes on top (models/patterns/patterns.md).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from models.patterns.bound import Lagrangian, Prices
from models.patterns.pricing import Costs
from models.problem import Floats, Ints

#: Taken off each line's value against rounding, relative to the sums it is made of.
SAFE = 1e-9


@dataclass(frozen=True)
class Earning:
    """The least cost of a line (what its streams cost less what they are worth, at most 0).

    `value` is proven, `attained` is reached by `streams`, inf where none were found; the two are
    equal where `exact`. `above` is how far the search had to look above what prices alone say, and
    `cut_off` whether it left states out. `steps` is the work done, however fast.
    """

    value: float
    attained: float
    streams: Ints
    above: float
    exact: bool
    cut_off: bool
    steps: int = 0


@dataclass(frozen=True)
class Effort:
    """Most states per period and steps of one search; no further one is begun when `over`."""

    width: int
    steps: int
    over: Callable[[], bool]


class Lines:
    """All line problems at one set of prices.

    `known` (S,) are the values of streams at the prices, exact for those that options use.
    """

    def __init__(
        self, lagrangian: Lagrangian, prices: Prices, costs: Costs, once: Floats, known: Floats
    ) -> None:
        self.lagrangian, self.prices, self.costs, self.once = lagrangian, prices, costs, once
        self.problem = lagrangian.book.problem
        streams, offers = self.problem.streams, self.problem.offers
        self.line, self.program = offers.line[streams.offer], offers.program[streams.offer]
        #: what each stream costs its program at the prices, (S,)
        self.full = known + once[streams.offer]
        options = self.problem.options
        used = np.zeros(len(known) + 1, np.bool_)
        used[options.first[lagrangian.allowed]] = True
        used[options.second[lagrangian.allowed]] = True
        order = np.flatnonzero(used[:-1])
        order = order[np.lexsort((self.program[order], self.line[order]))]
        ends = np.searchsorted(self.line[order], np.arange(len(self.problem.lines.ids) + 1))
        self.mine = [order[a:b] for a, b in itertools.pairwise(ends)]
        #: what options cost apart from their streams, inf where banned, (O,)
        self.apart = lagrangian.option_values(prices, np.zeros(len(once)), np.zeros(len(known)))
        self.most = int(costs.limit.max(initial=0)) + 1
        self.paid = self._paid()

    def _paid(self) -> dict[int, Floats]:
        """Per line with priced cuts: price of an item, (T, offers of the line, batches)."""
        pool = self.lagrangian.book.cuts
        paid: dict[int, Floats] = {}
        for number in np.flatnonzero(self.prices.cuts > 0.0).tolist():
            cut = pool.cuts[number]
            shape = (self.problem.periods, len(pool.on_line[cut.line]), self.most)
            block = paid.setdefault(cut.line, np.zeros(shape))
            wide = min(self.most, cut.value.shape[1])
            block[cut.t, :, :wide] += self.prices.cuts[number] * cut.value[:, :wide]
        return paid

    @property
    def sound(self) -> bool:
        """Whether no batch has a negative price, as the search needs."""
        costs = [self.costs.batch, self.costs.setup, self.costs.curve]
        return all(cost is None or float(cost.min(initial=0.0)) >= -1e-6 for cost in costs)

    def option_values(self, worth: Floats) -> Floats:
        """Value of each option at a worth of each stream, (O,); inf where banned."""
        options, one = self.problem.options, np.append(worth, 0.0)
        return np.asarray(one[options.first] + one[options.second] + self.apart)

    def least(self, values: Floats) -> Floats:
        """The least value of an option of each program, (P,)."""
        return np.minimum.reduceat(values, self.problem.options.start[:-1])

    def lowered(self, worth: Floats, rounds: int = 4) -> Floats:
        """Less worth for streams all of whose options stay worse than others of their program.

        Programs pay as much as before, and lines can only earn less.
        """
        options, worth = self.problem.options, worth.copy()
        for _ in range(rounds):
            values = self.option_values(worth)
            spare = values - self.least(values)[options.program]
            most = np.full(len(worth) + 1, np.inf)
            np.minimum.at(most, options.first, spare)
            np.minimum.at(most, options.second, spare)
            # an option has two streams, and each of them may take half
            worth -= np.where(np.isfinite(most[:-1]), 0.5 * most[:-1], 0.0)
        return worth

    def room(self, line: int, grown: bool) -> tuple[Floats, Floats]:
        """Days of a line with or without its expansion, and their price, (T,) each."""
        lines, pool = self.problem.lines, self.lagrangian.book.cuts
        days = lines.days[line].copy()
        if grown:
            days[int(lines.expansion_period[line]) :] += lines.expansion_days[line]
        price = self.prices.line[line] * days
        for number in pool.of_line.get(line, ()):
            cut = pool.cuts[number]
            price[cut.t] += self.prices.cuts[number] * (1.0 if grown else 1.0 - cut.kept)
        return days, price

    def unlooked(self, line: int, grown: bool, worth: Floats) -> Earning:
        """What prices alone say that a line earns."""
        base = -float(self.room(line, grown)[1].sum())
        floor = self._floor(self.mine[line], worth)
        value = base + float(floor.sum())
        value -= SAFE * (abs(base) + float(np.abs(floor).sum()))
        return Earning(value, np.inf, self.mine[line][:0], np.inf, False, True)

    def _floor(self, mine: Ints, worth: Floats) -> Floats:
        """Least that a stream of each program costs more than it is worth, or 0, (P,)."""
        floor = np.zeros(len(self.problem.programs.ids))
        np.minimum.at(floor, self.program[mine], self.full[mine] - worth[mine])
        return floor

    def earn(
        self, line: int, grown: bool, worth: Floats, start: float, most: float, effort: Effort
    ) -> Earning:
        """What a line earns at most, as a cost.

        First only what costs up to `start` more than prices say is looked at, then twice as much,
        up to `most`: the search is short where its limit is tight.
        """
        top, lean = min(start, most), False
        best: Earning | None = None
        while best is None or not effort.over():
            now = self.earn_within(line, grown, worth, top, effort)
            if best is not None:
                kept = best if best.attained < now.attained else now
                value = max(now.value, best.value)
                now = replace(kept, value=value, exact=now.exact or best.exact, cut_off=now.cut_off)
            best = now
            if now.exact:
                return now
            if now.attained < np.inf:  # once more, with nothing above what was found
                if lean or not now.cut_off:
                    return now
                top, lean = min(top, now.above * (1 + 1e-6) + 1.0), True
            elif now.cut_off or top >= most:
                return now
            else:
                top = min(2.0 * top, most)
        return best

    def earn_within(
        self, line: int, grown: bool, worth: Floats, top: float, effort: Effort
    ) -> Earning:
        """The same where only sums up to `top` above what prices say are looked at."""
        from models.patterns.graph import graph
        from models.patterns.joint import search

        problem, offers = self.problem, self.problem.offers
        pricer, pool, costs = self.lagrangian.pricer, self.lagrangian.book.cuts, self.costs
        days, price = self.room(line, grown)
        base = -float(price.sum())
        mine = self.mine[line]
        floor = self._floor(mine, worth)
        mine = mine[self.full[mine] - worth[mine] <= floor[self.program[mine]] + top]
        if not len(mine):
            value = min(0.0, base + top)
            exact = value == 0.0
            return Earning(value, 0.0 if exact else np.inf, mine, -base, exact, False)
        programs, slot = np.unique(self.program[mine], return_inverse=True)
        paid = self.paid.get(line)
        if paid is None:
            paid = np.zeros((problem.periods, len(pool.on_line[line]), self.most))
        row, curve, shortage, safety, holding = pricer.scaled(costs)
        made = graph(  # type: ignore[no-untyped-call]
            mine,
            slot.reshape(-1).astype(np.int64),
            problem.streams.offer,
            pricer.profile,
            offers.program,
            offers.good_per_batch,
            offers.lag,
            costs.limit,
            costs.least,
            costs.batch,
            costs.setup,
            row,
            curve,
            pricer.demand,
            pricer.cap,
            pricer.target,
            pricer.opening,
            shortage,
            safety,
            holding,
            costs.factor,
            offers.days,
            float(problem.lines.changeover_days[line]),
            offers.validation_period,
            offers.validation_days,
            self.prices.line[line],
            pool.place,
            paid,
            self.once[problem.streams.offer[mine]] - worth[mine],
            floor[programs],
            top,
            int(pricer.width[mine].max()),
            np.iinfo(np.int64).max,
        )
        first, child, lack, took, paid_for, _, stream, root, least, _ = made
        room = days * (1 + 1e-9) + 1e-6  # what a plan is allowed
        found, left, last, steps, _ = search(  # type: ignore[no-untyped-call]
            root, first, child, lack, took, paid_for, room, price, effort.width, effort.steps, top,
            0,
        )  # fmt: skip
        start = base + float(least.sum())
        rise = min(found, left, top)
        error = SAFE * (float(price.sum()) + float(np.abs(least).sum()) + rise)
        error += 1e-6 * float(self.prices.line[line].sum())
        taken = stream[last]
        chosen = mine[taken[taken >= 0]] if found < np.inf else mine[:0]
        value = start + rise - error
        return Earning(value, start + found, chosen, found, rise == found, left < top, steps)
