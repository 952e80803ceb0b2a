"""Between decisions and values of the model's variables, in both directions."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from models.compact.rules import tier_scale
from models.compact.variables import Model
from models.problem import Floats, Ints
from models.result import Decision
from models.stock import Flow, released_units, simulate


def values_of(model: Model, decision: Decision) -> dict[Any, float]:
    """The value of every variable that a decision means; those left out are 0.

    The flow of stock is the one that serves demand first, the cheapest (models/compact.md).
    """
    problem, variables = model.problem, model.variables
    values: dict[Any, float] = {}
    options = problem.options
    for o in decision.option.tolist():
        values[variables.choose[o]] = 1.0
        for s in (int(options.first[o]), int(options.second[o])):
            if s >= 0:
                f = int(problem.streams.offer[s])
                batches = decision.batches.get(f, np.zeros(problem.periods, np.int64))
                values[variables.stream[s]] = values[variables.offer[f]] = 1.0
                values[variables.engaged[int(problem.offer_cmo[f])]] = 1.0
                _flow_values(model, s, f, batches, values)
    for line in np.flatnonzero(decision.expanded).tolist():
        if line in variables.expanded:
            values[variables.expanded[line]] = 1.0
    _spend_values(model, values)
    return values


def _flow_values(model: Model, s: int, f: int, batches: Ints, values: dict[Any, float]) -> None:
    """Batches and stock of one chosen stream."""
    variables = model.variables
    released = released_units(model.problem, f, batches)[None, :]
    flow: Flow = simulate(model.problem.stream_tables(np.array([s])), released)
    good = float(model.problem.offers.good_per_batch[f])
    for t, count in enumerate(batches.tolist()):
        key = (f, t)
        if key in variables.batches:
            values[variables.batches[key]] = float(count)
        if key in variables.campaign:
            values[variables.campaign[key]] = float(count > 0)
        values[variables.stock[key]] = float(flow.stock[0, t]) / good
        values[variables.unmet[key]] = float(flow.unmet[0, t]) / good
        values[variables.scrap[key]] = float(flow.scrap[0, t]) / good
        if key in variables.gap:
            values[variables.gap[key]] = float(flow.safety_gap[0, t]) / good
        if key in variables.short:
            values[variables.short[key]] = float(flow.unmet[0, t] > 0)


def _spend_values(model: Model, values: dict[Any, float]) -> None:
    """Take-or-pay shortfall and tiers, from the spend that `values` already mean."""
    variables = model.variables

    def spend(k: int, year: int) -> float:
        return float(sum(price * values.get(v, 0.0) for v, price in model.spend(k, year)))

    for (k, year), variable in variables.shortfall.items():
        if values.get(variables.engaged[k]):
            floor = float(model.problem.cmos.floor[k, year])
            values[variable] = max(0.0, 1.0 - spend(k, year) / floor)
    for (k, year), steps in model.reachable_tiers.items():
        if values.get(variables.engaged[k]):
            paid = spend(k, year)
            reached = max(i for i, step in enumerate(steps) if i == 0 or step[0] <= paid)
            values[variables.tier[k, year, reached]] = 1.0
            values[variables.tier_spend[k, year, reached]] = paid / tier_scale(steps)


def decision_of(model: Model, column: dict[Any, int], x: Floats) -> Decision:
    """The decision that solver values `x` mean, integers rounded."""
    problem, variables = model.problem, model.variables
    start = problem.options.start
    chosen = np.array([x[column[variables.choose[o]]] for o in range(int(start[-1]))])
    option = np.array(
        [a + int(np.argmax(chosen[a:b])) for a, b in pairwise(start.tolist())],
        np.int64,
    )
    rows = np.concatenate([problem.options.first[option], problem.options.second[option]])
    batches: dict[int, Ints] = {}
    for f in np.sort(problem.streams.offer[rows[rows >= 0]]).tolist():
        count = np.zeros(problem.periods, np.int64)
        for t in range(problem.periods):
            if (f, t) in variables.batches:
                count[t] = round(float(x[column[variables.batches[f, t]]]))
        batches[f] = count
    expanded = np.zeros(len(problem.lines.ids), np.bool_)
    for line, variable in variables.expanded.items():
        expanded[line] = x[column[variable]] > 0.5
    return Decision(option, batches, expanded)
