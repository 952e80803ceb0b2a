"""Why the risk of an option is what it is: steps, dates, causes; with odds and without."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from allocator.calendar import first_supply_period, month_label, period_months
from allocator.portfolio import Offer, Portfolio
from allocator.risk.chain import (
    PER_MONTH,
    quantile,
    share_of_total,
    shift_odds,
    survival_of_total,
)
from allocator.risk.joint import Shock, months_both_out, months_out, prob_both_out, prob_out
from allocator.risk.options import RiskBasis, missing, option_risks, risk_basis
from allocator.risk.readiness import Readiness
from allocator.risk.steps import steps_of
from allocator.risk.tail import tail_months

if TYPE_CHECKING:
    from allocator.compile import Compiled

Floats = npt.NDArray[np.float64]


def explain_risk(compiled: Compiled, option_row: int) -> dict[str, Any]:
    """The risk of one option of a compiled problem, as `explain_option` says."""
    problem = compiled.problem
    options, streams = problem.options, problem.streams
    sources = [
        (compiled.offer_ids[streams.offer[row]], float(streams.share[row]))
        for row in (options.first[option_row], options.second[option_row])
        if row >= 0
    ]
    program_id = problem.programs.ids[options.program[option_row]]
    return explain_option(compiled.portfolio, program_id, sources, compiled.basis.shifts)


def explain_option(
    portfolio: Portfolio,
    program_id: str,
    sources: Sequence[tuple[str, float]],
    shifts: Mapping[str, Readiness] | None = None,
) -> dict[str, Any]:
    """The risk of an option of up to two (offer_id, share), in plain numbers and lists.

    Months are counted from the start of the first period, dates are calendar months. `causes` give
    what is lost if each strikes, whatever the odds, and what it adds to the expected lost months.
    """
    basis = risk_basis(portfolio, [offer_id for offer_id, _ in sources], [program_id], shifts)
    shares = [share for _, share in sources]
    late, lost, money = _risk_of(basis, shares)
    chains = [_source(portfolio, basis, row, share) for row, share in enumerate(shares)]
    return {
        "program_id": program_id,
        "option": ("unsourced", "single", "dual")[len(sources)],
        "late_months": late,
        "lost_months": lost,
        "risk_cost": money,
        "tail_months": _tail_of(basis, shares),
        "cvar_level": basis.tail.level,
        "sources": chains,
        "first_supply": _earlier(portfolio, basis) if sources else None,
        "joint": _joint(basis) if len(sources) == 2 else None,
        "causes": _causes(basis, shares),
        "cover_months": float(basis.cover[0]),
    }


def _risk_of(basis: RiskBasis, shares: Sequence[float]) -> tuple[float, float, float]:
    rows, both = _two(range(len(shares)), -1), _two(shares, 0.0)
    risks = option_risks(
        basis,
        np.zeros(1, np.int64),
        np.array(rows[:1]),
        np.array(both[:1]),
        np.array(rows[1:]),
        np.array(both[1:]),
    )
    return float(risks.late_months[0]), float(risks.lost_months[0]), float(risks.risk_cost[0])


def _tail_of(basis: RiskBasis, shares: Sequence[float]) -> float:
    """Mean months late and lost in the worst futures."""
    rows, both = _two(range(len(shares)), -1), _two(shares, 0.0)
    one, two = (np.array([row], np.int64) for row in rows)
    first, second = (np.array([share]) for share in both)
    return float(tail_months(basis, np.zeros(1, np.int64), one, first, two, second)[0])


def _two(values: Iterable[Any], blank: Any) -> list[Any]:
    """Two values, blanks for those that are not there."""
    return [*values, blank, blank][:2]


def _source(portfolio: Portfolio, basis: RiskBasis, row: int, share: float) -> dict[str, Any]:
    """Chain, dates and outages of one source."""
    offer = portfolio.offers[basis.offer_ids[row]]
    cmo_id = portfolio.lines[offer.line_id].cmo_id
    start = portfolio.periods[0].first_month
    planned = first_supply_period(offer, period_months(portfolio)) * period_months(portfolio)
    log_odds = float(basis.slip_log_odds[row])
    survival = reached(portfolio, offer, log_odds)
    p50, p90 = quantile(survival, 0.5), quantile(survival, 0.9)
    steps = _steps(portfolio, offer, p90)
    ready = basis.readiness[cmo_id]
    site = basis.sites.of_offer[row : row + 1]
    return {
        "offer_id": offer.offer_id,
        "cmo_id": cmo_id,
        "share": share,
        "surge": float(basis.surge[row]),
        "qualified": offer.qualified,
        "planned_month": float(planned),
        "planned_date": month_label(start, planned),
        "p50_month": p50,
        "p50_date": month_label(start, p50),
        "p90_month": p90,
        "p90_date": month_label(start, p90),
        "late_months": float(basis.late.single[row]),
        "steps": steps,
        "critical_step": max(steps, key=lambda s: s["late_at_p90"])["step"] if steps else None,
        "prob_out_per_year": float(prob_out(basis.sites.shocks, site)[0]),
        "months_out_per_year": float(months_out(basis.sites.shocks, site, np.zeros(1))[0]),
        "months_out_per_year_after_cover": float(basis.out[row]),
        "slip_log_odds": log_odds,
        "outage_log_odds": ready.outage,
        "scores_missing": list(ready.missing),
    }


def reached(portfolio: Portfolio, offer: Offer, log_odds: float) -> Floats:
    """P(first supply of an offer later than x) on the grid of the chain, (points,).

    The chain and release alone: not rounded to periods, and not held back to the planned one.
    """
    steps = steps_of(portfolio, offer)
    if not steps:
        steps_months = np.array([[[offer.release_months] * 3]])
    else:
        steps_months = np.array([[[s.low, s.mode, s.high] for s in steps]])
    points = int(np.ceil(steps_months[:, :, 2].sum() * PER_MONTH)) + steps_months.shape[1] + 1
    row: Floats = shift_odds(survival_of_total(steps_months, points), np.array([log_odds]))[0]
    return row


def _steps(portfolio: Portfolio, offer: Offer, p90: float) -> list[dict[str, Any]]:
    """Each step with its expected slip, and its months in a future at the P90 date."""
    steps = steps_of(portfolio, offer)
    if not steps:
        return []
    at_p90 = share_of_total(np.array([[s.low, s.mode, s.high] for s in steps]), p90)
    return [
        {
            "step": s.name,
            "low": s.low,
            "mode": s.mode,
            "high": s.high,
            "expected": (s.low + s.mode + s.high) / 3.0,
            "expected_slip": (s.low + s.high - 2.0 * s.mode) / 3.0,
            "late_at_p90": months - s.mode,
            "assumed": s.assumed,
        }
        for s, months in zip(steps, at_p90, strict=True)
    ]


def _earlier(portfolio: Portfolio, basis: RiskBasis) -> dict[str, Any]:
    """P50 and P90 of the program's first supply: the earlier of its sources."""
    rows = [
        reached(portfolio, portfolio.offers[offer_id], float(log_odds))
        for offer_id, log_odds in zip(basis.offer_ids, basis.slip_log_odds, strict=True)
    ]
    points = min(len(row) for row in rows)
    later = np.prod([row[:points] for row in rows], axis=0)
    start = portfolio.periods[0].first_month
    p50, p90 = quantile(later, 0.5), quantile(later, 0.9)
    return {
        "p50_month": p50,
        "p50_date": month_label(start, p50),
        "p90_month": p90,
        "p90_date": month_label(start, p90),
    }


