"""Sites' punctuality from a delivery history: fitted shifts of the odds of being late, and a test.

A delivery that site s made in year y is late with log-odds

    base + u(s) + w(y) + v(s, y),   u, w, v normal around 0, each with its own spread:

a logistic regression with an L2 penalty on the effects and none on the base (scikit-learn, extra
`fit`). The penalty is partial pooling: a site with few deliveries stays near the base. u is what
stays with a site and is its shift; w is a good or bad year of all; v a site's own good or bad year,
in which deliveries come late together. Without w and v one bad year of a large site would look like
hundreds of independent faults. The spreads are what makes the data most likely (Laplace's
approximation), standard errors those of the normal approximation to the posterior at its mode
(MacKay, Information Theory, Inference, and Learning Algorithms, chapters 27 and 41).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from allocator.calibration import (
    Bin,
    Measure,
    auc,
    calibration,
    calibration_error,
    level,
    measure,
    sigmoid,
)
from allocator.pooling import (
    Cells,
    Delivery,
    Posterior,
    Spreads,
    count_cells,
    likeliest,
    posterior_of,
)

if TYPE_CHECKING:
    from allocator.history.reading import HistoryLine

__all__ = [
    "Backtest",
    "Delivery",
    "PunctualityFit",
    "SiteShift",
    "Spreads",
    "backtest",
    "deliveries",
    "fit_punctuality",
    "shift_rows",
]

#: Half width of an interval that holds 90 % of a normal distribution, in standard errors.
NINETY = 1.6448536269514722

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(40)


@dataclass(frozen=True)
class SiteShift:
    """One site: `log_odds` against the base with its `standard_error`, and what that means.

    `probability` of a late delivery is the mean over the posterior, `low` to `high` hold 90 %.
    """

    site: str
    deliveries: int
    late: int
    log_odds: float
    standard_error: float
    probability: float
    low: float
    high: float


@dataclass(frozen=True)
class PunctualityFit:
    """The base's log-odds, the spreads around it, and each site's shift, by name.

    `new_site` is the probability of a late delivery of a site without any history.
    """

    deliveries: int
    late: int
    base: float
    base_error: float
    spreads: Spreads
    sites: Mapping[str, SiteShift]
    new_site: float

    def probability(self, site: str) -> float:
        """Probability that a delivery of the site is late; of a new site where it is unknown."""
        return self.sites[site].probability if site in self.sites else self.new_site

    def lines(self) -> tuple[str, ...]:
        """The fit in plain words: the worst sites first."""
        worst = sorted(self.sites.values(), key=lambda s: (-s.probability, s.site))
        return (
            f"{self.late} of {self.deliveries} deliveries late; standard deviations in log-odds:"
            f" {self.spreads.site:.2f} between sites, {self.spreads.year:.2f} between years,"
            f" {self.spreads.site_year:.2f} between years of one site",
            *(
                f"{s.site}: log-odds {s.log_odds:+.2f} (standard error {s.standard_error:.2f}),"
                f" late {s.probability:.1%} ({s.low:.1%} to {s.high:.1%}),"
                f" {s.late} of {s.deliveries} deliveries"
                for s in worst
            ),
        )


def shift_rows(fit: PunctualityFit, cmo_ids: Mapping[str, str]) -> list[dict[str, object]]:
    """Rows of shifts.csv, by id, for the sites that `cmo_ids` (site -> id) names and the fit knows.

    Where several sites are one CMO the one with the most deliveries speaks for it.
    """
    best: dict[str, SiteShift] = {}
    for site in sorted(set(cmo_ids) & set(fit.sites), key=lambda s: (-fit.sites[s].deliveries, s)):
        best.setdefault(cmo_ids[site], fit.sites[site])
    return [
        {
            "cmo_id": cmo_id,
            "slip_log_odds": round(shift.log_odds, 4),
            "standard_error": round(shift.standard_error, 4),
            "source": f"punctuality: {shift.late} of {shift.deliveries} deliveries late",
        }
        for cmo_id, shift in sorted(best.items())
    ]


def deliveries(lines: Iterable[HistoryLine]) -> tuple[Delivery, ...]:
    """The lines of a history that the site shipped itself and whose delivery was recorded."""
    return tuple(
        Delivery(line.site, line.scheduled.year, line.days_late > 0)
        for line in lines
        if line.direct and line.days_late is not None
    )


def fit_punctuality(lines: Iterable[Delivery], spreads: Spreads | None = None) -> PunctualityFit:
    """Fit the sites' shifts; `spreads` None: those that make the data most likely.

    Raises Usage where scikit-learn is not installed, ValueError where no delivery, or every one,
    was late: then the base has no finite estimate.
    """
    cells = count_cells(lines)
    total, late = int(cells.made.sum()), int(cells.late.sum())
    if not 0 < late < total:
        raise ValueError(f"{late} of {total} deliveries late: punctuality cannot be fitted")
    found = likeliest(cells) if spreads is None else posterior_of(cells, spreads)
    base_variance = float(found.covariance[0, 0])
    yearly = found.spreads.year**2 + found.spreads.site_year**2
    new_site = float(np.sqrt(base_variance + found.spreads.site**2 + yearly))
    return PunctualityFit(
        deliveries=total,
        late=late,
        base=found.base,
        base_error=float(np.sqrt(base_variance)),
        spreads=found.spreads,
        sites=_sites(cells, found, yearly),
        new_site=_mean_probability(found.base, new_site),
    )


def _sites(cells: Cells, found: Posterior, yearly: float) -> dict[str, SiteShift]:
    """Each site's shift; a probability is that of a year to come, whose own effects are open."""
    sites = {}
    for row, site in enumerate(cells.sites):
        own = float(found.covariance[row + 1, row + 1])
        # of base + shift together: the two are correlated
        both = own + float(found.covariance[0, 0] + 2.0 * found.covariance[0, row + 1])
        middle, error = found.base + float(found.effects[row]), float(np.sqrt(both + yearly))
        mine = cells.site == row
        sites[site] = SiteShift(
            site=site,
            deliveries=int(cells.made[mine].sum()),
            late=int(cells.late[mine].sum()),
            log_odds=float(found.effects[row]),
            standard_error=float(np.sqrt(own)),
            probability=_mean_probability(middle, error),
            low=float(sigmoid(middle - NINETY * error)),
            high=float(sigmoid(middle + NINETY * error)),
        )
    return sites


