"""The rules of the model itself, one function each; its docstring is the planner's sentence.

Every function yields rows. The name under which it is registered is the name of the rule in
models/compact.md, in LP files and in messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from models.compact.variables import Model, Terms
from models.problem import Floats


class Row(NamedTuple):
    """`terms` `sense` `rhs`; `key` tells the rows of one rule apart, `label` the award rule."""

    key: str
    terms: Terms
    sense: str  # "<=", ">=" or "=="
    rhs: float
    label: str = ""


Rule = Callable[[Model], Iterator[Row]]


def one_option(model: Model) -> Iterator[Row]:
    """Each program gets exactly one sourcing option, if only the unsourced one."""
    start = model.problem.options.start
    for p, name in enumerate(model.names.programs):
        rows = range(int(start[p]), int(start[p + 1]))
        yield Row(name, [(model.variables.choose[o], 1.0) for o in rows], "==", 1.0)


def stream_chosen(model: Model) -> Iterator[Row]:
    """A source carries a share of demand exactly when a chosen option says so."""
    for s, rows in enumerate(model.options_of_stream):
        if len(rows) > 1:
            terms = [(model.variables.choose[int(o)], 1.0) for o in rows]
            yield Row(
                model.names.streams[s], [*terms, (model.variables.stream[s], -1.0)], "==", 0.0
            )


def offer_chosen(model: Model) -> Iterator[Row]:
    """An offer is in use exactly when one of its shares is."""
    for f in model.offers:
        terms = _streams(model, f, np.ones(len(model.streams_of_offer[f])))
        used = model.variables.offer[f]
        if not any(variable is used for variable, _ in terms):
            yield Row(model.names.offers[f], [*terms, (used, -1.0)], "==", 0.0)


def flow(model: Model) -> Iterator[Row]:
    """Stock is what was there, plus batches released, less demand served, less scrap."""
    variables, tables = model.variables, model.tables
    for f in model.offers:
        lag, rows = int(model.problem.offers.lag[f]), model.streams_of_offer[f]
        needed = _in_batches(model, f, tables.demand[rows])
        needed[:, 0] -= _in_batches(model, f, tables.opening[rows])
        for t, key in _periods(model, f):
            terms = [
                (variables.stock[f, t], 1.0),
                (variables.unmet[f, t], -1.0),
                (variables.scrap[f, t], 1.0),
            ]
            if t:
                terms.append((variables.stock[f, t - 1], -1.0))
            if (f, t - lag) in variables.batches:
                terms.append((variables.batches[f, t - lag], -1.0))
            yield Row(key, terms + _streams(model, f, needed[:, t]), "==", 0.0)


def line_days(model: Model) -> Iterator[Row]:
    """The batches, changeovers and validation runs of a line fit in its days of the period."""
    problem, variables, names = model.problem, model.variables, model.names
    offers, lines = problem.offers, problem.lines
    for line, mine in model.offers_of_line.items():
        for t in range(problem.periods):
            terms: Terms = []
            for f in mine:
                if (f, t) in variables.batches:
                    terms.append((variables.batches[f, t], float(offers.days[f])))
                if (f, t) in variables.campaign and lines.changeover_days[line]:
                    days = float(lines.changeover_days[line])
                    terms.append((variables.campaign[f, t], days))
                if offers.validation_period[f] == t and offers.validation_days[f]:
                    terms.append((variables.offer[f], float(offers.validation_days[f])))
            if not terms:
                continue
            if line in variables.expanded and t >= lines.expansion_period[line]:
                terms.append((variables.expanded[line], -float(lines.expansion_days[line])))
            key = f"{names.lines[line]},{names.periods[t]}"
            yield Row(key, terms, "<=", float(lines.days[line, t]))


def expansion(model: Model) -> Iterator[Row]:
    """Only a line that makes something is expanded."""
    for line, variable in model.variables.expanded.items():
        users: Terms = [(model.variables.offer[f], -1.0) for f in model.offers_of_line[line]]
        yield Row(model.names.lines[line], [(variable, 1.0), *users], "<=", 0.0)


def campaign(model: Model) -> Iterator[Row]:
    """Batches run only in a campaign, and only of an offer that was chosen and is ready."""
    variables = model.variables
    for (f, t), batches in variables.batches.items():
        key = f"{model.names.offers[f]},{model.names.periods[t]}"
        run = variables.campaign.get((f, t), variables.offer[f])
        yield Row(key, [(batches, 1.0), (run, -float(model.max_batches[f, t]))], "<=", 0.0)
        if run is not variables.offer[f]:
            yield Row(key + ",chosen", [(run, 1.0), (variables.offer[f], -1.0)], "<=", 0.0)


def shelf_life(model: Model) -> Iterator[Row]:
    """Stock does not exceed what its shelf life lets the source's share of demand use up."""
    yield from _against_stock(model, model.tables.cap, "<=")


def safety_stock(model: Model) -> Iterator[Row]:
    """Stock below the safety target is allowed, and the gap is counted."""
    yield from _against_stock(model, model.tables.target, ">=")


