"""Warnings on capacity before any solve: demand above all line-days, take-or-pay out of reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from allocator.findings import Finding, number
from allocator.portfolio import Offer, Portfolio

Floats = npt.NDArray[np.float64]


class LineNumbers(Protocol):
    """Line numbers of the rows of cmos.csv."""

    cmos: dict[str, int]


def capacity_findings(
    portfolio: Portfolio, by_program: Mapping[str, list[Offer]], numbers: LineNumbers
) -> Iterator[Finding]:
    """Both kinds; `by_program` holds the eligible offers of each program."""
    yield from _demand_above_capacity(portfolio, by_program)
    yield from _floors(portfolio, by_program, numbers)


def _demand_above_capacity(
    portfolio: Portfolio, by_program: Mapping[str, list[Offer]]
) -> Iterator[Finding]:
    """Groups of lines that share programs, in periods whose demand needs more than all their days.

    A lower bound of the need: each program at its fewest days per unit, no changeovers, and
    expansions taken as there. Stock of earlier periods may still bridge it, so it is a warning.
    """
    labels = [period.label for period in portfolio.periods]
    for programs, lines in _groups(by_program):
        needed, offered = np.zeros(len(labels)), np.zeros(len(labels))
        for key in programs:
            fewest = min(o.days_per_batch / o.good_per_batch for o in by_program[key])
            needed += np.array(portfolio.programs[key].demand) * fewest
        for key in lines:
            line = portfolio.lines[key]
            offered += np.array(line.days) + line.expansion_days
        short = np.flatnonzero(needed > offered + 1e-9 * (1 + needed))
        for t in short:
            some = f"{', '.join(programs[:3])}{' ...' if len(programs) > 3 else ''}"
            theirs = f"{', '.join(lines[:3])}{' ...' if len(lines) > 3 else ''}"
            what = (
                f"demand of {len(programs)} programs ({some}) needs at least {number(needed[t])} "
                f"line-days, the {len(lines)} lines that can make them ({theirs}) offer "
                f"{number(offered[t])}"
            )
            remedy = "part of it will be unmet unless stock bridges it; check days and batch sizes"
            yield Finding("portfolio.csv", None, labels[t], what, remedy, "warning")


def _groups(by_program: Mapping[str, list[Offer]]) -> Iterator[tuple[list[str], list[str]]]:
    """Programs and lines that hang together through eligible offers, each group sorted."""
    parent: dict[tuple[str, str], tuple[str, str]] = {}

    def root(node: tuple[str, str]) -> tuple[str, str]:
        while parent.setdefault(node, node) != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for key, offers in by_program.items():
        for offer in offers:
            parent[root(("line", offer.line_id))] = root(("program", key))
    groups: dict[tuple[str, str], tuple[list[str], list[str]]] = {}
    for node in sorted(parent):
        programs, lines = groups.setdefault(root(node), ([], []))
        (lines if node[0] == "line" else programs).append(node[1])
    yield from groups.values()


def _floors(
    portfolio: Portfolio, by_program: Mapping[str, list[Offer]], numbers: LineNumbers
) -> Iterator[Finding]:
    """CMOs whose take-or-pay floor cannot be reached, however much of their days is bought."""
    dearest = dict.fromkeys(portfolio.lines, 0.0)  # money per line-day
    for offers in by_program.values():
        for offer in offers:
            rate = offer.price_per_batch / offer.days_per_batch
            dearest[offer.line_id] = max(dearest[offer.line_id], rate)
    most: dict[tuple[str, int], float] = {}
    months: dict[int, int] = {}
    for period in portfolio.periods:
        months[period.year] = months.get(period.year, 0) + period.months
    for line in portfolio.lines.values():
        for period, days in zip(portfolio.periods, line.days, strict=True):
            spend = dearest[line.line_id] * (days + line.expansion_days)
            key = (line.cmo_id, period.year)
            most[key] = most.get(key, 0.0) + spend
    for cmo in portfolio.cmos.values():
        for year, covered in months.items():
            floor = cmo.min_annual_spend * covered / 12
            reach = most.get((cmo.cmo_id, year), 0.0)
            if floor > reach * (1 + 1e-9):
                what = (
                    f"the floor of {number(floor)} for {year} is above the {number(reach)} that "
                    f"all line-days of {cmo.cmo_id} can cost"
                )
                remedy = "check the floor, the days and the prices; part of it is paid for nothing"
                row = numbers.cmos.get(cmo.cmo_id)
                yield Finding("cmos.csv", row, "min_annual_spend", what, remedy, "warning")
                break
