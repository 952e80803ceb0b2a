"""Plans between numpy and the compiled moves: building the ground, starting, reading a decision."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.patterns.bound import Lagrangian, Priced, Prices
from models.patterns.moves import LINE, OFFER, OPTION, PROGRAM, Ground, State
from models.patterns.placing import Work
from models.patterns.pricing import Costs
from models.problem import Bools, Floats, Ints, Problem
from models.result import Decision

#: Shares of the guiding prices that a move may be made with: none first, all of them last.
GUIDE = np.array([0.0, 0.3, 0.6, 1.0])
#: What of a plan follows from the rest and is added up as programs come in.
FOLLOWS = (
    "used",
    "spend",
    "programs_at",
    "group_count",
    "engaged_count",
    "share_spent",
    "total",
    "closed",
)
#: Stands for inf where it is multiplied.
NEVER = 1e250


def candidates(lagrangian: Lagrangian, values: Floats, most: int, per_cmo: int, also: Ints) -> Ints:
    """The options worth trying: per program the `most` best by reduced value, at least `per_cmo`
    for each CMO as first source, the unsourced one, and the rows `also`. Sorted by row.
    """
    options = lagrangian.book.problem.options
    program = options.program
    rows = np.flatnonzero(np.isfinite(values))
    order = rows[np.lexsort((rows, values[rows], program[rows]))]
    rank = np.arange(len(order)) - np.searchsorted(program[order], program[order])
    keep = np.zeros(len(program), np.bool_)
    keep[order[rank < most]] = True
    k1 = lagrangian.k1[rows].astype(np.int64)
    place = program[rows] * (lagrangian.layout.K + 1) + k1 + 1
    by = np.lexsort((rows, values[rows], place))
    rank = np.arange(len(by)) - np.searchsorted(place[by], place[by])
    keep[rows[by[rank < per_cmo]]] = True
    keep[options.start[:-1]] = True
    keep[also] = True
    keep &= lagrangian.allowed
    return np.flatnonzero(keep)


def count_rules(problem: Problem) -> tuple[Bools, Ints, Bools]:
    """Rules that limit the programs at CMOs: members (G, K), limits (G,), programs (G, P)."""
    P, K = len(problem.programs.ids), len(problem.cmos.ids)
    members, limits, programs = [], [], []
    everyone = np.ones(P, np.bool_)

    def add(cmos: list[int], limit: float, who: Bools) -> None:
        member = np.zeros(K, np.bool_)
        member[cmos] = True
        members.append(member)
        limits.append(int(np.floor(limit + 1e-9)))
        programs.append(who)

    for limited in np.flatnonzero(problem.cmos.max_programs >= 0):
        add([int(limited)], float(problem.cmos.max_programs[limited]), everyone)
    for rule in problem.rules:
        if rule.name == "max_programs":
            add(list(rule.cmos), rule.limit, everyone)
        elif rule.name == "not_together":
            who = np.zeros(P, np.bool_)
            who[list(rule.programs)] = True
            for k in range(K):
                add([k], 1.0, who)
    return (
        np.array(members, np.bool_).reshape(-1, K),
        np.array(limits, np.int64),
        np.array(programs, np.bool_).reshape(-1, P),
    )


def engaged_rules(problem: Problem) -> tuple[Bools, Ints]:
    """Rules on the number of engaged CMOs: members (E, K), most and least (2, E)."""
    K = len(problem.cmos.ids)
    rules = [rule for rule in problem.rules if rule.name in ("max_cmos", "min_cmos")]
    members = np.zeros((len(rules), K), np.bool_)
    limit = np.zeros((2, len(rules)), np.int64)
    limit[0] = K + 1
    for row, rule in enumerate(rules):
        members[row, list(rule.cmos)] = True
        if rule.name == "max_cmos":
            limit[0, row] = int(np.floor(rule.limit + 1e-9))
        else:
            limit[1, row] = int(np.ceil(rule.limit - 1e-9))
    return members, limit


def share_rules(problem: Problem) -> tuple[Bools, Floats]:
    """Rules on shares of spend: members (R, K), most (R,)."""
    rules = [rule for rule in problem.rules if rule.name == "max_spend_share"]
    members = np.zeros((len(rules), len(problem.cmos.ids)), np.bool_)
    for row, rule in enumerate(rules):
        members[row, list(rule.cmos)] = True
    return members, np.array([rule.limit for rule in rules], np.float64)


def starts_of(owner: Ints, count: int) -> Ints:
    """Where each owner's block starts in a list sorted by owner, (count + 1,)."""
    return np.searchsorted(owner, np.arange(count + 1)).astype(np.int64)


