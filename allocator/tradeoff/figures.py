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

#: Columns of comparison.csv after `scenario` and `policy`.
FIGURES = (
    *TAKEN,
    *COST_LINES,
    "programs_unsourced",
    "programs_single",
    "programs_dual",
    "sources",
    "cmos_engaged",
    "exposed_programs",
    "worst_outage",
    "worst_outage_money",
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
    return figures | counts | dict.fromkeys(FIGURES[-3:])


def outage_figures(content: Mapping[str, Any]) -> dict[str, Any]:
    """Exposed programs and worst outage from the content of stress.json.

    `outages_proven` tells whether each outage is proven either way.
    """
    worst = content["outages"][0] if content["outages"] else None
    return {
        "exposed_programs": len(content["exposed"]),
        "exposed": list(content["exposed"]),
        "worst_outage": None if worst is None else f"{worst['kind']} {worst['member']}",
        "worst_outage_money": None if worst is None else worst["money"],
        "outages_proven": all(outage["kept"] != "open" for outage in content["outages"]),
    }
