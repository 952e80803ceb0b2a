"""The figures of one plan that stand side by side with those of others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allocator.plan import COST_LINES

#: Figures taken from plan.json as they are.
TAKEN = (
    "status",
    "limit",
    "objective",
    "bound",
    "gap",
    "cash_cost",
    "shortage_cost",
    "risk_cost",
    "months_short",
    "expected_delay_months",
    "on_time_share",
)

#: Share of its money within which a stress test proves an outage.
STRESS_GAP = 0.005
#: Figures of the stress test.
OUTAGES = ("exposed_programs", "worst_outage", "worst_outage_money", "worst_outage_bound")

#: Columns of comparison.csv after `scenario` and `policy`.
FIGURES = (
    *TAKEN,
    *COST_LINES,
    "programs_unsourced",
    "programs_single",
    "programs_dual",
    "sources",
    "cmos_engaged",
    *OUTAGES,
)


def plan_figures(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Figures of a plan.json; None where it has no plan. Outages are added by `outage_figures`."""
    figures = {name: plan[name] for name in TAKEN} | dict(plan["cost_lines"])
    counts: dict[str, Any] = dict.fromkeys(
        ("programs_unsourced", "programs_single", "programs_dual", "sources", "cmos_engaged")
    )
    if plan["objective"] is not None:
        counts["sources"] = sum(len(program["sources"]) for program in plan["programs"])
        counts["cmos_engaged"] = sum(cmo["engaged"] for cmo in plan["cmos"])
        for option in ("unsourced", "single", "dual"):
            counts[f"programs_{option}"] = sum(p["option"] == option for p in plan["programs"])
    return figures | counts | dict.fromkeys(OUTAGES)


def outage_figures(content: Mapping[str, Any]) -> dict[str, Any]:
    """Exposed programs and worst outage from the content of stress.json.

    `outages_proven` tells whether each outage is proven either way. The worst outage of all costs
    at most `worst_outage_money` and at least `worst_outage_bound`; `worst_outage_proven` tells
    that no other group's is dearer than the one named by more than the gap of the test.
    """
    outages = content["outages"]
    worst = outages[0] if outages else None
    name = None if worst is None else f"{worst['kind']} {worst['member']}"
    others = [o["money"] for o in outages if f"{o['kind']} {o['member']}" != name]
    own = [o["bound"] for o in outages if f"{o['kind']} {o['member']}" == name]
    return {
        "exposed_programs": len(content["exposed"]),
        "exposed": list(content["exposed"]),
        "worst_outage": name,
        "worst_outage_money": None if worst is None else worst["money"],
        "worst_outage_bound": max((o["bound"] for o in outages), default=None),
        "worst_outage_proven": max(others, default=0.0) * (1.0 - STRESS_GAP)
        <= max(own, default=0.0),
        "outages_proven": all(outage["kept"] != "open" for outage in outages),
        "outages_limit": content["limit"],
    }
