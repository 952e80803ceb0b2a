"""The clock of a solve: time left, a stop asked for, the best objective and bound so far."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from models.evaluate import evaluate
from models.problem import Problem
from models.result import Decision, relative_gap
from models.solve import Progress, Settings


@dataclass
class Watch:
    """Best decision and bound of a solve, and when it must end.

    `objective` is exact, `bound` is proven; each is None until there is one. `offers` and `raises`
    keep the better value and report progress.
    """

    problem: Problem
    settings: Settings
    started: float = field(default_factory=time.monotonic)
    decision: Decision | None = None
    objective: float | None = None
    bound: float | None = None
    phase: str = ""
    interrupted: bool = False

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    @property
    def left(self) -> float:
        """Seconds left, inf where there is no limit."""
        limit = self.settings.time_limit
        return float("inf") if limit is None else limit - self.seconds

    @property
    def gap_reached(self) -> bool:
        """Whether objective and bound are as close as asked."""
        gap = relative_gap(self.objective, self.bound)
        return gap is not None and gap <= max(self.settings.gap, 1e-6)

    def over(self) -> bool:
        """Whether the solve must end: limit, interrupt, or the asked gap."""
        if self.settings.stop is not None and not self.interrupted:
            self.interrupted = bool(self.settings.stop())
        return self.interrupted or self.left <= 0.0 or self.gap_reached

    def offer(self, decision: Decision) -> bool:
        """Take a decision if it keeps every rule and is better than the best so far."""
        value = evaluate(self.problem, decision)
        if value.broken:
            return False
        if self.objective is not None and value.objective >= self.objective - 1e-9:
            return False
        self.decision, self.objective = decision, value.objective
        self.report()
        return True

    def aside(self) -> Watch:
        """A watch for work beside this one's: same clock, same knowledge, tells no progress."""
        quiet = replace(self.settings, progress=None)
        other = Watch(self.problem, quiet, self.started)
        self.exchange(other)
        return other

    def exchange(self, aside: Watch) -> None:
        """Take the better plan of the two for both, and the better bound."""
        self.take(aside.decision, aside.objective, aside.bound)
        aside.take(self.decision, self.objective, self.bound)
        self.interrupted = self.interrupted or aside.interrupted

    def take(self, decision: Decision | None, objective: float | None, bound: float | None) -> None:
        """Take what another watch of the same solve knows, where it is better."""
        if objective is not None and (self.objective is None or objective < self.objective):
            self.decision, self.objective = decision, objective
            self.report()
        if bound is not None:
            self.raise_bound(bound)

    def raise_bound(self, bound: float) -> None:
        """Take a proven bound if it is better than the best so far."""
        if self.bound is None or bound > self.bound:
            self.bound = bound
            self.report()

    def report(self, phase: str | None = None) -> None:
        """Tell the progress callback how things stand."""
        if phase is not None:
            self.phase = phase
        if self.settings.progress is not None:
            bound = self.bound
            if bound is not None and self.objective is not None:
                bound = min(bound, self.objective)
            told = Progress(self.seconds, self.objective, bound, self.phase, self.decision)
            self.settings.progress(told)
