"""May an offer be used at all? Worked out from the tables, apart from `allocator.eligibility`."""

from __future__ import annotations

from collections.abc import Iterator

from allocator.audit.facts import Facts
from allocator.audit.gates import gate_obstacles
from allocator.portfolio import Line, Offer, Program

#: Containment band of a program that states none.
UNKNOWN_OEB = 4


def obstacles(facts: Facts, offer: Offer) -> list[str]:
    """Every reason why an offer may not be used; none where it may."""
    portfolio = facts.portfolio
    program, line = portfolio.programs[offer.program_id], portfolio.lines[offer.line_id]
    return [
        *_line_obstacles(program, line),
        *_batch_obstacles(program, line, offer),
        *gate_obstacles(facts, portfolio.cmos[line.cmo_id]),
        *_time_obstacles(facts, offer),
    ]


def _line_obstacles(program: Program, line: Line) -> Iterator[str]:
    """The line takes the form, the molecule, the stage, the containment band and the rest."""
    if program.unit != line.unit:
        yield f"line {line.line_id} counts in {line.unit}, not {program.unit}"
    if program.dosage_form not in line.dosage_forms:
        yield f"line {line.line_id} does not make {program.dosage_form}"
    if line.molecule_types and program.molecule_type not in line.molecule_types:
        yield f"line {line.line_id} does not take {program.molecule_type}"
    if line.stages and program.stage not in line.stages:
        yield f"line {line.line_id} does not work for {program.stage}"
    needed = UNKNOWN_OEB if program.max_oeb is None else program.max_oeb
    if line.max_oeb is not None and line.max_oeb < needed:
        yield f"line {line.line_id} contains band {line.max_oeb}, {needed} is needed"
    schedule = program.controlled_schedule
    if schedule and schedule not in line.controlled_schedules:
        yield f"line {line.line_id} is not licensed for schedule {schedule}"
    if program.cold_chain and not line.cold_chain:
        yield f"line {line.line_id} keeps no cold chain"


def _batch_obstacles(program: Program, line: Line, offer: Offer) -> Iterator[str]:
    """The batch fits the line and the registered range."""
    size = offer.batch_size
    if not line.batch_min * (1 - 1e-9) <= size <= line.batch_max * (1 + 1e-9):
        yield f"line {line.line_id} runs {line.batch_min:g} to {line.batch_max:g}, not {size:g}"
    low = 0.0 if program.batch_min is None else program.batch_min
    high = size if program.batch_max is None else program.batch_max
    if not low * (1 - 1e-9) <= size <= high * (1 + 1e-9):
        yield f"{size:g} lies outside the registered batch of {program.program_id}"


def _time_obstacles(facts: Facts, offer: Offer) -> Iterator[str]:
    """The offer supplies before the horizon ends, and its line has the days for it."""
    if facts.first_supply(offer) >= facts.T:
        yield "it cannot supply within the horizon"
        return
    line = facts.portfolio.lines[offer.line_id]
    built = facts.periods_up(line.expansion_months)
    days = [line.days[t] + (line.expansion_days if t >= built else 0.0) for t in range(facts.T)]
    room = max(days[facts.ready(offer) : facts.T - facts.lag(offer)])
    if room - line.changeover_days < offer.days_per_batch * (1 - 1e-9):
        yield f"line {line.line_id} never has the days for a batch"
    needed = facts.validation_days(offer)
    if needed > days[facts.validation_period(offer)] + 1e-9 * (1 + needed):
        yield f"line {line.line_id} has not the days for its validation"
