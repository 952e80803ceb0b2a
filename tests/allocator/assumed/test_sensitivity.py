"""Flips worked out by hand, ties that are none, and what cannot be kept."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

import allocator
import cli
from allocator.assumed.ranges import OFFER_RANGES
from allocator.assumed.ranking import analyse
from allocator.assumed.report import COLUMNS
from allocator.assumed.resolving import Means, describe, resolve
from allocator.defaults import BIOLOGIC, ORAL_SOLID, OTHER, STERILE
from allocator.errors import Usage
from allocator.files import is_run
from allocator.replay import read_finished
from models.result import Result
from models.solve import Settings
from tests.allocator.assumed.places import CMOS, LINES, OFFERS, POLICY, hand_run

ROOT = Path(__file__).resolve().parents[3]


def analysed(run, **options):
    found = allocator.sensitivity(run, **{"solver": "highs", "gap": 0.0, "top": 50, **options})
    return found, {(one.doubt.column, one.doubt.of, one.side): one for one in found.findings}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return hand_run(tmp_path_factory.mktemp("hand"))


def test_flips_and_their_money_by_hand(run):
    report, found = analysed(run)
    flips = {
        (one.doubt.column, one.doubt.of, one.side): one.resolved.saving for one in report.flips
    }
    assert flips == pytest.approx(
        {
            ("outage_per_year", "K0", "low"): 120.0,  # L0 1200 + 120 against 1440
            ("recover_months", "K0", "low"): 90.0,  # L0 1200 + 150
            ("outage_per_year", "K1", "high"): 60.0,  # L1 1320 + 240 against 1500
            ("recover_months", "K1", "high"): 60.0,
            ("delay_cost_per_month", "P1", "low"): 30.0,  # 1350 against 1380
        }
    )
    saved = [one.resolved.saving for one in report.findings[: len(flips)]]
    assert saved == sorted(saved, reverse=True)
    award = report.flips[0].resolved.awards[0]
    assert (award.program_id, award.before) == ("P1", "P1@L1@10 100 %")
    assert (award.after, award.flips) == ("P1@L0@10 100 %", True)
    assert award.keeping_costs == pytest.approx(120.0)
    stands = found["delay_cost_per_month", "P1", "high"]
    assert stands.verdict == "stands"
    assert stands.resolved.saving == pytest.approx(0.0)
    assert stands.screened.cost_change == pytest.approx(120.0)  # L1's risk doubles
    assert stands.resolved.objective == pytest.approx(1560.0)


def test_screening_finds_the_flips_without_solving(run):
    report, found = analysed(run, top=0)
    assert {one.verdict for one in report.findings} == {"screened"}
    assert found["outage_per_year", "K0", "low"].screened.promise == pytest.approx(120.0)
    assert found["outage_per_year", "K1", "high"].screened.promise == pytest.approx(60.0)
    assert found["delay_cost_per_month", "P1", "high"].screened.promise == 0.0
    first = report.findings[0]
    assert (first.doubt.column, first.doubt.of) == ("outage_per_year", "K0")
    # nothing else that could matter: no slope without scores, no range of what was given
    assert {one.doubt.column for one in report.findings} == {
        "outage_per_year",
        "recover_months",
        "delay_cost_per_month",
    }


def test_only_the_top_is_solved_again(run):
    report, _ = analysed(run, top=1)
    solved = {one.doubt.name for one in report.findings if one.resolved}
    assert solved == {"outage_per_year of K0"}


def test_a_tie_is_not_a_flip(tmp_path):
    """Two sources alike: whichever is chosen, the other is as good when delay costs more."""
    alike = OFFERS.format(fail="0").replace(",110,", ",100,")
    run = hand_run(tmp_path, offers=alike, cmos=CMOS.replace("0.02", "0.05"))
    report, found = analysed(run)
    for side in ("low", "high"):
        assert found["delay_cost_per_month", "P1", side].verdict == "stands"
    chosen = json.loads((run / "plan.json").read_text())["programs"][0]["sources"][0]["cmo_id"]
    worse = {(one.doubt.column, one.doubt.of, one.side) for one in report.flips}
    other = {"K0": "K1", "K1": "K0"}[chosen]
    assert worse == {
        ("outage_per_year", chosen, "high"),
        ("recover_months", chosen, "high"),
        ("outage_per_year", other, "low"),
        ("recover_months", other, "low"),
    }


def test_what_lies_within_the_plans_own_gap_is_no_flip(run):
    """A saving of 60 is nothing to a plan that is only proven within 100."""
    read = read_finished(run)
    loose = replace(read, plan={**read.plan, "bound": read.plan["objective"] - 100.0})
    report = analyse(loose, 50, "highs", Settings(gap=0.0))
    assert report.slack == pytest.approx(100.0)
    assert [one.resolved.saving for one in report.flips] == pytest.approx([120.0])


def test_an_award_that_may_no_longer_exist_flips(tmp_path):
    """A blank containment band counts as 4; were it 5, L1 could not make the program."""
    report, found = analysed(hand_run(tmp_path, band=""))
    one = found["max_oeb", "P1", "high"]
    assert one.doubt.assumed
    assert not one.screened.awards_exist
    assert (one.verdict, one.resolved.saving, one.screened.cost_change) == ("flips", None, None)
    assert report.findings[0] is one
    assert one.resolved.awards[0].keeping_costs is None
    assert one.resolved.objective == pytest.approx(1500.0)


def test_defaults_of_offers_have_their_stated_range(tmp_path):
    """A blank fail rate is 0.015 of an oral solid, and may be 0.005 to 0.03."""
    _, found = analysed(hand_run(tmp_path, fail=""), top=0)
    one = found["fail_rate", "K1", "high"]
    assert (one.doubt.value, one.to, one.doubt.assumed) == ("0.015", "0.03", True)
    assert found["fail_rate", "K0", "low"].to == "0.005"
    # a source that is not used and turns out worse changes nothing
    assert ("fail_rate", "K0", "high") not in found


def test_batches_that_no_longer_fit_are_made_anew(tmp_path):
    """Twice the transfer months: the batches as planned start too early, the award stands."""
    head = OFFERS.splitlines()[0] + ",transfer_cost,transfer_months_low,transfer_months_mode"
    head += ",transfer_months_high,ppq_batches,filing_months"
    offers = f"{head}\nP1,L0,10,100,1,1,0,no,0,50,2,3,6,1,0\n"
    run = hand_run(tmp_path, offers=offers)
    _, found = analysed(run)
    one = found["transfer_months", "K0", "high"]
    assert one.screened.awards_exist
    assert not one.screened.plan_holds
    assert one.screened.cost_change is None
    assert one.verdict == "stands"
    assert one.resolved.objective > json.loads((run / "plan.json").read_text())["objective"]


def test_common_causes_slopes_and_surge_are_doubted(tmp_path):
    policy = (
        'sourcing = "dual"\nsurge = 0.05\n[[outage_group]]\nkind = "region"\nmember = "EU"\n'
        "outage_per_year = 0.02\nrecover_months = 3\n"
    )
    scored = CMOS.replace("recover_months", "recover_months,tech_transfer,quality_culture")
    scored = scored.replace(",6\n", ",6,50,40\n")
    _, found = analysed(hand_run(tmp_path, policy=policy, cmos=scored), top=0)
    assert found["outage_per_year", "region EU", "low"].to == "0"
    assert found["outage_per_year", "region EU", "high"].to == "0.04"
    assert found["surge", "the policy", "low"].to == "0"
    assert found["surge", "the policy", "high"].to == "0.15"
    assert found["log_odds_per_10_points", "scores", "low"].to == "0"
    assert found["log_odds_per_10_points", "scores", "high"].to == "0.4"
    assert found["neutral_score", "scores", "high"].to == "80"


def test_files_and_words(run, tmp_path):
    words = ["sensitivity", str(run), "--solver", "highs", "--gap", "0", "--top", "3"]
    done = CliRunner().invoke(cli.main, words)
    assert done.exit_code == 0, done.output
    for text in ("Worth going to get: outage_per_year of K0", "awards flip", "P1@L0@10"):
        assert text in done.output
    content = json.loads((run / "sensitivity.json").read_text())
    assert content["schema"] == "allocator-sensitivity/1"
    assert content["assumptions"][0]["awards"][0]["program_id"] == "P1"
    with (run / "sensitivity.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == COLUMNS
    assert rows[0]["rank"] == "1"
    assert allocator.verify(run).passed
    assert is_run(run)
    done = CliRunner().invoke(cli.main, [*words, "--json", "--out", str(tmp_path / "out")])
    assert json.loads(done.stdout) == json.loads(
        (tmp_path / "out" / "sensitivity.json").read_text()
    )


def test_words_where_nothing_flips(tmp_path):
    sure = LINES.replace("L1,K1,tablet,4,5,20,kg,60\n", "")
    only = OFFERS.format(fail="0").replace("P1,L1,10,110,1,1,0,yes,0\n", "")
    run = hand_run(tmp_path, lines=sure, offers=only, policy=POLICY)
    done = CliRunner().invoke(cli.main, ["sensitivity", str(run), "--solver", "highs"])
    assert "None of them is proven to flip" in done.output, done.output


@pytest.mark.parametrize(
    "wrong",
    [{"top": -1}, {"gap": -1.0}, {"threads": 0}, {"time_limit": 0.0}, {"solver": "guess"}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_bad_options_are_refused(run, wrong):
    with pytest.raises(Usage):
        allocator.sensitivity(run, **wrong)


def test_tiny_flips_where_its_own_optimum_moves(tmp_path):
    """At half the cost of delay P1 gives up its second source; the rest stands."""
    allocator.run(ROOT / "instances" / "tiny", solver="highs", gap=0.0, out=tmp_path / "run")
    report, found = analysed(tmp_path / "run", top=50, out=tmp_path)
    one = found["delay_cost_per_month", "P1", "low"]
    assert one.verdict == "flips"
    assert [award.program_id for award in one.resolved.awards] == ["P1"]
    assert {flip.doubt.name for flip in report.flips} == {"delay_cost_per_month of P1"}


def test_the_page_prints_the_ranges_of_the_code():
    page = (ROOT / "docs" / "sensitivity.md").read_text()
    words = {ORAL_SOLID: "oral solid", STERILE: "sterile", BIOLOGIC: "biologic", OTHER: "other"}
    for column in ("yield", "fail_rate", "release_months"):
        row = next(line for line in page.splitlines() if line.startswith(f"| `{column}`"))
        for kind, (low, high) in OFFER_RANGES[column].items():
            told = (f"{words[kind]} {low:g} to {high:g}", f"{words[kind]} {low:.2f} to {high:g}")
            assert any(text in row for text in told), (column, kind)


def test_a_secure_plan_is_compared_with_secure_plans(tmp_path):
    """Both sites are needed whatever they cost: a cheaper single source is no alternative."""
    run = hand_run(tmp_path, policy='sourcing = "secure"\nsurge = 1.0\nrisk_weight = 0.0\n')
    plan = json.loads((run / "plan.json").read_text())
    assert plan["programs"][0]["option"] == "dual"
    read = read_finished(run)
    finding = analyse(read, 0, "highs", Settings(gap=0.0)).findings[0]
    before = describe(read.compiled.problem, read.decision.option)
    found = {
        secure: resolve(finding.screened, before, Means("highs", Settings(gap=0.0), secure), 0.0)
        for secure in (True, False)
    }
    assert found[False].verdict == "flips"
    assert found[False].objective == pytest.approx(1200.0)
    assert found[True].verdict == "stands"
    assert found[True].objective == pytest.approx(plan["objective"])


def test_what_a_limit_leaves_open_is_called_open(run, monkeypatch):
    """Bounds that prove nothing, no plan at all, and a free search worse than the kept plan."""
    read = read_finished(run)
    finding = analyse(read, 0, "highs", Settings(gap=0.0)).findings[0]
    before = describe(read.compiled.problem, read.decision.option)
    option = read.decision.option

    def result(objective, bound, status="feasible"):
        decision = None if objective is None else finding.screened.decision
        return Result(status, "time", decision, objective, bound, "stub", 0.0)

    def resolved(free, kept):
        monkeypatch.setattr(Means, "free", lambda *_: free)
        monkeypatch.setattr(Means, "keeping", lambda *_: kept)
        return resolve(finding.screened, before, Means("stub", Settings(gap=0.0)), 0.0)

    assert len(option) == 1
    wide = resolved(result(100.0, 90.0), result(150.0, 95.0))
    assert (wide.verdict, wide.saving, wide.proven) == ("open", 50.0, 0.0)
    assert resolved(result(100.0, 90.0), result(150.0, 120.0)).verdict == "flips"
    nothing = resolved(result(None, 90.0, "no_plan"), result(None, None, "no_plan"))
    assert (nothing.verdict, nothing.objective, nothing.bound) == ("open", None, 90.0)
    unknown = resolved(result(100.0, 90.0), result(None, 95.0, "no_plan"))
    assert (unknown.verdict, unknown.saving) == ("open", None)
    gone = resolved(result(100.0, 90.0), result(None, None, "infeasible"))
    assert (gone.verdict, gone.saving) == ("flips", None)
    worse = resolved(result(150.0, 90.0), result(120.0, 119.0))
    assert (worse.verdict, worse.objective, worse.saving) == ("stands", 120.0, 0.0)


def test_a_cheaper_source_that_is_full_is_no_promise(tmp_path):
    """L0 looks cheaper, but has days for one batch a quarter: its lead alone promises nothing."""
    full = LINES.replace("L0,K0,tablet,5,5,20,kg,60", "L0,K0,tablet,5,5,20,kg,1")
    offers = OFFERS.format(fail="0").replace("P1,L0,10,100", "P1,L0,10,50")
    run = hand_run(tmp_path, lines=full, offers=offers)
    _, found = analysed(run, top=0)
    assert found["delay_cost_per_month", "P1", "high"].screened.promise == 0.0
    cheaper = found["outage_per_year", "K0", "low"].screened
    assert cheaper.promise == pytest.approx(180.0)  # what it gains, not how much it leads
