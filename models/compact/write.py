"""The compact model as an LP or MPS file with readable names."""

from __future__ import annotations

from pathlib import Path

from models.compact.build import build
from models.compact.names import Names
from models.problem import Problem


def write_model(problem: Problem, path: str | Path) -> None:
    """Write the compact model to `path`, as its ending says: `.lp` or `.mps`.

    Variables and rows are called `kind(id,...)`, e.g. `batches(P1@L1,2027Q1)` and
    `line_days(L1,2027Q1)`. Ids whose characters readers refuse are changed (`names.py`); comments
    at the top of the file list each of them with its own id. Raises ValueError for another ending.
    """
    target = Path(path)
    if target.suffix not in (".lp", ".mps"):
        raise ValueError(f"{target.name}: give a file that ends in .lp or .mps")
    prob = build(problem).model.prob
    if target.suffix == ".lp":
        prob.writeLP(str(target))
    else:
        prob.writeMPS(str(target))
    comment = "\\" if target.suffix == ".lp" else "*"
    changed = [
        f"{comment} {kind}: {safe} is {raw!r}\n"
        for kind, names in name_map(problem).items()
        for safe, raw in names.items()
        if safe != raw
    ]
    text = target.read_text(encoding="utf-8")
    target.write_text("".join(changed) + text, encoding="utf-8")


def name_map(problem: Problem) -> dict[str, dict[str, str]]:
    """For each kind of id: the safe name used in files -> the id of the tables."""
    names = Names(problem)
    return {
        "program": dict(zip(names.programs, problem.programs.ids, strict=True)),
        "cmo": dict(zip(names.cmos, problem.cmos.ids, strict=True)),
        "line": dict(zip(names.lines, problem.lines.ids, strict=True)),
        "offer": dict(zip(names.offers, problem.offers.ids, strict=True)),
        "period": dict(zip(names.periods, problem.period_labels, strict=True)),
        "year": dict(zip(names.years, problem.year_labels, strict=True)),
        "rule": dict(zip(names.labels, (rule.label for rule in problem.rules), strict=True)),
    }
