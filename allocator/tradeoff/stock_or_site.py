"""Months of stock that make one source lose no more supply than two would, by odds and at worst.

Stock of c months bridges the first c months of every outage (docs/risk.md, lost supply), so what a
single source is expected to lose falls with c, to nothing at the longest outage; and what it is
short in its worst outage falls by every unit held. The least c that is enough for both is set
against the shelf life, and its cost against that of the second source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from allocator.risk.joint import months_out

if TYPE_CHECKING:
    from allocator.compile import Compiled

#: Months to which the stock is worked out, and halvings that reach it from any horizon.
PRECISION_MONTHS = 1e-6
HALVINGS = 60


def stock_for(
    compiled: Compiled,
    program_id: str,
    offer_id: str,
    lost_two: float,
    spared_units: float,
    site_cost: float,
) -> dict[str, Any]:
    """Stock that makes a single source as safe as two, beside the cost of the second one.

    `offer_id` is the single source, `lost_two` the months of supply that two sources are expected
    to lose over the horizon, `spared_units` what the second one spares in the worst outage,
    `site_cost` what they cost more. `cover_months` is all the stock it takes, `extra_months` what
    that is above today's: the greater of what the odds and the worst outage ask for. Its cost is
    holding from first supply to the end of the horizon and, once, making it; both at today's
    prices. `better` is `stock`, `site`, or `enough` where one source is as safe as two already.
    """
    row = compiled.offer_ids.index(offer_id)
    program = compiled.portfolio.programs[program_id]
    p = compiled.basis.program_ids.index(program_id)
    today, monthly = float(compiled.basis.cover[p]), _monthly_demand(compiled, p)
    by_odds = _least_cover(compiled, row, p, today, lost_two) - today
    at_worst = max(0.0, spared_units) / monthly if monthly > 0 else 0.0
    extra = max(by_odds, at_worst)
    cover = today + extra
    fits = cover <= program.shelf_life_months + PRECISION_MONTHS
    units = extra * monthly
    offer = compiled.portfolio.offers[offer_id]
    held = _months_of_supply(compiled, row)
    holding = units * program.holding_cost_per_unit_month * held
    making = units * offer.price_per_batch / offer.good_per_batch
    better = "site"
    if extra <= PRECISION_MONTHS:
        better = "enough"
    elif fits and holding + making < site_cost:
        better = "stock"
    return {
        "program_id": program_id,
        "offer_id": offer_id,
        "lost_months_one": lost_months(compiled, row, p, today),
        "lost_months_two": lost_two,
        "cover_months_today": today,
        "cover_months": cover,
        "extra_months": extra,
        "shelf_life_months": program.shelf_life_months,
        "shelf_life_allows": fits,
        "units": units,
        "holding_cost": holding,
        "making_cost": making,
        "stock_cost": holding + making,
        "site_cost": site_cost,
        "better": better,
        "extra_months_odds": by_odds,
        "extra_months_worst": at_worst,
    }


def lost_months(compiled: Compiled, offer: int, program: int, cover: float) -> float:
    """Expected months of supply that a single source loses over the horizon under some cover."""
    basis = compiled.basis
    site = basis.sites.of_offer[[offer]]
    yearly = months_out(basis.sites.shocks, site, np.array([cover]))
    return float(yearly[0] * basis.exposure[program, basis.first_supply[offer]])


def _least_cover(
    compiled: Compiled, offer: int, program: int, today: float, lost_two: float
) -> float:
    """The least months of cover, today's or more, that lose no more than two sources do."""
    enough = lost_two + 1e-12
    if lost_months(compiled, offer, program, today) <= enough:
        return today
    shocks = compiled.basis.sites.shocks
    rows = shocks.of_site[compiled.basis.sites.of_offer[offer]]
    low, high = today, float(shocks.months[rows[rows >= 0]].max(initial=today))
    for _ in range(HALVINGS):
        if high - low <= PRECISION_MONTHS:
            break
        middle = 0.5 * (low + high)
        if lost_months(compiled, offer, program, middle) <= enough:
            high = middle
        else:
            low = middle
    return high


def _monthly_demand(compiled: Compiled, program: int) -> float:
    """Mean demand per month over the periods that have any."""
    from allocator.calendar import period_months

    demand = compiled.problem.programs.demand[program]
    busy = demand[demand > 0]
    return float(busy.mean()) / period_months(compiled.portfolio) if len(busy) else 0.0


def _months_of_supply(compiled: Compiled, offer: int) -> float:
    """Months from the first supply of an offer to the end of the horizon."""
    from allocator.calendar import period_months

    first = int(compiled.basis.first_supply[offer])
    return float((compiled.problem.periods - first) * period_months(compiled.portfolio))
