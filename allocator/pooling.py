"""The pooled logistic regression behind `allocator.punctuality`: counts, mode, curvature, spreads.

The model stands in `allocator.punctuality`; scikit-learn finds its mode.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from allocator.calibration import Floats, sigmoid
from allocator.errors import Usage

#: Spreads allowed, in log-odds: from all but alike to a factor of 20 between common sites.
SPREAD = (0.02, 3.0)

NEEDED = "fitting needs scikit-learn; install allocator[fit]"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery that a site shipped itself: the year it was due, and whether it came late."""

    site: str
    year: int
    late: bool


@dataclass(frozen=True)
class Spreads:
    """Standard deviations in log-odds: between sites, between years, between years of a site."""

    site: float
    year: float
    site_year: float


@dataclass(frozen=True)
class Cells:
    """Site-years in order, (N,): rows of `sites` and `years`, deliveries made and late."""

    sites: tuple[str, ...]
    years: tuple[int, ...]
    site: Floats
    year: Floats
    made: Floats
    late: Floats

    @cached_property
    def design(self) -> Floats:
        """Effects of each cell, (N, S + Y + N): its site, its year, itself."""
        return np.concatenate(
            [
                self.site[:, None] == np.arange(len(self.sites)),
                self.year[:, None] == np.arange(len(self.years)),
                np.eye(len(self.made)),
            ],
            axis=1,
        ).astype(np.float64)


def count_cells(lines: Iterable[Delivery]) -> Cells:
    """Deliveries counted by site and year, in order: the order of lines changes nothing."""
    made: dict[tuple[str, int], int] = {}
    late: dict[tuple[str, int], int] = {}
    for line in lines:
        key = (line.site, line.year)
        made[key] = made.get(key, 0) + 1
        late[key] = late.get(key, 0) + int(line.late)
    keys = sorted(made)
    sites = tuple(sorted({site for site, _ in keys}))
    years = tuple(sorted({year for _, year in keys}))
    return Cells(
        sites,
        years,
        np.array([sites.index(site) for site, _ in keys]),
        np.array([years.index(year) for _, year in keys]),
        np.array([made[key] for key in keys], np.float64),
        np.array([late[key] for key in keys], np.float64),
    )


@dataclass(frozen=True)
class Posterior:
    """Mode and covariance of (base, effects); `evidence` is the log-likelihood of the spreads."""

    spreads: Spreads
    base: float
    effects: Floats
    covariance: Floats
    evidence: float


def likeliest(cells: Cells) -> Posterior:
    """The posterior under the likeliest spreads, by the simplex method of Nelder and Mead."""
    try:
        from scipy.optimize import minimize
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise Usage(NEEDED) from error

    def posterior(logs: Floats) -> Posterior:
        return posterior_of(cells, Spreads(*(float(spread) for spread in np.exp(logs))))

    start = np.log([0.8, 0.3, 0.8])
    with threadpool_limits(1):  # small matrices: more threads only wait for each other
        found = minimize(
            lambda logs: -posterior(logs).evidence,
            start,
            method="Nelder-Mead",
            bounds=[(math.log(low), math.log(high)) for low, high in [SPREAD] * 3],
            options={
                "initial_simplex": start + 0.7 * np.eye(4, 3, -1),
                "xatol": 0.01,
                "fatol": 1e-4,
            },
        )
        return posterior(found.x)


def posterior_of(cells: Cells, spreads: Spreads) -> Posterior:
    """The mode by scikit-learn, the curvature there, and Laplace's approximation."""
    spread = np.repeat(
        [spreads.site, spreads.year, spreads.site_year],
        [len(cells.sites), len(cells.years), len(cells.made)],
    )
    base, effects = _mode(cells, spread)
    p = sigmoid(base + cells.design @ effects)
    weight = cells.made * p * (1.0 - p)
    full = np.concatenate([np.ones((len(p), 1)), cells.design], axis=1)
    curvature = full.T @ (weight[:, None] * full)
    curvature += np.diag(np.append(0.0, spread**-2.0))
    fit = cells.late @ np.log(p) + (cells.made - cells.late) @ np.log1p(-p)
    prior = -0.5 * float(np.sum((effects / spread) ** 2)) - float(np.log(spread).sum())
    evidence = float(fit) + prior - 0.5 * float(np.linalg.slogdet(curvature)[1])
    return Posterior(spreads, base, effects, np.linalg.inv(curvature), evidence)


def _mode(cells: Cells, spread: Floats) -> tuple[float, Floats]:
    """Base and effects of the penalised fit, from two weighted rows per cell."""
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise Usage(NEEDED) from error
    # columns times their spread, so that one penalty of 1 stands for all: u = spread x coefficient
    rows = np.concatenate([cells.design * spread] * 2)
    outcome = np.repeat([1, 0], len(cells.made))
    weight = np.concatenate([cells.late, cells.made - cells.late])
    model = LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-9, max_iter=500)
    model.fit(rows[weight > 0], outcome[weight > 0], sample_weight=weight[weight > 0])
    return float(model.intercept_[0]), np.asarray(model.coef_[0], np.float64) * spread
