"""What would make a portfolio cheaper to secure: each enabler priced by solving again with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from allocator.errors import NoPlan, Usage
from allocator.outages.securing import secure_terms
from allocator.portfolio import Portfolio
from allocator.replay import carried

if TYPE_CHECKING:
    from allocator.compile import Compiled
    from models.result import Decision, Result
    from models.solve import Settings

#: Surge allowance, months of stock, and share of a line's days that are tried.
SURGE, STOCK_MONTHS, EXPANSION = 0.1, 1.0, 0.2
#: Most qualifications and lines that are tried.
QUALIFICATIONS, LINES = 6, 3
#: Shares of the time that is left for the plain plan, then for the secure one.
PLAIN_SHARE, BASE_SHARE = 0.05, 0.3
#: Seconds that one outage is looked at where a plan is tried under other tables.
CHECK_SECONDS = 1.0


@dataclass(frozen=True)
class Enabler:
    """One change: `worth` is the objective it saves a secure plan, `price` what it costs.

    Money; `price` None where the tables don't say. `months_short` is what the plan with it leaves
    unmet, None (and `worth` None) where no secure plan was found in time.
    """

    kind: str
    what: str
    price: float | None
    worth: float | None
    months_short: float | None


@dataclass(frozen=True)
class EnablerReport:
    """The plain and the secure plan of a portfolio, and the enablers, the most worth first."""

    plain_objective: float
    plain_months_short: float
    secure_objective: float
    secure_months_short: float
    secure_bound: float | None
    currency: str
    given_up: tuple[str, ...]
    enablers: tuple[Enabler, ...]


@dataclass(frozen=True)
class Change:
    """A portfolio with one enabler in place."""

    kind: str
    what: str
    price: float | None
    portfolio: Portfolio


def enablers(
    portfolio: str | Path,
    *,
    scenario: str | Path | None = None,
    solver: str = "auto",
    time_limit: float | None = None,
    gap: float = 0.005,
    threads: int = 1,
    seed: int = 0,
    stop: Callable[[], bool] | None = None,
) -> EnablerReport:
    """Price what could make security cheaper: surge, stock, qualifications, expansions.

    Stock is tried both as opening stock and as a target for safety stock.

    `time_limit` in seconds for everything, a third of it for the plans to compare with. Raises
    Usage for bad options, BadData for bad tables, NoPlan where no secure plan is found to compare
    with.
    """
    from allocator.compile import compile_problem
    from allocator.read import read_portfolio
    from models.solve import Settings, solve

    if gap < 0 or threads < 1 or (time_limit is not None and time_limit <= 0):
        raise Usage("gap must be at least 0, threads at least 1, the time limit above 0 s")
    started = time.monotonic()
    tables = read_portfolio(Path(portfolio), None if scenario is None else Path(scenario))
    compiled = compile_problem(tables, "secure")

    def settings(share: float) -> Settings:
        left = None if time_limit is None else time_limit - (time.monotonic() - started)
        limit = None if left is None else max(0.1, share * left)
        return Settings(limit, gap, threads, seed, None, stop)

    plain = _valued(compiled, solve(compiled.problem, solver, settings(PLAIN_SHARE)))
    found = _secure(compiled, solver, settings(BASE_SHARE))
    base = _valued(compiled, found)
    if plain is None or base is None:
        raise NoPlan("no secure plan was found to compare with; give more time")
    given_up = tuple(
        sorted(name for name, unmet in base.unmet.items() if unmet > plain.unmet[name] + 1e-6)
    )
    money = {name: base.missing[name] - plain.missing[name] for name in given_up}
    priced: list[_Priced] = []
    changes = list(_changes(compiled, money, base.full_lines))
    for i, change in enumerate(changes):
        changed = compile_problem(change.portfolio, "secure")
        start = carried(compiled.problem, changed.problem, base.decision)
        result = _secure(changed, solver, settings(1.0 / (len(changes) - i)), start)
        priced.append(_Priced(change, changed, _valued(changed, result)))
    base = _shared(compiled, base, priced)
    enablers = [
        Enabler(
            each.change.kind,
            each.change.what,
            each.change.price,
            None if each.plan is None else base.objective - each.plan.objective,
            None if each.plan is None else each.plan.months_short,
        )
        for each in priced
    ]
    enablers.sort(key=lambda e: (-(e.worth if e.worth is not None else float("-inf")), e.what))
    return EnablerReport(
        plain.objective,
        plain.months_short,
        base.objective,
        base.months_short,
        found.bound,
        tables.policy.currency,
        given_up,
        tuple(enablers),
    )


@dataclass
class _Priced:
    """A change with its tables and the best secure plan found for it."""

    change: Change
    compiled: Compiled
    plan: _Valued | None


def _shared(compiled: Compiled, base: _Valued, priced: list[_Priced]) -> _Valued:
    """The best plan without a change; each plan found counts wherever it is secure too.

    Else a change would seem to be worth what only the search for it had more luck with.
    """
    for each in priced:
        if each.plan is not None:
            base = _cheaper(each.compiled, each.plan, compiled, base) or base
    for each in priced:
        each.plan = _cheaper(compiled, base, each.compiled, each.plan) or each.plan
    return base


def _cheaper(
    source: Compiled, plan: _Valued, target: Compiled, known: _Valued | None
) -> _Valued | None:
    """A plan of `source` under the tables of `target`, if secure and cheaper than known there."""
    from models.finish import valid_value
    from models.recourse import Effort
    from models.secure import breaches

    decision = carried(source.problem, target.problem, plan.decision)
    value = None if decision is None else valid_value(target.problem, decision)
    if decision is None or value is None:
        return None
    if known is not None and value.objective >= known.objective:
        return None
    if breaches(target.problem, decision, secure_terms(target), Effort(0.05), CHECK_SECONDS, 0.0):
        return None
    return _figures(target, decision, value.objective)


@dataclass(frozen=True)
class _Valued:
    """Figures of a plan: by program unmet share and missing money, lines by how full they are."""

    decision: Decision
    objective: float
    months_short: float
    unmet: dict[str, float]
    missing: dict[str, float]
    full_lines: tuple[str, ...]


def _secure(
    compiled: Compiled, solver: str, settings: Settings, start: Decision | None = None
) -> Result:
    from models.secure import solve_secure

    return solve_secure(compiled.problem, secure_terms(compiled), settings, solver, start)


def _valued(compiled: Compiled, result: Result) -> _Valued | None:
    """The figures of a result's plan, None without one."""
    if result.decision is None or result.objective is None:
        return None
    return _figures(compiled, result.decision, result.objective)


