"""Demand in units, what it asks of each line, and the line-days that make it as tight as wished."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from allocator.generator.draw import significant
from allocator.generator.network import Network
from allocator.generator.pipeline import Draft
from allocator.generator.quotes import MONTHS, Quote

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Tightness at which demand is set; `utilisation` then changes the line-days alone.
REFERENCE_UTILISATION = 0.85
#: Largest program, as a share of the line-days of an average line of its technology.
LARGEST_PROGRAM = 0.7
#: Line-days per quarter beyond which no single line is offered.
MOST_DAYS = 130.0


@dataclass(frozen=True)
class Book:
    """All quotes in arrays (F,), and `weight`: the share of its program each is likely to win."""

    program: Ints
    suite: Ints
    good: Floats
    price: Floats
    days: Floats
    changeover_days: Floats
    validation_days: Floats
    ready: Ints
    weight: Floats

    def batches(self, demand: Floats) -> Floats:
        """Batches per quote and period (F, T) when every program is bought by weight.

        In each period only the offers that are ready count; where none is, nothing is made.
        """
        count, periods = demand.shape
        weight = self.weight[:, None] * (np.arange(periods) >= self.ready[:, None])
        total = np.zeros((count, periods))
        np.add.at(total, self.program, weight)
        share = weight / np.maximum(total, 1e-300)[self.program]
        batches: Floats = demand[self.program] * share / self.good[:, None]
        return batches

    def load(self, demand: Floats, lines: int) -> Floats:
        """Line-days per line and period (L, T) that `demand` (P, T) asks for, changeovers too."""
        batches = self.batches(demand)
        days = batches * self.days[:, None]
        days += np.minimum(batches, 1.0) * self.changeover_days[:, None]
        load = np.zeros((lines, demand.shape[1]))
        np.add.at(load, self.suite, days)
        return load


def open_book(network: Network, quotes: Sequence[Quote]) -> Book:
    """Arrays of the quotes; a program leans to its incumbents and to the cheap ones.

    It shuns CMOs that fail the inspection gate.
    """
    suites = network.suites
    program = np.array([quote.program for quote in quotes], np.int64)
    good = np.array([quote.good for quote in quotes])
    price = np.array([quote.price for quote in quotes])
    lean = np.array([0.8 if quote.qualified else 1.15 for quote in quotes])
    lean *= [3.0 if network.sites[suites[quote.suite].site].gated else 1.0 for quote in quotes]
    changeover = np.array([suites[quote.suite].changeover_days for quote in quotes])
    days = np.array([quote.days for quote in quotes])
    unit = price / good * lean
    cheapest = np.full(int(program.max()) + 1, np.inf)
    np.minimum.at(cheapest, program, unit)
    weight = np.exp(-(unit / cheapest[program] - 1.0) / 0.08)
    weight /= np.bincount(program, weight)[program]
    ppq = np.array([0 if quote.qualified else quote.ppq_batches for quote in quotes])
    return Book(
        program=program,
        suite=np.array([quote.suite for quote in quotes], np.int64),
        good=good,
        price=price,
        days=days,
        changeover_days=changeover,
        validation_days=np.where(ppq > 0, ppq * days + changeover, 0.0),
        ready=np.array([quote.ready for quote in quotes], np.int64),
        weight=weight,
    )


def make_demand(
    rng: np.random.Generator, network: Network, drafts: Sequence[Draft], quotes: Sequence[Quote]
) -> Floats:
    """Demand (P, T) in units, so large that the average line is about as busy as in the trade.

    A program that nobody makes yet starts when the second-fastest quote could supply; one in ten
    starts a period earlier than it should.
    """
    ready: list[list[int]] = [[] for _ in drafts]
    for quote in quotes:
        ready[quote.program].append(quote.ready + quote.lag if not quote.qualified else 0)
    rows = []
    for draft, starts in zip(drafts, ready, strict=True):
        profile = np.array(draft.profile)
        late = sorted(starts)[min(1, len(starts) - 1)] if min(starts) > 0 else 0
        late -= int(late > 1 and rng.random() < 0.1)
        late = min(late, max(0, len(profile) - 3))
        moved = np.concatenate([np.zeros(late), profile])[: len(profile)]
        if not moved.any():
            moved[-2:] = max(draft.profile)
        rows.append(0.95 * draft.batch * moved)
    demand = np.array(rows)
    book = open_book(network, quotes)
    load = book.load(demand, len(network.suites))
    per_unit = np.bincount(book.program, book.weight * book.days / book.good)
    alone = demand.max(1) * per_unit  # line-days of the busiest period at the likely offer
    for platform in network.platforms:
        lines = list(network.of[platform.key])
        mine = [row for row, draft in enumerate(drafts) if draft.platform is platform]
        busy = float(load[lines].mean()) / REFERENCE_UTILISATION
        if mine and busy > 0:
            factor = min(max(platform.suite_days / busy, 0.35), 5.0)
            room = LARGEST_PROGRAM * platform.suite_days / np.maximum(alone[mine], 1e-9)
            demand[mine] *= np.minimum(factor, np.maximum(room, 0.35))[:, None]
    return np.array([[significant(units) for units in row] for row in demand.tolist()])


def settle(network: Network, book: Book, demand: Floats) -> Book:
    """The book with the weights moved from lines that many want to the next best offers.

    A line that could not hold its load even at its largest is quoted but rarely had.
    """
    most = MOST_DAYS * REFERENCE_UTILISATION
    for _ in range(12):
        load = book.load(demand, len(network.suites)).mean(1)
        room = np.minimum(most / np.maximum(load, 1e-9), 1.0)
        if float(room.min()) > 0.8:
            break
        weight = book.weight * room[book.suite] ** 0.7
        weight /= np.bincount(book.program, weight)[book.program]
        book = replace(book, weight=weight)
    return book


def make_days(
    rng: np.random.Generator,
    network: Network,
    book: Book,
    demand: Floats,
    utilisation: float,
    yearly: bool = True,
) -> Floats:
    """Whole line-days per line and period (L, T) offered, at `utilisation` in total.

    A contract fixes the days of a line for a year (four periods) and follows its demand half-way;
    lines differ in how much room they leave, so the wanted ones are scarce. Every line can hold the
    largest batch and the largest validation that it quoted.
    """
    load = book.load(demand, len(network.suites))
    lines, periods = load.shape
    target = float(load.sum()) / utilisation
    mean = load.mean(1, keepdims=True)
    shape = np.repeat(mean, periods, axis=1)
    if yearly:
        years = np.arange(periods) // (12 // MONTHS)
        for year in range(int(years[-1]) + 1):
            now = years == year
            shape[:, now] = 0.5 * mean + 0.5 * load[:, now].mean(1, keepdims=True)
    shape = np.maximum(shape, 0.15 * float(load.mean())) * rng.uniform(0.85, 1.15, (lines, 1))
    least = np.zeros(lines)
    np.maximum.at(least, book.suite, 1.2 * (book.days + book.changeover_days))
    np.maximum.at(least, book.suite, book.validation_days)
    factor = 1.0
    days = shape
    for _ in range(40):
        days = np.clip(shape * factor, least[:, None], MOST_DAYS)
        factor *= target / float(days.sum())
    whole: Floats = np.maximum(np.rint(days), np.ceil(least)[:, None])
    return whole


def capacity_ratio(book: Book, demand: Floats, days: Floats) -> float:
    """Demanded over offered line-days, both summed over lines and periods."""
    return float(book.load(demand, len(days)).sum() / days.sum())
