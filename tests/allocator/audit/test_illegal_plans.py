"""Plans written faultlessly that break one rule: made from laxer tables, audited against these.

`compact.md` calls the rules by the same names. Files agree with one another in all of them, so
nothing but the rule itself gives the fault away.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.allocator.audit.example import BATCHES, CHOICE, Edit, write_example, write_inputs


@dataclass(frozen=True)
class Illegal:
    """`rule` is broken by `decision`, made from tables with `lax` edits, by tables with `edits`.

    `also` are rules that cannot but break with it.
    """

    name: str
    rule: str
    where: str
    edits: tuple[Edit, ...] = ()
    lax: tuple[Edit, ...] = ()
    decision: dict[str, Any] = field(default_factory=dict)
    sourcing: str | None = None
    also: frozenset[str] = frozenset()


def award(rule: str, text: str) -> tuple[Edit, ...]:
    return (("policy.toml", "", f'\n[[rule]]\nname = "{rule}"\n{text}\n'),)


def batches(**changes: tuple[int, ...]) -> dict[str, Any]:
    names = {name.replace("@", "_"): name for name in BATCHES}
    return {"batches": {**BATCHES, **{names[key]: value for key, value in changes.items()}}}


def choice(**changes: Any) -> dict[str, Any]:
    return {"choice": {**CHOICE, **changes}}


P4_AT_K4 = choice(P4=(("P4@L4@200", 1.0),))
WAIVE_K4 = (("policy.toml", "", '\n[gates]\nwaived = ["K4"]\n'),)
SPLIT_80 = choice(P1=(("P1@L1@50", 0.8), ("P1@L2@40", 0.2)))

ILLEGAL = [
    Illegal(
        "line over its days",
        "line_days",
        "L2 2028Q2",
        decision=batches(P2_L2_60=(0, 0, 0, 1, 1, 5)),
    ),
    Illegal("expansion not bought", "line_days", "L1 2028Q1", decision={"expanded": ()}),
    Illegal(
        "batch before ready",
        "ready",
        "P1 P1@L2@40 2027Q2",
        decision=batches(P1_L2_40=(0, 1, 1, 2, 1, 0)),
    ),
    Illegal(
        "negative batches",
        "campaign",
        "P2 P2@L2@60 2028Q1",
        decision=batches(P2_L2_60=(0, 0, 0, 1, -1, 2)),
    ),
    Illegal("gate oai ignored", "eligible", "P4 P4@L4@200", lax=WAIVE_K4, decision=P4_AT_K4),
    Illegal(
        "gate critical ignored",
        "eligible",
        "P2 P2@L2@60",
        edits=(("cmos.csv", "2024-11-15", "2025-01-15"),),
    ),
    Illegal(
        "critical findings of an unknown date",
        "eligible",
        "P2 P2@L2@60",
        edits=(("cmos.csv", "2024-11-15", ""),),
    ),
    Illegal(
        "gate of a score ignored",
        "eligible",
        "P2 P2@L2@60",
        edits=(("policy.toml", "", "\n[gates.min_scores]\nregulatory = 70\n"),),
    ),
    *(
        Illegal(f"line refuses {name}", "eligible", where, edits=(edit,), also=frozenset(also))
        for name, where, edit, *also in [
            (
                "the stage",
                "P1 P1@L1@50",
                ("lines.csv", "small_molecule,commercial,4,II", "small_molecule,phase3,4,II"),
            ),
            (
                "the molecule",
                "P1 P1@L1@50",
                ("lines.csv", "small_molecule,commercial,4,II", "peptide,commercial,4,II"),
            ),
            (
                "the form",
                "P2 P2@L2@60",
                ("lines.csv", "L2,K2,tablet", "L2,K2,capsule"),
            ),
            ("the schedule", "P5 P5@L1@50", ("lines.csv", "commercial,4,II", "commercial,4,III")),
            (
                "the cold chain",
                "P3 P3@L3@500",
                ("lines.csv", "L3,K3,vial,,,4,,yes", "L3,K3,vial,,,4,,no"),
            ),
            ("the band", "P1 P1@L1@50", ("lines.csv", "commercial,4,II", "commercial,2,II")),
            ("an unknown band", "P5 P5@L1@50", ("portfolio.csv", "200000,,3,II", "200000,,5,II")),
            (
                "the batch",
                "P2 P2@L2@60",
                ("lines.csv", "L2,K2,tablet,,,4,,no,20,80", "L2,K2,tablet,,,4,,no,20,50"),
            ),
            (
                "a small batch",
                "P1 P1@L2@40",
                ("lines.csv", "L2,K2,tablet,,,4,,no,20,80", "L2,K2,tablet,,,4,,no,41,80"),
            ),
            (
                "the registered batch",
                "P1 P1@L2@40",
                ("portfolio.csv", "no,30,60,36", "no,45,60,36"),
            ),
        ]
    ),
    Illegal(
        "too late to supply",
        "eligible",
        "P1 P1@L2@40",
        edits=(("offers.csv", "2,4,7,2,2,1.5,S2", "2,4,7,2,12,1.5,S2"),),
        also=frozenset(
            {
                "ready",
                "flow",
                "shelf_life",
                "safety_stock",
                "risk",
                "costs",
                "totals",
                "service",
                "files",
            }
        ),
    ),
    Illegal(
        "never the days for a batch",
        "eligible",
        "P5 P5@L1@50",
        edits=(("lines.csv", "kg,16,1,500,8,40000,3", "kg,3,1,500,1.5,40000,3"),),
        also=frozenset({"line_days", "expansion"}),
    ),
    Illegal(
        "split not offered",
        "splits",
        "P1",
        lax=(("policy.toml", "[0.5, 0.6, 0.7]", "[0.5, 0.6, 0.7, 0.8]"),),
        decision=SPLIT_80,
    ),
    Illegal(
        "two sources at one CMO",
        "two_cmos",
        "P1",
        edits=(("lines.csv", "L2,K2,tablet", "L2,K1,tablet"),),
        also=frozenset(
            {
                "eligible",
                "engaged",
                "files",
                "spend",
                "tiers",
                "take_or_pay",
                "costs",
                "totals",
                "max_programs",
                "risk",
                "service",
            }
        ),
    ),
    Illegal(
        "one source where the program wants two",
        "sourcing",
        "P1",
        lax=(("portfolio.csv", "900000,dual", "900000,single"),),
        decision=choice(P1=(("P1@L1@50", 1.0),)),
    ),
    Illegal(
        "two sources where the program wants one",
        "sourcing",
        "P1",
        edits=(("portfolio.csv", "900000,dual", "900000,single"),),
    ),
    Illegal(
        "one source where the policy wants two",
        "sourcing",
        "P1",
        edits=(
            ("portfolio.csv", "900000,dual", "900000,"),
            ("policy.toml", '"free"', '"dual"'),
        ),
        lax=(
            ("portfolio.csv", "900000,dual", "900000,single"),
            ("policy.toml", '"free"', '"dual"'),
        ),
        decision=choice(P1=(("P1@L1@50", 1.0),)),
    ),
    Illegal(
        "CMO beyond its programs",
        "max_programs",
        "K1",
        edits=(("cmos.csv", "0,2,0.05", "0,1,0.05"),),
    ),
    Illegal("max_cmos", "max_cmos", "max_cmos", edits=award("max_cmos", "limit = 2")),
    Illegal(
        "max_cmos of a region",
        "max_cmos",
        "few",
        edits=award("max_cmos", 'limit = 1\nregions = ["NA"]\nlabel = "few"'),
    ),
    Illegal("min_cmos", "min_cmos", "min_cmos", edits=award("min_cmos", "limit = 4")),
    Illegal(
        "min_cmos of an owner",
        "min_cmos",
        "min_cmos",
        edits=award("min_cmos", 'limit = 2\nowners = ["Birch"]'),
    ),
    Illegal(
        "max_programs per region",
        "max_programs",
        "max_programs[NA]",
        edits=award("max_programs", 'limit = 2\nper = "region"'),
    ),
    Illegal(
        "max_programs of an owner",
        "max_programs",
        "max_programs[Aster]",
        edits=award("max_programs", 'limit = 1\nper = "owner"\nof = ["Aster"]'),
    ),
    Illegal(
        "max_spend_share",
        "max_spend_share",
        "max_spend_share[K1]",
        edits=award("max_spend_share", "share = 0.5"),
    ),
    Illegal(
        "max_spend_share per country",
        "max_spend_share",
        "max_spend_share[US]",
        edits=award("max_spend_share", 'share = 0.4\nper = "country"\nof = ["US"]'),
    ),
    Illegal("force", "force", "force P2", edits=award("force", 'programs = ["P2"]\ncmos = ["K1"]')),
    Illegal(
        "force on a line",
        "force",
        "force P4",
        edits=award("force", 'programs = ["P4"]\nlines = ["L3"]'),
    ),
    Illegal("forbid", "forbid", "forbid P3", edits=award("forbid", 'cmos = ["K3"]')),
    Illegal(
        "forbid an owner",
        "forbid",
        "forbid P5",
        edits=award("forbid", 'programs = ["P5"]\nowners = ["Aster"]'),
    ),
    Illegal(
        "keep_incumbent",
        "keep_incumbent",
        "keep_incumbent P5",
        edits=award("keep_incumbent", 'programs = ["P5"]'),
    ),
    Illegal(
        "keep_incumbent of all that have one",
        "keep_incumbent",
        "keep_incumbent P4",
        edits=(*award("keep_incumbent", ""), *WAIVE_K4),
    ),
    Illegal(
        "sources_differ_by owner",
        "sources_differ_by",
        "sources_differ_by P1",
        edits=(
            *award("sources_differ_by", 'by = ["owner"]'),
            ("cmos.csv", "K1,Aster", "K1,Birch"),
        ),
    ),
    Illegal(
        "sources_differ_by shared_inputs",
        "sources_differ_by",
        "sources_differ_by P1",
        edits=(
            *award("sources_differ_by", 'by = ["region", "shared_inputs"]\nprograms = ["P1"]'),
            ("offers.csv", "1.5,S2", "1.5,S2;S1"),
        ),
    ),
    Illegal(
        "not_together",
        "not_together",
        "not_together K1",
        edits=award("not_together", 'programs = ["P1", "P5"]'),
    ),
    Illegal("budget", "budget", "budget", edits=award("budget", "limit = 1000000")),
    Illegal(
        "budget of each period",
        "budget",
        "budget[2028Q1]",
        edits=award("budget", 'limit = 900000\nperiod = "each"'),
    ),
    Illegal(
        "budget of listed periods",
        "budget",
        "start",
        edits=award("budget", 'limit = 10000\nperiod = ["2027Q1", "2027Q2"]\nlabel = "start"'),
    ),
]


def test_the_example_itself_passes(tmp_path):
    inputs = write_inputs(tmp_path / "inputs")
    plan, folder, report = write_example(tmp_path / "run", inputs)
    assert report.findings == ()
    assert folder == tmp_path / "run"
    assert plan["audit"] == {"passed": True, "findings": []}


@pytest.mark.parametrize("case", ILLEGAL, ids=lambda case: case.name)
def test_a_broken_rule_is_found_and_named(case, tmp_path):
    strict = write_inputs(tmp_path / "strict", case.edits)
    lax = write_inputs(tmp_path / "lax", case.lax)
    _, folder, report = write_example(
        None, strict, compiled_from=lax, sourcing=case.sourcing, **case.decision
    )
    assert folder is None
    rules = {finding.rule for finding in report.findings}
    assert case.rule in rules, report.findings
    assert rules <= {case.rule} | case.also, report.findings
    assert case.where in {finding.where for finding in report.findings if finding.rule == case.rule}
