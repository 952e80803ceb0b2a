"""The stress test of a run, its files, and the audit of them."""

from __future__ import annotations

import copy
import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import allocator
from allocator.errors import Usage
from allocator.outages import OutageResult, Proof, StressReport
from allocator.outages.groups import check_kinds, groups_of
from allocator.outages.show import show_stress, verdict
from allocator.read import read_portfolio
from allocator.terminal import terminal
from tests.allocator.audit.example import TABLES
from tests.allocator.folders import folder

PORTFOLIO = """\
program_id,molecule_type,dosage_form,stage,unit,delay_cost_per_month,shelf_life_months,holding_cost_per_unit_month,2027Q1,2027Q2,2027Q3,2027Q4
P1,small_molecule,tablet,commercial,kg,1000,24,1,30,30,30,30
P2,small_molecule,tablet,commercial,kg,2000,24,1,30,30,30,30
"""
CMOS = """\
cmo_id,region,owner,country,recover_months
K1,EU,Alpha,DE,6
K2,US,Beta,US,3
"""
LINES = """\
line_id,cmo_id,dosage_forms,batch_min,batch_max,unit,days_per_period
L1,K1,tablet,5,200,kg,10
L2,K2,tablet,5,200,kg,10
"""
OFFERS = """\
program_id,line_id,batch_size,price_per_batch,days_per_batch,yield,fail_rate,qualified,release_months,shared_inputs
P1,L1,30,100,5,1,0,yes,0,S1
P1,L2,30,900,5,1,0,yes,0,
P2,L2,30,100,5,1,0,yes,0,S1
"""
POLICY = """\
service_level = 0.9
sourcing = "single"

[[outage_group]]
kind = "shared_input"
member = "S1"
outage_per_year = 0.1
recover_months = 4.5
"""


def inputs(where: Path, **tables: str) -> Path:
    where.mkdir(parents=True, exist_ok=True)
    return folder(
        where,
        **{
            "portfolio": PORTFOLIO,
            "cmos": CMOS,
            "lines": LINES,
            "offers": OFFERS,
            "policy": POLICY,
            **tables,
        },
    )


@pytest.fixture(scope="module")
def tested(tmp_path_factory) -> tuple[Path, StressReport]:
    where = tmp_path_factory.mktemp("stress")
    run = where / "run"
    allocator.run(inputs(where / "in"), solver="highs", gap=0.0, out=run)
    return run, allocator.stress(run, gap=0.0)


def of(report: StressReport, label: str, start: str) -> OutageResult:
    (found,) = [r for r in report.outages if r.group.label == label and r.start_period == start]
    return found


def test_each_outage_by_hand(tested):
    _, report = tested
    # P1 is made at K1, P2 at K2, each one batch of 5 of 10 days a quarter; K2 could take P1 over
    assert of(report, "cmo K1", "2027Q1").money == 0.0
    assert of(report, "cmo K1", "2027Q1").kept == "yes"
    # P2 has nowhere else to go: K2 out for a quarter costs three months
    lost = of(report, "cmo K2", "2027Q2")
    assert lost.money == pytest.approx(3 * 2000.0)
    assert lost.bound == pytest.approx(lost.money)
    assert (lost.kept, lost.exposed) == ("no", ("P2",))
    # 90 kg are needed from Q2 on, 9 may be missed: 21 of the 30 are beyond the level
    assert lost.exposure_bound == pytest.approx(21 / 30 * 3 * 2000.0, rel=1e-4)
    (short,) = lost.programs
    assert (short.units_short, short.months_short) == (pytest.approx(30), pytest.approx(3))
    assert (short.months_until_short, short.months_until_recovered) == (0.0, 3.0)
    assert short.share_short == pytest.approx(1 / 3)
    # the input stops both for a quarter and a half; K2 makes P1 without it
    both = of(report, "shared input S1", "2027Q3")
    assert both.money == pytest.approx(3 * 2000.0)
    assert of(report, "owner Alpha", "2027Q1").money == 0.0
    assert report.worst is not None
    assert report.worst.money == pytest.approx(3 * 2000.0)
    assert report.exposed == ("P2",)
    assert report.secure is False
    assert report.months_to_survive == 0.0
    assert report.limit is None


