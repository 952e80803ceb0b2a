"""Reading TOML files key by key, with a finding for everything that is wrong or unknown."""

from __future__ import annotations

import math
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from allocator.findings import Finding, Severity, closest, did_you_mean, fold

Toml = Mapping[str, object]


@dataclass(frozen=True)
class Source:
    """A TOML file's name, and the line of each key by table, number of the table, and key.

    A table that stands once, `[gates]`, has the number 1; so has the first `[[rule]]`.
    """

    file: str
    lines: Mapping[tuple[str, int, str], int] = field(default_factory=dict)

    def line(self, name: str, number: int, key: str) -> int | None:
        """Line of a key, of the inline table that holds it, or of its table's head."""
        outer, _, inner = name.rpartition(".")
        places = ((name, number, key), (outer, number, inner), (name, number, ""))
        return next((self.lines[place] for place in places if place in self.lines), None)


HEAD = re.compile(r"\s*\[{1,2}\s*([^\[\]]+?)\s*\]{1,2}\s*(#.*)?$")
KEY = re.compile(r"""\s*["']?([^"'=\[\]{}#]+?)["']?\s*=""")


def _lines(text: str) -> dict[tuple[str, int, str], int]:
    """Line of each head and key, as far as they stand on lines of their own."""
    lines: dict[tuple[str, int, str], int] = {}
    counts: Counter[str] = Counter()
    name = ""
    for number, line in enumerate(text.split("\n"), 1):
        head, key = HEAD.match(line), KEY.match(line)
        if head:
            name = head[1]
            counts[name] += 1
            lines[name, counts[name], ""] = number
        elif key:
            lines.setdefault((name, counts[name] or 1, key[1]), number)
    return lines


def load_toml(path: Path) -> tuple[Toml, Source, tuple[Finding, ...]]:
    """The file's contents, empty with a finding where it cannot be read, and where they stand."""
    try:
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        return tomllib.loads(text), Source(path.name, _lines(text)), ()
    except UnicodeDecodeError:
        what, remedy = "the file is not UTF-8", "save it as UTF-8"
    except tomllib.TOMLDecodeError as error:
        what, remedy = f"not readable as TOML: {error}", "see docs/policy.md for an example"
    except OSError as error:
        what, remedy = f"cannot be read: {error.strerror or error}", "name a file that can be read"
    return {}, Source(path.name), (Finding(path.name, None, "", what, remedy),)


class Section:
    """One table of a TOML file: typed access by key, findings collected in `found`.

    Keys that were never asked for are reported by `finish`.
    """

    def __init__(
        self, table: Toml, source: Source, found: list[Finding], name: str = "", number: int = 1
    ) -> None:
        self.table = table
        self.source = source
        self.found = found
        self.name = name
        self.place = number
        self.known: list[str] = []

    def add(self, key: str, what: str, remedy: str, severity: Severity = "error") -> None:
        """Report a problem with a key of this table."""
        column = f"{self.name}.{key}" if self.name and key else self.name or key
        row = self.source.line(self.name, self.place, key)
        self.found.append(Finding(self.source.file, row, column, what, remedy, severity))

    def has(self, key: str) -> bool:
        """Whether the key stands there; it is known from then on."""
        self.known.append(key)
        return key in self.table

    def number(
        self,
        key: str,
        default: float,
        low: float = 0.0,
        high: float = math.inf,
        low_open: bool = False,
    ) -> float:
        """A finite number from `low` (from above it where `low_open`) to `high`."""
        if not self.has(key):
            return default
        value = self.table[key]
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.add(key, f"{value!r} is not a number", "give a number without quotes")
        elif not math.isfinite(value):
            self.add(key, f"{value!r} is not finite", "give a number")
        elif value < low or (low_open and value == low):
            word = "above" if low_open else "at least"
            self.add(key, f"{value:g} is too low", f"give a number {word} {low:g}")
        elif value > high:
            self.add(key, f"{value:g} is too high", f"give a number at most {high:g}")
        else:
            return float(value)
        return default

    def whole(self, key: str, default: int) -> int:
        """A whole number from 0 on."""
        value = self.number(key, float(default))
        if value != math.floor(value):
            self.add(key, f"{value:g} is not a whole number", "give a whole number")
            return default
        return int(value)

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        if not self.has(key):
            return default
        value = self.table[key]
        if isinstance(value, bool):
            return value
        self.add(key, f"{value!r} is neither true nor false", "write true or false")
        return default

    def text(self, key: str, default: str = "") -> str:
        """Any text."""
        if not self.has(key):
            return default
        value = self.table[key]
        if isinstance(value, str) and value.strip():
            return value.strip()
        self.add(key, f"{value!r} is not a text", "write a text in quotes")
        return default

    def word(self, key: str, words: Iterable[str], default: str) -> str:
        """One of some words, in any case."""
        text, words = self.text(key, default), tuple(words)
        meant = {fold(word): word for word in words}.get(fold(text))
        if meant is None and text:
            remedy = did_you_mean(text, words, f"use one of {', '.join(words)}")
            self.add(key, f"{text!r} is not known", remedy)
        return meant or default

    def texts(self, key: str, least: int = 0) -> tuple[str, ...]:
        """A list of texts, at least so many; a single one counts as a list. Each counts once."""
        if not self.has(key):
            return ()
        value = self.table[key]
        items = value if isinstance(value, list) else [value]
        if not all(isinstance(item, str) and item for item in items):
            self.add(key, f"{value!r} is not a list of texts", 'write a list such as ["A", "B"]')
            return ()
        if len(set(items)) < least:
            self.add(key, f"{value!r} is too short", f"name at least {least}")
        return tuple(dict.fromkeys(items))

    def section(self, key: str) -> Section:
        """A table inside this one, empty where it isn't there."""
        value: object = self.table[key] if self.has(key) else {}
        if not isinstance(value, dict):
            self.add(key, f"{value!r} is not a table", f"write it as [{key}]")
            value = {}
        name = f"{self.name}.{key}" if self.name else key
        return Section(value, self.source, self.found, name, self.place)

    def sections(self, key: str) -> list[Section]:
        """An array of tables."""
        value: object = self.table[key] if self.has(key) else []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.add(key, "is not a list of tables", f"write each one under [[{key}]]")
            value = []
        return [
            Section(item, self.source, self.found, key, number)
            for number, item in enumerate(value, 1)
        ]

    def factors(self, key: str) -> dict[str, float]:
        """A table of numbers from 0 on, by name."""
        section = self.section(key)
        return {name: section.number(name, 1.0) for name in section.table}

    def finish(self) -> None:
        """Report every key that nobody asked for."""
        for key in self.table:
            if key not in self.known:
                others = [k for k in self.known if k not in self.table]
                near = closest(key, others) or closest(key, self.known)
                remedy = (
                    f"did you mean {near!r}?"
                    if near is not None
                    else f"delete it; known here: {', '.join(dict.fromkeys(self.known))}"
                )
                self.add(key, "the key is unknown", remedy)
