"""Reading TOML files key by key, with a finding for everything that is wrong or unknown."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from allocator.findings import Finding, Severity, closest, did_you_mean, fold

Toml = Mapping[str, object]


def load_toml(path: Path) -> tuple[Toml, tuple[Finding, ...]]:
    """The file's contents, empty with a finding where it cannot be read."""
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")), ()
    except UnicodeDecodeError:
        what, remedy = "the file is not UTF-8", "save it as UTF-8"
    except tomllib.TOMLDecodeError as error:
        what, remedy = f"not readable as TOML: {error}", "see docs/policy.md for an example"
    except OSError as error:
        what, remedy = f"cannot be read: {error.strerror or error}", "name a file that can be read"
    return {}, (Finding(path.name, None, "", what, remedy),)


class Section:
    """One table of a TOML file: typed access by key, findings collected in `found`.

    Keys that were never asked for are reported by `finish`.
    """

    def __init__(self, table: Toml, file: str, name: str, found: list[Finding]) -> None:
        self.table = table
        self.file = file
        self.name = name
        self.found = found
        self.known: list[str] = []

    def add(self, key: str, what: str, remedy: str, severity: Severity = "error") -> None:
        """Report a problem with a key of this table."""
        column = f"{self.name}.{key}" if self.name and key else self.name or key
        self.found.append(Finding(self.file, None, column, what, remedy, severity))

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
        high_open: bool = False,
    ) -> float:
        """A finite number from `low` to `high` (not the limits themselves where open)."""
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
        elif value > high or (high_open and value == high):
            word = "below" if high_open else "at most"
            self.add(key, f"{value:g} is too high", f"give a number {word} {high:g}")
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

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; a single one counts as a list of one. Each is named once."""
        if not self.has(key):
            return ()
        value = self.table[key]
        items = value if isinstance(value, list) else [value]
        if not items or not all(isinstance(item, str) and item for item in items):
            self.add(key, f"{value!r} is not a list of texts", 'write a list such as ["A", "B"]')
            return ()
        return tuple(dict.fromkeys(items))

    def section(self, key: str) -> Section:
        """A table inside this one, empty where it isn't there."""
        value: object = self.table[key] if self.has(key) else {}
        if not isinstance(value, dict):
            self.add(key, f"{value!r} is not a table", f"write it as [{key}]")
            value = {}
        name = f"{self.name}.{key}" if self.name else key
        return Section(value, self.file, name, self.found)

    def sections(self, key: str) -> list[Section]:
        """An array of tables."""
        value: object = self.table[key] if self.has(key) else []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.add(key, "is not a list of tables", f"write each one under [[{key}]]")
            value = []
        return [
            Section(item, self.file, f"{key} {number}", self.found)
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
