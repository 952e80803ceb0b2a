"""Ranking, curve and knee of second sources."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from allocator.tradeoff.files import Tables

#: Share of all risk below which a difference is rounding.
ROUNDING = 1e-9
RANKING = (
    "rank",
    "program_id",
    "risk_removed",
    "cost",
    "removed_per_money",
    "least_cost",
    "lost_months",
    "sources",
    "worst_outage_one",
    "worst_units_one",
    "worst_money_one",
    "worst_proven_one",
    "worst_outage_two",
    "worst_units_two",
    "worst_money_two",
    "worst_proven_two",
)
LEFT_OUT = ("program_id", "reason", "rules")
CURVE = (
    "second_sources",
    "program_id",
    "cost",
    "risk",
    "objective",
    "bound",
    "gap",
    "status",
    "cost_step",
    "risk_step",
    "folder",
)
STOCK = (
    "program_id",
    "offer_id",
    "lost_months_one",
    "lost_months_two",
    "cover_months_today",
    "cover_months",
    "extra_months",
    "shelf_life_months",
    "shelf_life_allows",
    "units",
    "holding_cost",
    "making_cost",
    "stock_cost",
    "site_cost",
    "better",
    "extra_months_odds",
    "extra_months_worst",
)


@dataclass(frozen=True)
class SecondPlan:
    """A step of the curve: the programs with second sources, in the order they got them.

    `cost` is cash and shortage, `risk` money before `risk_weight`.
    """

    dual: tuple[str, ...]
    cost: float
    risk: float
    folder: str
    plan: Mapping[str, Any]

    def row(self, number: int) -> dict[str, Any]:
        """The step as a row of the curve; steps of cost and risk are still None."""
        return {
            "number": number,
            "second_sources": len(self.dual),
            "program_id": self.dual[-1] if self.dual else None,
            "cost": self.cost,
            "risk": self.risk,
            **{name: self.plan[name] for name in ("objective", "bound", "gap", "status")},
            "cost_step": None,
            "risk_step": None,
            "folder": self.folder,
        }


def ranking(
    trials: Mapping[str, Mapping[str, Any]], reference: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Programs by risk removed per money of a second source, the best first.

    A second source that costs nothing or saves money comes first (`removed_per_money` None). Those
    that remove no risk follow, by what they spare in the worst outage per money, and last those
    that spare nothing either.
    """
    rows = []
    for name, trial in trials.items():
        cost = trial["cost"] - reference["cost"]
        removed = reference["risk"] - trial["risk"]
        least = trial["least_cost"]
        rows.append(
            {
                "program_id": name,
                "risk_removed": removed,
                "cost": cost,
                "removed_per_money": removed / cost if cost > 0 else None,
                "least_cost": None if least is None else least - reference["cost"],
                **{column: trial[column] for column in RANKING[6:]},
            }
        )
    noise = ROUNDING * reference["risk"]
    rows.sort(key=lambda row: _order(row, noise))
    return [{"rank": rank, **row} for rank, row in enumerate(rows, 1)]


def _order(row: Mapping[str, Any], noise: float) -> tuple[int, float, float, str]:
    """Sort key: removing risk first, then sparing units; then by what a money does, cost, id.

    A risk within `noise` of nothing is none.
    """
    cost, removed = row["cost"], row["risk_removed"]
    spared = row["worst_money_one"] - row["worst_money_two"]
    kind, good = (0, removed) if removed > noise else (1, spared) if spared > 0 else (2, removed)
    return kind, -good / cost if cost > 0 else -math.inf, cost, row["program_id"]


def knee(curve: Sequence[SecondPlan]) -> int | None:
    """Second sources at the knee: the step farthest below the line from first to last.

    Cost and risk are measured in shares of what they change by over the whole curve. None where
    the curve is no trade: fewer than three steps, or no risk removed, or no money paid.
    """
    if len(curve) < 3:
        return None
    first, last = curve[0], curve[-1]
    paid, removed = last.cost - first.cost, first.risk - last.risk
    if paid <= 0 or removed <= 0:
        return None
    depth = [(first.risk - p.risk) / removed - (p.cost - first.cost) / paid for p in curve]
    best = max(range(len(curve)), key=lambda i: (depth[i], -i))
    return len(curve[best].dual)


def second_tables(data: Mapping[str, Any]) -> Tables:
    """The CSV files beside second.json."""
    ranked = [
        row | {"sources": " + ".join(f"{offer} {100 * s:.0f} %" for offer, s in row["sources"])}
        for row in data["ranking"]
    ]
    return {
        "ranking.csv": (RANKING, ranked),
        "left_out.csv": (
            LEFT_OUT,
            [row | {"rules": " ".join(row["rules"])} for row in data["left_out"]],
        ),
        "curve.csv": (CURVE, data["curve"]),
        "stock_or_site.csv": (STOCK, data["stock_or_site"]),
    }
