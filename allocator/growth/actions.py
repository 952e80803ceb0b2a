"""What must be signed, audited, transferred and expanded by which date, and the budget by year.

A plan (`level.py` says which) tells what is needed; the months of each step say when it must start.
`planned` is the date on which everything starts at once, `latest` the last date that still serves
the first batch that the plan runs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from allocator.calendar import EPS
from allocator.growth.more_days import action, extra_days, month_of
from allocator.plan_detail import Detail, detail
from allocator.risk.steps import STEPS, steps_of
from models.evaluate import evaluate

if TYPE_CHECKING:
    from allocator.growth.answers import Answer
    from allocator.growth.case import Case
    from allocator.portfolio import Offer, Portfolio

#: What each step of a chain is called as an action.
WORDS = {
    "audit_slot": "audit",
    "contract": "sign contract and quality agreement",
    "transfer": "transfer technology",
    "engineering": "make engineering batches",
    "validation": "make validation batches",
    "stability": "put batches on stability",
    "filing": "file",
    "review": "review by the authority",
}


#: Months from asking for an audit to supply from a CMO to which nothing is transferred: audits are
#: booked 2 to 4 months ahead (as the step `audit_slot` of `risk/steps.py` has it), and answering
#: and closing the findings takes about two. An assumption.
AUDIT_MONTHS = 3.0 + 2.0


def action_list(case: Case, answer: Answer) -> dict[str, Any]:
    """`actions` by date, and `budget`: cash of the plan by year, and what is beyond today's."""
    spelt = detail(answer.compiled.problem, answer.decision)
    portfolio = answer.compiled.portfolio
    chains = _qualifications(case, portfolio, spelt)
    actions = [
        *chains,
        *_new_partners(case, portfolio, spelt, chains),
        *extra_days(case, portfolio, spelt),
        *_given_up(case, portfolio, spelt),
    ]
    actions.sort(key=lambda a: (a["latest"], a["planned"], a["what"], a["id"]))
    return {"answer": answer.name, "actions": actions, "budget": _budget(case, spelt)}


def _qualifications(case: Case, portfolio: Portfolio, spelt: Detail) -> list[dict[str, Any]]:
    """Every step of every chain that the plan needs, qualified nowhere yet."""
    months = portfolio.periods[0].months
    rows = []
    for stream in spelt.streams:
        if stream.offer is None:
            continue
        offer = portfolio.offers[spelt.problem.offers.ids[stream.offer]]
        if offer.qualified:
            continue
        started = np.flatnonzero(stream.batches > 0)
        ready = int(spelt.problem.offers.ready[stream.offer])
        first = int(started[0]) if len(started) else ready
        slack = (first - ready) * months
        rows += _chain(portfolio, offer, slack, _is_new(case, offer))
    return rows


def _is_new(case: Case, offer: Offer) -> bool:
    """Whether today's plan does not use the offer's program on this line."""
    problem = case.compiled.problem
    line = problem.lines.ids.index(offer.line_id)
    program = problem.programs.ids.index(offer.program_id)
    options, row = problem.options, int(case.decision.option[program])
    own = [s for s in (int(options.first[row]), int(options.second[row])) if s >= 0]
    return line not in {int(problem.offers.line[problem.streams.offer[s]]) for s in own}


def _chain(portfolio: Portfolio, offer: Offer, slack: float, new: bool) -> list[dict[str, Any]]:
    """The steps of one qualification; `slack` months may pass before it must start."""
    rows, at = [], 0.0
    cmo_id = portfolio.lines[offer.line_id].cmo_id
    total = sum(step.mode for step in steps_of(portfolio, offer) if step.name in STEPS[:8])
    spare = max(0.0, _whole(portfolio, offer) - total) + slack
    for step in steps_of(portfolio, offer):
        if step.name not in WORDS:
            continue
        if step.mode > EPS:
            rows.append(
                {
                    "what": WORDS[step.name],
                    "id": f"{offer.program_id} at {offer.line_id}",
                    "cmo_id": cmo_id,
                    "program_id": offer.program_id,
                    "line_id": offer.line_id,
                    "planned": month_of(portfolio, at),
                    "latest": month_of(portfolio, at + spare),
                    "months": step.mode,
                    "cost": offer.transfer_cost if step.name == "transfer" else None,
                    "new": new,
                    "assumed": step.assumed,
                }
            )
        at += step.mode
    return rows


