"""From the bytes of a history file to rows of text: encoding, line ends, repairs, shape."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from dataclasses import dataclass
from pathlib import Path

from allocator.errors import BadData
from allocator.findings import Finding, closest
from allocator.history.mapping import HistoryMap

LINE_ENDS = {"crlf": "\r\n", "cr": "\r", "lf": "\n"}


@dataclass(frozen=True)
class Source:
    """Rows of the history, (line in the file, column -> text). `repaired` counts mended cells."""

    file: str
    rows: tuple[tuple[int, dict[str, str]], ...]
    repaired: int


def read_source(path: Path, mapping: HistoryMap) -> Source:
    """Read the history as the map describes it. Raises BadData where it is something else."""
    text = _lines(path, _decode(path, _unpack(path, mapping), mapping), mapping)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mapping["file.delimiter"])
    try:
        header = [name.strip() for name in next(reader, [])]
        findings = _check_header(path.name, header, mapping)
        if findings:
            raise BadData(findings)
        rows: list[tuple[int, dict[str, str]]] = []
        repaired = 0
        end = reader.line_num
        for cells in reader:
            first, end = end + 1, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                findings.append(
                    Finding(
                        path.name,
                        first,
                        "",
                        f"has {len(cells)} fields, the header has {len(header)}",
                        "quote fields that hold the delimiter",
                    )
                )
                continue
            mended = [_repair(cell, mapping) for cell in cells]
            repaired += sum(a != b for a, b in zip(mended, cells, strict=True))
            rows.append((first, dict(zip(header, map(str.strip, mended), strict=True))))
    except csv.Error as problem:
        raise BadData(
            [Finding(path.name, reader.line_num, "", f"is no CSV: {problem}", "mend the file")]
        ) from problem
    if findings:
        raise BadData(findings)
    if not rows:
        raise BadData([Finding(path.name, None, "", "holds no rows", "give the order history")])
    return Source(path.name, tuple(rows), repaired)


def _unpack(path: Path, mapping: HistoryMap) -> bytes:
    """The file's bytes, unpacked where it is gzip."""
    try:
        raw = path.read_bytes()
        packed = raw.startswith(b"\x1f\x8b")
        if mapping["file.compression"] == "gzip" or (
            packed and mapping["file.compression"] == "auto"
        ):
            return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as problem:
        why = problem.strerror if isinstance(problem, OSError) and problem.strerror else problem
        finding = Finding(path.name, None, "", f"cannot be read: {why}", "check path and file")
        raise BadData([finding]) from problem
    return raw


def _decode(path: Path, raw: bytes, mapping: HistoryMap) -> str:
    """The text in the declared encoding, without a byte order mark."""
    encoding = mapping["file.encoding"]
    try:
        return raw.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as problem:
        before = raw[: problem.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        finding = Finding(
            path.name,
            before.count(b"\n") + 1,
            "",
            f"byte 0x{raw[problem.start]:02x} is no {encoding}",
            "set file.encoding of the map, e.g. to cp1252 or latin-1",
        )
        raise BadData([finding]) from problem


def _lines(path: Path, text: str, mapping: HistoryMap) -> str:
    r"""The text with `\n` as its only line end, checked against the declared one."""
    count = {"crlf": text.count("\r\n")}
    count["cr"] = text.count("\r") - count["crlf"]
    count["lf"] = text.count("\n") - count["crlf"]
    wanted = mapping["file.line_ends"]
    most = max(count, key=lambda kind: count[kind])
    if wanted != "any" and count[most] and most != wanted:
        finding = Finding(
            path.name,
            None,
            "",
            f"its lines end in {most.upper()}, the map says {wanted.upper()}",
            f'set file.line_ends of {mapping.file} to "{most}" or "any"',
        )
        raise BadData([finding])
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _check_header(file: str, header: list[str], mapping: HistoryMap) -> list[Finding]:
    """Every column that the map names is there, once."""
    if len(header) <= 1:
        return [
            Finding(
                file,
                1,
                "",
                "has one column or none",
                f"set file.delimiter of {mapping.file}; it is {mapping['file.delimiter']!r}",
            )
        ]
    findings = []
    for column in mapping.columns_used:
        if column not in header:
            near = closest(column, header)
            remedy = f"did you mean {near!r}?" if near else "there are " + ", ".join(header)
            findings.append(Finding(mapping.file, None, column, f"is no column of {file}", remedy))
        elif header.count(column) > 1:
            findings.append(Finding(file, 1, column, "stands twice in the header", "rename one"))
    return findings


def _repair(cell: str, mapping: HistoryMap) -> str:
    """The cell with the map's repairs, and UTF-8 that was once misread put right."""
    for wrong, right in mapping.repairs.items():
        cell = cell.replace(wrong, right)
    codec = mapping["file.mojibake"]
    if not codec or cell.isascii():
        return cell
    try:
        return cell.encode(codec).decode("utf-8")
    except UnicodeError:
        return cell  # not misread: rightly accented text is no valid UTF-8 in another coding
