"""The demo portfolio: forty programs of an invented sponsor at twelve invented CMOs.

Programs, CMOs and lines are listed in `demo_data.py`; prices, times and stocks are drawn by the
generator from one seed, so the demo is as realistic as the random portfolios, and no less so.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from allocator.generator.capacity import make_days, make_demand, open_book, settle
from allocator.generator.demo_data import LICENSED, LINES, NO_CONJUGATES, PROGRAMS, SITES
from allocator.generator.draw import stream
from allocator.generator.folder import table
from allocator.generator.money import (
    expected_spend,
    program_money,
    site_money,
    site_record,
    tier_rows,
)
from allocator.generator.network import Network, Site, Suite, make_suite
from allocator.generator.pipeline import Draft, fit
from allocator.generator.platforms import PLATFORMS
from allocator.generator.policies import DEMO_POLICY, DOUBLE_DEMAND
from allocator.generator.quotes import make_quotes
from allocator.generator.synthetic import (
    Row,
    cmos_table,
    line_day_rows,
    line_rows,
    offer_rows,
    period_labels,
    portfolio_table,
)

SEED, PERIODS = 2027, 12
_BY_KEY = {platform.key: platform for platform in PLATFORMS}


def demo() -> dict[str, str]:
    """All files of the demo portfolio, name -> text; the same every time."""
    network = demo_network()
    listed = [line for line in PROGRAMS.splitlines() if line]
    sourcing = [line.split()[9].strip("-") for line in listed]
    drafts = [fit(_program(line, number), network, least=2) for number, line in enumerate(listed)]
    quotes = make_quotes(stream(SEED, 3), network, drafts, PERIODS)
    demand = make_demand(stream(SEED, 4), network, drafts, quotes)
    book = settle(network, open_book(network, quotes), demand)
    days = make_days(stream(SEED, 5), network, book, demand, utilisation=0.72)
    money = program_money(stream(SEED, 6), drafts, quotes, book, demand)
    for row, wanted in zip(money, sourcing, strict=True):
        row["sourcing"] = wanted
    spend = expected_spend(network, book, demand)
    labels = period_labels(PERIODS)
    return {
        "portfolio.csv": portfolio_table(drafts, demand, money, labels),
        "cmos.csv": cmos_table(network, _site_money(network, spend), _record(network)),
        "lines.csv": table("lines", _lines(network, days)),
        "offers.csv": table("offers", offer_rows(drafts, network, quotes)),
        "line_days.csv": table("line_days", line_day_rows(network.suites, days, labels)),
        "tiers.csv": table("tiers", tier_rows(stream(SEED, 10), network, spend)),
        "policy.toml": DEMO_POLICY,
        "double-demand.toml": DOUBLE_DEMAND,
    }


def demo_network() -> Network:
    """The listed CMOs and lines."""
    sites = []
    for line in SITES.splitlines():
        words, name = line.split("|")
        cmo_id, factor, gate, country, region, owner = words.split()
        sites.append(
            Site(
                cmo_id=cmo_id,
                name=name.strip(),
                owner=owner.replace("_", " "),
                country=country,
                region=region.replace("_", " "),
                price_factor=float(factor),
                gated=gate == "fails",
            )
        )
    rows = {site.cmo_id: row for row, site in enumerate(sites)}
    rng = stream(SEED, 1)
    suites: list[Suite] = []
    for line in LINES.splitlines():
        line_id, key, kind, popularity = line.split()
        site = rows[line_id.split("-")[0]]
        suite = make_suite(rng, line_id, site, _BY_KEY[key], kind, every_form=True)
        molecules = tuple(
            name
            for name, _ in suite.platform.molecules
            if name != "adc" or line_id not in NO_CONJUGATES
        )
        suite = replace(
            suite,
            popularity=float(popularity),
            molecules=molecules,
            # lines that take conjugates are built for the most potent compounds
            max_oeb=5 if "adc" in molecules else suite.max_oeb,
            cold_chain=suite.platform.cold_share >= 0.4,
            schedules=("II", "III", "IV") if sites[site].cmo_id in LICENSED else (),
        )
        suites.append(suite)
    used = {suite.platform.key for suite in suites}
    return Network(tuple(sites), tuple(suites), tuple(p for p in PLATFORMS if p.key in used))


def _program(line: str, number: int) -> Draft:
    words, name = line.split("|")
    program_id, key, form, molecule, route, stage, batch, oeb, schedule, _, *pattern = words.split()
    platform = _BY_KEY[key]
    rng = np.random.default_rng([SEED, 2, number])
    late = stage in ("phase3", "commercial")
    return Draft(
        program_id=program_id,
        name=name.strip(),
        platform=platform,
        form=form,
        factor=next(factor for known, _, factor in platform.forms if known == form),
        molecule=molecule,
        route=route,
        stage=stage,
        batch=float(batch),
        profile=tuple(_profile(rng, pattern).tolist()),
        max_oeb=int(oeb),
        schedule=schedule.strip("-"),
        cold_chain=platform.cold_share >= 0.8,
        registered=late and number % 2 == 0,
        markets=("US", "EU", "JP")[: 1 + (number % 3 if late else 0)],
        shelf_months=int(rng.choice(platform.shelf_months)),
    )


def _profile(rng: np.random.Generator, pattern: list[str]) -> np.ndarray:
    """Demand per quarter in usual batches, (PERIODS,), of one listed pattern."""
    kind, figures = pattern[0], [float(word) for word in pattern[1:]]
    t = np.arange(PERIODS, dtype=np.float64)
    noise = rng.uniform(0.93, 1.07, PERIODS)
    if kind == "commercial":
        level, yearly = figures
        return level * np.power(yearly, t / 4.0) * noise
    if kind == "launch":
        launch, trial, peak = figures
        ramp = peak / (1.0 + np.exp(-(t - launch - 1.5) / 0.9))
        return np.where(t < launch, trial, ramp) * noise
    first, every, runs, size = figures
    on = (t >= first) & ((t - first) % every == 0) & ((t - first) / every < runs)
    return np.where(on, size, 0.0) * noise


def _site_money(network: Network, spend: np.ndarray) -> list[Row]:
    rows = site_money(stream(SEED, 7), network, spend, len(PROGRAMS.splitlines()))
    by_id = {site.cmo_id: row for site, row in zip(network.sites, rows, strict=True)}
    for cmo_id, row in by_id.items():
        row["max_programs"] = {"ISENV": 9, "LINDM": 10}.get(cmo_id)
    return rows


def _record(network: Network) -> list[Row]:
    """Inspections as drawn, but for two: an OAI that stands, and a critical finding waived."""
    rows = site_record(stream(SEED, 8), network)
    by_id = {site.cmo_id: row for site, row in zip(network.sites, rows, strict=True)}
    by_id["KELVA"].update(
        last_inspection="OAI", inspection_date="2026-03-18", critical_findings=1, regulatory=38
    )
    by_id["GARRO"].update(
        last_inspection="VAI", inspection_date="2025-10-07", critical_findings=1, regulatory=64
    )
    return rows


def _lines(network: Network, days: np.ndarray) -> list[Row]:
    """Rows of lines.csv; two lines publish a rate card, for programs they have not quoted."""
    rows = line_rows(stream(SEED, 9), network.suites, days, expansions=True, cards=False)
    by_id = {str(row["line_id"]): row for row in rows}
    by_id["LINDM-T1"].update(price_per_batch=190_000.0, days_per_batch=4.0)
    by_id["ISENV-C1"].update(price_per_batch=118_000.0, days_per_batch=3.5)
    return rows
