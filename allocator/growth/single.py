"""How far one program can grow beside today's plan of all the others: exact, without a solver.

The others keep their batches. What is left of the lines' days is the program's alone, and its two
sources stand at different CMOs, so each source serves most by running all batches that fit: the
best service of an option is computed, not searched, and trying all options is a proof.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from allocator.growth.bisect import stretched_plan
from allocator.growth.case import Situation
from allocator.growth.service import CLOSE, Probe
from models.evaluate import evaluate
from models.restrict import Restricted
from models.result import Decision
from models.stock import simulate

if TYPE_CHECKING:
    from models.problem import Floats, Ints, Problem

#: Kinds of rules that depend on batches and not on options alone.
MONEY_RULES = ("budget", "max_spend_share")


@dataclass
class OneProgram:
    """One program in what today's plan of the others leaves of one answer's lines.

    `allowed` remembers which options (rows of the room) break no rule that options alone decide.
    """

    room: Restricted
    today: Decision
    program: int
    grows: bool
    free: Floats
    allowed: dict[int, bool]


def beside_others(situation: Situation, answer: str, program: int) -> OneProgram:
    """The days that the others leave to one program; expansions are free to use in "expanded"."""
    room = situation.room(answer)
    problem = room.problem
    today = room.lower(situation.case.decision)
    assert today is not None  # every answer allows today's sources
    option = today.option.copy()
    option[program] = problem.options.start[program]
    mine = problem.offers.program == program
    batches = {f: n for f, n in today.batches.items() if not mine[f]}
    rest = Decision(option, batches, today.expanded)
    grown = np.arange(problem.periods)[None, :] >= problem.lines.expansion_period[:, None]
    open_ = np.ones(len(problem.lines.ids), np.bool_) if answer == "expanded" else today.expanded
    room_days = problem.lines.days + (problem.lines.expansion_days * open_)[:, None] * grown
    free = room_days - evaluate(problem, rest).used_days
    return OneProgram(room, rest, program, answer == "expanded", free, {})


def own_probe(single: OneProgram, situation: Situation, level: float) -> Probe:
    """Whether some option serves the program at the level under the situation's demand."""
    problem = replace(single.room.problem, programs=situation.problem.programs)
    p = single.program
    wanted = float(problem.programs.demand[p].sum())
    multiplier = situation.growth.factor(situation.case.portfolio.programs[problem.programs.ids[p]])
    if wanted <= 0:
        return Probe(multiplier, 1.0, 1.0, True, situation.case.decision)
    rows = np.arange(problem.options.start[p], problem.options.start[p + 1])
    unmet, batches = _unmet(problem, single.free, rows)
    banned = problem.banned[rows]
    order = [i for i in np.argsort(unmet, kind="stable") if not banned[i]]
    limit = 1.0 - min((float(unmet[i]) for i in order), default=wanted) / wanted
    best: tuple[float, Decision] | None = None
    unknown = False
    for i in order:
        share = 1.0 - float(unmet[i]) / wanted
        if share < level - CLOSE and best is not None:
            break
        if not _option_allowed(single, problem, int(rows[i])):
            continue
        plan = _plan(single, problem, int(rows[i]), batches)
        broken = evaluate(problem, plan).broken
        if not broken:
            best = (share, single.room.lift(plan))
            break
        unknown = unknown or share >= level - CLOSE
    share_found = None if best is None else best[0]
    survives: bool | None = share_found is not None and bool(share_found >= level - CLOSE)
    if not survives and unknown:
        survives = None  # only a rule on money forbids what would do
    elif not survives:
        limit = min(limit, share_found if share_found is not None else limit)
    return Probe(multiplier, share_found, limit, survives, None if best is None else best[1])


