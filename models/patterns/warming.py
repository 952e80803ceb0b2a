"""Compiling before the clock of a solve starts: once per installation it takes half a minute."""

from __future__ import annotations

import functools

import numpy as np


@functools.cache
def warm_up() -> None:
    """Have everything compiled that a solve calls, or loaded where it was compiled before.

    Without this the first solve on a machine would spend its time limit on compiling.
    """
    from models.patterns.bound import Lagrangian
    from models.patterns.columns import Book
    from models.patterns.improving import Improver
    from models.patterns.layout import Layout
    from models.patterns.master import Master
    from models.patterns.pricing import Pricer
    from models.patterns.root import Generation
    from models.patterns.watch import Watch
    from models.sample import sample_problem
    from models.solve import Settings

    problem = sample_problem()
    watch = Watch(problem, Settings())
    book = Book(Layout(problem))
    lagrangian = Lagrangian(book, Pricer(problem))
    master = Master(book)
    none = np.zeros((1, problem.periods), np.int16)
    master.add(book.columns(problem.options.start[:-1], none, none))
    relaxation = Generation(lagrangian, master, watch).run(np.inf)
    improver = Improver(lagrangian, relaxation, master.added, watch, 0)
    nothing = master.columns.take(np.empty(0, np.int64))
    improver.construct(nothing, np.zeros(len(problem.lines.ids), np.bool_))
    improver.run()
