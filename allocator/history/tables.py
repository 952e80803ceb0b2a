"""From history lines to the rows of the input tables. The rules stand in `docs/ingest.md`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from allocator.errors import BadData
from allocator.findings import Finding
from allocator.history.mapping import HistoryMap
from allocator.history.names import make_ids
from allocator.history.prices import unit_prices
from allocator.history.punctuality import quantile
from allocator.history.rates import batches_and_rates, by_pair, line_id
from allocator.history.reading import HistoryLine, period_label, spend

Row = dict[str, object]
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Tables:
    """Rows of the tables written, ids by name, and what was left out.

    `unpriced` are lines without a value: their units count as demand, not as prices. `orphans` are
    products none of whose lines has a price, `trends` the
    change of each product's log price per month. `history` is the basis of the fair comparison.
    """

    periods: tuple[str, ...]
    portfolio: tuple[Row, ...]
    cmos: tuple[Row, ...]
    lines: tuple[Row, ...]
    offers: tuple[Row, ...]
    history: tuple[Row, ...]
    programs: Mapping[str, str]
    sites: Mapping[str, str]
    unpriced: tuple[HistoryLine, ...]
    orphans: tuple[str, ...]
    without_region: tuple[str, ...]
    trends: Mapping[str, float]


def build_tables(lines: Sequence[HistoryLine], months: int, mapping: HistoryMap) -> Tables:
    """All rows, in order of ids. `months` is the length of a period.

    Raises BadData where no line has a price.
    """
    priced_products = {line.product for line in lines if line.paid > 0}
    orphans = tuple(sorted({line.product for line in lines} - priced_products))
    unpriced = tuple(line for line in lines if line.paid <= 0)
    lines = [line for line in lines if line.product in priced_products]
    if not lines:
        what = "no line of the periods kept has a value"
        raise BadData([Finding(mapping.file, None, "columns.value", what, "check the column")])
    first, last = min(x.period for x in lines), max(x.period for x in lines)
    span = range(first, last + 1)
    programs = make_ids(line.product for line in lines)
    site_names = sorted({line.site for line in lines})
    sites = _site_ids(site_names, mapping)
    prices, trends = unit_prices(
        lines,
        months,
        weight=mapping["tables.price_weight"],
        with_trend=mapping["tables.price_trend"] == "removed",
    )
    offers, rates = _offers(lines, programs, sites, prices, mapping)
    cmos, without_region = _cmos(site_names, sites, mapping)
    return Tables(
        periods=tuple(period_label(period, months) for period in span),
        portfolio=_portfolio(lines, span, months, programs, mapping),
        cmos=cmos,
        lines=_lines(lines, rates, sites, mapping),
        offers=offers,
        history=_history(lines, months, programs, sites),
        programs=programs,
        sites=sites,
        unpriced=unpriced,
        orphans=orphans,
        without_region=without_region,
        trends=trends,
    )


def _site_ids(names: Sequence[str], mapping: HistoryMap) -> dict[str, str]:
    """Id of each site: the map's own, else made of its name. Raises BadData where two are equal."""
    made = make_ids(names)
    ids = {name: mapping.sites.get(name, {}).get("id") or made[name] for name in names}
    twice = sorted({one for one in ids.values() if list(ids.values()).count(one) > 1})
    if twice:
        raise BadData(
            Finding(mapping.file, None, "sites", f"two sites have the id {one!r}", "rename one")
            for one in twice
        )
    return ids


def _portfolio(
    lines: Sequence[HistoryLine],
    span: range,
    months: int,
    programs: Mapping[str, str],
    mapping: HistoryMap,
) -> tuple[Row, ...]:
    """A program per product; its demand is what was delivered in each period."""
    assume = mapping.settings["assume"]
    rows = []
    for product, program_id in sorted(programs.items(), key=lambda item: item[1]):
        mine = [line for line in lines if line.product == product]
        demand = {
            period: math.fsum(line.units for line in mine if line.period == period)
            for period in span
        }
        active = sum(units > 0 for units in demand.values())
        monthly = spend(mine) / (active * months)
        price = quantile(sorted(line.price for line in mine if line.paid > 0), 0.5)
        rows.append(
            {
                "program_id": program_id,
                "name": product,
                "molecule_type": assume["molecule_type"],
                "dosage_form": mine[0].form.form,
                "stage": assume["stage"],
                "unit": mine[0].form.unit,
                "delay_cost_per_month": round(assume["delay_cost_multiple"] * monthly, 2),
                "shelf_life_months": plain(assume["shelf_life_months"]),
                "holding_cost_per_unit_month": significant(
                    assume["holding_share_per_month"] * price
                ),
            }
            | {period_label(period, months): plain(units) for period, units in demand.items()}
        )
    return tuple(rows)


