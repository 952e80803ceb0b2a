"""The exact value of a decision: every cost line, and the rules it breaks. Uses no solver."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.problem import Bools, Floats, Ints, Problem
from models.result import Decision
from models.stock import (
    Flow,
    flow_cost,
    released_units,
    simulate,
    unsourced_cost,
    unsourced_tables,
)

__all__ = [
    "CASH_LINES",
    "Flow",
    "Value",
    "broken_rules",
    "chosen_streams",
    "evaluate",
    "flow_cost",
    "rebate",
    "released_units",
    "simulate",
    "unsourced_cost",
    "unsourced_tables",
]

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


def rebate(tiers: tuple[tuple[float, float], ...], spend: float) -> float:
    """Rebate on a year's whole spend: the rate of the highest tier that the spend reaches."""
    rate = 0.0
    for spend_from, share in tiers:
        if spend >= spend_from * (1.0 - 1e-9):
            rate = share
    return rate * spend


@dataclass(frozen=True)
class _Chosen:
    """The N sources that a decision chose; all (N,) but `batches` and `campaign`, (N, T)."""

    stream: Ints
    offer: Ints
    program: Ints
    line: Ints
    cmo: Ints
    batches: Ints
    campaign: Bools


@dataclass(frozen=True)
class _Supply:
    """What stock and shortage of all programs, sourced or not, amount to."""

    program_shortage: Floats  # (P,) money
    program_unmet: Floats  # (P,) units
    safety: float  # money
    holding_by_period: Floats  # (T,) money


@dataclass(frozen=True)
class _Spend:
    """What is paid to CMOs."""

    by_year: Floats  # (K, Y) batches and validation
    shortfall: Floats  # (K, Y) take-or-pay
    rebates: float


def evaluate(problem: Problem, decision: Decision) -> Value:
    """Value a decision exactly and list every rule it breaks.

    Raises ValueError where the decision does not fit the problem's arrays.
    """
    chosen = _chosen(problem, decision)
    made = np.zeros((len(problem.programs.ids), len(problem.cmos.ids)), np.bool_)
    made[chosen.program, chosen.cmo] = True
    engaged: Bools = np.asarray(made.any(0))
    supply = _supply(problem, decision, chosen)
    used = _used_days(problem, chosen)
    spend = _spend(problem, chosen, engaged)
    cash = _cash(problem, decision, chosen, engaged, spend)
    cash["holding"] = float(supply.holding_by_period.sum())
    by_period = _cash_by_period(problem, decision, chosen, engaged, spend)
    by_period += supply.holding_by_period
    broken = _broken_batches(problem, decision, chosen)
    broken += _broken_days(problem, decision, used)
    broken += broken_rules(problem, decision, made, spend.by_year, by_period)
    risk = problem.risk_weight * problem.options.risk_cost[decision.option]
    return Value(
        cash=cash,
        shortage=float(supply.program_shortage.sum()),
        safety_stock=supply.safety,
        risk=float(risk.sum()),
        program_shortage=supply.program_shortage,
        program_unmet=supply.program_unmet,
        program_risk=risk,
        spend=spend.by_year,
        used_days=used,
        cash_by_period=by_period,
        engaged=np.asarray(engaged, np.int64),
        broken=tuple(broken),
    )


def _chosen(problem: Problem, decision: Decision) -> _Chosen:
    """The sources of a decision. Raises ValueError where it does not fit the problem."""
    P, L, T = len(problem.programs.ids), len(problem.lines.ids), problem.periods
    if decision.option.shape != (P,) or decision.expanded.shape != (L,):
        raise ValueError("the decision has not one option per program and one flag per line")
    if not np.array_equal(problem.options.program[decision.option], np.arange(P)):
        raise ValueError("one_option: an option of another program was chosen")
    rows = chosen_streams(problem, decision.option)
    offer = problem.streams.offer[rows]
    if len(set(offer.tolist())) < len(offer):
        raise ValueError("one offer stands twice in the chosen options")
    idle = np.zeros(T, np.int64)
    batches = np.array([decision.batches.get(f, idle) for f in offer.tolist()], np.int64)
    batches = batches.reshape(len(rows), T)
    return _Chosen(
        stream=rows,
        offer=offer,
        program=problem.offers.program[offer],
        line=problem.offers.line[offer],
        cmo=problem.offer_cmo[offer],
        batches=batches,
        campaign=batches > 0,
    )


