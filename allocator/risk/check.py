"""What is wrong with the `[risk]` table of the policy and with chain.csv."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import isfinite

from allocator.findings import Finding, did_you_mean
from allocator.portfolio import Portfolio
from allocator.risk.settings import NUMBERS
from allocator.risk.steps import FORM_CLASSES, STEPS, TRANSFER

FILE = "policy.toml"
CLASSES = tuple(name.replace(" ", "_") for name in FORM_CLASSES)
LIMITS = {
    "neutral_score": (0.0, 100.0),
    "log_odds_per_10_points": (0.0, 5.0),
    "tail_weight": (0.0, 1.0),
    "cvar_level": (0.5, 0.9999),
}


def risk_findings(portfolio: Portfolio) -> tuple[Finding, ...]:
    """Every problem: unknown keys, wrong types, months out of order, steps above their totals."""
    return (*_settings(portfolio.policy.extra.get("risk", {})), *_totals(portfolio))


def _settings(table: object) -> Iterator[Finding]:
    if not isinstance(table, Mapping):
        yield Finding(FILE, None, "risk", f"{table!r} is not a table", "write it as [risk]")
        return
    for key, value in table.items():
        if key == "chain":
            yield from _shapes(value)
        elif key not in NUMBERS:
            remedy = did_you_mean(str(key), (*NUMBERS, "chain"), f"known: {', '.join(NUMBERS)}")
            yield Finding(FILE, None, f"risk.{key}", "the key is unknown", remedy)
        elif not _is_number(value):
            yield Finding(FILE, None, f"risk.{key}", f"{value!r} is not a number", "give a number")
        else:
            low, high = LIMITS.get(key, (0.0, 120.0))
            if not low <= value <= high:
                remedy = f"give a number from {low:g} to {high:g}"
                yield Finding(FILE, None, f"risk.{key}", f"{value:g} is out of range", remedy)


def _shapes(classes: object) -> Iterator[Finding]:
    """`[risk.chain.<class>]`, steps as lists of low, mode and high months."""
    if not isinstance(classes, Mapping):
        yield Finding(
            FILE, None, "risk.chain", "is not a table", f"write [risk.chain.{CLASSES[0]}]"
        )
        return
    for name, steps in classes.items():
        where = f"risk.chain.{name}"
        if name not in CLASSES:
            remedy = did_you_mean(str(name), CLASSES, f"use one of {', '.join(CLASSES)}")
            yield Finding(FILE, None, where, "there is no such class of forms", remedy)
        elif not isinstance(steps, Mapping):
            yield Finding(
                FILE, None, where, "is not a table", "give steps, e.g. review = [4, 5, 9]"
            )
        else:
            for step, months in steps.items():
                yield from _shape(f"{where}.{step}", str(step), months)


def _shape(where: str, step: str, months: object) -> Iterator[Finding]:
    known = STEPS[:-1]
    if step not in known:
        remedy = did_you_mean(step, known, f"use one of {', '.join(known)}")
        yield Finding(FILE, None, where, "there is no such step", remedy)
    elif (
        not isinstance(months, list | tuple)
        or len(months) != 3
        or not all(map(_is_number, months))
        or not 0 <= months[0] <= months[1] <= months[2]
    ):
        what = f"{months!r} is not low, mode and high months in order"
        yield Finding(FILE, None, where, what, "give three numbers such as [2, 4, 9]")


def _totals(portfolio: Portfolio) -> Iterable[Finding]:
    """Own steps that take longer than the offer says in all: the plan still goes by the offer."""
    for offer in portfolio.offers.values():
        own = portfolio.chain.get((offer.program_id, offer.line_id))
        if own is None or offer.qualified:
            continue
        mode = sum(own[step][1] for step in STEPS[TRANSFER] if step in own)
        if mode > offer.transfer_months_mode + 1e-9:
            yield Finding(
                "chain.csv",
                None,
                "mode",
                f"the steps of {offer.program_id} on {offer.line_id} take {mode:g} months, its"
                f" transfer_months_mode is {offer.transfer_months_mode:g}",
                "raise transfer_months_mode in offers.csv, or the plan starts too early",
                "warning",
            )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
