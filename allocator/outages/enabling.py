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

if TYPE_CHECKING:
    from allocator.compile import Compiled
    from models.result import Result
    from models.solve import Settings

#: Surge allowance, months of stock, and share of a line's days that are tried.
SURGE, STOCK_MONTHS, EXPANSION = 0.1, 1.0, 0.2
#: Most qualifications and lines that are tried.
QUALIFICATIONS, LINES = 6, 3


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

    `time_limit` in seconds for everything, shared evenly. Raises Usage for bad options, BadData for
    bad tables, NoPlan where no secure plan is found to compare with.
    """
    from allocator.compile import compile_problem
    from allocator.read import read_portfolio
    from models.solve import Settings, solve

    if gap < 0 or threads < 1 or (time_limit is not None and time_limit <= 0):
        raise Usage("gap must be at least 0, threads at least 1, the time limit above 0 s")
    started = time.monotonic()
    tables = read_portfolio(Path(portfolio), None if scenario is None else Path(scenario))
    compiled = compile_problem(tables, "secure")
    waiting = 6 + QUALIFICATIONS + LINES

    def settings() -> Settings:
        nonlocal waiting
        left = None if time_limit is None else time_limit - (time.monotonic() - started)
        waiting = max(1, waiting - 1)
        limit = None if left is None else max(0.1, left / waiting)
        return Settings(limit, gap, threads, seed, None, stop)

    plain = _valued(compiled, solve(compiled.problem, solver, settings()))
    secure = _valued(compiled, _secure(compiled, solver, settings()))
    if plain is None or secure is None:
        raise NoPlan("no secure plan was found to compare with; give more time")
    given_up = tuple(
        sorted(name for name, unmet in secure.unmet.items() if unmet > plain.unmet[name] + 1e-6)
    )
    changes = list(_changes(compiled, given_up, secure.full_lines))
    waiting = len(changes) + 1
    found = []
    for change in changes:
        changed = compile_problem(change.portfolio, "secure")
        value = _valued(changed, _secure(changed, solver, settings()))
        worth = None if value is None else secure.objective - value.objective
        short = None if value is None else value.months_short
        found.append(Enabler(change.kind, change.what, change.price, worth, short))
    found.sort(key=lambda e: (-(e.worth if e.worth is not None else float("-inf")), e.what))
    return EnablerReport(
        plain.objective,
        plain.months_short,
        secure.objective,
        secure.months_short,
        tables.policy.currency,
        given_up,
        tuple(found),
    )


@dataclass(frozen=True)
class _Valued:
    """Figures of a plan: unmet share of demand by program, lines by how full they are."""

    objective: float
    months_short: float
    unmet: dict[str, float]
    full_lines: tuple[str, ...]


def _secure(compiled: Compiled, solver: str, settings: Settings) -> Result:
    from models.secure import solve_secure

    return solve_secure(compiled.problem, secure_terms(compiled), settings, solver)


def _valued(compiled: Compiled, result: Result) -> _Valued | None:
    """The figures of a result's plan, None without one."""
    from models.evaluate import evaluate

    if result.decision is None or result.objective is None:
        return None
    problem = compiled.problem
    value = evaluate(problem, result.decision)
    wanted = problem.programs.demand.sum(1)
    share = value.program_unmet / wanted.clip(min=1e-9)
    offered = problem.lines.days.sum(1).clip(min=1e-9)
    full = (value.used_days.sum(1) / offered).tolist()
    order = sorted(range(len(full)), key=lambda row: (-full[row], problem.lines.ids[row]))
    return _Valued(
        objective=result.objective,
        months_short=float(problem.programs.months_per_unit @ value.program_unmet),
        unmet=dict(zip(problem.programs.ids, share.tolist(), strict=True)),
        full_lines=tuple(problem.lines.ids[row] for row in order if full[row] > 0),
    )


def _changes(
    compiled: Compiled, given_up: tuple[str, ...], full_lines: tuple[str, ...]
) -> Iterator[Change]:
    """Every enabler that is tried."""
    tables = compiled.portfolio
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
    yield from _qualifications(compiled, given_up)
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


def _qualifications(compiled: Compiled, given_up: tuple[str, ...]) -> Iterator[Change]:
    """One offer more that is qualified already, the cheapest of the programs that give up most."""
    tables = compiled.portfolio
    found = []
    for offer_id in compiled.offer_ids:
        offer = tables.offers[offer_id]
        if offer.program_id in given_up and not offer.qualified:
            price = offer.transfer_cost + offer.ppq_batches * offer.price_per_batch
            found.append((price, offer_id))
    for price, offer_id in sorted(found)[:QUALIFICATIONS]:
        offer = replace(tables.offers[offer_id], qualified=True)
        what = f"{offer.program_id} qualified on {offer.line_id} from the start ({offer_id})"
        offers = {**tables.offers, offer_id: offer}
        yield Change("qualification", what, price, replace(tables, offers=offers))
