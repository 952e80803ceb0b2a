"""Risk of every sourcing option: months of late start, months of lost supply, and their money."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from allocator.calendar import first_supply_period, period_months
from allocator.portfolio import Portfolio
from allocator.risk.evidence import site_readiness, slip_log_odds
from allocator.risk.joint import months_both_out, months_out
from allocator.risk.late import LateTable, late_table
from allocator.risk.readiness import Readiness
from allocator.risk.settings import cvar_level, setting
from allocator.risk.sites import Sites, build_sites
from allocator.risk.tail import Tail, tail_months

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


#: Options worked out at once: bounds memory, and stays in cache.
CHUNK = 1 << 16


@dataclass(frozen=True)
class RiskBasis:
    """What the risk of options is computed from; programs and offers stand in the order given.

    `out` (F,) and `both_out` (like the pairs of `late`) are expected months a year out beyond the
    stock cover; `cover` (P,) is that cover in months and `surge` (F,) the share above its own that
    an offer's line takes while the other source is out. `exposure` (P, T + 1) is years of mean
    demand from the start of a period to the horizon's end, `first_supply` (F,) the planned period.
    `slip_log_odds` (F,) moves the odds of slips of each offer; `shifts` are the fitted ones given.
    `tail` says how much the worst futures count.
    """

    program_ids: tuple[str, ...]
    offer_ids: tuple[str, ...]
    program: Ints
    first_supply: Ints
    delay_cost: Floats
    exposure: Floats
    cover: Floats
    surge: Floats
    late: LateTable
    out: Floats
    both_out: Floats
    sites: Sites
    readiness: Mapping[str, Readiness]
    slip_log_odds: Floats
    shifts: Mapping[str, Readiness] | None
    tail: Tail


@dataclass(frozen=True)
class OptionRisks:
    """Risk of O options, all (O,): `risk_cost` is money before `risk_weight`.

    Months are expected ones; the money of a tail-averse policy counts those of the tail in part.
    """

    late_months: Floats
    lost_months: Floats
    risk_cost: Floats


def risk_basis(
    portfolio: Portfolio,
    offer_ids: Sequence[str],
    program_ids: Sequence[str] | None = None,
    shifts: Mapping[str, Readiness] | None = None,
) -> RiskBasis:
    """The basis for options made of the named offers.

    `program_ids` default to all of the portfolio, sorted. `shifts` replaces the shifts of the
    scorecards for the CMOs that it names, e.g. by fitted ones.
    """
    months = period_months(portfolio)
    ids = tuple(sorted(portfolio.programs) if program_ids is None else program_ids)
    row_of = {program_id: row for row, program_id in enumerate(ids)}
    programs = [portfolio.programs[i] for i in ids]
    offers = [portfolio.offers[i] for i in offer_ids]
    program = np.array([row_of[offer.program_id] for offer in offers], np.int64)
    cmo_of = [portfolio.lines[offer.line_id].cmo_id for offer in offers]
    ready = site_readiness(portfolio, cmo_of, shifts)
    weight, after = demand_weights(portfolio, ids)
    log_odds = slip_log_odds(portfolio, offers, ready, shifts)
    late = late_table(portfolio, offers, program, len(ids), weight, after, log_odds)
    extra = setting(portfolio.policy, "extra_cover_months", 0.0)
    cover = np.array(
        [min(p.safety_stock_months, p.shelf_life_months) + extra for p in programs], np.float64
    )
    sites = build_sites(portfolio, offers, ready)
    years = np.cumsum(weight[:, ::-1], axis=1)[:, ::-1] * months / 12.0
    return RiskBasis(
        program_ids=ids,
        offer_ids=tuple(offer_ids),
        program=program,
        first_supply=np.array([first_supply_period(o, months) for o in offers], np.int64),
        delay_cost=np.array([p.delay_cost_per_month for p in programs], np.float64),
        exposure=np.concatenate([years, np.zeros((len(ids), 1))], axis=1),
        cover=cover,
        surge=np.array([_surge(portfolio, offer.line_id) for offer in offers], np.float64),
        late=late,
        out=months_out(sites.shocks, sites.of_offer, cover[program]),
        both_out=_pairs_out(sites, program, cover, late),
        sites=sites,
        readiness=ready,
        slip_log_odds=log_odds,
        shifts=shifts,
        tail=Tail(
            portfolio,
            setting(portfolio.policy, "tail_weight", 0.0),
            cvar_level(portfolio.policy),
            weight,
            after,
        ),
    )


def demand_weights(portfolio: Portfolio, program_ids: Sequence[str]) -> tuple[Floats, Floats]:
    """Demand per period over its mean where there is any, (P, T), and beyond the horizon, (P,)."""
    demand = np.array([portfolio.programs[i].demand for i in program_ids], np.float64)
    demand = demand.reshape(len(program_ids), len(portfolio.periods))
    mean = demand.sum(axis=1) / np.maximum((demand > 0).sum(axis=1), 1)
    last = min(demand.shape[1], max(1, round(12 / period_months(portfolio))))
    scale = np.divide(1.0, mean, out=np.zeros_like(mean), where=mean > 0)
    return demand * scale[:, None], demand[:, -last:].mean(axis=1) * scale


def _pairs_out(sites: Sites, program: Ints, cover: Floats, late: LateTable) -> Floats:
    """Months a year both of two offers are out, laid out like `late.pair`.

    Pairs of one class of sites under one cover are computed once.
    """
    result = np.zeros(len(late.pair))
    order = np.argsort(program, kind="stable")
    at, ones, twos = [], [], []
    first = 0
    for p, count in enumerate(late.count.tolist()):
        i, j = np.triu_indices(count, 1)
        mine = order[first : first + count]
        ones.append(mine[i])
        twos.append(mine[j])
        at.append(late.offset[p] + np.stack([i * count + j, j * count + i], axis=1))
        first += count
    if not ones:
        return result
    where = np.concatenate(at)
    one, two = np.concatenate(ones), np.concatenate(twos)
    low = np.minimum(sites.of_offer[one], sites.of_offer[two])
    high = np.maximum(sites.of_offer[one], sites.of_offer[two])
    covers, cover_row = np.unique(cover, return_inverse=True)
    classes = len(sites.shocks.of_site)
    code = (cover_row[program[one]] * classes + low) * classes + high
    distinct, inverse = np.unique(code, return_inverse=True)
    rest, high = np.divmod(distinct, classes)
    which, low = np.divmod(rest, classes)
    months = months_both_out(sites.shocks, low, high, covers[which])
    result[where] = months[inverse][:, None]
    return result


def option_risks(
    basis: RiskBasis, program: Ints, one: Ints, share_one: Floats, two: Ints, share_two: Floats
) -> OptionRisks:
    """Risk of options given by program, two offers (rows, -1: none) and their shares, (O,) each.

    An option without a source has no risk: all its demand is already counted as unmet.
    """
    late, lost = np.zeros(len(program)), np.zeros(len(program))
    for first in range(0, len(program), CHUNK):
        rows = slice(first, first + CHUNK)
        p, f, g = program[rows], one[rows], two[rows]
        single = np.flatnonzero((f >= 0) & (g < 0))
        late[rows][single] = basis.late.single[f[single]]
        years = basis.exposure[p[single], basis.first_supply[f[single]]]
        lost[rows][single] = basis.out[f[single]] * years
        dual = np.flatnonzero(g >= 0)
        pair = f[dual], g[dual]
        shares = share_one[rows][dual], share_two[rows][dual]
        late[rows][dual] = basis.late.of_pair(p[dual], *pair)
        lost[rows][dual] = _lost_of_pairs(basis, p[dual], pair, shares)
    months = late + lost
    if basis.tail.weight > 0.0:
        tails = tail_months(basis, program, one, share_one, two, share_two)
        months = (1.0 - basis.tail.weight) * months + basis.tail.weight * tails
    return OptionRisks(late, lost, basis.delay_cost[program] * months)


def _lost_of_pairs(
    basis: RiskBasis, program: Ints, offers: tuple[Ints, Ints], shares: tuple[Floats, Floats]
) -> Floats:
    """Months of lost supply over the horizon of two sources: the earlier alone, then both."""
    one, two = offers
    start_one, start_two = basis.first_supply[one], basis.first_supply[two]
    out_one, out_two = basis.out[one], basis.out[two]
    early = np.where(start_one <= start_two, out_one, out_two)
    whole = basis.exposure[program, np.minimum(start_one, start_two)]
    joint = basis.exposure[program, np.maximum(start_one, start_two)]
    at = basis.late.offset[program] + (
        basis.late.local[one] * basis.late.count[program] + basis.late.local[two]
    )
    both = basis.both_out[at]
    yearly = (
        both
        + np.maximum(out_one - both, 0.0) * missing(shares[0], shares[1], basis.surge[two])
        + np.maximum(out_two - both, 0.0) * missing(shares[1], shares[0], basis.surge[one])
    )
    return np.asarray(early * (whole - joint) + yearly * joint)


def missing(out: Floats, survivor: Floats, surge: Floats) -> Floats:
    """Share of demand lost while a source with share `out` stands still, surge of the survivor."""
    return np.asarray(np.maximum(out - survivor * surge, 0.0))


def _surge(portfolio: Portfolio, line_id: str) -> float:
    own = portfolio.lines[line_id].surge
    return portfolio.policy.surge if own is None else own


def option_risk_by_ids(
    portfolio: Portfolio, program_id: str, sources: Sequence[tuple[str, float]]
) -> tuple[float, float, float]:
    """Late months, lost months and risk money of one option: up to two (offer_id, share).

    Raises ValueError for more than two sources.
    """
    if len(sources) > 2:
        raise ValueError(f"{program_id}: an option has at most two sources, not {len(sources)}")
    basis = risk_basis(portfolio, [offer_id for offer_id, _ in sources], [program_id])
    rows = [0, 1][: len(sources)] + [-1] * (2 - len(sources))
    shares = [share for _, share in sources] + [0.0] * (2 - len(sources))
    risks = option_risks(
        basis,
        np.zeros(1, np.int64),
        np.array(rows[:1]),
        np.array(shares[:1]),
        np.array(rows[1:]),
        np.array(shares[1:]),
    )
    return float(risks.late_months[0]), float(risks.lost_months[0]), float(risks.risk_cost[0])
