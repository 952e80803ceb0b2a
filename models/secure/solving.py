"""The cheapest plan that withstands every single outage, by generating the outages that matter.

A master without outages proposes a plan; the outages that break it are added as blocks; again. Each
block only demands what every secure plan has, so the master's bound is one for all secure plans.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from functools import partial

import numpy as np

from models.compact.highs import HighsSolver
from models.compact.plans import decision_of
from models.finish import valid_value, without_overload
from models.problem import Floats, Problem
from models.recourse import Outage
from models.result import Decision, Limit, Result, status_of
from models.secure.bounding import secure_bound
from models.secure.check import Breach, Key, Terms, any_time, breaches
from models.secure.master import Demanded, Master
from models.secure.rebuilding import Rebuilder
from models.secure.warming import warm_up_secure
from models.solve import Progress, Settings, solve_by

#: Share of the time for the plan that need not be secure and its bound; seconds without a limit.
PLAIN_SHARE, PLAIN_SECONDS = 0.1, 60.0
#: Share of the time that is left for the bound of secure plans, on one thread and beside the
#: search for plans, and seconds without a limit.
BOUND_SHARE, BESIDE_SHARE, BOUND_SECONDS = 0.4, 0.6, 240.0
#: Share of the time that is left for plans before the bound on one thread, steps without a limit:
#: the bound is led by what programs cost in a good plan.
PLANS_SHARE, PLANS_STEPS = 0.25, 400
#: Batch variables (offers x periods) up to which the whole master is solved, after a short search.
WHOLE_CELLS = 160
#: Steps of the search before the whole master of a small problem; between two checks of a large
#: one, after which progress is told, and without a better plan before it ends.
SMALL_STEPS, TURN_STEPS, STEPS, PATIENCE = 50, 200, 50, 3000
#: Turns beside the bound.
BESIDE_TURNS = 8
#: Seconds kept back for the last check, in times of the longest so far.
LAST_CHECK = 2.0
#: Seconds that one outage is looked at in a check, and where many break the plan.
CHECK_SECONDS, GLANCE_SECONDS = 2.0, 0.15
#: So many breaches are many.
MANY = 8
#: Outages added to the master at once.
ADDED = 3


def solve_secure(
    problem: Problem,
    terms: Terms,
    settings: Settings | None = None,
    solver: str = "auto",
    warm_start: Decision | None = None,
) -> Result:
    """The cheapest plan that keeps the service level under every threat of `terms`.

    Status and bound are those of secure plans: `optimal` means that no secure plan is cheaper by
    more than the gap, `no_plan` that none was found. The bound of the plan that need not be secure
    holds here too. Raises ValueError for an unknown solver.
    """
    settings = settings or Settings()
    warm_up_secure(settings)
    return Secure(problem, terms, settings).run(solver, warm_start)


class Secure:
    """The state of one search."""

    def __init__(self, problem: Problem, terms: Terms, settings: Settings) -> None:
        self.problem, self.terms, self.settings = problem, terms, settings
        self.started = time.monotonic()
        self.bound: float | None = None
        self.best: Decision | None = None
        self.objective: float | None = None
        #: what building begins with, as far as that is secure
        self.first: Decision | None = None
        self.demanded: dict[object, Demanded] = {}
        self.builders: list[Rebuilder] = []
        self.log: list[str] = []
        self.broken = 0
        self.longest_check = 0.0
        self.suspects: set[Key] = set()

    # ---- time ------------------------------------------------------------------------------

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self.started

    @property
    def left(self) -> float | None:
        """Seconds left, None without a limit."""
        limit = self.settings.time_limit
        return None if limit is None else max(0.0, limit - self.seconds)

    @property
    def interrupted(self) -> bool:
        """Whether a stop was asked for."""
        return self.settings.stop is not None and self.settings.stop()

    @property
    def over(self) -> bool:
        """Whether to end: proven, out of time, interrupted."""
        late = self.left is not None and self.left <= 0
        return late or self.interrupted or self.proven

    @property
    def proven(self) -> bool:
        """Whether objective and bound meet."""
        return status_of(self.objective, self.bound, self.settings.gap) == "optimal"

    def report(self, phase: str) -> None:
        """Tell how far it is."""
        self.log.append(f"{self.seconds:8.1f} s  {phase}\n")
        if self.settings.progress is not None:
            self.settings.progress(Progress(self.seconds, self.objective, self.bound, phase))

    # ---- the search ------------------------------------------------------------------------

    def run(self, solver: str, warm_start: Decision | None) -> Result:
        """Plain plan, then plans built secure; small problems end with the whole master."""
        self.report("plan without outages")
        plain = self.plain(solver, warm_start)
        if plain.decision is None:
            return replace(plain, solver="secure", seconds=self.seconds)
        for start in (warm_start, plain.decision):
            if start is not None:
                self.check(start, 0.0)
        if not self.over:
            rebuilder = Rebuilder(self.problem, self.terms, self.settings.seed)
            starts = (self.best, warm_start, plain.decision)
            self.first = next(each for each in starts if each is not None)
            if self.problem.max_batches.size <= WHOLE_CELLS:
                self.construct(rebuilder)
                self.search([rebuilder], SMALL_STEPS)
                self.generate(Master(self.problem, self.terms.surge), plain.decision)
            else:
                self.rebuild(rebuilder)
        return self.result()

    def construct(self, rebuilder: Rebuilder) -> None:
        """A first secure plan."""
        rebuilder.construct(self.first, self.nearly_over)
        self.offer(rebuilder)

    def rebuild(self, rebuilder: Rebuilder) -> None:
        """Prove a bound, and search until it is met, time is up, or nothing better turns up.

        With a second thread plans are rebuilt beside the bound, then by two searches that go on
        from the better of their plans after each turn.
        """
        self.construct(rebuilder)
        if self.settings.threads == 1:
            self.first_steps(rebuilder)
        self.report("bound of secure plans")
        share = BOUND_SHARE if self.settings.threads == 1 else BESIDE_SHARE
        seconds = BOUND_SECONDS if self.left is None else share * self.left
        settings = replace(self.settings, threads=max(1, self.settings.threads - 1))

        plan = rebuilder.decision()

        def bound() -> float | None:
            inserter = rebuilder.inserter
            return secure_bound(self.problem, inserter, settings, seconds, lambda: self.over, plan)

        with ThreadPoolExecutor(1) as pool:
            proving = pool.submit(bound)
            if self.settings.threads == 1:
                wait([proving])
            else:
                for _ in range(BESIDE_TURNS):
                    self.search([rebuilder], TURN_STEPS)
            proven = proving.result()
        if proven is not None:
            self.bound = max(proven, -np.inf if self.bound is None else self.bound)
        builders = [rebuilder]
        builders += [rebuilder.twin(i) for i in range(1, self.settings.threads)]
        idle = 0
        while idle < PATIENCE and not self.over and not self.nearly_over():
            better = self.search(builders, TURN_STEPS)
            idle = 0 if better else idle + TURN_STEPS

    def first_steps(self, rebuilder: Rebuilder) -> None:
        """Rebuild plans for a while."""
        until = np.inf if self.left is None else self.seconds + PLANS_SHARE * self.left
        for _ in range(0, PLANS_STEPS, STEPS):
            if self.seconds < until:
                self.search([rebuilder], STEPS, until)

    def search(self, builders: list[Rebuilder], steps: int, until: float = np.inf) -> bool:
        """Rebuild parts of the plan so many times, for `until` seconds since the start at most.

        Whether that found a better secure plan.
        """
        self.builders = builders

        def ended() -> bool:
            return self.seconds >= until or self.nearly_over()

        with ThreadPoolExecutor(len(builders)) as pool:
            for _ in range(0, steps, STEPS):
                if self.over or ended():
                    break
                list(pool.map(partial(self.take_steps, ended), builders))
                found = [each.best.objective for each in builders if each.best is not None]
                if self.settings.progress is not None:
                    least = min(found, default=None)
                    self.settings.progress(
                        Progress(self.seconds, least, self.bound, "secure plans")
                    )
        best = min(builders, key=lambda each: np.inf if each.best is None else each.best.objective)
        for each in builders:
            each.adopt(best.best)
            each.pool.take_in(other.pool for other in builders if other is not each)
        return self.offer(best)

    def take_steps(self, ended: Callable[[], bool], builder: Rebuilder) -> None:
        """Some steps of one search, until it is to end."""
        left = self.left
        spare = None if left is None else left - LAST_CHECK * self.longest_check
        builder.run(STEPS, ended, spare)

    def nearly_over(self) -> bool:
        """Whether only the time for a step and a last check is left, or a stop was asked for."""
        step = max((each.longest for each in self.builders), default=0.0)
        late = self.left is not None and self.left <= LAST_CHECK * self.longest_check + step
        return late or self.interrupted

    def offer(self, rebuilder: Rebuilder) -> bool:
        """Check the best plan built so far where it is new; whether it is kept."""
        best = rebuilder.best
        if best is None or (self.objective is not None and best.objective >= self.objective):
            return False
        before = self.objective
        plan = rebuilder.decision()
        assert plan is not None
        self.check(plan)
        return self.objective != before

    def plain(self, solver: str, warm_start: Decision | None) -> Result:
        """The plan that need not be secure, whose bound holds for secure ones too."""
        left = self.left
        limit = PLAIN_SECONDS if left is None else PLAIN_SHARE * left
        gap = min(self.settings.gap, max(self.settings.gap / 4, 1e-4))
        found = solve_by(
            solver,
            self.problem,
            replace(self.settings, time_limit=limit, gap=gap, progress=None),
            warm_start,
        )
        self.bound = found.bound
        return found

    def check(self, decision: Decision, most: float = np.inf) -> list[Breach]:
        """What breaks a plan; one that nothing breaks is kept if it is the cheapest."""
        value = valid_value(self.problem, decision)
        if value is None:
            return []
        until = None if self.left is None else time.monotonic() + self.left
        effort = any_time(self.settings.stop, self.settings.threads, until)
        seconds = GLANCE_SECONDS if self.broken > MANY else CHECK_SECONDS
        started = time.monotonic()
        found = breaches(self.problem, decision, self.terms, effort, seconds, most, self.suspects)
        self.broken = len(found)
        self.longest_check = max(self.longest_check, time.monotonic() - started)
        self.suspects |= {breach.key for breach in found}
        complete = not self.interrupted and (until is None or time.monotonic() < until)
        if not found and complete and (self.objective is None or value.objective < self.objective):
            self.best, self.objective = decision, value.objective
        money = sum(breach.money for breach in found)
        self.report(f"plan of {value.objective:,.0f}: {len(found)} breaches, {money:,.0f} short")
        return found

    def generate(self, master: Master, decision: Decision) -> None:
        """Solve the whole master, add what breaks its plan, until nothing does."""
        plan: Decision | None = decision
        while plan is not None and not self.over:
            found = self.check(plan)
            if self.over:
                return
            if not self.add(found):
                return
            plan = self.propose(master, plan)

    def add(self, found: list[Breach]) -> bool:
        """Demand the worst breaches; False where all are demanded in whole batches already."""
        added = 0
        for breach in found:
            before = self.demanded.get(breach.key)
            if before is not None and before.whole:
                continue
            allowed = self.allowed(breach.event)
            self.demanded[breach.key] = Demanded(breach.event, allowed, before is not None)
            added += 1
            if added == ADDED:
                break
        return added > 0

    def allowed(self, event: Outage) -> Floats:
        """Units that each program may be short beyond the plan's own, (P,)."""
        demand = self.problem.programs.demand[:, event.start :].sum(1)
        units: Floats = (1.0 - self.terms.service_level) * demand
        return units

    def propose(self, master: Master, start: Decision) -> Decision | None:
        """The cheapest plan of the master, its bound kept."""
        matrix = master.matrix(list(self.demanded.values()))
        highs = HighsSolver(matrix, self.settings.threads, self.settings.seed)
        settings = replace(self.settings, gap=self.settings.gap / 2, progress=None)
        outcome = highs.run(settings, self.left)
        if outcome.bound is not None:
            self.bound = max(outcome.bound, -np.inf if self.bound is None else self.bound)
        if outcome.x is None:
            return None
        return self.decision(master, outcome.x)

    def decision(self, master: Master, x: Floats) -> Decision:
        """The decision of solver values, without overloads."""
        plan = decision_of(master.built.model, master.plain.columns, x)
        return without_overload(self.problem, plan)

    def result(self) -> Result:
        """The result as it stands."""
        bound = self.bound
        if bound is not None and self.objective is not None:
            bound = min(bound, self.objective)
        status = status_of(self.objective, bound, self.settings.gap)
        limit: Limit | None = None
        if self.interrupted:
            limit = "interrupt"
        elif status == "optimal":
            limit = "gap" if self.settings.gap > 1e-6 else None
        elif self.left is not None and self.left <= 0:
            limit = "time"
        return Result(
            status=status,
            limit=limit,
            decision=self.best,
            objective=self.objective,
            bound=bound,
            solver="secure",
            seconds=self.seconds,
            log="".join(self.log),
            statistics={"outages": float(len(self.demanded))},
        )
