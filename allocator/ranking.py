"""The CMOs that could make a program, ranked, and those that could not with all reasons.

Each is valued as if it made the whole program alone, whatever the plan says: the batches that
`allocator.schedule` lays out, every cost line of docs/model.md, and the option's timeline risk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from allocator.compile import Compiled, compile_problem
from allocator.diligence import experience, program_scores
from allocator.errors import Usage
from allocator.findings import did_you_mean
from allocator.portfolio import Portfolio, Rule
from allocator.read import read_portfolio
from allocator.risk.explain import explain_risk
from allocator.schedule import just_in_time
from models.evaluate import Value, evaluate, released_units
from models.result import Decision
from models.stock import simulate

if TYPE_CHECKING:
    from models.problem import Ints

#: Award rules that speak of single offers; the others limit what programs do together.
OF_ONE_OFFER = ("force", "forbid", "keep_incumbent")

#: Columns of `Ranking.rows`, in order.
COLUMNS = (
    "rank",
    "cmo_id",
    "offer_id",
    "total",
    "cash_cost",
    "shortage_cost",
    "risk_cost",
    "first_supply",
    "p50_date",
    "p90_date",
    "batches",
    "line_share",
    "fullest_period",
    "fullest_share",
    "months_before",
    "months_after",
    "late_months",
    "lost_months",
)


@dataclass(frozen=True)
class Match:
    """A CMO that could make the program, by its best offer; money in the policy's currency.

    `total` = `cash_cost` + `shortage_cost` + `risk_cost` (weighted by the policy) is what ranks.
    `cash` has the cost lines. `line_share` is the part of the line's days over the horizon that
    the program would take, `fullest_share` that of the period `fullest_period`. `p50_date` and
    `p90_date` are the months by which it first supplies with these probabilities, `critical_step`
    what makes it late. `months_before` of supply are missing before the planned first supply,
    `months_after` since. `scores` are the headings as they count for this program. `other_offers`
    are (offer, total) of the same CMO. `reasons` say in words what speaks for and against it.
    """

    cmo_id: str
    offer_id: str
    line_id: str
    batch_size: float
    qualified: bool
    ready: str
    first_supply: str
    p50_date: str
    p90_date: str
    critical_step: str | None
    batches: int
    expanded: bool
    total: float
    cash_cost: float
    shortage_cost: float
    risk_cost: float
    cash: Mapping[str, float]
    months_before: float
    months_after: float
    late_months: float
    lost_months: float
    line_share: float
    fullest_period: str
    fullest_share: float
    scores: Mapping[str, float | None]
    other_offers: tuple[tuple[str, float], ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unfit:
    """A CMO that could not make the program, with all reasons of all its lines."""

    cmo_id: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Ranking:
    """`matches` by total, then id; `unfit` by id. `without` is the total of making none of it."""

    program_id: str
    currency: str
    matches: tuple[Match, ...]
    unfit: tuple[Unfit, ...]
    without: float

    def rows(self) -> tuple[dict[str, object], ...]:
        """One row per match with the columns `COLUMNS`."""
        return tuple(
            {"rank": place} | {name: getattr(match, name) for name in COLUMNS[1:]}
            for place, match in enumerate(self.matches, 1)
        )

    def lines(self) -> tuple[str, ...]:
        """The ranking in plain words."""
        could = f"{len(self.matches)} of {len(self.matches) + len(self.unfit)} CMOs could make"
        said = [
            f"{could} {self.program_id} (in {self.currency}; each alone, all of its demand;"
            f" without any source: {self.without:,.0f})"
        ]
        for place, match in enumerate(self.matches, 1):
            said.append(
                f"{place}. {match.cmo_id}: {match.total:,.0f} = cash {match.cash_cost:,.0f}"
                f" + shortage {match.shortage_cost:,.0f} + risk {match.risk_cost:,.0f}"
                f" ({match.offer_id}, supplies from {match.first_supply})"
            )
            said += [f"   {reason}" for reason in match.reasons]
        if self.unfit:
            said.append("Could not:")
        for unfit in self.unfit:
            said += [f"- {unfit.cmo_id}:", *(f"   {reason}" for reason in unfit.reasons)]
        return tuple(said)


def match(
    portfolio_path: str | Path, program_id: str, scenario: str | Path | None = None
) -> Ranking:
    """Rank the CMOs of a portfolio's folder for one program, a scenario laid over it if given.

    Raises BadData for bad tables and Usage for a program there isn't.
    """
    return rank(read_portfolio(portfolio_path, scenario), program_id)


def rank(portfolio: Portfolio, program_id: str) -> Ranking:
    """Rank the CMOs of a portfolio for one program. Raises Usage for a program there isn't."""
    if program_id not in portfolio.programs:
        hint = did_you_mean(program_id, portfolio.programs, "portfolio.csv lists the programs")
        raise Usage(f"no program {program_id!r}; {hint}")
    compiled = compile_problem(_alone(portfolio, program_id))
    options = compiled.problem.options
    valued = [
        _match(compiled, program_id, option)
        for option in range(len(options.program))
        if options.first[option] >= 0
    ]
    valued.sort(key=lambda m: (m.total, m.cmo_id, m.offer_id))
    best: dict[str, Match] = {}
    for found in valued:
        best.setdefault(found.cmo_id, found)
    matches = [
        replace(
            found,
            other_offers=tuple(
                (m.offer_id, m.total) for m in valued if m.cmo_id == cmo_id and m is not found
            ),
        )
        for cmo_id, found in best.items()
    ]
    unfit = tuple(
        Unfit(cmo_id, _obstacles(compiled, program_id, cmo_id))
        for cmo_id in sorted(set(portfolio.cmos) - set(best))
    )
    unsourced = evaluate(
        compiled.problem, Decision(options.start[:1], {}, _expanded(compiled, None))
    )
    return Ranking(
        program_id,
        portfolio.policy.currency,
        tuple(_explained(compiled, m, matches[0], program_id) for m in matches),
        unfit,
        unsourced.objective,
    )