def _joint(basis: RiskBasis) -> dict[str, Any]:
    """What two sources suffer together, per year; months are beyond the stock cover."""
    one, two = basis.sites.of_offer[:1], basis.sites.of_offer[1:2]
    shocks = basis.sites.shocks
    both = float(months_both_out(shocks, one, two, basis.cover)[0])
    alone = float(basis.out[0] + basis.out[1]) - 2.0 * both
    shared = [c for c in basis.sites.causes_of(0) if c in basis.sites.causes_of(1)]
    return {
        "prob_all_out_per_year": float(prob_both_out(shocks, one, two)[0]),
        "months_wholly_out_per_year": both,
        "months_partly_out_per_year": max(alone, 0.0),
        "shared_causes": [cause.label for cause in shared],
    }


def _causes(basis: RiskBasis, shares: Sequence[float]) -> list[dict[str, Any]]:
    """Every cause that strikes the option, the worst expected first."""
    if not shares:
        return []
    strikes = [basis.sites.causes_of(row) for row in range(len(shares))]
    lost = _risk_of(basis, shares)[1]
    found = []
    for number, cause in enumerate(basis.sites.causes):
        hit = [row for row, causes in enumerate(strikes) if cause in causes]
        if not hit:
            continue
        found.append(
            {
                "cause": cause.label,
                "kind": cause.kind,
                "member": cause.member,
                "probability_per_year": cause.probability,
                "recover_months": cause.recover_months,
                "sources_hit": [basis.offer_ids[row] for row in hit],
                "lost_months_if_struck": _if_struck(basis, shares, hit, cause),
                "adds_lost_months": max(lost - _risk_of(_without(basis, number), shares)[1], 0.0),
            }
        )
    return sorted(found, key=lambda c: (-c["adds_lost_months"], c["cause"]))


def _if_struck(
    basis: RiskBasis, shares: Sequence[float], hit: Sequence[int], cause: Shock
) -> float:
    """Months of supply lost if the cause strikes once while all sources supply."""
    beyond = max(cause.recover_months - float(basis.cover[0]), 0.0)
    if len(hit) == len(shares):
        return beyond
    out, rest = np.array([shares[hit[0]]]), 1 - hit[0]
    return beyond * float(missing(out, np.array([shares[rest]]), basis.surge[rest : rest + 1])[0])


def _without(basis: RiskBasis, number: int) -> RiskBasis:
    """The basis had one cause never struck."""
    log_survive = basis.sites.shocks.log_survive.copy()
    log_survive[number] = 0.0
    shocks = replace(basis.sites.shocks, log_survive=log_survive)
    cover = basis.cover[basis.program]
    both = np.zeros_like(basis.both_out)
    if len(basis.offer_ids) == 2:
        one, two = basis.sites.of_offer[:1], basis.sites.of_offer[1:2]
        both[:] = months_both_out(shocks, one, two, basis.cover)[0]
    return replace(
        basis,
        sites=replace(basis.sites, shocks=shocks),
        out=months_out(shocks, basis.sites.of_offer, cover),
        both_out=both,
    )
