"""A lower bound of all secure plans, by column generation over secure schedules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from models.patterns.columns import Book
from models.patterns.layout import Layout
from models.patterns.pricing import Pricer
from models.patterns.root import Generation
from models.patterns.solving import start_master
from models.patterns.watch import Watch
from models.problem import Problem
from models.result import Decision
from models.secure.insertion import Inserter
from models.secure.pricing import END, SecureLagrangian
from models.solve import Settings

#: Share of the time for the last pricing, which looks closer.
LAST = 0.3


def secure_bound(
    problem: Problem,
    inserter: Inserter,
    settings: Settings,
    seconds: float,
    plans: list[Decision],
    stop: Callable[[], bool] | None = None,
) -> float | None:
    """What any secure plan costs at least; None where nothing was proven within `seconds`.

    `plans` give the master its first columns.
    """
    watch = Watch(problem, replace(settings, time_limit=None, progress=None, stop=stop))
    book = Book(Layout(problem))
    lagrangian = SecureLagrangian(book, Pricer(problem, settings.threads), inserter)
    master = start_master(lagrangian)
    for plan in plans:
        master.add(book.columns_of(plan))
    end = watch.seconds + seconds
    found = Generation(lagrangian, master, watch).run(end - LAST * seconds)
    if found.duals is None or found.priced is None or not np.isfinite(found.bound):
        return None
    lagrangian.effort, lagrangian.over = END, lambda: watch.over() or watch.seconds >= end
    duals = np.append(found.duals, np.zeros(len(master.duals) - len(found.duals)))
    limits = (master.side_lower, master.side_upper)
    last = lagrangian.evaluate(duals, master.added, 1.0, master.side_costs(duals), limits)
    return max(float(found.bound), float(last.bound))