def _unmet(problem: Problem, free: Floats, rows: Ints) -> tuple[Floats, dict[int, Ints]]:
    """Least unmet units of each option (N,), and the batches (T,) of each offer that attain it."""
    options, streams, offers = problem.options, problem.streams, problem.offers
    used = np.unique(np.concatenate([options.first[rows], options.second[rows]]))
    used = used[used >= 0]
    short = np.zeros(len(streams.offer) + 1)
    batches: dict[int, Ints] = {}
    t = np.arange(problem.periods)
    able: list[int] = []  # streams whose validation fits
    released = np.zeros((len(used), problem.periods))
    for s in used.tolist():
        f = int(streams.offer[s])
        line, lag = int(offers.line[f]), int(offers.lag[f])
        if f not in batches:
            days = free[line].copy()
            days[offers.validation_period[f]] -= offers.validation_days[f]
            fits = np.floor((days - problem.lines.changeover_days[line]) / offers.days[f] + 1e-9)
            when = (t >= offers.ready[f]) & (t + lag < problem.periods)
            batches[f] = np.where(when, np.maximum(fits, 0), 0).astype(np.int64)
            if days[offers.validation_period[f]] < -1e-6:
                batches[f] = np.full(problem.periods, -1)  # validation does not fit
        if batches[f][0] < 0:
            short[s] = np.inf
            continue
        made = batches[f][: problem.periods - lag] * offers.good_per_batch[f]
        released[len(able), lag:] = made
        able.append(s)
    served = np.array(able, np.int64)
    flow = simulate(problem.stream_tables(served), released[: len(able)])
    short[served] = flow.unmet.sum(1)
    total = short[options.first[rows]] + short[options.second[rows]]
    idle = options.first[rows] < 0
    if idle.any():
        from models.stock import unsourced_tables

        tables = unsourced_tables(problem, options.program[rows[:1]])
        nothing = simulate(tables, np.zeros_like(tables.demand)).unmet.sum()
        total = np.where(idle, nothing, total)
    return total, {f: np.maximum(n, 0) for f, n in batches.items()}


def _option_allowed(single: OneProgram, problem: Problem, row: int) -> bool:
    """Whether no rule that options alone decide forbids the option beside the others."""
    if row not in single.allowed:
        option = single.today.option.copy()
        option[single.program] = row
        plan = replace(single.today, option=option)
        labels = {rule.label for rule in problem.rules if rule.name in MONEY_RULES}
        broken = evaluate(problem, plan).broken
        rules = [text for text in broken if text.rpartition(": ")[0] not in labels]
        single.allowed[row] = not [r for r in rules if not r.startswith("line_days")]
    return single.allowed[row]


def _plan(single: OneProgram, problem: Problem, row: int, batches: dict[int, Ints]) -> Decision:
    """The others' plan with this option, no more batches than it needs."""
    options, streams = problem.options, problem.streams
    option = single.today.option.copy()
    option[single.program] = row
    own = [s for s in (int(options.first[row]), int(options.second[row])) if s >= 0]
    made = dict(single.today.batches)
    for s in own:
        f = int(streams.offer[s])
        made[f] = just_enough(problem, s, batches[f])
    expanded = single.today.expanded
    plan = Decision(option, made, expanded)
    if single.grows:
        over = evaluate(problem, plan).used_days > problem.lines.days * (1 + 1e-9) + 1e-6
        plan = replace(plan, expanded=expanded | over.any(1))
    return plan


def just_enough(problem: Problem, stream: int, most: Ints) -> Ints:
    """Batches (T,), at most `most`, as late as serves; `most` itself where that serves less."""
    f = int(problem.streams.offer[stream])
    lag, good = int(problem.offers.lag[f]), float(problem.offers.good_per_batch[f])
    tables = problem.stream_tables(np.array([stream]))
    need = tables.demand[0].copy()
    need[0] -= tables.opening[0]
    for t in range(1, problem.periods):  # opening stock lasts into later periods
        if need[t - 1] < 0:
            need[t] += need[t - 1]
            need[t - 1] = 0.0
    count = np.zeros(problem.periods, np.int64)
    carried = 0.0
    for t in range(problem.periods - 1, lag - 1, -1):
        wanted = max(0.0, need[t] + carried)
        count[t - lag] = min(int(most[t - lag]), int(np.ceil(wanted / good - 1e-9)))
        carried = max(0.0, wanted - count[t - lag] * good)

    def unmet(batches: Ints) -> float:
        released = np.zeros((1, problem.periods))
        released[0, lag:] = batches[: problem.periods - lag] * good
        return float(simulate(tables, released).unmet.sum())

    return count if unmet(count) <= unmet(most) + 1e-9 * (1 + tables.demand.sum()) else most


def stretched_own_probe(situation: Situation, program: int, level: float) -> Probe:
    """The program's own service in the stretched plan."""
    from allocator.growth.bisect import own_share

    plan = stretched_plan(situation)
    share = own_share(situation, plan, program)
    ids = situation.problem.programs.ids
    multiplier = situation.growth.factor(situation.case.portfolio.programs[ids[program]])
    return Probe(multiplier, share, share, bool(share >= level - CLOSE), plan)
