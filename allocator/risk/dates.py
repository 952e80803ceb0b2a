"""When the chosen sources of a plan are likely to supply first, and which step holds them back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from allocator.calendar import month_label
from allocator.risk.chain import quantile, share_of_total
from allocator.risk.explain import reached
from allocator.risk.steps import steps_of

if TYPE_CHECKING:
    from allocator.compile import Compiled


@dataclass(frozen=True)
class SupplyDates:
    """Months by which a program first supplies with a probability of 50 and 90 %; `2028-07`.

    `critical_step` is the step that is latest in a future at the P90 date, of the source that is
    planned to supply first; None where it has no steps (it is qualified).
    """

    p50_date: str
    p90_date: str
    critical_step: str | None


def supply_dates(compiled: Compiled, option_row: int) -> SupplyDates | None:
    """The dates of one option: the earlier of its sources; None for the unsourced option."""
    problem, tables = compiled.problem, compiled.portfolio
    options, streams = problem.options, problem.streams
    chosen = [int(row) for row in (options.first[option_row], options.second[option_row])]
    offers = [int(streams.offer[row]) for row in chosen if row >= 0]
    if not offers:
        return None
    rows = {offer_id: row for row, offer_id in enumerate(compiled.basis.offer_ids)}
    names = [problem.offers.ids[f] for f in offers]
    odds = [float(compiled.basis.slip_log_odds[rows[name]]) for name in names]
    late = [reached(tables, tables.offers[n], o) for n, o in zip(names, odds, strict=True)]
    points = min(len(row) for row in late)
    both = np.prod([row[:points] for row in late], axis=0)
    first = min(range(len(offers)), key=lambda i: int(problem.offers.first_supply[offers[i]]))
    steps = steps_of(tables, tables.offers[names[first]])
    critical = None
    if steps:
        months = np.array([[s.low, s.mode, s.high] for s in steps])
        at_p90 = share_of_total(months, quantile(late[first], 0.9))
        slips = [took - step.mode for took, step in zip(at_p90, steps, strict=True)]
        critical = steps[int(np.argmax(slips))].name
    start = tables.periods[0].first_month
    dates = [month_label(start, quantile(both, probability)) for probability in (0.5, 0.9)]
    return SupplyDates(dates[0], dates[1], critical)
