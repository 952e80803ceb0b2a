"""Solve again under a changed figure: does any award really flip, and what does keeping cost?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from allocator.assumed.screening import Screened
from allocator.compile import Compiled
from models.problem import Problem, Rule
from models.restrict import keep_options
from models.result import Decision, Result
from models.solve import Settings, solve

Ints = npt.NDArray[np.int64]
#: What the rule that keeps the awards is called.
KEPT = "present awards"

Verdict = Literal["flips", "stands", "open"]


@dataclass(frozen=True)
class Means:
    """How to solve: `secure` asks for plans that withstand single outages, as the run did."""

    solver: str
    settings: Settings
    secure: bool = False

    def free(self, compiled: Compiled, start: Decision | None) -> Result:
        """The best plan of all."""
        if self.secure:
            from allocator.outages import secure_result

            return secure_result(compiled, self.solver, self.settings, start)
        return solve(compiled.problem, self.solver, self.settings, start)

    def keeping(self, compiled: Compiled, option: Ints, start: Decision | None) -> Result:
        """The best plan with these options (P,): only batches and expansions are free."""
        problem = compiled.problem
        keep = np.zeros(len(problem.options.program), np.bool_)
        keep[option] = True
        if self.secure:
            rule = Rule("force", KEPT, banned=np.flatnonzero(~keep))
            fixed = replace(problem, rules=(*problem.rules, rule))
            return self.free(replace(compiled, problem=fixed), start)
        small = keep_options(problem, keep, KEPT)
        lowered = None if start is None else small.lower(start)
        result = solve(small.problem, self.solver, self.settings, lowered)
        if result.decision is None:
            return result
        return replace(result, decision=small.lift(result.decision))


@dataclass(frozen=True)
class Award:
    """One program whose award another plan would change: option before and after, in words.

    `keeping_costs` is what the new plan costs more with this award left as it was (None: it cannot
    be left); `flips` whether that is more than the new plan's own proven gap.
    """

    program_id: str
    before: str
    after: str
    keeping_costs: float | None
    flips: bool


@dataclass(frozen=True)
class Resolved:
    """The best plan found under the changed figure, and the best with all awards kept.

    `saving` is the money that changing the awards saves; `proven` what it saves at least. None
    where the awards cannot be kept. `slack` is the gap up to which neither is told from a tie.
    """

    verdict: Verdict
    objective: float | None
    bound: float | None
    kept_objective: float | None
    kept_bound: float | None
    saving: float | None
    proven: float | None
    slack: float
    awards: tuple[Award, ...]


def resolve(screened: Screened, before: tuple[str, ...], means: Means, slack: float) -> Resolved:
    """Solve freely and with the awards kept.

    `before` describes each program's present option, `slack` is the money by which the present
    plan may fall short of the best one under unchanged figures.

    An award counts as flipped only where keeping all of them is proven to cost more than the
    slack; a tie within it is not a flip.
    """
    compiled = screened.compiled
    start = screened.decision if screened.plan_holds else None
    free = means.free(compiled, start)
    kept = None
    if screened.decision is not None:
        kept = means.keeping(compiled, screened.decision.option, start)
    if kept is not None and kept.decision is not None and _better(kept, free):
        free = _as_free(kept, free)  # a limit stopped the free search: the kept plan is one too
    if free.objective is None or free.decision is None:
        return Resolved("open", None, free.bound, None, None, None, None, slack, ())
    slack = max(slack, means.settings.gap * abs(free.objective))
    if kept is None or kept.objective is None or kept.bound is None:
        gone = kept is None or kept.status == "infeasible"
        saving = proven = None
        verdict: Verdict = "flips" if gone else "open"
        kept_objective = kept_bound = None
    else:
        kept_objective, kept_bound = kept.objective, kept.bound
        saving = max(kept.objective - free.objective, 0.0)
        proven = max(kept.bound - free.objective, 0.0)
        tolerance = 1e-6 * abs(free.objective)
        verdict = (
            "flips"
            if proven > slack + tolerance
            else "stands"
            if saving <= slack + tolerance
            else "open"
        )
    awards = _awards(screened, free, before, means) if verdict == "flips" else ()
    return Resolved(
        verdict=verdict,
        objective=free.objective,
        bound=free.bound,
        kept_objective=kept_objective,
        kept_bound=kept_bound,
        saving=saving,
        proven=proven,
        slack=slack,
        awards=awards,
    )


def _better(one: Result, two: Result) -> bool:
    return one.objective is not None and (
        two.objective is None or one.objective < two.objective - 1e-9 * abs(two.objective)
    )


def _as_free(kept: Result, free: Result) -> Result:
    """The kept plan as the answer of the free search, with the free search's bound."""
    return replace(free, decision=kept.decision, objective=kept.objective, status="feasible")


def _awards(
    screened: Screened, free: Result, before: tuple[str, ...], means: Means
) -> tuple[Award, ...]:
    """Which programs the new plan moves, and what leaving each where it was would cost."""
    problem = screened.compiled.problem
    assert free.decision is not None
    assert free.objective is not None
    after = describe(problem, free.decision.option)
    gap = free.objective - (free.objective if free.bound is None else free.bound)
    gap += 1e-6 * abs(free.objective)
    found = []
    for p, program_id in enumerate(problem.programs.ids):
        if before[p] == after[p]:
            continue
        costs = None
        if screened.decision is not None:
            option = free.decision.option.copy()
            option[p] = screened.decision.option[p]
            left = means.keeping(screened.compiled, option, None)
            if left.objective is not None:
                costs = left.objective - free.objective
        flips = costs is None or costs > gap
        found.append(Award(program_id, before[p], after[p], costs, flips))
    return tuple(sorted(found, key=lambda award: award.program_id))


def describe(problem: Problem, option: Ints) -> tuple[str, ...]:
    """Each program's option in words: `LA 70 % + LB 30 %`, or `unsourced`."""
    options, streams, offers = problem.options, problem.streams, problem.offers
    words = []
    for row in option.tolist():
        parts = [
            f"{offers.ids[streams.offer[s]]} {100 * streams.share[s]:.0f} %"
            for s in (options.first[row], options.second[row])
            if s >= 0
        ]
        words.append(" + ".join(sorted(parts)) or "unsourced")
    return tuple(words)