def ground_of(lagrangian: Lagrangian, rows: Ints, prices: Prices, duals: Floats) -> Ground:
    """Everything the compiled moves read, for the candidate option rows given."""
    problem, pricer = lagrangian.book.problem, lagrangian.pricer
    options, streams, offers = problem.options, problem.streams, problem.offers
    programs, cmos, P = problem.programs, problem.cmos, lagrangian.layout.P
    one, two = options.first[rows], options.second[rows]
    s_row = np.unique(np.concatenate([one[one >= 0], two[two >= 0]]))
    s_owner = offers.program[streams.offer[s_row]]
    by = np.lexsort((s_row, s_owner))
    s_row, s_owner = s_row[by], s_owner[by]
    place = np.full(len(streams.offer) + 1, -1, np.int64)
    s_start = starts_of(s_owner, P)
    place[s_row] = np.arange(len(s_row)) - s_start[s_owner]
    f_row = np.unique(streams.offer[s_row])
    f_row = f_row[np.lexsort((f_row, offers.program[f_row]))]
    width = np.full(P + 1, 3, np.int64)
    np.maximum.at(width, s_owner, pricer.width[s_row].astype(np.int64))
    group_of, group_limit, group_programs = count_rules(problem)
    engaged_of, engaged_limit = engaged_rules(problem)
    share_of, share_most = share_rules(problem)
    group_start, group_rule = listed(group_of)
    engaged_start, engaged_rule = listed(engaged_of)
    share_start, share_rule = listed(share_of)
    line_start, line_of = listed(problem.lines.cmo[:, None] == np.arange(lagrangian.layout.K))
    day = lagrangian.day_prices(prices)
    return Ground(
        option=records(
            OPTION,
            one=place[one],
            two=place[two],
            fixed=problem.risk_weight * options.risk_cost[rows],
        ),
        stream_row=s_row,
        offer_row=f_row,
        stream_offer=streams.offer,
        profile=pricer.profile,
        offer=records(
            OFFER,
            line=offers.line,
            cmo=problem.offer_cmo,
            price=offers.price,
            days=offers.days,
            once=offers.validation_cost + offers.transfer_cost,
            validation_cost=offers.validation_cost,
            validation_days=offers.validation_days,
            validation_period=offers.validation_period,
        ),
        offer_program=offers.program,
        offer_days=offers.days,
        proving=offers.validation_period,
        proving_days=offers.validation_days,
        good=offers.good_per_batch,
        lag=offers.lag,
        most=problem.max_batches,
        no_curve=np.full(problem.max_batches.shape, -1, np.int64),
        curve=np.zeros((1, 1)),
        demand=pricer.demand,
        cap=pricer.cap,
        target=pricer.target,
        opening=pricer.opening,
        shortage=programs.shortage_price,
        safety=programs.safety_price,
        holding=programs.holding_price,
        program=records(
            PROGRAM,
            option=starts_of(options.program[rows], P),
            stream=s_start,
            offer=starts_of(offers.program[f_row], P),
            width=width,
            idle=np.append(lagrangian.book.idle, 0.0),
        ),
        line=line_records(problem),
        line_start=line_start,
        line_of=line_of,
        days=line_days(problem),
        year=problem.year,
        engage=cmos.onboarding_cost + cmos.fees,
        floor=cmos.floor,
        tier=tier_table(problem),
        group_start=group_start,
        group_rule=group_rule,
        group_limit=group_limit,
        group_programs=group_programs,
        engaged_start=engaged_start,
        engaged_rule=engaged_rule,
        engaged_limit=engaged_limit,
        share_start=share_start,
        share_rule=share_rule,
        share_most=share_most,
        share_dual=np.maximum(-duals[np.array(lagrangian.layout.shares, np.int64)], 0.0),
        guide=GUIDE,
        base=base_values(lagrangian, s_row, day),
        guide_day=day,
        guide_at=prices.at,
    )


def base_values(lagrangian: Lagrangian, rows: Ints, guide_day: Floats) -> Floats:
    """What streams cost where every line is empty, by level of GUIDE, (levels, len(rows)).

    Without what a source costs once; at most what a plan pays for the stream, but for floors and
    rebates.
    """
    problem = lagrangian.book.problem
    lines, offers = problem.lines, problem.offers
    line = offers.line
    most = problem.max_batches
    values = []
    for guide in GUIDE:
        day = guide * guide_day[line]
        batch = offers.price[:, None] + offers.days[:, None] * day
        setup = lines.changeover_cost[line][:, None] + lines.changeover_days[line][:, None] * day
        costs = Costs(batch, setup, most, np.zeros_like(most), np.ones(problem.periods))
        values.append(lagrangian.pricer.values(rows, costs))
    return np.minimum(values, NEVER)


