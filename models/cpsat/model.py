"""The CP-SAT model: integer variables, logical rules, and the objective in whole money."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from models.cpsat.scaling import Scales, choose_scales, divisor, relaxed
from models.problem import Floats, Ints, Problem
from models.stock import unsourced_cost

#: A CP-SAT literal or integer variable.
Var = Any
Key = tuple[int, int]


@dataclass
class CpModel:
    """A problem in CP-SAT; keys are rows of the problem's tables, `[f, t]` offer and period."""

    problem: Problem
    scales: Scales
    cp: Any  # cp_model.CpModel
    choose: list[Var] = field(default_factory=list)
    stream: dict[int, Var] = field(default_factory=dict)
    offer: dict[int, Var] = field(default_factory=dict)
    batches: dict[Key, Var] = field(default_factory=dict)
    campaign: dict[Key, Var] = field(default_factory=dict)
    stock: dict[Key, Var] = field(default_factory=dict)
    unmet: dict[Key, Var] = field(default_factory=dict)
    scrap: dict[Key, Var] = field(default_factory=dict)
    gap: dict[Key, Var] = field(default_factory=dict)
    engaged: dict[int, Var] = field(default_factory=dict)
    expanded: dict[int, Var] = field(default_factory=dict)
    shortfall: dict[Key, Var] = field(default_factory=dict)  # [k, year] whole money
    most: dict[int, float] = field(default_factory=dict)  # variable index -> upper bound
    costs: list[tuple[Var, int]] = field(default_factory=list)  # objective, whole money
    offer_error: Floats = field(default_factory=lambda: np.zeros(0))  # (F,) money
    error: float = 0.0  # money that rounding can cost, in all

    def number(self, most: int, name: str) -> Var:
        """A new integer variable from 0 to `most`."""
        variable = self.cp.new_int_var(0, int(most), name)
        self.most[variable.index] = float(most)
        return variable

    def flag(self, name: str) -> Var:
        """A new 0-1 variable."""
        variable = self.cp.new_bool_var(name)
        self.most[variable.index] = 1.0
        return variable

    def at_most(self, terms: list[tuple[Var, float]], limit: float) -> None:
        """`terms` <= `limit` in whole numbers, rounded so that no plan is lost."""
        terms = [(variable, value) for variable, value in terms if value]
        values = np.array([value for _, value in terms], np.float64)
        most = np.array([self.most[variable.index] for variable, _ in terms], np.float64)
        whole, rhs = relaxed(values, most, limit)
        self.add(whole.tolist(), [variable for variable, _ in terms], "<=", rhs)

    def add(self, coefficients: list[int], variables: list[Var], sense: str, rhs: int) -> None:
        """A linear row of integers."""
        from ortools.sat.python import cp_model

        expression = cp_model.LinearExpr.weighted_sum(variables, coefficients)
        if sense == "<=":
            self.cp.add(expression <= rhs)
        elif sense == ">=":
            self.cp.add(expression >= rhs)
        else:
            self.cp.add(expression == rhs)

    def offers_by(self, owner: Ints) -> dict[int, list[int]]:
        """Offers in use by their line, CMO or program (`owner` (F,)), ascending."""
        found: dict[int, list[int]] = {}
        for f in sorted(self.offer):
            found.setdefault(int(owner[f]), []).append(f)
        return dict(sorted(found.items()))


def new_model(problem: Problem, gap: float) -> CpModel:
    """All variables and rules of a problem, award rules included, and the objective."""
    from ortools.sat.python import cp_model

    from models.cpsat.awards import add_awards
    from models.cpsat.spend import add_spend_rules

    model = CpModel(problem, choose_scales(problem, gap), cp_model.CpModel())
    model.offer_error = np.zeros(len(problem.offers.ids))
    _choices(model)
    _production(model)
    for f, rows in _streams_by_offer(model).items():
        _flow(model, f, rows)
    _engagements(model)
    _line_days(model)
    model.error = _choice_error(model)
    add_spend_rules(model)
    add_awards(model)
    variables, prices = zip(*model.costs, strict=True) if model.costs else ((), ())
    model.cp.minimize(cp_model.LinearExpr.weighted_sum(list(variables), list(prices)))
    return model


def _streams_by_offer(model: CpModel) -> dict[int, list[int]]:
    """Streams in use of each offer."""
    found: dict[int, list[int]] = {}
    for s in sorted(model.stream):
        found.setdefault(int(model.problem.streams.offer[s]), []).append(s)
    return dict(sorted(found.items()))


