"""What a plan costs beside what was paid: the same units, in the same periods, line by line.

The rules of fairness stand in `docs/ingest.md`, under "Plan beside history".
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from allocator.errors import BadData
from allocator.findings import Finding
from allocator.history.supply import Supply, supply_of
from allocator.portfolio import Portfolio

HISTORY = "history_lines.csv"


@dataclass(frozen=True)
class Purchase:
    """A row of history_lines.csv. `paid` is None where the history holds no value."""

    line: str
    program_id: str
    cmo_id: str
    period: str
    quantity: float
    paid: float | None


@dataclass(frozen=True)
class Compared:
    """One purchase beside the plan. Money, for the share of its quantity that the plan serves.

    `paid` is what was paid; `at_table_price` is the same purchase at the site's price in the
    tables; `plan` is what the plan pays for as many units of the program, in the tables' prices;
    `plan_in_period` is that at the price level of the program in the period. `paid_unmet` is what
    was paid for the units that the plan leaves out.
    """

    line: str
    program_id: str
    period: str
    quantity: float
    served: float
    paid: float
    at_table_price: float
    plan: float
    plan_in_period: float
    paid_unmet: float


@dataclass(frozen=True)
class Comparison:
    """All purchases that can be compared, and apart what cannot.

    `over_production` is money for units made and not used within the horizon, `unpriced` what the
    plan pays for units whose purchase has no value, both in the tables' prices. `left_out` maps a
    program to the reason why it is not compared. Programs left out are in none of the figures.
    """

    rows: tuple[Compared, ...]
    over_production: float
    unpriced: float
    left_out: Mapping[str, str]
    currency: str
    periods: tuple[str, ...]

    def total(self, column: str) -> float:
        """Sum of a money column of the rows."""
        return math.fsum(getattr(row, column) for row in self.rows)

    def lines(self) -> Iterator[str]:
        """The comparison in a few lines of text."""
        programs = len({row.program_id for row in self.rows})
        if not self.rows:
            yield "Beside what was paid: no program can be compared"
        else:
            yield (
                f"Beside what was paid ({self.currency}, {self.periods[0]} to {self.periods[-1]},"
                f" {programs} programs, {len(self.rows):,} lines; the same units in the same"
                " periods):"
            )
            yield from self._figures()
        reasons: dict[str, list[str]] = {}
        for program, reason in self.left_out.items():
            reasons.setdefault(reason, []).append(program)
        for reason, names in sorted(reasons.items()):
            yield f"  not compared, {reason}: {', '.join(sorted(names))}"

    def write(self, path: Path) -> None:
        """Write every purchase beside the plan, line by line, as CSV."""
        names = [field.name for field in fields(Compared)]
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(names)
            writer.writerows([getattr(row, name) for name in names] for row in self.rows)

    def _figures(self) -> Iterator[str]:
        paid, table = self.total("paid"), self.total("at_table_price")
        plan, level = self.total("plan"), self.total("plan_in_period")
        rows = (
            ("paid then", paid, ""),
            ("the plan at the prices of each period", level, f"{_change(level, paid)} than paid"),
            ("those purchases at the tables' prices", table, f"{_change(table, paid)} than paid"),
            ("the plan at the tables' prices", plan, f"{_change(plan, table)} than those"),
            ("apart: paid for units the plan leaves out", self.total("paid_unmet"), ""),
            ("apart: made in whole batches and not used", self.over_production, ""),
            ("apart: units whose price is not recorded", self.unpriced, ""),
        )
        for name, money, remark in rows:
            yield f"  {name:<43}{money:>16,.0f}" + (f"  {remark}" if remark else "")
        yield "  The plan knew all demand beforehand and pays a site's median price for any volume:"
        yield "  the difference is what hindsight would have brought, no forecast (docs/ingest.md)."


def history_comparison(portfolio: Path | str, plan: Mapping[str, Any]) -> Comparison | None:
    """Set a plan beside the history that its folder was made from.

    `portfolio` is the folder (or its portfolio.csv) that `plan`, the content of plan.json, was made
    from. None where the folder holds no history_lines.csv or the plan has no programs. Raises
    BadData where history_lines.csv is damaged.
    """
    from allocator.read import read_portfolio

    folder = Path(portfolio)
    folder = folder.parent if folder.is_file() else folder
    if not (folder / HISTORY).is_file() or not plan.get("programs"):
        return None
    return compare(read_purchases(folder / HISTORY), read_portfolio(folder), plan)


def compare_with_history(run: Path | str) -> Comparison | None:
    """Set the plan of a run folder beside the history among its `inputs/` (see above)."""
    import json

    folder = Path(run)
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    return history_comparison(folder / "inputs", plan)


def read_purchases(path: Path) -> tuple[Purchase, ...]:
    """Rows of history_lines.csv. Raises BadData where a row cannot be read."""
    names = [field.name for field in fields(Purchase)]
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in names if name not in (reader.fieldnames or [])]
        if missing:
            what = "lacks the columns " + ", ".join(missing)
            raise BadData([Finding(path.name, 1, "", what, "ingest the history again")])
        found = []
        for row in reader:
            try:
                quantity = float(row["quantity"])
                paid = float(row["paid"]) if row["paid"] else None
                valid = math.isfinite(quantity) and quantity > 0
                if not valid or (paid is not None and not (math.isfinite(paid) and paid > 0)):
                    raise ValueError
            except (TypeError, ValueError) as problem:
                what = "quantity or paid is no number above 0"
                remedy = "ingest the history again"
                raise BadData([Finding(path.name, reader.line_num, "", what, remedy)]) from problem
            ids = (row["line"], row["program_id"], row["cmo_id"], row["period"])
            found.append(Purchase(*ids, quantity, paid))
    return tuple(found)


def compare(
    purchases: Sequence[Purchase], portfolio: Portfolio, plan: Mapping[str, Any]
) -> Comparison:
    """Compare purchases with a plan for the portfolio (see the module's page)."""
    labels = tuple(period.label for period in portfolio.periods)
    bought: dict[str, dict[str, list[Purchase]]] = {}
    for purchase in purchases:
        bought.setdefault(purchase.program_id, {}).setdefault(purchase.period, []).append(purchase)
    entries = {entry["program_id"]: entry for entry in plan["programs"]}
    prices = _table_prices(portfolio)
    rows: list[Compared] = []
    left_out: dict[str, str] = {}
    over = unpriced = 0.0
    for program_id in sorted(portfolio.programs):
        mine = bought.get(program_id, {})
        reason = _not_comparable(portfolio, program_id, mine, entries)
        supply = None if reason else supply_of(portfolio, entries[program_id])
        if supply is not None and not supply.agrees(entries[program_id]):
            reason = "the plan was made with other demand, prices or lines"
        if reason or supply is None:
            left_out[program_id] = reason
            continue
        over += supply.over_production_cost
        for t, label in enumerate(labels):
            if label in mine:
                compared, without = _period_rows(mine[label], supply, t, prices)
                rows += compared
                unpriced += without
    return Comparison(tuple(rows), over, unpriced, left_out, portfolio.policy.currency, labels)


def _table_prices(portfolio: Portfolio) -> dict[tuple[str, str], float]:
    """Cheapest price per good unit of each program and CMO in the tables."""
    prices: dict[tuple[str, str], float] = {}
    for offer in portfolio.offers.values():
        pair = (offer.program_id, portfolio.lines[offer.line_id].cmo_id)
        price = offer.price_per_batch / offer.good_per_batch
        prices[pair] = min(price, prices.get(pair, math.inf))
    return prices


def _not_comparable(
    portfolio: Portfolio,
    program_id: str,
    bought: Mapping[str, Sequence[Purchase]],
    entries: Mapping[str, Any],
) -> str:
    """Why a program cannot be compared; empty where it can."""
    program = portfolio.programs[program_id]
    if program_id not in entries:
        return "not in the plan"
    if program.opening_stock > 0:
        return "it has opening stock, which was paid for before"
    if not bought:
        return "not in the history"
    for period, demand in zip(portfolio.periods, program.demand, strict=True):
        units = math.fsum(purchase.quantity for purchase in bought.get(period.label, ()))
        if not math.isclose(units, demand, rel_tol=1e-6, abs_tol=1e-6):
            return "its demand is not what the history delivered"
    return ""


def _period_rows(
    purchases: Sequence[Purchase],
    supply: Supply,
    t: int,
    prices: Mapping[tuple[str, str], float],
) -> tuple[list[Compared], float]:
    """Purchases of a program in one period beside the plan, and the plan's cost of unpriced ones.

    The price level of the period is what was paid over the same purchases in the tables' prices.
    """
    priced = [(p, p.paid) for p in purchases if p.paid is not None]
    served = supply.served_share(t)
    unit_cost = supply.cost_of_served(t) / math.fsum(p.quantity for p in purchases)
    at_table = [
        p.quantity * prices.get((p.program_id, p.cmo_id), paid / p.quantity) for p, paid in priced
    ]
    level = math.fsum(paid for _, paid in priced) / (math.fsum(at_table) or 1.0)
    rows = [
        Compared(
            line=p.line,
            program_id=p.program_id,
            period=p.period,
            quantity=p.quantity,
            served=p.quantity * served,
            paid=paid * served,
            at_table_price=table * served,
            plan=p.quantity * unit_cost,
            plan_in_period=p.quantity * unit_cost * level,
            paid_unmet=paid * (1.0 - served),
        )
        for (p, paid), table in zip(priced, at_table, strict=True)
    ]
    without = math.fsum(p.quantity * unit_cost for p in purchases if p.paid is None)
    return rows, without


def _change(new: float, old: float) -> str:
    """How much less or more, in words."""
    if old <= 0:
        return "no share"
    share = new / old - 1.0
    return f"{abs(share):.1%} {'less' if share <= 0 else 'more'}"
