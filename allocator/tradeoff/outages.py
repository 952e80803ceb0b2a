"""The stress test of every plan of a comparison, fanned out; what is known already is read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allocator.tradeoff.crew import Job, Report, Stop
from allocator.tradeoff.figures import outage_figures

if TYPE_CHECKING:
    from allocator.tradeoff.comparison import Study


@dataclass(frozen=True)
class Stress:
    """The outages of the plan in a run folder, tested within `time_limit` seconds."""

    folder: Path
    time_limit: float | None


def stress_plans(study: Study, time_limit: float | None) -> dict[tuple[str, str], dict[str, Any]]:
    """Outage figures of every plan there is, by (scenario, policy); left out where not tested."""
    keys = [key for key in study.done if study.has(*key)]
    jobs = [
        Job(
            f"outages of {study.title(*key)}",
            stress_run,
            Stress(study.done[key].folder, time_limit),
        )
        for key in keys
    ]
    found = study.crew.run(jobs)
    return {key: figures for key, figures in zip(keys, found, strict=True) if figures is not None}


def stress_run(asked: Stress, progress: Report = None, stop: Stop = None) -> dict[str, Any] | None:
    """Outage figures of one run; None where the test was interrupted."""
    import allocator

    content = _known(asked.folder)
    if content is None:
        allocator.stress(
            asked.folder, time_limit=asked.time_limit, threads=1, progress=progress, stop=stop
        )
        content = _known(asked.folder)
    return None if content is None else outage_figures(content)


def _known(run: Path) -> dict[str, Any] | None:
    """The content of a run's stress.json, where it is about this very plan and was finished."""
    from allocator.outages.files import STRESS_FILE, plan_hash

    try:
        content = json.loads((run / STRESS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    same = isinstance(content, dict) and content.get("plan") == plan_hash(run)
    return content if same and content.get("limit") != "interrupt" else None
