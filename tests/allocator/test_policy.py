from __future__ import annotations

import re
from pathlib import Path

import pytest

from allocator.findings import Finding
from allocator.policy import SOURCING, read_policy
from allocator.portfolio import Gates, OutageGroup, Policy, Rule
from allocator.read import inspect, read_portfolio
from allocator.rules import KINDS
from tests.allocator.folders import OFFERS, folder, said

ROOT = Path(__file__).parents[2]
EVERYTHING = """\
# comment = 1
currency = "EUR"
months_per_period = 3
sourcing = "Dual"
splits = [0.7, 0.5, 0.5]
risk_weight = 2
service_level = 0.95
safety_stock_charge = 0.02
surge = 0.1

[gates]
oai = false
critical_within_months = 12
min_scores = { regulatory = 50 }
waived = ["K1"]

[score_weights]
quality_culture = 3

[[outage_group]]
kind = "region"
member = "EU"
outage_per_year = 0.1
recover_months = 4

[risk]
neutral_score = 60

[capacity]
notice_months = 9

[[rule]]
name = "max_cmos"
limit = 2
regions = ["EU", "US"]

[[rule]]
name = "budget"
limit = 1e6
period = "2027Q1"
label = "first quarter"

[[rule]]
name = "max_cmos"
limit = 1
"""


def read(tmp_path: Path, text: str | bytes) -> tuple[Policy, tuple[Finding, ...]]:
    path = tmp_path / "policy.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_policy(path)


def wrong(tmp_path: Path, text: str) -> list[str]:
    return said(read(tmp_path, text)[1])


def test_no_policy_is_the_usual_policy(tmp_path: Path) -> None:
    assert read_policy(tmp_path / "policy.toml") == (Policy(), ())
    assert read(tmp_path, "") == (Policy(), ())


def test_every_key(tmp_path: Path) -> None:
    policy, findings = read(tmp_path, EVERYTHING)
    assert said(findings) == []
    assert policy == Policy(
        currency="EUR",
        sourcing="dual",
        splits=(0.5, 0.7),
        risk_weight=2.0,
        service_level=0.95,
        safety_stock_charge=0.02,
        surge=0.1,
        gates=Gates(False, 12.0, {"regulatory": 50.0}, ("K1",)),
        score_weights={"quality_culture": 3.0},
        outage_groups=(OutageGroup("region", "EU", 0.1, 4.0),),
        rules=(
            Rule("max_cmos", "max_cmos", {"limit": 2, "regions": ("EU", "US")}),
            Rule("budget", "first quarter", {"limit": 1e6, "period": ("2027Q1",)}),
            Rule("max_cmos", "max_cmos_2", {"limit": 1}),
        ),
        extra={
            "risk": {"neutral_score": 60},
            "capacity": {"notice_months": 9},
            "months_per_period": 3,
        },
    )


def test_the_example_of_the_page_is_sound_and_names_every_key(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "policy.md").read_text()
    example = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)[0]
    policy, findings = read(tmp_path, example)
    assert said(findings) == []
    assert policy.rules[0].label == "five partners"
    for key in ("currency", "sourcing", "splits", "risk_weight", "service_level", "surge"):
        assert f"| `{key}` |" in page
    for name in KINDS:
        assert f"`{name}`" in page
    for word in SOURCING:
        assert f"`{word}`" in page


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "riskweight = 1",
            "policy.toml:1 riskweight: the key is unknown; did you mean 'risk_weight'?",
        ),
        (
            "\n\n[gates]\nwavied = true",
            "policy.toml:4 gates.wavied: the key is unknown; did you mean 'waived'?",
        ),
        ("zzzz = 1", "policy.toml:1 zzzz: the key is unknown; delete it; known here: currency, "),
        (
            "risk_weight = '1'",
            "policy.toml:1 risk_weight: '1' is not a number; give a number without",
        ),
        ("risk_weight = true", "policy.toml:1 risk_weight: True is not a number"),
        ("risk_weight = inf", "policy.toml:1 risk_weight: inf is not finite"),
        ("risk_weight = -1", "policy.toml:1 risk_weight: -1 is too low; give a number at least 0"),
        (
            "service_level = 98",
            "policy.toml:1 service_level: 98 is too high; give a number at most 1",
        ),
        ("months_per_period = 1.5", "policy.toml:1 months_per_period: 1.5 is not a whole number"),
        ("sourcing = 'duel'", "policy.toml:1 sourcing: 'duel' is not known; did you mean 'dual'?"),
        ("sourcing = 2", "policy.toml:1 sourcing: 2 is not a text"),
        ("currency = ''", "policy.toml:1 currency: '' is not a text"),
        ("splits = [0.4]", "policy.toml:1 splits: [0.4] is not a list of primary shares"),
        ("splits = [0.5, 1.0]", "policy.toml:1 splits: [0.5, 1.0] is not a list of primary shares"),
        ("splits = []", "policy.toml:1 splits: [] is not a list of primary shares"),
        ("splits = ['x']", "policy.toml:1 splits: ['x'] is not a list of primary shares"),
        ("gates = 3", "policy.toml:1 gates: 3 is not a table; write it as [gates]"),
        (
            "gates.oai = 1",
            "policy.toml gates.oai: 1 is neither true nor false; write true or false",
        ),
        ("rule = 3", "policy.toml:1 rule: is not a list of tables; write each one under [[rule]]"),
        ("[gates]\nwaived = [1]", "policy.toml:2 gates.waived: [1] is not a list of texts"),
        (
            "[gates.min_scores]\nregulatry = 1",
            "policy.toml:2 gates.min_scores.regulatry: there is no such score; "
            "did you mean 'regulatory'?",
        ),
        ("[score_weights]\nfinancial = -1", "policy.toml:2 score_weights.financial: -1 is too low"),
        (
            "[[outage_group]]\nkind = 'city'\nmember = 'x'\n"
            "outage_per_year = 1\nrecover_months = 1",
            "policy.toml:2 outage_group.kind: 'city' is not known; use one of owner, region",
        ),
        ("[[outage_group]]", "policy.toml:1 outage_group.kind: is missing; add it"),
    ],
)
def test_problems_with_keys(tmp_path: Path, text: str, message: str) -> None:
    found = wrong(tmp_path, text)
    assert found
    assert found[0].startswith(message)