def _supply(problem: Problem, decision: Decision, chosen: _Chosen) -> _Supply:
    """Stock and shortage of every source, and of the programs left unsourced."""
    P = len(problem.programs.ids)
    released = np.array(
        [released_units(problem, f, n) for f, n in zip(chosen.offer, chosen.batches, strict=True)]
    ).reshape(chosen.batches.shape)
    none = np.flatnonzero(problem.options.first[decision.option] < 0)
    idle = unsourced_tables(problem, none)
    shortage, unmet = np.zeros(P), np.zeros(P)
    safety, by_period = 0.0, np.zeros(problem.periods)
    for program, flow in (
        (chosen.program, simulate(problem.stream_tables(chosen.stream), released)),
        (none, simulate(idle, np.zeros_like(idle.demand))),
    ):
        _, short, gap = flow_cost(problem, program, flow)
        np.add.at(shortage, program, short)
        np.add.at(unmet, program, flow.unmet.sum(1))
        safety += float(gap.sum())
        kept = flow.stock + np.cumsum(flow.scrap, axis=1)
        by_period += (problem.programs.holding_price[program][:, None] * kept).sum(0)
    return _Supply(shortage, unmet, safety, by_period)


def _used_days(problem: Problem, chosen: _Chosen) -> Floats:
    """Line-days taken by batches, changeovers and validation, (L, T)."""
    offers, lines = problem.offers, problem.lines
    used = np.zeros((len(lines.ids), problem.periods))
    batch_days = offers.days[chosen.offer][:, None] * chosen.batches
    change_days = lines.changeover_days[chosen.line][:, None] * chosen.campaign
    np.add.at(used, chosen.line, batch_days + change_days)
    when = offers.validation_period[chosen.offer]
    np.add.at(used, (chosen.line, when), offers.validation_days[chosen.offer])
    return used


def _spend(problem: Problem, chosen: _Chosen, engaged: Bools) -> _Spend:
    """Spend by CMO and calendar year, what it lacks to the floor, and the rebates on it."""
    cmos, offers = problem.cmos, problem.offers
    spend = np.zeros((len(cmos.ids), len(problem.year_labels)))
    pay = offers.price[chosen.offer][:, None] * chosen.batches
    np.add.at(spend, (chosen.cmo[:, None], problem.year[None, :]), pay)
    year = problem.year[offers.validation_period[chosen.offer]]
    np.add.at(spend, (chosen.cmo, year), offers.validation_cost[chosen.offer])
    shortfall = np.maximum(cmos.floor - spend, 0.0) * engaged[:, None]
    rebates = sum(
        rebate(tiers, float(paid))
        for tiers, row in zip(cmos.tiers, spend, strict=True)
        if tiers
        for paid in row
    )
    return _Spend(spend, shortfall, float(rebates))


def _cash(
    problem: Problem, decision: Decision, chosen: _Chosen, engaged: Bools, spend: _Spend
) -> dict[str, float]:
    """Each line of cash; holding is left at 0."""
    cmos, offers, lines = problem.cmos, problem.offers, problem.lines
    changeover = lines.changeover_cost[chosen.line][:, None] * chosen.campaign
    cash = dict.fromkeys(CASH_LINES, 0.0)
    cash["batches"] = float((offers.price[chosen.offer][:, None] * chosen.batches).sum())
    cash["validation"] = float(offers.validation_cost[chosen.offer].sum())
    cash["transfer"] = float(offers.transfer_cost[chosen.offer].sum())
    cash["changeovers"] = float(changeover.sum())
    cash["onboarding"] = float(cmos.onboarding_cost[engaged].sum())
    cash["annual_fees"] = float(cmos.fees[engaged].sum())
    cash["take_or_pay"] = float(spend.shortfall.sum())
    cash["expansions"] = float(lines.expansion_cost[decision.expanded].sum())
    cash["rebates"] = -spend.rebates
    return cash


