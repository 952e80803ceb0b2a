"""HiGHS in process: arrays in, values and bound out; silent, interruptible, reproducible."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import numpy as np

from models.compact.matrix import Matrix
from models.compact.outcome import Outcome
from models.problem import Floats
from models.result import TOLERANCE, Limit
from models.solve import Progress, Settings

#: Seconds between two looks at `settings.stop` and two progress messages.
POLL_SECONDS = 0.05


class HighsSolver:
    """One matrix loaded into HiGHS.

    Raises ValueError where HiGHS does not take the matrix (NaN, infinite coefficients).
    """

    def __init__(self, matrix: Matrix, threads: int, seed: int) -> None:
        import highspy

        self.matrix = matrix
        self._log: list[str] = []
        self._last: tuple[float | None, float | None] = (None, None)
        self._stop = False
        self.highs: Any = highspy.Highs()
        for option, value in (
            ("output_flag", True),
            ("log_to_console", False),
            ("log_file", os.devnull),  # without a file HiGHS does not call back with its log
            ("threads", threads),
            ("random_seed", seed),
            ("mip_abs_gap", 0.0),
        ):
            self.highs.setOptionValue(option, value)
        self._subscribe()
        _check(self.highs.passModel(_lp(matrix)))

    def _subscribe(self) -> None:
        highs = self.highs
        highs.cbLogging.subscribe(lambda event: self._log.append(event.message))
        highs.cbMipLogging.subscribe(self._note)
        highs.cbMipImprovingSolution.subscribe(self._note)
        for callback in (highs.cbMipInterrupt, highs.cbSimplexInterrupt, highs.cbIpmInterrupt):
            callback.subscribe(self._interrupt)

    def _note(self, event: Any) -> None:
        primal, dual = event.data_out.mip_primal_bound, event.data_out.mip_dual_bound
        self._last = (_finite(primal), _finite(dual))

    def _interrupt(self, event: Any) -> None:
        if self._stop:
            event.interrupt()

    def set_start(self, x: Floats) -> None:
        """Offer a solution to start from; HiGHS ignores it where it is infeasible."""
        import highspy

        solution = highspy.HighsSolution()
        solution.col_value = x.tolist()
        _check(self.highs.setSolution(solution))

    def run(self, settings: Settings, time_limit: float | None) -> Outcome:
        """Solve until proven within the gap, the time limit (seconds), or `settings.stop`.

        Raises RuntimeError where HiGHS itself fails.
        """
        import highspy

        highs = self.highs
        highs.setOptionValue("mip_rel_gap", max(settings.gap, 1e-9))
        highs.setOptionValue("time_limit", highs.inf if time_limit is None else time_limit)
        self._log, self._stop = [], False
        highspy.Highs.resetGlobalScheduler(True)
        started = time.monotonic()
        worker = threading.Thread(target=highs.run, name="highs")
        worker.start()
        self._wait(worker, settings, started)
        return self._outcome()

    def _wait(self, worker: threading.Thread, settings: Settings, started: float) -> None:
        """Poll until the worker is done, asking it to stop where that is wanted."""
        shown: tuple[float | None, float | None] = (None, None)
        while worker.is_alive():
            try:
                worker.join(POLL_SECONDS)
                if settings.stop is not None and settings.stop():
                    self._stop = True
                if settings.progress is not None and self._last != shown:
                    shown = self._last
                    settings.progress(Progress(time.monotonic() - started, *shown, "highs"))
            except KeyboardInterrupt:
                self._stop = True

    def _outcome(self) -> Outcome:
        import highspy

        status, info = self.highs.getModelStatus(), self.highs.getInfo()
        kinds = highspy.HighsModelStatus
        name = str(self.highs.modelStatusToString(status))
        if status in (kinds.kLoadError, kinds.kModelError, kinds.kPresolveError):
            raise RuntimeError(f"HiGHS failed: {name}")
        if status in (kinds.kSolveError, kinds.kPostsolveError):
            raise RuntimeError(f"HiGHS failed: {name}")
        infeasible = status == kinds.kInfeasible
        found = info.primal_solution_status == 2 and not infeasible
        limits: dict[Any, Limit] = {
            kinds.kTimeLimit: "time",
            kinds.kInterrupt: "interrupt",
            kinds.kMemoryLimit: "memory",
        }
        limit = limits.get(status)
        if status == kinds.kOptimal and info.mip_gap > TOLERANCE:
            limit = "gap"
        return Outcome(
            x=np.array(self.highs.getSolution().col_value) if found else None,
            objective=float(info.objective_function_value) if found else None,
            bound=None if infeasible else _finite(info.mip_dual_bound),
            limit=limit,
            infeasible=infeasible,
            log="".join(self._log),
            statistics={
                "nodes": float(info.mip_node_count),
                "simplex_iterations": float(info.simplex_iteration_count),
                "highs_status": name,
            },
        )


def _lp(matrix: Matrix) -> Any:
    """The matrix as a HighsLp."""
    import highspy

    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = matrix.shape
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = matrix.cost, matrix.low, matrix.high
    lp.row_lower_, lp.row_upper_ = matrix.row_low, matrix.row_high
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.num_row_, lp.a_matrix_.num_col_ = matrix.shape
    lp.a_matrix_.start_ = matrix.start
    lp.a_matrix_.index_ = matrix.index
    lp.a_matrix_.value_ = matrix.value
    kind = highspy.HighsVarType
    lp.integrality_ = [kind.kInteger if flag else kind.kContinuous for flag in matrix.integer]
    return lp


def _check(status: Any) -> None:
    """Raise where HiGHS reports an error."""
    import highspy

    if status == highspy.HighsStatus.kError:
        raise ValueError("HiGHS refused the model")


def _finite(value: float) -> float | None:
    """A number, None where it is infinite or undefined."""
    return float(value) if np.isfinite(value) and abs(value) < 1e29 else None
