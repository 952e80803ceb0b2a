"""Every figure that a plan takes for granted, with the range it may really lie in.

Ranges are those of docs/sensitivity.md: published or customary ones for stated defaults, plain
factors for figures that nobody knows exactly (outages, the cost of delay).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from allocator.assumed.ranges import FACTORS, OFFER_RANGES, SCORE_RANGES
from allocator.defaults import (
    OUTAGE_PER_YEAR,
    RECOVER_MONTHS,
    UNKNOWN_OEB,
    form_class,
)
from allocator.portfolio import Offer, Portfolio
from allocator.risk.readiness import LOG_ODDS_PER_10_POINTS, NEUTRAL_SCORE
from allocator.risk.settings import number_given, setting

Change = Callable[[Portfolio], Portfolio]


@dataclass(frozen=True)
class Doubt:
    """One uncertain figure. `of` is whom it belongs to, `value` what the plan takes.

    `assumed` tells a stated default from the user's own figure. `sides` maps `low` and `high` to
    (the figure there, the change of the portfolio that puts it there).
    """

    column: str
    of: str
    value: str
    assumed: bool
    sides: Mapping[str, tuple[str, Change]]

    @property
    def name(self) -> str:
        """`transfer_months of BRACK`."""
        return f"{self.column} of {self.of}"


def doubts(portfolio: Portfolio) -> tuple[Doubt, ...]:
    """All of a portfolio, sorted by name; those whose range is a point are left out."""
    every = [
        *_of_offers(portfolio),
        *_transfers(portfolio),
        *_outages(portfolio),
        *_groups(portfolio),
        *_delays(portfolio),
        *_bands(portfolio),
        *_scores(portfolio),
        *_surge(portfolio),
    ]
    return tuple(sorted(every, key=lambda doubt: doubt.name))


def _text(number: float) -> str:
    """A figure for reading: thousands separated, no exponent."""
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}"


def _span(values: list[float]) -> str:
    low, high = min(values), max(values)
    return _text(low) if low == high else f"{_text(low)} to {_text(high)}"


def _offers_at(portfolio: Portfolio) -> dict[str, list[Offer]]:
    """Offers by CMO."""
    at: dict[str, list[Offer]] = {}
    for offer in portfolio.offers.values():
        at.setdefault(portfolio.lines[offer.line_id].cmo_id, []).append(offer)
    return {key: at[key] for key in sorted(at)}


def _change_offers(values: Mapping[str, Mapping[str, float]]) -> Change:
    """Set attributes of offers, by id."""

    def change(portfolio: Portfolio) -> Portfolio:
        new = {key: replace(portfolio.offers[key], **attrs) for key, attrs in values.items()}  # type: ignore[arg-type]
        return replace(portfolio, offers={**portfolio.offers, **new})

    return change


def _of_offers(portfolio: Portfolio) -> Iterator[Doubt]:
    """Columns of offers.csv that a default filled, by CMO."""
    for cmo_id, offers in _offers_at(portfolio).items():
        for column in OFFER_RANGES:
            mine = [offer for offer in offers if column in offer.assumed]
            attribute = "yield_" if column == "yield" else column
            if not mine:
                continue
            sides: dict[str, tuple[str, Change]] = {}
            for place, side in enumerate(("low", "high")):
                to = {o.offer_id: _stated(portfolio, o, column)[place] for o in mine}
                changed = {key: {attribute: number} for key, number in to.items()}
                sides[side] = (_span(list(to.values())), _change_offers(changed))
            value = _span([float(getattr(offer, attribute)) for offer in mine])
            yield Doubt(column, cmo_id, value, True, sides)


def _stated(portfolio: Portfolio, offer: Offer, column: str) -> tuple[float, float]:
    """The stated range of a default of one offer."""
    program = portfolio.programs[offer.program_id]
    low, high = OFFER_RANGES[column][form_class(program.dosage_form, program.molecule_type)]
    if column == "transfer_cost":
        return low * offer.transfer_cost, high * offer.transfer_cost
    if column == "ppq_batches":
        return (max(offer.ppq_batches - 1, 0), offer.ppq_batches + 1)
    if column == "filing_months" and offer.filing_months == 0.0:
        return 0.0, 2.0  # no approval to wait for, an amendment at most
    return low, high


def _transfers(portfolio: Portfolio) -> Iterator[Doubt]:
    """Months of transfer by CMO: the mode may turn out to be the offer's own low or high."""
    for cmo_id, offers in _offers_at(portfolio).items():
        mine = [
            offer
            for offer in offers
            if not offer.qualified and offer.transfer_months_low < offer.transfer_months_high
        ]
        if not mine:
            continue
        sides: dict[str, tuple[str, Change]] = {}
        for side in ("low", "high"):
            to = {offer.offer_id: getattr(offer, f"transfer_months_{side}") for offer in mine}
            changed = {key: {"transfer_months_mode": months} for key, months in to.items()}
            sides[side] = (_span(list(to.values())), _change_offers(changed))
        value = _span([offer.transfer_months_mode for offer in mine])
        assumed = any("transfer_months_mode" in offer.assumed for offer in mine)
        yield Doubt("transfer_months", cmo_id, value, assumed, sides)


