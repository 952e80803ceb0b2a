"""Secure plans of large problems: re-decide a few programs at a time, all outages that matter kept.

The master with all but a few programs fixed is small. Blocks may be missed at a price while plans
are repaired; what counts is the check in whole batches.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from models.compact.highs import HighsSolver
from models.compact.solving import start_values
from models.finish import valid_value
from models.problem import Bools
from models.secure.check import Breach
from models.secure.master import Demanded, Master

if TYPE_CHECKING:
    from models.result import Decision
    from models.secure.solving import Secure

#: What a unit beyond the level costs in a repair, in shortage prices.
SLACK_PRICE = 3.0
#: Part of the allowed units that a repair uses, so that whole batches find room.
MARGIN = 0.6
#: Seconds of one repair.
REPAIR_SECONDS = 8.0
#: Blocks in one repair, and programs that are re-decided.
BLOCKS, PROGRAMS = 8, 7


class Repair:
    """A plan on its way to being secure, and cheaper."""

    def __init__(self, secure: Secure, master: Master) -> None:
        self.secure, self.master = secure, master
        self.problem = secure.problem
        self.pool: dict[object, Breach] = {}
        self.rng = np.random.default_rng(secure.settings.seed)
        self.size = PROGRAMS

    def run(self, plan: Decision) -> None:
        """Repair until secure, then look for cheaper plans, until the time is up."""
        secure = self.secure
        found = secure.check(plan)
        while found and not secure.over:
            plan, found = self.repaired(plan, found)
        failures = 0
        while not secure.over and secure.best is not None and failures < 30:
            before = secure.objective
            self.cheaper(secure.best)
            failures = 0 if secure.objective != before else failures + 1

    def repaired(self, plan: Decision, found: list[Breach]) -> tuple[Decision, list[Breach]]:
        """The plan with some programs re-decided where that leaves less short, else as it was."""
        self.remember(found)
        worst = found[int(self.rng.integers(min(3, len(found))))]
        free = self.freed(plan, worst)
        blocks = [worst, *(breach for breach in found if breach.key != worst.key)][: BLOCKS // 2]
        proposal = self.solve(plan, free, self.with_pool(blocks))
        before = sum(breach.money for breach in found)
        if proposal is None or same(plan, proposal):
            self.size = min(2 * PROGRAMS, self.size + 1)
            return plan, found
        after = self.secure.check(proposal, before)
        self.remember(after)
        if sum(breach.money for breach in after) < before * (1 - 1e-6):
            self.size = PROGRAMS
            return proposal, after
        self.size = min(2 * PROGRAMS, self.size + 1)
        return plan, found

    def cheaper(self, plan: Decision) -> None:
        """Re-decide some programs that share lines; `Secure.check` keeps what is cheaper."""
        value = valid_value(self.problem, plan)
        assert value is not None
        seed = int(self.rng.integers(len(self.problem.programs.ids)))
        free = np.zeros(len(self.problem.programs.ids), np.bool_)
        free[seed] = True
        free = self.with_rivals(plan, free)
        proposal = self.solve(plan, free, self.with_pool([]))
        if proposal is None or same(plan, proposal):
            return
        better = valid_value(self.problem, proposal)
        if better is not None and better.objective < value.objective * (1 - 1e-7):
            self.remember(self.secure.check(proposal, 0.0))

    def remember(self, found: list[Breach]) -> None:
        """Keep breaches, the latest last."""
        for breach in found[: BLOCKS // 2]:
            self.pool.pop(breach.key, None)
            self.pool[breach.key] = breach

    def with_pool(self, blocks: list[Breach]) -> list[Breach]:
        """Blocks of one repair, filled up from the latest of the pool."""
        keys = {breach.key for breach in blocks}
        latest = [breach for key, breach in reversed(self.pool.items()) if key not in keys]
        return [*blocks, *latest][:BLOCKS]

    def freed(self, plan: Decision, worst: Breach) -> Bools:
        """Programs of a breach, and some that share lines with them, (P,)."""
        short = np.flatnonzero(worst.programs)
        picked = self.rng.choice(short, min(len(short), 3), replace=False)
        free = np.zeros(len(worst.programs), np.bool_)
        free[picked] = True
        return self.with_rivals(plan, free)

    def with_rivals(self, plan: Decision, free: Bools) -> Bools:
        """`free` filled up with programs that batches of lines it could use belong to, (P,)."""
        offers = self.problem.offers
        lines = np.zeros(len(self.problem.lines.ids), np.bool_)
        lines[offers.line[free[offers.program]]] = True
        rivals = {int(offers.program[f]) for f in plan.batches if lines[offers.line[f]]}
        others = np.array(sorted(rivals - set(np.flatnonzero(free).tolist())), np.int64)
        room = max(0, self.size - int(free.sum()))
        free[self.rng.choice(others, min(room, len(others)), replace=False)] = True
        return free

    def solve(self, plan: Decision, free: Bools, blocks: list[Breach]) -> Decision | None:
        """The master with only some programs free, from the plan on."""
        secure, master = self.secure, self.master
        demanded = [
            Demanded(breach.event, MARGIN * secure.allowed(breach.event), False)
            for breach in blocks
        ]
        matrix = master.fixed(master.matrix(demanded, SLACK_PRICE), plan, free)
        highs = HighsSolver(matrix, secure.settings.threads, secure.settings.seed)
        start = start_values(master.built, master.base, plan)
        highs.highs.setSolution(len(start), np.arange(len(start), dtype=np.int32), start)
        settings = replace(secure.settings, gap=secure.settings.gap / 5, progress=None)
        limit = REPAIR_SECONDS if secure.left is None else min(REPAIR_SECONDS, secure.left)
        outcome = highs.run(settings, limit)
        return None if outcome.x is None else secure.decision(master, outcome.x)


def same(one: Decision, two: Decision) -> bool:
    """Whether two plans decide the same."""
    if not np.array_equal(one.option, two.option) or not np.array_equal(one.expanded, two.expanded):
        return False
    offers = set(one.batches) | set(two.batches)
    none = np.zeros(1, np.int64)
    return all(np.array_equal(one.batches.get(f, none), two.batches.get(f, none)) for f in offers)
