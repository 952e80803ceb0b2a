"""A plan under one outage, worked out from docs/stress.md alone: days, batches, stock, bounds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from allocator.audit.case import Case
from allocator.audit.eligible import obstacles
from allocator.audit.facts import EPS, ahead
from allocator.portfolio import Offer

#: Months to recover where cmos.csv is blank: the assumption of docs/risk.md.
RECOVER_MONTHS = 6.0

KINDS = ("cmo", "owner", "region", "country", "shared_input")

#: Batches of an offer per period.
Batches = dict[str, list[int]]


class Base:
    """What holds under every outage of one plan."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.facts = case.facts
        self.planned: Batches = {}
        self.stock = {i: [0.0] * self.facts.T for i in case.programs}
        self.unmet = {i: [0.0] * self.facts.T for i in case.programs}
        for stream in case.streams:
            name = stream.program.program_id
            for t in range(self.facts.T):
                self.stock[name][t] += stream.stock[t]
                self.unmet[name][t] += stream.unmet[t]
            if stream.offer is not None:
                self.planned[stream.offer_id] = [round(n) for n in stream.batches]

    @cached_property
    def usable(self) -> dict[str, Offer]:
        """Offers that may be turned to: the sources, and qualified ones at engaged CMOs."""
        case, found = self.case, {}
        sourced = {offer.program_id for _, _, offer in case.every_source()}
        for offer_id, offer in sorted(case.portfolio.offers.items()):
            spare = offer.qualified and case.makes[case.facts.cmo_of(offer)]
            if offer_id in self.planned or (
                spare and offer.program_id in sourced and not obstacles(case.facts, offer)
            ):
                found[offer_id] = offer
        return found

    @cached_property
    def usable_on(self) -> dict[str, list[Offer]]:
        """Usable offers of each line."""
        found: dict[str, list[Offer]] = {}
        for offer in self.usable.values():
            found.setdefault(offer.line_id, []).append(offer)
        return found

    @cached_property
    def usable_for(self) -> dict[str, list[Offer]]:
        """Usable offers of each program."""
        found: dict[str, list[Offer]] = {}
        for offer in self.usable.values():
            found.setdefault(offer.program_id, []).append(offer)
        return found

    @cached_property
    def cap(self) -> dict[str, list[float]]:
        """Most units of a program that may be kept at the end of each period."""
        found = {}
        for name, program in self.case.portfolio.programs.items():
            after, demand = self.facts.demand_after(program), list(program.demand)
            shelf = program.shelf_life_months / self.facts.M
            found[name] = [ahead(demand, after, t, shelf) for t in range(self.facts.T)]
        return found

    @cached_property
    def days(self) -> dict[str, list[float]]:
        """Days of each line, those of a bought expansion among them."""
        case = self.case
        return {
            line_id: [case.offered_days(line_id, t) for t in range(self.facts.T)]
            for line_id in case.portfolio.lines
        }

    @cached_property
    def validation_days(self) -> dict[str, tuple[int, float]]:
        """Period and line-days of the validation runs of each source that has any."""
        offers = [self.case.portfolio.offers[offer_id] for offer_id in self.planned]
        runs = {
            offer.offer_id: (self.facts.validation_period(offer), self.facts.validation_days(offer))
            for offer in offers
        }
        return {offer_id: run for offer_id, run in runs.items() if run[1] > 0}

    def surge(self, line_id: str) -> float:
        """Share of its days that a line can add while another is out."""
        own = self.case.portfolio.lines[line_id].surge
        return self.case.portfolio.policy.surge if own is None else own

    # ---- groups ----------------------------------------------------------------------------

    def members(self, kind: str) -> set[str]:
        """Everything of a kind that the plan depends on."""
        portfolio = self.case.portfolio
        sources = [portfolio.offers[offer_id] for offer_id in self.planned]
        if kind == "shared_input":
            return {name for offer in sources for name in offer.shared_inputs}
        cmos = {self.facts.cmo_of(offer) for offer in sources}
        return {self.member_of(cmo_id, kind) for cmo_id in cmos} - {""}

    def member_of(self, cmo_id: str, kind: str) -> str:
        """Owner, region or country of a CMO, or its own id."""
        return cmo_id if kind == "cmo" else str(getattr(self.case.portfolio.cmos[cmo_id], kind))

    def cmos(self, kind: str, member: str) -> list[str]:
        """CMOs of a group, for a shared input those with an offer that needs it."""
        portfolio = self.case.portfolio
        if kind == "shared_input":
            offers = portfolio.offers.values()
            return sorted({self.facts.cmo_of(o) for o in offers if member in o.shared_inputs})
        return sorted(i for i in portfolio.cmos if self.member_of(i, kind) == member)

    def recover_months(self, kind: str, member: str) -> float:
        """The policy's figure for the group, else the longest of its CMOs."""
        portfolio = self.case.portfolio
        given = [
            group.recover_months
            for group in portfolio.policy.outage_groups
            if group.kind == kind and group.member == member
        ]
        own = [portfolio.cmos[i].recover_months for i in self.cmos(kind, member)]
        return max(given or [RECOVER_MONTHS if months is None else months for months in own])

    def starts(self, kind: str, member: str) -> set[int]:
        """Periods whose outage takes something from the plan (docs/stress.md).

        Without any surge only those that take something at once, or delay a source a last time.
        """
        makes: set[int] = set()
        last: set[int] = set()
        for offer_id, counts in self.planned.items():
            offer = self.case.portfolio.offers[offer_id]
            if not self.strikes(kind, member, offer):
                continue
            makes |= {t for t, count in enumerate(counts) if count > 0}
            if not offer.qualified:
                last.add(max(self.facts.ready(offer) - 1, self.facts.validation_period(offer)))
        horizon = set(range(self.facts.T))
        if not any(self.surge(line_id) > 0 for line_id in self.case.portfolio.lines):
            return (makes | last) & horizon
        length = self.facts.periods_up(self.recover_months(kind, member))
        return {
            s for s in horizon if makes & set(range(s, s + length)) or any(t >= s for t in last)
        }

    def strikes(self, kind: str, member: str, offer: Offer) -> bool:
        """Whether an offer stops with a group."""
        if kind == "shared_input":
            return member in offer.shared_inputs
        return self.member_of(self.facts.cmo_of(offer), kind) == member