def _choices(model: CpModel) -> None:
    """One option per program; streams and offers follow from it."""
    problem, options = model.problem, model.problem.options
    model.choose = [model.flag(f"choose_{o}") for o in range(len(options.program))]
    for a, b in zip(options.start[:-1], options.start[1:], strict=True):
        model.cp.add_exactly_one(model.choose[int(a) : int(b)])
    users: dict[int, list[int]] = {}
    for o in range(len(options.program)):
        for s in (int(options.first[o]), int(options.second[o])):
            if s >= 0:
                users.setdefault(s, []).append(o)
    for s, rows in sorted(users.items()):
        model.stream[s] = _either(model, [model.choose[o] for o in rows], f"stream_{s}")
    for f, rows in _streams_by_offer(model).items():
        model.offer[f] = _either(model, [model.stream[s] for s in rows], f"offer_{f}")
    idle = np.where(options.first < 0, unsourced_cost(problem)[options.program], 0.0)
    cost = options.fixed_cost + problem.risk_weight * options.risk_cost + idle
    model.costs += zip(model.choose, model.scales.whole(cost).tolist(), strict=True)


def _either(model: CpModel, literals: list[Var], name: str) -> Var:
    """A literal that is the sum of others, of which at most one is true."""
    if len(literals) == 1:
        return literals[0]
    flag = model.flag(name)
    model.add([1] * len(literals) + [-1], [*literals, flag], "==", 0)
    return flag


def _production(model: CpModel) -> None:
    """Whole batches, campaigns where a changeover takes days or money."""
    problem, offers, lines = model.problem, model.problem.offers, model.problem.lines
    counts = (lines.changeover_days > 0) | (lines.changeover_cost > 0)
    price = model.scales.whole(offers.price).tolist()
    change = model.scales.whole(lines.changeover_cost).tolist()
    lost_price, lost_change = (
        model.scales.lost(offers.price),
        model.scales.lost(lines.changeover_cost),
    )
    bound = problem.max_batches
    for f, used in model.offer.items():
        line = int(offers.line[f])
        for t in np.flatnonzero(bound[f]).tolist():
            most = int(bound[f, t])
            number = model.number(most, f"batches_{f}_{t}")
            model.batches[f, t], run = number, used
            model.costs.append((number, price[f]))
            model.offer_error[f] += most * lost_price[f]
            if counts[line]:
                run = model.campaign[f, t] = model.flag(f"campaign_{f}_{t}")
                model.cp.add_implication(run, used)
                model.costs.append((run, change[line]))
                model.offer_error[f] += lost_change[line]
            model.add([1, -most], [number, run], "<=", 0)


def _flow(model: CpModel, f: int, rows: list[int]) -> None:
    """Stock, unmet demand, scrap and safety gap of an offer, in parts of a batch."""
    problem, scales = model.problem, model.scales
    T, p, parts = problem.periods, int(problem.offers.program[f]), int(scales.parts[f])
    lag = int(problem.offers.lag[f])
    streams = [model.stream[s] for s in rows]
    prices = problem.programs
    first = prices.safety_price[p] > prices.holding_price[p]
    held = int(scales.opening[rows].max())
    for t in range(T):
        key, batches = (f, t), model.batches.get((f, t - lag))
        demand, cap = scales.demand[rows, t], scales.cap[rows, t]
        target = scales.target[rows, t]
        available = held + (0 if batches is None else parts * int(model.most[batches.index]))
        stock = model.stock[key] = model.number(int(cap.max()), f"stock_{f}_{t}")
        unmet = model.unmet[key] = model.number(int(demand.max()), f"unmet_{f}_{t}")
        scrap = model.scrap[key] = model.number(available, f"scrap_{f}_{t}")
        needed = demand - (scales.opening[rows] if t == 0 else 0)
        terms = [(stock, 1), (unmet, -1), (scrap, 1)]
        terms += [] if t == 0 else [(model.stock[f, t - 1], -1)]
        terms += [] if batches is None else [(batches, -parts)]
        terms += list(zip(streams, needed.tolist(), strict=True))
        model.add([c for _, c in terms], [v for v, _ in terms], "==", 0)
        model.add([1, *(-cap).tolist()], [stock, *streams], "<=", 0)
        if prices.safety_price[p] > 0 and target.max() > 0:
            gap = model.gap[key] = model.number(int(target.max()), f"gap_{f}_{t}")
            model.add([1, 1, *(-target).tolist()], [stock, gap, *streams], ">=", 0)
        if first and demand.max() > 0 and cap.max() > 0:
            short = model.flag(f"short_{f}_{t}")
            model.cp.add(stock == 0).only_enforce_if(short)
            model.cp.add(unmet == 0).only_enforce_if(~short)
        held = int(cap.max())
    _flow_cost(model, f)


