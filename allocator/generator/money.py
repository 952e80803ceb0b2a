"""What programs are worth, what CMOs charge beside their batches, and how they are doing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from allocator.fields import SCORES
from allocator.generator.capacity import Book, Floats
from allocator.generator.draw import between, log_between, significant
from allocator.generator.network import Network
from allocator.generator.pipeline import Draft
from allocator.generator.quotes import MONTHS, Quote

Row = dict[str, object]

#: Least money lost per month of delay, by stage.
LEAST_DELAY = {
    "commercial": (2e5, 8e5),
    "phase3": (4e5, 1.2e6),
    "phase2": (2.5e5, 9e5),
    "phase1": (1.2e5, 4e5),
    "preclinical": (6e4, 2e5),
}
SAFETY_MONTHS = {"commercial": (0, 0.5, 1, 1, 1.5, 2), "phase3": (0, 0, 0.5, 1)}


def program_money(
    rng: np.random.Generator,
    drafts: Sequence[Draft],
    quotes: Sequence[Quote],
    book: Book,
    demand: Floats,
    stock: bool = True,
) -> list[Row]:
    """Delay cost, holding cost, safety and opening stock of each program.

    A unit is worth 4 to 14 times what it costs to make. A program that is made today opens with
    the batches in testing and some weeks of demand on the shelf.
    """
    unit_cost = np.bincount(book.program, book.weight * book.price / book.good)
    lag = np.zeros(len(drafts), np.int64)
    made = np.zeros(len(drafts), np.bool_)
    for quote in quotes:
        if quote.qualified:
            made[quote.program] = True
            lag[quote.program] = max(lag[quote.program], quote.lag)
    rows: list[Row] = []
    for p, draft in enumerate(drafts):
        wanted = demand[p][demand[p] > 0]
        monthly = float(wanted.mean()) / MONTHS
        worth = float(unit_cost[p]) * monthly * log_between(rng, 4.0, 14.0)
        delay = min(max(worth, between(rng, LEAST_DELAY[draft.stage])), 6e7)
        near = float(demand[p][:4].mean()) / MONTHS
        cover = float(rng.uniform(0.5, 2.5)) if draft.stage == "commercial" else 1.0
        safety = float(rng.choice(SAFETY_MONTHS.get(draft.stage, (0,))))
        testing = float(demand[p][: int(lag[p])].sum())
        opening = testing + near * cover if made[p] else 0.0
        rows.append(
            {
                "delay_cost_per_month": significant(delay),
                "holding_cost_per_unit_month": significant(
                    float(unit_cost[p]) * float(rng.uniform(0.005, 0.012)), 2
                ),
                "safety_stock_months": safety if stock else 0.0,
                "opening_stock": significant(opening) if stock else 0.0,
            }
        )
    return rows


def expected_spend(network: Network, book: Book, demand: Floats) -> Floats:
    """Batch money per CMO and year (K,) when every program is bought by weight."""
    spend = np.zeros(len(network.sites))
    money = (book.batches(demand) * book.price[:, None]).sum(1)
    site = np.array([suite.site for suite in network.suites], np.int64)
    np.add.at(spend, site[book.suite], money)
    yearly: Floats = spend * (12.0 / MONTHS) / demand.shape[1]
    return yearly


def site_money(
    rng: np.random.Generator, network: Network, spend: Floats, programs: int, floors: bool = True
) -> list[Row]:
    """Onboarding, fees, take-or-pay floor, programs at most, of each CMO."""
    rows: list[Row] = []
    for k in range(len(network.sites)):
        floor = rng.random() < 0.2 and spend[k] > 0 and not network.sites[k].gated
        share = float(rng.uniform(0.25, 0.5))
        limited = rng.random() < 0.15
        room = max(4, round(2.0 * programs / len(network.sites)))
        rows.append(
            {
                "onboarding_cost": between(rng, (60_000, 250_000), 2),
                "annual_fee": between(rng, (30_000, 180_000), 2),
                "min_annual_spend": significant(float(spend[k]) * share, 2)
                if floor and floors
                else 0.0,
                "max_programs": room if limited and floors else None,
            }
        )
    return rows


def site_record(rng: np.random.Generator, network: Network) -> list[Row]:
    """Inspections, outages and the scorecard of each CMO, with blanks where nobody asked."""
    rows: list[Row] = []
    for number, site in enumerate(network.sites):
        oai = site.gated and number % 2 == 0
        critical = site.gated and not oai
        old = not site.gated and rng.random() < 0.06
        year = 2026 if site.gated else 2024 if old else int(rng.integers(2024, 2027))
        latest = 12 if year < 2026 else 11
        grade = "OAI" if oai else ("NAI", "NAI", "VAI")[int(rng.integers(3))]
        row: Row = {
            "outage_per_year": None
            if rng.random() < 0.1
            else round(float(rng.uniform(0.015, 0.08)), 3),
            "recover_months": round(float(rng.uniform(3, 9))),
            "last_inspection": grade,
            "inspection_date": f"{year}-{int(rng.integers(1, latest)):02d}-"
            f"{int(rng.integers(1, 29)):02d}",
            "critical_findings": 1 if critical or old else 0,
        }
        level = 55.0 if site.gated else float(rng.uniform(62, 90))
        for name in SCORES:
            score = round(min(max(level + float(rng.uniform(-14, 14)), 20.0), 98.0))
            row[name] = None if rng.random() < 0.15 else score
        rows.append(row)
    return rows


def tier_rows(rng: np.random.Generator, network: Network, spend: Floats) -> list[Row]:
    """Rebate tiers of about a third of the CMOs: two or three steps round the expected spend."""
    rows: list[Row] = []
    for k, site in enumerate(network.sites):
        if rng.random() >= 0.3 or spend[k] <= 0:
            continue
        steps = ((0.6, 0.02), (1.0, 0.04), (1.5, 0.06))[: int(rng.integers(2, 4))]
        rows += [
            {
                "cmo_id": site.cmo_id,
                "spend_from": significant(float(spend[k]) * level, 2),
                "rebate": rate,
            }
            for level, rate in steps
        ]
    return rows
