"""Sourcing options: every way to source each program, and the supply streams they are made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.problem import Floats, Ints, Offers, Options, Streams


def enumerate_options(
    programs: int,
    offers: Offers,
    offer_cmo: Ints,
    sourcing: Sequence[str],
    splits: Sequence[float],
) -> tuple[Streams, Options]:
    """All options of each program: unsourced, one offer, or two offers at different CMOs.

    `sourcing[p]` is single, dual or free; `splits` are the primary shares offered for two sources.
    Before its later source can supply, the earlier one carries the whole demand (the hand-over).
    Risk columns are zero; the caller fills them. Deterministic: rows follow the order of offers.
    """
    by_program = np.argsort(offers.program, kind="stable")
    bounds = np.searchsorted(offers.program[by_program], np.arange(programs + 1))
    streams: list[Floats] = []
    blocks: list[tuple[Ints, Ints, Ints]] = []
    stream_count = 0
    start = np.zeros(programs + 1, np.int64)
    for p in range(programs):
        mine = by_program[bounds[p] : bounds[p + 1]]
        keys, first, second = _options_of(mine, offers, offer_cmo, sourcing[p], splits)
        streams.append(keys)
        blocks.append(
            (
                np.full(len(first), p, np.int64),
                np.where(first >= 0, first + stream_count, -1),
                np.where(second >= 0, second + stream_count, -1),
            )
        )
        stream_count += len(keys)
        start[p + 1] = start[p] + len(first)
    table = np.concatenate(streams) if streams else np.empty((0, 4))
    program, one, two = (
        (np.concatenate(part) for part in zip(*blocks, strict=True))
        if blocks
        else (np.empty(0, np.int64) for _ in range(3))
    )
    all_streams = Streams(
        offer=table[:, 0].astype(np.int64),
        share=table[:, 1],
        before=table[:, 2],
        switch=table[:, 3].astype(np.int64),
    )
    once = offers.transfer_cost + offers.validation_cost
    cost_of = np.append(once[all_streams.offer], 0.0)  # row -1: no source, no cost
    zeros = np.zeros(len(program))
    return all_streams, Options(
        program=program,
        first=one,
        second=two,
        start=start,
        fixed_cost=cost_of[one] + cost_of[two],
        risk_cost=zeros,
        late_months=zeros,
        lost_months=zeros,
    )


def _options_of(
    mine: Ints, offers: Offers, offer_cmo: Ints, sourcing: str, splits: Sequence[float]
) -> tuple[Floats, Ints, Ints]:
    """Streams (n, 4: offer, share, before, switch) of one program, and its options' rows in them.

    The first option is the unsourced one.
    """
    none = np.full(1, -1, np.int64)
    firsts: list[Floats] = []
    seconds: list[Floats] = []
    if sourcing in ("single", "free") and len(mine):
        ones = np.ones(len(mine))
        firsts.append(np.column_stack([mine, ones, ones, 0 * mine]))
        seconds.append(np.full((len(mine), 4), np.nan))
    if sourcing in ("dual", "free") and len(mine) > 1:
        i, j = np.triu_indices(len(mine), 1)
        apart = offer_cmo[mine[i]] != offer_cmo[mine[j]]
        i, j = mine[i[apart]], mine[j[apart]]
        for split in splits:
            orders = [(i, j)] if abs(split - 0.5) < 1e-9 else [(i, j), (j, i)]
            for a, b in orders:
                firsts.append(_half(a, b, split, offers.first_supply))
                seconds.append(_half(b, a, 1.0 - split, offers.first_supply))
    if not firsts:
        return np.empty((0, 4)), none, none
    one, two = np.concatenate(firsts), np.concatenate(seconds)
    dual = ~np.isnan(two[:, 0])
    keys, where = _distinct(np.concatenate([one, two[dual]]), splits)
    second = np.full(len(one), -1, np.int64)
    second[dual] = where[len(one) :]
    return keys, np.concatenate([none, where[: len(one)]]), np.concatenate([none, second])


def _distinct(streams: Floats, splits: Sequence[float]) -> tuple[Floats, Ints]:
    """Distinct rows of streams (n, 4) in order, and where each row stands among them, (n,)."""
    # 1 - 0.8 and 0.2 are one share: round before streams are compared
    values = np.unique(np.round([0.0, 1.0, *splits, *(1.0 - s for s in splits)], 9))
    share, before = (np.searchsorted(values, np.round(streams[:, c], 9)) for c in (1, 2))
    offer, switch = (streams[:, c].astype(np.int64) for c in (0, 3))
    wide, late = len(values), int(switch.max(initial=0)) + 1
    code = ((offer * wide + share) * wide + before) * late + switch
    _, first, where = np.unique(code, return_index=True, return_inverse=True)
    keys = np.round(streams[first], 9)
    return keys, where.reshape(-1).astype(np.int64)


def _half(source: Ints, partner: Ints, share: float, first_supply: Ints) -> Floats:
    """Streams (n, 4) of `source` carrying `share` beside `partner`, with the hand-over phase."""
    own, other = first_supply[source], first_supply[partner]
    before = np.where(own < other, 1.0, np.where(own > other, 0.0, share))
    switch = np.where(own == other, 0, np.maximum(own, other))
    return np.column_stack([source, np.full(len(source), share), before, switch])
