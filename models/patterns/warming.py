"""Compiling before the clock of a solve starts: once per installation it takes a minute or two."""

from __future__ import annotations

import functools
import time

import numpy as np

from models.solve import Progress, Settings


def warm_up(settings: Settings) -> float:
    """Have everything compiled that a solve calls; the seconds that took, no time of the solve's.

    Without this the first solve on a machine would spend its time limit on compiling. Told to
    `settings.progress`, as it may take long.
    """
    before = time.monotonic()
    if settings.progress is not None:
        settings.progress(Progress(0.0, None, None, "compiling, once per installation"))
    _compile()
    return time.monotonic() - before


@functools.cache
def _compile() -> None:
    """Solve a tiny problem through every compiled function."""
    from models.patterns.agreement import Agreement
    from models.patterns.improving import Improver
    from models.patterns.solving import start_generation
    from models.patterns.watch import Watch
    from models.sample import sample_problem

    problem = sample_problem()
    watch = Watch(problem, Settings())
    generation = start_generation(watch)
    lagrangian, master = generation.lagrangian, generation.master
    relaxation = generation.run(np.inf)
    assert relaxation.duals is not None
    Agreement(lagrangian, master, relaxation.duals, watch).begin()
    improver = Improver(lagrangian, relaxation, master, watch, 0)
    nothing = master.columns.take(np.empty(0, np.int64))
    improver.construct(nothing, np.zeros(len(problem.lines.ids), np.bool_))
    improver.run()
