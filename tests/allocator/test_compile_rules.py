"""Award rules: each kind alone, as the rows that the problem gets."""

from __future__ import annotations

import pytest

from allocator.compile import Compiled, compile_problem
from allocator.compile_rules import KINDS
from allocator.portfolio import Cmo, Policy, Portfolio, Rule
from tests.allocator.portfolios import line, offer, portfolio, program, quarters


def tables(*rules: Rule) -> Portfolio:
    """Two programs, four CMOs in two regions; P1 is qualified at A, at A and C it shares an API."""
    cmos = [
        Cmo("A", "EU", owner="big", country="DE"),
        Cmo("B", "EU", owner="big"),
        Cmo("C", "US", country="US"),
        Cmo("D", "US", country="US"),
    ]
    lines = [line(f"L{cmo.cmo_id}", cmo.cmo_id, 4) for cmo in cmos]
    offers = [
        offer(
            p,
            f"L{k}",
            qualified=(p, k) == ("P1", "A"),
            shared_inputs=("api", "cap") if k in "AC" else ("cap2",) if k == "B" else (),
        )
        for p in ("P1", "P2")
        for k in "ABCD"
    ]
    programs = [program(p, (10.0,) * 4) for p in ("P1", "P2")]
    policy = Policy(splits=(0.5, 0.7), rules=rules)
    return portfolio(quarters(4), programs, cmos, lines, offers, policy)


def compiled(name: str, **settings: object) -> Compiled:
    return compile_problem(tables(Rule(name, "my rule", settings)))


def rows(name: str, **settings: object) -> dict[str, tuple[float, tuple[int, ...]]]:
    return {r.label: (r.limit, r.cmos) for r in compiled(name, **settings).problem.rules}


def chosen(result: Compiled, banned: bool) -> set[tuple[str, frozenset[str]]]:
    """Program and CMOs of each option that the rule bans, or leaves."""
    problem, found = result.problem, set()
    options, streams = problem.options, problem.streams
    for row in range(len(options.program)):
        if bool(problem.banned[row]) == banned:
            sources = [s for s in (options.first[row], options.second[row]) if s >= 0]
            offers = [problem.offers.ids[streams.offer[s]] for s in sources]
            cmos = frozenset(i.split("@")[1][1:] for i in offers)
            found.add((problem.programs.ids[options.program[row]], cmos))
    return found


@pytest.mark.parametrize("name", ["max_cmos", "min_cmos"])
def test_engaged(name: str) -> None:
    assert rows(name, limit=2) == {"my rule": (2.0, (0, 1, 2, 3))}
    assert rows(name, limit=1, cmos=("D", "A")) == {"my rule": (1.0, (0, 3))}
    assert rows(name, limit=1, owners=("big",)) == {"my rule": (1.0, (0, 1))}
    assert rows(name, limit=1, regions=("US",)) == {"my rule": (1.0, (2, 3))}
    assert rows(name, limit=1, countries=("DE", "US")) == {"my rule": (1.0, (0, 2, 3))}
    assert compiled(name, limit=1).problem.rules[0].name == name


def test_max_programs_per_member() -> None:
    assert rows("max_programs", limit=1, per="region") == {
        "my rule[EU]": (1.0, (0, 1)),
        "my rule[US]": (1.0, (2, 3)),
    }
    assert rows("max_programs", limit=1, per="region", of=("US",)) == {"my rule[US]": (1.0, (2, 3))}
    assert rows("max_programs", limit=2, of=("B",)) == {"my rule[B]": (2.0, (1,))}
    # a blank owner is unknown, so each such CMO stands alone
    assert list(rows("max_programs", limit=1, per="owner").values()) == [
        (1.0, (2,)),
        (1.0, (3,)),
        (1.0, (0, 1)),
    ]


def test_max_spend_share() -> None:
    assert rows("max_spend_share", share=0.4, per="country") == {
        "my rule[(B)]": (0.4, (1,)),
        "my rule[DE]": (0.4, (0,)),
        "my rule[US]": (0.4, (2, 3)),
    }
    assert len(rows("max_spend_share", share=0.4)) == 4