def test_an_outage_is_counted_where_it_takes_something(tested):
    _, report = tested
    starts = {r.start_period for r in report.outages if r.group.label == "cmo K1"}
    assert starts == {"2027Q1", "2027Q2", "2027Q3", "2027Q4"}
    assert {r.group.kind for r in report.outages} == {
        "cmo",
        "owner",
        "region",
        "country",
        "shared_input",
    }


def test_the_files_say_the_same_and_pass_the_audit(tested):
    run, report = tested
    content = json.loads((run / "stress.json").read_text())
    assert [o["money"] for o in content["outages"]] == [r.money for r in report.outages]
    with (run / "stress.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["program_id"] for row in rows} == {"P2", ""}
    assert allocator.verify(run).passed


def test_the_same_again(tested, tmp_path):
    run, _ = tested
    again = allocator.stress(run, gap=0.0, out=tmp_path / "else")
    assert again.folder == tmp_path / "else"
    assert (tmp_path / "else" / "stress.json").read_bytes() == (run / "stress.json").read_bytes()


def test_only_the_groups_that_were_asked_for(tested, tmp_path):
    run, _ = tested
    report = allocator.stress(run, groups=["country", "cmo"], out=tmp_path)
    assert report.kinds == ("cmo", "country")
    assert {r.group.kind for r in report.outages} == {"cmo", "country"}


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"groups": ["planet"]}, "planet"),
        ({"groups": []}, "at least one"),
        ({"gap": -1.0}, "gap"),
        ({"threads": 0}, "threads"),
        ({"time_limit": 0.0}, "time limit"),
    ],
)
def test_wrong_options(tested, options, word):
    with pytest.raises(Usage, match=word):
        allocator.stress(tested[0], **options)


def test_no_plan_no_stress(tmp_path):
    with pytest.raises(Usage):
        allocator.stress(tmp_path)


def test_what_people_read(tested, capsys):
    _, report = tested
    words = " ".join(verdict(report))
    assert "20 of 36 single outages" in words
    assert "1 of 2: P2" in words
    assert "word" not in words
    show_stress(terminal(), report)
    shown = capsys.readouterr().out
    assert "cmo K2" in shown
    assert "NOT kept" in shown


def test_what_only_the_solver_says_is_marked(tested, capsys):
    _, report = tested
    worst = report.outages[0]
    believed = replace(worst, proof=Proof(0.75 * worst.bound), exposure_proof=Proof(0.0))
    trusting = replace(report, outages=(believed, *report.outages[1:]))
    words = " ".join(verdict(trusting))
    assert "misses less than 4,500, by the MIP solver's word 6,000" in words
    assert "1 of 36 outages rest on the MIP solver's word" in words
    show_stress(terminal(), trusting)
    shown = capsys.readouterr().out
    assert "NOT kept*" in shown
    assert "75 %" in shown


def test_months_to_recover_come_from_the_policy_or_the_slowest_member(tmp_path):
    tables = inputs(
        tmp_path,
        cmos="cmo_id,region,owner,country,recover_months\nK1,EU,Alpha,DE,8\nK2,EU,Beta,US,\n",
    )
    portfolio = read_portfolio(tables)
    found = {
        g.label: g
        for g in groups_of(
            portfolio, check_kinds(["region", "cmo", "shared_input"]), portfolio.offers
        )
    }
    assert found["cmo K2"].recover_months == 6.0  # the stated assumption
    assert found["region EU"].recover_months == 8.0
    assert found["shared input S1"].recover_months == 4.5
    assert found["region EU"].cmos == ("K1", "K2")


def test_a_portfolio_with_every_feature_is_stressed_and_audited(tmp_path):
    where = tmp_path / "in"
    where.mkdir()
    for name, text in TABLES.items():
        (where / name).write_text(text)
    run = tmp_path / "run"
    allocator.run(where, solver="highs", gap=0.02, time_limit=20.0, out=run)
    report = allocator.stress(run)
    assert report.outages
    assert allocator.verify(run).findings == ()


# ---- the audit of a spoilt stress.json ------------------------------------------------------


def worst(content):
    return next(o for o in content["outages"] if o["member"] == "K2" and o["programs"])


def kept(content):
    return next(o for o in content["outages"] if o["member"] == "K1" and o["batches"])


def more_batches(content):
    kept(content)["batches"]["P1@L2@30"]["2027Q1"] = 3


def back_too_early(content):
    kept(content)["batches"]["P1@L1@30"]["2027Q1"] = 1


def half_a_batch(content):
    kept(content)["batches"]["P1@L2@30"]["2027Q1"] = 0.5