def test_files_that_are_no_toml(tmp_path: Path) -> None:
    assert wrong(tmp_path, "a = = 1")[0].startswith("policy.toml: not readable as TOML: ")
    assert said(read(tmp_path, "a = 'ü'".encode("latin-1"))[1]) == [
        "policy.toml: the file is not UTF-8; save it as UTF-8"
    ]
    (tmp_path / "policy.toml").unlink()
    (tmp_path / "policy.toml").mkdir()
    assert said(read_policy(tmp_path / "policy.toml")[1])[0].startswith(
        "policy.toml: cannot be read"
    )


def test_a_bom_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbf" + EVERYTHING.replace("\n", "\r\n").encode()
    assert read(tmp_path, data)[1] == ()


RULES = [
    ("limit = 1", "rule.name: is missing; give one of max_cmos"),
    ("name = 'max_cmo'\nlimit = 1", "rule.name: 'max_cmo' is not known; did you mean 'max_cmos'?"),
    ("name = 'max_cmos'", "rule.limit: is missing in the rule max_cmos"),
    ("name = 'max_cmos'\nlimit = 1.5", "rule.limit: 1.5 is not a whole number"),
    ("name = 'max_cmos'\nlimit = -1", "rule.limit: -1 is too low"),
    (
        "name = 'min_cmos'\nlimit = 1\ncmos = ['a']\nowners = ['b']",
        "rule: the rule min_cmos has cmos, owners; give exactly one of cmos, owners",
    ),
    ("name = 'max_programs'\nlimit = 1\nper = 'site'", "rule.per: 'site' is not known"),
    ("name = 'max_spend_share'\nshare = 1.2", "rule.share: 1.2 is too high"),
    ("name = 'max_spend_share'\nlimit = 0.5", "rule.share: is missing in the rule max_spend_share"),
    ("name = 'force'\nprograms = ['P']", "rule: the rule force has none of its places"),
    ("name = 'force'\ncmos = ['K']", "rule.programs: is missing in the rule force"),
    ("name = 'force'\ncmos = ['K']\nprograms = []", "rule.programs: [] is too short"),
    ("name = 'forbid'", "rule: the rule forbid has none of its places"),
    ("name = 'forbid'\nlines = [1]", "rule.lines: [1] is not a list of texts"),
    (
        "name = 'sources_differ_by'\nby = ['regon']",
        "rule.by: 'regon' is not known; did you mean 'region'?",
    ),
    ("name = 'sources_differ_by'", "rule.by: is missing in the rule sources_differ_by"),
    (
        "name = 'not_together'\nprograms = ['P1']",
        "rule.programs: ['P1'] is too short; name at least 2",
    ),
    ("name = 'budget'\nlimit = 'x'", "rule.limit: 'x' is not a number"),
    ("name = 'budget'\nlimit = 1\nfrom = 'x'", "rule.from: the key is unknown"),
    ("name = 'keep_incumbent'\nlimit = 1", "rule.limit: the key is unknown"),
]


