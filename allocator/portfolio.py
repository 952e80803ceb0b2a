"""The domain objects: what the input tables say, typed, checked and keyed by id.

Frozen, and free of files and solvers. Money is in the policy's one currency, quantities are in the
program's unit, line capacity is in line-days, durations are in months.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: Step of a qualification chain -> its low, mode and high months.
ChainSteps = Mapping[str, tuple[float, float, float]]


@dataclass(frozen=True, slots=True)
class Period:
    """One planning period.

    `label` is the column name of the tables (`2027Q1` or `2027-01`), `months` its length and
    `first_month` its first month as 12 * year + month - 1.
    """

    label: str
    months: int
    first_month: int

    @property
    def year(self) -> int:
        """Calendar year in which the period starts."""
        return self.first_month // 12


@dataclass(frozen=True, slots=True)
class Program:
    """One row of portfolio.csv; `demand[t]` is in `unit` per period."""

    program_id: str
    molecule_type: str
    dosage_form: str
    stage: str
    unit: str
    delay_cost_per_month: float
    demand: tuple[float, ...]
    name: str = ""
    route: str = ""
    sourcing: str | None = None
    max_oeb: int | None = None
    controlled_schedule: str = ""
    cold_chain: bool = False
    markets: tuple[str, ...] = ()
    batch_min: float | None = None
    batch_max: float | None = None
    shelf_life_months: float = 36.0
    safety_stock_months: float = 0.0
    opening_stock: float = 0.0
    holding_cost_per_unit_month: float = 0.0


@dataclass(frozen=True, slots=True)
class Cmo:
    """One row of cmos.csv. Scores are 0 to 100, None where the table is blank."""

    cmo_id: str
    region: str
    name: str = ""
    owner: str = ""
    country: str = ""
    onboarding_cost: float = 0.0
    annual_fee: float = 0.0
    min_annual_spend: float = 0.0
    max_programs: int | None = None
    outage_per_year: float | None = None
    recover_months: float | None = None
    last_inspection: str = ""
    inspection_date: str = ""
    critical_findings: int | None = None
    scores: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    """One row of lines.csv; `days[t]` are the line-days offered to us in each period."""

    line_id: str
    cmo_id: str
    dosage_forms: tuple[str, ...]
    batch_min: float
    batch_max: float
    unit: str
    days: tuple[float, ...]
    molecule_types: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    max_oeb: int | None = None
    controlled_schedules: tuple[str, ...] = ()
    cold_chain: bool = False
    changeover_days: float = 0.0
    changeover_cost: float = 0.0
    price_per_batch: float | None = None
    days_per_batch: float | None = None
    expansion_days: float = 0.0
    expansion_cost: float = 0.0
    expansion_months: float = 0.0
    surge: float | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """One quoted batch size of a program on a line, every default filled in.

    `offer_id` is made of the three ids and is unique. `assumed` names the columns whose value is a
    stated default rather than the user's figure.
    """

    offer_id: str
    program_id: str
    line_id: str
    batch_size: float
    price_per_batch: float
    days_per_batch: float
    yield_: float = 1.0
    fail_rate: float = 0.0
    qualified: bool = False
    transfer_cost: float = 0.0
    transfer_months_low: float = 0.0
    transfer_months_mode: float = 0.0
    transfer_months_high: float = 0.0
    ppq_batches: int = 0
    filing_months: float = 0.0
    release_months: float = 0.0
    shared_inputs: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()

    @property
    def good_per_batch(self) -> float:
        """Expected saleable units of one batch started, in the program's unit."""
        return self.batch_size * self.yield_ * (1.0 - self.fail_rate)


@dataclass(frozen=True, slots=True)
class Tier:
    """One row of tiers.csv: from `spend_from` a year on, `rebate` of the whole year's spend."""

    cmo_id: str
    spend_from: float
    rebate: float


@dataclass(frozen=True, slots=True)
class Answer:
    """One answered row of diligence.csv (docs/diligence.md); a blank answer makes no object.

    `value` is typed by the question: a truth, a number, a word or text, names, or (name, count)
    pairs. `as_of` is an ISO date, blank where none was given.
    """

    cmo_id: str
    question: str
    value: bool | float | str | tuple[str, ...] | tuple[tuple[str, int], ...]
    source: str = ""
    as_of: str = ""


