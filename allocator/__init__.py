"""Decides who makes a medicine: programs assigned to contract manufacturers, audited and bounded.

The functions of this package carry the names of the commands: `allocator.run`, `allocator.check`
... They are imported on first use, so that starting up stays fast. No module has the name of a
function, or importing the one would hide the other.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

#: Public function -> the module that defines it.
PUBLIC = {
    "check": "allocator.checks",
    "read_portfolio": "allocator.read",
    "compile_problem": "allocator.compile",
    "new": "allocator.generator",
    "ingest": "allocator.history",
    "run": "allocator.engine",
    "verify": "allocator.engine",
    "stress": "allocator.outages",
    "enablers": "allocator.outages",
    "match": "allocator.ranking",
    "doctor": "allocator.machine",
    "simulate": "allocator.simulation.futures",
    "sensitivity": "allocator.assumed",
    "capacity": "allocator.growth",
    "compare": "allocator.tradeoff",
    "frontier": "allocator.tradeoff",
    "second": "allocator.tradeoff",
}


def __getattr__(name: str) -> Any:
    """Import a public function when it is first asked for."""
    if name not in PUBLIC:
        raise AttributeError(f"module 'allocator' has no attribute {name!r}")
    return getattr(importlib.import_module(PUBLIC[name]), name)


def __dir__() -> list[str]:
    """What there is, without importing it."""
    return sorted([*globals(), *PUBLIC])
