"""What growth is asked of: tables, today's plan, and the problems of the four answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from allocator.growth.demand import Growth, grown
from allocator.portfolio import Portfolio
from models.restrict import Restricted, keep_options, same_sources, with_days, with_expansions
from models.solve import Progress, Settings, solve

if TYPE_CHECKING:
    from allocator.compile import Compiled
    from models.problem import Floats, Problem
    from models.result import Decision, Result

#: The four answers, each allowing all that the one before it allows.
ANSWERS = ("stretched", "rescheduled", "requalified", "expanded")
TITLES = {
    "stretched": "today's plan, its schedule stretched",
    "rescheduled": "the same sources, re-scheduled and re-split",
    "requalified": "new qualifications allowed",
    "expanded": "expansions and surge allowed as well",
    "level": "the same, the service level kept",
}


@dataclass(frozen=True)
class Solving:
    """How to solve, and until when; `until` is a moment of `time.monotonic`."""

    solver: str = "auto"
    gap: float = 0.005
    threads: int = 1
    seed: int = 0
    until: float | None = None
    progress: Callable[..., None] | None = None
    stop: Callable[[], bool] | None = None

    def left(self, share: float = 1.0) -> float | None:
        """Seconds for the next solve: a share of what is left, None without a limit."""
        if self.until is None:
            return None
        return max(0.5, (self.until - time.monotonic()) * share)

    def within(self, seconds: float) -> Solving:
        """The same for at most so many seconds from now."""
        until = time.monotonic() + seconds
        return replace(self, until=until if self.until is None else min(until, self.until))

    def run(
        self,
        problem: Problem,
        warm_start: Decision | None,
        phase: str,
        share: float = 1.0,
        gap: float | None = None,
        stop: Callable[[], bool] | None = None,
        watch: Callable[[Progress], None] | None = None,
    ) -> Result:
        """Solve one problem within a share of the time left."""

        def told(state: Progress) -> None:
            if watch is not None:
                watch(state)
            if self.progress is not None:
                self.progress(replace(state, phase=f"{phase}: {state.phase}"))

        def over() -> bool:
            return any(asked() for asked in (self.stop, stop) if asked is not None)

        settings = Settings(
            time_limit=self.left(share),
            gap=self.gap if gap is None else gap,
            threads=self.threads,
            seed=self.seed,
            progress=told if watch is not None or self.progress is not None else None,
            stop=over if stop is not None or self.stop is not None else None,
        )
        return solve(problem, self.solver, settings, warm_start)


@dataclass(frozen=True)
class Case:
    """A portfolio with today's plan: `decision` is in the rows of `compiled.problem`."""

    portfolio: Portfolio
    sourcing: str | None
    compiled: Compiled
    decision: Decision
    result: Result
    solving: Solving = field(default_factory=Solving)

    @cached_property
    def surge(self) -> Floats:
        """Share above its days that each line can run, (L,): its own, else the policy's."""
        lines, usual = self.portfolio.lines, self.portfolio.policy.surge
        own = [lines[i].surge for i in self.compiled.problem.lines.ids]
        return np.array([usual if s is None else s for s in own], np.float64)

    def situation(self, growth: Growth) -> Situation:
        """The case with its demand grown."""
        from allocator.compile import compile_problem

        compiled = compile_problem(grown(self.portfolio, growth), self.sourcing)
        return Situation(self, growth, compiled, self.factors(growth))

    def quick_situation(self, growth: Growth) -> Situation:
        """The same for questions of service: risk and rules stand as they are today."""
        from allocator.compile_tables import program_arrays

        portfolio = grown(self.portfolio, growth)
        problem = replace(self.compiled.problem, programs=program_arrays(portfolio))
        compiled = replace(self.compiled, portfolio=portfolio, problem=problem)
        return Situation(self, growth, compiled, self.factors(growth))

    def factors(self, growth: Growth) -> Floats:
        """The multiplier of each program in each period, (P, T)."""
        factors = [
            growth.factors(self.portfolio, self.portfolio.programs[i])
            for i in self.compiled.problem.programs.ids
        ]
        return np.array(factors, np.float64).reshape(-1, self.compiled.problem.periods)


@dataclass(frozen=True)
class Situation:
    """A case under one growth of demand; `factors` (P, T) multiply each program's demand."""

    case: Case
    growth: Growth
    compiled: Compiled
    factors: Floats

    @property
    def problem(self) -> Problem:
        """The problem of the grown demand with everything allowed but surge."""
        return self.compiled.problem

    def room(self, answer: str) -> Restricted:
        """The problem of one answer, options that it does not allow left out."""
        whole = np.ones(len(self.problem.options.program), np.bool_)
        if answer == "expanded":
            surged = self.problem.lines.days * (1.0 + self.case.surge)[:, None]
            return keep_options(with_days(self.problem, surged), whole)
        problem = with_expansions(self.problem, self.case.decision.expanded)
        if answer == "requalified":
            return keep_options(problem, whole)
        return keep_options(
            problem, same_sources(problem, self.case.decision.option), "sources of today's plan"
        )
