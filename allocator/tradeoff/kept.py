"""Answers kept in a file beside what they depend on, for the same question later."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from allocator.tradeoff.tasks import run_key


def key_of(run: Path, asked: list[Any]) -> str:
    """Tells questions about a run apart; `asked` is JSON."""
    return hashlib.sha256(json.dumps([run_key(run), asked]).encode()).hexdigest()


def read_kept(file: Path, key: str) -> dict[str, Any] | None:
    """What was kept under this key; None where nothing was, or the file can't be read."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    same = isinstance(content, dict) and content.get("key") == key
    return content if same else None


def keep(file: Path, key: str, content: Mapping[str, Any]) -> None:
    """Keep an answer under its key, in place of what was there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"key": key, **content}), encoding="utf-8")
