"""The terminal: what people see while a command works, and how they stop it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def terminal(stderr: bool = False) -> Console:
    """A console on standard output (or error); wide enough for tables when in a pipe.

    Text stands there as it is: `[secure]` and `:smile:` may be words of a table or a policy.
    """
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else 110
    return Console(file=stream, width=width, soft_wrap=False, markup=False, emoji=False)


@contextmanager
def quiet_solvers() -> Iterator[None]:
    """Keep what C libraries print away from standard output, which may be read by a program."""
    import os

    sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:  # standard output is closed
        yield
        return
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
        os.close(sink)


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """The first Ctrl-C asks for the best plan so far, the second ends the program."""
    import signal
    import threading

    asked = threading.Event()

    def on_signal(*_: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        print("stopping with the best plan so far; again to stop at once", file=sys.stderr)

    before = signal.signal(signal.SIGINT, on_signal)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def progress_line() -> Iterator[Callable[..., None] | None]:
    """One line that follows the solve on a terminal; None in a pipe."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.live import Live

    from allocator.show import money, percent
    from models.result import relative_gap

    console = terminal(stderr=True)
    with Live(console=console, transient=True, refresh_per_second=4) as live:

        def follow(state: Any) -> None:
            live.update(
                f"{state.seconds:6.1f} s  best {money(state.objective)}"
                f"  bound {money(state.bound)}"
                f"  gap {percent(relative_gap(state.objective, state.bound))}  {state.phase}"
            )

        yield follow


@contextmanager
def step_line() -> Iterator[Callable[[str, int, int], None] | None]:
    """One line that follows the steps of an analysis on a terminal; None in a pipe."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.text import Text

    with terminal(stderr=True).status("starting") as status:
        yield lambda what, done, of: status.update(Text(f"{what}: {done} of {of}"))
