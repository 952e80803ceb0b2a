"""Solves problems of the literature, whose minima are proven, through the public entry point.

A generalized assignment problem (GAP) becomes one period in which every job is a program that needs
one batch, every agent a CMO with one line. A facility location problem (CFLP, single source) is the
same with the opening cost of a facility as the onboarding cost of its CMO. Read from `gap/` and
`cflp/` of a data folder that is not part of the repository:

    python -m benchmarks.literature --time-limit 60 --solver highs --only 'cap6*'

Prints one row per instance and ends with 1 where any interval of bound and objective misses the
proven minimum.
"""

from __future__ import annotations

import argparse
import csv
import fnmatch
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("ALLOCATOR_DATA", HERE.parent / "shared" / "data"))
PERIOD = "2027-01"  # one month, so that a program left out costs one month's delay
RELATIVE = 1e-6
FIXED = ("small_molecule", "tablet", "commercial", "batches")


@dataclass(frozen=True)
class Instance:
    """Jobs to be done by agents, each wholly by one. `cost` and `days` are [agent][job].

    `opening` is paid once for each agent with a job. `rounding` is the error of the printed
    minimum.
    """

    name: str
    cost: tuple[tuple[float, ...], ...]
    days: tuple[tuple[float, ...], ...]
    capacity: tuple[float, ...]
    opening: tuple[float, ...]
    minimum: float
    rounding: float = 0.0

    @property
    def penalty(self) -> float:
        """Cost of leaving a job out: the published minimum, so that it never pays.

        A plan without some job costs this and the other jobs at their cheapest at least, which is
        above the minimum.
        """
        return self.minimum


