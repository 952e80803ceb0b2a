"""Every rule of the compact model, built alone: its rows, by name and coefficient.

The figures follow from the defaults of `small`: demand 10 a quarter, batches of 10 good units for
50 money and 5 days, 100 days a quarter, shelf life 8 quarters; stock is counted in batches.
"""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import models
from models.compact.awards import AWARDS, LIMITS, award_rows
from models.compact.build import _summed
from models.compact.rules import RULES
from models.compact.variables import Model, new_model
from models.problem import Problem, Rule
from tests.models.small import small

PAGE = Path(models.__file__).parent / "compact.md"

#: Two programs of which the first has one offer, at K0, and the second one at each CMO.
PAIR = {
    "programs": [{}, {}],
    "cmos": [{}, {"max_programs": 1}],
    "lines": [{}, {"cmo": 1}],
    "offers": [{}, {"program": 1}, {"program": 1, "line": 1, "price": 80}],
}
#: Three CMOs with one offer each for one program.
TRIPLE = {
    "cmos": [{}] * 3,
    "lines": [{"cmo": k} for k in range(3)],
    "offers": [{"line": k} for k in range(3)],
    "sourcing": "dual",
    "splits": (0.5,),
}


def pair(name: str, **fields: object) -> Problem:
    return small(**PAIR, rules=[Rule(name, f"{name} A", **fields)])


def risky(problem: Problem, risk: list[float]) -> Problem:
    """The problem with these risks of its options."""
    return replace(problem, options=replace(problem.options, risk_cost=np.array(risk)))


BANNED = "({0}_A): +1 choose(P1,unsourced) +1 choose(F1) <= 0"

