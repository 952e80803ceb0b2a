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
    """Outages of some groups of the plan in a run folder, within `time_limit` seconds.

    `out` is the folder for stress.json; not the run, where a secure plan has its certificate.
    """

    run: Path
    out: Path
    groups: tuple[str, ...]
    time_limit: float | None


def stress_plans(
    study: Study, groups: tuple[str, ...], time_limit: float | None
) -> dict[tuple[str, str], dict[str, Any]]:
    """Outage figures of every plan there is, by (scenario, policy); left out where not tested."""
    keys = [key for key in study.done if study.has(*key)]
    jobs = [
        Job(
            f"outages of {study.title(*key)}",
            stress_run,
            Stress(
                study.done[key].folder,
                study.folder / "outages" / key[0] / key[1],
                groups,
                time_limit,
            ),
        )
        for key in keys
    ]
    found = study.crew.run(jobs)
    return {key: figures for key, figures in zip(keys, found, strict=True) if figures is not None}


def stress_run(asked: Stress, progress: Report = None, stop: Stop = None) -> dict[str, Any] | None:
    """Outage figures of one run; None where the test was interrupted."""
    import allocator

    content = _known(asked)
    if content is None:
        allocator.stress(
            asked.run,
            groups=asked.groups,
            time_limit=asked.time_limit,
            threads=1,
            out=asked.out,
            progress=progress,
            stop=stop,
        )
        content = _known(asked)
    return None if content is None else outage_figures(content)


def _known(asked: Stress) -> dict[str, Any] | None:
    """What was found before, where it is about this very plan and these groups, and finished."""
    from allocator.outages.files import STRESS_FILE, plan_hash

    try:
        content = json.loads((asked.out / STRESS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict) or content.get("limit") == "interrupt":
        return None
    same = content.get("plan") == plan_hash(asked.run)
    return content if same and content.get("groups") == list(asked.groups) else None
