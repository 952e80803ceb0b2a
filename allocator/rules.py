"""Award rules as the user writes them: kinds, keys, and the ids that they name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from allocator.findings import Finding, did_you_mean
from allocator.portfolio import Portfolio, Rule
from allocator.settings import Section

GROUPS = {"cmos": "cmo", "owners": "owner", "regions": "region", "countries": "country"}
"""Key that lists members -> what it lists."""


@dataclass(frozen=True)
class Kind:
    """Keys of one kind of rule. Of `places` one is given: exactly one where `placed`."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    placed: bool = False


KINDS: Mapping[str, Kind] = {
    "max_cmos": Kind(("limit",), (), tuple(GROUPS)),
    "min_cmos": Kind(("limit",), (), tuple(GROUPS)),
    "max_programs": Kind(("limit",), ("per", "of")),
    "max_spend_share": Kind(("share",), ("per", "of")),
    "force": Kind(("programs",), (), ("cmos", "lines"), placed=True),
    "forbid": Kind((), ("programs",), ("cmos", "lines", "owners", "regions", "countries"), True),
    "keep_incumbent": Kind((), ("programs",)),
    "sources_differ_by": Kind(("by",), ("programs",)),
    "not_together": Kind(("programs",)),
    "budget": Kind(("limit",), ("period",)),
}
DIFFER_BY = ("owner", "region", "country", "shared_inputs")


def read_rules(sections: Iterable[Section], taken: Iterable[str] = ()) -> tuple[Rule, ...]:
    """The sound ones of some `[[rule]]` tables; problems go to their sections' findings.

    A rule without a label takes its kind's name, with _2, _3 ... where that is taken.
    """
    labels = set(taken)
    sections = list(sections)
    for section in sections:  # labels written down come first, whatever the order
        label = section.text("label")
        if label and label in labels:
            section.add("label", f"{label!r} is taken", "give each rule its own label")
        labels.add(label)
    return tuple(rule for section in sections if (rule := _rule(section, labels)) is not None)


def _rule(section: Section, labels: set[str]) -> Rule | None:
    before = len(section.found)
    if not section.has("name"):
        section.add("name", "is missing", f"give one of {', '.join(KINDS)}")
        return None
    name = section.word("name", KINDS, "")
    if not name:
        return None
    kind, settings = KINDS[name], dict[str, object]()
    for key in (*kind.required, *kind.optional, *kind.places):
        if section.has(key):
            settings[key] = _setting(section, name, key)
        elif key in kind.required:
            section.add(key, f"is missing in the rule {name}", "add it; docs/model.md says how")
    placed = [key for key in kind.places if key in settings]
    if len(placed) > 1 or (kind.placed and not placed):
        some = ", ".join(placed) if placed else "none of its places"
        section.add(
            "", f"the rule {name} has {some}", f"give exactly one of {', '.join(kind.places)}"
        )
    section.finish()
    if len(section.found) > before:
        return None
    label, number = section.text("label"), 2
    if not label:
        label = name
        while label in labels:
            label, number = f"{name}_{number}", number + 1
        labels.add(label)
    return Rule(name, label, settings)


def _setting(section: Section, name: str, key: str) -> object:
    """The checked value of one key."""
    if key == "limit":
        return section.number(key, 0.0) if name == "budget" else section.whole(key, 0)
    if key == "share":
        return section.number(key, 1.0, 0.0, 1.0)
    if key == "per":
        return section.word(key, GROUPS.values(), "cmo")
    if key == "by":
        given = section.texts(key, 1)
        for word in given:
            if word not in DIFFER_BY:
                remedy = did_you_mean(word, DIFFER_BY, f"use some of {', '.join(DIFFER_BY)}")
                section.add(key, f"{word!r} is not known", remedy)
        return given
    if key == "period":
        labels = section.texts(key, 1)
        return labels[0] if labels in (("total",), ("each",)) else labels
    return section.texts(key, 2 if name == "not_together" else 1)


def id_findings(rules: Iterable[Rule], portfolio: Portfolio, file: str) -> Iterator[Finding]:
    """Rules that name a program, line, CMO, owner, region, country or period there isn't."""
    known = {
        "programs": set(portfolio.programs),
        "lines": set(portfolio.lines),
        "period": {period.label for period in portfolio.periods} | {"total", "each"},
    } | {key: members(portfolio, by) for key, by in GROUPS.items()}
    for rule in rules:
        of = str(rule.settings.get("per", "cmo"))
        lists = {key: known[key] for key in rule.settings if key in known}
        if "of" in rule.settings:
            lists["of"] = members(portfolio, of)
        for key, words in lists.items():
            value = rule.settings[key]
            for name in value if isinstance(value, tuple) else (value,):
                if name not in words:
                    what = f"there is no {name!r} among the {_plural(key, of)}"
                    remedy = did_you_mean(str(name), words, "name one that the tables have")
                    yield Finding(file, None, f"rule {rule.label} {key}", what, remedy)


def _plural(key: str, of: str) -> str:
    names = {by: plural for plural, by in GROUPS.items()}
    return {"period": "periods", "of": names.get(of, of)}.get(key, key)


def members(portfolio: Portfolio, by: str) -> set[str]:
    """CMO ids, or the owners, regions or countries that CMOs have."""
    if by == "cmo":
        return set(portfolio.cmos)
    return {str(getattr(cmo, by)) for cmo in portfolio.cmos.values()} - {""}
