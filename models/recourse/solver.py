"""HiGHS on the arrays of `models.recourse.linear`: duals of the relaxation, plans of batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from models.problem import Floats, Ints
from models.recourse.linear import Duals, Model, Solved


def relaxed(model: Model, threads: int = 1) -> Solved:
    """The linear relaxation: its bound and duals, no batches."""
    highs = _highs(model, threads)
    highs.run()
    import highspy

    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return Solved(None, 0.0, finished=False)
    value = float(highs.getInfo().objective_function_value) * model.layout.money
    return Solved(None, max(0.0, value), duals(model, np.array(highs.getSolution().row_dual)))


def whole(
    model: Model,
    gap: float,
    time_limit: float | None,
    threads: int = 1,
    start: Ints | None = None,
    stop: Callable[[], bool] | None = None,
    looks: int | None = None,
) -> Solved:
    """Whole batches (A, T), from `start` (A, T) on where given, and the proven bound.

    Ends after `looks` of the solver at its limits, which, unlike seconds, repeat: some hundreds
    are a tenth of a second.
    """
    import highspy

    highs = _highs(model, threads)
    highs.setOptionValue("mip_rel_gap", max(gap, 1e-9))
    highs.setOptionValue("mip_abs_gap", 1e-7)
    if time_limit is not None:
        highs.setOptionValue("time_limit", max(0.05, time_limit))
    ending = _ending(looks, stop)
    if ending is not None:
        highs.cbMipInterrupt.subscribe(lambda event: event.interrupt() if ending() else None)
    if start is not None:
        _offer(highs, model, start)
    highs.run()
    status, info = highs.getModelStatus(), highs.getInfo()
    kinds = highspy.HighsModelStatus
    found = info.primal_solution_status == 2 and status != kinds.kInfeasible
    bound = float(info.mip_dual_bound)
    bound = bound * model.layout.money if np.isfinite(bound) and bound > 0 else 0.0
    batches = batches_of(model, np.array(highs.getSolution().col_value)) if found else None
    return Solved(batches, bound, finished=status == kinds.kOptimal)


def _ending(looks: int | None, stop: Callable[[], bool] | None) -> Callable[[], bool] | None:
    """Whether to end, asked once at each look of the solver at its limits; None: never."""
    if looks is None:
        return stop
    left = looks

    def ending() -> bool:
        nonlocal left
        left -= 1
        return left < 0 or (stop is not None and stop())

    return ending


def _highs(model: Model, threads: int) -> Any:
    import highspy

    highs = highspy.Highs()
    for option, value in (("output_flag", False), ("threads", threads), ("random_seed", 0)):
        highs.setOptionValue(option, value)
    if highs.passModel(model.lp) == highspy.HighsStatus.kError:
        raise ValueError("HiGHS refused the model of re-planned supply")
    highspy.Highs.resetGlobalScheduler(True)
    return highs


def _offer(highs: Any, model: Model, batches: Ints) -> None:
    """Start from these batches; HiGHS completes the columns left out."""
    form, columns = model.layout, model.columns
    count = batches[form.cell].astype(np.float64)
    values = [*count, *(count[form.runs] > 0).astype(np.float64)]
    places = np.arange(columns["unmet"], dtype=np.int32)
    highs.setSolution(len(values), places, np.array(values))


def batches_of(model: Model, x: Floats) -> Ints:
    """The batches that solver values mean, (A, T), rounded."""
    form = model.layout
    batches = np.zeros(form.scene.most.shape, np.int64)
    batches[form.cell] = np.round(x[: len(form.cell[0])]).astype(np.int64)
    return batches


def duals(model: Model, value: Floats) -> Duals:
    """Row duals of a solved relaxation, in money and unscaled."""
    form, rows = model.layout, model.rows
    scene = form.scene
    flow = np.zeros(scene.wanted.shape)
    per_unit = form.money / form.unit[form.inside]
    block = value[: rows["line_days"]].reshape(len(form.inside), -1)
    flow[form.inside, scene.start :] = np.maximum(block, 0.0) * per_unit[:, None]
    days = np.zeros(scene.room.shape)
    days[form.lines] = np.maximum(-value[rows["line_days"] : rows["campaign"]], 0.0) * form.money
    short = np.zeros(len(scene.price))
    short[form.inside] = np.maximum(value[rows["short"] :], 0.0) * per_unit
    return Duals(flow, days, np.minimum(short, scene.price))
