"""What solving has taken so far, in counts that do not depend on how fast the machine is."""

from __future__ import annotations

from dataclasses import dataclass

#: Work that takes as long as a turn of moves, 0.3 to 0.5 s where they were measured: steps of the
#: lines' searches, simplex iterations times rows, streams that a step prices apart from that; least
#: units of a step, and units of a MIP apart from its simplex.
STEPS, SIMPLEX, STREAMS, LEAST, WHOLE = 16e6, 10e6, 30_000, 0.05, 2.5


@dataclass
class Tally:
    """`steps` of the searches of lines; `simplex` iterations times rows; MIPs solved (`wholes`)."""

    steps: int = 0
    simplex: int = 0
    wholes: int = 0

    def units(self, before: Tally, streams: int) -> float:
        """The work since an earlier count, in turns of moves that take about as long."""
        units = LEAST + streams / STREAMS
        units += (self.steps - before.steps) / STEPS + (self.simplex - before.simplex) / SIMPLEX
        return units + WHOLE * (self.wholes - before.wholes)
