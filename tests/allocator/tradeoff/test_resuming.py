"""Series of plans that are interrupted, resumed, and fanned out."""

import json
import queue
import signal
import threading
from pathlib import Path

import pytest

import allocator
from allocator.errors import AuditFailed
from allocator.tradeoff import crew as crew_module
from allocator.tradeoff import tasks
from allocator.tradeoff.crew import Board, Crew, Job, WorkerLost
from allocator.tradeoff.tasks import Task, finished_run, solve_task
from models.solve import Progress
from tests.allocator.tradeoff import working

TINY = Path(__file__).resolve().parents[3] / "instances" / "tiny"


def compare(out, **options):
    return allocator.compare(
        TINY, policies=["single", "dual", "free"], solver="highs", gap=0.0, out=out, **options
    )


def starts(comparison):
    return {
        plan["policy"]: json.loads(
            (comparison.folder / plan["folder"] / "record.json").read_text()
        )["start"]
        for plan in comparison.data["plans"]
    }


def test_what_is_finished_is_taken_over(tmp_path, monkeypatch):
    first = compare(tmp_path / "out")
    monkeypatch.setattr("models.solve.solve", lambda *_: pytest.fail("solved again"))
    monkeypatch.setattr("allocator.outages.stress_plan", lambda *_: pytest.fail("stressed again"))
    assert compare(tmp_path / "out").data == first.data


def test_other_options_or_inputs_are_solved_anew(tmp_path):
    task = Task(tmp_path / "run", TINY, sourcing="single", solver="highs", gap=0.0)
    solve_task(task)
    assert finished_run(task) is not None
    portfolio = tmp_path / "tables"
    portfolio.mkdir()
    for file in TINY.iterdir():
        (portfolio / file.name).write_bytes(file.read_bytes())
    with (portfolio / "policy.toml").open("a") as stream:
        stream.write("# the same\n")
    for other in (
        Task(tmp_path / "run", TINY, sourcing="single", solver="highs", gap=0.1),
        Task(tmp_path / "run", TINY, sourcing="dual", solver="highs", gap=0.0),
        Task(tmp_path / "run", portfolio, sourcing="single", solver="highs", gap=0.0),
        Task(tmp_path / "nowhere", TINY, sourcing="single", solver="highs", gap=0.0),
    ):
        assert finished_run(other) is None


def test_a_plan_that_no_longer_passes_its_audit_is_not_taken_over(tmp_path):
    task = Task(tmp_path / "run", TINY, sourcing="single", solver="highs", gap=0.0)
    solve_task(task)
    file = tmp_path / "run" / "plan.json"
    plan = json.loads(file.read_text())
    plan["cash_cost"] += 1.0
    file.write_text(json.dumps(plan))
    assert finished_run(task) is None


def test_an_interrupted_plan_is_solved_on_from_where_it_stood(tmp_path, monkeypatch):
    task = Task(tmp_path / "run", TINY, sourcing="free", solver="highs", gap=0.0)
    solve_task(task)
    file = tmp_path / "run" / "plan.json"
    plan = json.loads(file.read_text())
    file.write_text(json.dumps(plan | {"limit": "interrupt"}))
    begun = []
    real = tasks.best_start

    def watched(*args):
        begun.append(real(*args))
        return begun[-1]

    monkeypatch.setattr(tasks, "best_start", watched)
    done = solve_task(task)
    assert not done.reused
    assert begun[0] is not None
    assert json.loads(file.read_text())["limit"] != "interrupt"


def test_a_stop_keeps_what_is_finished_and_begins_nothing_more(tmp_path):
    seen = []

    def progress(state):
        seen.append(state.phase)

    def stop():
        return any(phase.startswith("1 of") for phase in seen)

    halted = compare(tmp_path / "out", progress=progress, stop=stop)
    assert [plan["policy"] for plan in halted.data["plans"]] == ["single"]
    assert halted.data["finished"] is False
    assert "stopped before every plan was made" in halted.data["notes"]
    before = starts(halted)
    whole = compare(tmp_path / "out")
    assert [plan["policy"] for plan in whole.data["plans"]] == ["single", "dual", "free"]
    assert starts(whole)["single"] == before["single"]
    assert whole.data["finished"]


def test_two_processes_find_what_one_finds(tmp_path):
    one, two = compare(tmp_path / "one"), compare(tmp_path / "two", threads=2)
    assert one.data == two.data


def test_results_stand_in_the_order_asked_and_the_display_counts_them():
    states = []
    jobs = [Job(f"job {n}", working.double, n) for n in (5, 1, 3)]
    with Crew(2, states.append) as crew:
        assert crew.run(jobs) == [10, 2, 6]
        assert crew.run([Job("job 5", working.slowly_double, 5)]) == [10]
    assert states[-1].phase == "4 of 4 done"
    assert any("job 5 25.00 %" in state.phase for state in states)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_a_job_is_raised(workers):
    jobs = [Job("good", working.double, 1), Job("bad", working.fail, "the line is down")]
    with Crew(workers) as crew, pytest.raises(AuditFailed, match="the line is down"):
        crew.run(jobs)


def test_jobs_not_begun_before_a_stop_have_no_result():
    with Crew(2, stop=lambda: True) as crew:
        jobs = [Job(str(n), working.until_stopped, n) for n in range(6)]
        found = crew.run(jobs)
    assert None in found
    with Crew(1, stop=lambda: True) as crew:
        assert crew.run([Job("one", working.double, 1)]) == [None]


def test_a_worker_that_dies_is_told_of():
    with Crew(2) as crew, pytest.raises(WorkerLost, match="--out"):
        crew.run([Job("a", working.die, 0), Job("b", working.double, 1)])


def test_a_worker_passes_progress_on_but_not_every_word(monkeypatch):
    said = queue.SimpleQueue()
    monkeypatch.setattr(crew_module, "_shared", {})
    before = signal.getsignal(signal.SIGINT)
    try:
        crew_module._begin(threading.Event(), said, True)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    job = Job("a", working.chatter, 100)
    assert crew_module._call(7, job) == 100
    number, name, state = said.get_nowait()
    assert (number, name, state.phase) == (7, "a", "0")
    assert state.decision is None  # nobody shows a plan, which takes long to send
    assert said.qsize() < 50
    crew_module._shared["flag"].set()
    assert crew_module._call(8, job) is None


def test_the_board_says_nothing_where_nobody_looks():
    board = Board(None)
    assert board.expect(1) == 0
    board.note(0, "a", Progress(0.0, 1.0, 1.0))
    board.note(0, "a", None)
    board.note(0, "a", Progress(0.0, 1.0, 1.0))
    assert board.done == 1
    assert board.states == {}
