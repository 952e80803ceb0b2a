"""`allocator simulate`: the futures of a finished plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from allocator.errors import Usage
from allocator.replay import FinishedRun, read_finished
from allocator.simulation.agreement import compare_with_exact
from allocator.simulation.case import Case, Floats, build_case
from allocator.simulation.draws import Draws, draw
from allocator.simulation.playing import Played, play
from allocator.simulation.report import Effect, SimulationReport, write_report
from allocator.simulation.settings import demand_error_assumed, simulation_setting
from allocator.simulation.spread import Spread, spread

#: Futures that the effects one by one are played in.
EFFECT_FUTURES = 1000
#: More than these are refused: their results would not fit in memory.
MOST_FUTURES = 1_000_000


def simulate(
    run_folder: str | Path,
    *,
    futures: int = 10_000,
    seed: int = 0,
    demand_error: float | None = None,
    out: str | Path | None = None,
) -> SimulationReport:
    """Play a finished run's plan in `futures` seeded futures (docs/simulate.md).

    `demand_error` is the standard deviation of demand over its forecast, else the policy's. Writes
    simulation.json and simulation.csv into the run's folder, or into `out`. Raises Usage for bad
    options and for a run without a plan.
    """
    if not 2 <= futures <= MOST_FUTURES:
        raise Usage(f"give from 2 to {MOST_FUTURES} futures")
    if seed < 0 or (demand_error is not None and not 0.0 <= demand_error <= 2.0):
        raise Usage("seed must be at least 0, the demand error from 0 to 2")
    run = read_finished(run_folder)
    report = simulate_run(run, futures, seed, demand_error)
    write_report(report, run.folder if out is None else Path(out))
    return report


def simulate_run(
    run: FinishedRun, futures: int, seed: int, demand_error: float | None = None
) -> SimulationReport:
    """The report alone; nothing is written."""
    policy = run.compiled.portfolio.policy
    error = simulation_setting(policy, "demand_error") if demand_error is None else demand_error
    level = simulation_setting(policy, "cvar_level")
    case = build_case(run.compiled, run.decision)
    draws = draw(case, futures, seed, error)
    played = play(case, draws, seed)
    ids = case.problem.programs.ids
    order = sorted(range(len(ids)), key=ids.__getitem__)
    return SimulationReport(
        folder=run.folder,
        currency=policy.currency,
        futures=futures,
        seed=seed,
        demand_error=error,
        cvar_level=level,
        periods=case.problem.period_labels,
        planned=_planned(run.plan),
        portfolio={name: spread(x, level) for name, x in _whole(played).items()},
        planned_programs={p["program_id"]: _planned_program(p) for p in run.plan["programs"]},
        programs={ids[p]: _program(played, p, level) for p in order},
        unmet=tuple(spread(1.0 - x, level) for x in played.served.T),
        effects=_effects(case, draws, seed),
        agreement=compare_with_exact(case, draws, simulation_setting(policy, "confidence")),
        assumptions=_assumptions(case, error, demand_error),
    )


def _whole(played: Played) -> dict[str, Floats]:
    """Figures of the portfolio in each future, (N,)."""
    cash = played.cash.sum(axis=1) + played.overhead
    shortage = played.shortage.sum(axis=1)
    return {
        "months_short": played.months_short.sum(axis=1),
        "delay_months": played.delay.sum(axis=1),
        "cost": cash + shortage,
        "cash_cost": cash,
        "shortage_cost": shortage,
    }


def _program(played: Played, p: int, level: float) -> dict[str, Spread]:
    figures = {
        "months_short": played.months_short[:, p],
        "delay_months": played.delay[:, p],
        "cost": played.cash[:, p] + played.shortage[:, p],
    }
    return {name: spread(values, level) for name, values in figures.items()}


def _planned(plan: dict[str, Any]) -> dict[str, float]:
    """The same figures as the plan states them; risk is what the futures play out."""
    return {
        "months_short": plan["months_short"],
        "delay_months": 0.0,
        "cost": plan["cash_cost"] + plan["shortage_cost"],
        "cash_cost": plan["cash_cost"],
        "shortage_cost": plan["shortage_cost"],
    }


def _planned_program(program: dict[str, Any]) -> dict[str, float]:
    costs = program["costs"]
    return {
        "months_short": program["months_short"],
        "delay_months": 0.0,
        "cost": sum(money for line, money in costs.items() if line != "risk"),
    }


def _effects(case: Case, draws: Draws, seed: int) -> tuple[Effect, ...]:
    """Mean months short and cost with one kind of chance at a time, and with all of them."""
    every = draws.first(EFFECT_FUTURES)
    calm = replace(
        every,
        slip=np.zeros_like(every.slip),
        out=np.zeros_like(every.out),
        demand=np.ones_like(every.demand),
    )
    kinds = (
        ("nothing", calm.first(1), False),
        ("slips", replace(calm, slip=every.slip), False),
        ("outages", replace(calm, out=every.out), False),
        ("failed batches", calm, True),
        ("demand error", replace(calm, demand=every.demand), False),
        ("all together", every, True),
    )
    effects = []
    for name, futures, failures in kinds:
        whole = _whole(play(case, futures, seed, failures))
        short, cost = float(whole["months_short"].mean()), float(whole["cost"].mean())
        effects.append(Effect(name, short, cost))
    return tuple(effects)


def _assumptions(case: Case, error: float, given: float | None) -> tuple[tuple[str, str], ...]:
    """What the futures assume, beyond what the plan itself lists."""
    policy = case.compiled.portfolio.policy
    found = [("simulation", "nobody re-plans: batches stay as planned but for slips and outages")]
    if given is None and demand_error_assumed(policy):
        found.append(
            ("policy.toml simulation.demand_error", f"{error:g} assumed: give your own figure")
        )
    if case.sources.partner.max(initial=-1) >= 0:
        found.append(
            ("simulation", "while a source is late, the program's other one carries its share")
        )
    return tuple(found)
