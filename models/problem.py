"""The problem in arrays and ids: what every formulation solves.

P programs, K CMOs, L lines, F offers, T periods, Y calendar years. Index arrays are int64, money
and quantities float64. Everything is plain numpy: no files, no tables, no domain rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Programs:
    """P programs. All (P,) unless said; quantities in the program's own unit."""

    ids: tuple[str, ...]
    demand: Floats  # (P, T) units per period
    demand_after: Floats  # units per period that go on being needed beyond the horizon
    shortage_price: Floats  # money per unit of demand not met
    months_per_unit: Floats  # months of missing supply per unit of demand not met
    holding_price: Floats  # money per unit and period, on stock and on scrap awaiting destruction
    safety_price: Floats  # money per unit and period below the safety-stock target
    opening_stock: Floats  # units
    shelf_periods: Floats  # shelf life in periods, may be fractional
    safety_periods: Floats  # safety stock in periods of demand ahead, may be fractional


@dataclass(frozen=True)
class Cmos:
    """K CMOs. All (K,) unless said."""

    ids: tuple[str, ...]
    onboarding_cost: Floats  # money, once, when engaged
    fees: Floats  # money, oversight over the whole horizon, when engaged
    floor: Floats  # (K, Y) take-or-pay floor of each calendar year, pro rata to its months
    max_programs: Ints  # -1: no limit
    tiers: tuple[tuple[tuple[float, float], ...], ...]  # per CMO (spend_from, rebate), ascending


@dataclass(frozen=True)
class Lines:
    """L lines. All (L,) unless said."""

    ids: tuple[str, ...]
    cmo: Ints
    days: Floats  # (L, T) line-days offered
    changeover_days: Floats  # per campaign
    changeover_cost: Floats  # money per campaign
    expansion_days: Floats  # line-days per period that an expansion adds, 0: none offered
    expansion_cost: Floats  # money, once
    expansion_period: Ints  # first period in which the added days exist


@dataclass(frozen=True)
class Offers:
    """F offers, each one program on one line in one batch size. All (F,)."""

    ids: tuple[str, ...]
    program: Ints
    line: Ints
    good_per_batch: Floats  # expected saleable units per batch started
    price: Floats  # money per batch
    days: Floats  # line-days per batch
    ready: Ints  # first period in which a campaign may run
    lag: Ints  # periods from start of a batch to its release
    transfer_cost: Floats  # money, once; 0 where qualified
    validation_cost: Floats  # money, once: validation batches at the batch price
    validation_days: Floats  # line-days taken in `validation_period`
    validation_period: Ints
    qualified: Bools

    @cached_property
    def first_supply(self) -> Ints:
        """First period in which a batch of the offer can serve demand."""
        return self.ready + self.lag


@dataclass(frozen=True)
class Streams:
    """S supply streams: an offer with the share of its program's demand that it carries.

    The share is `before` in periods earlier than `switch` and `share` from then on. (S,)
    """

    offer: Ints
    share: Floats
    before: Floats
    switch: Ints

    def shares(self, rows: Ints | slice, periods: int) -> Floats:
        """Share of the program's demand per period, (len(rows), periods)."""
        early = np.arange(periods)[None, :] < self.switch[rows][:, None]
        return np.where(early, self.before[rows][:, None], self.share[rows][:, None])


@dataclass(frozen=True)
class Options:
    """O sourcing options. `first` and `second` are stream rows, -1 for none. (O,)

    `first` is the primary (the larger share). An option without streams is *unsourced*: no batch
    is made, the opening stock alone serves demand. Rows are sorted by program; the options of
    program p are rows `start[p]` to `start[p + 1]`, its unsourced option first.
    `risk_cost` is money before `risk_weight`; `late_months` and `lost_months` explain it.
    """

    program: Ints
    first: Ints
    second: Ints
    start: Ints  # (P + 1,)
    fixed_cost: Floats  # transfer and validation of its sources
    risk_cost: Floats
    late_months: Floats  # expected months of start later than planned
    lost_months: Floats  # expected months of lost supply over the horizon


@dataclass(frozen=True)
class Rule:
    """One award rule, ready for any formulation. `name` is its kind, `label` what messages say.

    Which of the fields count depends on the kind:

    =================  ==========================================================================
    max_cmos           at most `limit` of `cmos` engaged
    min_cmos           at least `limit` of `cmos` engaged (engaged = makes some program)
    max_programs       at most `limit` programs at `cmos` together
    max_spend_share    spend with `cmos` at most `limit` of all spend over the horizon
    not_together       of `programs`, at most one at each CMO
    budget             cash of `periods` together at most `limit`
    risk_cap           risk money of the chosen options, before `risk_weight`, at most `limit`
    force              the options in `banned` may not be chosen (so do forbid, keep_incumbent,
                       sources_differ_by)
    =================  ==========================================================================
    """

    name: str
    label: str
    limit: float = 0.0
    cmos: tuple[int, ...] = ()
    programs: tuple[int, ...] = ()
    periods: tuple[int, ...] = ()
    banned: Ints = field(default_factory=lambda: np.empty(0, np.int64))