def _mean_probability(middle: float, error: float) -> float:
    """Mean of the probability where its log-odds are normal (Gauss-Hermite quadrature)."""
    return float(_WEIGHTS @ sigmoid(middle + error * _NODES) / _WEIGHTS.sum())


@dataclass(frozen=True)
class Backtest:
    """A fit on the years up to `last_year`, measured on the later ones.

    `fitted` is the fit; `base` gives every delivery the late share of the training years. The
    level of later years may differ from that of the training years, whatever the sites, so
    `levelled` is the fit with its base set to the test's own, against `level`, the test's own late
    share for all: what the shifts alone are worth. `bins` is the calibration table of the fit and
    `calibration_error` its mean difference, weighted by deliveries. `auc` is the chance that a
    late delivery was given the higher probability than one in time.
    """

    last_year: int
    fit: PunctualityFit
    deliveries: int
    late: int
    new_sites: int
    fitted: Measure
    base: Measure
    levelled: Measure
    level: Measure
    bins: tuple[Bin, ...]
    calibration_error: float
    auc: float

    @cached_property
    def skill(self) -> float:
        """Brier skill over the base rate: 1 is perfect, 0 no better, negative worse."""
        return 1.0 - self.fitted.brier / self.base.brier

    @cached_property
    def levelled_skill(self) -> float:
        """The same of the shifts alone, over the test's own late share."""
        return 1.0 - self.levelled.brier / self.level.brier

    def lines(self) -> tuple[str, ...]:
        """The figures, good or bad."""
        fit = self.fit
        return (
            f"fitted on {fit.deliveries} deliveries up to {self.last_year}"
            f" ({fit.late / fit.deliveries:.2%} late), measured on {self.deliveries} later ones"
            f" ({self.late / self.deliveries:.2%} late; {self.new_sites} of them from new sites)",
            _compared("fit against the training years' late share", self.fitted, self.base),
            _compared("shifts alone, level set to the test's", self.levelled, self.level),
            f"a late delivery had the higher probability in {self.auc:.1%} of pairs",
            f"calibration error {self.calibration_error:.2%}:",
            *(
                f"  given {b.low:.0%} to {b.high:.0%}: {b.events} deliveries,"
                f" expected {b.expected:.2%}, late {b.share:.2%}"
                for b in self.bins
            ),
        )


def _compared(what: str, one: Measure, other: Measure) -> str:
    return (
        f"{what}: Brier {one.brier:.5f} against {other.brier:.5f}"
        f" (skill {1.0 - one.brier / other.brier:+.3f}),"
        f" log loss {one.log_loss:.5f} against {other.log_loss:.5f}"
    )


def backtest(lines: Iterable[Delivery], last_year: int) -> Backtest:
    """Fit on the years up to `last_year` and measure on the rest.

    Raises ValueError where either part has no late delivery, or nothing but late ones.
    """
    every = tuple(lines)
    train = [line for line in every if line.year <= last_year]
    test = [line for line in every if line.year > last_year]
    late = np.array([line.late for line in test], np.float64)
    if not 0 < late.sum() < len(late):
        raise ValueError(f"{late.sum():g} of {len(late)} deliveries after {last_year} late")
    fit = fit_punctuality(train)
    given = np.array([fit.probability(line.site) for line in test])
    shift = np.array([_log_odds(fit.probability(line.site)) for line in test])
    levelled = sigmoid(shift + level(shift, float(late.sum())))
    bins = calibration(given, late)
    return Backtest(
        last_year=last_year,
        fit=fit,
        deliveries=len(test),
        late=int(late.sum()),
        new_sites=sum(line.site not in fit.sites for line in test),
        fitted=measure(given, late),
        base=measure(np.full(len(late), fit.late / fit.deliveries), late),
        levelled=measure(levelled, late),
        level=measure(np.full(len(late), late.mean()), late),
        bins=bins,
        calibration_error=calibration_error(bins),
        auc=auc(given, late),
    )


def _log_odds(p: float) -> float:
    return float(np.log(p / (1.0 - p)))
