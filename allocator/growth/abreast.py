"""The answers that decide most, solved at once: each in a process of its own.

One solve leaves a part of its second thread idle, as plans wait for bounds and bounds for plans;
two solves of one thread each do not.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from allocator.tradeoff.crew import Crew, Job, Report, Stop
from models.result import Result
from models.solve import Settings, solve

if TYPE_CHECKING:
    from allocator.growth.case import Solving
    from models.problem import Problem
    from models.result import Decision

#: Batch variables (offers x periods) up to which a start of processes takes longer than it saves.
SMALL = 1_500


@dataclass(frozen=True)
class Question:
    """A problem with a start, to be answered by `until`, a moment of `time.time` (None: any)."""

    problem: Problem
    start: Decision | None
    solver: str
    settings: Settings
    until: float | None


def answer(question: Question, progress: Report = None, stop: Stop = None) -> Result:
    """Solve in the time that is left once the process is up."""
    asked = question.settings
    left = None if question.until is None else max(0.5, question.until - time.time())
    settings = Settings(left, asked.gap, asked.threads, asked.seed, progress, stop)
    return solve(question.problem, question.solver, settings, question.start)


def worthwhile(solving: Solving, problem: Problem) -> bool:
    """Whether there are threads to share and the problem is large enough."""
    return solving.threads > 1 and problem.max_batches.size > SMALL


def solve_abreast(
    solving: Solving, questions: Mapping[str, tuple[Problem, Decision | None]]
) -> dict[str, Result]:
    """Results by name; all have the time that is left, and an equal part of the threads."""
    threads = max(1, solving.threads // len(questions))
    left = solving.left()
    until = None if left is None else time.time() + left
    settings = Settings(None, solving.gap, threads, solving.seed)
    jobs = [
        Job(name, answer, Question(problem, start, solving.solver, settings, until))
        for name, (problem, start) in questions.items()
    ]
    with Crew(len(jobs), solving.progress, solving.stop) as crew:
        found = crew.run(jobs)
    results = {}
    for (name, (problem, start)), result in zip(questions.items(), found, strict=True):
        # one that was not begun before a stop ends with its start
        results[name] = result or solving.run(problem, start, name)
    return results
