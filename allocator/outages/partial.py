"""What an unfinished stress test found, line by line, so that the next one goes on from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allocator.files import INPUTS_FOLDER
from allocator.outages.files import plan_hash
from allocator.record import sha256, version

if TYPE_CHECKING:
    from models.problem import Floats, Ints
    from models.recourse import Found, Tried

SCHEMA = "allocator-stress-parts/1"
PARTIAL_FILE = "stress.partial.jsonl"


class Partial:
    """The file of one test: a head that tells what it belongs to, then a line per finished look.

    A line that is damaged or was cut short, and a file about another plan, other inputs, another
    gap or another version, count for nothing.
    """

    def __init__(self, folder: Path, run: Path, gap: float) -> None:
        self.path = folder / PARTIAL_FILE
        inputs = sorted((run / INPUTS_FOLDER).rglob("*"))
        told = "".join(f"{path.name} {sha256(path)}\n" for path in inputs if path.is_file())
        self.head = {
            "schema": SCHEMA,
            "plan": plan_hash(run),
            "inputs": hashlib.sha256(told.encode()).hexdigest(),
            "gap": gap,
            "version": version("allocator"),
        }
        self._open = self._torn = False

    def read(self) -> dict[str, tuple[Tried, int]]:
        """What is known of each part, by its key, and the rounds that it has had."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except (OSError, ValueError):
            return {}
        lines = text.splitlines()
        if not lines or _content(lines[0]) != self.head:
            return {}
        known = {}
        for line in lines[1:]:
            look = _look(line)
            if look is not None:
                known[look[0]] = look[1:]
        self._open, self._torn = True, not text.endswith("\n")
        return known

    def add(self, found: Sequence[tuple[str, Tried, bool]], number: int) -> None:
        """Keep what a round found of some parts, where nothing cut it off."""
        lines = [
            json.dumps({"key": name, "rounds": number + 1} | _stated(tried))
            for name, tried, whole in found
            if whole
        ]
        if self._torn:
            lines.insert(0, "")
            self._torn = False
        if not self._open:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.unlink(missing_ok=True)
            lines.insert(0, json.dumps(self.head))
            self._open = True
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write("".join(f"{line}\n" for line in lines))

    def close(self, finished: bool) -> None:
        """Drop the file where there is nothing to go on with."""
        if finished:
            self.path.unlink(missing_ok=True)


def _content(line: str) -> dict[str, Any] | None:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _look(line: str) -> tuple[str, Tried, int] | None:
    """Key of a part, what is known of it and the rounds it has had; None for a damaged line."""
    content = _content(line)
    if content is None:
        return None
    try:
        return str(content["key"]), _tried(content), int(content["rounds"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _stated(tried: Tried) -> dict[str, Any]:
    return {"least": _found(tried.least), "level": tried.level and _found(tried.level)}


def _found(found: Found) -> dict[str, Any]:
    duals = found.duals
    return {
        "batches": _packed(found.batches),
        "bound": found.bound,
        "linear": found.linear,
        "duals": duals and [_packed(part) for part in (duals.flow, duals.line_days, duals.short)],
        "stage": found.stage,
    }


def _packed(values: Floats | Ints) -> dict[str, Any]:
    """An array with its shape, which a list without rows would not tell."""
    return {"shape": values.shape, "values": values.ravel().tolist()}


def _tried(content: dict[str, Any]) -> Tried:
    from models.recourse import Tried

    level = content["level"]
    return Tried(_read(content["least"]), None if level is None else _read(level))


def _read(content: dict[str, Any]) -> Found:
    import numpy as np

    from models.recourse import Duals, Found

    def array(packed: dict[str, Any], kind: Any) -> Any:
        return np.array(packed["values"], kind).reshape(packed["shape"])

    duals = content["duals"]
    return Found(
        array(content["batches"], np.int64),
        float(content["bound"]),
        float(content["linear"]),
        None if duals is None else Duals(*(array(part, np.float64) for part in duals)),
        int(content["stage"]),
    )
