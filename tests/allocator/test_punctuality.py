"""Fitted punctuality: true shifts found with honest uncertainty, and a back-test that can fail."""

import datetime
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from allocator.calibration import auc, calibration, calibration_error, level, measure, sigmoid
from allocator.errors import Usage
from allocator.punctuality import (
    Delivery,
    Spreads,
    backtest,
    deliveries,
    fit_punctuality,
    shift_rows,
)

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("ALLOCATOR_DATA", ROOT.parent / "shared" / "data"))
HISTORY = DATA / "scms" / "SCMS_Delivery_History_Dataset.csv.gz"


def world(seed, sites=24, years=8, each=40, site=1.2, wobble=0.3, base=-2.5):
    """Deliveries of sites whose true log-odds of being late are `base` + shift + the year's."""
    rng = np.random.default_rng(seed)
    shifts = rng.normal(0.0, site, sites)
    lines = [
        Delivery(f"S{s:02d}", 2005 + y, bool(late))
        for s in range(sites)
        for y in range(years)
        for late in rng.random(each) < sigmoid(base + shifts[s] + rng.normal(0.0, wobble))
    ]
    return lines, {f"S{s:02d}": float(shifts[s]) for s in range(sites)}


def test_true_shifts_are_found_within_their_errors():
    lines, true = world(1)
    fit = fit_punctuality(lines)
    off = np.array(
        [
            (fit.sites[s].log_odds + fit.base + 2.5 - true[s])
            / np.hypot(fit.sites[s].standard_error, fit.base_error)
            for s in true
        ]
    )
    assert np.mean(np.abs(off) < 1.645) >= 0.8
    assert np.corrcoef([fit.sites[s].log_odds for s in true], list(true.values()))[0, 1] > 0.9
    assert fit.spreads.site == pytest.approx(np.std(list(true.values())), abs=0.25)
    assert fit.spreads.year < 0.4
    for shift in fit.sites.values():
        assert shift.low < shift.probability < shift.high
        assert shift.deliveries == 320


def test_the_mode_and_its_errors_are_those_of_the_stated_model():
    lines, _ = world(2, sites=3, years=2, each=30)
    spreads = Spreads(0.9, 0.4, 0.5)
    fit = fit_punctuality(lines, spreads)
    cells = sorted({(ln.site, ln.year) for ln in lines})
    names = [("base",), *[(s,) for s in sorted({c[0] for c in cells})], (2005,), (2006,), *cells]
    uses = np.array(
        [[key in (("base",), (site,), (year,), (site, year)) for key in names]
         for site, year in cells],
        float,
    )  # fmt: skip
    made = np.array([sum((ln.site, ln.year) == c for ln in lines) for c in cells])
    late = np.array([sum(ln.late for ln in lines if (ln.site, ln.year) == c) for c in cells])
    penalty = np.array([0.0] + [0.9**-2] * 3 + [0.4**-2] * 2 + [0.5**-2] * 6)
    effects = np.zeros(len(names))
    for _ in range(60):  # Newton, written out
        p = sigmoid(uses @ effects)
        slope = uses.T @ (late - made * p) - penalty * effects
        bend = uses.T @ ((made * p * (1 - p))[:, None] * uses) + np.diag(penalty)
        effects += np.linalg.solve(bend, slope)
    errors = np.sqrt(np.diag(np.linalg.inv(bend)))
    assert fit.base == pytest.approx(effects[0], abs=1e-5)
    assert fit.base_error == pytest.approx(errors[0], rel=1e-4)
    for row, site in enumerate(sorted(fit.sites), 1):
        assert fit.sites[site].log_odds == pytest.approx(effects[row], abs=1e-5)
        assert fit.sites[site].standard_error == pytest.approx(errors[row], rel=1e-4)


