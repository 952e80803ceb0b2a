"""A random portfolio of a given size: the tables of a sponsor who might exist."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from allocator.generator.capacity import Floats, make_days, make_demand, open_book, settle
from allocator.generator.draw import significant, stream
from allocator.generator.folder import table
from allocator.generator.money import (
    expected_spend,
    program_money,
    site_money,
    site_record,
    tier_rows,
)
from allocator.generator.network import Network, Suite, make_network
from allocator.generator.pipeline import Draft, make_programs
from allocator.generator.policies import policy_text
from allocator.generator.quotes import Quote, make_quotes

#: What a random portfolio can have beside programs, CMOs, lines and quotes.
FEATURES = frozenset(
    {"expansions", "line_days", "rate_cards", "rules", "stock", "take_or_pay", "tiers"}
)
FIRST_YEAR = 2027
Row = dict[str, object]


def period_labels(periods: int) -> list[str]:
    """Quarters from the first one on."""
    return [f"{FIRST_YEAR + t // 4}Q{t % 4 + 1}" for t in range(periods)]


def synthetic(
    programs: int,
    cmos: int,
    periods: int,
    seed: int,
    utilisation: float,
    features: Collection[str] = FEATURES,
) -> dict[str, str]:
    """All files of a random portfolio, name -> text. Same arguments, same bytes.

    Each step draws from a stream of its own, so that `utilisation` changes the line-days (and what
    follows from them) and nothing else.
    """
    network = make_network(stream(seed, 1), cmos, programs)
    drafts = make_programs(stream(seed, 2), network, programs, periods)
    quotes = make_quotes(stream(seed, 3), network, drafts, periods)
    demand = make_demand(stream(seed, 4), network, drafts, quotes)
    book = settle(network, open_book(network, quotes), demand)
    days = make_days(
        stream(seed, 5), network, book, demand, utilisation, yearly="line_days" in features
    )
    money = program_money(stream(seed, 6), drafts, quotes, book, demand, stock="stock" in features)
    spend = expected_spend(network, book, demand)
    floors = "take_or_pay" in features
    sites = site_money(stream(seed, 7), network, spend, programs, floors=floors)
    record = site_record(stream(seed, 8), network)
    cards = "rate_cards" in features and programs <= 50
    labels = period_labels(periods)
    files = {
        "portfolio.csv": portfolio_table(drafts, demand, money, labels),
        "cmos.csv": cmos_table(network, sites, record),
        "lines.csv": table(
            "lines",
            line_rows(stream(seed, 9), network.suites, days, "expansions" in features, cards),
        ),
        "offers.csv": table("offers", offer_rows(drafts, network, quotes)),
    }
    over = line_day_rows(network.suites, days, labels)
    if over:
        files["line_days.csv"] = table("line_days", over)
    tiers = tier_rows(stream(seed, 10), network, spend) if "tiers" in features else []
    if tiers:
        files["tiers.csv"] = table("tiers", tiers)
    files["policy.toml"] = policy_text(
        stream(seed, 11), network, drafts, quotes, spend, rules="rules" in features
    )
    return files


def portfolio_table(
    drafts: Sequence[Draft], demand: Floats, money: Sequence[Row], labels: Sequence[str]
) -> str:
    """portfolio.csv with one demand column per period."""
    rows = []
    for p, draft in enumerate(drafts):
        low, high = significant(0.5 * draft.batch, 2), significant(2.0 * draft.batch, 2)
        rows.append(
            {
                "program_id": draft.program_id,
                "name": draft.name,
                "molecule_type": draft.molecule,
                "dosage_form": draft.form,
                "route": draft.route,
                "stage": draft.stage,
                "unit": draft.platform.unit,
                "max_oeb": draft.max_oeb,
                "controlled_schedule": draft.schedule,
                "cold_chain": draft.cold_chain,
                "markets": draft.markets,
                "batch_min": 0.95 * low if draft.registered else None,
                "batch_max": 1.05 * high if draft.registered else None,
                "shelf_life_months": draft.shelf_months,
                **money[p],
                **dict(zip(labels, demand[p].tolist(), strict=True)),
            }
        )
        for column in ("batch_min", "batch_max"):
            value = rows[-1][column]
            rows[-1][column] = significant(value) if isinstance(value, float) else None
    return table("portfolio", rows, labels)


def cmos_table(
    network: Network, money: Sequence[Mapping[str, object]], record: Sequence[Mapping[str, object]]
) -> str:
    """cmos.csv."""
    rows = [
        {
            "cmo_id": site.cmo_id,
            "name": site.name,
            "owner": site.owner,
            "country": site.country,
            "region": site.region,
            **money[k],
            **record[k],
        }
        for k, site in enumerate(network.sites)
    ]
    return table("cmos", rows)


def line_rows(
    rng: np.random.Generator,
    suites: Sequence[Suite],
    days: Floats,
    expansions: bool,
    cards: bool,
) -> list[Row]:
    """Rows of lines.csv; one line in four offers to expand, few publish a rate card."""
    rows: list[Row] = []
    for row, suite in enumerate(suites):
        platform = suite.platform
        yearly_value = float(days[row].mean()) * 4.0 * platform.price / platform.days
        grows = rng.random() < 0.25
        share, cost = float(rng.uniform(0.25, 0.5)), float(rng.uniform(0.15, 0.4))
        months = int(rng.integers(6, 16))
        card = cards and rng.random() < 0.12
        size = suite.batch_max / platform.reference
        rows.append(
            {
                "line_id": suite.line_id,
                "cmo_id": suite.line_id.rsplit("-", 1)[0],
                "dosage_forms": suite.forms,
                "molecule_types": suite.molecules,
                "stages": suite.stages,
                "max_oeb": suite.max_oeb,
                "controlled_schedules": suite.schedules,
                "cold_chain": suite.cold_chain,
                "batch_min": suite.batch_min,
                "batch_max": suite.batch_max,
                "unit": platform.unit,
                "days_per_period": float(days[row, 0]),
                "changeover_days": suite.changeover_days,
                "changeover_cost": suite.changeover_cost,
                "price_per_batch": significant(1.15 * platform.price * size**platform.scale)
                if card
                else None,
                "days_per_batch": round(2 * platform.days * size**0.3) / 2 if card else None,
                "expansion_days": float(round(share * days[row].mean()))
                if grows and expansions
                else None,
                "expansion_cost": significant(cost * share * yearly_value, 2)
                if grows and expansions
                else None,
                "expansion_months": months if grows and expansions else None,
            }
        )
    return rows


def offer_rows(drafts: Sequence[Draft], network: Network, quotes: Sequence[Quote]) -> list[Row]:
    """Rows of offers.csv; what a qualified offer no longer needs stays blank."""
    rows: list[Row] = []
    for quote in quotes:
        low, mode, high = quote.transfer_months
        new = not quote.qualified
        rows.append(
            {
                "program_id": drafts[quote.program].program_id,
                "line_id": network.suites[quote.suite].line_id,
                "batch_size": quote.batch_size,
                "price_per_batch": quote.price,
                "days_per_batch": quote.days,
                "yield": quote.yield_,
                "fail_rate": quote.fail_rate,
                "qualified": quote.qualified,
                "transfer_cost": quote.transfer_cost if new else None,
                "transfer_months_low": low if new else None,
                "transfer_months_mode": mode if new else None,
                "transfer_months_high": high if new else None,
                "ppq_batches": quote.ppq_batches if new else None,
                "filing_months": quote.filing_months if new else None,
                "release_months": quote.release_months,
                "shared_inputs": quote.shared_inputs,
            }
        )
    return rows


def line_day_rows(suites: Sequence[Suite], days: Floats, labels: Sequence[str]) -> list[Row]:
    """Rows of line_days.csv: periods in which a line offers other days than in the first."""
    return [
        {"line_id": suite.line_id, "period": labels[t], "days": float(days[row, t])}
        for row, suite in enumerate(suites)
        for t in range(days.shape[1])
        if days[row, t] != days[row, 0]
    ]
