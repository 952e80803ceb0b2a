"""CP-SAT on a thread of its own: silent, interruptible, reproducible."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

from models.cpsat.model import CpModel
from models.result import Limit
from models.solve import Progress, Settings

#: Seconds between two looks at `settings.stop` and two progress messages.
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Answer:
    """What CP-SAT gave back; `bound` is in whole money, None where nothing was proven."""

    solver: Any  # cp_model.CpSolver, for the values of variables
    found: bool
    infeasible: bool
    objective: float | None
    bound: float | None
    limit: Limit | None
    log: str


def run(model: CpModel, settings: Settings, time_limit: float | None) -> Answer:
    """Search until proven within the gap, the time limit (seconds) or `settings.stop`.

    Raises ValueError where CP-SAT does not take the model.
    """
    from ortools.sat.python import cp_model

    log: list[str] = []
    solver = cp_model.CpSolver()
    parameters = solver.parameters
    parameters.num_workers = settings.threads
    # one worker repeats itself; several do only where they take turns at fixed moments
    parameters.interleave_search = settings.threads > 1
    parameters.random_seed = settings.seed
    parameters.relative_gap_limit = settings.gap
    parameters.log_search_progress = True
    parameters.log_to_stdout = False
    if time_limit is not None:
        parameters.max_time_in_seconds = time_limit
    solver.log_callback = log.append
    status, interrupted = _search(solver, model, settings)
    if status == "MODEL_INVALID":
        raise ValueError(f"CP-SAT refused the model: {model.cp.validate()}")
    found, infeasible = status in ("OPTIMAL", "FEASIBLE"), status == "INFEASIBLE"
    limit: Limit | None = None
    if status in ("FEASIBLE", "UNKNOWN"):
        limit = "interrupt" if interrupted else ("memory" if time_limit is None else "time")
    bound = solver.best_objective_bound
    return Answer(
        solver=solver,
        found=found,
        infeasible=infeasible,
        objective=solver.objective_value if found else None,
        # a search that got nowhere says 0, which is not proven
        bound=float(bound) if found or (bound != 0 and not infeasible) else None,
        limit=limit,
        log="\n".join(log),
    )


def _search(solver: Any, model: CpModel, settings: Settings) -> tuple[str, bool]:
    """Run the search; its status, and whether it was asked to stop."""
    from ortools.sat.python import cp_model

    best: list[float | None] = [None, None]  # objective, bound, in whole money

    class Watcher(cp_model.CpSolverSolutionCallback):  # type: ignore[misc]
        """Notes each better plan."""

        def on_solution_callback(self) -> None:
            """Called by the search for each better plan."""
            best[0] = float(self.objective_value)

    def note(bound: float) -> None:
        best[1] = bound

    solver.best_bound_callback = note
    failure: list[BaseException] = []
    status: list[str] = []

    def work() -> None:
        try:
            status.append(solver.status_name(solver.solve(model.cp, Watcher())))
        except BaseException as error:
            failure.append(error)

    worker = threading.Thread(target=work, name="cpsat")
    started, stopped = time.monotonic(), False
    shown: tuple[float | None, float | None] = (None, None)
    worker.start()
    while worker.is_alive():
        try:
            worker.join(POLL_SECONDS)
            stopped = stopped or (settings.stop is not None and settings.stop())
            state = _in_money(best, model)
            if settings.progress is not None and state != shown:
                shown = state
                settings.progress(Progress(time.monotonic() - started, *state, "cpsat"))
        except KeyboardInterrupt:
            stopped = True
        if stopped:
            solver.stop_search()
    if failure:
        raise failure[0]
    return status[0], stopped


def _in_money(best: list[float | None], model: CpModel) -> tuple[float | None, float | None]:
    """Objective and bound in money, rounding taken off the bound."""
    money = model.scales.money
    objective = None if best[0] is None else best[0] / money
    return objective, None if best[1] is None else best[1] / money - model.error