@dataclass(frozen=True)
class Outcome:
    """What came out for an instance: objective and bound (None: there is none), seconds."""

    instance: Instance
    status: str
    objective: float | None
    bound: float | None
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether there is a plan and the proven minimum lies between its bound and objective."""
        if self.objective is None or self.bound is None:
            return False
        minimum = self.instance.minimum
        slack = RELATIVE * abs(minimum) + self.instance.rounding
        return self.bound - slack <= minimum <= self.objective + slack

    @property
    def reached(self) -> bool:
        """Whether the objective is the proven minimum."""
        minimum = self.instance.minimum
        slack = RELATIVE * abs(minimum) + self.instance.rounding
        return self.ok and self.objective is not None and self.objective <= minimum + slack


def read_gap(path: Path, minimum: float) -> Instance:
    """A generalized assignment file: agents, jobs, costs, days, capacities."""
    numbers = iter([float(word) for word in path.read_text(encoding="ascii").split()])
    agents, jobs = int(next(numbers)), int(next(numbers))

    def matrix() -> tuple[tuple[float, ...], ...]:
        return tuple(tuple(next(numbers) for _ in range(jobs)) for _ in range(agents))

    cost, days = matrix(), matrix()
    capacity = tuple(next(numbers) for _ in range(agents))
    return Instance(path.stem, cost, days, capacity, (0.0,) * agents, minimum)


def read_cflp(path: Path, minimum: float) -> Instance:
    """A facility location file: capacity and fixed cost each; each demand with its costs."""
    numbers = iter([float(word) for word in path.read_text(encoding="ascii").split()])
    agents, jobs = int(next(numbers)), int(next(numbers))
    facilities = [(next(numbers), next(numbers)) for _ in range(agents)]
    demands, costs = [], []
    for _ in range(jobs):
        demands.append(next(numbers))
        costs.append([next(numbers) for _ in range(agents)])
    return Instance(
        name=path.stem,
        cost=tuple(zip(*costs, strict=True)),
        days=(tuple(demands),) * agents,
        capacity=tuple(capacity for capacity, _ in facilities),
        opening=tuple(opening for _, opening in facilities),
        minimum=minimum,
        rounding=0.0051,  # the published minima have two or three decimals
    )


def instances(data: Path, only: str = "*") -> Iterator[Instance]:
    """All instances of a data folder whose name fits the pattern, those of GAP first."""
    for kind, column, reader, ending in (
        ("gap", "minimum", read_gap, ""),
        ("cflp", "single_source_minimum", read_cflp, ".txt"),
    ):
        with (data / kind / "values.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if fnmatch.fnmatch(row["instance"], only):
                    path = data / kind / (row["instance"] + ending)
                    yield reader(path, float(row[column]))


def write_tables(instance: Instance, folder: Path) -> None:
    """The instance as input tables: no yield, failure, transfer, testing or outage anywhere."""
    agents, jobs = range(len(instance.capacity)), range(len(instance.cost[0]))
    _table(
        folder / "portfolio.csv",
        "program_id,molecule_type,dosage_form,stage,unit,delay_cost_per_month,sourcing,max_oeb,"
        f"shelf_life_months,{PERIOD}",
        ((f"j{j:03d}", *FIXED, instance.penalty, "single", 1, 12, 1) for j in jobs),
    )
    _table(
        folder / "cmos.csv",
        "cmo_id,region,onboarding_cost,outage_per_year,recover_months",
        ((f"a{i:02d}", "none", instance.opening[i], 0, 0) for i in agents),
    )
    _table(
        folder / "lines.csv",
        "line_id,cmo_id,dosage_forms,batch_min,batch_max,unit,days_per_period",
        (
            (f"l{i:02d}", f"a{i:02d}", "tablet", 1, 1, "batches", instance.capacity[i])
            for i in agents
        ),
    )
    _table(
        folder / "offers.csv",
        "program_id,line_id,batch_size,price_per_batch,days_per_batch,yield,fail_rate,qualified,"
        "release_months",
        (
            (f"j{j:03d}", f"l{i:02d}", 1, instance.cost[i][j], instance.days[i][j], 1, 0, "yes", 0)
            for j in jobs
            for i in agents
        ),
    )
    (folder / "policy.toml").write_text('sourcing = "single"\nrisk_weight = 0\n', encoding="utf-8")


def _table(path: Path, header: str, rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)


def solve(
    instance: Instance,
    solver: str = "auto",
    time_limit: float | None = 60.0,
    threads: int = 1,
) -> Outcome:
    """Write the tables of an instance and run them, tables to audited plan, to a zero gap."""
    from allocator.engine import run

    with tempfile.TemporaryDirectory(prefix="literature-") as name:
        folder = Path(name)
        write_tables(instance, folder)
        start = time.perf_counter()
        outcome = run(folder, solver=solver, time_limit=time_limit, gap=0.0, threads=threads)
        seconds = time.perf_counter() - start
    plan = outcome.plan
    return Outcome(instance, plan["status"], plan["objective"], plan["bound"], seconds)


HEADER = f"{'instance':<10}{'minimum':>14}{'objective':>14}{'bound':>14}{'seconds':>9}  verdict"


def row(outcome: Outcome) -> str:
    """One line of the table."""
    verdict = "proven" if outcome.reached and outcome.status == "optimal" else "holds it"
    if outcome.reached and outcome.status != "optimal":
        verdict = "reached"
    figures = "".join(
        f"{'none' if value is None else format(value, ',.2f'):>14}"
        for value in (outcome.instance.minimum, outcome.objective, outcome.bound)
    )
    name = f"{outcome.instance.name:<10}"
    return f"{name}{figures}{outcome.seconds:>9.1f}  {verdict if outcome.ok else 'MISSED'}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Solve, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--solver", default="auto", help="as in allocator run")
    parser.add_argument("--time-limit", type=float, default=60.0, help="seconds per instance")
    parser.add_argument("--only", default="*", help="instances whose name fits, e.g. 'cap*'")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data", type=Path, default=DATA, help="folder that holds gap/ and cflp/")
    options = parser.parse_args(arguments)
    if not (options.data / "gap").is_dir() or not (options.data / "cflp").is_dir():
        print(
            f"no gap/ and cflp/ in {options.data}; name their folder with --data", file=sys.stderr
        )
        return 2
    print(HEADER)
    outcomes = []
    for instance in instances(options.data, options.only):
        outcomes.append(solve(instance, options.solver, options.time_limit, options.threads))
        print(row(outcomes[-1]), flush=True)
    missed = sum(not outcome.ok for outcome in outcomes)
    reached = sum(outcome.reached for outcome in outcomes)
    proven = sum(outcome.ok and outcome.status == "optimal" for outcome in outcomes)
    seconds = sum(outcome.seconds for outcome in outcomes)
    print(
        f"{len(outcomes)} instances, {options.solver}, {options.time_limit:g} s each,"
        f" {options.threads} thread(s): {reached} at the proven minimum, {proven} proven,"
        f" {missed} missed, {seconds:.0f} s in all"
    )
    return 1 if missed or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
