"""The plan as it stands, played in each future: batches made, medicine served, money paid.

Nobody re-plans. docs/simulate.md says in words what happens to a batch, a source and a program.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.simulation.case import Case, Floats, Ints
from allocator.simulation.draws import Draws, generator

#: Cells (futures x streams x periods) played at once: bounds memory, and stays in cache.
CELLS = 1 << 18


@dataclass(frozen=True)
class Played:
    """What N futures come to. `months_short`, `cash`, `shortage` and `delay` are (N, P).

    `delay` is months from the planned first supply of a program to the actual one. `cash` of a
    program has its batches, transfers, changeovers and stock; `overhead` (N,) is the rest of the
    portfolio's, rebates taken off. `served` (N, T) is the share of all demand that is served, each
    program weighted by what its delay costs.
    """

    months_short: Floats
    cash: Floats
    shortage: Floats
    overhead: Floats
    delay: Floats
    served: Floats


def play(case: Case, draws: Draws, seed: int, failures: bool = True) -> Played:
    """Play every future. With `failures` off each batch yields what it does on average."""
    futures, programs = draws.demand.shape
    block = max(1, CELLS // max(1, case.tables.demand.size))
    names = [case.problem.offers.ids[f] for f in case.sources.offer]
    fails = [generator(seed, "failures", name) for name in names] if failures else None
    parts = []
    for first in range(0, futures, block):
        rows = slice(first, first + block)
        parts.append(_play_block(case, draws, rows, fails))
    if not parts:
        raise ValueError("no futures to play")
    short, cash, shortage, rebates, served = (
        np.concatenate([part[k] for part in parts]) for k in range(5)
    )
    return Played(
        months_short=short,
        cash=cash,
        shortage=shortage,
        overhead=case.overhead - rebates,
        delay=_delay(case, draws.slip, programs),
        served=served,
    )


def _play_block(
    case: Case, draws: Draws, rows: slice, fails: list[np.random.Generator] | None
) -> tuple[Floats, ...]:
    """Months short, cash and shortage cost (n, P), rebates (n,) and served share (n, T)."""
    sources, problem = case.sources, case.problem
    demand = _demand(case, draws.demand[rows])
    running = 1.0 - _standing(case, draws.out[rows], draws.begins[rows])
    slip = draws.slip[rows]
    good = _good_batches(case, slip.shape[0], fails)
    started = _moved(sources.batches[None], slip, case.months) * running
    made = _moved(good, slip, case.months) * running * sources.units[:, None]
    release = _lagged(made, sources.lag)
    extra, paid = _partners(case, demand, running, slip)
    release += extra
    unmet, kept, gap = _flow(case, demand, release)
    member = _members(case)
    programs = problem.programs
    short = (unmet.sum(2) @ member) * programs.months_per_unit
    held = (kept @ member) * programs.holding_price
    wanting = (gap.sum(2) @ member) * programs.safety_price
    lost = (unmet.sum(2) @ member) * programs.shortage_price
    spent = started * sources.price[:, None]
    of_sources = (spent.sum(2) + paid) @ member[: len(sources.offer)]
    rebates = _rebates(case, spent)
    weights = _weights(case)[_program(case)]
    wanted, missed = (np.tensordot(x, weights, axes=(1, 0)) for x in (demand, unmet))
    served = 1.0 - np.divide(missed, wanted, out=np.zeros_like(missed), where=wanted > 0)
    return short, case.fixed + of_sources + held, lost + wanting, rebates, served


def _program(case: Case) -> Ints:
    """Program of each stream: of the sources, then the idle programs themselves."""
    return np.concatenate([case.sources.program, case.idle])


def _members(case: Case) -> Floats:
    """(streams, P): 1 where a stream belongs to a program."""
    program = _program(case)
    member = np.zeros((len(program), len(case.problem.programs.ids)))
    member[np.arange(len(program)), program] = 1.0
    return member


def _weights(case: Case) -> Floats:
    """Months of shortage per unit weighted by their price, (P,); alike where all are free."""
    price = case.problem.programs.shortage_price
    return price if price.any() else case.problem.programs.months_per_unit


def _demand(case: Case, factor: Floats) -> Floats:
    """Demand of every stream, (n, streams, T)."""
    return np.asarray(case.tables.demand[None] * factor[:, _program(case), None])


def _standing(case: Case, out: Floats, begins: Floats) -> Floats:
    """Share of each period in which each source stands still, (n, S, T).

    Outages of a year begin together; one that is not over when the next begins makes it longer.
    Stock held beyond the plan's (`extra_cover_months`) lets supply go on for so long.
    """
    n, years, classes = out.shape
    periods, months = case.problem.periods, case.months
    stands = np.zeros((n, classes, periods))
    start = np.arange(periods) * float(months)
    cover = _extra_cover(case)
    end = np.zeros((n, classes))
    for year in range(years):
        months_out = np.maximum(out[:, year] - cover, 0.0)
        if not months_out.any():
            continue
        begin = 12.0 * year + begins[:, year, None] + cover
        finish = np.where(months_out > 0, begin + months_out, 0.0)
        begin = np.maximum(begin, end)
        end = np.maximum(end, finish)
        overlap = np.minimum(finish[:, :, None], start + months) - np.maximum(
            begin[:, :, None], start
        )
        stands += np.maximum(overlap, 0.0)
    share: Floats = (stands / months)[:, case.sources.site]
    return share


def _extra_cover(case: Case) -> float:
    from allocator.risk.settings import setting

    return setting(case.compiled.portfolio.policy, "extra_cover_months", 0.0)


def _good_batches(case: Case, n: int, fails: list[np.random.Generator] | None) -> Floats:
    """Batches of the plan that do not fail, (n or 1, S, T)."""
    sources = case.sources
    if fails is None:
        return np.asarray(sources.batches * (1.0 - sources.fail_rate[:, None]))[None]
    good = np.broadcast_to(sources.batches, (n, *sources.batches.shape)).astype(np.float64)
    for row, rng in enumerate(fails):
        busy = np.flatnonzero(sources.batches[row])
        if sources.fail_rate[row] > 0 and len(busy):
            count = sources.batches[row, busy]
            good[:, row, busy] -= rng.binomial(count, sources.fail_rate[row], (n, len(busy)))
    return good


def _moved(batches: Floats | Ints, slip: Floats, months: int) -> Floats:
    """Batches of late sources moved on by their slip, in part into the next period, (n, S, T).

    What is moved beyond the horizon is not made in it.
    """
    n, sources = slip.shape
    periods = batches.shape[2]
    moved = np.broadcast_to(batches, (n, sources, periods)).astype(np.float64)
    for s in range(sources):
        late = np.flatnonzero(slip[:, s] > 0)
        if not len(late):
            continue
        whole, part = np.divmod(slip[late, s] / months, 1.0)
        mine = batches[0 if batches.shape[0] == 1 else late, s]
        mine = np.broadcast_to(mine, (len(late), periods))
        padded = np.concatenate([np.zeros((len(late), 1)), mine], axis=1)
        at = np.arange(periods)[None, :] - whole.astype(np.int64)[:, None]
        here = np.take_along_axis(padded, np.maximum(at + 1, 0), axis=1)
        before = np.take_along_axis(padded, np.maximum(at, 0), axis=1)
        moved[late, s] = (1.0 - part)[:, None] * here + part[:, None] * before
    return moved


def _lagged(made: Floats, lag: Ints) -> Floats:
    """Units free for use per period, from units made."""
    release = np.zeros_like(made)
    for s, periods in enumerate(lag.tolist()):
        if periods < made.shape[2]:
            release[:, s, periods:] = made[:, s, : made.shape[2] - periods]
    return release


def _partners(case: Case, demand: Floats, running: Floats, slip: Floats) -> tuple[Floats, Floats]:
    """Units a program's other source makes in place of a late or stopped one, and their money.

    While a source is late its partner carries its share too, as long as it runs itself; while a
    source stands still its partner makes `surge` more of its own share (docs/risk.md). Units
    (n, S, T) stand with the source that fails, money (n, S) too.
    """
    sources, months = case.sources, case.months
    extra, paid = np.zeros_like(running), np.zeros(slip.shape)
    start = np.arange(case.problem.periods) * float(months)
    up = _lagged(running, sources.lag)
    for s, k in enumerate(sources.partner.tolist()):
        if k < 0:
            continue
        planned = sources.planned[s] * float(months)
        actual = (planned + slip[:, s])[:, None]
        other = (sources.planned[k] * months + slip[:, k])[:, None]
        late = np.minimum(actual, start + months) - np.maximum(np.maximum(planned, other), start)
        carried = np.clip(late / months, 0.0, 1.0) * demand[:, s] * up[:, k]
        supplies = np.clip((start + months - np.maximum(actual, other)) / months, 0.0, 1.0)
        alone = np.maximum(up[:, k] - up[:, s], 0.0) * supplies
        surge = alone * np.minimum(sources.surge[k] * demand[:, k], demand[:, s])
        extra[:, s] = carried + surge
        paid[:, s] = extra[:, s].sum(axis=1) * sources.unit_price[k]
    return extra, paid


def _flow(case: Case, demand: Floats, release: Floats) -> tuple[Floats, Floats, Floats]:
    """Unmet (n, streams, T), stock kept or awaiting destruction (n, streams), missing safety."""
    n, streams, periods = demand.shape
    tables, busy = case.tables, release.shape[1]
    # cap and target are demand ahead, so they grow with it
    plan = tables.demand.sum(axis=1)
    factor = np.divide(demand.sum(axis=2), plan, out=np.ones((n, streams)), where=plan > 0)
    held = np.broadcast_to(tables.opening, (n, streams))
    unmet, gap = np.empty_like(demand), np.empty_like(demand)
    kept = np.zeros((n, streams))
    for t in range(periods):
        left = held - demand[:, :, t]
        left[:, :busy] += release[:, :, t]
        unmet[:, :, t] = np.maximum(-left, 0.0)
        left = np.maximum(left, 0.0)
        held = np.minimum(left, tables.cap[:, t] * factor)
        kept += held + (left - held) * (periods - t)
        gap[:, :, t] = np.maximum(tables.target[:, t] * factor - held, 0.0)
    return unmet, kept, gap


def _rebates(case: Case, spent: Floats) -> Floats:
    """Rebates on what is really spent, (n,)."""
    problem, sources = case.problem, case.sources
    total = np.zeros(len(spent))
    offers = problem.offers
    when = problem.year[offers.validation_period[sources.offer]]
    for k, tiers in enumerate(problem.cmos.tiers):
        mine = np.flatnonzero(sources.cmo == k)
        if not tiers or not len(mine):
            continue
        steps = np.array([spend_from * (1.0 - 1e-9) for spend_from, _ in tiers])
        rates = np.array([0.0, *(rate for _, rate in tiers)])
        for year in range(len(problem.year_labels)):
            spend = spent[:, mine][:, :, problem.year == year].sum(axis=(1, 2))
            spend += offers.validation_cost[sources.offer[mine[when[mine] == year]]].sum()
            reached = np.searchsorted(steps, spend, side="right")
            total += rates[reached] * spend
    return total


def _delay(case: Case, slip: Floats, programs: int) -> Floats:
    """Months that each program's first supply comes later than planned, (N, P)."""
    sources = case.sources
    late = np.zeros((len(slip), programs))
    for s, (p, k) in enumerate(
        zip(sources.program.tolist(), sources.partner.tolist(), strict=True)
    ):
        if k < 0:
            late[:, p] = slip[:, s]
        elif k > s:
            one, two = (sources.planned[i] * case.months for i in (s, k))
            late[:, p] = np.minimum(one + slip[:, s], two + slip[:, k]) - min(one, two)
    return late