GOLDEN: dict[str, tuple[Problem, list[str]]] = {
    "one_option": (small(), ["(P0): +1 choose(P0,unsourced) +1 choose(F0) == 1"]),
    "stream_chosen": (
        small(**TRIPLE),
        [
            "(F0_0.5_0.5_0): +1 choose(F0_0.5_0.5_0,F1_0.5_0.5_0)"
            " +1 choose(F0_0.5_0.5_0,F2_0.5_0.5_0) -1 stream(F0_0.5_0.5_0) == 0",
            "(F1_0.5_0.5_0): +1 choose(F0_0.5_0.5_0,F1_0.5_0.5_0)"
            " +1 choose(F1_0.5_0.5_0,F2_0.5_0.5_0) -1 stream(F1_0.5_0.5_0) == 0",
            "(F2_0.5_0.5_0): +1 choose(F0_0.5_0.5_0,F2_0.5_0.5_0)"
            " +1 choose(F1_0.5_0.5_0,F2_0.5_0.5_0) -1 stream(F2_0.5_0.5_0) == 0",
        ],
    ),
    "offer_chosen": (
        small(**TRIPLE),
        [f"(F{f}): +1 stream(F{f}_0.5_0.5_0) -1 offer(F{f}) == 0" for f in range(3)],
    ),
    "flow": (
        # 4 units in hand, demand 10: 6 units are 0.6 batches; started in Q1, free in Q2
        small(programs=[{"opening": 4}], offers=[{"lag": 1}]),
        [
            "(F0,2027Q1): +1 stock(F0,2027Q1) -1 unmet(F0,2027Q1) +1 scrap(F0,2027Q1)"
            " +0.6 choose(F0) == 0",
            "(F0,2027Q2): +1 stock(F0,2027Q2) -1 unmet(F0,2027Q2) +1 scrap(F0,2027Q2)"
            " -1 stock(F0,2027Q1) -1 batches(F0,2027Q1) +1 choose(F0) == 0",
        ],
    ),
    "line_days": (
        small(
            lines=[{"changeover_days": 2, "expansion_days": 7, "expansion_period": 1}],
            offers=[{"validation_days": 3, "validation_period": 0}],
        ),
        [
            "(L0,2027Q1): +5 batches(F0,2027Q1) +2 campaign(F0,2027Q1) +3 choose(F0) <= 100",
            "(L0,2027Q2): +5 batches(F0,2027Q2) +2 campaign(F0,2027Q2) -7 expanded(L0) <= 100",
        ],
    ),
    "expansion": (
        small(lines=[{"expansion_days": 7}]),
        ["(L0): +1 expanded(L0) -1 choose(F0) <= 0"],
    ),
    "campaign": (
        # at most (10 now + 80 in stock) / 10 batches; in Q1 the offer is not ready
        small(lines=[{"changeover_cost": 1}], offers=[{"ready": 1}]),
        [
            "(F0,2027Q2): +1 batches(F0,2027Q2) -9 campaign(F0,2027Q2) <= 0",
            "(F0,2027Q2,chosen): +1 campaign(F0,2027Q2) -1 choose(F0) <= 0",
        ],
    ),
    "shelf_life": (
        small(programs=[{"shelf": 1.5}]),
        [f"(F0,2027Q{t}): +1 stock(F0,2027Q{t}) -1.5 choose(F0) <= 0" for t in (1, 2)],
    ),
    "safety_stock": (
        small(programs=[{"safety": 3, "safety_periods": 0.5}]),
        [
            f"(F0,2027Q{t}): +1 stock(F0,2027Q{t}) +1 gap(F0,2027Q{t}) -0.5 choose(F0) >= 0"
            for t in (1, 2)
        ],
    ),
    "serve_first": (
        small(programs=[{"demand": (10, 20), "safety": 3, "holding": 2, "shelf": 1}]),
        [
            "(F0,2027Q1,unmet): +1 unmet(F0,2027Q1) -1 short(F0,2027Q1) <= 0",
            "(F0,2027Q1,stock): +1 stock(F0,2027Q1) +2 short(F0,2027Q1) <= 2",
            "(F0,2027Q2,unmet): +1 unmet(F0,2027Q2) -2 short(F0,2027Q2) <= 0",
            "(F0,2027Q2,stock): +1 stock(F0,2027Q2) +1 short(F0,2027Q2) <= 1",
        ],
    ),
    "engaged": (
        small(**PAIR),
        [
            "(K0,P0): +1 choose(F0) -1 engaged(K0) <= 0",
            "(K0,P1): +1 choose(F1) -1 engaged(K0) <= 0",
            "(K0): +1 engaged(K0) -1 choose(F0) -1 choose(F1) <= 0",
            "(K1,P1): +1 choose(F2) -1 engaged(K1) <= 0",
            "(K1): +1 engaged(K1) -1 choose(F2) <= 0",
        ],
    ),
    "take_or_pay": (
        small(cmos=[{"floor": 200}], offers=[{"validation": 20}]),
        [
            "(K0,2027): +0.25 batches(F0,2027Q1) +0.25 batches(F0,2027Q2) +0.1 choose(F0)"
            " +1 shortfall(K0,2027) -1 engaged(K0) >= 0",
        ],
    ),
    "tiers": (
        # at most 18 batches for 900 and validation for 20
        small(cmos=[{"tiers": ((80, 0.05), (160, 0.1))}], offers=[{"validation": 20}]),
        [
            "(K0,2027,spend): +0.3125 batches(F0,2027Q1) +0.3125 batches(F0,2027Q2)"
            " +0.125 choose(F0) -1 tier_spend(K0,2027,0) -1 tier_spend(K0,2027,1)"
            " -1 tier_spend(K0,2027,2) == 0",
            "(K0,2027,one): +1 tier(K0,2027,0) +1 tier(K0,2027,1) +1 tier(K0,2027,2)"
            " -1 engaged(K0) == 0",
            "(K0,2027,from_0): +1 tier_spend(K0,2027,0) >= 0",
            "(K0,2027,to_0): +1 tier_spend(K0,2027,0) -0.5 tier(K0,2027,0) <= 0",
            "(K0,2027,from_1): +1 tier_spend(K0,2027,1) -0.5 tier(K0,2027,1) >= 0",
            "(K0,2027,to_1): +1 tier_spend(K0,2027,1) -1 tier(K0,2027,1) <= 0",
            "(K0,2027,from_2): +1 tier_spend(K0,2027,2) -1 tier(K0,2027,2) >= 0",
            "(K0,2027,to_2): +1 tier_spend(K0,2027,2) -5.75 tier(K0,2027,2) <= 0",
        ],
    ),
    "max_cmos": (
        pair("max_cmos", limit=1, cmos=(0, 1)),
        ["(max_cmos_A): +1 engaged(K0) +1 engaged(K1) <= 1"],
    ),
    "min_cmos": (
        pair("min_cmos", limit=2, cmos=(0, 1)),
        ["(min_cmos_A): +1 engaged(K0) +1 engaged(K1) >= 2"],
    ),
    "max_programs": (
        pair("max_programs", limit=1, cmos=(0, 1)),
        [
            "(max_programs_A): +1 choose(F0) +1 choose(F1) +1 choose(F2) <= 1",
            "(cmo,K1): +1 choose(F2) <= 1",
        ],
    ),
    "max_spend_share": (
        # at most 18 batches of each offer, 50 + 50 + 80 money: 3240 for 3 offers, 1080 each
        pair("max_spend_share", limit=0.5, cmos=(0,)),
        [
            "(max_spend_share_A): "
            + " ".join(f"+{25 / 1080:g} batches(F{f},2027Q{t})" for f in (0, 1) for t in (1, 2))
            + f" {-40 / 1080:g} batches(F2,2027Q1) {-40 / 1080:g} batches(F2,2027Q2) <= 0"
        ],
    ),
    "not_together": (
        pair("not_together", programs=(0, 1)),
        [
            "(not_together_A,K0): +1 choose(F0) +1 choose(F1) <= 1",
            "(not_together_A,K1): +1 choose(F2) <= 1",
        ],
    ),
    "budget": (
        # a unit in hand costs 1 a quarter; unsourced 12 - 10 = 2 units are left in Q1, 0 in Q2;
        # fees 4 in equal parts; onboarding 7 and expansion 9 in Q1; take-or-pay in Q2, the last
        small(
            programs=[{"holding": 1, "opening": 12}],
            cmos=[{"onboarding": 7, "fees": 4, "floor": 90}],
            lines=[{"changeover_cost": 3, "expansion_days": 1, "expansion_cost": 9}],
            offers=[{"transfer": 11, "validation": 13}],
            rules=[
                Rule("budget", "first", 100, periods=(0,)),
                Rule("budget", "last", 100, periods=(1,)),
            ],
        ),
        [
            "(first): +0.5 batches(F0,2027Q1) +0.03 campaign(F0,2027Q1) +0.24 choose(F0)"
            " +0.1 stock(F0,2027Q1) +0.1 scrap(F0,2027Q1) +0.02 choose(P0,unsourced)"
            " +0.09 engaged(K0) +0.09 expanded(L0) <= 1",
            "(last): +0.5 batches(F0,2027Q2) +0.03 campaign(F0,2027Q2) +0.1 stock(F0,2027Q2)"
            " +0.1 scrap(F0,2027Q1) +0.1 scrap(F0,2027Q2) +0.02 engaged(K0)"
            " +0.9 shortfall(K0,2027) <= 1",
        ],
    ),
    **{
        name: (pair(name, banned=np.array([2, 3])), [BANNED.format(name)])
        for name in ("force", "forbid", "keep_incumbent", "sources_differ_by")
    },
    "risk_cap": (
        risky(pair("risk_cap", limit=20), [0, 10, 0, 5, 15]),
        ["(risk_cap_A): +0.5 choose(F0) +0.25 choose(F1) +0.75 choose(F2) <= 1"],
    ),
}


