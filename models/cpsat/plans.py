"""Between decisions and CP-SAT: hints from a plan, the plan in an answer."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from models.cpsat.model import CpModel, Var
from models.problem import Ints
from models.result import Decision


def add_hint(model: CpModel, decision: Decision) -> None:
    """Offer a plan to start from: its choices, batches and flow of stock.

    Money variables are left to CP-SAT. What breaks a rule is repaired or dropped there.
    """
    problem, options = model.problem, model.problem.options
    values: dict[int, int] = {flag.index: 0 for flag in model.choose}
    variables: dict[int, Var] = {flag.index: flag for flag in model.choose}

    def hint(variable: Var, value: int) -> None:
        variables[variable.index] = variable
        values[variable.index] = value

    groups = (model.stream, model.offer, model.engaged, model.expanded)
    flows = (model.batches, model.campaign, model.stock, model.unmet, model.scrap, model.gap)
    for group in (*groups, *flows):
        for variable in group.values():
            hint(variable, 0)
    for o in decision.option.tolist():
        hint(model.choose[o], 1)
        for s in (int(options.first[o]), int(options.second[o])):
            if s >= 0:
                f = int(problem.streams.offer[s])
                hint(model.stream[s], 1)
                hint(model.offer[f], 1)
                hint(model.engaged[int(problem.offer_cmo[f])], 1)
                _hint_flow(model, s, f, decision.batches.get(f), hint)
    for line in np.flatnonzero(decision.expanded).tolist():
        if line in model.expanded:
            hint(model.expanded[line], 1)
    for index, variable in variables.items():
        model.cp.add_hint(variable, values[index])


def _hint_flow(
    model: CpModel, s: int, f: int, batches: Ints | None, hint: Callable[[Var, int], None]
) -> None:
    """The flow that serves demand first, in parts of a batch."""
    scales, T = model.scales, model.problem.periods
    lag, parts = int(model.problem.offers.lag[f]), int(scales.parts[f])
    count = np.zeros(T, np.int64) if batches is None else batches
    held = int(scales.opening[s])
    for t in range(T):
        key = (f, t)
        released = parts * int(count[t - lag]) if t >= lag and (f, t - lag) in model.batches else 0
        left = held + released - int(scales.demand[s, t])
        held = min(max(left, 0), int(scales.cap[s, t]))
        hint(model.stock[key], held)
        hint(model.unmet[key], max(-left, 0))
        hint(model.scrap[key], max(left - held, 0) if left > 0 else 0)
        if key in model.batches:
            hint(model.batches[key], int(count[t]))
        if key in model.campaign:
            hint(model.campaign[key], int(count[t] > 0))
        if key in model.gap:
            hint(model.gap[key], max(int(scales.target[s, t]) - held, 0))


def decision_of(model: CpModel, value: Callable[[Var], int]) -> Decision:
    """The plan of an answer; `value` gives the value of a variable."""
    problem, start = model.problem, model.problem.options.start
    chosen = np.array([value(flag) for flag in model.choose], np.int64)
    option = np.array(
        [a + int(np.argmax(chosen[a:b])) for a, b in pairwise(start.tolist())],
        np.int64,
    )
    rows = np.concatenate([problem.options.first[option], problem.options.second[option]])
    batches = {}
    for f in np.sort(problem.streams.offer[rows[rows >= 0]]).tolist():
        count = np.zeros(problem.periods, np.int64)
        for t in range(problem.periods):
            if (f, t) in model.batches:
                count[t] = value(model.batches[f, t])
        batches[f] = count
    expanded = np.zeros(len(problem.lines.ids), np.bool_)
    for line, flag in model.expanded.items():
        expanded[line] = bool(value(flag))
    return Decision(option, batches, expanded)
