"""The answers as runs: their own tables, their files, and the audit's word on each.

An answer is a plan for other tables than those given: demand has grown, and a surge adds
line-days. These tables are written, the plan beside them as `allocator run` would write it, and
the audit reads both.
"""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from allocator.findings import fold
from allocator.growth.answers import Answer
from allocator.record import SCENARIO_FILE, input_files
from allocator.values import period_label

if TYPE_CHECKING:
    from allocator.growth.case import Situation
    from models.problem import Floats

ANSWERS_FOLDER = "answers"
#: The answers whose line-days are not those of the tables.
SURGED = ("expanded", "level")


def audited(
    answers: tuple[Answer, ...],
    situation: Situation,
    portfolio: Path,
    scenario: Path | None,
    out: Path | None,
) -> tuple[Answer, ...]:
    """The answers with the audit's verdict in their plans; their runs stay in `out` where given.

    Raises AuditFailed where the audit finds anything.
    """
    checked = []
    for answer in answers:
        today = answer.name == "today"
        factors = np.ones_like(situation.factors) if today else situation.factors
        folder = None if out is None else out / ANSWERS_FOLDER / answer.name
        with tempfile.TemporaryDirectory(prefix="allocator-") as made:
            inputs = Path(made) / "inputs"
            write_inputs(inputs, answer, factors, portfolio, scenario)
            checked.append(_run_of(answer, situation, inputs, folder))
    return tuple(checked)


def _run_of(answer: Answer, situation: Situation, inputs: Path, folder: Path | None) -> Answer:
    from allocator.engine import Clock, write_outcome

    solving = situation.case.solving
    sourcing = answer.plan["sourcing"]
    options = {
        # the answers are not made secure, whatever the policy asks of a plan
        "sourcing": "free" if sourcing == "secure" else situation.case.sourcing,
        "solver": solving.solver,
        "time_limit": None,
        "gap": solving.gap,
        "threads": solving.threads,
        "seed": solving.seed,
    }
    scenario = inputs / SCENARIO_FILE
    outcome = write_outcome(
        answer.compiled,
        answer.result,
        inputs,
        scenario if scenario.exists() else None,
        options,
        folder,
        Clock(),
    )
    return replace(answer, plan=outcome.plan)


def write_inputs(
    folder: Path, answer: Answer, factors: Floats, portfolio: Path, scenario: Path | None
) -> None:
    """The tables that an answer is a plan for: demand grown, line-days as the answer has them.

    `factors` (P, T) multiply the demand of each program.
    """
    folder.mkdir(parents=True)
    for name, source in input_files(portfolio, scenario).items():
        shutil.copyfile(source, folder / name)
    problem = answer.compiled.problem
    labels = problem.period_labels
    by_cell = {
        (program, label): float(factor)
        for program, row in zip(problem.programs.ids, factors, strict=True)
        for label, factor in zip(labels, row, strict=True)
    }
    table = folder / "portfolio.csv"
    table.write_text(grown_columns(_text(table), by_cell), encoding="utf-8", newline="")
    table = folder / "demand.csv"
    if table.exists():
        table.write_text(grown_rows(_text(table), by_cell), encoding="utf-8", newline="")
    lines = problem.lines
    if answer.name in SURGED:
        table = folder / "line_days.csv"
        days = {
            (line, label): float(day)
            for line, row in zip(lines.ids, lines.days, strict=True)
            for label, day in zip(labels, row, strict=True)
        }
        old = _text(table) if table.exists() else ""
        table.write_text(with_days(old, days), encoding="utf-8", newline="")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig")


def _records(text: str, *names: str) -> tuple[list[str], list[list[str]], list[int]]:
    """Header and rows of a table that are not blank, and the places of some columns.

    Names are matched as freely as `allocator.tables` does ("Program ID" is program_id).
    """
    header, *rows = [row for row in csv.reader(io.StringIO(text)) if any(map(str.strip, row))]
    folded = [fold(cell.strip()) for cell in header]
    return header, rows, [folded.index(fold(name)) for name in names]


def grown_columns(text: str, factors: Mapping[tuple[str, str], float]) -> str:
    """portfolio.csv with the demand of its period columns multiplied, by program and period."""
    header, rows, (key,) = _records(text, "program_id")
    labels = [period_label(cell.strip()) for cell in header]
    for row in rows:
        for place, label in enumerate(labels):
            if label is not None and place < len(row) and row[place].strip():
                factor = factors.get((row[key].strip(), label), 1.0)
                row[place] = repr(float(row[place]) * factor)
    return _written([header, *rows])


def grown_rows(text: str, factors: Mapping[tuple[str, str], float]) -> str:
    """demand.csv with its quantities multiplied, by program and period."""
    header, rows, (program, period, quantity) = _records(text, "program_id", "period", "quantity")
    for row in rows:
        if len(row) > quantity and row[quantity].strip():
            label = period_label(row[period].strip()) or ""
            factor = factors.get((row[program].strip(), label), 1.0)
            row[quantity] = repr(float(row[quantity]) * factor)
    return _written([header, *rows])


def with_days(text: str, days: Mapping[tuple[str, str], float]) -> str:
    """line_days.csv with the days of these lines and periods in place of what it has of them."""
    kept = []
    if text.strip():
        _, rows, places = _records(text, "line_id", "period", "days")
        for row in rows:
            line, period, day = (row[place].strip() for place in places)
            if (line, period_label(period) or "") not in days:
                kept.append([line, period, day])
    new = [[line, label, repr(day)] for (line, label), day in days.items()]
    return _written([["line_id", "period", "days"], *kept, *new])


def _written(rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()