def rows_of(model: Model, name: str) -> list[str]:
    """The rows of one rule as text: `(key): terms sense rhs`."""
    rows = RULES[name](model) if name in RULES else (r for n, r in award_rows(model) if n == name)
    texts = []
    for row in rows:
        terms = " ".join(f"{c:+g} {v.name}" for v, c in _summed(row.terms).items())
        texts.append(f"({row.key}): {terms} {row.sense} {row.rhs:g}")
    return texts


@pytest.mark.parametrize("name", GOLDEN)
def test_rows_of_rule(name: str) -> None:
    problem, expected = GOLDEN[name]
    assert rows_of(new_model(problem), name) == expected


def test_max_programs_of_one_cmo_counts_its_offers() -> None:
    rows = rows_of(new_model(pair("max_programs", limit=1, cmos=(0,))), "max_programs")
    assert rows[0] == "(max_programs_A): +1 choose(F0) +1 choose(F1) <= 1"


def test_a_dual_sourced_program_counts_once_in_a_group() -> None:
    problem = small(**TRIPLE, rules=[Rule("max_programs", "m", 1, cmos=(0, 1))])
    assert rows_of(new_model(problem), "max_programs") == [
        "(m): +1 choose(F0_0.5_0.5_0,F1_0.5_0.5_0) +1 choose(F0_0.5_0.5_0,F2_0.5_0.5_0)"
        " +1 choose(F1_0.5_0.5_0,F2_0.5_0.5_0) <= 1"
    ]


def test_serve_first_needs_no_rows_where_keeping_stock_earns_nothing() -> None:
    problem = small(programs=[{"safety": 2, "holding": 2, "safety_periods": 1}])
    assert rows_of(new_model(problem), "serve_first") == []


def test_unknown_award_rule_is_named() -> None:
    problem = small(rules=[Rule("max_cmo", "typo")])
    with pytest.raises(ValueError, match=r"no award rule 'max_cmo'; there are max_cmos"):
        list(award_rows(new_model(problem)))


def test_page_lists_the_rules_of_the_code_with_their_sentences() -> None:
    """models/compact.md: one row per rule, `name | sentence | formula`, in the same order."""
    page = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+) \|$", page, re.M)
    listed = {name: sentence for name, sentence, _ in rows}
    functions = {**RULES, **AWARDS, **LIMITS}
    assert list(listed) == list(functions)
    for name, function in functions.items():
        assert listed[name] == (function.__doc__ or "").splitlines()[0]
    assert all("$" in formula for _, _, formula in rows)


def test_every_rule_has_a_golden_test() -> None:
    """Fails when a rule is added without a test that builds it alone."""
    assert set(GOLDEN) == set(RULES) | set(AWARDS) | set(LIMITS)
