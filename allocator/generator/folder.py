"""Writing a folder of tables, whole or not at all."""

from __future__ import annotations

import csv
import io
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from allocator.errors import Usage
from allocator.fields import fields

Row = Mapping[str, object]


def text(value: object) -> str:
    """A cell: blank for None, yes or no, numbers without needless digits, lists by semicolons."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value == int(value) else repr(value)
    if isinstance(value, tuple | list):
        return ";".join(text(part) for part in value)
    return str(value)


def table(name: str, rows: Sequence[Row], periods: Sequence[str] = ()) -> str:
    """A CSV table in the order of the field table; columns that no row fills are left out."""
    known = [*fields(name), *periods]
    used = {column for row in rows for column, value in row.items() if value not in (None, "", ())}
    stray = used - set(known)
    if stray:
        raise KeyError(f"{name} has no column {sorted(stray)}")
    required = {column for column, field in fields(name).items() if field.required}
    columns = [column for column in known if column in used | required or column in periods]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([text(row.get(column)) for column in columns] for row in rows)
    return buffer.getvalue()


def write_folder(folder: Path, files: Mapping[str, str]) -> Path:
    """Write `files` (name -> text) into a new or empty folder, or leave nothing behind.

    Raises Usage where the folder has content, is a file, or cannot be made.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise Usage(f"{folder} is a file: name a new or an empty folder")
    if folder.is_dir() and any(folder.iterdir()):
        raise Usage(f"{folder} is not empty: name a new or an empty folder")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staged = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    except OSError as problem:
        raise Usage(f"{folder} cannot be made: {problem.strerror}") from problem
    try:
        for name, content in files.items():
            (staged / name).write_bytes(content.encode("utf-8"))
        staged.chmod(0o777 & ~_umask())
        if folder.is_dir():
            _move_into(staged, folder, list(files))
        else:
            os.rename(staged, folder)
    except OSError as problem:
        raise Usage(f"{folder} cannot be written: {problem.strerror}") from problem
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return folder


def _move_into(staged: Path, folder: Path, names: Sequence[str]) -> None:
    """Move files into an empty folder that stays; take back the moved ones if one fails."""
    done: list[Path] = []
    try:
        for name in names:
            os.replace(staged / name, folder / name)
            done.append(folder / name)
    except OSError:
        for file in done:
            file.unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