def serve_first(model: Model) -> Iterator[Row]:
    """No stock is held back while demand goes unmet."""
    variables, tables = model.variables, model.tables
    for (f, t), short in variables.short.items():
        key = f"{model.names.offers[f]},{model.names.periods[t]}"
        rows = model.streams_of_offer[f]
        good = model.problem.offers.good_per_batch[f]
        demand = float(tables.demand[rows, t].max() / good)
        cap = float(tables.cap[rows, t].max() / good)
        yield Row(f"{key},unmet", [(variables.unmet[f, t], 1.0), (short, -demand)], "<=", 0.0)
        yield Row(f"{key},stock", [(variables.stock[f, t], 1.0), (short, cap)], "<=", cap)


def engaged(model: Model) -> Iterator[Row]:
    """A CMO is engaged exactly when it makes some program."""
    variables, names = model.variables, model.names
    for k, mine in model.offers_of_cmo.items():
        variable = variables.engaged[k]
        by_program: dict[int, Terms] = {}
        for f in mine:
            terms = by_program.setdefault(int(model.problem.offers.program[f]), [])
            terms.append((variables.offer[f], 1.0))
        for p, terms in sorted(by_program.items()):
            key = f"{names.cmos[k]},{names.programs[p]}"
            yield Row(key, [*terms, (variable, -1.0)], "<=", 0.0)
        users: Terms = [(variables.offer[f], -1.0) for f in mine]
        yield Row(names.cmos[k], [(variable, 1.0), *users], "<=", 0.0)


def take_or_pay(model: Model) -> Iterator[Row]:
    """What a year's spend with an engaged CMO lacks to the agreed floor is paid all the same."""
    for (k, year), variable in model.variables.shortfall.items():
        floor = float(model.problem.cmos.floor[k, year])
        terms = [(spender, price / floor) for spender, price in model.spend(k, year)]
        terms += [(variable, 1.0), (model.variables.engaged[k], -1.0)]
        yield Row(f"{model.names.cmos[k]},{model.names.years[year]}", terms, ">=", 0.0)


def tiers(model: Model) -> Iterator[Row]:
    """A year's whole spend with a CMO earns the rebate of the highest tier that it reaches."""
    variables, names = model.variables, model.names
    for (k, year), steps in model.reachable_tiers.items():
        key = f"{names.cmos[k]},{names.years[year]}"
        scale = tier_scale(steps)
        parts = [variables.tier_spend[k, year, i] for i in range(len(steps))]
        flags = [variables.tier[k, year, i] for i in range(len(steps))]
        spend = [(variable, price / scale) for variable, price in model.spend(k, year)]
        yield Row(f"{key},spend", [*spend, *((part, -1.0) for part in parts)], "==", 0.0)
        one = [(flag, 1.0) for flag in flags]
        yield Row(f"{key},one", [*one, (variables.engaged[k], -1.0)], "==", 0.0)
        ends = [step[0] for step in steps[1:]] + [model.most_spend[k, year]]
        for i, (start, end) in enumerate(zip((s[0] for s in steps), ends, strict=True)):
            yield Row(f"{key},from_{i}", [(parts[i], 1.0), (flags[i], -start / scale)], ">=", 0.0)
            yield Row(f"{key},to_{i}", [(parts[i], 1.0), (flags[i], -end / scale)], "<=", 0.0)


def tier_scale(steps: list[tuple[float, float]]) -> float:
    """Money per unit of `tier_spend`: the highest reachable threshold."""
    return max(step[0] for step in steps) or 1.0


def _periods(model: Model, f: int) -> Iterator[tuple[int, str]]:
    """Each period with the key `offer,period` of its row."""
    for t, label in enumerate(model.names.periods):
        yield t, f"{model.names.offers[f]},{label}"


def _streams(model: Model, f: int, coefficient: Floats) -> Terms:
    """The stream variables of offer f, each with its coefficient; zeros are left out."""
    rows = model.streams_of_offer[f].tolist()
    return [
        (model.variables.stream[s], value)
        for s, value in zip(rows, coefficient.tolist(), strict=True)
        if value
    ]


def _in_batches(model: Model, f: int, units: Floats) -> Floats:
    """Units of the program as a number of batches of offer f."""
    return units / float(model.problem.offers.good_per_batch[f])


def _against_stock(model: Model, limit: Floats, sense: str) -> Iterator[Row]:
    """Stock (and its gap, for ">=") against `limit` (S, T) units of the chosen streams."""
    variables = model.variables
    for f in model.offers:
        bound = _in_batches(model, f, -limit[model.streams_of_offer[f]])
        for t, key in _periods(model, f):
            terms = [(variables.stock[f, t], 1.0)]
            if sense == ">=":
                if (f, t) not in variables.gap:
                    continue
                terms.append((variables.gap[f, t], 1.0))
            yield Row(key, terms + _streams(model, f, bound[:, t]), sense, 0.0)


#: Rule name -> function; the order is that of models/compact.md.
RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        one_option,
        stream_chosen,
        offer_chosen,
        flow,
        line_days,
        expansion,
        campaign,
        shelf_life,
        safety_stock,
        serve_first,
        engaged,
        take_or_pay,
        tiers,
    )
}
