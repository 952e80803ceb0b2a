"""Problems of the literature come out at their proven minimum through the public entry point."""

from __future__ import annotations

import csv
import itertools
from dataclasses import replace

import pytest

from allocator.read import inspect
from benchmarks import literature
from benchmarks.literature import DATA, Instance, Outcome, main, read_cflp, read_gap, row, solve

GAP_FILE = """
 2 4
 5 9 4 7
 6 3 8 6
 3 4 2 5
 4 5 3 4
 8 9
"""
CFLP_FILE = """
2 3
10 7.5
8 4
3
6 9.25
5
7 3
4
2 12.5
"""

needs_data = pytest.mark.skipif(
    not (DATA / "gap").is_dir(), reason=f"NOT TESTED on the literature: there is no {DATA}"
)


def brute_force(instance):
    """Cheapest assignment of every job to one agent, by trying all."""
    agents, jobs = range(len(instance.capacity)), range(len(instance.cost[0]))
    best = float("inf")
    for chosen in itertools.product(agents, repeat=len(jobs)):
        load = [sum(instance.days[i][j] for j in jobs if chosen[j] == i) for i in agents]
        if all(a <= b for a, b in zip(load, instance.capacity, strict=True)):
            cost = sum(instance.cost[chosen[j]][j] for j in jobs)
            best = min(best, cost + sum(instance.opening[i] for i in set(chosen)))
    return best


@pytest.fixture
def gap(tmp_path):
    path = tmp_path / "g1"
    path.write_text(GAP_FILE)
    instance = read_gap(path, 0.0)
    return replace(instance, minimum=brute_force(instance))


@pytest.fixture
def cflp(tmp_path):
    path = tmp_path / "c1.txt"
    path.write_text(CFLP_FILE)
    instance = read_cflp(path, 0.0)
    return replace(instance, minimum=brute_force(instance))


def test_files_are_read(gap, cflp):
    assert gap.cost == ((5, 9, 4, 7), (6, 3, 8, 6))
    assert gap.days == ((3, 4, 2, 5), (4, 5, 3, 4))
    assert gap.capacity == (8, 9)
    assert cflp.capacity == (10, 8)
    assert cflp.opening == (7.5, 4)
    assert cflp.days == ((3, 5, 4), (3, 5, 4))
    assert cflp.cost == ((6, 7, 2), (9.25, 3, 12.5))


@pytest.mark.parametrize("kind", ["gap", "cflp"])
def test_small_ones_come_out_as_brute_force_says(kind, request):
    instance = request.getfixturevalue(kind)
    outcome = solve(instance, "highs", 30)
    assert outcome.ok
    assert outcome.reached
    assert outcome.status == "optimal"
    assert outcome.objective == pytest.approx(instance.minimum)


def test_leaving_a_job_out_never_pays(gap, cflp):
    for instance in (gap, cflp):
        cheapest = sorted(min(job) for job in zip(*instance.cost, strict=True))
        assert sum(cheapest[:-1]) + instance.penalty > instance.minimum


def test_the_tables_are_clean_and_need_no_default(gap, tmp_path):
    folder = tmp_path / "tables"
    folder.mkdir()
    literature.write_tables(gap, folder)
    portfolio, findings = inspect(folder)
    assert findings == ()
    assert portfolio.assumptions == ()
    assert all(offer.assumed == () for offer in portfolio.offers.values())


def test_verdicts():
    instance = Instance("x", ((1.0,),), ((1.0,),), (1.0,), (0.0,), 100.0)
    proven = Outcome(instance, "optimal", 100.0, 100.0, 1.0)
    assert proven.ok
    assert proven.reached
    assert row(proven).endswith("proven")
    reached = Outcome(instance, "feasible", 100.0, 90.0, 1.0)
    assert row(reached).endswith("reached")
    wide = Outcome(instance, "feasible", 105.0, 90.0, 1.0)
    assert wide.ok
    assert not wide.reached
    assert row(wide).endswith("holds it")
    for objective, bound in ((99.0, 90.0), (110.0, 101.0), (None, 90.0), (110.0, None)):
        missed = Outcome(instance, "feasible", objective, bound, 1.0)
        assert not missed.ok
        assert not missed.reached
        assert row(missed).endswith("MISSED")
    assert replace(missed, instance=replace(instance, rounding=0.01)).ok is False


def write_data(tmp_path, minimum):
    for kind, name, text, column in (
        ("gap", "g1", GAP_FILE, "minimum"),
        ("cflp", "c1.txt", CFLP_FILE, "single_source_minimum"),
    ):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / name).write_text(text)
        with (tmp_path / kind / "values.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerows([["instance", column], [name.removesuffix(".txt"), minimum[kind]]])
    return tmp_path


def test_the_command(tmp_path, gap, cflp, capsys):
    data = write_data(tmp_path, {"gap": gap.minimum, "cflp": cflp.minimum})
    arguments = ["--data", str(data), "--solver", "highs", "--time-limit", "30"]
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert text.splitlines()[0].split()[:2] == ["instance", "minimum"]
    assert "2 instances, highs, 30 s each, 1 thread(s): 2 at the proven minimum" in text
    assert main([*arguments, "--only", "none*"]) == 1
    assert main(["--data", str(tmp_path / "nowhere")]) == 2
    assert "no gap/ and cflp/" in capsys.readouterr().err


def test_the_command_fails_where_an_interval_misses(tmp_path, gap, cflp, capsys):
    data = write_data(tmp_path, {"gap": gap.minimum - 1, "cflp": cflp.minimum})
    assert main(["--data", str(data), "--solver", "highs", "--only", "g*"]) == 1
    assert "MISSED" in capsys.readouterr().out


@needs_data
@pytest.mark.parametrize("name", ["gap1-0", "cap71"])
def test_one_of_each_kind_of_the_literature(name):
    (instance,) = literature.instances(DATA, name)
    outcome = solve(instance, "highs", 60)
    assert outcome.reached
    assert outcome.status == "optimal"
