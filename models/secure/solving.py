"""The cheapest plan that withstands every single outage, by generating the outages that matter.

A master without outages proposes a plan; the outages that break it are added as blocks; again. Each
block only demands what every secure plan has, so the master's bound is one for all secure plans.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from models.compact.highs import HighsSolver
from models.compact.plans import decision_of
from models.finish import valid_value, without_overload
from models.problem import Floats, Problem, Rule
from models.recourse import Outage
from models.result import Decision, Limit, Result, status_of
from models.secure.check import Breach, Key, Terms, any_time, breaches
from models.secure.master import Demanded, Master
from models.secure.repairing import Repair
from models.solve import Progress, Settings, solve_by

#: Share of the time for the plan that need not be secure, and for its bound.
PLAIN_SHARE = 0.25
#: Shares of line-days that plans to start from leave free, and of the time for each of them.
RESERVES, RESERVE_SHARE = (0.0, 0.15, 0.3), 0.1
#: Most columns of the compact model for which the whole master is solved, not parts of it.
WHOLE_COLUMNS = 4000
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
    return Secure(problem, terms, settings).run(solver, warm_start)


class Secure:
    """The state of one search."""

    def __init__(self, problem: Problem, terms: Terms, settings: Settings) -> None:
        self.problem, self.terms, self.settings = problem, terms, settings
        self.started = time.monotonic()
        self.bound: float | None = None
        self.best: Decision | None = None
        self.objective: float | None = None
        self.demanded: dict[object, Demanded] = {}
        self.log: list[str] = []
        self.broken = 0
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
        """Plain plan, then the whole master or repairs of parts, as the size allows."""
        self.report("plan without outages")
        plain = self.plain(solver, warm_start)
        if plain.decision is None:
            return replace(plain, solver="secure", seconds=self.seconds)
        for start in (warm_start, plain.decision):
            if start is not None:
                self.check(start)
        if not self.over:
            master = Master(self.problem, self.terms.surge)
            if len(master.plain.cost) <= WHOLE_COLUMNS:
                self.generate(master, plain.decision)
            else:
                Repair(self, master).run(self.start(solver, plain.decision))
        return self.result()

    def start(self, solver: str, plain: Decision) -> Decision:
        """The plan that breaks least of the plain one and those with two sources and free days."""
        best, least = plain, sum(breach.money for breach in self.check(plain))
        for reserve in RESERVES:
            if self.over or least <= 0:
                break
            left = self.left
            limit = None if left is None else RESERVE_SHARE * (left + self.seconds)
            settings = replace(self.settings, time_limit=limit, gap=0.01, progress=None)
            found = solve_by(solver, roomy(self.problem, self.terms, reserve), settings, None)
            if found.decision is None:
                continue
            money = sum(breach.money for breach in self.check(found.decision, least))
            if money < least:
                best, least = found.decision, money
        return best

    def plain(self, solver: str, warm_start: Decision | None) -> Result:
        """The plan that need not be secure, whose bound holds for secure ones too."""
        left = self.left
        limit = None if left is None else PLAIN_SHARE * left
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
        found = breaches(self.problem, decision, self.terms, effort, seconds, most, self.suspects)
        self.broken = len(found)
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


def roomy(problem: Problem, terms: Terms, reserve: float) -> Problem:
    """The problem with a share of all days left free, and two sources wherever there can be."""
    later = np.arange(problem.periods) >= terms.first
    days = problem.lines.days * np.where(later, 1.0 - reserve, 1.0)[None, :]
    options = problem.options
    pairs = np.zeros(len(problem.programs.ids), np.bool_)
    pairs[options.program[(options.second >= 0) & ~problem.banned]] = True
    alone = np.flatnonzero((options.second < 0) & (options.first >= 0) & pairs[options.program])
    return replace(
        problem,
        lines=replace(problem.lines, days=days),
        rules=(*problem.rules, Rule("forbid", "two sources", banned=alone)),
    )