@dataclass(frozen=True, slots=True)
class Shift:
    """One row of shifts.csv: a CMO's odds of slipping, measured rather than scored.

    `slip_log_odds` stands over what the scorecard makes of them; 0 is the average CMO.
    """

    cmo_id: str
    slip_log_odds: float
    standard_error: float | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Contract:
    """One row of contracts.csv: terms of one kind for reserved days of a line; None: not given."""

    line_id: str
    kind: str
    share: float | None = None
    price_per_day: float | None = None
    fee_per_period: float | None = None
    cancel_under_3_months: float | None = None
    cancel_3_to_6_months: float | None = None
    cancel_beyond_6_months: float | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One `[[rule]]` of policy.toml.

    `name` is the kind of rule (`max_cmos`, `force` ...); `label` is unique, and what messages say.
    `settings` holds the rule's own keys, already checked against its kind.
    """

    name: str
    label: str
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AnswerGate:
    """A knock-out gate on one question of diligence.csv; None: no such limit.

    `minimum` and `maximum` belong to the range, `expected` is for questions of yes or no, `one_of`
    for those with a class. A CMO without an answer passes unless the gate is `required`.
    """

    question: str
    minimum: float | None = None
    maximum: float | None = None
    expected: bool | None = None
    one_of: tuple[str, ...] = ()
    required: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DiligenceSettings:
    """How answers of diligence.csv count: `weights` by question stand over the table's own.

    An answer is stale from `stale_months` before the first period. `experience_weight` is the part
    of a technical_depth score of cmos.csv that experience with the program's own kind decides.
    """

    stale_months: float = 18.0
    experience_weight: float = 0.5
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gates:
    """Knock-out gates; a CMO whose id stands in `waived` passes all of them."""

    oai: bool = True
    critical_within_months: float = 24.0
    min_scores: Mapping[str, float] = field(default_factory=dict)
    waived: tuple[str, ...] = ()
    diligence: tuple[AnswerGate, ...] = ()


@dataclass(frozen=True, slots=True)
class OutageGroup:
    """A common cause: everything that shares `member` of `kind` stops together.

    `kind` is owner, region, country or shared_input.
    """

    kind: str
    member: str
    outage_per_year: float
    recover_months: float


@dataclass(frozen=True, slots=True)
class Policy:
    """policy.toml with every default filled in."""

    currency: str = "USD"
    sourcing: str = "free"
    splits: tuple[float, ...] = (0.5, 0.6, 0.7, 0.8)
    risk_weight: float = 1.0
    service_level: float = 0.98
    safety_stock_charge: float = 0.01
    surge: float = 0.0
    secure_groups: tuple[str, ...] = ("cmo",)
    secure_from: str = ""
    gates: Gates = field(default_factory=Gates)
    score_weights: Mapping[str, float] = field(default_factory=dict)
    outage_groups: tuple[OutageGroup, ...] = ()
    rules: tuple[Rule, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)
    diligence: DiligenceSettings = field(default_factory=DiligenceSettings)


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Everything read from one folder, checked, with a scenario laid over it if one was given.

    `offers` holds the rows of offers.csv and, where a line has a rate card and a pair has no row,
    the offer that the rate card makes; it is not yet filtered by eligibility. `assumptions` are
    the (where, what) of defaults that stand in other tables than offers.csv;
    `allocator.defaults.assumptions` lists all of them. `diligence` is sorted by CMO and question.
    `chain` has the steps of chain.csv by (program_id, line_id), `contracts` the terms of
    contracts.csv by (line_id, kind).
    """

    periods: tuple[Period, ...]
    programs: Mapping[str, Program]
    cmos: Mapping[str, Cmo]
    lines: Mapping[str, Line]
    offers: Mapping[str, Offer]
    tiers: Mapping[str, tuple[Tier, ...]]
    policy: Policy
    assumptions: tuple[tuple[str, str], ...] = ()
    diligence: tuple[Answer, ...] = ()
    chain: Mapping[tuple[str, str], ChainSteps] = field(default_factory=dict)
    shifts: Mapping[str, Shift] = field(default_factory=dict)
    contracts: Mapping[tuple[str, str], Contract] = field(default_factory=dict)
