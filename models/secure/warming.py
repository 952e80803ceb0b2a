"""Compiling what a secure plan needs before its clock starts, as `models.patterns.warming` does."""

from __future__ import annotations

import functools

import numpy as np

from models.patterns.warming import warm_up
from models.secure.bounding import Bounding
from models.secure.check import Terms, Threat, breaches
from models.secure.rebuilding import Rebuilder
from models.secure.sharing import Sharing
from models.solve import Settings


def warm_up_secure(settings: Settings) -> None:
    """Have everything compiled that a secure solve calls, told to `settings.progress`."""
    warm_up(settings)
    _compile()


@functools.cache
def _compile() -> None:
    """Build and bound a secure plan of a tiny problem."""
    from models.recourse import Effort
    from models.sample import sample_problem

    problem = sample_problem()
    none = np.zeros(len(problem.offers.ids), np.bool_)
    threats = [
        Threat(cmo, problem.lines.cmo == k, none, 1.0) for k, cmo in enumerate(problem.cmos.ids)
    ]
    terms = Terms(tuple(threats), np.zeros(len(problem.lines.ids)), 0.98)
    rebuilder = Rebuilder(problem, terms, 0)
    rebuilder.construct(None, lambda: False)
    rebuilder.run(2, lambda: False)
    standing = rebuilder.standing
    for p, entry in enumerate(standing.entries):
        if entry is not None:
            standing.drop(p)
            sharing = Sharing(standing, p, entry, 0.0)
            sharing.room_made(np.ones(entry.taken.shape[:2], np.bool_))
            standing.add(p, entry)
    breaches(problem, standing.decision(), terms, Effort(0.05), 1.0)
    Bounding(problem, rebuilder.inserter, Settings(), np.inf).run()