def _cash_by_period(
    problem: Problem, decision: Decision, chosen: _Chosen, engaged: Bools, spend: _Spend
) -> Floats:
    """What `budget` counts, (T,), without holding (docs/model.md, award rules)."""
    cmos, offers, lines = problem.cmos, problem.offers, problem.lines
    per_batch = offers.price[chosen.offer][:, None] * chosen.batches
    per_campaign = lines.changeover_cost[chosen.line][:, None] * chosen.campaign
    by_period: Floats = per_batch.sum(0) + per_campaign.sum(0)
    once = offers.validation_cost[chosen.offer] + offers.transfer_cost[chosen.offer]
    np.add.at(by_period, offers.validation_period[chosen.offer], once)
    by_period[0] += float(cmos.onboarding_cost[engaged].sum())
    by_period[0] += float(lines.expansion_cost[decision.expanded].sum())
    by_period += float(cmos.fees[engaged].sum()) / problem.periods
    years = range(len(problem.year_labels))
    last = np.array([np.flatnonzero(problem.year == year)[-1] for year in years])
    np.add.at(by_period, last, spend.shortfall.sum(0))
    return by_period


def _broken_batches(problem: Problem, decision: Decision, chosen: _Chosen) -> list[str]:
    """Batches that no option chose, that run too early, or that are fewer than none."""
    offers = problem.offers
    ran = {f for f, n in decision.batches.items() if np.any(n)}
    broken = [
        f"campaign: batches of {offers.ids[f]}, which no option chose"
        for f in sorted(ran - set(chosen.offer.tolist()))
    ]
    early = np.arange(problem.periods)[None, :] < offers.ready[chosen.offer][:, None]
    broken += [
        f"campaign: {offers.ids[chosen.offer[row]]} runs in {problem.period_labels[t]},"
        " before it is ready"
        for row, t in np.argwhere(chosen.campaign & early)
    ]
    if np.any(chosen.batches < 0):
        broken.append("campaign: a negative number of batches")
    return broken


def _broken_days(problem: Problem, decision: Decision, used: Floats) -> list[str]:
    """Lines that use more days than they have."""
    lines = problem.lines
    grown = np.arange(problem.periods)[None, :] >= lines.expansion_period[:, None]
    capacity = lines.days + (lines.expansion_days * decision.expanded)[:, None] * grown
    return [
        f"line_days: {lines.ids[line]} in {problem.period_labels[t]} uses"
        f" {used[line, t]:g} of {capacity[line, t]:g} days"
        for line, t in np.argwhere(used > capacity * (1 + 1e-9) + 1e-6)
    ]


def broken_rules(
    problem: Problem, decision: Decision, at: Bools, spend: Floats, by_period: Floats
) -> list[str]:
    """Each award rule that a decision breaks; `at` (P, K) tells which CMO makes which program."""
    per_cmo = at.sum(0)
    engaged = per_cmo > 0
    limits = problem.cmos.max_programs
    broken = [
        f"max_programs: {problem.cmos.ids[k]} makes {per_cmo[k]} programs"
        for k in np.flatnonzero((limits >= 0) & (per_cmo > limits))
    ]
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
        elif rule.name == "risk_cap":
            count = float(problem.options.risk_cost[decision.option].sum())
            fails = count > limit * (1 + 1e-9) + 1e-6
        elif len(rule.banned):
            fails = bool(np.isin(decision.option, rule.banned).any())
        if fails:
            broken.append(f"{rule.label}: {count:g} against {limit:g}")
    return broken