def _alone(portfolio: Portfolio, program_id: str) -> Portfolio:
    """The portfolio with this program only, single sourced, and the rules that speak of it."""
    rules = []
    for rule in portfolio.policy.rules:
        named = rule.settings.get("programs")
        if rule.name in OF_ONE_OFFER and (named is None or program_id in tuple(_texts(named))):
            only = {} if named is None else {"programs": (program_id,)}
            rules.append(Rule(rule.name, rule.label, {**rule.settings, **only}))
    return replace(
        portfolio,
        programs={program_id: replace(portfolio.programs[program_id], sourcing="single")},
        offers={i: o for i, o in portfolio.offers.items() if o.program_id == program_id},
        policy=replace(portfolio.policy, rules=tuple(rules)),
    )


def _texts(value: object) -> Sequence[str]:
    return (value,) if isinstance(value, str) else tuple(value)  # type: ignore[arg-type]


def _expanded(compiled: Compiled, line: int | None) -> np.ndarray:
    flags = np.zeros(len(compiled.problem.lines.ids), np.bool_)
    if line is not None:
        flags[line] = True
    return flags


def _match(compiled: Compiled, program_id: str, option: int) -> Match:
    """One offer as the only source; its line expanded where that is cheaper in all."""
    problem = compiled.problem
    stream = int(problem.options.first[option])
    offer = int(problem.streams.offer[stream])
    line = int(problem.offers.line[offer])
    ways = [None, line] if problem.lines.expansion_days[line] > 0 else [None]
    tried: list[tuple[float, bool, Ints, Value]] = []
    for expanded in ways:
        batches = just_in_time(problem, stream, expanded is not None)
        decision = Decision(np.array([option]), {offer: batches}, _expanded(compiled, expanded))
        value = evaluate(problem, decision)
        over = any(what.startswith("line_days") for what in value.broken)
        if not over or expanded is ways[-1]:
            tried.append((value.objective, expanded is not None, batches, value))
    _, grown, batches, value = min(tried, key=lambda way: way[:2])
    labels, offers = problem.period_labels, problem.offers
    before, after = _months_missing(compiled, stream, batches)
    chain = explain_risk(compiled, option)["sources"][0]
    cmo_id = problem.cmos.ids[int(problem.lines.cmo[line])]
    days = _line_days(compiled, line, grown)
    used = value.used_days[line]
    share = np.divide(used, days, out=np.zeros_like(used), where=days > 0)
    fullest = int(np.argmax(share))
    return Match(
        cmo_id=cmo_id,
        offer_id=offers.ids[offer],
        line_id=problem.lines.ids[line],
        batch_size=compiled.portfolio.offers[offers.ids[offer]].batch_size,
        qualified=bool(offers.qualified[offer]),
        ready=labels[int(offers.ready[offer])],
        first_supply=labels[int(offers.first_supply[offer])],
        p50_date=chain["p50_date"],
        p90_date=chain["p90_date"],
        critical_step=chain["critical_step"],
        batches=int(batches.sum()),
        expanded=grown,
        total=value.objective,
        cash_cost=value.cash_cost,
        shortage_cost=value.shortage_cost,
        risk_cost=value.risk,
        cash=dict(value.cash),
        months_before=before,
        months_after=after,
        late_months=float(problem.options.late_months[option]),
        lost_months=float(problem.options.lost_months[option]),
        line_share=float(used.sum() / days.sum()) if days.sum() > 0 else 0.0,
        fullest_period=labels[fullest],
        fullest_share=float(share[fullest]),
        scores=program_scores(compiled.portfolio, cmo_id, program_id),
        reasons=tuple(_rule_reasons(compiled, option)),
    )