@dataclass(frozen=True)
class Outage:
    """One group of a plan that stops at the start of a period for some months."""

    base: Base
    kind: str
    member: str
    start: int
    months: float

    @cached_property
    def cover(self) -> list[float]:
        """Share of each period in which the group stands still."""
        periods = self.months / self.base.facts.M
        share = [min(1.0, max(0.0, periods - (t - self.start))) for t in range(self.base.facts.T)]
        return [0.0 if t < self.start or c < EPS else c for t, c in enumerate(share)]

    def strikes(self, offer: Offer) -> bool:
        """Whether an offer stops."""
        return self.base.strikes(self.kind, self.member, offer)

    def delay(self, offer: Offer) -> int:
        """Periods by which a source gets ready later: it stops, and isn't ready at the start."""
        facts = self.base.facts
        if offer.qualified or not self.strikes(offer):
            return 0
        waits = facts.ready(offer) > self.start or facts.validation_period(offer) >= self.start
        return facts.periods_up(self.months) if waits else 0

    def ready(self, offer: Offer) -> int:
        """First period in which a batch may start."""
        return self.base.facts.ready(offer) + self.delay(offer)

    @cached_property
    def validation(self) -> dict[tuple[str, int], float]:
        """Validation days by line and period, those of delayed sources later."""
        days: dict[tuple[str, int], float] = {}
        for offer_id, (t, needed) in self.base.validation_days.items():
            offer = self.base.case.portfolio.offers[offer_id]
            key = offer.line_id, t + self.delay(offer)
            days[key] = days.get(key, 0.0) + needed
        return days

    def room(self, line_id: str, t: int) -> float:
        """Line-days left for batches and changeovers."""
        days = self.base.days[line_id][t]
        cmo_id = self.base.case.portfolio.lines[line_id].cmo_id
        if self.kind != "shared_input" and self.base.member_of(cmo_id, self.kind) == self.member:
            days *= 1.0 - self.cover[t]
        else:
            days *= 1.0 + self.base.surge(line_id) * self.cover[t]
        return max(0.0, days - self.validation.get((line_id, t), 0.0))

    def fits(self, offer: Offer, t: int) -> int:
        """Batches that the line could hold alone, fewer while an input is missing; 0 too early."""
        if t < max(self.start, self.ready(offer)):
            return 0
        change = self.base.case.portfolio.lines[offer.line_id].changeover_days
        most = math.floor((self.room(offer.line_id, t) - change) / offer.days_per_batch + EPS)
        if self.kind == "shared_input" and self.strikes(offer):
            most = math.floor(most * (1.0 - self.cover[t]) + EPS)
        return max(0, most)

    def most(self, offer: Offer, t: int) -> int:
        """Batches that fit and could be of use: none that are released after the horizon."""
        facts, released = self.base.facts, t + self.base.facts.lag(offer)
        if released >= facts.T:
            return 0
        program = self.base.case.portfolio.programs[offer.program_id]
        useful = program.demand[released] + self.base.cap[offer.program_id][released]
        return min(self.fits(offer, t), math.ceil(useful / facts.good(offer) - EPS))

    # ---- supply ----------------------------------------------------------------------------

    def supply(self, program_id: str) -> list[float]:
        """Stock at the start, and what batches of the past release from then on."""
        facts, base = self.base.facts, self.base
        units = [0.0] * facts.T
        opening = base.case.portfolio.programs[program_id].opening_stock
        units[self.start] = base.stock[program_id][self.start - 1] if self.start else opening
        for offer in base.usable_for.get(program_id, []):
            for t, count in enumerate(base.planned.get(offer.offer_id, [])[: self.start]):
                released = t + facts.lag(offer)
                if self.start <= released < facts.T:
                    units[released] += count * facts.good(offer)
        return units

    def unmet(self, program_id: str, batches: Mapping[str, list[int]]) -> list[float]:
        """Demand unmet in each period from the start on, sources pooled."""
        facts, base = self.base.facts, self.base
        units = self.supply(program_id)
        for offer in base.usable_for.get(program_id, []):
            for t, count in enumerate(batches.get(offer.offer_id, [])):
                if t >= self.start and t + facts.lag(offer) < facts.T:
                    units[t + facts.lag(offer)] += count * facts.good(offer)
        demand = base.case.portfolio.programs[program_id].demand
        unmet, held = [0.0] * facts.T, 0.0
        for t in range(self.start, facts.T):
            left = held + units[t] - demand[t]
            unmet[t] = max(0.0, -left)
            held = min(max(0.0, left), base.cap[program_id][t])
        return unmet

    # ---- proof -----------------------------------------------------------------------------

    def proven(self, proof: Mapping[str, Any], spared: Mapping[str, float]) -> float:
        """The bound that weak duality gives for a proof's numbers (docs/stress.md).

        `spared` are the units that each program may be short beyond the plan's own unmet demand.
        What the proof names must exist, and its periods lie from the start on.
        """
        facts, base = self.base.facts, self.base
        total = 0.0
        for line_id, days in proof["line_days"].items():
            for label, value in days.items():
                total -= value * self.room(line_id, facts.labels.index(label))
        for program_id, value in proof["short"].items():
            planned = sum(base.unmet[program_id][self.start :])
            total -= value * (planned + spared[program_id])
        for program_id, values in proof["flow"].items():
            flow = [0.0] * facts.T
            for label, value in values.items():
                flow[self.base.facts.labels.index(label)] = value
            total += self._flow(program_id, flow, proof)
        return max(0.0, total)

    def _flow(self, program_id: str, flow: list[float], proof: Mapping[str, Any]) -> float:
        """What the flow of one program adds: demand less supply, each column at its better end."""
        facts, base = self.base.facts, self.base
        demand = base.case.portfolio.programs[program_id].demand
        supply, short = self.supply(program_id), proof["short"].get(program_id, 0.0)
        total = 0.0
        for t in range(self.start, facts.T):
            total += flow[t] * (demand[t] - supply[t]) + min(0.0, short - flow[t]) * demand[t]
            if t + 1 < facts.T:
                total += min(0.0, flow[t] - flow[t + 1]) * base.cap[program_id][t]
        for offer in base.usable_for.get(program_id, []):
            change = base.case.portfolio.lines[offer.line_id].changeover_days
            prices = proof["line_days"].get(offer.line_id, {})
            for t in range(self.start, facts.T - facts.lag(offer)):
                earned = flow[t + facts.lag(offer)] * facts.good(offer)
                most = self.most(offer, t) if earned > 0 else 0
                if most:
                    days = offer.days_per_batch + change / most
                    paid = prices.get(facts.labels[t], 0.0) * days
                    total += min(0.0, paid - earned) * most
        return total
