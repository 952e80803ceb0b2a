"""The decision variables of the compact model, created with readable names.

Stock, unmet demand, scrap and safety gap are counted in batches of their offer (units divided by
`good_per_batch`), take-or-pay shortfall in shares of the floor and tier spend in shares of the
highest tier's threshold, so that the coefficients stay near 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from models.compact.names import Names
from models.problem import Bools, Floats, Ints, Problem, StreamTables

#: A PuLP variable (PuLP has no types).
Variable = Any
#: A linear expression: variables with their coefficients.
Terms = list[tuple[Variable, float]]


@dataclass(frozen=True)
class Variables:
    """All variables by what they mean; keys are rows of the problem's tables.

    `choose[o]` option chosen, `stream[s]` and `offer[f]` stream and offer in use (one and the same
    variable where they mean the same), `batches[f, t]` whole batches started, `campaign[f, t]`,
    `stock`, `unmet`, `scrap`, `gap` (`[f, t]`), `short[f, t]` demand may go unmet, `engaged[k]`,
    `expanded[line]`, `shortfall[k, year]`, `tier[k, year, i]`, `tier_spend[k, year, i]`.
    """

    choose: dict[int, Variable] = field(default_factory=dict)
    stream: dict[int, Variable] = field(default_factory=dict)
    offer: dict[int, Variable] = field(default_factory=dict)
    batches: dict[tuple[int, int], Variable] = field(default_factory=dict)
    campaign: dict[tuple[int, int], Variable] = field(default_factory=dict)
    stock: dict[tuple[int, int], Variable] = field(default_factory=dict)
    unmet: dict[tuple[int, int], Variable] = field(default_factory=dict)
    scrap: dict[tuple[int, int], Variable] = field(default_factory=dict)
    gap: dict[tuple[int, int], Variable] = field(default_factory=dict)
    short: dict[tuple[int, int], Variable] = field(default_factory=dict)
    engaged: dict[int, Variable] = field(default_factory=dict)
    expanded: dict[int, Variable] = field(default_factory=dict)
    shortfall: dict[tuple[int, int], Variable] = field(default_factory=dict)
    tier: dict[tuple[int, int, int], Variable] = field(default_factory=dict)
    tier_spend: dict[tuple[int, int, int], Variable] = field(default_factory=dict)


@dataclass(frozen=True)
class Model:
    """A problem with its PuLP variables and the look-ups that several rules share."""

    problem: Problem
    prob: Any  # pulp.LpProblem
    names: Names
    variables: Variables

    @cached_property
    def tables(self) -> StreamTables:
        """Demand, cap, target and opening stock of every stream, in units."""
        return self.problem.stream_tables(slice(None))

    @cached_property
    def options_of_stream(self) -> list[Ints]:
        """Option rows that use each stream."""
        options, count = self.problem.options, len(self.problem.streams.offer)
        rows = np.arange(len(options.program))
        stream = np.concatenate([options.first, options.second])
        option = np.concatenate([rows, rows])[stream >= 0]
        return grouped(stream[stream >= 0], option, count)

    @cached_property
    def streams_of_offer(self) -> list[Ints]:
        """Stream rows of each offer, only those that some option uses."""
        used = np.array([s for s, rows in enumerate(self.options_of_stream) if len(rows)], np.int64)
        offer = self.problem.streams.offer[used]
        return grouped(offer, used, len(self.problem.offers.ids))

    @cached_property
    def offers(self) -> list[int]:
        """Offers that some option uses, ascending."""
        return [f for f, rows in enumerate(self.streams_of_offer) if len(rows)]

    @cached_property
    def offers_of_line(self) -> dict[int, list[int]]:
        """Used offers on each line that has one."""
        found: dict[int, list[int]] = {}
        for f in self.offers:
            found.setdefault(int(self.problem.offers.line[f]), []).append(f)
        return dict(sorted(found.items()))

    @cached_property
    def offers_of_cmo(self) -> dict[int, list[int]]:
        """Used offers at each CMO that has one."""
        found: dict[int, list[int]] = {}
        for f in self.offers:
            found.setdefault(int(self.problem.offer_cmo[f]), []).append(f)
        return dict(sorted(found.items()))

    @cached_property
    def max_batches(self) -> Ints:
        """The campaign bound, (F, T)."""
        return self.problem.max_batches

    @cached_property
    def counts_campaigns(self) -> Bools:
        """Lines on which a campaign costs days or money, (L,); elsewhere it need not be counted."""
        lines = self.problem.lines
        return (lines.changeover_days > 0) | (lines.changeover_cost > 0)

    @cached_property
    def serves_first_by_rule(self) -> Bools:
        """Programs for which holding stock back from demand could pay, (P,); see compact.md."""
        programs = self.problem.programs
        return programs.safety_price > programs.holding_price

    @cached_property
    def reachable_tiers(self) -> dict[tuple[int, int], list[tuple[float, float]]]:
        """Tiers that a year's spend can reach, by (k, year): (spend_from, rebate), base first."""
        found: dict[tuple[int, int], list[tuple[float, float]]] = {}
        for k in self.offers_of_cmo:
            tiers = self.problem.cmos.tiers[k]
            if not tiers:
                continue
            for year in range(len(self.problem.year_labels)):
                most = self.most_spend[k, year]
                reached = [tier for tier in tiers if tier[0] <= most]
                if reached:
                    base = [] if reached[0][0] <= 0 else [(0.0, 0.0)]
                    found[k, year] = base + reached
        return found

    @cached_property
    def most_spend(self) -> Floats:
        """An upper bound on each CMO's spend in each year, (K, Y)."""
        problem, offers = self.problem, self.problem.offers
        K, Y = len(problem.cmos.ids), len(problem.year_labels)
        most = np.zeros((K, Y))
        rows = np.array(self.offers, np.int64)
        for f in rows:
            k = int(problem.offer_cmo[f])
            most[k, problem.year[offers.validation_period[f]]] += offers.validation_cost[f]
        grown = np.arange(problem.periods)[None, :] >= problem.lines.expansion_period[:, None]
        days = problem.lines.days + problem.lines.expansion_days[:, None] * grown
        by_count = np.zeros((len(problem.lines.ids), problem.periods))
        np.add.at(by_count, offers.line[rows], offers.price[rows, None] * self.max_batches[rows])
        best = np.zeros(len(problem.lines.ids))
        np.maximum.at(best, offers.line[rows], offers.price[rows] / offers.days[rows])
        spend = np.minimum(by_count, best[:, None] * days * (1 + 1e-9))
        for line in range(len(problem.lines.ids)):
            np.add.at(most[problem.lines.cmo[line]], problem.year, spend[line])
        return most

    def spend(self, k: int, year: int) -> Terms:
        """Spend with CMO k in a calendar year: batches by their start, and validation."""
        problem, offers = self.problem, self.problem.offers
        terms: Terms = []
        for f in self.offers_of_cmo.get(k, []):
            for t in np.flatnonzero(problem.year == year).tolist():
                if (f, t) in self.variables.batches:
                    terms.append((self.variables.batches[f, t], float(offers.price[f])))
            if offers.validation_cost[f] and problem.year[offers.validation_period[f]] == year:
                terms.append((self.variables.offer[f], float(offers.validation_cost[f])))
        return terms


