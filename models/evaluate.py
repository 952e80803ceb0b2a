"""The exact value of a decision: stock flows, every cost line, and the rules it breaks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.problem import Floats, Ints, Problem, StreamTables
from models.result import Decision

#: The lines of cash cost, in the order they are shown; all but rebates are at least 0.
CASH_LINES = (
    "batches",
    "validation",
    "transfer",
    "changeovers",
    "holding",
    "onboarding",
    "annual_fees",
    "take_or_pay",
    "expansions",
    "rebates",
)


@dataclass(frozen=True)
class Flow:
    """Stock movements of N streams, all (N, T) units; `safety_gap` is stock below target."""

    released: Floats
    stock: Floats
    unmet: Floats
    scrap: Floats
    safety_gap: Floats


def simulate(tables: StreamTables, released: Floats) -> Flow:
    """Serve demand first, keep what the shelf life allows, scrap the rest.

    `released` (N, T) units come free for use at the start of each period. Given the batches this
    is the cheapest flow that never holds stock back from demand (models/compact.md, `flow`).
    """
    stock = np.zeros_like(released)
    unmet = np.zeros_like(released)
    scrap = np.zeros_like(released)
    held = tables.opening
    for t in range(released.shape[1]):
        left = held + released[:, t] - tables.demand[:, t]
        unmet[:, t] = np.maximum(-left, 0.0)
        held = np.clip(left, 0.0, tables.cap[:, t])
        scrap[:, t] = np.maximum(left - held, 0.0) * (left > 0.0)
        stock[:, t] = held
    return Flow(released, stock, unmet, scrap, np.maximum(tables.target - stock, 0.0))


def flow_cost(problem: Problem, program: Ints, flow: Flow) -> tuple[Floats, Floats, Floats]:
    """Holding, shortage and safety-stock cost of each stream, (N,) each.

    Scrap awaits destruction until the end of the horizon and is charged for holding like stock,
    so throwing medicine away never saves money.
    """
    programs = problem.programs
    remaining = np.arange(problem.periods, 0, -1, dtype=np.float64)
    holding = programs.holding_price[program] * (flow.stock.sum(1) + flow.scrap @ remaining)
    shortage = programs.shortage_price[program] * flow.unmet.sum(1)
    safety = programs.safety_price[program] * flow.safety_gap.sum(1)
    return holding, shortage, safety


def unsourced_tables(problem: Problem, program: Ints) -> StreamTables:
    """The tables of programs with no source at all: share 1, served from opening stock."""
    from models.problem import window

    programs = problem.programs
    demand, after = programs.demand[program], programs.demand_after[program]
    cap = window(demand, after, programs.shelf_periods[program])
    target = np.minimum(window(demand, after, programs.safety_periods[program]), cap)
    return StreamTables(demand, cap, target, programs.opening_stock[program])


def unsourced_cost(problem: Problem) -> Floats:
    """Holding, shortage and safety-stock cost together of leaving each program unsourced, (P,)."""
    program = np.arange(len(problem.programs.ids))
    tables = unsourced_tables(problem, program)
    flow = simulate(tables, np.zeros_like(tables.demand))
    return np.sum(flow_cost(problem, program, flow), axis=0)


@dataclass(frozen=True)
class Value:
    """Every figure of a decision.

    `cash` maps each of CASH_LINES to money (rebates negative); `program_*` are (P,); `spend`
    (K, Y) is batches and validation by calendar year; `used_days` (L, T) includes changeovers and
    validation; `cash_by_period` (T,) is what `budget` counts: all cash but rebates. `engaged`
    (K,). `broken` lists each broken rule as `label: what`.
    """

    cash: dict[str, float]
    shortage: float
    safety_stock: float
    risk: float
    program_shortage: Floats
    program_unmet: Floats
    program_risk: Floats
    spend: Floats
    used_days: Floats
    cash_by_period: Floats
    engaged: Ints
    broken: tuple[str, ...]

    @property
    def cash_cost(self) -> float:
        """Money that leaves the house, rebates taken off."""
        return float(sum(self.cash.values()))

    @property
    def shortage_cost(self) -> float:
        """Unmet demand and missing safety stock, at the user's own price."""
        return self.shortage + self.safety_stock

    @property
    def objective(self) -> float:
        """Cash, shortage and weighted risk."""
        return self.cash_cost + self.shortage_cost + self.risk


def chosen_streams(problem: Problem, option: Ints) -> Ints:
    """Rows of all streams of the chosen options, first sources then second ones, without -1."""
    options = problem.options
    rows = np.concatenate([options.first[option], options.second[option]])
    return rows[rows >= 0]


