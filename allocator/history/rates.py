"""Batch sizes and the speed of lines, from the orders that were delivered."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from allocator.history.mapping import HistoryMap
from allocator.history.punctuality import quantile
from allocator.history.reading import HistoryLine

Pair = tuple[str, str]


def line_id(line: HistoryLine, sites: Mapping[str, str]) -> str:
    """Id of the manufacturing line that a history line is taken to come from."""
    return f"{sites[line.site]}.{line.form.line}.{line.form.unit}"


def by_pair(lines: Sequence[HistoryLine]) -> dict[Pair, list[HistoryLine]]:
    """History lines of each (product, site)."""
    pairs: dict[Pair, list[HistoryLine]] = {}
    for line in lines:
        pairs.setdefault((line.product, line.site), []).append(line)
    return pairs


def batches_and_rates(
    pairs: Mapping[Pair, Sequence[HistoryLine]], sites: Mapping[str, str], mapping: HistoryMap
) -> tuple[dict[Pair, int], dict[str, float]]:
    """Batch size of each pair in units, and units per day of each line.

    A line's rate is what it made in its best period, counted in whole batches, over the days that
    the map says this took: so the history itself fits the lines. No batch takes less than the map's
    `min_days_per_batch`, unless the product's need of a usual period is less than that.
    """
    days, least = mapping["tables.days_per_period"], mapping["tables.min_days_per_batch"]
    order = _orders(pairs, mapping)
    rough = _rates(pairs, order, sites, days)
    usual = _usual_need(pairs)
    batch = {
        pair: max(
            order[pair],
            math.ceil(min(least * rough[line_id(mine[0], sites)], usual[pair[0]])),
        )
        for pair, mine in pairs.items()
    }
    return batch, _rates(pairs, batch, sites, days)


def _orders(pairs: Mapping[Pair, Sequence[HistoryLine]], mapping: HistoryMap) -> dict[Pair, int]:
    """The order that stands for a batch, in whole units."""
    share = mapping["tables.batch_quantile"]
    of_pair = mapping["tables.batch_rule"] == "order_of_pair"
    orders: dict[str, list[float]] = {}
    for (product, _), mine in pairs.items():
        orders.setdefault(product, []).extend(line.units for line in mine)
    return {
        pair: math.ceil(
            quantile(sorted([x.units for x in mine] if of_pair else orders[pair[0]]), share)
        )
        for pair, mine in pairs.items()
    }


def _rates(
    pairs: Mapping[Pair, Sequence[HistoryLine]],
    batch: Mapping[Pair, int],
    sites: Mapping[str, str],
    days: float,
) -> dict[str, float]:
    """Units per day of each line, from its best period in whole batches."""
    loads: dict[str, dict[int, float]] = {}
    for pair, mine in sorted(pairs.items()):
        load = loads.setdefault(line_id(mine[0], sites), {})
        for period, made in _by_period(mine).items():
            whole = math.ceil(made / batch[pair] - 1e-9) * batch[pair]
            load[period] = load.get(period, 0.0) + whole
    return {line: max(load.values()) / days for line, load in loads.items()}


def _usual_need(pairs: Mapping[Pair, Sequence[HistoryLine]]) -> dict[str, float]:
    """Median need of each product over the periods in which it was needed, in units."""
    lines: dict[str, list[HistoryLine]] = {}
    for (product, _), mine in pairs.items():
        lines.setdefault(product, []).extend(mine)
    return {
        product: quantile(sorted(_by_period(mine).values()), 0.5) for product, mine in lines.items()
    }


def _by_period(lines: Sequence[HistoryLine]) -> dict[int, float]:
    """Units of some lines in each period that has any, in order of time."""
    periods = sorted({line.period for line in lines})
    return {p: math.fsum(line.units for line in lines if line.period == p) for p in periods}
