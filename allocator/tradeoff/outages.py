"""The stress test of every plan of a comparison, fanned out; what is known already is read."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allocator.tradeoff.crew import Job, Report, Stop
from allocator.tradeoff.figures import STRESS_GAP, outage_figures
from allocator.tradeoff.tasks import run_key

if TYPE_CHECKING:
    from allocator.tradeoff.comparison import Study


#: Beside stress.json: what it was asked for, so that it is taken over only for as much.
ASKED_FILE = "asked.json"


@dataclass(frozen=True)
class Stress:
    """Outages of some groups of the plan in a run folder, within `time_limit` seconds.

    `out` is the folder for stress.json; not the run, where a secure plan has its certificate.
    """

    run: Path
    out: Path
    groups: tuple[str, ...]
    time_limit: float | None


def stress_plans(study: Study, groups: tuple[str, ...]) -> dict[tuple[str, str], dict[str, Any]]:
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
                study.stress_limit,
            ),
        )
        for key in keys
    ]
    found = study.crew.run(jobs)
    return {key: figures for key, figures in zip(keys, found, strict=True) if figures is not None}


def stress_run(asked: Stress, progress: Report = None, stop: Stop = None) -> dict[str, Any] | None:
    """Outage figures of one run; None where the test was interrupted.

    A test that its time limit ended is taken over for no longer limit than its own: with a longer
    one it goes on from what it found.
    """
    import allocator

    key = run_key(asked.run)
    content = _known(asked, key)
    if content is None:
        (asked.out / ASKED_FILE).unlink(missing_ok=True)
        allocator.stress(
            asked.run,
            groups=asked.groups,
            time_limit=asked.time_limit,
            gap=STRESS_GAP,
            threads=1,
            out=asked.out,
            progress=progress,
            stop=stop,
        )
        seconds = {"run": key, "time_limit": asked.time_limit}
        (asked.out / ASKED_FILE).write_text(json.dumps(seconds), encoding="utf-8")
        content = _known(asked, key)
    return None if content is None else outage_figures(content)


def _known(asked: Stress, key: str) -> dict[str, Any] | None:
    """What was found before about this very run and these groups, in no less time or to the end."""
    from allocator.outages.files import STRESS_FILE, plan_hash

    content, former = _read(asked.out / STRESS_FILE), _read(asked.out / ASKED_FILE)
    if former.get("run") != key or content.get("plan") != plan_hash(asked.run):
        return None
    if content.get("groups") != list(asked.groups) or content.get("limit") == "interrupt":
        return None
    had, wanted = (
        math.inf if t is None else t for t in (former.get("time_limit"), asked.time_limit)
    )
    return content if content.get("limit") is None or had >= wanted else None


def _read(path: Path) -> dict[str, Any]:
    """A JSON object; empty where there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
