"""What plans of tests are to withstand."""

from __future__ import annotations

import numpy as np

from models.problem import Problem
from models.recourse import Effort
from models.result import Decision
from models.secure import Terms, Threat, breaches


def each_cmo(problem: Problem, length: float, level: float = 0.98, surge: float = 0.0) -> Terms:
    """Each CMO on its own stops for `length` periods."""
    none = np.zeros(len(problem.offers.ids), np.bool_)
    threats = (
        Threat(name, problem.lines.cmo == k, none, length)
        for k, name in enumerate(problem.cmos.ids)
    )
    return Terms(tuple(threats), np.full(len(problem.lines.ids), surge), level)


def each_pair(problem: Problem, length: float, level: float = 0.98) -> Terms:
    """The CMOs stop two at a time, and every offer lacks its input at once."""
    F, L, K = len(problem.offers.ids), len(problem.lines.ids), len(problem.cmos.ids)
    none, every = np.zeros(F, np.bool_), np.ones(F, np.bool_)
    pairs = [(k, (k + 1) % K) for k in range(K)]
    threats = [Threat(f"{k}", np.isin(problem.lines.cmo, k), none, length) for k in pairs]
    threats.append(Threat("input", np.zeros(L, np.bool_), every, 0.5))
    return Terms(tuple(threats), np.zeros(L), level)


def broken(problem: Problem, plan: Decision, terms: Terms) -> list[float]:
    """Money short beyond the levels in each outage that breaks a plan."""
    return [b.money for b in breaches(problem, plan, terms, Effort(0.0), 60.0)]