def _months_missing(compiled: Compiled, stream: int, batches: Ints) -> tuple[float, float]:
    """Months of supply missing before the planned first supply, and from then on."""
    problem = compiled.problem
    offer = int(problem.streams.offer[stream])
    released = released_units(problem, offer, batches)[None, :]
    unmet = simulate(problem.stream_tables(np.array([stream])), released).unmet[0]
    months = unmet * float(problem.programs.months_per_unit[0])
    first = int(problem.offers.first_supply[offer])
    return float(months[:first].sum()), float(months[first:].sum())


def _line_days(compiled: Compiled, line: int, expanded: bool) -> np.ndarray:
    """Line-days of each period, (T,)."""
    lines = compiled.problem.lines
    later = np.arange(compiled.problem.periods) >= lines.expansion_period[line]
    return np.asarray(lines.days[line] + lines.expansion_days[line] * (later & expanded))


def _rule_reasons(compiled: Compiled, option: int) -> list[str]:
    """Award rules that would not let this offer be chosen as the only source."""
    return [
        f"the award rule {rule.label} would not let it be the only source"
        for rule in compiled.problem.rules
        if option in rule.banned
    ]


def _obstacles(compiled: Compiled, program_id: str, cmo_id: str) -> tuple[str, ...]:
    """All reasons of all lines of a CMO, each once."""
    mine = [i for i, line in sorted(compiled.portfolio.lines.items()) if line.cmo_id == cmo_id]
    if not mine:
        return (f"CMO {cmo_id} has no line in lines.csv",)
    reasons = [r for line in mine for r in compiled.eligibility.reasons(program_id, line)]
    return tuple(dict.fromkeys(reasons))


def _explained(compiled: Compiled, found: Match, best: Match, program_id: str) -> Match:
    """A match with what speaks for and against it, in words."""
    said = ["already qualified there"] if found.qualified else []
    if found is best:
        said.append("least in all")
    else:
        parts = (
            ("cash", found.cash_cost - best.cash_cost),
            ("shortage", found.shortage_cost - best.shortage_cost),
            ("risk", found.risk_cost - best.risk_cost),
        )
        detail = ", ".join(f"{name} {amount:+,.0f}" for name, amount in parts if abs(amount) >= 0.5)
        more = found.total - best.total
        said.append(f"{more:,.0f} more than {best.cmo_id}" + (f": {detail}" if detail else ""))
    said.append(
        f"{found.batches} batches of {found.batch_size:,g} take {found.line_share:.0%} of line"
        f" {found.line_id}, at most {found.fullest_share:.0%} in {found.fullest_period}"
        + (" with its expansion" if found.expanded else "")
    )
    if not found.qualified:
        slow = f", made late by its {found.critical_step}" if found.critical_step else ""
        said.append(
            f"planned to supply from {found.first_supply}; by {found.p50_date} as likely as not,"
            f" by {found.p90_date} in nine of ten cases{slow}"
        )
    if found.months_before > 0.05:
        said.append(f"{found.months_before:.1f} months of supply missing before that")
    if found.months_after > 0.05:
        said.append(f"{found.months_after:.1f} months of supply missing for want of line-days")
    if found.late_months + found.lost_months > 0.005:
        said.append(
            f"to expect: {found.late_months:.2f} months late, {found.lost_months:.2f} months of"
            " supply lost to outages"
        )
    own = experience(compiled.portfolio, found.cmo_id, program_id)
    said += own.lines()
    told = {h: s for h, s in found.scores.items() if s is not None}
    if told:
        named = ", ".join(f"{h.replace('_', ' ')} {s:.0f}" for h, s in told.items())
        blank = len(found.scores) - len(told)
        said.append(f"scores: {named}" + (f"; {blank} of 9 without one" if blank else ""))
    else:
        said.append("no scores: nothing is known of its readiness")
    said += [
        f"its offer {offer_id} comes to {total:,.0f}" for offer_id, total in found.other_offers
    ]
    return replace(found, reasons=(*said, *found.reasons))
