"""What a plan of a series must keep besides the rules of the policy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from allocator.compile import Compiled
    from models.problem import Bools, Problem
    from models.restrict import Restricted
    from models.result import Decision, Result


@dataclass(frozen=True)
class Limits:
    """`must_source`: programs that may not stay without a source (where anyone can make them).

    `dual` (None: as the sourcing says): of the programs that leave it open, these have two sources
    and all others at most one. `risk_cap`: all risk together at most this money, before
    `risk_weight`; `risk_weight` replaces the policy's.
    """

    must_source: tuple[str, ...] = ()
    dual: tuple[str, ...] | None = None
    risk_cap: float | None = None
    risk_weight: float | None = None

    def stated(self) -> dict[str, Any]:
        """The limits that are set, for the record of a run."""
        fields = {
            "must_source": list(self.must_source) or None,
            "dual": None if self.dual is None else list(self.dual),
            "risk_cap": self.risk_cap,
            "risk_weight": self.risk_weight,
        }
        return {name: value for name, value in fields.items() if value is not None}

    def apply(self, compiled: Compiled) -> Limited:
        """The problem under these limits."""
        from models.problem import Rule

        problem = compiled.problem
        rules = list(problem.rules)
        if self.must_source:
            banned = unsourced_rows(problem, self.must_source)
            rules.append(Rule("force", "every program asked for has a source", banned=banned))
        if self.risk_cap is not None:
            rules.append(Rule("risk_cap", "risk at most", limit=self.risk_cap))
        weight = problem.risk_weight if self.risk_weight is None else self.risk_weight
        problem = replace(problem, rules=tuple(rules), risk_weight=weight)
        restricted = None
        if self.dual is not None:
            from models.restrict import keep_options

            keep = self._allowed(compiled)
            restricted = keep_options(problem, keep, "these programs have two sources, no others")
            problem = restricted.problem
        return Limited(problem, restricted, weight != compiled.problem.risk_weight)

    def _allowed(self, compiled: Compiled) -> Bools:
        """Options (O,) that agree with `dual`."""
        problem, options = compiled.problem, compiled.problem.options
        names = problem.programs.ids
        open_ = np.array([compiled.sourcing[i] == "free" for i in names], np.bool_)
        wanted = np.array([i in (self.dual or ()) for i in names], np.bool_)
        two = options.second >= 0
        agrees = two == wanted[options.program]
        return np.asarray(agrees | ~open_[options.program])


def unsourced_rows(problem: Problem, program_ids: tuple[str, ...]) -> np.ndarray:
    """Unsourced options of the named programs, but of those that nobody can make."""
    start, banned = problem.options.start, problem.banned
    rows = []
    for p, name in enumerate(problem.programs.ids):
        makers = ~banned[start[p] + 1 : start[p + 1]]
        if name in program_ids and makers.any():
            rows.append(int(start[p]))
    return np.array(rows, np.int64)


@dataclass(frozen=True)
class Limited:
    """A problem under limits, and the way between its decisions and those of the whole one."""

    problem: Problem
    restricted: Restricted | None
    reweighted: bool

    def lower(self, decision: Decision) -> Decision | None:
        """A decision of the whole problem in this one; None where a limit rules it out."""
        return decision if self.restricted is None else self.restricted.lower(decision)

    def lift(self, decision: Decision) -> Decision:
        """A decision of this problem in the whole one."""
        return decision if self.restricted is None else self.restricted.lift(decision)

    def result(self, whole: Problem, solved: Result, gap: float) -> Result:
        """The result as one of the whole problem.

        With another weight of risk the bound proves nothing about the whole problem's objective,
        and is left out.
        """
        from allocator.tradeoff.tasks import restated

        if solved.decision is None:
            return solved
        decision = self.lift(solved.decision)
        if self.reweighted:
            return restated(whole, solved, decision, gap)
        return replace(solved, decision=decision)
