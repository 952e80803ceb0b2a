"""Every single outage of a plan in turn, each with its best re-routing and a proof."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from allocator.errors import Usage
from allocator.outages.cases import cases, surge_of
from allocator.outages.groups import KINDS, check_kinds, groups_of
from allocator.outages.results import OutageResult, StressReport
from allocator.outages.testing import Pool, Test, key

if TYPE_CHECKING:
    from allocator.compile import Compiled
    from allocator.outages.cases import Case
    from allocator.outages.partial import Partial
    from models.recourse import Tried
    from models.result import Decision

#: Looks of the solver at its limits for each part, round by round (`models.recourse.Effort`).
ROUNDS = (0, 100, 1_000, 10_000, None)
#: Parts of outages that a worker takes at once where they are looked at shortly.
CHUNK = 16
#: Time kept back for the report and its audit, in times that finding what there is to test takes.
RESERVE = 3.5
#: Most seconds for one outage of a plan that is known to withstand it.
CERTIFY_SECONDS = 30.0

Progress = Callable[..., None] | None
Stop = Callable[[], bool] | None


def stress(
    run_folder: str | Path,
    *,
    groups: Sequence[str] = KINDS,
    time_limit: float | None = 60.0,
    gap: float = 0.005,
    threads: int = 1,
    out: str | Path | None = None,
    progress: Progress = None,
    stop: Stop = None,
) -> StressReport:
    """Stop each CMO, owner, region, country and shared input of a finished plan in turn.

    `groups` are the kinds to stop, `time_limit` seconds for all together (None: until every outage
    is proven within `gap`), `threads` processes. The plan is audited before, the result after.
    Writes stress.json and stress.csv into the run's folder (of a secure plan, whose certificate
    stands there, into `stress` in it) or into `out`, where it also takes up what an earlier test
    left unfinished. Raises Usage where the folder has no plan, a kind is unknown or `out` has files
    that must stay, AuditFailed where plan or result fail the audit; then nothing is written.
    """
    from allocator.outages.auditing import audited_plan, checked
    from allocator.outages.files import result_folder, write_stress
    from allocator.outages.partial import Partial
    from allocator.replay import read_finished

    started = time.monotonic()
    kinds = check_kinds(groups)
    if gap < 0 or threads < 1 or (time_limit is not None and time_limit <= 0):
        raise Usage("gap must be at least 0, threads at least 1, the time limit above 0 s")
    run = read_finished(run_folder)
    folder = result_folder(run.folder, run.plan, out)
    case = audited_plan(run.folder)
    partial = Partial(folder, run.folder, gap)
    report = stress_plan(
        run.compiled,
        run.decision,
        kinds=kinds,
        time_limit=None if time_limit is None else time_limit - (time.monotonic() - started),
        gap=gap,
        threads=threads,
        progress=progress,
        stop=stop,
        partial=partial,
    )
    write_stress(report, checked(case, report, run.folder), folder)
    partial.close(finished=report.limit is None)
    return replace(report, folder=folder)


def stress_plan(
    compiled: Compiled,
    decision: Decision,
    *,
    kinds: Sequence[str] = KINDS,
    time_limit: float | None = None,
    gap: float = 0.005,
    threads: int = 1,
    progress: Progress = None,
    stop: Stop = None,
    partial: Partial | None = None,
) -> StressReport:
    """The stress test of a decision (see `stress`); `partial` keeps what is found meanwhile."""
    started = time.monotonic()
    until = None if time_limit is None else started + time_limit

    def over() -> bool:
        late = until is not None and time.monotonic() >= until
        return late or (stop is not None and stop())

    found, tests, pool = _tests(compiled, decision, kinds)
    if until is not None:  # telling and auditing what was found grows as finding what to test does
        until -= min(RESERVE * (time.monotonic() - started), (until - started) / 4)
    if partial is not None:
        pool.resume(partial.read())
    work(list(tests.values()), pool, gap, threads, progress, over, partial)
    return _report(compiled, kinds, found, tests, started, gap, stop)


def certify_plan(compiled: Compiled, decision: Decision, *, kinds: Sequence[str]) -> StressReport:
    """A re-routing for every outage that keeps all service levels, where there is one.

    Nothing is sought beyond that: the money of a kept outage is attained, not the least.
    """
    from models.recourse import Effort

    started = time.monotonic()
    found, tests, pool = _tests(compiled, decision, kinds)
    for trial in pool.trials.values():
        trial.keep(Effort(0.05, time.monotonic() + CERTIFY_SECONDS))
    return _report(compiled, kinds, found, tests, started, 1.0, None)


def _tests(
    compiled: Compiled, decision: Decision, kinds: Sequence[str]
) -> tuple[list[Case], dict[bytes, Test], Pool]:
    """Every outage that matters, a test of each that is different, and the parts they fall into."""
    from models.recourse import position

    where = position(compiled.problem, decision, surge_of(compiled))
    used = sorted(compiled.problem.offers.ids[f] for f in where.offers[where.chosen].tolist())
    found = list(cases(compiled, where, groups_of(compiled.portfolio, kinds, used)))
    pool = Pool(compiled.portfolio.policy.service_level)
    tests: dict[bytes, Test] = {}
    for case in found:  # an owner of one site stops with it: one outage, tested once
        if key(case) not in tests:
            tests[key(case)] = Test(compiled, case, where, pool)
    return found, tests, pool


def work(
    tests: Sequence[Test],
    pool: Pool,
    gap: float,
    threads: int = 1,
    progress: Progress = None,
    stop: Stop = None,
    partial: Partial | None = None,
) -> None:
    """Look at every part of every outage shortly, then longer at those that are still open.

    In each round the parts with most money in doubt for their size come first. What a round finds
    is the same with any number of `threads`, as long as `stop` does not end it.
    """
    from allocator.outages.testing import Asked, work_parts
    from allocator.tradeoff.crew import Crew, Job

    with Crew(threads, progress, stop) as crew:
        for number, looks in enumerate(ROUNDS):
            waiting = pool.waiting(tests, gap, number)
            size = CHUNK if number == 0 else 1
            chunks = [waiting[at : at + size] for at in range(0, len(waiting), size)]
            jobs = [
                Job("outages", work_parts, Asked(pool.asked(names), gap, looks)) for names in chunks
            ]

            def keep(found: Sequence[tuple[str, Tried, bool]], number: int = number) -> None:
                pool.take(found, number)
                if partial is not None:
                    partial.add(found, number)

            crew.run(jobs, keep)
            if crew.stopped():
                return


def _report(
    compiled: Compiled,
    kinds: Sequence[str],
    found: list[Case],
    tests: dict[bytes, Test],
    started: float,
    gap: float,
    stop: Stop,
) -> StressReport:
    """All results, the worst first."""
    known = {name: test.result(gap) for name, test in tests.items()}
    results = sorted((replace(known[key(case)], group=case.group) for case in found), key=_rank)
    unfinished = any(result.limit for result in results)
    limit = "interrupt" if stop is not None and stop() else "time"
    return StressReport(
        outages=tuple(results),
        kinds=tuple(kinds),
        service_level=compiled.portfolio.policy.service_level,
        currency=compiled.portfolio.policy.currency,
        programs=len(compiled.problem.programs.ids),
        gap=gap,
        seconds=time.monotonic() - started,
        limit=limit if unfinished else None,
    )


def _rank(result: OutageResult) -> tuple[float, float, int, str, str]:
    """Sort key: exposed programs first by their money, then by kind, member and start."""
    kind = KINDS.index(result.group.kind)
    return -result.money, -len(result.exposed), kind, result.group.member, result.start_period