def grouped(key: Ints, value: Ints, count: int) -> list[Ints]:
    """The values of each key 0..count-1, ascending."""
    order = np.lexsort((value, key))
    return np.split(value[order], np.searchsorted(key[order], np.arange(1, count)))[:count]


def new_model(problem: Problem) -> Model:
    """A model with all its variables, without costs and rules."""
    import pulp

    model = Model(problem, pulp.LpProblem("allocation"), Names(problem), Variables())
    _choices(model)
    _flows(model)
    _engagements(model)
    return model


def _choices(model: Model) -> None:
    """Option, stream and offer variables; a stream of one option is that option's variable."""
    variables, names, new = model.variables, model.names, model.prob.add_variable
    for o in range(len(model.problem.options.program)):
        variables.choose[o] = new(f"choose({names.option(o)})", cat="Binary")
    for s, rows in enumerate(model.options_of_stream):
        if len(rows) == 1:
            variables.stream[s] = variables.choose[int(rows[0])]
        elif len(rows):
            variables.stream[s] = new(f"stream({names.streams[s]})", 0, 1)
    for f in model.offers:
        rows = model.streams_of_offer[f]
        if len(rows) == 1 and len(model.options_of_stream[int(rows[0])]) == 1:
            variables.offer[f] = variables.stream[int(rows[0])]
        else:
            variables.offer[f] = new(f"offer({names.offers[f]})", cat="Binary")


def _flows(model: Model) -> None:
    """Batches, campaigns, stock, unmet demand, scrap and safety gap of each used offer."""
    problem, variables, names = model.problem, model.variables, model.names
    new = model.prob.add_variable
    for f in model.offers:
        program = int(problem.offers.program[f])
        counts = model.counts_campaigns[problem.offers.line[f]]
        rows, good = model.streams_of_offer[f], float(problem.offers.good_per_batch[f])
        target, cap = model.tables.target[rows].max(0), model.tables.cap[rows].max(0)
        demand = model.tables.demand[rows].max(0)
        for t in range(problem.periods):
            key, tail = (f, t), f"({names.offers[f]},{names.periods[t]})"
            most = int(model.max_batches[f, t])
            if most:
                variables.batches[key] = new("batches" + tail, 0, most, "Integer")
                if counts:
                    variables.campaign[key] = new("campaign" + tail, cat="Binary")
            variables.stock[key] = new("stock" + tail, 0)
            variables.unmet[key] = new("unmet" + tail, 0, float(demand[t]) / good)
            variables.scrap[key] = new("scrap" + tail, 0)
            if target[t] > 0 and problem.programs.safety_price[program] > 0:
                variables.gap[key] = new("gap" + tail, 0)
            if model.serves_first_by_rule[program] and demand[t] > 0 and cap[t] > 0:
                variables.short[key] = new("short" + tail, cat="Binary")


def _engagements(model: Model) -> None:
    """CMOs engaged, lines expanded, take-or-pay shortfall and tiers."""
    problem, variables, names = model.problem, model.variables, model.names
    new = model.prob.add_variable
    for k in model.offers_of_cmo:
        variables.engaged[k] = new(f"engaged({names.cmos[k]})", cat="Binary")
        for year in np.flatnonzero(problem.cmos.floor[k] > 0).tolist():
            tail = f"({names.cmos[k]},{names.years[year]})"
            variables.shortfall[k, year] = new("shortfall" + tail, 0, 1)
    for line in model.offers_of_line:
        offered = problem.lines.expansion_days[line] > 0
        if offered and problem.lines.expansion_period[line] < problem.periods:
            variables.expanded[line] = new(f"expanded({names.lines[line]})", cat="Binary")
    for (k, year), tiers in model.reachable_tiers.items():
        for i in range(len(tiers)):
            tail = f"({names.cmos[k]},{names.years[year]},{i})"
            variables.tier[k, year, i] = new("tier" + tail, cat="Binary")
            variables.tier_spend[k, year, i] = new("tier_spend" + tail, 0)
