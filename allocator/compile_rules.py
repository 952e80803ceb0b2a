"""Award rules of the policy as rows of the problem; kinds and keys stand in docs/model.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from allocator.portfolio import Portfolio
from allocator.portfolio import Rule as Award
from models.problem import Bools, Ints, Offers, Problem, Rule

#: Key of a rule's list of members -> what it groups CMOs by.
GROUP_KEYS = {"cmos": "cmo", "owners": "owner", "regions": "region", "countries": "country"}


def compile_rules(
    portfolio: Portfolio, problem: Problem
) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """All award rules as rows, one per member where a rule counts per member, and warnings.

    Raises ValueError for a kind of rule that is not known.
    """
    context = _Context(portfolio, problem)
    rows: list[Rule] = []
    for award in portfolio.policy.rules:
        if award.name not in KINDS:
            raise ValueError(f"no rule {award.name!r}; there are {', '.join(sorted(KINDS))}")
        rows += KINDS[award.name](award, context)
    return tuple(rows), tuple(context.notes)


class _Context:
    """Look-ups that the rules share, made once."""

    def __init__(self, portfolio: Portfolio, problem: Problem) -> None:
        self.portfolio = portfolio
        self.problem = problem
        self.notes: list[str] = []
        self.program_row = {i: p for p, i in enumerate(problem.programs.ids)}
        self.cmo_row = {i: k for k, i in enumerate(problem.cmos.ids)}
        self.line_row = {i: k for k, i in enumerate(problem.lines.ids)}
        streams, options = problem.streams, problem.options
        self.first = np.append(streams.offer, -1)[options.first]
        self.second = np.append(streams.offer, -1)[options.second]

    @property
    def cmo_of_line(self) -> Ints:
        """CMO of each line."""
        return self.problem.lines.cmo

    def groups(self, by: str) -> dict[str, tuple[int, ...]]:
        """CMO rows of each cmo, owner, region or country; a blank one is a group of its own."""
        found: dict[str, list[int]] = {}
        for cmo_id, row in self.cmo_row.items():
            member = cmo_id if by == "cmo" else str(getattr(self.portfolio.cmos[cmo_id], by))
            found.setdefault(member or f"({cmo_id})", []).append(row)
        return {member: tuple(found[member]) for member in sorted(found)}

    def members(self, award: Award) -> tuple[int, ...]:
        """CMO rows that a rule's list of cmos, owners, regions or countries names; all if none."""
        for key, by in GROUP_KEYS.items():
            if key in award.settings:
                groups = self.groups(by)
                listed = {k for name in _names(award, key) for k in groups.get(name, ())}
                return tuple(sorted(listed))
        return tuple(range(len(self.cmo_row)))

    def program_rows(self, award: Award) -> tuple[int, ...]:
        """Programs that a rule names, in order; all where it names none."""
        if "programs" not in award.settings:
            return tuple(range(len(self.program_row)))
        return tuple(sorted({self.program_row[i] for i in _names(award, "programs")}))

    def of_programs(self, rows: Sequence[int]) -> Bools:
        """Options that belong to the given programs, (O,)."""
        chosen = np.zeros(len(self.program_row), np.bool_)
        chosen[list(rows)] = True
        return chosen[self.problem.options.program]

    def with_source(self, wanted: Bools) -> Bools:
        """Options with a source among the offers marked in `wanted` (F,), as a mask (O,)."""
        padded = np.append(wanted, False)
        return np.asarray(padded[self.first] | padded[self.second])


def _names(award: Award, key: str) -> tuple[str, ...]:
    """A list of ids from a rule's settings; a single id counts as a list of one."""
    value = award.settings[key]
    return (value,) if isinstance(value, str) else tuple(str(v) for v in value)  # type: ignore[attr-defined]


def _number(award: Award, key: str) -> float:
    return float(award.settings[key])  # type: ignore[arg-type]


def _engaged(award: Award, context: _Context) -> Iterator[Rule]:
    """At most, or at least, `limit` of some CMOs engaged."""
    yield Rule(award.name, award.label, _number(award, "limit"), cmos=context.members(award))


def _per_member(award: Award, context: _Context) -> Iterator[Rule]:
    """A limit on programs or spend for each CMO, owner, region or country."""
    by = str(award.settings.get("per", "cmo"))
    wanted = _names(award, "of") if "of" in award.settings else None
    limit = _number(award, "share" if award.name == "max_spend_share" else "limit")
    for member, cmos in context.groups(by).items():
        if wanted is None or member in wanted:
            yield Rule(award.name, f"{award.label}[{member}]", limit, cmos=cmos)


