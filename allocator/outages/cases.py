"""Groups and start periods turned into outages of the problem's lines and offers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from allocator.calendar import period_months
from allocator.outages.groups import Group

if TYPE_CHECKING:
    from allocator.compile import Compiled
    from models.problem import Bools, Floats
    from models.recourse import Outage, Position


@dataclass(frozen=True)
class Case:
    """One group that stops at the start of one period."""

    group: Group
    event: Outage


def surge_of(compiled: Compiled) -> Floats:
    """Share of its days that each line can add while another is out, (L,)."""
    portfolio = compiled.portfolio
    own = (portfolio.lines[line_id].surge for line_id in compiled.problem.lines.ids)
    return np.array([portfolio.policy.surge if s is None else s for s in own], np.float64)


def struck(compiled: Compiled, group: Group) -> tuple[Bools, Bools]:
    """Lines (L,) that stand still, and offers (F,) that lack an input."""
    problem, portfolio = compiled.problem, compiled.portfolio
    lines = np.zeros(len(problem.lines.ids), np.bool_)
    inputs = np.zeros(len(problem.offers.ids), np.bool_)
    if group.kind == "shared_input":
        for f, offer_id in enumerate(problem.offers.ids):
            inputs[f] = group.member in portfolio.offers[offer_id].shared_inputs
    else:
        for row, line_id in enumerate(problem.lines.ids):
            lines[row] = portfolio.lines[line_id].cmo_id in group.cmos
    return lines, inputs


def event_of(compiled: Compiled, group: Group, start: int) -> Outage:
    """The outage of a group from the start of a period (its number) on."""
    from models.recourse import outage

    length = group.recover_months / period_months(compiled.portfolio)
    lines, inputs = struck(compiled, group)
    return outage(start, length, lines, inputs, compiled.problem.periods)


def cases(compiled: Compiled, position: Position, groups: tuple[Group, ...]) -> Iterator[Case]:
    """Every group at every start that takes something from the plan (`models.recourse.starts`)."""
    from models.recourse import starts

    for group in groups:
        length = group.recover_months / period_months(compiled.portfolio)
        if length > 0:
            for start in starts(position, *struck(compiled, group), length):
                yield Case(group, event_of(compiled, group, start))
