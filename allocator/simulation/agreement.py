"""Do the exact figures of docs/risk.md lie where the futures say? Under the same assumptions.

Here the drawn slips and outages are only counted as the formulas count them: months of demand
missed before the first supply, months out beyond the stock cover with the survivor's surge. No
batches, no stock, no failures, no error of demand: these are in the distribution, not in this test.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.risk.joint import prob_both_out, prob_out
from allocator.risk.options import demand_weights
from allocator.simulation.case import Case, Floats
from allocator.simulation.draws import Draws
from allocator.simulation.intervals import mean_interval, share_interval

#: What is compared, and in which unit.
FIGURES = {
    "late_months": "months",
    "lost_months": "months",
    "prob_all_out_per_year": "probability a year",
}


@dataclass(frozen=True)
class Comparison:
    """One exact figure of a program beside its simulated mean and confidence interval."""

    program_id: str
    figure: str
    exact: float
    simulated: float
    low: float
    high: float

    @property
    def agrees(self) -> bool:
        """Whether the exact figure lies in the interval, but for rounding."""
        slack = 1e-9 * max(1.0, abs(self.exact))
        return self.low - slack <= self.exact <= self.high + slack


@dataclass(frozen=True)
class Agreement:
    """All comparisons; together they are wrong by chance with probability 1 - `confidence`."""

    confidence: float
    comparisons: tuple[Comparison, ...]

    @property
    def passed(self) -> bool:
        """Whether every exact figure lies in its interval."""
        return all(one.agrees for one in self.comparisons)


def compare_with_exact(case: Case, draws: Draws, confidence: float) -> Agreement:
    """Compare late months, lost months and total stops of every sourced program.

    Bonferroni: each interval may be wrong with (1 - confidence) / number of comparisons.
    """
    # the last row is the worst that a future can hold: late and lost months only grow with both
    late = _late(case, np.concatenate([draws.slip, draws.slip_most[None]]))
    lost = _lost(case, np.concatenate([draws.out, _longest(case)[None]]))
    stops = _stops(case, draws)
    ids = case.problem.programs.ids
    sourced = sorted(set(case.sources.program.tolist()), key=lambda p: ids[p])
    error = (1.0 - confidence) / max(1, len(FIGURES) * len(sourced))
    found = []
    for p in sourced:
        exact = _exact(case, p)
        for figure, values in (("late_months", late[:, p]), ("lost_months", lost[:, p])):
            low, high = mean_interval(values[:-1], float(values[-1]), error)
            mean = float(values[:-1].mean())
            found.append(Comparison(ids[p], figure, exact[figure], mean, low, high))
        figure, hits, count = (
            "prob_all_out_per_year",
            int(stops[:, :, p].sum()),
            stops[:, :, p].size,
        )
        low, high = share_interval(hits, count, error)
        found.append(Comparison(ids[p], figure, exact[figure], hits / count, low, high))
    return Agreement(confidence, tuple(found))


def _exact(case: Case, p: int) -> dict[str, float]:
    """The exact figures of a program's option."""
    row = case.decision.option[p]
    return {
        "late_months": float(case.problem.options.late_months[row]),
        "lost_months": float(case.problem.options.lost_months[row]),
        "prob_all_out_per_year": _exact_stop(case, p),
    }


def _longest(case: Case) -> Floats:
    """The longest that each class of sites can be out in each year, (Y, C)."""
    months = np.array([shock.recover_months for shock in case.shocks], np.float64)
    longest = np.max(case.strikes * months[:, None], axis=0, initial=0.0)
    return np.broadcast_to(longest, (case.years, len(longest)))


def _rows(case: Case, p: int) -> list[int]:
    """Rows of a program's sources."""
    return np.flatnonzero(case.sources.program == p).tolist()


def _late(case: Case, slip: Floats) -> Floats:
    """Months of mean demand between planned and actual first supply, (N, P)."""
    sources, problem, months = case.sources, case.problem, case.months
    weight, after = demand_weights(case.compiled.portfolio, problem.programs.ids)
    late = np.zeros((len(slip), len(problem.programs.ids)))
    for p in set(sources.program.tolist()):
        rows = _rows(case, p)
        planned = sources.planned[rows] * float(months)
        actual = (planned + slip[:, rows]).min(axis=1)
        end = problem.periods * months
        beyond = max(float(actual.max()), end) + 1.0
        knots = np.append(np.arange(problem.periods + 1) * float(months), beyond)
        upto = np.cumsum([0.0, *(weight[p] * months), after[p] * (beyond - end)])
        late[:, p] = np.interp(actual, knots, upto) - np.interp(planned.min(), knots, upto)
    return late


def _lost(case: Case, out: Floats) -> Floats:
    """Months of mean demand lost to outages as the formulas count them, (N, P)."""
    sources, problem = case.sources, case.problem
    ids = problem.programs.ids
    weight, _ = demand_weights(case.compiled.portfolio, ids)
    year = np.arange(problem.periods) * case.months // 12
    lost = np.zeros((len(out), len(ids)))
    for p in set(sources.program.tolist()):
        rows = _rows(case, p)
        cover = case.basis.cover[p]
        beyond = np.maximum(out[:, :, sources.site[rows]] - cover, 0.0)
        first, last = sources.planned[rows].min(), sources.planned[rows].max()
        early = beyond[:, :, sources.planned[rows].argmin()]
        t = np.arange(problem.periods)
        span = weight[p] * case.months / 12.0
        for y in range(case.years):
            alone = span[(year == y) & (t >= first) & (t < last)].sum()
            joint = span[(year == y) & (t >= last)].sum()
            lost[:, p] += alone * early[:, y] + joint * _missed(case, rows, beyond[:, y])
    return lost


def _missed(case: Case, rows: list[int], beyond: Floats) -> Floats:
    """Months of demand lost in a year in which the sources are out for `beyond`, (N, sources)."""
    if len(rows) == 1:
        return np.asarray(beyond[:, 0])
    share, surge = case.sources.share[rows], case.sources.surge[rows]
    both = beyond.min(axis=1)
    missed = both.copy()
    for one, other in ((0, 1), (1, 0)):
        left = max(share[one] - surge[other] * share[other], 0.0)
        missed += (beyond[:, one] - both) * left
    return np.asarray(missed)


def _stops(case: Case, draws: Draws) -> Floats:
    """1 in each year in which some shock strikes every source of a program, (N, Y, P)."""
    struck = draws.struck[:, :, case.sources.site]
    stops = np.zeros((*draws.struck.shape[:2], draws.demand.shape[1]))
    for p in set(case.sources.program.tolist()):
        stops[:, :, p] = struck[:, :, _rows(case, p)].all(axis=2)
    return stops


def _exact_stop(case: Case, p: int) -> float:
    """The exact probability that all sources of a program are out in a year."""
    offers = case.sources.offer[_rows(case, p)]
    site = case.basis.sites.of_offer[offers]
    shocks = case.basis.sites.shocks
    if len(site) == 1:
        return float(prob_out(shocks, site)[0])
    return float(prob_both_out(shocks, site[:1], site[1:])[0])
