"""Jobs fanned out over processes: one display of progress, one stop, results in the order asked.

A job is data and a function of a module, so it can go to a fresh interpreter; solvers with their
global state never share one. With one worker everything runs in this process.
"""

from __future__ import annotations

import queue
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any

from allocator.errors import AllocatorError

if TYPE_CHECKING:
    from models.solve import Progress

Report = Callable[..., None] | None
Stop = Callable[[], bool] | None
Work = Callable[[Any, Report, Stop], Any]
Each = Callable[[Any], None] | None

#: Seconds between two looks at messages of the workers and at the stop.
POLL_SECONDS = 0.1


class WorkerLost(AllocatorError):  # noqa: N818  a word of the command line
    """A worker process died; what was finished before is kept."""


@dataclass(frozen=True)
class Job:
    """`work(payload, progress, stop)` under a name that people read; `work` is importable."""

    name: str
    work: Work
    payload: Any


@dataclass
class Board:
    """What is shown of many jobs in one line."""

    progress: Report
    started: float = field(default_factory=time.monotonic)
    total: int = 0
    done: int = 0
    states: dict[int, tuple[str, Progress]] = field(default_factory=dict)
    over: set[int] = field(default_factory=set)

    def expect(self, jobs: int) -> int:
        """So many jobs more; the number of the first of them."""
        self.total += jobs
        self.show()
        return self.total - jobs

    def note(self, number: int, name: str, state: Progress | None) -> None:
        """The state of a job; None: it is done, and what it still says comes too late."""
        if state is None:
            self.states.pop(number, None)
            self.over.add(number)
            self.done += 1
        elif number not in self.over:
            self.states[number] = (name, state)
        self.show()

    def show(self) -> None:
        """Tell the progress callback how all jobs stand together."""
        if self.progress is None:
            return
        from models.result import relative_gap
        from models.solve import Progress

        parts = [f"{self.done} of {self.total} done"]
        for name, state in self.states.values():
            gap = relative_gap(state.objective, state.bound)
            parts.append(name if gap is None else f"{name} {100 * gap:.2f} %")
        seconds = time.monotonic() - self.started
        self.progress(Progress(seconds, None, None, ", ".join(parts)))


class Crew:
    """Workers for the jobs of one command; use it as a context, `run` as often as needed.

    `workers` processes, one job each at a time. Once `stop` says so, running jobs are asked to end
    with what they have and the others are not begun.
    """

    def __init__(self, workers: int = 1, progress: Report = None, stop: Stop = None) -> None:
        self.workers, self.stop = workers, stop
        self.board = Board(progress)
        self._pool: ProcessPoolExecutor | None = None
        self._flag: Any = None
        self._messages: Any = None

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            if error is not None:
                self._flag.set()
            self._pool.shutdown(wait=True, cancel_futures=True)

    def stopped(self) -> bool:
        """Whether the user asked to stop."""
        return self.stop is not None and self.stop()

    def run(self, jobs: Sequence[Job], each: Each = None) -> list[Any | None]:
        """Result of each job in the order given; None where it was not begun before the stop.

        `each` is told every result as soon as it is there, in whatever order they come. Raises
        what a job raises, and WorkerLost where a process died.
        """
        numbered = list(enumerate(jobs, self.board.expect(len(jobs))))
        if self.workers <= 1 or (len(jobs) <= 1 and self._pool is None):
            return [self._here(number, job, each) for number, job in numbered]
        return self._fan_out(numbered, each)

    def _here(self, number: int, job: Job, each: Each) -> Any | None:
        if self.stopped():
            return None

        def told(state: Progress) -> None:
            self.board.note(number, job.name, state)

        result = job.work(job.payload, told if self.board.progress else None, self.stop)
        self.board.note(number, job.name, None)
        if each is not None:
            each(result)
        return result

    def _fan_out(self, numbered: Sequence[tuple[int, Job]], each: Each) -> list[Any | None]:
        pool = self._start()
        futures = {pool.submit(_call, number, job): (number, job) for number, job in numbered}
        waiting: set[Future[Any]] = set(futures)
        try:
            while waiting:
                finished, waiting = wait(waiting, timeout=POLL_SECONDS)
                if self.stopped():
                    self._flag.set()
                self._listen()
                for future in finished:
                    result = future.result()
                    number, job = futures[future]
                    self.board.note(number, job.name, None)
                    if each is not None and result is not None:
                        each(result)
            return [future.result() for future in futures]
        except BrokenProcessPool:
            raise WorkerLost(
                "a worker process ended without an answer, perhaps for want of memory; finished"
                " plans are kept: run again with the same --out and --threads 1"
            ) from None

    def _start(self) -> ProcessPoolExecutor:
        import multiprocessing

        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._flag, self._messages = context.Event(), context.Queue()
            self._pool = ProcessPoolExecutor(
                self.workers,
                mp_context=context,
                initializer=_begin,
                initargs=(self._flag, self._messages, self.board.progress is not None),
            )
        return self._pool

    def _listen(self) -> None:
        """Show the messages that came meanwhile."""
        while True:
            try:
                number, name, state = self._messages.get_nowait()
            except queue.Empty:
                return
            self.board.note(number, name, state)


#: In a worker: the flag that asks to stop, the way to the display, and whether anyone looks.
_shared: dict[str, Any] = {}


def _begin(flag: Any, messages: Any, shown: bool) -> None:
    """Set a worker up; Ctrl-C is the parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _shared.update(flag=flag, messages=messages, shown=shown)


def _call(number: int, job: Job) -> Any | None:
    """Run a job in a worker."""
    flag, messages = _shared["flag"], _shared["messages"]
    if flag.is_set():
        return None
    spoken = 0.0

    def told(state: Progress) -> None:
        nonlocal spoken
        now = time.monotonic()
        if now - spoken >= POLL_SECONDS:
            spoken = now
            messages.put((number, job.name, replace(state, decision=None)))

    return job.work(job.payload, told if _shared["shown"] else None, flag.is_set)
