"""A problem derived from a problem: fewer options, other line-days, shortage alone as its price.

Programs, CMOs, lines and periods keep their rows, so that lines and programs of a derived problem
are those of the whole one; options, streams and offers that fall away are left out, so that a
restricted problem is as small as what it can decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from models.problem import Bools, Floats, Ints, Offers, Options, Problem, Rule, Streams
from models.result import Decision


@dataclass(frozen=True)
class Restricted:
    """A problem with some of the options of another, and the way between their decisions.

    `options` (O',) and `offers` (F',) are the rows in the whole problem of those that are left.
    """

    problem: Problem
    options: Ints
    offers: Ints

    def lift(self, decision: Decision) -> Decision:
        """A decision of the restricted problem as one of the whole problem."""
        batches = {int(self.offers[f]): n for f, n in decision.batches.items()}
        return Decision(self.options[decision.option], batches, decision.expanded)

    def lower(self, decision: Decision) -> Decision | None:
        """A decision of the whole problem in this one; None where it uses what was left out."""
        option = np.searchsorted(self.options, decision.option)
        inside = np.minimum(option, len(self.options) - 1)
        if not np.array_equal(self.options[inside], decision.option):
            return None
        row = {f: i for i, f in enumerate(self.offers.tolist())}
        kept = {row[f]: n for f, n in decision.batches.items() if f in row}
        return Decision(option.astype(np.int64), kept, decision.expanded)


def keep_options(problem: Problem, keep: Bools, label: str = "kept options") -> Restricted:
    """The problem with only the options in `keep` (O,).

    The unsourced option of a program stays as a row, which every formulation needs; where it is
    not in `keep` a rule with this label forbids it.
    """
    options = problem.options
    idle = np.zeros(len(options.program), np.bool_)
    idle[options.start[:-1]] = True
    rows = np.flatnonzero(keep | idle)
    used = np.unique(np.concatenate([options.first[rows], options.second[rows]]))
    stream_rows = used[used >= 0]
    offer_rows = np.unique(problem.streams.offer[stream_rows])
    count = np.bincount(options.program[rows], minlength=len(problem.programs.ids))
    stream_of = np.append(_inverse(stream_rows, len(problem.streams.offer)), -1)
    left = Options(
        **taken_rows(options, rows, ("first", "second", "start")),
        first=stream_of[options.first[rows]],
        second=stream_of[options.second[rows]],
        start=np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
    )
    streams = taken_rows(problem.streams, stream_rows, ("offer",))
    offer_of = _inverse(offer_rows, len(problem.offers.ids))
    forbidden = np.flatnonzero(~keep[rows])
    rules = [_with_rows(rule, rows) for rule in problem.rules]
    if len(forbidden):
        rules.append(Rule("force", label, banned=forbidden))
    offers = Offers(
        ids=tuple(problem.offers.ids[f] for f in offer_rows),
        **taken_rows(problem.offers, offer_rows, ("ids",)),
    )
    reduced = replace(
        problem,
        offers=offers,
        streams=Streams(offer=offer_of[problem.streams.offer[stream_rows]], **streams),
        options=left,
        rules=tuple(rules),
    )
    return Restricted(reduced, rows, offer_rows)


def _inverse(rows: Ints, count: int) -> Ints:
    """Place of each of `count` old rows among the kept `rows`, -1 where it fell away."""
    place = np.full(count, -1, np.int64)
    place[rows] = np.arange(len(rows))
    return place


def taken_rows(table: object, rows: Ints, leave: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The arrays of a table at some rows; those in `leave` are left out."""
    fields = getattr(table, "__dataclass_fields__", {})
    return {name: getattr(table, name)[rows] for name in fields if name not in leave}


def _with_rows(rule: Rule, rows: Ints) -> Rule:
    """The rule for the kept options."""
    return replace(rule, banned=np.flatnonzero(np.isin(rows, rule.banned)))


def with_days(problem: Problem, days: Floats) -> Problem:
    """The problem with other line-days (L, T)."""
    return replace(problem, lines=replace(problem.lines, days=days))


def with_expansions(problem: Problem, allowed: Bools) -> Problem:
    """The problem in which only the lines in `allowed` (L,) may be expanded."""
    lines = problem.lines
    days = np.where(allowed, lines.expansion_days, 0.0)
    return replace(problem, lines=replace(lines, expansion_days=days))


def service_problem(problem: Problem) -> Problem:
    """The problem whose objective is the shortage alone, at its own price.

    Nothing else costs anything, so a proven bound says how much demand goes unmet in any plan.
    Rules on money (`budget`, `max_spend_share`) are left out: without prices they mean nothing,
    and a bound without them is a bound with them. A plan must be held against the whole problem.
    """
    programs, cmos, lines, offers = (
        problem.programs,
        problem.cmos,
        problem.lines,
        problem.offers,
    )
    none = np.zeros_like
    return replace(
        problem,
        programs=replace(
            programs,
            holding_price=none(programs.holding_price),
            safety_price=none(programs.safety_price),
        ),
        cmos=replace(
            cmos,
            onboarding_cost=none(cmos.onboarding_cost),
            fees=none(cmos.fees),
            floor=none(cmos.floor),
            tiers=((),) * len(cmos.ids),
        ),
        lines=replace(
            lines,
            changeover_cost=none(lines.changeover_cost),
            expansion_cost=none(lines.expansion_cost),
        ),
        offers=replace(
            offers,
            price=none(offers.price),
            transfer_cost=none(offers.transfer_cost),
            validation_cost=none(offers.validation_cost),
        ),
        options=replace(problem.options, fixed_cost=none(problem.options.fixed_cost)),
        rules=tuple(r for r in problem.rules if r.name not in ("budget", "max_spend_share")),
        risk_weight=0.0,
    )


def source_keys(problem: Problem) -> tuple[frozenset[tuple[int, int]], ...]:
    """The (program, line) pairs that each option uses, (O,): its sources, whatever batch size."""
    offers, streams, options = problem.offers, problem.streams, problem.options
    pair: Mapping[int, tuple[int, int]] = {
        s: (int(offers.program[f]), int(offers.line[f])) for s, f in enumerate(streams.offer)
    }
    return tuple(
        frozenset(pair[s] for s in (a, b) if s >= 0)
        for a, b in zip(options.first.tolist(), options.second.tolist(), strict=True)
    )


def same_sources(problem: Problem, option: Ints) -> Bools:
    """Options (O,) with the very sources of the chosen `option` (P,): other shares, roles, sizes.

    A source is a program on a line. Two batch sizes of one line count as one source only where both
    are qualified or neither is.
    """
    keys = source_keys(problem)
    qualified = np.append(problem.offers.qualified[problem.streams.offer], True)
    both = np.stack([qualified[problem.options.first], qualified[problem.options.second]], axis=1)
    keep = np.zeros(len(keys), np.bool_)
    for program, chosen in enumerate(option.tolist()):
        for row in range(problem.options.start[program], problem.options.start[program + 1]):
            same = keys[row] == keys[chosen]
            keep[row] = same and both[row].sum() == both[chosen].sum()
    return keep
