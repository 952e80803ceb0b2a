"""A finished run read back: its tables compiled again, and its plan as a decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allocator.errors import Usage

if TYPE_CHECKING:
    from allocator.compile import Compiled
    from models.problem import Problem
    from models.result import Decision

#: Two shares of demand closer than this are one split.
SAME_SHARE = 1e-6


@dataclass(frozen=True)
class FinishedRun:
    """A run's folder, its plan.json, the problem of its copied inputs, and what it decided."""

    folder: Path
    plan: dict[str, Any]
    compiled: Compiled
    decision: Decision


def read_finished(run_folder: str | Path) -> FinishedRun:
    """Read a run from its files. Raises Usage where it has no plan, BadData for spoilt inputs."""
    from allocator.compile import compile_problem
    from allocator.files import read_plan, run_inputs
    from allocator.read import read_portfolio

    folder = Path(run_folder)
    plan = read_plan(folder)
    if plan.get("objective") is None:
        raise Usage(f"{folder} has no plan: its status is {plan.get('status')}")
    inputs, scenario = run_inputs(folder)
    compiled = compile_problem(read_portfolio(inputs, scenario), plan["asked"]["sourcing"])
    decision = decision_of_plan(compiled.problem, plan)
    if decision is None:
        raise Usage(f"{folder}: the plan does not fit its tables; run `allocator verify {folder}`")
    return FinishedRun(folder, plan, compiled, decision)


def decision_of_plan(problem: Problem, plan: Mapping[str, Any]) -> Decision | None:
    """The decision of a plan.json in the rows of `problem`; None where it does not fit.

    It fits where it is about the same programs and periods, and every option of it is there.
    """
    import numpy as np

    from models.result import Decision

    offers = {offer_id: row for row, offer_id in enumerate(problem.offers.ids)}
    periods = {label: t for t, label in enumerate(problem.period_labels)}
    expanded = {line["line_id"] for line in plan["lines"] if line["expanded"]}
    sources = {program["program_id"]: program["sources"] for program in plan["programs"]}
    if sources.keys() != set(problem.programs.ids) or plan["periods"] != list(periods):
        return None
    option = np.zeros(len(problem.programs.ids), np.int64)
    batches = {}
    for p, program_id in enumerate(problem.programs.ids):
        rows = sources[program_id]
        wanted = [(offers.get(row["offer_id"], -1), row["share"]) for row in rows]
        found = option_row(problem, p, wanted)
        if found is None:
            return None
        option[p] = found
        for row in rows:
            counts = np.zeros(problem.periods, np.int64)
            for label, number in row["batches"].items():
                counts[periods[label]] = number
            batches[offers[row["offer_id"]]] = counts
    return Decision(option, batches, np.array([i in expanded for i in problem.lines.ids], np.bool_))


def carried(before: Problem, after: Problem, decision: Decision) -> Decision | None:
    """A decision in the rows of another problem of the same programs, lines and periods.

    None where an option of it is not there.
    """
    import numpy as np

    from models.result import Decision

    place = {offer_id: row for row, offer_id in enumerate(after.offers.ids)}
    rows = [place.get(offer_id, -1) for offer_id in before.offers.ids]
    option = np.zeros(len(decision.option), np.int64)
    for p, o in enumerate(decision.option.tolist()):
        mine = [s for s in (before.options.first[o], before.options.second[o]) if s >= 0]
        wanted = [(rows[before.streams.offer[s]], float(before.streams.share[s])) for s in mine]
        found = option_row(after, p, wanted)
        if found is None:
            return None
        option[p] = found
    batches = {rows[f]: made for f, made in decision.batches.items() if rows[f] >= 0}
    return Decision(option, batches, decision.expanded)


def option_row(problem: Problem, program: int, sources: list[tuple[int, float]]) -> int | None:
    """Row of the option of a program with these (offer row, share), in either order; else None."""
    options, streams = problem.options, problem.streams
    wanted = sorted(sources)
    for row in range(options.start[program], options.start[program + 1]):
        mine = [s for s in (int(options.first[row]), int(options.second[row])) if s >= 0]
        here = sorted((int(streams.offer[s]), float(streams.share[s])) for s in mine)
        if len(here) == len(wanted) and all(
            a[0] == b[0] and abs(a[1] - b[1]) < SAME_SHARE
            for a, b in zip(here, wanted, strict=True)
        ):
            return row
    return None
