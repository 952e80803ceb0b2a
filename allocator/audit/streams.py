"""Supply and stock of one source, followed from period to period by docs/model.md."""

from __future__ import annotations

from dataclasses import dataclass, field

from allocator.audit.facts import Facts, ahead
from allocator.portfolio import Offer, Program


@dataclass
class Stream:
    """One source of a program, or (`offer` None) a program without a source; lists are (T,)."""

    program: Program
    offer: Offer | None
    cmo_id: str
    batches: list[float]
    shares: list[float]
    released: list[float] = field(default_factory=list)
    demand: list[float] = field(default_factory=list)
    unmet: list[float] = field(default_factory=list)
    stock: list[float] = field(default_factory=list)
    scrap: list[float] = field(default_factory=list)
    cap: list[float] = field(default_factory=list)
    target: list[float] = field(default_factory=list)

    @property
    def offer_id(self) -> str:
        """Id of the offer, blank for none."""
        return "" if self.offer is None else self.offer.offer_id

    @property
    def scale(self) -> float:
        """Size of the quantities of the stream, units."""
        return max(*self.program.demand, self.program.opening_stock, *self.stock, 0.0)


def shares_of(facts: Facts, share: float, offer: Offer, offers: list[Offer]) -> list[float]:
    """Share of demand of a source per period: all or nothing until the later one can supply.

    `offers` are those of all sources of the program, `offer` among them.
    """
    first = [facts.first_supply(each) for each in offers]
    own, later = facts.first_supply(offer), max(first)
    alone = 0.0 if own == later else 1.0
    handed_over = later if len(set(first)) > 1 else 0
    return [alone if t < handed_over else share for t in range(facts.T)]


def follow(facts: Facts, stream: Stream) -> None:
    """Serve demand first, keep what shelf life allows, scrap the rest."""
    program, offer = stream.program, stream.offer
    after = stream.shares[-1] * facts.demand_after(program)
    stream.demand = [s * d for s, d in zip(stream.shares, program.demand, strict=True)]
    shelf = program.shelf_life_months / facts.M
    wanted = program.safety_stock_months / facts.M
    held = stream.shares[0] * program.opening_stock
    for t in range(facts.T):
        cap = ahead(stream.demand, after, t, shelf)
        started = t - (facts.lag(offer) if offer else 0)
        batches = stream.batches[started] if started >= 0 else 0.0
        released = batches * facts.good(offer) if offer else 0.0
        have = held + released
        left = max(0.0, have - stream.demand[t])
        held = min(left, cap)
        stream.released.append(released)
        stream.unmet.append(max(0.0, stream.demand[t] - have))
        stream.stock.append(held)
        stream.scrap.append(left - held)
        stream.cap.append(cap)
        stream.target.append(min(ahead(stream.demand, after, t, wanted), cap))