def _ban(award: Award, banned: Bools) -> Iterator[Rule]:
    yield Rule(award.name, award.label, banned=np.flatnonzero(banned).astype(np.int64))


def _offers_at(award: Award, context: _Context) -> Bools:
    """Offers at the CMOs, lines, owners ... that a rule names, (F,)."""
    line = context.problem.offers.line
    if "lines" in award.settings:
        listed = [context.line_row[i] for i in _names(award, "lines")]
        return np.isin(line, listed)
    return np.isin(context.cmo_of_line[line], context.members(award))


def _force(award: Award, context: _Context) -> Iterator[Rule]:
    """Each program has a source at the named CMOs or lines."""
    mine = context.of_programs(context.program_rows(award))
    yield from _ban(award, mine & ~context.with_source(_offers_at(award, context)))


def _forbid(award: Award, context: _Context) -> Iterator[Rule]:
    """None of the programs has a source there."""
    mine = context.of_programs(context.program_rows(award))
    yield from _ban(award, mine & context.with_source(_offers_at(award, context)))


def _keep_incumbent(award: Award, context: _Context) -> Iterator[Rule]:
    """A qualified offer is among the sources of each program (by default of those with one)."""
    offers: Offers = context.problem.offers
    has_one = set(offers.program[offers.qualified].tolist())
    rows = context.program_rows(award)
    if "programs" in award.settings:
        for p in sorted(set(rows) - has_one):
            context.notes.append(
                f"{award.label}: {context.problem.programs.ids[p]} has no qualified offer that"
                " can work, so the rule cannot hold"
            )
    else:
        rows = tuple(p for p in rows if p in has_one)
    yield from _ban(award, context.of_programs(rows) & ~context.with_source(offers.qualified))


def _sources_differ_by(award: Award, context: _Context) -> Iterator[Rule]:
    """Two sources of a program share no owner, region, country or shared input."""
    dual = np.flatnonzero(context.of_programs(context.program_rows(award)) & (context.second >= 0))
    one, two = context.first[dual], context.second[dual]
    cmo = context.cmo_of_line[context.problem.offers.line]
    shares = np.zeros(len(dual), np.bool_)
    for by in _names(award, "by"):
        if by == "shared_inputs":
            shares |= _share_input(context, one, two)
            continue
        code = np.full(len(context.cmo_row), -1, np.int64)
        for number, (_, cmos) in enumerate(context.groups(by).items()):
            code[list(cmos)] = number
        shares |= code[cmo[one]] == code[cmo[two]]
    yield Rule(award.name, award.label, banned=dual[shares].astype(np.int64))


def _share_input(context: _Context, one: Ints, two: Ints) -> Bools:
    """Whether two offers have a shared input in common, row by row."""
    offers = [context.portfolio.offers[i] for i in context.problem.offers.ids]
    names = sorted({name for offer in offers for name in offer.shared_inputs})
    number = {name: n for n, name in enumerate(names)}
    uses = np.zeros((len(offers), len(names)), np.bool_)
    for row, offer in enumerate(offers):
        uses[row, [number[name] for name in offer.shared_inputs]] = True
    bits = np.packbits(uses, axis=1)
    both = np.zeros(len(one), np.bool_)
    for byte in range(bits.shape[1]):
        both |= (bits[one, byte] & bits[two, byte]) > 0
    return both


def _not_together(award: Award, context: _Context) -> Iterator[Rule]:
    """No two of the programs at one CMO."""
    yield Rule(award.name, award.label, programs=context.program_rows(award))


def _budget(award: Award, context: _Context) -> Iterator[Rule]:
    """Cash of the horizon, of each period, or of listed periods together."""
    labels = context.problem.period_labels
    limit, period = _number(award, "limit"), award.settings.get("period", "total")
    if period == "each":
        for t, label in enumerate(labels):
            yield Rule(award.name, f"{award.label}[{label}]", limit, periods=(t,))
    elif period == "total":
        yield Rule(award.name, award.label, limit, periods=tuple(range(len(labels))))
    else:
        listed = sorted({labels.index(i) for i in _names(award, "period")})
        yield Rule(award.name, award.label, limit, periods=tuple(listed))


#: Kind of award rule -> what makes its rows.
KINDS: Mapping[str, Callable[[Award, _Context], Iterator[Rule]]] = {
    "max_cmos": _engaged,
    "min_cmos": _engaged,
    "max_programs": _per_member,
    "max_spend_share": _per_member,
    "force": _force,
    "forbid": _forbid,
    "keep_incumbent": _keep_incumbent,
    "sources_differ_by": _sources_differ_by,
    "not_together": _not_together,
    "budget": _budget,
}