def test_few_deliveries_stay_near_the_base_and_are_less_certain():
    lines, _ = world(3)
    new = [Delivery("new", 2012, False)]
    many = [Delivery("sound", 2005 + y, False) for y in range(8) for _ in range(40)]
    fit = fit_punctuality([*lines, *new, *many])
    assert -0.5 < fit.sites["new"].log_odds < 0
    assert fit.sites["sound"].log_odds < -1
    assert fit.sites["new"].standard_error > fit.sites["sound"].standard_error
    assert fit.probability("new") == fit.sites["new"].probability
    assert fit.probability("never seen") == fit.new_site
    assert fit.sites["new"].probability < fit.new_site


def test_one_bad_year_is_no_lasting_fault():
    steady = [Delivery("steady", 2005 + y, n < 8) for y in range(8) for n in range(40)]
    once = [Delivery("once", 2005 + y, y == 3 and n < 39) for y in range(8) for n in range(40)]
    lines, _ = world(4, wobble=0.8)
    fit = fit_punctuality([*lines, *steady, *once])
    assert fit.sites["steady"].late > fit.sites["once"].late
    assert fit.sites["steady"].log_odds > fit.sites["once"].log_odds + 0.5
    assert fit.sites["once"].standard_error > fit.sites["steady"].standard_error


def test_the_order_of_lines_changes_nothing():
    lines, _ = world(5, sites=6, years=3)
    assert fit_punctuality(lines) == fit_punctuality(reversed(lines))


@pytest.mark.parametrize("late", [True, False])
def test_without_both_kinds_there_is_no_fit(late):
    with pytest.raises(ValueError, match="of 3 deliveries late"):
        fit_punctuality([Delivery("S", 2005, late)] * 3)
    with pytest.raises(ValueError, match="after 2005 late"):
        backtest([Delivery("S", 2006, late)] * 3, 2005)


@pytest.mark.parametrize("module", ["scipy.optimize", "sklearn.linear_model"])
def test_without_the_library_one_sentence_says_what_to_install(monkeypatch, module):
    lines, _ = world(6, sites=3, years=2)
    monkeypatch.setitem(sys.modules, module, None)
    spreads = None if module.startswith("scipy") else Spreads(1.0, 1.0, 1.0)
    with pytest.raises(Usage, match=r"install allocator\[fit\]"):
        fit_punctuality(lines, spreads)


def test_only_lines_shipped_by_the_site_with_a_recorded_delivery_count():
    day = datetime.date(2010, 5, 1)
    lines = [
        SimpleNamespace(site="A", scheduled=day, direct=True, days_late=3),
        SimpleNamespace(site="A", scheduled=day, direct=True, days_late=0),
        SimpleNamespace(site="A", scheduled=day, direct=False, days_late=9),
        SimpleNamespace(site="A", scheduled=day, direct=True, days_late=None),
    ]
    assert deliveries(lines) == (Delivery("A", 2010, True), Delivery("A", 2010, False))


def test_the_back_test_rewards_sites_that_stay_as_they_are():
    lines, _ = world(7, wobble=0.1)
    test = backtest(lines, 2009)
    assert test.fit.deliveries == 24 * 5 * 40
    assert test.deliveries == 24 * 3 * 40
    assert test.skill > 0.05
    assert test.levelled_skill > 0.05
    assert test.fitted.log_loss < test.base.log_loss
    assert test.calibration_error < 0.02
    assert test.auc > 0.7
    assert test.new_sites == 0
    assert sum(b.events for b in test.bins) == test.deliveries
    text = "\n".join(test.lines())
    assert "fitted on 4800 deliveries up to 2009" in text
    assert f"(skill {test.skill:+.3f})" in text


def test_the_back_test_says_so_where_the_past_tells_nothing():
    lines, _ = world(8, wobble=0.1)
    other, _ = world(9, wobble=0.1)
    mixed = [ln for ln in lines if ln.year <= 2009] + [ln for ln in other if ln.year > 2009]
    test = backtest([*mixed, Delivery("late comer", 2011, False)], 2009)
    assert test.skill < 0.0
    assert test.levelled_skill < 0.0
    assert test.new_sites == 1


