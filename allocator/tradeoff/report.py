"""The content of comparison.json and of the tables beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from allocator.tradeoff.bridge import STEPS, cost_bridge, source_changes
from allocator.tradeoff.figures import FIGURES, plan_figures
from allocator.tradeoff.files import Tables

if TYPE_CHECKING:
    from allocator.portfolio import Portfolio
    from allocator.tradeoff.comparison import Study

#: What every other policy's plan is a plan of as well.
WIDEST = "free"


def comparison_data(
    study: Study,
    tables: Mapping[str, Portfolio],
    outages: Mapping[tuple[str, str], Mapping[str, Any]],
    notes: Sequence[str],
) -> dict[str, Any]:
    """What comparison.json says but its schema: the plans, the bridges between them, notes."""
    keys = [(s, p) for s in study.scenarios for p in study.policies if (s, p) in study.done]
    plans = [
        {
            "scenario": scenario,
            "policy": policy,
            "folder": study.done[scenario, policy].folder.relative_to(study.folder).as_posix(),
            **plan_figures(study.done[scenario, policy].plan),
            **outages.get((scenario, policy), {}),
        }
        for scenario, policy in keys
    ]
    return {
        "currency": next(iter(tables.values())).policy.currency,
        "asked": {
            "policies": list(study.policies),
            "scenarios": list(study.scenarios),
            "must_source": list(study.must_source),
            "solver": study.solver,
            "gap": study.gap,
            "time_limit": study.time_limit,
            "stress_limit": study.stress_limit,
            "seed": study.seed,
        },
        "outage_groups": list(next(iter(tables.values())).policy.secure_groups),
        "notes": list(notes),
        "plans": [_with_nested_bound(plan, plans, study.gap) for plan in plans],
        "bridges": list(_bridges(study, tables)),
    }


def _with_nested_bound(
    plan: Mapping[str, Any], plans: Sequence[Mapping[str, Any]], asked: float
) -> dict[str, Any]:
    """The plan with the bound of `free` where that proves more: its plans are plans of `free`.

    Where that is within the gap asked for, the plan is proven to be optimal.
    """
    from models.result import relative_gap, status_of

    stated = dict(plan) | {"bound_from": None if plan["bound"] is None else plan["policy"]}
    if plan["status"] == "infeasible":
        return stated
    for other in plans:
        if (other["scenario"], other["policy"]) != (plan["scenario"], WIDEST):
            continue
        bound, own = other["bound"], stated["bound"]
        if bound is not None and (own is None or bound > own):
            gap = relative_gap(plan["objective"], bound)
            status = status_of(plan["objective"], bound, asked)
            stated |= {"bound": bound, "bound_from": WIDEST, "gap": gap, "status": status}
    return stated


def _bridges(study: Study, tables: Mapping[str, Portfolio]) -> Iterator[dict[str, Any]]:
    """The bridge from each policy's plan to the next one's, scenario by scenario."""
    for scenario in study.scenarios:
        there = [p for p in study.policies if study.has(scenario, p)]
        for before, after in pairwise(there):
            one, two = study.done[scenario, before].plan, study.done[scenario, after].plan
            steps = cost_bridge(one, two, tables[scenario].offers)
            yield {
                "scenario": scenario,
                "from": before,
                "to": after,
                "start": one["objective"],
                "steps": steps,
                "end": two["objective"],
                "changes": source_changes(one, two),
            }


def comparison_tables(data: Mapping[str, Any]) -> Tables:
    """The CSV files beside comparison.json."""
    head = ("scenario", "policy")
    bridge = [
        {
            **{name: bridge[name] for name in ("scenario", "from", "to")},
            "step": step,
            "amount": bridge["steps"][step],
        }
        for bridge in data["bridges"]
        for step in STEPS
    ]
    changes = [
        {
            **{name: bridge[name] for name in ("scenario", "from", "to")},
            "program_id": change["program_id"],
            "sources_before": sources_text(change["from"]),
            "sources_after": sources_text(change["to"]),
        }
        for bridge in data["bridges"]
        for change in bridge["changes"]
    ]
    between = ("scenario", "from", "to")
    return {
        "comparison.csv": ((*head, *FIGURES, "bound_from"), data["plans"]),
        "bridge.csv": ((*between, "step", "amount"), bridge),
        "changes.csv": ((*between, "program_id", "sources_before", "sources_after"), changes),
    }


def sources_text(sources: Sequence[Mapping[str, Any]]) -> str:
    """`K1/L1 60 % + K2/L3 40 %`, `no source`."""
    if not sources:
        return "no source"
    if len(sources) == 1:
        return f"{sources[0]['cmo_id']}/{sources[0]['line_id']}"
    return " + ".join(f"{s['cmo_id']}/{s['line_id']} {100 * s['share']:.0f} %" for s in sources)
