"""What is wrong with the `[capacity]` table of the policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import isfinite

from allocator.findings import Finding, did_you_mean
from allocator.growth.demand import periods_left
from allocator.growth.settings import KINDS, SCENARIO_KEYS, TERMS
from allocator.portfolio import Portfolio

FILE = "policy.toml"
#: Probabilities of the scenarios may miss 1 by this much.
ROUNDING = 1e-6


def capacity_findings(portfolio: Portfolio) -> tuple[Finding, ...]:
    """Every problem: unknown keys, wrong types, shares and probabilities out of range, ids."""
    return tuple(_table(portfolio, portfolio.policy.extra.get("capacity", {})))


def _table(portfolio: Portfolio, table: object) -> Iterator[Finding]:
    if not isinstance(table, Mapping):
        yield _finding("", f"{table!r} is not a table", "write it as [capacity]")
        return
    known = (*TERMS, "contract", "scenarios")
    for key, value in table.items():
        if key == "scenarios":
            yield from _scenarios(portfolio, value)
        elif key == "contract":
            yield from _names("contract", [str(value)], KINDS)
        elif key not in TERMS:
            yield _unknown(str(key), str(key), known)
        else:
            yield from _number(str(key), value, 0.0, 1.0)


def _scenarios(portfolio: Portfolio, scenarios: object) -> Iterator[Finding]:
    if not isinstance(scenarios, Mapping):
        yield _finding("scenarios", "is not a table", "write [capacity.scenarios]")
        return
    given: list[float] = []
    for name, value in scenarios.items():
        where = f"scenarios.{name}"
        if not isinstance(value, Mapping):
            yield from _number(where, value, 0.0, 1000.0)
            continue
        yield from _scenario(portfolio, where, value)
        if _is_number(value.get("probability")):
            given.append(float(value["probability"]))
    if given and len(given) < len(scenarios):
        what = f"{len(given)} of {len(scenarios)} scenarios have a probability"
        yield _finding("scenarios", what, "give every scenario one, or none")
    elif given and abs(sum(given) - 1.0) > ROUNDING:
        what = f"the probabilities sum to {sum(given):g}"
        yield _finding("scenarios", what, "let them sum to 1")


def _scenario(portfolio: Portfolio, where: str, value: Mapping[str, object]) -> Iterator[Finding]:
    labels = [period.label for period in portfolio.periods]
    forms = sorted({program.dosage_form for program in portfolio.programs.values()})
    for key, entry in value.items():
        place = f"{where}.{key}"
        if key not in SCENARIO_KEYS:
            yield _unknown(place, str(key), SCENARIO_KEYS)
        elif key == "demand":
            yield from _number(place, entry, 0.0, 1000.0)
        elif key == "probability":
            yield from _number(place, entry, 0.0, 1.0)
        elif key == "ramp":
            yield from _ramp(place, entry, labels, str(value.get("from", "")).upper())
        elif key == "from":
            yield from _names(place, [str(entry).upper()], labels)
        elif not isinstance(entry, Mapping):
            yield _finding(place, f"{entry!r} is not a table", f"write {key} = {{ id = 1.5 }}")
        else:
            yield from _names(place, entry, portfolio.programs if key == "programs" else forms)
            for name, factor in entry.items():
                yield from _number(f"{place}.{name}", factor, 0.0, 1000.0)


def _ramp(where: str, value: object, labels: list[str], since: str) -> Iterator[Finding]:
    """A whole number of periods, no more than there are from `since` on."""
    room = periods_left(labels, since if since in labels else "")
    if _is_number(value) and float(str(value)) != round(float(str(value))):
        what = f"{value} is not a whole number of periods"
        yield _finding(where, what, f"give one from 1 to {room}")
    else:
        yield from _number(where, value, 1.0, float(room))


def _names(where: str, names: Iterable[str], known: Iterable[str]) -> Iterator[Finding]:
    known = list(known)
    for name in names:
        if name not in known:
            remedy = did_you_mean(str(name), known, f"use one of {', '.join(known[:8])}")
            yield _finding(where, f"there is no {name!r}", remedy)


def _number(where: str, value: object, low: float, high: float) -> Iterator[Finding]:
    if not _is_number(value):
        yield _finding(where, f"{value!r} is not a number", "give a number without quotes")
    elif not low <= float(str(value)) <= high:
        yield _finding(where, f"{value:g} is out of range", f"give one from {low:g} to {high:g}")


def _unknown(where: str, key: str, known: Iterable[str]) -> Finding:
    known = list(known)
    return _finding(where, "the key is unknown", did_you_mean(key, known, ", ".join(known)))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _finding(where: str, what: str, remedy: str) -> Finding:
    return Finding(FILE, None, f"capacity.{where}".rstrip("."), what, remedy)
