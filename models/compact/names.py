"""Readable names for LP and MPS files: safe in every reader, and unique.

A name is `kind(id,id,...)`. Ids keep letters, digits and `_.@#`; everything else becomes `_`. Ids
that collapse ("CMO-A" and "CMO A") get `~2`, `~3` ... in the order of their rows, so that a name
always means one thing; `name_map` (models/compact/write.py) gives the way back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from models.problem import Problem

#: Longest id kept in a name; COIN and CPLEX readers refuse names over 100 or 255 characters.
LONGEST_ID = 24

_UNSAFE = re.compile(r"[^A-Za-z0-9_.@#]")


def safe_ids(ids: Iterable[str]) -> tuple[str, ...]:
    """Each id in characters that LP readers take, `~2`, `~3` ... after those that collapse."""
    taken: set[str] = set()
    safe = []
    for raw in ids:
        base = _UNSAFE.sub("_", raw)[:LONGEST_ID] or "_"
        name, count = base, 1
        while name in taken:
            count += 1
            name = f"{base}~{count}"
        taken.add(name)
        safe.append(name)
    return tuple(safe)


@dataclass(frozen=True)
class Names:
    """The safe ids of a problem, each tuple in the order of the problem's rows."""

    problem: Problem

    @cached_property
    def programs(self) -> tuple[str, ...]:
        """Safe program ids."""
        return safe_ids(self.problem.programs.ids)

    @cached_property
    def cmos(self) -> tuple[str, ...]:
        """Safe CMO ids."""
        return safe_ids(self.problem.cmos.ids)

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """Safe line ids."""
        return safe_ids(self.problem.lines.ids)

    @cached_property
    def offers(self) -> tuple[str, ...]:
        """Safe offer ids."""
        return safe_ids(self.problem.offers.ids)

    @cached_property
    def periods(self) -> tuple[str, ...]:
        """Safe period labels."""
        return safe_ids(self.problem.period_labels)

    @cached_property
    def years(self) -> tuple[str, ...]:
        """Safe year labels."""
        return safe_ids(self.problem.year_labels)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Safe labels of the award rules."""
        return safe_ids(rule.label for rule in self.problem.rules)

    @cached_property
    def streams(self) -> tuple[str, ...]:
        """`offer` for a stream that carries everything, else `offer_share_before_switch`."""
        streams = self.problem.streams
        names = []
        rows = zip(
            streams.offer.tolist(),
            streams.share.tolist(),
            streams.before.tolist(),
            streams.switch.tolist(),
            strict=True,
        )
        for offer, share, before, switch in rows:
            whole = share == 1.0 and before == 1.0
            tail = "" if whole else f"_{share:.9g}_{before:.9g}_{switch}"
            names.append(self.offers[offer] + tail)
        return tuple(names)

    def option(self, row: int) -> str:
        """`program,unsourced` or the streams of the option."""
        options = self.problem.options
        first, second = int(options.first[row]), int(options.second[row])
        if first < 0:
            return f"{self.programs[int(options.program[row])]},unsourced"
        return self.streams[first] + ("" if second < 0 else f",{self.streams[second]}")
