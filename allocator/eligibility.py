"""Who can make what: for every program and line an offer, or all the reasons why not, in words.

Award rules such as `forbid` are not eligibility: they say what may be chosen, not what can be made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from allocator.calendar import first_supply_period, lag_periods, period_months, ready_period
from allocator.defaults import UNKNOWN_OEB
from allocator.findings import number
from allocator.gates import barred
from allocator.portfolio import Line, Offer, Portfolio, Program

SLACK = 1e-9
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Eligibility:
    """`offers` are the ids of the eligible offers, by program, line and batch size."""

    portfolio: Portfolio
    offers: tuple[str, ...]

    @cached_property
    def _eligible(self) -> frozenset[str]:
        return frozenset(self.offers)

    @cached_property
    def _barred(self) -> dict[str, tuple[str, ...]]:
        return barred(self.portfolio)

    @cached_property
    def _pairs(self) -> dict[tuple[str, str], list[Offer]]:
        pairs: dict[tuple[str, str], list[Offer]] = {}
        for offer in _sorted_offers(self.portfolio):
            pairs.setdefault((offer.program_id, offer.line_id), []).append(offer)
        return pairs

    def reasons(self, program_id: str, line_id: str) -> tuple[str, ...]:
        """All reasons why the line cannot make the program; empty if it has an eligible offer.

        KeyError for an unknown program or line.
        """
        portfolio = self.portfolio
        program, line = portfolio.programs[program_id], portfolio.lines[line_id]
        offers = self._pairs.get((program_id, line_id), [])
        if any(offer.offer_id in self._eligible for offer in offers):
            return ()
        found = [*pair_reasons(program, line), *window_reasons(program, line)]
        found += self._barred.get(line.cmo_id, ())
        for offer in offers:
            found += own_reasons(portfolio, offer)
        if not offers and (line.price_per_batch is None or line.days_per_batch is None):
            found.append(
                f"offers.csv has no row for {program_id} on {line_id}, and line {line_id} has no "
                "rate card (price_per_batch and days_per_batch)"
            )
        if not offers and not found:
            found.append(f"there is no offer for {program_id} on line {line_id}")
        return tuple(dict.fromkeys(found))

    def offer_reasons(self, offer_id: str) -> tuple[str, ...]:
        """All reasons why one offer is not eligible; empty if it is. KeyError for no such offer."""
        portfolio = self.portfolio
        offer = portfolio.offers[offer_id]
        if offer_id in self._eligible:
            return ()
        program, line = portfolio.programs[offer.program_id], portfolio.lines[offer.line_id]
        found = [
            *pair_reasons(program, line),
            *window_reasons(program, line),
            *self._barred.get(line.cmo_id, ()),
            *own_reasons(portfolio, offer),
        ]
        return tuple(dict.fromkeys(found))


def eligibility(portfolio: Portfolio) -> Eligibility:
    """The eligible offers of a portfolio; reasons are worked out when they are asked for."""
    offers = _sorted_offers(portfolio)
    if not offers:
        return Eligibility(portfolio, ())
    fits = _line_fits(portfolio, offers) & _batch_fits(portfolio, offers)
    fits &= _time_fits(portfolio, offers)
    return Eligibility(
        portfolio, tuple(offer.offer_id for offer, ok in zip(offers, fits, strict=True) if ok)
    )


def _sorted_offers(portfolio: Portfolio) -> list[Offer]:
    key = lambda o: (o.program_id, o.line_id, o.batch_size, o.offer_id)  # noqa: E731
    return sorted(portfolio.offers.values(), key=key)


# Vectorised tests, one mask over the offers each: the same rules as the reasons below.


def _line_fits(portfolio: Portfolio, offers: list[Offer]) -> Bools:
    """Whether the line takes such a program and its CMO passes the gates.

    Programs are alike where all that a line asks about is alike: few kinds, however many programs.
    """
    out = barred(portfolio)
    kinds = {key: _kind(program) for key, program in portfolio.programs.items()}
    known: dict[tuple[object, ...], bool] = {}
    fits = np.empty(len(offers), np.bool_)
    for row, offer in enumerate(offers):
        key = (kinds[offer.program_id], offer.line_id)
        if key not in known:
            line = portfolio.lines[offer.line_id]
            program = portfolio.programs[offer.program_id]
            known[key] = line.cmo_id not in out and not any(pair_reasons(program, line))
        fits[row] = known[key]
    return fits


def _kind(program: Program) -> tuple[object, ...]:
    return (
        program.dosage_form,
        program.molecule_type,
        program.stage,
        program.unit,
        program.max_oeb,
        program.controlled_schedule,
        program.cold_chain,
    )


def _batch_fits(portfolio: Portfolio, offers: list[Offer]) -> Bools:
    """Whether the batch lies in the line's range and in the registered one."""
    programs, lines = portfolio.programs, portfolio.lines
    low = {key: program.batch_min or 0.0 for key, program in programs.items()}
    high = {
        key: np.inf if program.batch_max is None else program.batch_max
        for key, program in programs.items()
    }
    table = np.array(
        [
            (
                offer.batch_size,
                low[offer.program_id],
                high[offer.program_id],
                lines[offer.line_id].batch_min,
                lines[offer.line_id].batch_max,
            )
            for offer in offers
        ]
    )
    size = table[:, 0]
    floor = np.maximum(table[:, 1], table[:, 3]) * (1 - SLACK)
    roof = np.minimum(table[:, 2], table[:, 4]) * (1 + SLACK)
    return np.asarray((floor <= size) & (size <= roof))


