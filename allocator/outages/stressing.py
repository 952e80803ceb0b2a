"""Every single outage of a plan in turn, each with its best re-routing and a proof."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from allocator.errors import Usage
from allocator.outages.cases import Case, cases, surge_of
from allocator.outages.figures import allowance, changes, is_exposed, programs_short, proof
from allocator.outages.groups import KINDS, Group, check_kinds, groups_of
from allocator.outages.results import Kept, OutageResult, Proof, StressReport

if TYPE_CHECKING:
    from allocator.compile import Compiled
    from models.problem import Ints
    from models.recourse import Effort, Position, Situation
    from models.result import Decision

#: Times that the open outages are gone through.
ROUNDS = 3
#: Seconds of the first look at an outage where there is no time limit.
FIRST_LOOK_SECONDS = 1.0
#: Seconds that an open outage gets at least, in the second round; more in the third.
LEAST_SECONDS = 1.0
#: Most seconds for one outage of a plan that is known to withstand it.
CERTIFY_SECONDS = 30.0


def stress(
    run_folder: str | Path,
    *,
    groups: Sequence[str] = KINDS,
    time_limit: float | None = 60.0,
    gap: float = 0.005,
    threads: int = 1,
    out: str | Path | None = None,
    progress: Callable[..., None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> StressReport:
    """Stop each CMO, owner, region, country and shared input of a finished plan in turn.

    `groups` are the kinds to stop, `time_limit` seconds for all together (None: until every outage
    is proven within `gap`). Writes stress.json and stress.csv into the run's folder, or into `out`.
    Raises Usage where the folder has no plan or a kind is unknown.
    """
    from allocator.outages.files import write_stress
    from allocator.replay import read_finished

    kinds = check_kinds(groups)
    if gap < 0 or threads < 1 or (time_limit is not None and time_limit <= 0):
        raise Usage("gap must be at least 0, threads at least 1, the time limit above 0 s")
    run = read_finished(run_folder)
    report = stress_plan(
        run.compiled,
        run.decision,
        kinds=kinds,
        time_limit=time_limit,
        gap=gap,
        threads=threads,
        progress=progress,
        stop=stop,
    )
    folder = write_stress(report, run.folder, Path(out) if out is not None else run.folder)
    return replace(report, folder=folder)


def stress_plan(
    compiled: Compiled,
    decision: Decision,
    *,
    kinds: Sequence[str] = KINDS,
    time_limit: float | None = None,
    gap: float = 0.005,
    threads: int = 1,
    progress: Callable[..., None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> StressReport:
    """The stress test of a decision, without files (see `stress`)."""
    from models.recourse import Effort

    started = time.monotonic()
    effort = Effort(gap, None if time_limit is None else started + time_limit, threads, stop)
    cases_, tests = _tests(compiled, decision, kinds)
    work(list(tests.values()), effort, progress)
    return _report(compiled, kinds, cases_, tests, started, stop)


def certify_plan(compiled: Compiled, decision: Decision, *, kinds: Sequence[str]) -> StressReport:
    """A re-routing for every outage that keeps all service levels, where there is one.

    Nothing is sought beyond that: the money of a kept outage is attained, not the least.
    """
    from models.recourse import Effort

    started = time.monotonic()
    cases_, tests = _tests(compiled, decision, kinds)
    for test in tests.values():
        test.keep(Effort(0.05, time.monotonic() + CERTIFY_SECONDS))
    return _report(compiled, kinds, cases_, tests, started, None)


def _tests(
    compiled: Compiled, decision: Decision, kinds: Sequence[str]
) -> tuple[list[Case], dict[bytes, Test]]:
    """Every outage that matters, and a test of each that is different."""
    from models.recourse import position

    where = position(compiled.problem, decision, surge_of(compiled))
    used = sorted(compiled.problem.offers.ids[f] for f in where.offers[where.chosen].tolist())
    found = list(cases(compiled, where, groups_of(compiled.portfolio, kinds, used)))
    tests: dict[bytes, Test] = {}
    for case in found:  # an owner of one site stops with it: one outage, tested once
        if key(case) not in tests:
            tests[key(case)] = Test(compiled, case, where)
    return found, tests


def _report(
    compiled: Compiled,
    kinds: Sequence[str],
    found: list[Case],
    tests: dict[bytes, Test],
    started: float,
    stop: Callable[[], bool] | None,
) -> StressReport:
    """All results, the worst first."""
    results = sorted((tests[key(case)].result(case.group) for case in found), key=_rank)
    unfinished = any(result.limit for result in results)
    return StressReport(
        outages=tuple(results),
        kinds=tuple(kinds),
        service_level=compiled.portfolio.policy.service_level,
        currency=compiled.portfolio.policy.currency,
        programs=len(compiled.problem.programs.ids),
        seconds=time.monotonic() - started,
        limit="interrupt" if stop is not None and stop() else "time" if unfinished else None,
    )


def key(case: Case) -> bytes:
    """The same for outages that stop the same things from the same period for as long."""
    event = case.event
    head = f"{event.start},{event.periods},".encode()
    return head + event.cover.tobytes() + event.lines.tobytes() + event.inputs.tobytes()


def _rank(result: OutageResult) -> tuple[float, float, int, str, str]:
    """Sort key: exposed programs first by their money, then by kind, member and start."""
    kind = KINDS.index(result.group.kind)
    return -result.money, -len(result.exposed), kind, result.group.member, result.start_period


def work(
    tests: Sequence[Test], effort: Effort, progress: Callable[..., None] | None = None
) -> None:
    """Look at every outage shortly, then go on with the open ones, the least certain first."""
    from models.solve import Progress

    started = time.monotonic()
    todo = list(tests)
    for turn in range(ROUNDS):
        for number, test in enumerate(todo):
            if turn and effort.over:
                return
            if progress is not None:
                phase = f"outage {number + 1} of {len(todo)}, round {turn + 1}"
                progress(Progress(time.monotonic() - started, None, None, phase))
            test.work(_slice(effort, len(todo) - number, turn))
        todo = sorted((test for test in todo if test.open), key=lambda test: -test.doubt)


def _slice(effort: Effort, waiting: int, turn: int) -> Effort:
    """The part of the time that one outage gets: at first a short look, later what may help."""
    left = effort.left
    if left is None:
        seconds = None if turn else FIRST_LOOK_SECONDS
    elif turn:
        seconds = min(left, max(left / max(1, waiting), LEAST_SECONDS * turn))
    else:
        seconds = left / max(1, waiting) / 2
    return effort if seconds is None else replace(effort, until=time.monotonic() + seconds)


def _half(effort: Effort) -> Effort:
    """Half of the time that is left."""
    left = effort.left
    return effort if left is None else replace(effort, until=time.monotonic() + left / 2)


class Test:
    """One outage under test: what can be kept, and whether every program keeps its level."""

    def __init__(self, compiled: Compiled, case: Case, where: Position) -> None:
        from models.recourse import Search, exposure_limit, situation

        self.compiled, self.case = compiled, case
        self.situation: Situation = situation(where, case.event)
        self.least = Search(self.situation, self.situation.planned_unmet, self.situation.kept)
        level = compiled.portfolio.policy.service_level
        self.allowed = exposure_limit(self.situation, level)
        self.level: Search | None = None
        self.gap = 0.0

    def work(self, effort: Effort) -> None:
        """Look for the cheapest re-routing; where it exposes a program, for one that does not."""
        self.gap = effort.gap
        self.least.glance(effort)
        self._meet_level(effort)  # most outages that expose a program do so whatever is re-routed
        self.least.work(_half(effort))
        self._meet_level(effort)
        if self.level is not None and self.kept == "open":
            self.level.work(_half(effort))
        self.least.work(effort)

    def _meet_level(self, effort: Effort) -> None:
        """Begin the search for a re-routing that exposes nobody where the cheapest does."""
        from models.recourse import Search

        if self.level is not None:
            self.level.take(self.least.best)
        elif self._exposes(self.least.best):
            self.level = Search(self.situation, self.allowed, self.least.best)
            self.level.glance(effort)

    def keep(self, effort: Effort) -> None:
        """Look only for a re-routing that keeps every level."""
        from models.recourse import Search

        self.gap = 1.0
        if self._exposes(self.least.best):
            self.level = Search(self.situation, self.allowed, self.least.best)
            self.level.work(effort)

    @property
    def kept(self) -> Kept:
        """Whether every program can keep its service level."""
        if self.level is None:
            return "open" if self._exposes(self.least.best) else "yes"
        if self.level.value <= 0:
            return "yes"
        return "no" if self.level.bound > 1e-9 * self.least.value else "open"

    @property
    def open(self) -> bool:
        """Whether more work could tell more."""
        return self.kept == "open" or not self.least.met(self.gap)

    @property
    def doubt(self) -> float:
        """Money between what is attained and what is proven."""
        return self.least.value - self.least.bound

    def _exposes(self, batches: Ints) -> bool:
        situation = self.situation
        extra = situation.extra(batches)
        allowed = allowance(self.compiled, situation)
        return bool(is_exposed(extra, allowed, situation.demand).any())

    def result(self, group: Group) -> OutageResult:
        """The outage in the words of the tables, for one of the groups that it stands for."""
        compiled, situation = self.compiled, self.situation
        least, kept = self.least.result(self.gap), self.kept
        level = None if self.level is None else self.level.result(self.gap)
        batches = level.batches if level is not None and kept == "yes" else least.batches
        programs = programs_short(compiled, situation, batches)
        refuted = level is not None and kept == "no"
        return OutageResult(
            group=group,
            start_period=compiled.problem.period_labels[situation.start],
            kept=kept,
            money=sum(program.money for program in programs),
            bound=least.bound,
            exposure_bound=level.bound if level is not None and refuted else 0.0,
            programs=programs,
            changes=changes(compiled, situation, batches),
            proof=proof(compiled, least.linear, least.duals),
            exposure_proof=proof(compiled, level.linear, level.duals)
            if level is not None and refuted
            else Proof(0.0),
            limit="time" if self.open else None,
        )
