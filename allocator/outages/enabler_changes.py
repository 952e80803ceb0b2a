"""What could make security cheaper: changes to a portfolio, with their price where there is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from allocator.portfolio import Portfolio

if TYPE_CHECKING:
    from allocator.compile import Compiled

#: Surge allowance, months of stock, and share of a line's days that are tried.
SURGE, STOCK_MONTHS, EXPANSION = 0.1, 1.0, 0.2
#: Most qualifications and lines that are tried.
QUALIFICATIONS, LINES = 6, 3
#: Share of a plan's cost below which a difference is rounding.
ROUNDING = 1e-6
#: Programs named in the words of a change.
NAMED = 6


@dataclass(frozen=True)
class Change:
    """A portfolio with one enabler in place; `price` is what that costs, None: tables don't say."""

    name: str
    kind: str
    what: str
    price: float | None
    portfolio: Portfolio


def security_costs(plain: Mapping[str, Any], secure: Mapping[str, Any]) -> dict[str, float]:
    """What each program costs more in the secure plan (contents of plan.json), the dearest first.

    Its costs are its batches, transfer, missed demand and so on; those that cost no more are left
    out.
    """
    before = {p["program_id"]: sum(p["costs"].values()) for p in plain["programs"]}
    more = {p["program_id"]: sum(p["costs"].values()) for p in secure["programs"]}
    more = {name: cost - before[name] for name, cost in more.items()}
    least = ROUNDING * abs(secure["objective"])
    order = sorted(more, key=lambda name: (-more[name], name))
    return {name: more[name] for name in order if more[name] > least}


def full_lines(plan: Mapping[str, Any]) -> list[str]:
    """Lines that a plan uses, the fullest first."""
    share = {}
    for line in plan["lines"]:
        used, offered = (sum(d[key] for d in line["days"].values()) for key in ("used", "offered"))
        share[line["line_id"]] = used / max(offered, 1e-9)
    return [
        name for name in sorted(share, key=lambda name: (-share[name], name)) if share[name] > 0
    ]


def changes(compiled: Compiled, dear: Sequence[str], lines: Sequence[str]) -> Iterator[Change]:
    """Every enabler that is tried.

    `dear` are the programs that cost more for security's sake, the dearest first, `lines` the
    fullest lines.
    """
    tables = compiled.portfolio
    yield _surge(tables)
    if dear:
        yield _opening_stock(compiled, dear)
        yield _safety_stock(tables, dear)
    yield from _qualifications(compiled, dear)
    for line_id in lines[:LINES]:
        yield _expansion(tables, line_id)


def _surge(tables: Portfolio) -> Change:
    lines = {
        key: line if line.surge is None else replace(line, surge=line.surge + SURGE)
        for key, line in tables.lines.items()
    }
    policy = replace(tables.policy, surge=tables.policy.surge + SURGE)
    what = f"{100 * SURGE:g} % more days of all lines while another is out"
    return Change("surge", "surge", what, None, replace(tables, lines=lines, policy=policy))


def _opening_stock(compiled: Compiled, names: Sequence[str]) -> Change:
    """A month's mean demand more in opening stock, at what it costs to make it most cheaply."""
    tables = compiled.portfolio
    programs, price = dict(tables.programs), 0.0
    for name in names:
        program = programs[name]
        busy = [quantity for quantity in program.demand if quantity > 0] or [0.0]
        units = STOCK_MONTHS * sum(busy) / len(busy) / tables.periods[0].months
        programs[name] = replace(program, opening_stock=program.opening_stock + units)
        price += units * _cheapest_unit(compiled, name)
    what = f"{STOCK_MONTHS:g} month of demand more in opening stock of {_named(names)}"
    return Change("stock", "stock", what, price, replace(tables, programs=programs))


def _cheapest_unit(compiled: Compiled, program_id: str) -> float:
    """The least batch price per good unit of the program's offers, 0 where it has none."""
    offers = [compiled.portfolio.offers[offer_id] for offer_id in compiled.offer_ids]
    prices = [o.price_per_batch / o.good_per_batch for o in offers if o.program_id == program_id]
    return min(prices, default=0.0)


def _safety_stock(tables: Portfolio, names: Sequence[str]) -> Change:
    """A higher target of safety stock; the plan makes and pays it, so it costs nothing beside."""
    programs = dict(tables.programs)
    for name in names:
        months = programs[name].safety_stock_months + STOCK_MONTHS
        programs[name] = replace(programs[name], safety_stock_months=months)
    what = f"{STOCK_MONTHS:g} month more of safety stock as the target of {_named(names)}"
    return Change("safety_stock", "safety_stock", what, 0.0, replace(tables, programs=programs))


def _named(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _qualifications(compiled: Compiled, dear: Sequence[str]) -> Iterator[Change]:
    """One offer more that is qualified already: the cheapest of each of the dearest programs."""
    tables = compiled.portfolio
    cheapest: dict[str, tuple[float, str]] = {}
    for offer_id in compiled.offer_ids:
        offer = tables.offers[offer_id]
        if not offer.qualified:
            price = offer.transfer_cost + offer.ppq_batches * offer.price_per_batch
            known = cheapest.get(offer.program_id, (float("inf"), ""))
            cheapest[offer.program_id] = min(known, (price, offer_id))
    for name in [name for name in dear if name in cheapest][:QUALIFICATIONS]:
        price, offer_id = cheapest[name]
        offer = replace(tables.offers[offer_id], qualified=True)
        what = f"{name} qualified on {offer.line_id} from the start ({offer_id})"
        offers = {**tables.offers, offer_id: offer}
        yield Change(
            f"qualification-{name}", "qualification", what, price, replace(tables, offers=offers)
        )


def _expansion(tables: Portfolio, line_id: str) -> Change:
    """The line's own expansion once more and from the start; where it has none, a share of days."""
    line = tables.lines[line_id]
    if line.expansion_days > 0:
        days = tuple(d + line.expansion_days for d in line.days)
        what = (
            f"{line.expansion_days:g} more days a period of {line_id}, as its expansion, from now"
        )
        price: float | None = line.expansion_cost
    else:
        days, price = tuple(d * (1 + EXPANSION) for d in line.days), None
        what = f"{100 * EXPANSION:g} % more days of {line_id}"
    lines = {**tables.lines, line_id: replace(line, days=days)}
    return Change(f"expansion-{line_id}", "expansion", what, price, replace(tables, lines=lines))