def in_the_past(content):
    worst(content)["batches"].setdefault("P2@L2@30", {})["2026Q4"] = 1


def unknown_offer(content):
    kept(content)["batches"]["P2@L1@30"] = {"2027Q4": 1}


def less_short(content):
    worst(content)["programs"][0]["units_short"] = 12.0


def earlier_back(content):
    worst(content)["programs"][0]["months_until_recovered"] = 1.0


def nobody_short(content):
    worst(content)["programs"] = []


def not_exposed(content):
    worst(content)["programs"][0]["exposed"] = False


def cheaper(content):
    worst(content)["money"] -= 100.0


def bound_too_high(content):
    worst(content)["bound"] += 100.0


def proof_too_high(content):
    for outage in content["outages"]:
        if outage["proof"]["bound"] > 0:
            outage["proof"]["bound"] *= 1.01
            outage["bound"] = outage["money"] = outage["proof"]["bound"]


def duals_too_low(content):
    proof = worst(content)["proof"]
    proof["short"] = {name: value * 0.9 for name, value in proof["short"].items()}
    proof["flow"] = {
        name: {label: value * 0.9 for label, value in row.items()}
        for name, row in proof["flow"].items()
    }


def duals_negative(content):
    worst(content)["proof"]["short"]["P2"] = -1.0


def duals_above_the_price(content):
    worst(content)["proof"]["short"]["P2"] *= 2


def called_kept(content):
    worst(content)["kept"] = "yes"


def unproven_exposure(content):
    worst(content)["exposure_bound"] = 0.0


def an_outage_less(content):
    content["outages"].remove(worst(content))


def an_outage_twice(content):
    content["outages"].append(copy.deepcopy(content["outages"][-1]))


def of_another_plan(content):
    content["plan"] = "0" * 64


def shorter_outage(content):
    worst(content)["recover_months"] = 1.0


def other_cmos(content):
    worst(content)["cmos"] = ["K1"]


def secure_by_word(content):
    content["secure"] = True


def key_unknown(content):
    content["verdict"] = "fine"


def key_missing(content):
    del content["limit"]


SPOILT = [
    more_batches, back_too_early, half_a_batch, in_the_past, unknown_offer, less_short,
    earlier_back, nobody_short, not_exposed, cheaper, bound_too_high, proof_too_high,
    duals_too_low, duals_negative, duals_above_the_price, called_kept, unproven_exposure,
    an_outage_less, an_outage_twice, of_another_plan, shorter_outage, other_cmos,
    secure_by_word, key_unknown, key_missing,
]  # fmt: skip


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
def test_the_audit_finds_what_is_spoilt(spoil, tested, tmp_path):
    run = Path(shutil.copytree(tested[0], tmp_path / "run"))
    content = json.loads((run / "stress.json").read_text())
    spoil(content)
    (run / "stress.json").write_text(json.dumps(content))
    findings = allocator.verify(run).findings
    wrong = [f for f in findings if f.rule == "stress" and not f.where.startswith("stress.csv")]
    assert wrong, findings
    assert not any("cannot be checked" in f.what for f in wrong)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"schema": NaN}'])
def test_a_file_that_is_no_stress_test(text, tested, tmp_path):
    run = Path(shutil.copytree(tested[0], tmp_path / "run"))
    (run / "stress.json").write_text(text)
    assert {f.rule for f in allocator.verify(run).findings} == {"stress"}


def test_the_table_is_checked_against_the_rest(tested, tmp_path):
    run = Path(shutil.copytree(tested[0], tmp_path / "run"))
    table = run / "stress.csv"
    table.write_text(table.read_text().replace("P2", "P1", 1))
    assert allocator.verify(run).findings[0].where.startswith("stress.csv")
    table.write_text("\n".join(table.read_text().splitlines()[:-1]) + "\n")
    assert "rows" in allocator.verify(run).findings[0].what
    table.unlink()
    assert "cannot be read" in allocator.verify(run).findings[0].what


def test_a_plan_that_changed_since_is_found(tested, tmp_path):
    run = Path(shutil.copytree(tested[0], tmp_path / "run"))
    plan = json.loads((run / "plan.json").read_text())
    plan["limit"] = "gap"
    (run / "plan.json").write_text(json.dumps(plan))
    assert "stress" in {f.rule for f in allocator.verify(run).findings}
