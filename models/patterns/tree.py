"""Branch and price: a tree over lines of programs and side choices that raises the bound."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, replace

import numpy as np

from models.patterns.agreement import Agreement
from models.patterns.bound import Lagrangian
from models.patterns.branching import Branching, Choice
from models.patterns.columns import Columns
from models.patterns.master import Master
from models.patterns.part import overfull
from models.patterns.pricing import Stopped
from models.patterns.root import Generation, Relaxation
from models.patterns.watch import Watch
from models.problem import Bools, Floats

#: Simplex steps of a trial of a child's master.
TRIAL = 80
#: Steps of the lines at a node at most.
CLIMBS = 10
#: Nodes after which the lines of the root are searched more widely, unless the tree has raised the
#: bound by this share of it, in how many steps before their pace is judged, and at most.
FEW_NODES, MUCH, SURE_CLIMBS, WIDE_CLIMBS = 3, 1e-3, 5, 20
#: Rounds of column generation at a node, and the distance to the bound that ends them.
NODE_ROUNDS, NODE_CLOSE = 12, 2e-4
#: The same where a node cannot be split.
FINE_ROUNDS, FINE_CLOSE = 1_000, 1e-9


@dataclass(order=True)
class Node:
    """An open node, ordered by its bound."""

    bound: float
    number: int
    choices: tuple[Choice, ...] = field(compare=False)
    duals: Floats | None = field(compare=False, default=None)


@dataclass
class Pending:
    """A node whose relaxation is solved while the lines still raise its bound."""

    node: Node
    bound: float
    duals: Floats
    agreement: Agreement
    steps: int = 0


class Tree:
    """Best-first search over one master; `step` solves a node, or takes one step of its lines."""

    def __init__(
        self,
        lagrangian: Lagrangian,
        master: Master,
        relaxation: Relaxation,
        watch: Watch,
    ) -> None:
        """Begins with what the lines add to `relaxation`."""
        self.lagrangian, self.master, self.watch = lagrangian, master, watch
        self.branching = Branching(lagrangian.book.problem, lagrangian.layout)
        self.limit = lagrangian.limit
        self.everything = lagrangian.allowed.copy()
        self.numbers = 1
        self.treated = 1
        self.open: list[Node] = []
        # the lines go on from the relaxation itself
        root = Node(relaxation.bound, 0, (), relaxation.duals)
        assert relaxation.duals is not None
        agreement = Agreement(lagrangian, master, relaxation.duals, watch)
        bound = max(relaxation.bound, agreement.begin())
        watch.raise_bound(bound)
        self.pending: Pending | None = Pending(root, bound, relaxation.duals, agreement)
        #: the root, until its lines are searched more widely, and the bound that it proves
        self.root: Pending | None = self.pending
        self.floor = bound
        #: steps of the wider search of the root's lines so far
        self.wide = 0
        #: bounds of nodes that could not be split further
        self.stuck = np.inf
        #: columns of the last node's relaxation that are nearly chosen, and lines expanded there
        self.settled: tuple[Columns, Bools] | None = None

    @property
    def barren(self) -> bool:
        """Whether the finished tree proves that no plan keeps every rule."""
        return (
            not self.open
            and self.pending is None
            and self.stuck == np.inf
            and self.watch.objective is None
        )

    @property
    def bound(self) -> float:
        """The least bound of all open nodes, or what the root proves where that is more."""
        first = self.open[0].bound if self.open else np.inf
        now = self.pending.bound if self.pending is not None else np.inf
        return max(self.floor, min(first, now, self.stuck))

    def step(self) -> bool:
        """Go on with the node under way or that of the least bound; False where none is left."""
        top = np.inf if self.watch.objective is None else self.watch.objective
        cutoff = top - max(self.watch.settings.gap, 1e-6) * abs(top) if np.isfinite(top) else top
        if self.pending is not None:
            self.climb(self.pending, cutoff)
            return True
        if self.root is not None and self.treated >= FEW_NODES and self.open:
            self.widen(self.root)
            return True
        node = self.least(cutoff)
        if node is None:
            return False
        self.treated += 1
        bound, duals = self.solve(node, cutoff)
        if self.watch.over():
            heapq.heappush(self.open, node)
            return False
        if bound < cutoff and duals is not None:
            try:
                agreement = Agreement(self.lagrangian, self.master, duals, self.watch)
            except Stopped:  # the node stays open: without it the tree would look finished
                heapq.heappush(self.open, replace(node, bound=bound))
                return False
            bound = max(bound, agreement.begin())
            self.pending = Pending(node, bound, duals, agreement)
        else:
            self.close(node, bound, duals, cutoff)
        return True

    def least(self, cutoff: float) -> Node | None:
        """Take the open node of the least bound; None where none can be better than what is proven.

        Nodes that hold nothing below `cutoff` are set aside.
        """
        while self.open:
            node = heapq.heappop(self.open)
            if node.bound < cutoff:
                break
            self.stuck = min(self.stuck, node.bound)
        else:
            return None
        if node.bound > self.stuck:
            heapq.heappush(self.open, node)
            return None
        return node

    def climb(self, pending: Pending, cutoff: float) -> None:
        """One more step of the lines at the node under way, and its end where that was the last."""
        agreement = pending.agreement
        further = pending.steps < CLIMBS and pending.bound < cutoff and agreement.step()
        pending.steps += 1
        pending.bound = max(pending.bound, agreement.bound)
        if pending is self.root:
            self.floor = max(self.floor, pending.bound)
        if further:
            self.watch.raise_bound(self.bound)
            return
        self.pending = None
        if self.watch.over():
            heapq.heappush(self.open, replace(pending.node, bound=pending.bound))
            return
        self.apply(pending.node.choices)
        self.close(pending.node, pending.bound, pending.duals, cutoff)

    def widen(self, root: Pending) -> None:
        """Search the lines of the root more widely, a step a time: its bound holds for all nodes.

        Not where the tree has raised the bound by much, nor where at this pace the root's will not
        come to the tree's: it is left to itself then.
        """
        agreement, begins = root.agreement, self.wide == 0
        tree = min(node.bound for node in self.open)
        if begins and tree >= root.bound * (1.0 + MUCH):
            self.root = None
            return
        self.wide += 1
        further = agreement.widen() if begins else agreement.step()
        self.floor = max(self.floor, agreement.bound)
        self.watch.raise_bound(self.bound)
        pace = (agreement.bound - root.bound) / self.wide
        soon = agreement.bound + pace * (WIDE_CLIMBS - self.wide) > tree
        if not further or self.wide > WIDE_CLIMBS or (self.wide >= SURE_CLIMBS and not soon):
            self.root = None

    def close(self, node: Node, bound: float, duals: Floats | None, cutoff: float) -> None:
        """Split a node, or set it aside where nothing better can be in it."""
        if bound < cutoff:
            self.split(node, bound, duals, cutoff)
        elif np.isfinite(bound):
            self.stuck = min(self.stuck, bound)
        if np.isfinite(self.bound):
            self.watch.raise_bound(self.bound)

    def apply(self, choices: tuple[Choice, ...]) -> None:
        """Let pricing and the master see these decisions."""
        mask, lower, upper = self.branching.masks(choices, self.everything)
        lagrangian, columns = self.lagrangian, self.master.columns
        lagrangian.allowed = mask
        lagrangian.limit = self.limit.copy()
        lagrangian.fewest = np.zeros_like(self.limit)
        fine = mask[columns.option]
        for choice in choices:
            if choice.offer < 0:
                continue
            f, t, most = choice.offer, choice.t, choice.most
            made = np.where(self.branching.f1[columns.option] == f, columns.one[:, t], 0)
            made += np.where(self.branching.f2[columns.option] == f, columns.two[:, t], 0)
            mine = lagrangian.book.problem.options.program[columns.option] == choice.p
            if choice.on:
                lagrangian.limit[f, t] = min(lagrangian.limit[f, t], most)
                fine &= ~mine | (made <= most)
            else:
                lagrangian.fewest[f, t] = max(lagrangian.fewest[f, t], most + 1)
                fine &= ~mine | (made > most)
        self.master.restrict(fine, lower, upper)

    def solve(
        self, node: Node, cutoff: float, close: float = NODE_CLOSE, rounds: int = NODE_ROUNDS
    ) -> tuple[float, Floats | None]:
        """Bound of a node by column generation, and its duals."""
        self.apply(node.choices)
        generation = Generation(self.lagrangian, self.master, self.watch, part=True)
        if node.duals is not None:
            rows = len(self.lagrangian.layout.lower) + len(self.master.added)
            generation.centre = np.append(node.duals, np.zeros(rows - len(node.duals)))
        generation.cutoff = cutoff
        result = generation.run(np.inf, close, rounds)
        if result.infeasible:
            return np.inf, None
        return max(node.bound, result.bound), result.duals

    def split(self, node: Node, bound: float, duals: Floats | None, cutoff: float) -> None:
        """Replace a node by two children at the decision that moves the master most."""
        choice = self.decide(node.choices)
        if choice is None:  # whole as far as its columns go: only its bound may still rise
            whole = replace(node, bound=bound, duals=duals)
            bound, duals = self.solve(whole, cutoff, FINE_CLOSE, FINE_ROUNDS)
            choice = self.decide(node.choices) if bound < cutoff else None
        if choice is None:
            self.stuck = min(self.stuck, bound)
            return
        for child in (choice, choice.other()):
            heapq.heappush(self.open, Node(bound, self.numbers, (*node.choices, child), duals))
            self.numbers += 1

    def decide(self, choices: tuple[Choice, ...]) -> Choice | None:
        """The candidate whose children's masters rise most, the lesser rise counting more."""
        if not self.master.solve():
            return None
        now = self.master.objective
        self.remember()
        ranked = self.branching.candidates(self.master)
        if len(ranked) < 2:
            return ranked[0] if ranked else None
        best, pick = -1.0, ranked[0]
        basis = self.master.basis()
        for choice in ranked:
            rises = []
            for child in (choice, choice.other()):
                self.apply((*choices, child))
                worth = self.master.try_out(basis, TRIAL)
                rises.append(min(max(worth - now, 0.0), abs(now) * 0.1))
            score = min(rises) * 5.0 / 6.0 + max(rises) / 6.0
            if score > best + 1e-9:
                best, pick = score, choice
        return pick

    def remember(self) -> None:
        """Keep the columns above half; where each program has one, they are a plan."""
        columns, layout = self.master.columns, self.lagrangian.layout
        values = np.append(self.master.side_values, 0.0)
        grown = values[np.where(layout.expand >= 0, layout.expand, len(values) - 1)] > 0.5
        chosen = columns.take(np.flatnonzero(self.master.weights > 0.5))
        self.settled = (chosen, grown)
        book = self.lagrangian.book
        programs = book.problem.options.program[chosen.option]
        if len(chosen) == layout.P == len(np.unique(programs)):
            self.watch.offer(book.decision_of(chosen, grown | overfull(book, chosen)))