def released_units(problem: Problem, offer: int, batches: Ints) -> Floats:
    """Good units free for use per period, (T,), from batches started per period."""
    lag = int(problem.offers.lag[offer])
    units = np.zeros(problem.periods)
    if lag < problem.periods:
        units[lag:] = batches[: problem.periods - lag] * problem.offers.good_per_batch[offer]
    return units


def rebate(tiers: tuple[tuple[float, float], ...], spend: float) -> float:
    """Rebate on a year's whole spend: the rate of the highest tier that the spend reaches."""
    rate = 0.0
    for spend_from, share in tiers:
        if spend >= spend_from * (1.0 - 1e-9):
            rate = share
    return rate * spend


def evaluate(problem: Problem, decision: Decision) -> Value:
    """Value a decision exactly and list every rule it breaks. Uses no solver.

    Raises ValueError where the decision does not fit the problem's arrays.
    """
    programs, cmos, lines, offers = problem.programs, problem.cmos, problem.lines, problem.offers
    options, T = problem.options, problem.periods
    P, K, L, Y = len(programs.ids), len(cmos.ids), len(lines.ids), len(problem.year_labels)
    if decision.option.shape != (P,) or decision.expanded.shape != (L,):
        raise ValueError("the decision has not one option per program and one flag per line")
    broken: list[str] = []
    owner = np.arange(P)
    if not np.array_equal(options.program[decision.option], owner):
        raise ValueError("one_option: an option of another program was chosen")

    rows = chosen_streams(problem, decision.option)
    offer_of = problem.streams.offer[rows]
    if len(set(offer_of.tolist())) < len(offer_of):
        raise ValueError("one offer stands twice in the chosen options")
    batches = np.array(
        [decision.batches.get(int(f), np.zeros(T, np.int64)) for f in offer_of], np.int64
    ).reshape(len(rows), T)
    stray = {f for f, n in decision.batches.items() if np.any(n)} - set(offer_of.tolist())
    broken += [f"campaign: batches of {offers.ids[f]}, which no option chose" for f in stray]

    # stock, shortage, holding
    tables = problem.stream_tables(rows)
    released = np.array(
        [released_units(problem, int(f), n) for f, n in zip(offer_of, batches, strict=True)]
    ).reshape(len(rows), T)
    flow = simulate(tables, released)
    holding, shortage, safety = flow_cost(problem, offers.program[offer_of], flow)
    program_shortage, program_unmet = np.zeros(P), np.zeros(P)
    np.add.at(program_shortage, offers.program[offer_of], shortage)
    np.add.at(program_unmet, offers.program[offer_of], flow.unmet.sum(1))
    none = owner[options.first[decision.option] < 0]
    idle_tables = unsourced_tables(problem, none)
    idle = simulate(idle_tables, np.zeros_like(idle_tables.demand))
    idle_holding, idle_shortage, idle_safety = flow_cost(problem, none, idle)
    program_shortage[none] += idle_shortage
    program_unmet[none] += idle.unmet.sum(1)

    # lines
    campaign = batches > 0
    line_of = offers.line[offer_of]
    used = np.zeros((L, T))
    np.add.at(
        used,
        line_of,
        offers.days[offer_of][:, None] * batches
        + lines.changeover_days[line_of][:, None] * campaign,
    )
    np.add.at(used, (line_of, offers.validation_period[offer_of]), offers.validation_days[offer_of])
    grown = np.arange(T)[None, :] >= lines.expansion_period[:, None]
    capacity = lines.days + (lines.expansion_days * decision.expanded)[:, None] * grown
    for line, t in np.argwhere(used > capacity * (1 + 1e-9) + 1e-6):
        broken.append(
            f"line_days: {lines.ids[line]} in {problem.period_labels[t]} uses"
            f" {used[line, t]:g} of {capacity[line, t]:g} days"
        )
    early = np.arange(T)[None, :] < offers.ready[offer_of][:, None]
    for row, t in np.argwhere((batches > 0) & early):
        broken.append(
            f"campaign: {offers.ids[offer_of[row]]} runs in {problem.period_labels[t]},"
            " before it is ready"
        )
    if np.any(batches < 0):
        broken.append("campaign: a negative number of batches")

    # money by CMO and year, by period
    cmo_of = problem.offer_cmo[offer_of]
    at = np.zeros((P, K), np.bool_)
    at[offers.program[offer_of], cmo_of] = True
    engaged = at.any(0)
    pay = offers.price[offer_of][:, None] * batches
    spend = np.zeros((K, Y))
    for row in range(len(rows)):
        np.add.at(spend[cmo_of[row]], problem.year, pay[row])
    validation_year = problem.year[offers.validation_period[offer_of]]
    np.add.at(spend, (cmo_of, validation_year), offers.validation_cost[offer_of])
    shortfall = np.maximum(cmos.floor - spend, 0.0) * engaged[:, None]
    rebates = np.array(
        [[rebate(cmos.tiers[k], float(spend[k, y])) for y in range(Y)] for k in range(K)]
    ).reshape(K, Y)
    changeovers = lines.changeover_cost[line_of][:, None] * campaign
    by_period = pay.sum(0) + changeovers.sum(0)
    np.add.at(
        by_period,
        offers.validation_period[offer_of],
        offers.validation_cost[offer_of] + offers.transfer_cost[offer_of],
    )
    hold = programs.holding_price[offers.program[offer_of]]
    kept = flow.stock + np.cumsum(flow.scrap, axis=1)
    by_period += (hold[:, None] * kept).sum(0)
    idle_kept = idle.stock + np.cumsum(idle.scrap, axis=1)
    by_period += (programs.holding_price[none][:, None] * idle_kept).sum(0)
    expansions = float(lines.expansion_cost[decision.expanded].sum())
    by_period[0] += float(cmos.onboarding_cost[engaged].sum()) + expansions
    by_period += float(cmos.fees[engaged].sum()) / T
    last = np.array([np.flatnonzero(problem.year == y)[-1] for y in range(Y)])
    np.add.at(by_period, last, shortfall.sum(0))

    cash = dict.fromkeys(CASH_LINES, 0.0)
    cash["batches"] = float(pay.sum())
    cash["validation"] = float(offers.validation_cost[offer_of].sum())
    cash["transfer"] = float(offers.transfer_cost[offer_of].sum())
    cash["changeovers"] = float(changeovers.sum())
    cash["holding"] = float(holding.sum() + idle_holding.sum())
    cash["onboarding"] = float(cmos.onboarding_cost[engaged].sum())
    cash["annual_fees"] = float(cmos.fees[engaged].sum())
    cash["take_or_pay"] = float(shortfall.sum())
    cash["expansions"] = expansions
    cash["rebates"] = -float(rebates.sum())
    broken += broken_rules(problem, decision, at, spend, by_period)
    risk = problem.risk_weight * options.risk_cost[decision.option]
    return Value(
        cash=cash,
        shortage=float(program_shortage.sum()),
        safety_stock=float(safety.sum() + idle_safety.sum()),
        risk=float(risk.sum()),
        program_shortage=program_shortage,
        program_unmet=program_unmet,
        program_risk=risk,
        spend=spend,
        used_days=used,
        cash_by_period=by_period,
        engaged=engaged.astype(np.int64),
        broken=tuple(broken),
    )


