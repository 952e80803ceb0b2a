"""A part of a problem: some of its programs, alone or beside a decision for all the others."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models.evaluate import chosen_streams, evaluate
from models.problem import Bools, Ints, Offers, Options, Problem, Programs, Rule, Streams
from models.result import Decision


@dataclass(frozen=True)
class Part:
    """A problem of some programs, with their rows in the whole one; lines and CMOs keep theirs.

    `programs`, `options`, `offers` are rows of the whole problem. `lines` (L,) are those that the
    part may expand.
    """

    problem: Problem
    programs: Ints
    options: Ints
    offers: Ints
    lines: Bools

    def lower(self, decision: Decision) -> Decision:
        """What a decision of the whole problem means for the part."""
        row = {f: i for i, f in enumerate(self.offers.tolist())}
        batches = {row[f]: n for f, n in decision.batches.items() if f in row}
        option = np.searchsorted(self.options, decision.option[self.programs]).astype(np.int64)
        return Decision(option, batches, decision.expanded & self.lines)

    def merged(self, whole: Decision, part: Decision) -> Decision:
        """The whole decision with that of the part in its place."""
        mine = set(self.offers.tolist())
        batches = {f: n for f, n in whole.batches.items() if f not in mine}
        batches |= {int(self.offers[f]): n for f, n in part.batches.items()}
        option = whole.option.copy()
        option[self.programs] = self.options[part.option]
        return Decision(option, batches, np.where(self.lines, part.expanded, whole.expanded))


def components(problem: Problem) -> list[Ints]:
    """Programs that can share a line, directly or through others, together; ascending rows.

    Only offers that some option uses count.
    """
    options, streams, offers = problem.options, problem.streams, problem.offers
    used = np.unique(np.concatenate([options.first, options.second]))
    rows = np.unique(streams.offer[used[used >= 0]])
    group = np.arange(len(problem.programs.ids))

    def root(p: int) -> int:
        while group[p] != p:
            p = int(group[p])
        return p

    first: dict[int, int] = {}
    for f in rows.tolist():
        program, line = int(offers.program[f]), int(offers.line[f])
        other = first.setdefault(line, program)
        a, b = root(program), root(other)
        group[max(a, b)] = min(a, b)
    roots = np.array([root(p) for p in range(len(group))])
    return [np.flatnonzero(roots == r) for r in np.unique(roots)]


def part_alone(problem: Problem, programs: Ints) -> Part:
    """The part that shares no line with other programs, as if they were not there.

    Limits on CMOs and programs count the part alone, and rules on money and on a least number of
    CMOs are left out, so that its bound holds whatever the others do.
    """
    rules = [
        _own(rule, programs)
        for rule in problem.rules
        if rule.name not in ("min_cmos", "budget", "max_spend_share")
    ]
    part = _part(problem, programs, np.ones(len(problem.lines.ids), np.bool_))
    mine = np.zeros(len(problem.lines.ids), np.bool_)
    mine[problem.offers.line[part.offers]] = True
    return replace(part, problem=_ruled(part, rules), lines=mine)


def part_beside(problem: Problem, programs: Ints, others: Decision) -> Part:
    """The part in what the other programs of a decision leave of lines, limits and rules.

    The expansions of the decision stand. Rules on money are left out: a plan of the part must be
    held against the whole problem, a bound of the part holds without them.
    """
    rest = _without(problem, programs, others)
    value = evaluate(problem, rest)
    grown = np.arange(problem.periods)[None, :] >= problem.lines.expansion_period[:, None]
    lines = problem.lines
    room = lines.days + (lines.expansion_days * others.expanded)[:, None] * grown
    left = replace(
        lines,
        days=np.maximum(room - value.used_days, 0.0),
        expansion_days=np.where(others.expanded, 0.0, lines.expansion_days),
    )
    at = _made_at(problem, rest)
    limits = problem.cmos.max_programs
    free = np.where(limits >= 0, np.maximum(limits - at.sum(0), 0), -1)
    cmos = replace(problem.cmos, max_programs=free)
    part = _part(replace(problem, lines=left, cmos=cmos), programs, ~others.expanded)
    rules = [
        left_rule
        for rule in problem.rules
        for left_rule in [_left(problem, rule, programs, at)]
        if left_rule is not None
    ]
    return replace(part, problem=_ruled(part, rules))


def _without(problem: Problem, programs: Ints, decision: Decision) -> Decision:
    """The decision with these programs unsourced."""
    option = decision.option.copy()
    option[programs] = problem.options.start[programs]
    mine = np.isin(problem.offers.program, programs)
    batches = {f: n for f, n in decision.batches.items() if not mine[f]}
    return Decision(option, batches, decision.expanded)


def _made_at(problem: Problem, decision: Decision) -> Bools:
    """Which CMO makes which program, (P, K)."""
    at = np.zeros((len(problem.programs.ids), len(problem.cmos.ids)), np.bool_)
    offers = problem.streams.offer[chosen_streams(problem, decision.option)]
    at[problem.offers.program[offers], problem.offer_cmo[offers]] = True
    return at


def _part(problem: Problem, programs: Ints, lines: Bools) -> Part:
    """The rows of some programs, rules still those of the whole problem."""
    options, streams, offers = problem.options, problem.streams, problem.offers
    place = np.full(len(problem.programs.ids), -1, np.int64)
    place[programs] = np.arange(len(programs))
    rows = np.flatnonzero(place[options.program] >= 0)
    offer_rows = np.flatnonzero(place[offers.program] >= 0)
    stream_rows = np.flatnonzero(place[offers.program[streams.offer]] >= 0)
    offer_of = np.full(len(offers.ids), -1, np.int64)
    offer_of[offer_rows] = np.arange(len(offer_rows))
    stream_of = np.full(len(streams.offer) + 1, -1, np.int64)
    stream_of[stream_rows] = np.arange(len(stream_rows))
    count = np.bincount(place[options.program[rows]], minlength=len(programs))
    taken = {
        name: getattr(offers, name)[offer_rows]
        for name in Offers.__dataclass_fields__
        if name not in ("ids", "program")
    }
    mine = {
        name: getattr(options, name)[rows]
        for name in ("fixed_cost", "risk_cost", "late_months", "lost_months")
    }
    table = problem.programs
    figures = {
        name: getattr(table, name)[programs]
        for name in Programs.__dataclass_fields__
        if name != "ids"
    }
    part = replace(
        problem,
        programs=Programs(ids=tuple(table.ids[p] for p in programs), **figures),
        offers=Offers(
            ids=tuple(offers.ids[f] for f in offer_rows),
            program=place[offers.program[offer_rows]],
            **taken,
        ),
        streams=Streams(
            offer=offer_of[streams.offer[stream_rows]],
            share=streams.share[stream_rows],
            before=streams.before[stream_rows],
            switch=streams.switch[stream_rows],
        ),
        options=Options(
            program=place[options.program[rows]],
            first=stream_of[options.first[rows]],
            second=stream_of[options.second[rows]],
            start=np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
            **mine,
        ),
    )
    return Part(part, np.asarray(programs, np.int64), rows, offer_rows, lines)


def _ruled(part: Part, rules: list[Rule]) -> Problem:
    """The part's problem with rules whose banned options are rows of the whole problem."""
    own = []
    for rule in rules:
        banned = np.flatnonzero(np.isin(part.options, rule.banned))
        own.append(replace(rule, banned=banned))
    return replace(part.problem, rules=tuple(own))