def test_the_fit_is_told_worst_first():
    lines, _ = world(10, sites=5, years=3)
    fit = fit_punctuality(lines)
    worst = max(fit.sites.values(), key=lambda s: s.probability)
    text = fit.lines()
    assert text[0].startswith(f"{fit.late} of 600 deliveries late; standard deviations")
    assert text[1].startswith(f"{worst.site}: log-odds {worst.log_odds:+.2f} (standard error")


def test_measures_by_hand():
    given, came = np.array([0.1, 0.8, 0.5]), np.array([0.0, 1.0, 1.0])
    found = measure(given, came)
    assert found.brier == pytest.approx((0.01 + 0.04 + 0.25) / 3)
    assert found.log_loss == pytest.approx(-(np.log(0.9) + np.log(0.8) + np.log(0.5)) / 3)
    bins = calibration(given, came, (0.2, 0.5, 1.0))
    assert [(b.low, b.high, b.events, b.expected, b.share) for b in bins] == [
        (0.0, 0.2, 1, 0.1, 0.0),
        (0.2, 0.5, 1, 0.5, 1.0),
        (0.5, 1.0, 1, 0.8, 1.0),
    ]
    assert calibration_error(bins) == pytest.approx((0.1 + 0.5 + 0.2) / 3)
    assert len(calibration(given, came, (0.9, 1.0))) == 1


def test_auc_counts_pairs_and_half_of_the_ties():
    rng = np.random.default_rng(0)
    given, came = rng.integers(0, 5, 60) / 5, (rng.random(60) < 0.4).astype(float)
    pairs = [
        1.0 if a > b else 0.5 if a == b else 0.0 for a in given[came > 0] for b in given[came == 0]
    ]
    assert auc(given, came) == pytest.approx(np.mean(pairs))


def test_the_level_makes_the_expected_number_right():
    shift = np.array([-3.0, 0.0, 2.0, 1.0])
    assert sigmoid(shift + level(shift, 1.3)).sum() == pytest.approx(1.3)


@pytest.mark.skipif(not HISTORY.is_file(), reason=f"the delivery history is not at {HISTORY}")
def test_the_real_back_test_is_as_docs_diligence_md_reports_it():
    from benchmarks.punctuality import MAP, load

    lines = load(HISTORY, MAP)
    assert (len(lines), sum(line.late for line in lines)) == (3363, 146)
    test = backtest(lines, 2012)
    assert (test.fit.deliveries, test.fit.late) == (1815, 127)
    assert (test.deliveries, test.late, test.new_sites) == (1548, 19, 46)
    page = (ROOT / "docs" / "diligence.md").read_text(encoding="utf-8")
    for figure in (
        f"{test.fitted.brier:.4f}",
        f"{test.base.brier:.4f}",
        f"{test.fitted.log_loss:.3f}",
        f"{test.base.log_loss:.3f}",
        f"{test.levelled.log_loss:.3f}",
        f"{test.level.log_loss:.3f}",
        f"{100 * test.calibration_error:.1f} %",
        f"{100 * test.auc:.0f} %",
    ):
        assert figure in page, figure


def test_rows_of_shifts_speak_for_the_cmos_of_the_tables():
    lines, _ = world(11, sites=4, years=3)
    fit = fit_punctuality([*lines, Delivery("S03", 2006, False)])
    ids = {"S00": "A", "S02": "C", "S03": "C", "elsewhere": "D"}
    rows = shift_rows(fit, ids)
    assert [row["cmo_id"] for row in rows] == ["A", "C"]
    of = fit.sites["S03"]  # with one delivery more than S02
    assert rows[1] == {
        "cmo_id": "C",
        "slip_log_odds": round(of.log_odds, 4),
        "standard_error": round(of.standard_error, 4),
        "source": f"punctuality: {of.late} of 121 deliveries late",
    }
