"""Rules on a year's spend with a CMO: take-or-pay floors and rebate tiers."""

from __future__ import annotations

import math

import numpy as np

from models.cpsat.model import CpModel, Var

#: Rebate rates are whole numbers of this many parts.
RATE_PARTS = 10**6


def add_spend_rules(model: CpModel) -> None:
    """Take-or-pay and tiers of every CMO that has one, by calendar year."""
    cmos, problem = model.problem.cmos, model.problem
    for k, mine in model.offers_by(problem.offer_cmo).items():
        for year in range(len(problem.year_labels)):
            if cmos.floor[k, year] <= 0 and not cmos.tiers[k]:
                continue
            terms, slack = whole_spend(model, mine, year)
            if cmos.floor[k, year] > 0:
                _take_or_pay(model, k, year, terms, slack)
            if cmos.tiers[k]:
                _tiers(model, k, year, terms, slack)


def whole_spend(model: CpModel, mine: list[int], year: int) -> tuple[list[tuple[Var, int]], int]:
    """A year's spend on some offers in whole money, and by how much rounding can change it."""
    offers, problem, scales = model.problem.offers, model.problem, model.scales
    price, once = scales.whole(offers.price).tolist(), scales.whole(offers.validation_cost).tolist()
    lost_price, lost_once = scales.lost(offers.price), scales.lost(offers.validation_cost)
    terms: list[tuple[Var, int]] = []
    lost = 0.0
    for f in mine:
        for t in np.flatnonzero(problem.year == year).tolist():
            if (f, t) in model.batches:
                batches = model.batches[f, t]
                terms.append((batches, price[f]))
                lost += lost_price[f] * model.most[batches.index]
        if problem.year[offers.validation_period[f]] == year and once[f]:
            terms.append((model.offer[f], once[f]))
            lost += lost_once[f]
    return terms, math.ceil(lost * scales.money - 1e-6)


def _take_or_pay(
    model: CpModel, k: int, year: int, terms: list[tuple[Var, int]], slack: int
) -> None:
    """What the spend with an engaged CMO lacks to the floor is paid all the same."""
    floor = math.floor(float(model.problem.cmos.floor[k, year]) * model.scales.money + 1e-6) - slack
    if floor <= 0:
        return
    short = model.shortfall[k, year] = model.number(floor, f"shortfall_{k}_{year}")
    model.add(
        [*(price for _, price in terms), 1, -floor],
        [*(variable for variable, _ in terms), short, model.engaged[k]],
        ">=",
        0,
    )
    model.costs.append((short, 1))


def _tiers(model: CpModel, k: int, year: int, terms: list[tuple[Var, int]], slack: int) -> None:
    """The year's spend stands in one tier and earns that tier's rebate."""
    money, tiers = model.scales.money, model.problem.cmos.tiers[k]
    most = sum(price * int(model.most[variable.index]) for variable, price in terms)
    starts = [(0, 0.0)] + [(math.floor(s * money * (1 - 1e-9)) - slack, rate) for s, rate in tiers]
    steps = [(max(start, 0), rate) for start, rate in starts if start <= most]
    ends = [math.ceil(s * money) + slack for s, _ in tiers[: len(steps) - 1]] + [most]
    flags, parts = [], []
    for i, ((start, _), end) in enumerate(zip(steps, ends, strict=True)):
        flag = model.flag(f"tier_{k}_{year}_{i}")
        part = model.number(min(end, most), f"tier_spend_{k}_{year}_{i}")
        model.add([1, -start], [part, flag], ">=", 0)
        model.add([1, -min(end, most)], [part, flag], "<=", 0)
        flags.append(flag)
        parts.append(part)
    model.add([1] * len(flags) + [-1], [*flags, model.engaged[k]], "==", 0)
    model.add(
        [*(price for _, price in terms), *([-1] * len(parts))],
        [*(variable for variable, _ in terms), *parts],
        "==",
        0,
    )
    rates = [math.ceil(rate * RATE_PARTS - 1e-6) for _, rate in steps]
    rebate = model.number(max(rates) * most // RATE_PARTS, f"rebate_{k}_{year}")
    model.add([RATE_PARTS, *(-rate for rate in rates)], [rebate, *parts], "<=", 0)
    model.costs.append((rebate, -1))
    model.error += (slack * max(rate for _, rate in steps) + 1.0) / money
