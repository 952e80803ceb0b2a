"""The price of a product at a site, from what was paid: a median, on one price level for all.

Prices of medicines fall over the years. A site that sold early would look dear beside one that
sold late, and a plan would "save" by buying from the late one in the early years. So each product's
own trend can be taken out first: the median slope between two periods of one site, which says
nothing of which site is the dearer and cares little for odd orders.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import combinations

from allocator.history.punctuality import quantile
from allocator.history.reading import HistoryLine

#: Fewer pairs of periods than this say too little of a trend.
ENOUGH_PAIRS = 6
#: Steepest trend believed, as change of the logarithm of price per month (about 34 % a year).
STEEPEST = 0.025

Pair = tuple[str, str]


def unit_prices(
    lines: Sequence[HistoryLine], months: int, *, weight: str = "lines", with_trend: bool = False
) -> tuple[dict[Pair, float], dict[str, float]]:
    """Price per unit of each (product, site) that has one, and each product's trend per month.

    `weight` says whose median it is: of the `lines`, or of the `units` (half of them were bought at
    this price or below). The price level is that of the product's middle: the period by which half
    of its units had been delivered. `months` is the length of a period. Without `with_trend` every
    trend is 0.
    """
    by_product: dict[str, list[HistoryLine]] = {}
    for line in lines:
        if line.paid > 0:
            by_product.setdefault(line.product, []).append(line)
    trends = {
        product: trend(mine, months) if with_trend else 0.0 for product, mine in by_product.items()
    }
    found: dict[Pair, list[tuple[float, float]]] = {}
    for product, mine in by_product.items():
        middle = weighted_median((line.period, line.units) for line in mine)
        for line in mine:
            moved = math.exp(trends[product] * months * (middle - line.period))
            found.setdefault((product, line.site), []).append((line.price * moved, line.units))
    if weight == "units":
        return {pair: weighted_median(prices) for pair, prices in found.items()}, trends
    medians = {pair: quantile(sorted(p for p, _ in prices), 0.5) for pair, prices in found.items()}
    return medians, trends


def trend(lines: Iterable[HistoryLine], months: int) -> float:
    """Change of the logarithm of a product's price per month, the same for all its sites.

    The median of the slopes between any two periods of one site (Theil and Sen's estimator), each
    with the weight of the smaller of the two amounts and the time between. Prices are money over
    units of the whole period. 0 where there are too few pairs of periods.
    """
    units: dict[tuple[str, int], float] = {}
    paid: dict[tuple[str, int], float] = {}
    for line in lines:
        key = (line.site, line.period)
        units[key] = units.get(key, 0.0) + line.units
        paid[key] = paid.get(key, 0.0) + line.paid
    slopes = [
        (
            math.log((paid[two] / units[two]) / (paid[one] / units[one])) / (two[1] - one[1]),
            min(units[one], units[two]) * (two[1] - one[1]),
        )
        for one, two in combinations(sorted(units), 2)
        if one[0] == two[0]
    ]
    if len(slopes) < ENOUGH_PAIRS:
        return 0.0
    return max(-STEEPEST, min(STEEPEST, weighted_median(slopes) / months))


def weighted_median(values: Iterable[tuple[float, float]]) -> float:
    """Smallest value at or below which half of the weight lies, of (value, weight) pairs.

    Raises ValueError where there are none.
    """
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no values to take a median of")
    half, so_far = math.fsum(weight for _, weight in ordered) / 2, 0.0
    for value, weight in ordered:
        so_far += weight
        if so_far >= half * (1 - 1e-12):
            return value
    return ordered[-1][0]
