"""policy.toml of a random portfolio: gates, common causes, and award rules that can hold."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np

from allocator.generator.capacity import Floats
from allocator.generator.network import Network
from allocator.generator.pipeline import Draft
from allocator.generator.quotes import Quote

HEAD = """\
currency = "USD"
sourcing = "free"
splits = [0.5, 0.6, 0.7, 0.8]
risk_weight = 1.0
service_level = 0.98
safety_stock_charge = 0.01

[gates]
oai = true
critical_within_months = 24
"""


def policy_text(
    rng: np.random.Generator,
    network: Network,
    drafts: Sequence[Draft],
    quotes: Sequence[Quote],
    spend: Floats,
    rules: bool = True,
) -> str:
    """The policy; every rule in it can be kept (no program need be sourced to keep it).

    `spend` is the expected spend per CMO (K,): shares are set with room above it.
    """
    parts = [HEAD]
    owners = sorted({site.owner for site in network.sites})
    groups = [owner for owner in owners if sum(s.owner == owner for s in network.sites) > 1]
    for kind, members, low, high in (
        ("owner", groups[:3], 0.005, 0.02),
        ("region", sorted({site.region for site in network.sites}), 0.002, 0.015),
        ("shared_input", sorted(_inputs(quotes))[:3], 0.01, 0.03),
    ):
        parts += [
            "[[outage_group]]\n"
            f'kind = "{kind}"\nmember = "{member}"\n'
            f"outage_per_year = {round(float(rng.uniform(low, high)), 3)}\n"
            f"recover_months = {int(rng.integers(2, 7))}\n"
            for member in members
        ]
    if rules:
        parts += _rules(network, drafts, quotes, spend)
    return "\n".join(parts)


def _inputs(quotes: Sequence[Quote]) -> set[str]:
    """Component suppliers that several programs share."""
    return {name for quote in quotes for name in quote.shared_inputs if "-PARTS-" in name}


def _rules(
    network: Network, drafts: Sequence[Draft], quotes: Sequence[Quote], spend: Floats
) -> list[str]:
    """Shares of spend, independence of second sources, and a pair that must stay apart."""
    by_owner: dict[str, float] = {}
    for site, money in zip(network.sites, spend.tolist(), strict=True):
        by_owner[site.owner] = by_owner.get(site.owner, 0.0) + money
    largest = max(by_owner.values()) / sum(by_owner.values())
    share = min(0.95, max(0.3, ceil(20 * 1.3 * largest) / 20))
    rivals = _rivals(network, drafts, quotes)
    parts = [
        "[[rule]]\n"
        'name = "max_spend_share"\nlabel = "no owner above its share"\n'
        f'per = "owner"\nshare = {share}\n',
        "[[rule]]\n"
        'name = "sources_differ_by"\nlabel = "second sources are independent"\n'
        'by = ["owner"]\n',
    ]
    if rivals:
        names = ", ".join(f'"{name}"' for name in rivals)
        parts.append(
            f'[[rule]]\nname = "not_together"\nlabel = "rivals apart"\nprograms = [{names}]\n'
        )
    return parts


def _rivals(network: Network, drafts: Sequence[Draft], quotes: Sequence[Quote]) -> list[str]:
    """The first two commercial programs of one technology that no CMO makes both of today."""
    homes: dict[int, set[int]] = {}
    for quote in quotes:
        if quote.qualified:
            homes.setdefault(quote.program, set()).add(network.suites[quote.suite].site)
    rows = [row for row, draft in enumerate(drafts) if draft.stage == "commercial"]
    for later in rows:
        for row in rows[: rows.index(later)]:
            same = drafts[row].platform is drafts[later].platform
            if same and not homes.get(row, set()) & homes.get(later, set()):
                return [drafts[row].program_id, drafts[later].program_id]
    return []


DEMO_POLICY = """\
# What the sponsor of the demo wants. docs/model.md describes every rule.
currency = "USD"
months_per_period = 3
sourcing = "free"
splits = [0.5, 0.6, 0.7, 0.8]
risk_weight = 1.0
service_level = 0.98
safety_stock_charge = 0.01
surge = 0.1

[gates]
oai = true                      # Kelvane is out
critical_within_months = 24
waived = ["GARRO"]              # re-inspected in November 2026, letter on file
min_scores = { quality_culture = 40 }

[score_weights]
regulatory = 2.0
quality_culture = 2.0
tech_transfer = 1.5
supply_chain = 1.0

[[outage_group]]
kind = "owner"
member = "Calderis Group"
outage_per_year = 0.01
recover_months = 4

[[outage_group]]
kind = "region"
member = "Asia"
outage_per_year = 0.015
recover_months = 3

[[outage_group]]
kind = "country"
member = "US"
outage_per_year = 0.005
recover_months = 2

[[outage_group]]
kind = "shared_input"
member = "VIALS-PARTS-1"
outage_per_year = 0.03
recover_months = 5

[[rule]]
name = "max_cmos"
label = "at most ten partners"
limit = 10

[[rule]]
name = "min_cmos"
label = "two partners in Europe"
limit = 2
regions = ["Europe"]

[[rule]]
name = "max_programs"
label = "no owner makes more than twenty-four"
limit = 24
per = "owner"

[[rule]]
name = "max_spend_share"
label = "no owner above half of the spend"
share = 0.5
per = "owner"

[[rule]]
name = "force"
label = "Oxnufin is made somewhere licensed"
programs = ["P05"]
cmos = ["ALDER", "ELMSW", "LINDM"]

[[rule]]
name = "forbid"
label = "early tablets not at Hexholm"
programs = ["P08", "P10"]
cmos = ["HEXHO"]

[[rule]]
name = "keep_incumbent"
label = "Albridex and Cormivant stay where they are approved"
programs = ["P01", "P23"]

[[rule]]
name = "sources_differ_by"
label = "two sources, two owners"
by = ["owner"]

[[rule]]
name = "sources_differ_by"
label = "Wilmivant: two countries, no common supplier"
by = ["country", "shared_inputs"]
programs = ["P17"]

[[rule]]
name = "not_together"
label = "rival tablets apart"
programs = ["P02", "P07"]

[[rule]]
name = "budget"
label = "cash of the first year"
limit = 400e6
period = ["2027Q1", "2027Q2", "2027Q3", "2027Q4"]
"""

DOUBLE_DEMAND = """\
# Twice the demand of everything from 2028 on; prices of the busiest sterile filler rise by a tenth.
[demand]
all = 2.0
from = "2028Q1"

[[price]]
cmo = "DUNVA"
factor = 1.1
"""