def listed(members: Bools) -> tuple[Ints, Ints]:
    """Rows by column of a table (G, K): those of column k are rows[start[k] : start[k + 1]]."""
    column, row = np.nonzero(members.T)
    return starts_of(column, members.shape[1]), row.astype(np.int64)


def records(kind: np.dtype[Any], **columns: Any) -> Any:
    """A record array of `kind` from its columns."""
    table = np.empty(len(next(iter(columns.values()))), kind)
    for name, column in columns.items():
        table[name] = column
    return table


def line_records(problem: Problem) -> Any:
    """Lines as records; the price of an expansion is inf where none is offered in time."""
    lines = problem.lines
    expandable = (lines.expansion_days > 0) & (lines.expansion_period < problem.periods)
    return records(
        LINE,
        cmo=lines.cmo,
        change_days=lines.changeover_days,
        change_cost=lines.changeover_cost,
        grow_cost=np.where(expandable, lines.expansion_cost, np.inf),
    )


def line_days(problem: Problem) -> Floats:
    """Days offered, and days that an expansion adds, (2, L, T)."""
    lines = problem.lines
    grown = np.arange(problem.periods)[None, :] >= lines.expansion_period[:, None]
    return np.stack([lines.days, lines.expansion_days[:, None] * grown])


def tier_table(problem: Problem) -> Floats:
    """Where each tier starts (inf: no such tier) and its rate, (2, K, Z)."""
    tiers = problem.cmos.tiers
    table = np.zeros((2, len(tiers), max((len(steps) for steps in tiers), default=0)))
    table[0] = np.inf
    for k, steps in enumerate(tiers):
        for z, step in enumerate(steps):
            table[:, k, z] = step
    return table


def empty_state(ground: Ground) -> State:
    """A plan in which no program has been decided; fill it before use."""
    P, T = len(ground.program) - 1, len(ground.year)
    L, K = len(ground.line), len(ground.engage)
    return State(
        option=np.full(P, -1, np.int64),
        offer=np.full((P, 2), -1, np.int64),
        batches=np.zeros((P, 2, T), np.int64),
        own=np.zeros(P),
        grown=np.zeros(L, np.bool_),
        used=np.zeros((L, T)),
        spend=np.zeros(ground.floor.shape),
        programs_at=np.zeros(K, np.int64),
        group_count=np.zeros(len(ground.group_limit), np.int64),
        engaged_count=np.zeros(ground.engaged_limit.shape[1], np.int64),
        share_spent=np.zeros(len(ground.share_most)),
        total=np.zeros(2),
        first=np.full(L, -1, np.int64),
        after=np.full(2 * P, -1, np.int64),
        before=np.full(2 * P, -1, np.int64),
        closed=np.zeros(K, np.bool_),
        moved=np.zeros(P, np.bool_),
    )


def settle(ground: Ground, state: State, plan: State) -> None:
    """Make `state` the plan given (its own too), with all that follows computed afresh."""
    from models.patterns.ruin import fill_in

    for mine, theirs in (
        (state.option, plan.option),
        (state.offer, plan.offer),
        (state.batches, plan.batches),
        (state.own, plan.own),
        (state.grown, plan.grown),
    ):
        np.copyto(mine, theirs)
    if plan is not state:
        state.moved[:] = False
    for follows in FOLLOWS:
        getattr(state, follows)[...] = 0
    state.first[:] = -1
    fill_in(ground, state)  # type: ignore[no-untyped-call]


def work_of(ground: Ground) -> Work:
    """Scratch of the moves."""
    F, T = ground.most.shape
    return Work(
        limit=np.zeros((F, T), np.int64),
        batch=np.zeros((F, T)),
        setup=np.zeros((F, T)),
        once=np.zeros(F),
        push=np.zeros(F),
        ratio=np.ones(F),
        done=np.zeros(F, np.bool_),
        ones=np.ones(T),
        toll=np.zeros((len(ground.line), T)),
        whim=np.zeros(1),
        welcome=np.full(1, -1, np.int64),
        least=np.zeros((F, T), np.int64),
        worth=ground.guide_day.copy(),
        effort=np.zeros(2, np.int64),
        paid=np.zeros((T, 1, int(ground.most.max(initial=0)) + 1)),
        place=np.zeros(F, np.int64),
    )


def decision_of(ground: Ground, rows: Ints, state: State) -> Decision:
    """The plan as a decision."""
    batches = {
        int(f): state.batches[p, source].copy()
        for p, pair in enumerate(state.offer)
        for source, f in enumerate(pair)
        if f >= 0
    }
    return Decision(rows[state.option], batches, state.grown.copy())


__all__ = ["Priced", "candidates", "decision_of", "empty_state", "ground_of", "work_of"]