def _own(rule: Rule, programs: Ints) -> Rule:
    """The rule with its programs counted in the part."""
    rows = programs.tolist()
    return replace(rule, programs=tuple(rows.index(p) for p in rule.programs if p in rows))


def _left(problem: Problem, rule: Rule, programs: Ints, at: Bools) -> Rule | None:
    """What a rule leaves to the part when others are made `at` (P, K); None: nothing to keep."""
    engaged: Bools = np.asarray(at.any(0))
    if rule.name in ("budget", "max_spend_share"):
        return None
    if rule.name in ("max_cmos", "min_cmos"):
        taken = sum(bool(engaged[k]) for k in rule.cmos)
        left = tuple(k for k in rule.cmos if not engaged[k])
        if rule.name == "min_cmos" and rule.limit <= taken:
            return None
        return replace(rule, limit=rule.limit - taken, cmos=left)
    if rule.name == "max_programs":
        return replace(rule, limit=rule.limit - float(at[:, list(rule.cmos)].any(1).sum()))
    if rule.name == "not_together":
        rivals: Bools = np.asarray(at[[p for p in rule.programs if p not in programs]].any(0))
        mine = [p for p in rule.programs if p in programs]
        banned = _options_at(problem, mine, np.flatnonzero(rivals))
        return (
            replace(_own(rule, programs), banned=banned)
            if len(mine) > 1
            else (Rule("forbid", rule.label, banned=banned))
        )
    return rule


