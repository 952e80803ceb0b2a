"""The bridge of costs from one plan to another: steps that sum to the difference, and who moves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allocator.portfolio import Offer

#: Steps of the bridge in the order they are shown, and what people read.
STEPS = {
    "transfer": "technology transfer",
    "validation": "validation batches",
    "onboarding": "audits and onboarding",
    "annual_fees": "oversight fees",
    "scale": "batch price per good unit (scale and supplier)",
    "quantity": "more or fewer units made",
    "changeovers": "changeovers",
    "holding": "holding stock",
    "take_or_pay": "take-or-pay shortfall",
    "expansions": "expansions",
    "rebates": "rebates",
    "shortage": "demand not met",
    "safety_stock": "safety stock missing",
    "risk": "timeline risk",
}


def cost_bridge(
    one: Mapping[str, Any], two: Mapping[str, Any], offers: Mapping[str, Offer]
) -> dict[str, float]:
    """Money of each step from plan `one` to plan `two` (contents of plan.json); sums to the
    difference of their objectives up to rounding.

    What is paid for batches changes in two steps. A program that makes u good units at an average
    price a before, u' at a' after, pays (a' - a) u' more for `scale` and a (u' - u) for `quantity`;
    where it makes nothing in one of the plans, all of it is `quantity`. `offers` by id give the
    good units of a batch.
    """
    before, after = one["cost_lines"], two["cost_lines"]
    steps = dict.fromkeys(STEPS, 0.0)
    for line in after:
        if line != "batches":
            steps[line] += after[line] - before[line]
    was, now = _made(one, offers), _made(two, offers)
    for program_id in sorted(was):
        (units, paid), (new_units, new_paid) = was[program_id], now[program_id]
        scale = 0.0
        if units > 0 and new_units > 0:
            scale = new_paid - paid / units * new_units
        steps["scale"] += scale
        steps["quantity"] += new_paid - paid - scale
    return steps


def _made(plan: Mapping[str, Any], offers: Mapping[str, Offer]) -> dict[str, tuple[float, float]]:
    """Good units made of each program, and what their batches cost."""
    made = {}
    for program in plan["programs"]:
        units = sum(
            sum(source["batches"].values()) * offers[source["offer_id"]].good_per_batch
            for source in program["sources"]
        )
        made[program["program_id"]] = (units, program["costs"]["batches"])
    return made


def source_changes(one: Mapping[str, Any], two: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Programs whose sources (CMO, line, share) differ between two plans, with both."""
    after = {program["program_id"]: program for program in two["programs"]}
    changes = []
    for program in one["programs"]:
        was = sources_of(program)
        now = sources_of(after[program["program_id"]])
        if was != now:
            changes.append({"program_id": program["program_id"], "from": was, "to": now})
    return changes


def sources_of(program: Mapping[str, Any]) -> list[dict[str, Any]]:
    """CMO, line and share of each source of a program of plan.json."""
    return [
        {"cmo_id": s["cmo_id"], "line_id": s["line_id"], "share": round(s["share"], 6)}
        for s in program["sources"]
    ]
