"""Whether some plan keeps the policy's service level: proven by a plan, or by a bound.

Service is the on-time share of plan.json: the share of demand served in its period, mean over the
programs, weighted by delay_cost_per_month x periods with demand. Programs that share no line, not
even through others, are independent as far as line-days go, so the least demand that goes unmet is
searched in each such part alone: the sum of their bounds is a bound, their plans together are a
plan if no award rule forbids it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from allocator.growth.case import Situation, Solving
from models.evaluate import evaluate
from models.finish import unsourced_plan, without_overload
from models.parts import Part, components, part_alone, part_beside
from models.relax import relaxation
from models.restrict import Restricted, keep_options, service_problem
from models.solve import Settings

if TYPE_CHECKING:
    from models.problem import Floats, Problem
    from models.result import Decision
    from models.solve import Progress

#: The objective of a service problem is the missing share of service times this.
SCALE = 1e4
#: Shares of service closer than this are equal.
CLOSE = 1e-9
#: Seconds that a part gets in each round; rounds go on until the time is over.
ROUNDS = (3.0, 10.0, 30.0, 60.0, 120.0)


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


@dataclass
class PartState:
    """The search of one part: its best plan, what it misses, and what every plan misses.

    `merged` tells that the best whole plan cannot gain from this part any more.
    """

    part: Part
    plan: Decision | None
    missing: float
    bound: float = 0.0
    proven: bool = False
    merged: bool = False


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


@dataclass
class Found:
    """What a search of a part found: a plan, what it misses, and what every plan misses."""

    plan: Decision | None
    missing: float
    bound: float = 0.0
    proven: bool = False


def missing_share(problem: Problem, plan: Decision | None) -> float:
    """Missing share of service of a plan; infinite without one or where it breaks a rule."""
    if plan is None:
        return np.inf
    value = evaluate(problem, plan)
    return np.inf if value.broken else value.shortage / SCALE


def dig(
    problem: Problem,
    start: Decision | None,
    solving: Solving,
    seconds: float,
    phase: str,
    settled: Callable[[Found], bool],
) -> Found:
    """Search one service problem: its relaxation, then the options that this favours, then all.

    Stops when `settled` says so of what is known.
    """
    end = time.monotonic() + seconds
    found = Found(start, missing_share(problem, start))
    loose = relaxation(problem, Settings(time_limit=seconds, threads=solving.threads))
    if loose.infeasible:
        return Found(None, np.inf, 1.0, True)
    found.bound = max(0.0, (loose.bound or 0.0) / SCALE)
    likely = loose.options > 1e-6
    if found.plan is not None:
        likely[found.plan.option] = True
    room = keep_options(problem, likely)
    for restricted, share in ((room, 0.5), (None, 1.0)):
        left = (end - time.monotonic()) * share
        if left <= 0.1 or found.proven or settled(found):
            break
        _dig(problem, restricted, found, solving.within(left), phase, settled)
    return found


def _dig(
    problem: Problem,
    room: Restricted | None,
    found: Found,
    solving: Solving,
    phase: str,
    settled: Callable[[Found], bool],
) -> None:
    """Search the problem, or what is left of it in `room`, and note what is found."""
    now = Found(None, found.missing, found.bound)

    def watch(state: Progress) -> None:
        if state.objective is not None:
            now.missing = min(now.missing, state.objective / SCALE)
        if state.bound is not None and room is None:
            now.bound = max(now.bound, state.bound / SCALE)

    start = found.plan if room is None or found.plan is None else room.lower(found.plan)
    result = solving.run(
        problem if room is None else room.problem,
        start,
        phase,
        gap=1e-4,
        stop=lambda: settled(now),
        watch=watch,
    )
    if result.decision is not None:
        plan = result.decision if room is None else room.lift(result.decision)
        plan = without_overload(problem, plan)
        missing = missing_share(problem, plan)
        if missing < found.missing:
            found.plan, found.missing = plan, missing
    if room is None:
        found.bound = max(found.bound, (result.bound or 0.0) / SCALE)
        found.proven = result.status in ("optimal", "infeasible")
        if result.status == "infeasible":
            found.bound = 1.0
    elif found.missing <= found.bound + 1e-9:
        found.proven = True


class Search:
    """The search for the best service of one answer under one growth of demand."""

    def __init__(
        self,
        situation: Situation,
        answer: str,
        level: float,
        starts: Sequence[Decision],
        solving: Solving,
    ) -> None:
        self.room = situation.room(answer)
        self.solving, self.level, self.answer = solving, level, answer
        self.multiplier = situation.growth.demand
        self.allowed = 1.0 - level
        self.best, self.share = best_of(self.room, starts)
        self.service = priced_service(self.room.problem)
        self.states: list[PartState] = []
        self.whole_bound = 0.0

    @property
    def survives(self) -> bool | None:
        """Whether a plan or a bound settles it."""
        if self.share is not None and self.share >= self.level - CLOSE:
            return True
        return False if self.states and self.least_missing > self.allowed + 1e-7 else None

    @property
    def least_missing(self) -> float:
        """What every plan misses, by the bounds of the parts and of the whole."""
        return max(self.whole_bound, sum(state.bound for state in self.states))

    def run(self, seconds: float) -> Probe:
        """Search until it is settled or the time is over."""
        end = time.monotonic() + seconds
        if self.survives is None:
            self._start()
        for slot in ROUNDS:
            small = 0.02 * self.allowed  # a part this close is not what decides
            open_ = [s for s in self.states if not (s.proven and s.merged)]
            wide = [s for s in open_ if s.missing - s.bound > small or not s.merged] or open_
            for state in sorted(wide, key=lambda s: s.bound - s.missing):
                left = min(slot, end - time.monotonic())
                if self.survives is not None or left <= 0.1:
                    return self.probe()
                if not state.proven:
                    self._improve(state, left)
                self._merge(state, min(slot, end - time.monotonic()))
            if self.solving.stop is not None and self.solving.stop():
                break
            if not open_:
                self._whole(end - time.monotonic())
                break
        return self.probe()

    def _whole(self, seconds: float) -> None:
        """Once the parts are solved, what is open is what the rules that join them cost."""
        if self.survives is not None or seconds <= 0.1:
            return
        inside = None if self.best is None else self.room.lower(self.best)

        def settled(found: Found) -> bool:
            return found.missing < self.allowed - 1e-7 or found.bound > self.allowed + 1e-6

        phase = f"{self.answer} x{self.multiplier:.3g}"
        found = dig(self.service, inside, self.solving, seconds, phase, settled)
        self.whole_bound = found.bound
        if found.plan is not None:
            self._offer(found.plan)

    def probe(self) -> Probe:
        """What is known now."""
        limit = 1.0 - self.least_missing if self.states else None
        return Probe(self.multiplier, self.share, limit, self.survives, self.best)

    def _start(self) -> None:
        inside = None if self.best is None else self.room.lower(self.best)
        for programs in components(self.service):
            part = part_alone(self.service, programs)
            plan = None if inside is None else part.lower(inside)
            missing = missing_share(part.problem, plan)
            self.states.append(PartState(part, plan, missing))

    def _improve(self, state: PartState, seconds: float) -> None:
        """Search one part; stop as soon as the whole is settled by it."""
        others = [s for s in self.states if s is not state]
        missing = sum(s.missing for s in others)
        bound = sum(s.bound for s in others)

        def settled(found: Found) -> bool:
            least = max(found.bound, state.bound)
            return (
                missing + found.missing < self.allowed - 1e-7 or bound + least > self.allowed + 1e-6
            )

        phase = f"{self.answer} x{self.multiplier:.3g}"
        found = dig(state.part.problem, state.plan, self.solving, seconds, phase, settled)
        state.bound, state.proven = max(state.bound, found.bound), found.proven
        if found.plan is not None and found.missing < state.missing:
            state.plan, state.missing = found.plan, found.missing

    def _merge(self, state: PartState, seconds: float) -> None:
        """Put the part's plan into the best whole one, or what the award rules leave of it."""
        inside = None if self.best is None else self.room.lower(self.best)
        if inside is None:
            if all(s.plan is not None for s in self.states):
                self._offer(self._together())
            return
        part = state.part
        was = missing_share(part.problem, part.lower(inside))
        if state.plan is not None and state.missing < was - CLOSE:
            self._offer(part.merged(inside, state.plan))
        state.merged = self._part_share(state) <= state.missing + CLOSE
        if state.merged or self.survives is not None or seconds <= 0.1:
            return
        beside = part_beside(self.service, part.programs, inside)
        missing = (1.0 - self.share) if self.share is not None else np.inf

        def settled(found: Found) -> bool:
            return missing - was + found.missing < self.allowed - 1e-7

        phase = f"{self.answer} x{self.multiplier:.3g}"
        start = beside.lower(inside)
        found = dig(beside.problem, start, self.solving, seconds, phase, settled)
        if found.plan is not None and found.missing < was - CLOSE:
            self._offer(beside.merged(inside, found.plan))
        state.merged = found.proven

    def _part_share(self, state: PartState) -> float:
        """What the best whole plan misses of the part's service."""
        inside = None if self.best is None else self.room.lower(self.best)
        if inside is None:
            return np.inf
        return missing_share(state.part.problem, state.part.lower(inside))

    def _together(self) -> Decision:
        """The parts' plans as one decision, in the rows of the room."""
        whole = unsourced_plan(self.service)
        for state in self.states:
            assert state.plan is not None
            whole = state.part.merged(whole, state.plan)
        return whole

    def _offer(self, inside: Decision) -> None:
        """Keep a decision (rows of the room) if it is better and breaks no rule."""
        found, share = best_of(self.room, [self.room.lift(inside)])
        if share is not None and (self.share is None or share > self.share):
            self.best, self.share = found, share
