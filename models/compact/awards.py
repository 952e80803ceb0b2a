"""The award rules of the policy, one function each; its docstring is the planner's sentence.

Each function writes the rows of one rule; every row carries the label of its rule, by which a
conflict is told (models/conflict.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from models.compact.rules import Row
from models.compact.variables import Model, Terms
from models.problem import Rule

Award = Callable[[Model, Rule], Iterator[Row]]


def max_cmos(model: Model, rule: Rule) -> Iterator[Row]:
    """At most so many of these CMOs are engaged."""
    yield Row("", _engaged(model, rule), "<=", rule.limit)


def min_cmos(model: Model, rule: Rule) -> Iterator[Row]:
    """At least so many of these CMOs are engaged, each making some program."""
    yield Row("", _engaged(model, rule), ">=", rule.limit)


def max_programs(model: Model, rule: Rule) -> Iterator[Row]:
    """These CMOs together make at most so many programs."""
    options = model.problem.options
    member = np.zeros(len(model.problem.cmos.ids) + 1, np.bool_)
    member[list(rule.cmos)] = True
    stream_cmo = np.append(model.problem.offer_cmo[model.problem.streams.offer], -1)
    if len(set(rule.cmos)) == 1:
        terms: Terms = [
            (model.variables.offer[f], 1.0) for f in model.offers_of_cmo.get(rule.cmos[0], [])
        ]
    else:
        there = member[stream_cmo[options.first]] | member[stream_cmo[options.second]]
        terms = [(model.variables.choose[o], 1.0) for o in np.flatnonzero(there).tolist()]
    yield Row("", terms, "<=", rule.limit)


def max_spend_share(model: Model, rule: Rule) -> Iterator[Row]:
    """Spend with these CMOs is at most this share of all spend over the horizon."""
    terms: Terms = []
    scale = float(model.most_spend.sum()) / max(1, len(model.offers)) or 1.0
    for k in model.offers_of_cmo:
        factor = (float(k in rule.cmos) - rule.limit) / scale
        for year in range(len(model.problem.year_labels)):
            terms += [(variable, price * factor) for variable, price in model.spend(k, year)]
    yield Row("", terms, "<=", 0.0)


def not_together(model: Model, rule: Rule) -> Iterator[Row]:
    """No two of these programs are made at one CMO."""
    for k, mine in model.offers_of_cmo.items():
        terms: Terms = [
            (model.variables.offer[f], 1.0)
            for f in mine
            if int(model.problem.offers.program[f]) in rule.programs
        ]
        if terms:
            yield Row(model.names.cmos[k], terms, "<=", 1.0)


def budget(model: Model, rule: Rule) -> Iterator[Row]:
    """The cash of these periods together, rebates not counted, is at most the budget."""
    from models.compact.costs import cash_of

    terms: Terms = []
    for t in sorted(set(rule.periods)):
        terms += cash_of(model, t)
    scale = max(abs(rule.limit), 1.0)
    yield Row("", [(v, c / scale) for v, c in terms if c], "<=", rule.limit / scale)


def force(model: Model, rule: Rule) -> Iterator[Row]:
    """Each of these programs has a source there."""
    yield from _banned(model, rule)


def forbid(model: Model, rule: Rule) -> Iterator[Row]:
    """None of these programs has a source there."""
    yield from _banned(model, rule)


def keep_incumbent(model: Model, rule: Rule) -> Iterator[Row]:
    """Each of these programs keeps a source that is already qualified."""
    yield from _banned(model, rule)


def sources_differ_by(model: Model, rule: Rule) -> Iterator[Row]:
    """Two sources of a program have none of these in common."""
    yield from _banned(model, rule)


def risk_cap(model: Model, rule: Rule) -> Iterator[Row]:
    """The risk of all chosen options together is at most this much."""
    scale = max(abs(rule.limit), 1.0)
    risk = model.problem.options.risk_cost / scale
    terms = [(model.variables.choose[o], float(risk[o])) for o in np.flatnonzero(risk).tolist()]
    yield Row("", terms, "<=", rule.limit / scale)


def _engaged(model: Model, rule: Rule) -> Terms:
    """The engaged CMOs of a rule; one that no option uses is never engaged."""
    members = sorted(set(rule.cmos) & set(model.variables.engaged))
    return [(model.variables.engaged[k], 1.0) for k in members]


def _banned(model: Model, rule: Rule) -> Iterator[Row]:
    """The options that the rule excludes are not chosen."""
    options = np.unique(rule.banned).tolist()
    if options:
        yield Row("", [(model.variables.choose[o], 1.0) for o in options], "<=", 0.0)


#: Award rule -> function; the order is that of models/compact.md.
AWARDS: dict[str, Award] = {
    award.__name__: award
    for award in (
        max_cmos,
        min_cmos,
        max_programs,
        max_spend_share,
        not_together,
        budget,
        force,
        forbid,
        keep_incumbent,
        sources_differ_by,
    )
}


#: Limits that analyses lay on a problem, not policies; the decomposition does not price them.
LIMITS: dict[str, Award] = {risk_cap.__name__: risk_cap}


def award_rows(model: Model) -> Iterator[tuple[str, Row]]:
    """Rows of every award rule of the problem, with the rule's name; one label per rule.

    A CMO's own `max_programs` is a rule of that name, labelled `max_programs[cmo]`. Raises
    ValueError for a rule of unknown name.
    """
    for rule, label in zip(model.problem.rules, model.names.labels, strict=True):
        known = AWARDS | LIMITS
        if rule.name not in known:
            raise ValueError(f"no award rule {rule.name!r}; there are {', '.join(known)}")
        for row in known[rule.name](model, rule):
            key = f"{label},{row.key}" if row.key else label
            yield rule.name, row._replace(key=key, label=rule.label)
    for k, rule in cmo_limits(model):
        for row in max_programs(model, rule):
            key = f"cmo,{model.names.cmos[k]}"
            yield rule.name, row._replace(key=key, label=rule.label)


def cmo_limits(model: Model) -> Iterator[tuple[int, Rule]]:
    """The `max_programs` of each CMO as an award rule."""
    cmos = model.problem.cmos
    for k in np.flatnonzero(cmos.max_programs >= 0).tolist():
        label = f"max_programs[{cmos.ids[k]}]"
        yield k, Rule("max_programs", label, float(cmos.max_programs[k]), cmos=(k,))
