"""The search for a secure plan with one enabler in place, kept so that it can be resumed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allocator.outages.securing import secure_result, secure_terms
from allocator.replay import carried, decision_of_plan, read_finished

if TYPE_CHECKING:
    from allocator.compile import Compiled
    from allocator.outages.enabler_changes import Change
    from allocator.tradeoff.crew import Report, Stop
    from models.result import Decision

#: Seconds that one outage is looked at where a plan is tried under other tables.
CHECK_SECONDS = 1.0


@dataclass(frozen=True)
class Search:
    """The secure plan of a change, begun from the plan of run `base`, within `time_limit` seconds.

    `cache` is the file that keeps the answer.
    """

    change: Change
    base: Path
    solver: str
    gap: float
    time_limit: float | None
    seed: int
    cache: Path

    @property
    def key(self) -> str:
        """Tells apart what answers depend on, but for the time limit."""
        from allocator.tradeoff.kept import key_of

        change = [self.change.name, self.change.what]
        return key_of(self.base, [change, self.solver, self.gap, self.seed])


def search(asked: Search, progress: Report = None, stop: Stop = None) -> dict[str, Any]:
    """What plan.json says of the secure plan with the change.

    An answer from before is taken over unless it was interrupted or cut short by another time
    limit; then it is the start.
    """
    from allocator.compile import compile_problem
    from allocator.plan import build_plan
    from allocator.tradeoff.kept import keep, read_kept
    from models.solve import Settings

    key = asked.key
    former = read_kept(asked.cache, key)
    if former is not None and _whole(asked, former):
        plan: dict[str, Any] = former["plan"]
        return plan
    compiled = compile_problem(asked.change.portfolio, "secure")
    settings = Settings(asked.time_limit, asked.gap, 1, asked.seed, progress, stop)
    start = _start(asked, compiled, former)
    result = secure_result(compiled, asked.solver, settings, start)
    plan = build_plan(compiled, result, solver=asked.solver, sourcing="secure", gap=asked.gap)
    keep(asked.cache, key, {"time_limit": asked.time_limit, "plan": plan})
    return plan


def _whole(asked: Search, former: dict[str, Any]) -> bool:
    """Whether searching again would end as it did."""
    limit = former["plan"]["limit"]
    return limit in (None, "gap") or (limit == "time" and former["time_limit"] == asked.time_limit)


def _start(asked: Search, compiled: Compiled, former: dict[str, Any] | None) -> Decision | None:
    """The plan found before, else that of the base, where it fits the changed tables."""
    if former is not None and former["plan"]["objective"] is not None:
        return decision_of_plan(compiled.problem, former["plan"])
    base = read_finished(asked.base)
    return carried(base.compiled.problem, compiled.problem, base.decision)


@dataclass(frozen=True)
class Valued:
    """A plan with its exact objective, and the months of supply that it misses."""

    decision: Decision
    objective: float
    months_short: float


def valued(compiled: Compiled, decision: Decision) -> Valued:
    """The figures of a decision."""
    from models.evaluate import evaluate

    value = evaluate(compiled.problem, decision)
    months = compiled.problem.programs.months_per_unit @ value.program_unmet
    return Valued(decision, value.objective, float(months))


@dataclass
class Priced:
    """A change with its tables, what its search says, and the best secure plan known for it."""

    change: Change
    compiled: Compiled
    found: dict[str, Any]
    plan: Valued | None


def priced(change: Change, found: dict[str, Any]) -> Priced:
    """The answer of a search, its plan in the rows of its problem."""
    from allocator.compile import compile_problem

    compiled = compile_problem(change.portfolio, "secure")
    decision = None
    if found["objective"] is not None:
        decision = decision_of_plan(compiled.problem, found)
    return Priced(change, compiled, found, None if decision is None else valued(compiled, decision))


def share_plans(compiled: Compiled, base: Valued, found: list[Priced]) -> Valued:
    """The best plan without a change; each plan found counts wherever it is secure too.

    Else a change would seem to be worth what only the search for it had more luck with.
    """
    for each in found:
        if each.plan is not None:
            base = _cheaper(each.compiled, each.plan, compiled, base) or base
    for each in found:
        each.plan = _cheaper(compiled, base, each.compiled, each.plan) or each.plan
    return base


def _cheaper(
    source: Compiled, plan: Valued, target: Compiled, known: Valued | None
) -> Valued | None:
    """A plan of `source` under the tables of `target`, if secure and cheaper than known there."""
    from models.finish import valid_value
    from models.recourse import Effort
    from models.secure import breaches

    decision = carried(source.problem, target.problem, plan.decision)
    value = None if decision is None else valid_value(target.problem, decision)
    if decision is None or value is None:
        return None
    if known is not None and value.objective >= known.objective:
        return None
    if breaches(target.problem, decision, secure_terms(target), Effort(0.05), CHECK_SECONDS, 0.0):
        return None
    return valued(target, decision)