def _factors(column: str, value: float, most: float = float("inf")) -> dict[str, float]:
    low, high = FACTORS[column]
    return {"low": low * value, "high": min(high * value, most)}


def _outages(portfolio: Portfolio) -> Iterator[Doubt]:
    """Each site's own outages: their rate, and the months to recover."""
    for cmo_id in _offers_at(portfolio):
        for column, default, most in (
            ("outage_per_year", OUTAGE_PER_YEAR, 1.0),
            ("recover_months", RECOVER_MONTHS, float("inf")),
        ):
            own = getattr(portfolio.cmos[cmo_id], column)
            value = default if own is None else own
            if value > 0:
                sides = {
                    side: (_text(number), _change_cmo(cmo_id, column, number))
                    for side, number in _factors(column, value, most).items()
                }
                yield Doubt(column, cmo_id, _text(value), value == default, sides)


def _change_cmo(cmo_id: str, column: str, number: float) -> Change:
    def change(portfolio: Portfolio) -> Portfolio:
        cmo = replace(portfolio.cmos[cmo_id], **{column: number})  # type: ignore[arg-type]
        return replace(portfolio, cmos={**portfolio.cmos, cmo_id: cmo})

    return change


def _groups(portfolio: Portfolio) -> Iterator[Doubt]:
    """How often each common cause strikes."""
    for place, group in enumerate(portfolio.policy.outage_groups):
        if group.outage_per_year <= 0:
            continue
        sides: dict[str, tuple[str, Change]] = {
            side: (_text(number), _change_group(place, number))
            for side, number in _factors("common_outage", group.outage_per_year, 1.0).items()
        }
        of = f"{group.kind.replace('_', ' ')} {group.member}"
        yield Doubt("outage_per_year", of, _text(group.outage_per_year), False, sides)


def _change_group(place: int, number: float) -> Change:
    def change(portfolio: Portfolio) -> Portfolio:
        groups = list(portfolio.policy.outage_groups)
        groups[place] = replace(groups[place], outage_per_year=number)
        return replace(portfolio, policy=replace(portfolio.policy, outage_groups=tuple(groups)))

    return change


def _delays(portfolio: Portfolio) -> Iterator[Doubt]:
    """What a month without supply costs, by program."""
    for program_id in sorted(portfolio.programs):
        value = portfolio.programs[program_id].delay_cost_per_month
        if value > 0:
            sides = {
                side: (_text(number), _change_program(program_id, "delay_cost_per_month", number))
                for side, number in _factors("delay_cost_per_month", value).items()
            }
            yield Doubt("delay_cost_per_month", program_id, _text(value), False, sides)


def _change_program(program_id: str, column: str, number: float | int) -> Change:
    def change(portfolio: Portfolio) -> Portfolio:
        program = replace(portfolio.programs[program_id], **{column: number})  # type: ignore[arg-type]
        return replace(portfolio, programs={**portfolio.programs, program_id: program})

    return change


def _bands(portfolio: Portfolio) -> Iterator[Doubt]:
    """Containment bands that no one stated: one band up or down decides who may make it."""
    for program_id in sorted(portfolio.programs):
        if portfolio.programs[program_id].max_oeb is None:
            sides = {
                side: (str(band), _change_program(program_id, "max_oeb", band))
                for side, band in (("low", UNKNOWN_OEB - 1), ("high", UNKNOWN_OEB + 1))
            }
            yield Doubt("max_oeb", program_id, str(UNKNOWN_OEB), True, sides)


def _scores(portfolio: Portfolio) -> Iterator[Doubt]:
    """What scores do to the odds."""
    scored = any(s is not None for cmo in portfolio.cmos.values() for s in cmo.scores.values())
    if not scored and not portfolio.diligence:
        return
    for key, default in (
        ("log_odds_per_10_points", LOG_ODDS_PER_10_POINTS),
        ("neutral_score", NEUTRAL_SCORE),
    ):
        value = setting(portfolio.policy, key, default)
        sides: dict[str, tuple[str, Change]] = {
            side: (_text(value + by), _change_risk(key, value + by))
            for side, by in zip(("low", "high"), SCORE_RANGES[key], strict=True)
        }
        yield Doubt(key, "scores", _text(value), not number_given(portfolio.policy, key), sides)


def _change_risk(key: str, number: float) -> Change:
    def change(portfolio: Portfolio) -> Portfolio:
        policy = portfolio.policy
        table = policy.extra.get("risk", {})
        risk = {**(table if isinstance(table, Mapping) else {}), key: number}
        return replace(portfolio, policy=replace(policy, extra={**policy.extra, "risk": risk}))

    return change


def _surge(portfolio: Portfolio) -> Iterator[Doubt]:
    """What a survivor can really make more than its share."""
    value = portfolio.policy.surge
    low, high = FACTORS["surge"]

    def to(number: float) -> tuple[str, Change]:
        return _text(number), lambda p: replace(p, policy=replace(p.policy, surge=number))

    sides = {"low": to(max(value + low, 0.0)), "high": to(value + high)}
    yield Doubt("surge", "the policy", _text(value), value == 0.0, sides)