def _time_fits(portfolio: Portfolio, offers: list[Offer]) -> Bools:
    """Whether the offer supplies within the horizon, and its batches fit the line's days."""
    months, horizon = period_months(portfolio), len(portfolio.periods)
    row_of = {key: row for row, key in enumerate(portfolio.lines)}
    days = np.array([_days(line, months, horizon) for line in portfolio.lines.values()])
    changeover = np.array([line.changeover_days for line in portfolio.lines.values()])
    line = np.array([row_of[offer.line_id] for offer in offers])
    ready, lag, validation = _all_steps(offers, months, horizon).T
    batch = np.array([(offer.days_per_batch, _ppq(offer)) for offer in offers])
    t = np.arange(horizon)[None, :]
    usable = (t >= ready[:, None]) & (t + lag[:, None] < horizon)
    room = np.where(usable, days[line], -np.inf).max(axis=1) - changeover[line]
    needed = batch[:, 0] * batch[:, 1] + changeover[line] * (batch[:, 1] > 0)
    validated = needed <= days[line, validation] + SLACK * (1.0 + needed)
    return np.asarray((ready + lag < horizon) & _fit(room, batch[:, 0]) & validated)


def _fit(room: Floats, batch_days: Floats) -> Bools:
    """Whether a batch fits, by the rounding with which the problem counts batches."""
    return np.asarray(room / batch_days >= 1.0 - SLACK)


def _steps(offer: Offer, months: int, horizon: int) -> tuple[int, int, int]:
    """First period of use, lag to release, and period of validation."""
    # no period lies beyond the horizon, however many months a table says
    ready = min(ready_period(offer, months), horizon)
    return ready, min(lag_periods(offer, months), horizon), _validation(offer, months, horizon)


def _all_steps(offers: list[Offer], months: int, horizon: int) -> Ints:
    """The steps of every offer, (F, 3); few offers differ in all of their months."""
    known: dict[tuple[float, ...], tuple[int, int, int]] = {}
    table = np.empty((len(offers), 3), np.int64)
    for row, offer in enumerate(offers):
        key = (
            offer.qualified,
            offer.transfer_months_mode,
            offer.filing_months,
            offer.release_months,
        )
        if key not in known:
            known[key] = _steps(offer, months, horizon)
        table[row] = known[key]
    return table


def _validation(offer: Offer, months: int, horizon: int) -> int:
    before = int(np.ceil(offer.transfer_months_mode / months - SLACK)) - 1
    return min(max(before, 0), horizon - 1)


def _ppq(offer: Offer) -> int:
    return 0 if offer.qualified else offer.ppq_batches


def _days(line: Line, months: int, horizon: int) -> list[float]:
    """Line-days of each period with the expansion, from when on it can be there."""
    start = int(np.ceil(line.expansion_months / months - SLACK))
    return [line.days[t] + (line.expansion_days if t >= start else 0.0) for t in range(horizon)]


# Reasons in words.


