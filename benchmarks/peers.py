"""The decomposition against what a user would pick instead, on the same portfolios.

    python -m benchmarks.peers --sizes S,M --seeds 1,2,3 --limit 60 --threads 2

Each solver runs as a whole process with the same threads and limit. Printed per case: the gap
against the best bound that any of them proved, seconds to 1 % and 0.5 % of it, peak memory, and
the gap as a ratio of the best peer's.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass

from benchmarks.measure import SIZES, TIGHTNESS, Case, Run, measure

PEERS = ("highs", "cbc", "cpsat", "scip")


@dataclass(frozen=True)
class Row:
    """One solver on one case; gaps are against the best bound of all solvers of the case."""

    solver: str
    gap: float | None
    own_gap: float | None
    to_1: float | None
    to_05: float | None
    memory_mb: float
    seconds: float
    status: str


def rows_of(runs: dict[str, Run]) -> list[Row]:
    """Figures of each solver, measured against the best bound of all."""
    best = max((run.bound for run in runs.values() if run.bound is not None), default=None)
    rows = []
    for solver, run in runs.items():
        rows.append(
            Row(
                solver,
                gap_of(run.objective, best),
                gap_of(run.objective, run.bound),
                first_within(run, best, 0.01),
                first_within(run, best, 0.005),
                run.memory_mb,
                run.seconds,
                run.status,
            )
        )
    return rows


def gap_of(objective: float | None, bound: float | None) -> float | None:
    """Relative gap, None where either figure is missing."""
    if objective is None or bound is None:
        return None
    return max(0.0, objective - bound) / max(abs(objective), 1e-9)


def first_within(run: Run, best: float | None, gap: float) -> float | None:
    """Seconds until the run's plan was within `gap` of the best bound, None: never."""
    for seconds, objective, _ in run.trace:
        reached = gap_of(objective, best)
        if reached is not None and reached <= gap:
            return seconds
    return None


def shown(value: float | None, kind: str) -> str:
    """A figure for the table, a dash where there is none."""
    return "-" if value is None else format(value, kind)


def table(name: str, rows: list[Row]) -> list[str]:
    """Markdown rows of one case."""
    peer = min(
        (row.gap for row in rows if row.solver in PEERS and row.gap is not None), default=None
    )
    lines = []
    for row in rows:
        ratio = None if not peer or row.gap is None else row.gap / peer
        lines.append(
            f"| {name} | {row.solver} | {shown(row.gap, '.3%')} | {shown(row.own_gap, '.3%')} |"
            f" {shown(ratio, '.2f')} | {shown(row.to_1, '.1f')} | {shown(row.to_05, '.1f')} |"
            f" {row.seconds:.1f} | {row.memory_mb:.0f} | {row.status} |"
        )
    return lines


def main() -> None:
    """Run what was asked for and print the table as it grows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="S,M")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--sourcing", default="free")
    parser.add_argument("--tightness", default="tight")
    parser.add_argument("--solvers", default="patterns,auto,highs,cbc,cpsat,scip")
    parser.add_argument("--limit", type=float, default=60.0)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    print(f"{asked.threads} threads, {asked.limit:g} s, load {os.getloadavg()[0]:.1f} at the start")
    print(
        "| case | solver | gap to best bound | own gap | of best peer | s to 1 % | s to 0.5 % |"
        " s | MB | status |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for size in asked.sizes.split(","):
        for sourcing in asked.sourcing.split(","):
            for tightness in asked.tightness.split(","):
                for seed in asked.seeds.split(","):
                    case = Case(*SIZES[size], int(seed), sourcing, TIGHTNESS[tightness])
                    runs = {
                        solver: measure(case, solver, asked.limit, asked.threads)
                        for solver in asked.solvers.split(",")
                    }
                    name = f"{size} {sourcing} {tightness} {seed}"
                    print("\n".join(table(name, rows_of(runs))), flush=True)


if __name__ == "__main__":
    main()