@pytest.mark.parametrize(("text", "message"), RULES)
def test_problems_with_rules(tmp_path: Path, text: str, message: str) -> None:
    policy, findings = read(tmp_path, f"[[rule]]\nname = 'keep_incumbent'\n[[rule]]\n{text}\n")
    assert [rule.name for rule in policy.rules] == ["keep_incumbent"]
    assert re.sub(r"^policy.toml:\d+ ", "", said(findings)[0]).startswith(message)


def test_every_kind_of_rule_has_a_wrong_example() -> None:
    assert {kind for kind in KINDS if any(f"'{kind}'" in text for text, _ in RULES)} == set(KINDS)


def test_problems_of_the_second_rule_name_its_line(tmp_path: Path) -> None:
    text = "[[rule]]\nname = 'keep_incumbent'\n\n[[rule]]\nname = 'max_cmos'\nlimit = -1\n"
    assert wrong(tmp_path, text)[0].startswith("policy.toml:6 rule.limit: -1")


def test_settings_of_rules_are_normal(tmp_path: Path) -> None:
    policy, findings = read(
        tmp_path,
        """
        [[rule]]
        name = "Max Programs"
        limit = 3
        per = "Region"
        of = "EU"
        [[rule]]
        name = "budget"
        limit = 5
        period = "each"
        [[rule]]
        name = "budget"
        limit = 5
        period = ["2027Q1", "2027Q2"]
        [[rule]]
        name = "sources_differ_by"
        by = "owner"
        """,
    )
    assert findings == ()
    assert [dict(rule.settings) for rule in policy.rules] == [
        {"limit": 3, "per": "region", "of": ("EU",)},
        {"limit": 5.0, "period": "each"},
        {"limit": 5.0, "period": ("2027Q1", "2027Q2")},
        {"by": ("owner",)},
    ]


def test_labels_are_unique_and_given_ones_come_first(tmp_path: Path) -> None:
    rule = "[[rule]]\nname = 'keep_incumbent'\n"
    policy, findings = read(tmp_path, rule * 2 + rule + "label = 'keep_incumbent'\n")
    assert findings == ()
    assert [r.label for r in policy.rules] == [
        "keep_incumbent_2",
        "keep_incumbent_3",
        "keep_incumbent",
    ]
    found = wrong(tmp_path, (rule + "label = 'x'\n") * 2)
    assert found == ["policy.toml:6 rule.label: 'x' is taken; give each rule its own label"]


NAMES = """
[gates]
waived = ["K9"]
[[outage_group]]
kind = "shared_input"
member = "Resin"
outage_per_year = 0.1
recover_months = 3
[[outage_group]]
kind = "owner"
member = "Alfpha"
outage_per_year = 0.1
recover_months = 3
[[rule]]
name = "forbid"
programs = ["P1", "PX"]
countries = ["FR"]
[[rule]]
name = "max_programs"
limit = 1
per = "owner"
of = ["Betta"]
[[rule]]
name = "budget"
limit = 1
period = ["2027Q1", "2028Q1"]
[[rule]]
name = "force"
programs = ["P1"]
lines = ["L1", "Line 9"]
"""


def test_names_that_the_tables_do_not_have(tmp_path: Path) -> None:
    portfolio, findings = inspect(folder(tmp_path, policy=NAMES))
    assert portfolio is None
    assert said(findings) == [
        "policy.toml gates.waived: there is no CMO 'K9'; name CMOs of cmos.csv",
        "policy.toml outage_group: no owner is called 'Alfpha'; did you mean 'Alpha'?",
        "policy.toml outage_group: no shared input is called 'Resin'; "
        "name one that the tables have",
        "policy.toml rule budget period: there is no '2028Q1' among the periods; "
        "did you mean '2027Q1'?",
        "policy.toml rule forbid countries: there is no 'FR' among the countries; "
        "name one that the tables have",
        "policy.toml rule forbid programs: there is no 'PX' among the programs; "
        "name one that the tables have",
        "policy.toml rule force lines: there is no 'Line 9' among the lines; "
        "name one that the tables have",
        "policy.toml rule max_programs of: there is no 'Betta' among the owners; "
        "did you mean 'Beta'?",
    ]


def test_names_that_the_tables_have(tmp_path: Path) -> None:
    text = NAMES.replace("K9", "K1").replace("Alfpha", "Alpha").replace(', "PX"', "")
    text = text.replace("FR", "DE").replace("Betta", "Beta").replace(', "2028Q1"', "")
    text = text.replace(', "Line 9"', "")
    rows = OFFERS.splitlines()
    offers = "\n".join([rows[0] + ",shared_inputs", rows[1] + ",Resin; Filter", rows[3] + ","])
    portfolio = read_portfolio(folder(tmp_path, policy=text, offers=offers))
    assert portfolio.offers["P1@L1@50"].shared_inputs == ("Resin", "Filter")
    assert len(portfolio.policy.rules) == 4
