"""Random problems in arrays, of any size and with every feature, for tests of `models`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.options import enumerate_options
from models.problem import Cmos, Lines, Offers, Problem, Programs, Rule


def random_problem(
    seed: int,
    programs: int = 3,
    cmos: int = 3,
    periods: int = 4,
    sourcing: str = "free",
    utilisation: float = 0.85,
    splits: tuple[float, ...] = (0.5, 0.6, 0.7, 0.8),
    rules: bool = False,
    features: bool = True,
) -> Problem:
    """A problem with `programs` x `cmos` (one or two lines each) and about `utilisation` load.

    `features` switches on tiers, take-or-pay, expansions, lag, opening stock and safety stock,
    `rules` a handful of award rules.
    """
    rng = np.random.default_rng(seed)
    P, K, T = programs, cmos, periods
    mean = rng.lognormal(4.5, 0.5, P)
    growth = rng.uniform(0.95, 1.08, P)[:, None] ** np.arange(T)
    demand = np.round(mean[:, None] * growth * rng.uniform(0.7, 1.3, (P, T)), 1)
    starts = np.where(rng.random(P) < 0.3, rng.integers(0, max(1, T // 2), P), 0)
    demand = np.where(np.arange(T)[None, :] >= starts[:, None], demand, 0.0)
    line_cmo = np.concatenate([np.arange(K), rng.integers(0, K, K // 2)])
    line_cmo.sort()
    L = len(line_cmo)
    rows = [(p, line) for p in range(P) for line in range(L) if rng.random() < min(0.6, 8 / K)]
    for p in range(P):
        if not any(row[0] == p for row in rows):
            rows.append((p, int(rng.integers(L))))
    rows.sort()
    program, line = (np.array(part, np.int64) for part in zip(*rows, strict=True))
    F = len(rows)
    batch = np.round(mean[program] * rng.uniform(0.2, 0.9, F), 1)
    qualified = rng.random(F) < 0.35
    cmo_factor = rng.uniform(0.85, 1.2, K)
    price = np.round(batch**0.7 * mean[program] ** 0.3 * 8 * cmo_factor[line_cmo[line]], 1)
    days = np.round(rng.uniform(2, 6, F), 1)
    load = np.zeros(L)
    np.add.at(load, line, days * mean[program] / batch / np.bincount(program)[program])
    offers = Offers(
        ids=tuple(f"P{p:03d}@L{line:03d}" for p, line in rows),
        program=program,
        line=line,
        good_per_batch=batch * 0.95,
        price=price,
        days=days,
        ready=np.where(qualified, 0, rng.integers(1, max(2, T // 2 + 1), F)),
        lag=(rng.random(F) < 0.3).astype(np.int64) * int(features),
        transfer_cost=np.where(qualified, 0.0, np.round(price * rng.uniform(1, 3, F), 1)),
        validation_cost=np.where(qualified, 0.0, price * 2),
        validation_days=np.where(qualified, 0.0, days * 1.5),
        validation_period=np.zeros(F, np.int64),
        qualified=qualified,
    )
    delay = mean * rng.uniform(3, 9, P) * 10
    monthly = np.array([row[row > 0].mean() if (row > 0).any() else 1.0 for row in demand])
    shortage_price = delay * 3 / monthly
    safety = (rng.random(P) < 0.5) * float(features)
    parts = Programs(
        ids=tuple(f"P{p:03d}" for p in range(P)),
        demand=demand,
        demand_after=demand[:, -4:].mean(1),
        shortage_price=shortage_price,
        months_per_unit=3 / monthly,
        holding_price=shortage_price * 0.004,
        safety_price=shortage_price * 0.02 * safety,
        opening_stock=np.round(mean * rng.uniform(0, 1.2, P) * (rng.random(P) < 0.4), 1) * features,
        shelf_periods=rng.choice([2.0, 3.5, 8.0], P),
        safety_periods=safety * rng.choice([0.5, 1.0], P),
    )
    years = (T + 3) // 4
    yearly = mean.sum() * 8 * 4 / K
    on = float(features)
    cmo_table = Cmos(
        ids=tuple(f"K{k:02d}" for k in range(K)),
        onboarding_cost=np.round(rng.uniform(0.1, 0.4, K) * yearly, 0),
        fees=np.round(rng.uniform(0.0, 0.1, K) * yearly, 0),
        floor=np.tile(
            np.round((rng.random(K) < 0.3) * rng.uniform(0.2, 0.8, K) * yearly)[:, None], (1, years)
        )
        * on,
        max_programs=np.where(rng.random(K) < 0.2, max(1, P // 2), -1),
        tiers=tuple(
            ((yearly * 0.5, 0.03), (yearly, 0.07)) if features and rng.random() < 0.4 else ()
            for _ in range(K)
        ),
    )
    lines = Lines(
        ids=tuple(f"L{line:03d}" for line in range(L)),
        cmo=line_cmo,
        days=np.round(np.tile((load / utilisation + 2.0)[:, None], (1, T)), 1),
        changeover_days=np.round(rng.uniform(0.0, 1.0, L), 1),
        changeover_cost=np.round(rng.uniform(0, 60, L) * on),
        expansion_days=np.where(rng.random(L) < 0.3, np.round(load / utilisation * 0.4, 1), 0) * on,
        expansion_cost=np.full(L, np.round(yearly * 0.15)),
        expansion_period=np.full(L, min(2, T - 1)),
    )
    streams, options = enumerate_options(P, offers, line_cmo[line], [sourcing] * P, splits)
    risk = delay[options.program] * np.where(
        options.first < 0, 0.0, rng.uniform(0.0, 0.3, len(options.program))
    )
    problem = Problem(
        period_labels=tuple(f"{2027 + t // 4}Q{t % 4 + 1}" for t in range(T)),
        year=np.arange(T) // 4,
        year_labels=tuple(str(2027 + y) for y in range(years)),
        programs=parts,
        cmos=cmo_table,
        lines=lines,
        offers=offers,
        streams=streams,
        options=replace(options, risk_cost=risk),
        rules=(),
    )
    return replace(problem, rules=some_rules(problem)) if rules else problem


def some_rules(problem: Problem) -> tuple[Rule, ...]:
    """One rule of each linear kind, loose enough to hold together."""
    K, P = len(problem.cmos.ids), len(problem.programs.ids)
    everyone = tuple(range(K))
    unsourced = problem.options.start[:1]
    return (
        Rule("max_cmos", "max_cmos", max(1, K - 1), cmos=everyone),
        Rule("min_cmos", "min_cmos", min(2, K), cmos=everyone),
        Rule("max_programs", "max_programs", max(1, P // 2), cmos=(0,)),
        *(Rule("max_spend_share", f"max_spend_share_{k}", 0.7, cmos=(k,)) for k in everyone),
        Rule("not_together", "not_together", programs=tuple(range(min(2, P)))),
        Rule("force", "force", banned=unsourced),
    )
