"""A part of a problem: one CMO with the sources that a decision gives it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models.evaluate import chosen_streams
from models.problem import Ints, Offers, Options, Problem, Programs, Rule, Streams
from models.restrict import taken_rows
from models.result import Decision


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
    grown = np.arange(problem.periods)[None, :] >= problem.lines.expansion_period[:, None]
    added = (problem.lines.expansion_days * decision.expanded)[:, None] * grown
    lines = replace(
        problem.lines,
        days=problem.lines.days + added,
        expansion_days=np.zeros(len(problem.lines.ids)),
    )
    taken = taken_rows(problem.offers, offers, ("ids",)) | {"program": np.arange(count)}
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
    ids = tuple(problem.programs.ids[p] for p in programs)
    own = replace(
        problem,
        programs=Programs(ids=ids, **taken_rows(problem.programs, programs, ("ids",))),
        lines=lines,
        cmos=replace(problem.cmos, max_programs=np.full(len(problem.cmos.ids), -1)),
        offers=Offers(ids=tuple(problem.offers.ids[f] for f in offers), **taken),
        streams=streams,
        options=options,
        rules=(Rule("force", "sources kept", banned=pair[::2]),) if count else (),
    )
    return CmoPart(own, offers)