def _whole(portfolio: Portfolio, offer: Offer) -> float:
    """Months until the offer may run, rounded up to whole periods."""
    from allocator.calendar import ready_period

    months = portfolio.periods[0].months
    return ready_period(offer, months) * float(months)


def _new_partners(
    case: Case, portfolio: Portfolio, spelt: Detail, chains: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """CMOs engaged for the first time: agreement signed before the first thing done there.

    That is the first step of a chain, or the first batch of what is qualified there already, less
    the months of an audit.
    """
    problem, months = spelt.problem, portfolio.periods[0].months
    was = evaluate(case.compiled.problem, case.decision).engaged > 0
    rows = []
    for k in np.flatnonzero((spelt.value.engaged > 0) & ~was).tolist():
        cmo_id = problem.cmos.ids[k]
        begun = [
            int(np.flatnonzero(stream.batches > 0)[0])
            for stream in spelt.streams
            if stream.offer is not None
            and problem.offer_cmo[stream.offer] == k
            and problem.offers.qualified[stream.offer]
            and (stream.batches > 0).any()
        ]
        latest = [row["latest"] for row in chains if row["cmo_id"] == cmo_id]
        audits = [month_of(portfolio, max(0.0, t * months - AUDIT_MONTHS)) for t in begun]
        first = min([*latest, *audits], default=month_of(portfolio, 0.0))
        row = action("engage the CMO: audit and quality agreement", cmo_id, portfolio, first)
        cost = float(problem.cmos.onboarding_cost[k])
        rows.append(row | {"cmo_id": cmo_id, "cost": cost, "assumed": first in audits})
    return rows


def _given_up(case: Case, portfolio: Portfolio, spelt: Detail) -> list[dict[str, Any]]:
    """Programs without a source: to be decided before the first month in which they are short."""
    today = case.compiled.problem.options.first[case.decision.option]
    rows = []
    for stream in spelt.streams:
        short = np.flatnonzero(stream.unmet > EPS)
        if stream.offer is not None or not len(short):
            continue
        name = spelt.problem.programs.ids[stream.program]
        latest = month_of(portfolio, float(short[0] * portfolio.periods[0].months))
        row = action("give the program up, or find it a source", name, portfolio, latest)
        rows.append(row | {"program_id": name, "new": bool(today[stream.program] >= 0)})
    return rows


def _budget(case: Case, spelt: Detail) -> list[dict[str, Any]]:
    """Cash by year and line of cost, and what today's plan would spend in the year."""
    today = detail(case.compiled.problem, case.decision)
    now, was = _by_year(spelt), _by_year(today)
    rows = []
    for year in spelt.problem.year_labels:
        lines = {line: amount for (y, line), amount in sorted(now.items()) if y == year}
        total = sum(lines.values())
        before = sum(amount for (y, _), amount in was.items() if y == year)
        rows.append(
            {"year": year, "cash": total, "cash_today": before, "more": total - before}
            | {"lines": lines}
        )
    return rows


def _by_year(spelt: Detail) -> dict[tuple[str, str], float]:
    """Cash by year and line of cost; shortage, safety stock and risk are no cash."""
    sums: dict[tuple[str, str], float] = {}
    for booking in spelt.bookings:
        if booking.period is None or booking.line in ("shortage", "safety_stock", "risk"):
            continue
        year = spelt.problem.year_labels[int(spelt.problem.year[booking.period])]
        key = (year, booking.line)
        sums[key] = sums.get(key, 0.0) + booking.amount
    return sums
