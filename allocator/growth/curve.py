"""The curve of service: the share on time of each answer over the multiplier of all demand."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from math import log
from typing import TYPE_CHECKING, Any

from allocator.growth.bisect import MOST_PLANS, stretched_plan, stretched_probe
from allocator.growth.breakpoints import EVEN
from allocator.growth.case import ANSWERS, Case
from allocator.growth.demand import Growth
from allocator.growth.service import CLOSE, Probe, Search

if TYPE_CHECKING:
    from allocator.growth.answers import Answer
    from models.result import Decision

#: Multipliers at which every answer has a plan of best service, and the ones of today's schedule.
GRID = (1.0, 1.5, 2.0, 2.5, 3.0)
#: Seconds for them where no limit is given, and the share of a point's for its linear relaxation.
SECONDS, RELAXING = 18.0, 0.3


def curve_of(
    case: Case,
    growth: Growth,
    answers: Sequence[Answer],
    plans: Sequence[Decision] = (),
    probes: Mapping[str, Sequence[Probe]] | None = None,
    seconds: float = SECONDS,
) -> list[dict[str, Any]]:
    """Every answer at even multipliers, at those of `probes`, and as it was solved, in order.

    `plans` are known, in the rows of the whole problem. The answers as solved are points only
    where all demand grows alike.
    """
    tried = {name: list((probes or {}).get(name, ())) for name in ANSWERS}
    rows = [_point("stretched", "schedule", probe) for probe in tried.pop("stretched")]
    level = case.portfolio.policy.service_level
    for multiplier in (m for m in EVEN if m >= 1.0):
        now = case.quick_situation(growth.scaled(multiplier))
        rows.append(_point("stretched", "schedule", stretched_probe(now, level)))
    tried = served(case, growth, tried, plans, seconds)
    rows += [_point(name, "service", probe) for name, all_ in tried.items() for probe in all_]
    if not growth.programs and not growth.forms:
        rows += [
            _point(a.name, "cost", Probe(growth.demand, a.plan["on_time_share"], None, None, None))
            for a in answers
            if a.name != "stretched"
        ]
    return merged(rows)


def served(
    case: Case,
    growth: Growth,
    probes: Mapping[str, Sequence[Probe]],
    plans: Sequence[Decision],
    seconds: float,
) -> dict[str, list[Probe]]:
    """The probes of each answer with those at GRID, searched for the best service there is."""
    end = time.monotonic() + seconds
    found: dict[str, list[Probe]] = {}
    earlier: list[Probe] = []
    left = len(GRID) * len(probes)
    for name, tried in probes.items():
        found[name] = list(tried)
        for m in reversed(GRID):
            near = _nearest([*earlier, *found[name]], m)
            slice_ = (end - time.monotonic()) / left
            found[name].append(best_service(case, name, growth.scaled(m), [*plans, *near], slice_))
            left -= 1
        earlier += found[name]
    return found


def _nearest(probes: Sequence[Probe], multiplier: float) -> list[Decision]:
    """Plans of the probes nearest to a multiplier."""
    by_distance = sorted(probes, key=lambda p: abs(log(p.multiplier / multiplier)))
    return [p.decision for p in by_distance if p.decision is not None][:MOST_PLANS]


def best_service(
    case: Case, answer: str, growth: Growth, plans: Sequence[Decision], seconds: float
) -> Probe:
    """The best service found within some seconds, whatever the level asks; at least that known."""
    end = time.monotonic() + seconds
    situation = case.quick_situation(growth)
    starts = [stretched_plan(situation), case.decision, *plans]
    search = Search(situation, answer, 1.0, starts, case.solving)
    search.relax(RELAXING * seconds)
    search.seek(end - time.monotonic())
    level = case.portfolio.policy.service_level
    share, limit = search.share, search.limit
    survives: bool | None = None
    if share is not None and share >= level - CLOSE:
        survives = True
    elif limit is not None and limit < level - 1e-7:
        survives = False
    return Probe(growth.demand, share, limit, survives, search.best)


def _point(answer: str, plan: str, probe: Probe) -> dict[str, Any]:
    return {
        "answer": answer,
        "plan": plan,
        "multiplier": probe.multiplier,
        "on_time_share": probe.on_time,
        "on_time_limit": probe.limit,
        "survives": probe.survives,
    }


def merged(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The points in order, one for each answer, kind of plan and multiplier: all that is known."""
    points: dict[tuple[int, float, str], dict[str, Any]] = {}
    for row in rows:
        key = (ANSWERS.index(row["answer"]), float(f"{row['multiplier']:.9g}"), row["plan"])
        point = points.setdefault(key, dict(row))
        shares = [r["on_time_share"] for r in (point, row) if r["on_time_share"] is not None]
        limits = [r["on_time_limit"] for r in (point, row) if r["on_time_limit"] is not None]
        point["on_time_share"] = max(shares, default=None)
        point["on_time_limit"] = min(limits, default=None)
        if point["survives"] is None:
            point["survives"] = row["survives"]
    return [points[key] for key in sorted(points)]