def pair_reasons(program: Program, line: Line) -> Iterator[str]:
    """Why the line does not take such a program: form, molecule, stage, containment and so on."""
    name, ours = f"line {line.line_id}", f"the program {program.program_id}"
    if program.dosage_form not in line.dosage_forms:
        yield f"{name} makes {_list(line.dosage_forms)}, {ours} is {program.dosage_form}"
    if line.molecule_types and program.molecule_type not in line.molecule_types:
        yield f"{name} takes {_list(line.molecule_types)}, {ours} is {program.molecule_type}"
    if line.stages and program.stage not in line.stages:
        yield f"{name} works for {_list(line.stages)}, {ours} is at {program.stage}"
    oeb = UNKNOWN_OEB if program.max_oeb is None else program.max_oeb
    if line.max_oeb is not None and oeb > line.max_oeb:
        why = f" (max_oeb is blank, which counts as {oeb})" if program.max_oeb is None else ""
        yield f"{name} contains up to band {line.max_oeb}, {ours} needs band {oeb}{why}"
    schedule = program.controlled_schedule
    if schedule and schedule not in line.controlled_schedules:
        has = _list(line.controlled_schedules) or "no schedule"
        yield f"{name} is licensed for {has}, {ours} needs schedule {schedule}"
    if program.cold_chain and not line.cold_chain:
        yield f"{name} keeps no cold chain, which {ours} needs"
    if program.unit != line.unit:
        yield f"{name} counts in {line.unit}, {ours} in {program.unit}"


def _list(words: tuple[str, ...]) -> str:
    return ", ".join(words)


def window_reasons(program: Program, line: Line) -> Iterator[str]:
    """Why no batch size suits both the line and the program's registration."""
    low = program.batch_min or 0.0
    high = np.inf if program.batch_max is None else program.batch_max
    if max(low, line.batch_min) * (1 - SLACK) > min(high, line.batch_max) * (1 + SLACK):
        yield (f"{_window(line)}, the program's registered batch is {_registered(program)}")


def _window(line: Line) -> str:
    low, high = number(line.batch_min), number(line.batch_max)
    return f"line {line.line_id} takes {low} to {high} {line.unit}"


def _registered(program: Program) -> str:
    low, high, unit = program.batch_min, program.batch_max, program.unit
    if high is None:
        return f"{number(low or 0.0)} {unit} or more"
    return f"{'up' if low is None else number(low)} to {number(high)} {unit}"


def own_reasons(portfolio: Portfolio, offer: Offer) -> Iterator[str]:
    """Why this offer cannot serve, whoever else could: batch size, dates, line-days."""
    program, line = portfolio.programs[offer.program_id], portfolio.lines[offer.line_id]
    months, horizon = period_months(portfolio), len(portfolio.periods)
    yield from _size_reasons(program, line, offer)
    labels = [period.label for period in portfolio.periods]
    supply = first_supply_period(offer, months)
    if supply >= horizon:
        yield (
            f"offer {offer.offer_id} supplies first {supply * months} months from {labels[0]} "
            f"(transfer {offer.transfer_months_mode:g}, filing {offer.filing_months:g}, release "
            f"{offer.release_months:g} months), after the last period {labels[-1]}"
        )
    ready, lag, validation = _steps(offer, months, horizon)
    days = _days(line, months, horizon)
    usable = days[ready : horizon - lag]
    room = max(usable, default=0.0)
    if usable and not _fit(np.array(room - line.changeover_days), np.array(offer.days_per_batch)):
        yield (
            f"a batch of offer {offer.offer_id} takes {number(offer.days_per_batch)} days and "
            f"{number(line.changeover_days)} for changeover, line {line.line_id} offers at most "
            f"{number(room)} in a period"
        )
    ppq = _ppq(offer)
    needed = ppq * offer.days_per_batch + line.changeover_days * (ppq > 0)
    if needed > days[validation] + SLACK * (1.0 + needed):
        yield (
            f"the {ppq} validation batches of offer {offer.offer_id} take {number(needed)} days, "
            f"line {line.line_id} offers {number(days[validation])} in {labels[validation]}"
        )


def _size_reasons(program: Program, line: Line, offer: Offer) -> Iterator[str]:
    size = offer.batch_size
    has = f"offer {offer.offer_id} has batches of {number(size)} {program.unit}"
    if not line.batch_min * (1 - SLACK) <= size <= line.batch_max * (1 + SLACK):
        yield f"{has}, {_window(line)}"
    high = np.inf if program.batch_max is None else program.batch_max
    if not (program.batch_min or 0.0) * (1 - SLACK) <= size <= high * (1 + SLACK):
        yield f"{has}, the program's registered batch is {_registered(program)}"
