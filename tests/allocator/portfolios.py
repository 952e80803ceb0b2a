"""Hand-made and random portfolios for tests of everything behind the reader."""

from __future__ import annotations

import numpy as np

from allocator.portfolio import Cmo, Line, Offer, Period, Policy, Portfolio, Program, Tier


def quarters(count: int, year: int = 2027) -> tuple[Period, ...]:
    return tuple(Period(f"{year + t // 4}Q{t % 4 + 1}", 3, 12 * year + 3 * t) for t in range(count))


def months(count: int, year: int = 2027) -> tuple[Period, ...]:
    return tuple(
        Period(f"{year + t // 12}-{t % 12 + 1:02d}", 1, 12 * year + t) for t in range(count)
    )


def program(program_id: str, demand: tuple[float, ...], **changes: object) -> Program:
    base: dict[str, object] = {
        "program_id": program_id,
        "molecule_type": "small_molecule",
        "dosage_form": "tablet",
        "stage": "commercial",
        "unit": "kg",
        "delay_cost_per_month": 1000.0,
        "demand": demand,
    }
    return Program(**{**base, **changes})  # type: ignore[arg-type]


def line(line_id: str, cmo_id: str, periods: int, **changes: object) -> Line:
    base: dict[str, object] = {
        "line_id": line_id,
        "cmo_id": cmo_id,
        "dosage_forms": ("tablet",),
        "batch_min": 1.0,
        "batch_max": 1e6,
        "unit": "kg",
        "days": (60.0,) * periods,
    }
    return Line(**{**base, **changes})  # type: ignore[arg-type]


def offer(program_id: str, line_id: str, **changes: object) -> Offer:
    base: dict[str, object] = {
        "offer_id": f"{program_id}@{line_id}@10",
        "program_id": program_id,
        "line_id": line_id,
        "batch_size": 10.0,
        "price_per_batch": 100.0,
        "days_per_batch": 2.0,
    }
    return Offer(**{**base, **changes})  # type: ignore[arg-type]


def portfolio(
    periods: tuple[Period, ...],
    programs: list[Program],
    cmos: list[Cmo],
    lines: list[Line],
    offers: list[Offer],
    policy: Policy | None = None,
    tiers: list[Tier] | None = None,
) -> Portfolio:
    by_cmo: dict[str, list[Tier]] = {}
    for tier in tiers or []:
        by_cmo.setdefault(tier.cmo_id, []).append(tier)
    return Portfolio(
        periods=periods,
        programs={p.program_id: p for p in programs},
        cmos={c.cmo_id: c for c in cmos},
        lines={row.line_id: row for row in lines},
        offers={o.offer_id: o for o in offers},
        tiers={k: tuple(v) for k, v in by_cmo.items()},
        policy=policy or Policy(),
    )


def random_portfolio(
    seed: int, programs: int, cmos: int, periods: int = 12, per_program: int = 8
) -> Portfolio:
    """A random portfolio with about `per_program` offers of each program, one line per CMO."""
    rng = np.random.default_rng(seed)
    makers = [
        Cmo(
            f"K{k:03d}",
            ("US", "EU", "IN", "CN")[k % 4],
            owner=f"own{k // 3}",
            country=f"C{k % 11}",
            outage_per_year=round(float(rng.uniform(0.01, 0.1)), 3),
            recover_months=float(rng.integers(2, 9)),
        )
        for k in range(cmos)
    ]
    lines = [line(f"L{k:03d}", f"K{k:03d}", periods) for k in range(cmos)]
    rows, offers = [], []
    for p in range(programs):
        mean = float(rng.uniform(20, 200))
        demand = tuple(round(float(d), 1) for d in mean * rng.uniform(0.6, 1.4, periods))
        safety = float(rng.integers(0, 4))
        rows.append(program(f"P{p:04d}", demand, safety_stock_months=safety))
        for k in rng.choice(cmos, min(per_program, cmos), replace=False):
            mode = float(rng.integers(6, 15))
            offers.append(
                offer(
                    f"P{p:04d}",
                    f"L{k:03d}",
                    qualified=bool(rng.random() < 0.3),
                    transfer_months_low=mode * 0.7,
                    transfer_months_mode=mode,
                    transfer_months_high=mode * 1.8,
                    filing_months=4.0,
                    release_months=1.0,
                    ppq_batches=3,
                    shared_inputs=(f"api{p % 5}",) if rng.random() < 0.3 else (),
                )
            )
    return portfolio(quarters(periods), rows, makers, lines, offers)
