"""Folders of plan series: opened early so that they can be resumed, finished whole."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from allocator.errors import Usage
from allocator.files import write_json, write_table

#: Name of a CSV file -> its columns and rows.
Tables = Mapping[str, tuple[Sequence[str], Sequence[Mapping[str, Any]]]]


def open_folder(out: str | Path, main_file: str, schema: str) -> Path:
    """The folder of a series, new or from before, marked as unfinished.

    Plans that are in it already stay. Raises Usage where it holds anything else, or a main file
    that cannot be read.
    """
    folder = Path(os.path.abspath(out))
    if folder.exists() and not folder.is_dir():
        raise Usage(f"{folder} is a file; give a folder")
    if folder.exists() and any(folder.iterdir()) and not _is_series(folder / main_file, schema):
        raise Usage(
            f"{folder} holds something else than {main_file}; give a new or an empty folder"
        )
    folder.mkdir(parents=True, exist_ok=True)
    _put_json(folder / main_file, {"schema": schema, "finished": False})
    return folder


def close_folder(
    folder: Path, main_file: str, data: Mapping[str, Any], tables: Tables | None = None
) -> None:
    """Write what was found: the tables, then the main file over the mark of the unfinished."""
    for name, (columns, rows) in (tables or {}).items():
        draft = folder / f".{name}"
        write_table(draft, columns, [_blank(row) for row in rows])
        draft.replace(folder / name)
    _put_json(folder / main_file, data)


def _put_json(path: Path, content: Mapping[str, Any]) -> None:
    draft = path.with_name(f".{path.name}")
    write_json(draft, content)
    draft.replace(path)


def _blank(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with None as an empty cell."""
    return {name: "" if value is None else value for name, value in row.items()}


def _is_series(path: Path, schema: str) -> bool:
    """Whether a file is the main file of a series. Raises Usage where it is one no longer."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except ValueError as error:
        raise Usage(
            f"{path} is not JSON ({error}), so whose folder this is can't be told; give another"
            f' folder, or write {{"schema": "{schema}"}} into that file to go on with what is here'
        ) from None
    return isinstance(content, dict) and content.get("schema") == schema