def test_force() -> None:
    left = chosen(compiled("force", programs=("P1",), cmos=("B",)), banned=False)
    mine = {cmos for program_id, cmos in left if program_id == "P1"}
    assert mine == {frozenset(s) for s in ("B", "AB", "BC", "BD")}
    assert ("P2", frozenset()) in left
    left = chosen(compiled("force", programs=("P1",), lines=("LC", "LD")), banned=False)
    mine = {cmos for program_id, cmos in left if program_id == "P1"}
    assert mine == {frozenset(s) for s in ("C", "D", "AC", "AD", "BC", "BD", "CD")}


@pytest.mark.parametrize(
    ("key", "value", "gone"),
    [
        ("cmos", ("A",), "A"),
        ("lines", ("LA", "LB"), "AB"),
        ("owners", ("big",), "AB"),
        ("regions", ("US",), "CD"),
        ("countries", ("DE",), "A"),
    ],
)
def test_forbid(key: str, value: tuple[str, ...], gone: str) -> None:
    result = compiled("forbid", **{key: value})
    assert all(cmos & set(gone) for _, cmos in chosen(result, banned=True))
    left = chosen(result, banned=False)
    assert not any(cmos & set(gone) for _, cmos in left)
    assert {("P1", frozenset()), ("P2", frozenset())} <= left
    one = chosen(compiled("forbid", programs="P2", **{key: value}), banned=True)
    assert {program_id for program_id, _ in one} == {"P2"}


def test_keep_incumbent() -> None:
    left = chosen(compiled("keep_incumbent"), banned=False)
    assert {cmos for p, cmos in left if p == "P1"} == {
        frozenset(s) for s in ("A", "AB", "AC", "AD")
    }
    assert ("P2", frozenset()) in left
    result = compiled("keep_incumbent", programs=("P1", "P2"))
    assert not any(p == "P2" for p, _ in chosen(result, banned=False))
    assert result.notes == (
        "my rule: P2 has no qualified offer that can work, so the rule cannot hold",
    )


@pytest.mark.parametrize(
    ("by", "gone"),
    [
        (("owner",), {"AB"}),
        (("region",), {"AB", "CD"}),
        (("country",), {"CD"}),
        (("shared_inputs",), {"AC"}),
        (("owner", "country", "shared_inputs"), {"AB", "CD", "AC"}),
    ],
)
def test_sources_differ_by(by: tuple[str, ...], gone: set[str]) -> None:
    banned = chosen(compiled("sources_differ_by", by=by), banned=True)
    assert {"".join(sorted(cmos)) for _, cmos in banned} == gone
    assert {program_id for program_id, _ in banned} == {"P1", "P2"}
    banned = chosen(compiled("sources_differ_by", by=by, programs=("P2",)), banned=True)
    assert {program_id for program_id, _ in banned} == {"P2"}


def test_not_together() -> None:
    rule = compiled("not_together", programs=("P2", "P1")).problem.rules[0]
    assert (rule.name, rule.programs) == ("not_together", (0, 1))


def test_budget() -> None:
    def periods(**settings: object) -> dict[str, tuple[float, tuple[int, ...]]]:
        found = compiled("budget", limit=5000, **settings).problem.rules
        return {rule.label: (rule.limit, rule.periods) for rule in found}

    assert periods() == periods(period="total") == {"my rule": (5000.0, (0, 1, 2, 3))}
    assert periods(period=("2027Q3", "2027Q1")) == {"my rule": (5000.0, (0, 2))}
    assert periods(period="2027Q2") == {"my rule": (5000.0, (1,))}
    each = periods(period="each")
    assert list(each) == [f"my rule[2027Q{q}]" for q in (1, 2, 3, 4)]
    assert each["my rule[2027Q4]"] == (5000.0, (3,))


def test_rules_stand_in_the_order_of_the_policy() -> None:
    rules = (Rule("min_cmos", "b", {"limit": 1}), Rule("max_cmos", "a", {"limit": 3}))
    assert [rule.label for rule in compile_problem(tables(*rules)).problem.rules] == ["b", "a"]


def test_an_unknown_kind() -> None:
    with pytest.raises(ValueError, match="no rule 'max_lines'"):
        compiled("max_lines", limit=1)


def test_every_kind_has_a_test_here() -> None:
    """And is a kind that policy.toml may hold."""
    import inspect
    import sys

    from allocator.rules import KINDS as READ

    assert set(KINDS) == set(READ)
    source = inspect.getsource(sys.modules[__name__])
    assert all(source.count(f'"{kind}"') >= 1 for kind in KINDS)