def _offers(
    lines: Sequence[HistoryLine],
    programs: Mapping[str, str],
    sites: Mapping[str, str],
    prices: Mapping[tuple[str, str], float],
    mapping: HistoryMap,
) -> tuple[tuple[Row, ...], dict[str, float]]:
    """An offer per product and site that has a price, and the units per day of each line.

    Its price is `prices`' for the pair; pairs of lines without any value get no offer.
    """
    pairs = by_pair(lines)
    batch, rates = batches_and_rates(pairs, sites, mapping)
    rows: list[Row] = []
    for pair, mine in pairs.items():
        if pair not in prices:
            continue
        made_on = line_id(mine[0], sites)
        rows.append(
            {
                "program_id": programs[pair[0]],
                "line_id": made_on,
                "batch_size": plain(batch[pair]),
                "price_per_batch": round(prices[pair] * batch[pair], 4),
                "days_per_batch": significant(batch[pair] / rates[made_on]),
                "yield": 1,
                "fail_rate": 0,
                "qualified": "yes",
                "transfer_cost": 0,
                "transfer_months_low": 0,
                "transfer_months_mode": 0,
                "transfer_months_high": 0,
                "ppq_batches": 0,
                "filing_months": 0,
                "release_months": plain(mapping["assume.release_months"]),
            }
        )
    rows.sort(key=lambda row: (str(row["program_id"]), str(row["line_id"])))
    return tuple(rows), rates


def _cmos(
    names: Sequence[str], sites: Mapping[str, str], mapping: HistoryMap
) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    """A CMO per site, and the sites whose region is not known."""
    rows: list[Row] = []
    unknown: list[str] = []
    for name in sorted(names, key=lambda name: sites[name]):
        place = mapping.sites.get(name, {})
        country = place.get("country", "")
        region = mapping.regions.get(country, UNKNOWN)
        if region == UNKNOWN:
            unknown.append(name)
        rows.append(
            {
                "cmo_id": sites[name],
                "name": name,
                "owner": place.get("owner", ""),
                "country": country,
                "region": region,
                "onboarding_cost": plain(mapping["assume.onboarding_cost"]),
                "annual_fee": plain(mapping["assume.annual_fee"]),
            }
        )
    return tuple(rows), tuple(unknown)


def _lines(
    lines: Sequence[HistoryLine],
    rates: Mapping[str, float],
    sites: Mapping[str, str],
    mapping: HistoryMap,
) -> tuple[Row, ...]:
    """A line per site, kind of line and unit, open for the dosage forms that it has made."""
    groups: dict[str, list[HistoryLine]] = {}
    for line in lines:
        groups.setdefault(line_id(line, sites), []).append(line)
    days = mapping["tables.days_per_period"]
    return tuple(
        {
            "line_id": name,
            "cmo_id": sites[mine[0].site],
            "dosage_forms": ";".join(sorted({line.form.form for line in mine})),
            "batch_min": 0,
            "batch_max": math.ceil(rates[name] * days),
            "unit": mine[0].form.unit,
            "days_per_period": significant(days * mapping["tables.headroom"]),
            "changeover_days": plain(mapping["assume.changeover_days"]),
        }
        for name, mine in sorted(groups.items())
    )


def _history(
    lines: Sequence[HistoryLine],
    months: int,
    programs: Mapping[str, str],
    sites: Mapping[str, str],
) -> tuple[Row, ...]:
    """Every line that counts: what, where, when, how much, and what was paid for it."""
    return tuple(
        {
            "line": line.line,
            "program_id": programs[line.product],
            "cmo_id": sites[line.site],
            "period": period_label(line.period, months),
            "quantity": plain(line.units),
            "paid": plain(line.paid) if line.paid > 0 else "",
        }
        for line in lines
    )


def plain(value: float) -> float | int:
    """A whole number as such, so that tables read `5`, not `5.0`."""
    return int(value) if value == int(value) else round(value, 6)


def significant(value: float) -> float:
    """A computed figure to nine digits: more would be noise."""
    return float(f"{value:.9g}")