def _figures(compiled: Compiled, decision: Decision, objective: float) -> _Valued:
    from models.evaluate import evaluate

    problem = compiled.problem
    value = evaluate(problem, decision)
    wanted = problem.programs.demand.sum(1)
    share = value.program_unmet / wanted.clip(min=1e-9)
    offered = problem.lines.days.sum(1).clip(min=1e-9)
    full = (value.used_days.sum(1) / offered).tolist()
    order = sorted(range(len(full)), key=lambda row: (-full[row], problem.lines.ids[row]))
    money = problem.programs.shortage_price * value.program_unmet
    return _Valued(
        decision=decision,
        objective=objective,
        months_short=float(problem.programs.months_per_unit @ value.program_unmet),
        unmet=dict(zip(problem.programs.ids, share.tolist(), strict=True)),
        missing=dict(zip(problem.programs.ids, money.tolist(), strict=True)),
        full_lines=tuple(problem.lines.ids[row] for row in order if full[row] > 0),
    )


def _changes(
    compiled: Compiled, money: dict[str, float], full_lines: tuple[str, ...]
) -> Iterator[Change]:
    """Every enabler that is tried; `money` is what each program gives up."""
    tables, given_up = compiled.portfolio, tuple(money)
    lines = {
        key: line if line.surge is None else replace(line, surge=line.surge + SURGE)
        for key, line in tables.lines.items()
    }
    policy = replace(tables.policy, surge=tables.policy.surge + SURGE)
    what = f"{100 * SURGE:g} % more days of all lines while another is out"
    yield Change("surge", what, None, replace(tables, lines=lines, policy=policy))
    if given_up:
        yield Change(
            "stock",
            f"{STOCK_MONTHS:g} month of demand more in opening stock of {', '.join(given_up)}",
            None,
            _stocked(tables, given_up),
        )
        yield Change(
            "safety_stock",
            f"{STOCK_MONTHS:g} month more of safety stock as the target of {', '.join(given_up)}",
            None,
            _targeted(tables, given_up),
        )
    yield from _qualifications(compiled, money)
    for line_id in full_lines[:LINES]:
        line = tables.lines[line_id]
        more = replace(line, days=tuple(days * (1 + EXPANSION) for days in line.days))
        what = f"{100 * EXPANSION:g} % more days of {line_id}"
        yield Change(
            "expansion", what, None, replace(tables, lines={**tables.lines, line_id: more})
        )


def _stocked(tables: Portfolio, names: tuple[str, ...]) -> Portfolio:
    """The portfolio with a month's mean demand more in opening stock of some programs."""
    programs = dict(tables.programs)
    for name in names:
        program = programs[name]
        busy = [quantity for quantity in program.demand if quantity > 0] or [0.0]
        monthly = sum(busy) / len(busy) / tables.periods[0].months
        stock = program.opening_stock + STOCK_MONTHS * monthly
        programs[name] = replace(program, opening_stock=stock)
    return replace(tables, programs=programs)


def _targeted(tables: Portfolio, names: tuple[str, ...]) -> Portfolio:
    """The portfolio with a higher target of safety stock for some programs."""
    programs = dict(tables.programs)
    for name in names:
        months = programs[name].safety_stock_months + STOCK_MONTHS
        programs[name] = replace(programs[name], safety_stock_months=months)
    return replace(tables, programs=programs)


def _qualifications(compiled: Compiled, money: dict[str, float]) -> Iterator[Change]:
    """One offer more that is qualified already: the cheapest of each program that gives up most."""
    tables = compiled.portfolio
    cheapest: dict[str, tuple[float, str]] = {}
    for offer_id in compiled.offer_ids:
        offer = tables.offers[offer_id]
        if offer.program_id in money and not offer.qualified:
            price = offer.transfer_cost + offer.ppq_batches * offer.price_per_batch
            known = cheapest.get(offer.program_id, (float("inf"), ""))
            cheapest[offer.program_id] = min(known, (price, offer_id))
    order = sorted(cheapest, key=lambda name: (-money[name], name))
    for name in order[:QUALIFICATIONS]:
        price, offer_id = cheapest[name]
        offer = replace(tables.offers[offer_id], qualified=True)
        what = f"{offer.program_id} qualified on {offer.line_id} from the start ({offer_id})"
        offers = {**tables.offers, offer_id: offer}
        yield Change("qualification", what, price, replace(tables, offers=offers))
