"""Quotes: what each invited line asks for a program, and where it is already made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np
import numpy.typing as npt

from allocator.generator.draw import between, half, pick, significant
from allocator.generator.network import Network, Suite
from allocator.generator.pipeline import Draft

MONTHS = 3  # per period
Floats = npt.NDArray[np.float64]

#: Share of programs of a stage that are made somewhere already.
INCUMBENT_SHARE = {
    "commercial": 1.0,
    "phase3": 0.55,
    "phase2": 0.5,
    "phase1": 0.4,
    "preclinical": 0.25,
}
#: Transfer months, transfer cost, validation batches and whether a filing is needed, by stage.
CHAIN = {
    "commercial": (1.0, 1.0, 3, True),
    "phase3": (0.8, 0.7, 3, False),
    "phase2": (0.5, 0.3, 1, False),
    "phase1": (0.4, 0.2, 1, False),
    "preclinical": (0.35, 0.15, 1, False),
}


@dataclass(frozen=True, slots=True)
class Quote:
    """One row of offers.csv; `program` and `suite` are rows of their lists."""

    program: int
    suite: int
    batch_size: float
    price: float
    days: float
    yield_: float
    fail_rate: float
    qualified: bool
    transfer_cost: float
    transfer_months: tuple[float, float, float]
    ppq_batches: int
    filing_months: float
    release_months: float
    shared_inputs: tuple[str, ...]

    @property
    def good(self) -> float:
        """Expected saleable units per batch."""
        return self.batch_size * self.yield_ * (1.0 - self.fail_rate)

    @property
    def ready(self) -> int:
        """First period in which a commercial batch may start."""
        months = 0.0 if self.qualified else self.transfer_months[1] + self.filing_months
        return ceil(months / MONTHS - 1e-9)

    @property
    def lag(self) -> int:
        """Periods from the start of a batch to its release."""
        return int(self.release_months / MONTHS + 0.5)


def make_quotes(
    rng: np.random.Generator, network: Network, drafts: Sequence[Draft], periods: int
) -> list[Quote]:
    """Quotes of every program, sorted by program and line; some lines quote two batch sizes."""
    cmos = len(network.sites)
    fewest, most = (4, 8) if cmos < 20 else (8, 12) if cmos < 80 else (8, 15)
    quotes: list[Quote] = []
    busy = np.zeros(len(network.suites))
    for program, draft in enumerate(drafts):
        invited = _invite(rng, network, draft, int(rng.integers(fewest, most)))
        home = _incumbents(rng, network, draft, invited, busy)
        inputs = (f"API-{draft.program_id}-A", f"API-{draft.program_id}-B")
        for suite in sorted(invited):
            maker = inputs[0] if suite in home or rng.random() < 0.7 else inputs[1]
            part = f"{draft.platform.key.upper()}-PARTS-{int(rng.integers(1, 4))}"
            mine = _quote(rng, network, program, draft, suite, periods)
            mine = replace(mine, qualified=suite in home, shared_inputs=(maker, part))
            quotes.append(mine)
            other = _other_size(rng, draft, network.suites[suite], mine)
            if other is not None:
                quotes.append(other)
    return quotes


def _invite(rng: np.random.Generator, network: Network, draft: Draft, count: int) -> list[int]:
    """Lines that quote: up to `count` sound ones, the popular first, of two CMOs where there are
    two, and now and then one whose CMO fails the inspection gate.
    """
    rows = np.array(draft.suites, np.int64)
    wanted = np.array([network.suites[row].popularity for row in rows])
    keys = np.log(wanted) - np.log(rng.exponential(size=len(rows)))
    order: list[int] = rows[np.argsort(-keys, kind="stable")].tolist()
    site = {row: network.suites[row].site for row in order}
    sound = [row for row in order if not network.sites[site[row]].gated]
    chosen = sound[:count]
    first = {site[row] for row in chosen}
    if len(first) == 1:
        chosen += [row for row in sound[count:] if site[row] not in first][:1]
    asked = rng.random() < 0.5 or not chosen
    return chosen + [row for row in order if row not in sound][: int(asked)]


def _incumbents(
    rng: np.random.Generator,
    network: Network,
    draft: Draft,
    invited: Sequence[int],
    busy: Floats,
) -> set[int]:
    """The lines where the program is made today: none, one, or two at different CMOs.

    `busy` (L,) are the line-days a quarter that earlier programs take; a busy line is unlikely to
    have taken one more, and it is added to.
    """
    sound = [row for row in invited if not network.sites[network.suites[row].site].gated]
    if not sound or rng.random() >= INCUMBENT_SHARE[draft.stage]:
        return set()
    shares = [network.suites[row].popularity / (1.0 + busy[row] / 5.0) ** 2 for row in sound]
    first = sound[pick(rng, shares)]
    busy[first] += float(np.mean(draft.profile)) * draft.platform.days
    others = [row for row in sound if network.suites[row].site != network.suites[first].site]
    if draft.stage == "commercial" and others and rng.random() < 0.25:
        return {first, others[int(rng.integers(len(others)))]}
    return {first}


def _quote(
    rng: np.random.Generator,
    network: Network,
    program: int,
    draft: Draft,
    row: int,
    periods: int,
) -> Quote:
    """The quote of one line: its size, its price, and how long until it could supply."""
    platform, suite = draft.platform, network.suites[row]
    low, high = max(suite.batch_min, 0.6 * draft.batch), min(suite.batch_max, 1.5 * draft.batch)
    size = significant(float(rng.uniform(low, max(low, high))), 2)
    size = min(max(size, suite.batch_min), suite.batch_max)
    time, money, ppq, filed = CHAIN[draft.stage]
    mode = half(float(rng.uniform(*platform.transfer_months)) * time)
    filing = float(rng.integers(int(platform.filing_months[0]), int(platform.filing_months[1]) + 1))
    filing = filing if filed else 0.0
    release = round(float(rng.uniform(*platform.release_months)), 1)
    # a line that could never supply within the plan would not be asked: it offers a fast track
    lag = int(release / MONTHS + 0.5)
    mode = max(3.0, min(mode, (periods - 1 - lag) * MONTHS - filing))
    return Quote(
        program=program,
        suite=row,
        batch_size=size,
        price=_price(rng, network, draft, suite, size),
        days=_days(draft, size, float(rng.uniform(0.9, 1.12))),
        yield_=round(float(rng.uniform(*platform.yield_)), 3),
        fail_rate=round(float(rng.uniform(*platform.fail_rate)), 3),
        qualified=False,
        transfer_cost=significant(between(rng, platform.transfer_cost) * money, 2),
        transfer_months=(half(0.75 * mode), mode, half(mode * float(rng.uniform(1.3, 1.9)))),
        ppq_batches=ppq,
        filing_months=filing,
        release_months=release,
        shared_inputs=(),
    )


def _price(
    rng: np.random.Generator, network: Network, draft: Draft, suite: Suite, size: float
) -> float:
    platform = draft.platform
    clinical = 1.0 if draft.stage == "commercial" else 1.15
    price = platform.price * (size / platform.reference) ** platform.scale * draft.factor * clinical
    factor = network.sites[suite.site].price_factor * suite.price_factor
    return significant(price * factor * float(rng.uniform(0.94, 1.06)))


def _days(draft: Draft, size: float, factor: float) -> float:
    platform = draft.platform
    stretch = (size / platform.reference) ** 0.3 * min(draft.factor, 1.4)
    return half(platform.days * stretch * factor)


def _other_size(rng: np.random.Generator, draft: Draft, suite: Suite, quote: Quote) -> Quote | None:
    """Sometimes a second batch size of the same pair, at the price of its size."""
    platform = draft.platform
    size = significant(quote.batch_size * float(rng.choice([0.5, 1.6, 2.0])), 2)
    asked = rng.random() < 0.5
    if not asked or not suite.batch_min <= size <= suite.batch_max:
        return None
    if not 0.5 * draft.batch <= size <= 2.0 * draft.batch:
        return None
    ratio = size / quote.batch_size
    return replace(
        quote,
        batch_size=size,
        price=significant(quote.price * ratio**platform.scale),
        days=half(quote.days * ratio**0.3),
    )