def _options_at(problem: Problem, programs: list[int], cmos: Ints) -> Ints:
    """Options of some programs with a source at one of some CMOs."""
    options = problem.options
    cmo = np.append(problem.offer_cmo[problem.streams.offer], -1)
    there = np.isin(cmo[options.first], cmos) | np.isin(cmo[options.second], cmos)
    return np.flatnonzero(there & np.isin(options.program, programs))


@dataclass(frozen=True)
class CmoPart:
    """The schedules of one CMO's lines, sources and shares as decided; `offers` are whole rows."""

    problem: Problem
    offers: Ints

    def lower(self, decision: Decision) -> Decision:
        """What a decision with the same sources means for the CMO."""
        row = {f: i for i, f in enumerate(self.offers.tolist())}
        batches = {row[f]: n for f, n in decision.batches.items() if f in row}
        option = self.problem.options.start[1:] - 1
        return Decision(option, batches, np.zeros(len(self.problem.lines.ids), np.bool_))


def cmo_part(problem: Problem, decision: Decision, cmo: int, line: int | None = None) -> CmoPart:
    """The problem of scheduling one CMO when every program keeps its sources and shares.

    With `line` only that line of it: enough where nothing is agreed on the CMO's whole spend.

    Nothing at other CMOs depends on it then, but rules on money (`budget`, `max_spend_share`),
    which are left out. Each program of the CMO has the one source there; its other source, if any,
    is not part of the problem. Expansions stand as decided.
    """
    rows = chosen_streams(problem, decision.option)
    rows = rows[problem.offer_cmo[problem.streams.offer[rows]] == cmo]
    if line is not None:
        rows = rows[problem.offers.line[problem.streams.offer[rows]] == line]
    rows = rows[np.argsort(problem.offers.program[problem.streams.offer[rows]], kind="stable")]
    offers = problem.streams.offer[rows]
    programs = problem.offers.program[offers]
    count = len(rows)
    part = _part(problem, programs, np.zeros(len(problem.lines.ids), np.bool_))
    offer_row = np.searchsorted(part.offers, offers)
    grown = np.arange(problem.periods)[None, :] >= problem.lines.expansion_period[:, None]
    added = (problem.lines.expansion_days * decision.expanded)[:, None] * grown
    lines = replace(
        problem.lines,
        days=problem.lines.days + added,
        expansion_days=np.zeros(len(problem.lines.ids)),
    )
    table = part.problem.offers
    taken = {
        name: getattr(table, name)[offer_row]
        for name in Offers.__dataclass_fields__
        if name != "ids"
    }
    streams = Streams(
        offer=np.arange(count),
        share=problem.streams.share[rows],
        before=problem.streams.before[rows],
        switch=problem.streams.switch[rows],
    )
    pair = np.arange(2 * count)
    once = taken["transfer_cost"] + taken["validation_cost"]
    options = Options(
        program=pair // 2,
        first=np.where(pair % 2 == 1, pair // 2, -1),
        second=np.full(2 * count, -1),
        start=np.arange(0, 2 * count + 1, 2),
        fixed_cost=np.where(pair % 2 == 1, once[pair // 2], 0.0),
        risk_cost=np.zeros(2 * count),
        late_months=np.zeros(2 * count),
        lost_months=np.zeros(2 * count),
    )
    own = replace(
        part.problem,
        lines=lines,
        cmos=replace(problem.cmos, max_programs=np.full(len(problem.cmos.ids), -1)),
        offers=Offers(ids=tuple(problem.offers.ids[f] for f in offers), **taken),
        streams=streams,
        options=options,
        rules=(Rule("force", "sources kept", banned=pair[::2]),) if count else (),
    )
    return CmoPart(own, offers)
