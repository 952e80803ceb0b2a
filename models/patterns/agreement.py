"""Programs and lines brought to agree on streams: worths of streams that raise the bound.

The bound of `models.patterns.lines` is concave in the worths. `Agreement` climbs it as a bundle
method in a box does: a linear program over the sets of streams that lines took so far proposes
worths near the best ones known, the lines answer with new sets. A line whose answer is not exact
keeps its worths from then on, so that its inexactness disturbs no comparison.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from models.patterns.bound import Lagrangian
from models.patterns.linear import Linear
from models.patterns.lines import Earning, Effort, Lines
from models.patterns.master import Master
from models.patterns.watch import Watch
from models.problem import Bools, Floats, Ints

#: States per period and steps of one search, and how many times as many when it is widened.
WIDTH, STEPS, WIDER = 10_000, 20_000_000, 5
#: Share of the best worths in those tried.
SMOOTHING = 0.5
#: First size of the box as share of what a program costs, and how it changes.
BOX, GROW, SHRINK = 0.01, 1.3, 0.6
#: Steps without a much better bound after which climbing ends, and how much that is, relative.
PATIENCE, LITTLE = 2, 3e-5
#: Most that a line's rise is looked for, as share of what a program costs; first limit as share of
#: that.
MOST, FIRST = 0.5, 1 / 128


class Agreement:
    """The bound by lines at the duals of a master, and worths of streams that raise it."""

    def __init__(
        self, lagrangian: Lagrangian, master: Master, duals: Floats, watch: Watch, threads: int = 1
    ) -> None:
        """`duals` of the master's rows, those of the last rows may be missing."""
        self.lagrangian, self.layout, self.threads = lagrangian, lagrangian.layout, threads
        self.watch = watch
        layout, problem = self.layout, lagrangian.book.problem
        late = len(layout.lower) + len(master.added) - len(duals)
        duals = np.append(duals, np.zeros(late))
        side = master.side_costs(duals)
        limits = (master.side_lower, master.side_upper)
        priced = lagrangian.evaluate(duals, master.added, 1.0, side, limits)
        prices = lagrangian.prices(duals, master.added)
        costs, once = lagrangian.costs(prices)
        known = np.zeros(len(problem.streams.offer))
        rows = lagrangian.rows
        known[rows] = lagrangian.pricer.values(rows, costs)
        self.lines = Lines(lagrangian, prices, costs, once, known)
        self.cmo = problem.lines.cmo
        self.lower, self.upper = limits[0][layout.y] > 0.5, limits[1][layout.y] > 0.5
        has = layout.expand >= 0
        e = layout.expand[has]
        #: whether a line may be left, or made, larger
        self.small = np.ones(layout.L, np.bool_)
        self.large = np.zeros(layout.L, np.bool_)
        self.small[has], self.large[has] = limits[0][e] < 0.5, limits[1][e] > 0.5
        # what engaging a CMO and expanding a line cost apart from what line-days earn
        self.engage, self.expand = side[layout.y].copy(), np.zeros(layout.L)
        for line in range(layout.L):
            low = float(self.lines.room(line, False)[1].sum())
            self.engage[self.cmo[line]] += low
            if has[line]:
                more = float(self.lines.room(line, True)[1].sum()) - low
                self.expand[line] = side[layout.expand[line]] + more
        j = np.concatenate([layout.y, e])
        gain = np.minimum(side[j] * limits[0][j], side[j] * limits[1][j]).sum()
        values = self.lines.least(self.lines.option_values(self.lines.full))
        least, mean = float(values.sum()), float(np.abs(values).mean())
        #: rises of a line above this are not looked for
        self.top = MOST * mean
        #: the part of the bound that no worth changes
        self.rest = priced.bound - float(gain) - least
        self.start = priced.bound
        self.cases = [
            (line, grown)
            for line in range(layout.L)
            for grown, may in ((False, self.small[line]), (True, self.large[line]))
            if may and len(self.lines.mine[line]) and self.upper[self.cmo[line]]
        ]
        self.tops: dict[tuple[int, bool], float] = {}
        self.frozen: Bools = np.zeros(layout.L, np.bool_)
        self.sets: dict[tuple[int, bool, bytes], tuple[Ints, float]] = {}
        self.bound = -np.inf
        self.worth: Floats = self.lines.full
        self.earned: dict[tuple[int, bool], Earning] = {}
        self.box = BOX * mean
        self.effort = Effort(WIDTH, STEPS, watch.over)
        self.failures = 0
        self.done = False
        self.tally = master.tally

    def begin(self) -> float:
        """The bound at the worths that pricing gives; it is returned."""
        if not self.lines.sound:
            self.done, self.bound = True, self.start
            return self.bound
        worth = self.lines.lowered(self.lines.full)
        self.earned = self.answers(worth, self.cases)
        self.worth, self.bound = worth, max(self.start, self.value(worth, self.earned))
        self.freeze()
        return self.bound

    def answers(
        self, worth: Floats, cases: list[tuple[int, bool]]
    ) -> dict[tuple[int, bool], Earning]:
        """What lines earn at some worths; the sets that they take are kept."""

        def answer(case: tuple[int, bool]) -> Earning:
            if self.watch.over():
                return self.lines.unlooked(*case, worth)
            start = self.tops.get(case, FIRST * self.top)
            return self.lines.earn(*case, worth, start, self.top, self.effort)

        if self.threads > 1:
            with ThreadPoolExecutor(self.threads) as pool:
                found = list(pool.map(answer, cases))
        else:
            found = [answer(case) for case in cases]
        for case, earning in zip(cases, found, strict=True):
            self.tally.steps += earning.steps
            if earning.exact:
                self.tops[case] = max(1.3 * earning.above, 0.25 * FIRST * self.top)
            if earning.attained < np.inf and len(earning.streams):
                paid = earning.attained + float(worth[earning.streams].sum())
                self.sets[(*case, np.sort(earning.streams).tobytes())] = earning.streams, paid
        return dict(zip(cases, found, strict=True))

    def value(self, worth: Floats, earned: dict[tuple[int, bool], Earning]) -> float:
        """The bound at some worths, given what the lines earn there."""
        by_cmo, by_line = self.engage.copy(), np.full(self.layout.L, np.inf)
        for (line, grown), earning in earned.items():
            cost = earning.value + (float(self.expand[line]) if grown else 0.0)
            by_line[line] = min(by_line[line], cost)
        some = np.isfinite(by_line)
        np.add.at(by_cmo, self.cmo[some], by_line[some])
        # a line without streams may still be made larger where that pays
        for line in np.flatnonzero(~some & self.upper[self.cmo]).tolist():
            free = [0.0] if self.small[line] else []
            free += [float(self.expand[line])] if self.large[line] else []
            by_cmo[self.cmo[line]] += min(free)
        engaged = np.where(self.lower, by_cmo, np.minimum(by_cmo, 0.0))
        least = self.lines.least(self.lines.option_values(worth)).sum()
        total = self.rest + float(least) + float(engaged[self.upper].sum())
        return total - 1e-9 * (abs(self.rest) + abs(float(least)) + float(np.abs(engaged).sum()))

    def freeze(self) -> None:
        """Keep the worths of lines whose answer is not exact."""
        for (line, _), earning in self.earned.items():
            if not earning.exact:
                self.frozen[line] = True

    def step(self) -> bool:
        """Try other worths; whether it is worth going on. Sets `bound` where they are better."""
        if self.done or self.watch.over():
            return False
        free = ~self.frozen[self.lines.line]
        proposal = self.proposal(free)
        if proposal is None:
            self.done = True
            return False
        worth = np.where(free, SMOOTHING * self.worth + (1.0 - SMOOTHING) * proposal, self.worth)
        worth = np.where(free, self.lines.lowered(worth), self.worth)
        cases = [case for case in self.cases if not self.frozen[case[0]]]
        earned = {**self.earned, **self.answers(worth, cases)}
        bound = self.value(worth, earned)
        better = bound > self.bound
        self.failures = 0 if bound > self.bound * (1 + LITTLE) else self.failures + 1
        if better:
            self.worth, self.bound, self.earned = worth, bound, earned
            self.freeze()
        self.box *= GROW if better else SHRINK
        self.done = self.failures >= PATIENCE
        return not self.done

    def widen(self) -> bool:
        """Search the lines whose answer is not exact more widely; False where there are none.

        Lines that become exact have their worths free again.
        """
        cases = [case for case, earning in self.earned.items() if not earning.exact]
        if not cases or self.watch.over():
            return False
        effort = self.effort
        self.effort = Effort(WIDER * effort.width, WIDER * effort.steps, effort.over)
        self.earned |= self.answers(self.worth, cases)
        self.bound = max(self.bound, self.value(self.worth, self.earned))
        self.frozen[:] = False
        self.freeze()
        self.failures, self.done = 0, False
        return True

    def proposal(self, free: Bools) -> Floats | None:
        """Worths within the box that are best as far as the sets known tell, (S,).

        By a linear program: programs choose options, lines choose sets, and where the two differ on
        a stream, the difference costs the worth at the nearer side of the box. Streams that are not
        `free` (S,) keep their worths.
        """
        options, layout, lines = self.lagrangian.book.problem.options, self.layout, self.lines
        values = lines.option_values(self.worth)
        spare = values - lines.least(values)[options.program]
        near = np.flatnonzero(spare <= 4.0 * self.box)  # no other one can be the best in the box
        sets = [(key, *found) for key, found in self.sets.items() if not self.frozen[key[0]]]
        ends = (options.first[near], options.second[near])
        streams = np.unique(np.concatenate([*ends, *(taken for _, taken, _ in sets)]))
        streams = streams[streams >= 0]
        streams = streams[free[streams]]
        if not sets or not len(streams):
            return None
        model = Linear()
        one = model.require(layout.P, 1.0, 1.0)
        link = model.require(len(streams), 0.0, 0.0)
        used = model.require(layout.L, -np.inf, 0.0)
        grown = model.require(layout.L, -np.inf, 0.0)
        place = np.full(len(self.worth) + 1, -1, np.int64)
        place[streams] = link
        fixed = np.append(np.where(free, 0.0, self.worth), 0.0)
        choice = model.add(lines.apart[near] + fixed[ends[0]] + fixed[ends[1]])
        model.enter(one[options.program[near]], choice, 1.0)
        for end in ends:
            at = np.flatnonzero(place[end] >= 0)
            model.enter(place[end[at]], choice[at], 1.0)
        taking = model.add([paid for _, _, paid in sets])
        for j, ((line, large, _), taken, _) in zip(taking, sets, strict=True):
            model.enter(place[taken], np.full(len(taken), j), -1.0)
            rows = [used[line], grown[line]] if large else [used[line]]
            model.enter(np.array(rows), np.full(len(rows), j), 1.0)
        y = model.add(self.engage, self.lower, self.upper)
        e = model.add(self.expand, ~self.small, self.large)
        model.enter(used, y[self.cmo], -1.0)
        model.enter(grown, e, -1.0)
        model.enter(link, model.add(self.box - self.worth[streams]), 1.0)
        model.enter(link, model.add(self.box + self.worth[streams]), -1.0)
        duals = model.duals()
        self.tally.simplex += model.simplex
        if duals is None:
            return None
        worth = self.worth.copy()
        worth[streams] = -duals[link]
        return worth
