"""What a node of the tree may be split on: decisions that the master's solution leaves open."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models.patterns.layout import Layout
from models.patterns.master import Master
from models.problem import Bools, Floats, Problem

#: Candidates of each kind, tiers of spend and all others, those ranked first by size alone.
TRIED = 6, 3
#: A rebate that mixing tiers invents, as share of the objective, from which on nothing else is
#: tried: with columns that know nothing of a branch yet a trial overrates other splits more.
REBATE = 5e-4
#: Weights this near to 0 or 1 are whole.
WHOLE = 1e-4


@dataclass(frozen=True)
class Choice:
    """One branching decision; `on` or its opposite.

    Program `p` has a source on `line`; or has the option row `option`; or makes at most `most`
    batches of `offer` in period `t` (opposite: has that offer and makes more); or the side
    variable `side` is 1; or spend is in tier `tier` of the layout's `ladder` or above.
    """

    p: int = -1
    line: int = -1
    option: int = -1
    offer: int = -1
    t: int = -1
    most: int = 0
    side: int = -1
    ladder: int = -1
    tier: int = 0
    on: bool = True

    def other(self) -> Choice:
        """The opposite decision."""
        return replace(self, on=not self.on)


class Branching:
    """The decisions of one problem, and what they leave of its options and side variables."""

    def __init__(self, problem: Problem, layout: Layout) -> None:
        self.problem, self.layout = problem, layout
        options = problem.options
        line_of = np.append(problem.offers.line[problem.streams.offer], -1)
        self.l1, self.l2 = line_of[options.first], line_of[options.second]
        offer_of = np.append(problem.streams.offer, -1)
        self.f1, self.f2 = offer_of[options.first], offer_of[options.second]
        #: integer side variables that are no part of a ladder
        single = np.array(layout.side.integer, np.bool_)
        for ladder in layout.ladders:
            single[ladder.reached] = False
        self.single = np.flatnonzero(single)

    def masks(self, choices: tuple[Choice, ...], everything: Bools) -> tuple[Bools, Floats, Floats]:
        """Options (O,) of `everything` that are allowed, and bounds of the side variables."""
        start = self.problem.options.start
        mask = everything.copy()
        side = self.layout.side
        lower, upper = np.array(side.lower), np.array(side.upper)
        for choice in choices:
            if choice.side >= 0:
                lower[choice.side] = upper[choice.side] = float(choice.on)
                continue
            if choice.ladder >= 0:
                reached = self.layout.ladders[choice.ladder].reached
                upper[reached[: choice.tier] if choice.on else reached[choice.tier :]] = 0.0
                continue
            rows = slice(int(start[choice.p]), int(start[choice.p + 1]))
            if choice.offer >= 0:
                if not choice.on:
                    has = (self.f1[rows] == choice.offer) | (self.f2[rows] == choice.offer)
                    mask[rows] &= has
                continue
            if choice.option >= 0:
                hit = np.arange(rows.start, rows.stop) == choice.option
            else:
                hit = (self.l1[rows] == choice.line) | (self.l2[rows] == choice.line)
            mask[rows] &= hit if choice.on else ~hit
        return mask, lower, upper

    def candidates(self, master: Master) -> list[Choice]:
        """Fractional decisions of the master's solution that are worth a trial."""
        others, tiers = TRIED
        mixed = self.tiers(master)
        large = [each for each in mixed if each[0] >= REBATE * abs(master.objective)]
        if large:
            return best(large, tiers)
        found = best(mixed, tiers) + best(self.sources(master), others)
        return found or best(self.options(master), others) or best(self.schedules(master), others)

    def sources(self, master: Master) -> list[tuple[float, Choice]]:
        """Lines that programs use by halves, and single side variables, with their weight."""
        columns, weights = master.columns, master.weights
        use = np.flatnonzero(weights > 1e-6)
        program = self.problem.options.program[columns.option[use]]
        found: list[tuple[float, Choice]] = []
        shares: dict[tuple[int, int], float] = {}
        size = np.zeros(self.layout.P)
        for p, o, weight, cost in zip(
            program, columns.option[use], weights[use], columns.cost[use], strict=True
        ):
            size[p] += weight * cost
            for line in (int(self.l1[o]), int(self.l2[o])):
                if line >= 0:
                    shares[int(p), line] = shares.get((int(p), line), 0.0) + weight
        for (p, line), share in shares.items():
            if WHOLE < share < 1 - WHOLE:
                found.append((min(share, 1 - share) * size[p], Choice(p=p, line=line)))
        side, mean = self.layout.side, float(size.mean())
        for j in self.single.tolist():
            value = float(master.side_values[j])
            if WHOLE < value < 1 - WHOLE:
                weight = max(side.cost[j], 0.3 * mean) * min(value, 1 - value)
                found.append((weight, Choice(side=j)))
        return found

    def tiers(self, master: Master) -> list[tuple[float, Choice]]:
        """Per CMO and year the first tier above its spend, where tiers are mixed.

        Weighed by the rebate that the mix has and the spend alone has not.
        """
        found: list[tuple[float, Choice]] = []
        for number, ladder in enumerate(self.layout.ladders):
            reached, spent = master.side_values[ladder.reached], master.side_values[ladder.spent]
            spend = float(spent.sum())
            tier = int(np.searchsorted(ladder.start, spend * (1 + 1e-9), side="right"))
            tier = min(tier, len(ladder.start) - 1)
            while tier > 1 and reached[tier:].sum() <= WHOLE:
                tier -= 1
            above = float(reached[tier:].sum())
            if min(above, float(reached[:tier].sum())) > WHOLE:
                own = ladder.rate[np.flatnonzero(ladder.start <= spend)[-1]]
                more = max(0.0, float(ladder.rate @ spent) - float(own) * spend)
                found.append((more, Choice(ladder=number, tier=tier)))
        return found

    def options(self, master: Master) -> list[tuple[float, Choice]]:
        """Options that programs have by halves."""
        columns, weights = master.columns, master.weights
        use = np.flatnonzero(weights > 1e-6)
        shares: dict[int, list[float]] = {}
        for o, weight, cost in zip(
            columns.option[use], weights[use], columns.cost[use], strict=True
        ):
            share = shares.setdefault(int(o), [0.0, 0.0])
            share[0] += weight
            share[1] += weight * cost
        program = self.problem.options.program
        return [
            (min(share, 1 - share) * cost / share, Choice(p=int(program[o]), option=o))
            for o, (share, cost) in shares.items()
            if WHOLE < share < 1 - WHOLE
        ]

    def schedules(self, master: Master) -> list[tuple[float, Choice]]:
        """Batches on which the columns of one program differ though its option is settled."""
        use = np.flatnonzero(master.weights > 1e-6)
        columns, weights = master.columns.take(use), master.weights[use]
        problem = self.problem
        program = problem.options.program[columns.option]
        found: list[tuple[float, Choice]] = []
        for p in np.flatnonzero(np.bincount(program) > 1):
            mine = np.flatnonzero(program == p)
            share = weights[mine] / weights[mine].sum()
            option = columns.option[mine[0]]
            for offer, made in ((self.f1, columns.one), (self.f2, columns.two)):
                f = int(offer[option])
                if f < 0:
                    continue
                for t in np.flatnonzero(np.ptp(made[mine], axis=0)):
                    batches = made[mine, t]
                    most = min(int(np.floor(share @ batches + 1e-9)), int(batches.max()) - 1)
                    low = float(share[batches <= most].sum())
                    weight = min(low, 1.0 - low) * float(problem.offers.price[f])
                    found.append((weight, Choice(p=int(p), offer=f, t=int(t), most=most)))
        return found


def best(found: list[tuple[float, Choice]], count: int) -> list[Choice]:
    """The weightiest of some choices, first ones first where equal."""
    order = sorted(range(len(found)), key=lambda i: (-found[i][0], i))
    return [found[i][1] for i in order[:count]]
