"""Whether some plan keeps the policy's service level: proven by a plan, or by a bound.

Service is the on-time share of plan.json: the share of demand served in its period, mean over the
programs, weighted by delay_cost_per_month x periods with demand. What no plan exceeds is searched
where nothing but missing service costs; plans are searched where it costs most but batches cost
what they cost, as plans that waste no line-days leave more of them for others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from allocator.growth.case import Situation, Solving
from models.evaluate import evaluate
from models.finish import without_overload
from models.patterns.apart import Apart
from models.relax import relaxation
from models.restrict import Restricted, service_problem
from models.solve import Progress, Settings

if TYPE_CHECKING:
    from models.problem import Floats, Problem
    from models.result import Decision

#: The objective of a service problem is the missing share of service times this.
SCALE = 1e4
#: What all of the service costs where plans are searched, in costs of today's plan.
DEAR = 100.0
#: Shares of service closer than this are equal.
CLOSE = 1e-9
#: Share of the time for a plan in which it is searched as a whole, before its parts.
WHOLE = 0.75
#: Gap to which service is searched where nothing settles it before.
GAP = 1e-4


@dataclass(frozen=True)
class Probe:
    """What is known of one multiplier: `on_time` is what a plan attains, `limit` what none exceeds.

    `survives` is None where neither settles it. `decision` is the plan that attains `on_time`, in
    the rows of the whole grown problem.
    """

    multiplier: float
    on_time: float | None
    limit: float | None
    survives: bool | None
    decision: Decision | None


def weights(problem: Problem) -> Floats:
    """Missing share of service per unit of unmet demand of each program, (P,)."""
    programs = problem.programs
    wanted = programs.demand.sum(1)
    stake = np.where(wanted > 0, programs.shortage_price * wanted, 0.0)
    if stake.sum() <= 0:
        stake = np.where(wanted > 0, 1.0, 0.0)
    total = float(stake.sum()) or 1.0
    each: Floats = np.divide(stake / total, wanted, out=np.zeros_like(wanted), where=wanted > 0)
    return each


def on_time(problem: Problem, decision: Decision) -> float:
    """On-time share of a decision."""
    return 1.0 - float(weights(problem) @ evaluate(problem, decision).program_unmet)


def priced_service(problem: Problem) -> Problem:
    """The service problem with the missing share of service, times SCALE, as its objective."""
    service = service_problem(problem)
    price = weights(problem) * SCALE
    return replace(service, programs=replace(service.programs, shortage_price=price))


def best_of(room: Restricted, plans: Sequence[Decision]) -> tuple[Decision | None, float | None]:
    """The decision of best service among those that the room allows and no rule forbids."""
    best: Decision | None = None
    most: float | None = None
    for decision in plans:
        inside = room.lower(decision)
        if inside is None:
            continue
        inside = without_overload(room.problem, inside)
        value = evaluate(room.problem, inside)
        share = 1.0 - float(weights(room.problem) @ value.program_unmet)
        if not value.broken and (most is None or share > most):
            best, most = room.lift(inside), share
    return best, most


class Below:
    """Watches a solve until its objective is at most `goal`."""

    def __init__(self, goal: float) -> None:
        self.goal, self.reached = goal, False

    def watch(self, state: Progress) -> None:
        """Note where the solve stands."""
        if state.objective is not None and state.objective <= self.goal:
            self.reached = True

    def enough(self) -> bool:
        """Whether the goal was reached."""
        return self.reached


class Search:
    """What is known of the service of one answer under one growth of demand.

    `share` is what the plan `best` attains, `limit` what none exceeds.
    """

    def __init__(
        self,
        situation: Situation,
        answer: str,
        level: float,
        starts: Sequence[Decision],
        solving: Solving,
    ) -> None:
        self.room = situation.room(answer)
        self.solving, self.level = solving, level
        self.multiplier = situation.growth.demand
        self.phase = f"{answer} x{self.multiplier:.3g}"
        self.starts = starts
        self.best, self.share = best_of(self.room, starts)
        self.limit: float | None = None
        self.apart: Apart | None = None
        #: told each better plan as soon as it is found
        self.better: Callable[[Decision], None] | None = None
        self.scale = DEAR * max(abs(situation.case.result.objective or 0.0), 1.0)

    @property
    def survives(self) -> bool | None:
        """Whether a plan or a bound settles it."""
        if self.share is not None and self.share >= self.level - CLOSE:
            return True
        return False if self.limit is not None and self.limit < self.level - 1e-7 else None

    @property
    def resumable(self) -> bool:
        """Whether `exclude` goes on where it was left; solvers that are named begin anew."""
        return self.solving.solver in ("auto", "patterns")

    @property
    def settled(self) -> bool:
        """Whether nothing is left to search for."""
        stopped = self.solving.stop is not None and self.solving.stop()
        return stopped or self.survives is not None

    def probe(self) -> Probe:
        """What is known now."""
        return Probe(self.multiplier, self.share, self.limit, self.survives, self.best)

    def relax(self, seconds: float) -> None:
        """Bound service by the linear relaxation."""
        if self.settled or seconds <= 0.1:
            return
        threads = self.solving.threads
        loose = relaxation(
            priced_service(self.room.problem), Settings(time_limit=seconds, threads=threads)
        )
        if loose.infeasible:
            self.limit = 0.0
        elif loose.bound is not None:
            self._bound(1.0 - loose.bound / SCALE)

    def exclude(self, seconds: float, leave: Callable[[float | None], bool] | None = None) -> bool:
        """Bound service where nothing else costs, part by part, in one thread.

        Until that settles it, the time is over, or `leave` says so of the limit as it stands (None
        until all parts are relaxed); after that a further call goes on from there. No plan is
        looked for; a part of a known one ends what is proven of that part.
        False where nothing was left to search. Where a solver is named, it is asked instead.
        """
        if not self.resumable:
            self.prove(seconds)
            return True
        if self.settled or seconds <= 0.1:
            return True
        if self.apart is None:
            inside = [d for d in map(self.room.lower, self.starts) if d is not None]
            service = priced_service(self.room.problem)
            self.apart = Apart(service, self._settings(seconds), False, inside)
        apart = self.apart
        while self.survives is not False and apart.step():
            limit = self._bound(1.0 - apart.bound / SCALE)
            self._tell(apart)
            if leave is not None and leave(limit if apart.relaxed else None):
                return True
        return self.survives is False or apart.watch.over()

    def find(self, seconds: float) -> None:
        """Search a plan that keeps the level, until there is one or the time is over.

        First as a whole, which has a good plan soon, then part by part.
        """
        end = time.monotonic() + seconds
        if self.resumable:
            self.seek(WHOLE * seconds)
            if self._gathered(end - time.monotonic()):
                return
        self.seek(end - time.monotonic())

    def _gathered(self, seconds: float) -> bool:
        """Search where nothing but missing service costs, part by part, in one thread.

        False once the parts' plans together break a rule.
        """
        if self.settled or seconds <= 0.1:
            return True
        inside = None if self.best is None else self.room.lower(self.best)
        starts = [] if inside is None else [inside]
        apart = Apart(priced_service(self.room.problem), self._settings(seconds), True, starts)
        least = np.inf
        while not self.settled and apart.step():
            self._bound(1.0 - apart.bound / SCALE)
            self._tell(apart)
            if apart.objective < least - 1e-9:
                least = apart.objective
                self._offer(apart.plan())
                if self.share is None or self.share < 1.0 - least / SCALE - 1e-6:
                    return False
        return True

    def _settings(self, seconds: float) -> Settings:
        """How to search by parts."""
        solving = self.solving.within(seconds)
        return Settings(time_limit=solving.left(), gap=GAP, seed=solving.seed, stop=solving.stop)

    def _tell(self, apart: Apart) -> None:
        """Report how a search by parts stands."""
        if self.solving.progress is not None:
            objective = apart.objective if np.isfinite(apart.objective) else None
            state = Progress(apart.watch.seconds, objective, apart.bound, f"{self.phase}: parts")
            self.solving.progress(state)

    def prove(self, seconds: float) -> None:
        """Bound service where nothing else costs, until that settles it or the time is over."""
        if self.settled or seconds <= 0.1:
            return
        service = priced_service(self.room.problem)
        # a plan of this problem need not keep the rules on money: where there are any it goes on
        free = len(service.rules) == len(self.room.problem.rules)
        below = Below((1.0 - self.level - 1e-7) * SCALE if free else -np.inf)

        def watch(state: Progress) -> None:
            below.watch(state)
            if state.bound is not None:
                self._bound(1.0 - state.bound / SCALE)

        def enough() -> bool:
            return below.enough() or self.survives is False

        inside = None if self.best is None else self.room.lower(self.best)
        result = self.solving.within(seconds).run(
            service, inside, self.phase, gap=GAP, stop=enough, watch=watch
        )
        if result.status == "infeasible":
            self.limit = 0.0
        elif result.bound is not None:
            self._bound(1.0 - result.bound / SCALE)
        self._offer(result.decision)

    def seek(self, seconds: float) -> None:
        """Search a plan that keeps the level, until there is one or the time is over."""
        end = time.monotonic() + seconds
        problem = self.room.problem
        price = weights(problem) * self.scale
        dear = replace(problem, programs=replace(problem.programs, shortage_price=price))
        inside = None if self.best is None else self.room.lower(self.best)
        cost = 0.0
        if inside is not None:
            value = evaluate(dear, inside)
            cost = value.objective - value.shortage
        # as cheap as the start the level is kept, surely so where batches cost nothing
        for goal in (cost + (1.0 - self.level) * self.scale, (1.0 - self.level) * self.scale):
            left = end - time.monotonic()
            if self.settled or left <= 0.1:
                return
            below = Below(goal)
            told: Decision | None = None

            def watch(state: Progress, below: Below = below) -> None:
                nonlocal told
                below.watch(state)
                if state.decision is not None and state.decision is not told:
                    told = state.decision
                    self._offer(told)

            result = self.solving.within(left).run(
                dear, inside, self.phase, gap=GAP, stop=below.enough, watch=watch
            )
            self._offer(result.decision)
            inside = result.decision if result.decision is not None else inside

    def _bound(self, limit: float) -> float:
        """Take a limit in; the least so far."""
        self.limit = limit if self.limit is None else min(self.limit, limit)
        return self.limit

    def _offer(self, inside: Decision | None) -> None:
        """Keep a decision (rows of the room) if it is better and breaks no rule."""
        if inside is None:
            return
        found, share = best_of(self.room, [self.room.lift(inside)])
        if share is not None and (self.share is None or share > self.share):
            self.best, self.share = found, share
            if self.better is not None and found is not None:
                self.better(found)