@dataclass(frozen=True)
class Problem:
    """One allocation problem. `year` (T,) maps periods to rows of the years' tables."""

    period_labels: tuple[str, ...]
    year: Ints
    year_labels: tuple[str, ...]
    programs: Programs
    cmos: Cmos
    lines: Lines
    offers: Offers
    streams: Streams
    options: Options
    rules: tuple[Rule, ...]
    risk_weight: float = 1.0

    @property
    def periods(self) -> int:
        """Number of periods T."""
        return len(self.period_labels)

    @cached_property
    def offer_cmo(self) -> Ints:
        """CMO of each offer, (F,)."""
        return self.lines.cmo[self.offers.line]

    @cached_property
    def banned(self) -> Bools:
        """Options that some rule forbids, (O,)."""
        mask = np.zeros(len(self.options.program), np.bool_)
        for rule in self.rules:
            mask[rule.banned] = True
        return mask

    @cached_property
    def max_batches(self) -> Ints:
        """Most batches of each offer worth starting in each period, (F, T).

        What the line could hold in the period with its expansion, and no more than would serve
        the whole program's demand of the release period and its stock up to the shelf-life cap;
        more could only be scrapped. Zero before the offer is ready and where the batch would be
        released after the horizon.
        """
        offers, lines, periods = self.offers, self.lines, self.periods
        t = np.arange(periods)
        days = lines.days + lines.expansion_days[:, None] * (
            t[None, :] >= lines.expansion_period[:, None]
        )
        room = days[offers.line] - lines.changeover_days[offers.line][:, None]
        fits = np.floor(room / offers.days[:, None] + 1e-9)
        programs = self.programs
        full = programs.demand + window(
            programs.demand, programs.demand_after, programs.shelf_periods
        )
        released = t[None, :] + offers.lag[:, None]
        inside = (released < periods) & (t[None, :] >= offers.ready[:, None])
        useful = np.take_along_axis(full[offers.program], np.minimum(released, periods - 1), axis=1)
        needed = np.ceil(useful / offers.good_per_batch[:, None] - 1e-9)
        return np.where(inside, np.clip(np.minimum(fits, needed), 0, None), 0).astype(np.int64)

    def stream_tables(self, rows: Ints | slice) -> StreamTables:
        """Demand, stock cap, safety target and opening stock of some streams."""
        streams, programs, offers = self.streams, self.programs, self.offers
        program = offers.program[streams.offer[rows]]
        shares = streams.shares(rows, self.periods)
        demand = programs.demand[program] * shares
        after = programs.demand_after[program] * streams.share[rows]
        cap = window(demand, after, programs.shelf_periods[program])
        target = np.minimum(window(demand, after, programs.safety_periods[program]), cap)
        return StreamTables(demand, cap, target, programs.opening_stock[program] * shares[:, 0])


@dataclass(frozen=True)
class StreamTables:
    """What some streams must serve and may keep: (rows, T) units, `opening` (rows,)."""

    demand: Floats
    cap: Floats
    target: Floats
    opening: Floats


def window(demand: Floats, after: Floats, periods: Floats) -> Floats:
    """Demand of the next `periods` periods after each period, (N, T).

    `demand` (N, T), `after` (N,) is the demand per period beyond the horizon, `periods` (N,) may be
    fractional: the last period counts in part.
    """
    count, horizon = demand.shape
    cumulative = np.concatenate([np.zeros((count, 1)), np.cumsum(demand, axis=1)], axis=1)

    def upto(end: Floats) -> Floats:
        """Demand of periods 0 to `end` (N, T), `end` fractional and perhaps past the horizon."""
        inside = np.minimum(end, horizon)
        whole = np.floor(inside).astype(np.int64)
        part = np.where(
            whole < horizon,
            np.take_along_axis(demand, np.minimum(whole, horizon - 1), axis=1),
            0.0,
        )
        total: Floats = (
            np.take_along_axis(cumulative, whole, axis=1)
            + part * (inside - whole)
            + np.maximum(end - horizon, 0.0) * after[:, None]
        )
        return total

    start = np.broadcast_to(np.arange(1, horizon + 1, dtype=np.float64), (count, horizon))
    ahead: Floats = np.maximum(upto(start + periods[:, None]) - upto(start), 0.0)
    return ahead
