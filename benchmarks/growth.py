"""Time, memory and gap of the decomposition as the portfolio doubles.

    python -m benchmarks.growth --first 25 --doublings 4 --limit 60 --threads 2

CMOs are three tenths of the programs up to 40, then a fifth.
"""

from __future__ import annotations

import argparse
import os

from benchmarks.measure import Case, Run, measure
from benchmarks.peers import first_within, gap_of, shown


def cmos_of(programs: int) -> int:
    """CMOs of a portfolio of so many programs."""
    return max(3, round(0.3 * programs)) if programs <= 40 else max(12, programs // 5)


def row_of(case: Case, run: Run) -> str:
    """The markdown row of one size."""
    return (
        f"| {case.programs} | {case.cmos} | {run.prepare_seconds:.1f} | {run.seconds:.1f} |"
        f" {shown(gap_of(run.objective, run.bound), '.3%')} |"
        f" {shown(first_within(run, run.bound, 0.01), '.1f')} | {run.memory_mb:.0f} |"
        f" {run.status} |"
    )


def main() -> None:
    """Double the size and print one row each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=25)
    parser.add_argument("--doublings", type=int, default=4)
    parser.add_argument("--periods", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--solver", default="patterns")
    parser.add_argument("--limit", type=float, default=60.0)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    print(f"{asked.threads} threads, {asked.limit:g} s, load {os.getloadavg()[0]:.1f} at the start")
    print("| programs | CMOs | build s | s | gap | s to 1 % | MB | status |")
    print("|---|---|---|---|---|---|---|---|")
    for step in range(asked.doublings + 1):
        programs = asked.first * 2**step
        case = Case(programs, cmos_of(programs), asked.periods, asked.seed)
        run = measure(case, asked.solver, asked.limit, asked.threads)
        print(row_of(case, run), flush=True)


if __name__ == "__main__":
    main()
