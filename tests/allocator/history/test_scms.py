"""The public SCMS delivery history, with the map that the repository ships."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from allocator.history import ingest
from allocator.read import read_portfolio

ROOT = Path(__file__).resolve().parents[3]
SHARED = Path(os.environ.get("ALLOCATOR_DATA", ROOT.parent / "shared" / "data"))
DATA = SHARED / "scms" / "SCMS_Delivery_History_Dataset.csv.gz"
MAP = ROOT / "instances/scms/map.toml"

needs_data = pytest.mark.skipif(
    not DATA.is_file(), reason=f"NOT TESTED on real data: there is no {DATA}"
)


@needs_data
def test_the_whole_history(tmp_path):
    report = ingest(DATA, MAP, tmp_path / "out")
    assert report.rows_read == 10_324
    assert report.rows_matching == 8_588
    assert report.rows_left_out == 0
    assert report.products_in_history == report.programs == 92
    assert report.site_names_in_history == 62
    assert report.sites_in_history == report.cmos == 61  # one site in two spellings
    assert report.periods_in_history == len(report.periods) == 38
    assert report.spend_in_history == pytest.approx(1_414_158_630, abs=1)
    assert report.multi_source_programs == 62
    assert report.late_all.share == pytest.approx(0.125, abs=0.0005)
    assert report.late_direct.lines == 3_363
    assert report.late_direct.share == pytest.approx(0.0434, abs=0.0001)
    assert len(report.unpriced) == 7
    assert report.cells_repaired == 1
    odd = [f.what for f in report.findings if "no region" in f.what or "nowhere" in f.what]
    assert odd == ["'ABBSP' has no region"]  # a site of which nobody knows where it is
    portfolio = read_portfolio(tmp_path / "out")
    assert len(portfolio.programs) == 92
    assert "Grønland" in (tmp_path / "out" / "cmos.csv").read_text(encoding="utf-8")


@needs_data
def test_the_last_sixteen_quarters(tmp_path):
    report = ingest(DATA, MAP, tmp_path / "out", last_periods=16)
    assert (report.periods[0], report.periods[-1]) == ("2012Q1", "2015Q4")
    with (tmp_path / "out" / "history_lines.csv").open(encoding="utf-8", newline="") as file:
        paid = sum(float(row["paid"] or 0) for row in csv.DictReader(file))
    assert paid == pytest.approx(report.spend)
    with (tmp_path / "out" / "punctuality.csv").open(encoding="utf-8", newline="") as file:
        everyone = list(csv.DictReader(file))[-1]
    assert (everyone["cmo_id"], everyone["direct_lines"]) == ("(all sites)", "3363")