def _flow_cost(model: CpModel, f: int) -> None:
    """Holding, shortage and safety cost of an offer as one whole amount of money.

    Prices per part of a batch are too small to be rounded one by one: the sum is, once.
    """
    problem, scales, T = model.problem, model.scales, model.problem.periods
    programs, p = problem.programs, int(problem.offers.program[f])
    per_part = float(problem.offers.good_per_batch[f]) / float(scales.parts[f]) * scales.money
    hold = float(programs.holding_price[p]) * per_part
    terms: list[tuple[Var, float]] = []
    for t in range(T):
        terms.append((model.stock[f, t], hold))
        terms.append((model.scrap[f, t], hold * (T - t)))
        terms.append((model.unmet[f, t], float(programs.shortage_price[p]) * per_part))
        if (f, t) in model.gap:
            terms.append((model.gap[f, t], float(programs.safety_price[p]) * per_part))
    terms = [(variable, value) for variable, value in terms if value]
    if not terms:
        return
    values = np.array([value for _, value in terms])
    most = np.array([model.most[variable.index] for variable, _ in terms])
    scale = divisor(values, most)
    whole = np.round(values * scale).astype(np.int64)
    largest = int(float(np.sum(whole * most)) / scale) + 1
    cost = model.number(largest, f"flow_cost_{f}")
    model.add([*whole.tolist(), -scale], [*(v for v, _ in terms), cost], "<=", 0)
    model.costs.append((cost, 1))
    lost = float(np.sum(np.abs(whole / scale - values) * most)) + 1.0
    model.offer_error[f] += lost / scales.money


def _engagements(model: CpModel) -> None:
    """A CMO is engaged, a line expanded, only with a program there; engaged with each."""
    problem, cmos, lines = model.problem, model.problem.cmos, model.problem.lines
    fixed = model.scales.whole(cmos.onboarding_cost + cmos.fees).tolist()
    for k, mine in model.offers_by(problem.offer_cmo).items():
        flag = model.engaged[k] = model.flag(f"engaged_{k}")
        for f in mine:
            model.cp.add_implication(model.offer[f], flag)
        model.cp.add_bool_or([*(model.offer[f] for f in mine), ~flag])
        model.costs.append((flag, fixed[k]))
        by_program: dict[int, list[Var]] = {}
        for f in mine:
            by_program.setdefault(int(problem.offers.program[f]), []).append(model.offer[f])
        for literals in by_program.values():
            if len(literals) > 1:  # the two sources of a program are at different CMOs
                model.cp.add_at_most_one(literals)
    cost = model.scales.whole(lines.expansion_cost).tolist()
    for line, mine in model.offers_by(problem.offers.line).items():
        if lines.expansion_days[line] > 0 and lines.expansion_period[line] < problem.periods:
            flag = model.expanded[line] = model.flag(f"expanded_{line}")
            model.cp.add_bool_or([*(model.offer[f] for f in mine), ~flag])
            model.costs.append((flag, cost[line]))


def _line_days(model: CpModel) -> None:
    """Batches, changeovers and validation fit in the days of each line and period."""
    problem, offers, lines = model.problem, model.problem.offers, model.problem.lines
    for line, mine in model.offers_by(offers.line).items():
        for t in range(problem.periods):
            terms: list[tuple[Var, float]] = []
            for f in mine:
                if (f, t) in model.batches:
                    terms.append((model.batches[f, t], float(offers.days[f])))
                if (f, t) in model.campaign:
                    terms.append((model.campaign[f, t], float(lines.changeover_days[line])))
                if offers.validation_period[f] == t:
                    terms.append((model.offer[f], float(offers.validation_days[f])))
            if line in model.expanded and t >= lines.expansion_period[line]:
                terms.append((model.expanded[line], -float(lines.expansion_days[line])))
            if any(value for _, value in terms):
                model.at_most(terms, float(lines.days[line, t]))


def _choice_error(model: CpModel) -> float:
    """Money that rounding can cost: the dearest option of each program, and every fixed cost."""
    problem, options, scales = model.problem, model.problem.options, model.scales
    idle = np.where(options.first < 0, unsourced_cost(problem)[options.program], 0.0)
    own = scales.lost(options.fixed_cost + problem.risk_weight * options.risk_cost + idle)
    stream = scales.stream_error + model.offer_error[problem.streams.offer]
    stream = np.append(stream, 0.0)  # row -1: no source
    total = own + stream[options.first] + stream[options.second]
    worst = np.zeros(len(problem.programs.ids))
    np.maximum.at(worst, options.program, total)
    cmos, lines = problem.cmos, problem.lines
    fixed = scales.lost(cmos.onboarding_cost + cmos.fees)[list(model.engaged)].sum()
    grown = scales.lost(lines.expansion_cost)[list(model.expanded)].sum()
    return float(worst.sum() + fixed + grown)
