"""What must be said of the plans of a comparison beside their figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from allocator.tradeoff.ranking import has_pair

if TYPE_CHECKING:
    from allocator.compile import Compiled
    from allocator.portfolio import Portfolio
    from allocator.tradeoff.comparison import Study


def plan_notes(study: Study, tables: Mapping[str, Portfolio]) -> list[str]:
    """Rules that cannot all hold, and programs that cannot have the two sources asked for."""
    from allocator.compile import compile_problem

    notes = []
    for scenario in study.scenarios:
        for policy in study.policies:
            done = study.done.get((scenario, policy))
            if done is not None and done.plan["status"] == "infeasible":
                rules = ", ".join(done.plan["conflict"])
                notes.append(
                    f"{study.title(scenario, policy)}: these rules cannot all hold: {rules}"
                )
        if study.has(scenario, "dual"):
            compiled = compile_problem(tables[scenario], "dual")
            unsourced = _unsourced(study, scenario)
            found = _without_pair(compiled, unsourced)
            notes += [f"{study.title(scenario, 'dual')}: {note}" for note in found]
    return notes


def _unsourced(study: Study, scenario: str) -> set[str]:
    """Programs that the dual plan leaves without a source."""
    programs = study.done[scenario, "dual"].plan["programs"]
    return {p["program_id"] for p in programs if not p["sources"]}


def _without_pair(compiled: Compiled, unsourced: set[str]) -> Iterator[str]:
    """Programs that stay without a source, or with one, since no pair of sources is allowed."""
    from allocator.compile import resolve_sourcing

    barred = [
        name
        for name, sourcing in compiled.sourcing.items()
        if sourcing == "dual" and name in unsourced and not has_pair(compiled.problem, name)
    ]
    if barred:
        yield (
            f"{', '.join(barred)} left without a source, since the rules allow no two of their"
            " sources together"
        )
    yield from resolve_sourcing(compiled.portfolio, compiled.offer_ids, "dual")[1]