def broken_rules(
    problem: Problem, decision: Decision, at: np.ndarray, spend: Floats, by_period: Floats
) -> list[str]:
    """Each award rule that a decision breaks; `at` (P, K) tells which CMO makes which program."""
    broken: list[str] = []
    per_cmo = at.sum(0)
    engaged = per_cmo > 0
    limits = problem.cmos.max_programs
    for k in np.flatnonzero((limits >= 0) & (per_cmo > limits)):
        broken.append(f"max_programs: {problem.cmos.ids[k]} makes {per_cmo[k]} programs")
    total = float(spend.sum())
    for rule in problem.rules:
        members = list(rule.cmos)
        count, limit, fails = 0.0, rule.limit, False
        if rule.name in ("max_cmos", "min_cmos"):
            count = float(engaged[members].sum())
            fails = count > limit if rule.name == "max_cmos" else count < limit
        elif rule.name == "max_programs":
            count = float(at[:, members].any(1).sum())
            fails = count > limit
        elif rule.name == "max_spend_share":
            count = float(spend[members].sum())
            fails = count > limit * total * (1 + 1e-9) + 1e-6
        elif rule.name == "not_together":
            count, limit = float(at[list(rule.programs)].sum(0).max(initial=0)), 1.0
            fails = count > 1
        elif rule.name == "budget":
            count = float(by_period[list(rule.periods)].sum())
            fails = count > limit * (1 + 1e-9) + 1e-6
        elif len(rule.banned):
            fails = bool(np.isin(decision.option, rule.banned).any())
        if fails:
            broken.append(f"{rule.label}: {count:g} against {limit:g}")
    return broken
