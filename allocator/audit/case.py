"""One run under audit: what the plan decided, and everything recomputed from that.

Of the plan only the *decisions* are taken: each program's offers, shares and batches, and the
expanded lines. Every other figure is worked out again here and compared by the rules.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from allocator.audit.facts import Facts
from allocator.audit.load import Loaded, Row
from allocator.audit.streams import Stream, follow, shares_of
from allocator.portfolio import Offer, Portfolio

#: Line of the costs, program, CMO, period label; "" where it belongs to none.
Key = tuple[str, str, str, str]


class Case:
    """A plan that could be read, with the facts of the inputs that could be read."""

    def __init__(self, run: Loaded, plan: dict[str, Any], portfolio: Portfolio) -> None:
        self.run = run
        self.plan = plan
        self.portfolio = portfolio
        self.facts = Facts(portfolio)

    @property
    def has_plan(self) -> bool:
        """Whether the run says that it has a plan."""
        return self.plan["status"] in ("optimal", "feasible")

    def table(self, name: str) -> list[Row]:
        """Rows of a CSV file, none where it could not be read (which is a finding already)."""
        return self.run.tables.get(name) or []

    # ---- decisions -------------------------------------------------------------------------

    @cached_property
    def programs(self) -> dict[str, dict[str, Any]]:
        """What plan.json says of each program of the portfolio; of a doubled one, first."""
        found: dict[str, dict[str, Any]] = {}
        for entry in self.plan["programs"]:
            if entry["program_id"] in self.portfolio.programs:
                found.setdefault(entry["program_id"], entry)
        return dict(sorted(found.items()))

    def sources(self, program_id: str) -> list[tuple[dict[str, Any], Offer]]:
        """The sources of a program that are offers of it, each with its offer.

        Any other source is a finding of `eligible` and makes nothing.
        """
        offers = self.portfolio.offers
        return [
            (source, offers[source["offer_id"]])
            for source in self.programs[program_id]["sources"]
            if source["offer_id"] in offers and offers[source["offer_id"]].program_id == program_id
        ]

    def every_source(self) -> Iterator[tuple[str, dict[str, Any], Offer]]:
        """Every source of the plan whose offer is known: program id, entry, offer."""
        for program_id in self.programs:
            for source, offer in self.sources(program_id):
                yield program_id, source, offer

    def batches(self, source: dict[str, Any]) -> list[float]:
        """Batches of a source per period, (T,)."""
        return [float(source["batches"].get(label, 0)) for label in self.facts.labels]

    @cached_property
    def expanded(self) -> set[str]:
        """Lines that the plan expands."""
        return {line["line_id"] for line in self.plan["lines"] if line["expanded"]}

    @cached_property
    def makes(self) -> dict[str, set[str]]:
        """CMO -> the programs it makes; every CMO of the portfolio."""
        made: dict[str, set[str]] = {cmo_id: set() for cmo_id in sorted(self.portfolio.cmos)}
        for program_id, _, offer in self.every_source():
            made[self.facts.cmo_of(offer)].add(program_id)
        return made

    # ---- stock -----------------------------------------------------------------------------

    @cached_property
    def streams(self) -> list[Stream]:
        """Every stream with its stock followed from period to period."""
        streams, facts = [], self.facts
        for program_id in self.programs:
            program, sources = self.portfolio.programs[program_id], self.sources(program_id)
            if not sources:
                none = [0.0] * facts.T
                streams.append(Stream(program, None, "", none, [1.0] * facts.T))
            for source, offer in sources:
                offers = [each for _, each in sources]
                shares = shares_of(facts, float(source["share"]), offer, offers)
                cmo_id, batches = facts.cmo_of(offer), self.batches(source)
                streams.append(Stream(program, offer, cmo_id, batches, shares))
        for stream in streams:
            follow(facts, stream)
        return streams

    @cached_property
    def stream_by_key(self) -> dict[tuple[str, str], Stream]:
        """Streams by program and offer id."""
        return {(s.program.program_id, s.offer_id): s for s in self.streams}

    @cached_property
    def unmet(self) -> dict[str, float]:
        """Units of demand not met, by program."""
        unmet = dict.fromkeys(self.programs, 0.0)
        for stream in self.streams:
            unmet[stream.program.program_id] += sum(stream.unmet)
        return unmet

    # ---- lines -----------------------------------------------------------------------------

    @cached_property
    def line_use(self) -> dict[tuple[str, int], dict[str, float]]:
        """Days of batches, changeovers and validation of every line and period."""
        facts = self.facts
        use = {
            (line_id, t): {"batch_days": 0.0, "changeover_days": 0.0, "validation_days": 0.0}
            for line_id in sorted(self.portfolio.lines)
            for t in range(facts.T)
        }
        for _, source, offer in self.every_source():
            change = self.portfolio.lines[offer.line_id].changeover_days
            for t, count in enumerate(self.batches(source)):
                use[offer.line_id, t]["batch_days"] += count * offer.days_per_batch
                use[offer.line_id, t]["changeover_days"] += change if count > 0 else 0.0
            when = facts.validation_period(offer)
            use[offer.line_id, when]["validation_days"] += facts.validation_days(offer)
        return use

    def offered_days(self, line_id: str, t: int) -> float:
        """Days of a line in a period, those of a bought expansion among them."""
        return self.portfolio.lines[line_id].days[t] + self.expansion_days(line_id, t)

    def expansion_days(self, line_id: str, t: int) -> float:
        """Days that the line's expansion adds in a period, where the plan has bought it."""
        line = self.portfolio.lines[line_id]
        ready = self.facts.periods_up(line.expansion_months)
        return line.expansion_days if line_id in self.expanded and t >= ready else 0.0

    # ---- money -----------------------------------------------------------------------------

    @cached_property
    def spend(self) -> dict[tuple[str, str], float]:
        """Batches and validation by CMO and calendar year; every CMO and year."""
        spend = {(k, y): 0.0 for k in sorted(self.portfolio.cmos) for y in self.facts.years}
        for _, source, offer in self.every_source():
            cmo_id = self.facts.cmo_of(offer)
            for t, count in enumerate(self.batches(source)):
                spend[cmo_id, self.facts.year[t]] += count * offer.price_per_batch
            when = self.facts.validation_period(offer)
            spend[cmo_id, self.facts.year[when]] += self.facts.validation_cost(offer)
        return spend

    def take_or_pay(self, cmo_id: str, year: str) -> float:
        """What an engaged CMO's spend lacks to its floor of the year."""
        yearly = self.portfolio.cmos[cmo_id].min_annual_spend
        floor = yearly * self.facts.months_of_year(year) / 12.0
        return max(0.0, floor - self.spend[cmo_id, year]) if self.makes[cmo_id] else 0.0

    def rebate(self, cmo_id: str, year: str) -> float:
        """Rebate of the highest tier that the year's spend with a CMO reaches."""
        spend, rate = self.spend[cmo_id, year], 0.0
        tiers = self.portfolio.tiers.get(cmo_id, ())
        for tier in sorted(tiers, key=lambda tier: tier.spend_from):
            if spend >= tier.spend_from * (1.0 - 1e-9):
                rate = tier.rebate
        return rate * spend

    def annual_fees(self, cmo_id: str) -> float:
        """Oversight fees of a CMO over the horizon, were it engaged."""
        return self.portfolio.cmos[cmo_id].annual_fee * self.facts.T * self.facts.M / 12.0

    @cached_property
    def bookings(self) -> dict[Key, float]:
        """Every amount of the plan but risk, by line, program, CMO and period label."""
        books: dict[Key, float] = defaultdict(float)
        for stream in self.streams:
            self._book_stream(books, stream)
        labels, facts = self.facts.labels, self.facts
        for cmo_id, programs in self.makes.items():
            if not programs:
                continue
            cmo = self.portfolio.cmos[cmo_id]
            books["onboarding", "", cmo_id, labels[0]] += cmo.onboarding_cost
            for label in labels:
                books["annual_fees", "", cmo_id, label] += self.annual_fees(cmo_id) / facts.T
            for year in facts.years:
                label = labels[facts.last_period(year)]
                books["take_or_pay", "", cmo_id, label] += self.take_or_pay(cmo_id, year)
                books["rebates", "", cmo_id, label] -= self.rebate(cmo_id, year)
        for line_id in sorted(self.expanded & self.portfolio.lines.keys()):
            line = self.portfolio.lines[line_id]
            books["expansions", "", line.cmo_id, labels[0]] += line.expansion_cost
        return dict(books)

    def _book_stream(self, books: dict[Key, float], stream: Stream) -> None:
        """Batches, changeovers, validation, transfer, holding, shortage, safety stock."""
        facts, offer, program = self.facts, stream.offer, stream.program
        key = (program.program_id, stream.cmo_id)
        if offer is not None:
            when = facts.labels[facts.validation_period(offer)]
            books["validation", *key, when] += facts.validation_cost(offer)
            books["transfer", *key, when] += facts.transfer_cost(offer)
            change = self.portfolio.lines[offer.line_id].changeover_cost
            for label, count in zip(facts.labels, stream.batches, strict=True):
                books["batches", *key, label] += count * offer.price_per_batch
                books["changeovers", *key, label] += change if count > 0 else 0.0
        scrapped = 0.0
        for t, label in enumerate(facts.labels):
            scrapped += stream.scrap[t]
            kept = stream.stock[t] + scrapped
            gap = max(0.0, stream.target[t] - stream.stock[t])
            books["holding", *key, label] += facts.holding_price(program) * kept
            books["shortage", *key, label] += facts.shortage_price(program) * stream.unmet[t]
            books["safety_stock", *key, label] += facts.safety_price(program) * gap

    @cached_property
    def risks(self) -> dict[str, tuple[float, float, float]]:
        """Late months, lost months and weighted risk money of each program's option."""
        from allocator.audit.risk import option_risk

        weight = self.portfolio.policy.risk_weight
        found = {}
        for program_id in self.programs:
            chosen = [(o.offer_id, float(s["share"])) for s, o in self.sources(program_id)]
            late, lost, money = option_risk(self.portfolio, program_id, chosen)
            found[program_id] = (late, lost, weight * money)
        return found

    def cost_line(self, line: str) -> float:
        """Recomputed total of one cost line."""
        return self._cost_lines.get(line, 0.0)

    @cached_property
    def _cost_lines(self) -> dict[str, float]:
        sums: dict[str, float] = defaultdict(float)
        for (line, _, _, _), amount in self.bookings.items():
            sums[line] += amount
        sums["risk"] = sum(money for _, _, money in self.risks.values())
        return sums

    @cached_property
    def program_costs(self) -> dict[tuple[str, str], float]:
        """Recomputed cost lines by program and line."""
        costs: dict[tuple[str, str], float] = defaultdict(float)
        for (line, program_id, _, _), amount in self.bookings.items():
            costs[program_id, line] += amount
        for program_id, (_, _, money) in self.risks.items():
            costs[program_id, "risk"] += money
        return costs
