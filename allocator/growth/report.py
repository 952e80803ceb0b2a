"""What a growth question gives back, in memory and as capacity.json."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from allocator.growth.answers import Answer, answer_figures
from allocator.growth.demand import Growth

SCHEMA = "allocator-capacity/1"


@dataclass(frozen=True)
class CapacityReport:
    """The whole answer; what was not asked for is None.

    `data` is the content of capacity.json, `folder` where the files are (None: none were written),
    `level` a plan that keeps the service level where the last answer does not (None: it does, or
    none was found).
    """

    growth: Growth
    today: Answer
    answers: tuple[Answer, ...]
    data: dict[str, Any]
    folder: Path | None = None
    level: Answer | None = None

    def answer(self, name: str) -> Answer:
        """One of the four answers by its name. Raises KeyError for another name."""
        return {answer.name: answer for answer in self.answers}[name]


def report_data(growth: Growth, today: Answer, answers: tuple[Answer, ...]) -> dict[str, Any]:
    """The part of capacity.json that every report has."""
    policy = today.compiled.portfolio.policy
    return {
        "schema": SCHEMA,
        "currency": policy.currency,
        "periods": [period.label for period in today.compiled.portfolio.periods],
        "service_level": policy.service_level,
        "growth": {
            "demand": growth.demand,
            "programs": dict(sorted(growth.programs.items())),
            "forms": dict(sorted(growth.forms.items())),
            "since": growth.since or None,
            "ramp": growth.ramp,
        },
        "today": answer_figures(today, today),
        "answers": [answer_figures(answer, today) for answer in answers],
    }
