"""Reads a map: what the columns of a history mean, and what is assumed where it says nothing."""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from allocator.errors import BadData
from allocator.findings import Finding, did_you_mean, in_order
from allocator.history.keys import INNER, KEYS, REQUIRED, TABLES, TOP, Key, keys_of, sections

Words = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Form:
    """What a dosage form of the history is called in the tables, its unit and its kind of line."""

    form: str
    unit: str
    line: str


@dataclass(frozen=True)
class HistoryMap:
    """A checked map. `settings[section][key]` holds every key of `keys.KEYS`, defaults included.

    `given` names the `section.key` that the map itself sets: the others are our assumptions.
    """

    file: str
    title: str
    settings: Mapping[str, Mapping[str, Any]]
    given: frozenset[str]
    repairs: Mapping[str, str]
    keep: Words
    leave_out: Words
    direct: Words
    product_aliases: Mapping[str, str]
    site_aliases: Mapping[str, str]
    forms: Mapping[str, Form]
    sites: Mapping[str, Mapping[str, str]]
    regions: Mapping[str, str]
    distinct_sites: frozenset[frozenset[str]]

    def __getitem__(self, key: str) -> Any:
        """Value of `section.key`."""
        section, name = key.split(".")
        return self.settings[section][name]

    @property
    def columns_used(self) -> tuple[str, ...]:
        """Every column of the history that the map names, each once."""
        columns = self.settings["columns"]
        named = [*columns["product"], *(v for k, v in columns.items() if k != "product" and v)]
        return tuple(dict.fromkeys([*named, *self.keep, *self.leave_out, *self.direct]))


def read_map(path: Path) -> HistoryMap:
    """Read and check a map. Raises BadData with every problem found in it."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        line = re.search(r"at line (\d+)", str(problem))
        what = problem.strerror if isinstance(problem, OSError) and problem.strerror else problem
        raise BadData(
            [
                Finding(
                    path.name,
                    int(line.group(1)) if line else None,
                    "",
                    f"cannot be read as a map: {what}",
                    "give a TOML file in UTF-8",
                )
            ]
        ) from problem
    return _Reader(path.name, raw).read()


class _Reader:
    """Collects the values of a map and all its problems."""

    def __init__(self, file: str, raw: Mapping[str, Any]) -> None:
        self.file, self.raw = file, raw
        self.findings: list[Finding] = []

    def read(self) -> HistoryMap:
        """The map; raises BadData where there is any error."""
        known = (*TOP, *sections())
        for name, value in self.raw.items():
            if name not in known:
                self.error(
                    name, "is no section of a map", did_you_mean(name, known, _one_of(known))
                )
            elif name not in TOP and not isinstance(value, dict):
                self.error(name, "must be a table", f"write [{name}]")
        settings = {section: self.section(section) for section in dict.fromkeys(_keyed())}
        given = frozenset(f"{key.section}.{key.name}" for key in KEYS if key.name in self.of(key))
        flat = {
            name: self.texts_to_texts(name)
            for name in ("repairs", "product_aliases", "site_aliases", "regions")
        }
        words = {name: self.words(name) for name in ("keep", "leave_out", "direct")}
        inner = {name: self.inner(name) for name in INNER}
        title, distinct = self.title(), self.distinct()
        self.check(settings, flat)
        if self.findings:
            raise BadData(in_order(self.findings))
        return HistoryMap(
            file=self.file,
            title=title,
            settings=MappingProxyType(settings),
            given=given,
            forms={
                word: Form(row["form"], row["unit"], row.get("line", row["form"]))
                for word, row in inner["forms"].items()
            },
            sites=inner["sites"],
            distinct_sites=distinct,
            repairs=flat["repairs"],
            product_aliases=flat["product_aliases"],
            site_aliases=flat["site_aliases"],
            regions=flat["regions"],
            keep=words["keep"],
            leave_out=words["leave_out"],
            direct=words["direct"],
        )

    def of(self, key: Key) -> Mapping[str, Any]:
        """The raw section that a key stands in, empty where it is missing or no table."""
        section = self.raw.get(key.section, {})
        return section if isinstance(section, dict) else {}

    def error(self, where: str, what: str, remedy: str) -> None:
        """Note one error."""
        self.findings.append(Finding(self.file, None, where, what, remedy))

    def section(self, name: str) -> dict[str, Any]:
        """Every key of a section of fixed keys, checked, with its default where it is missing."""
        keys = keys_of(name)
        raw = self.raw.get(name, {})
        raw = raw if isinstance(raw, dict) else {}
        for word in raw:
            if word not in keys:
                self.error(
                    f"{name}.{word}", "is no such key", did_you_mean(word, keys, _one_of(keys))
                )
        return {key.name: self.value(key, raw) for key in keys.values()}

    def value(self, key: Key, raw: Mapping[str, Any]) -> Any:
        """One value, of the kind its key asks for."""
        where = f"{key.section}.{key.name}"
        if key.name not in raw:
            if key.default is REQUIRED:
                self.error(where, "is missing", f"give the {key.help}")
            return () if key.default is REQUIRED and key.kind == "texts" else key.default
        value = raw[key.name]
        if key.kind == "text":
            return self.text(key, where, value)
        if key.kind in ("texts", "date_formats"):
            texts = [value] if isinstance(value, str) else value
            if not _are_texts(texts) or (key.default is REQUIRED and not texts):
                self.error(where, f"{value!r} is no text or list of texts", f"give the {key.help}")
                return ()
            return tuple(texts)
        return self.number(key, where, value)

    def text(self, key: Key, where: str, value: Any) -> str:
        """A text, one of the key's words where it has some."""
        if not isinstance(value, str):
            self.error(where, f"{value!r} is no text", f"give the {key.help}")
            return ""
        if key.words and value not in key.words:
            self.error(
                where,
                f"{value!r} is not known",
                did_you_mean(value, key.words, _one_of(key.words)),
            )
        return value

    def number(self, key: Key, where: str, value: Any) -> Any:
        """A number in the key's range, whole where the key says so."""
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        if not numeric or (key.kind == "integer" and not isinstance(value, int)):
            kind = "whole number" if key.kind == "integer" else "number"
            self.error(where, f"{value!r} is no {kind}", f"give {key.help}")
            return key.default
        low, high = key.low, key.high
        below = low is not None and (not value >= low or (key.low_open and value == low))
        if below or not abs(value) < float("inf") or (high is not None and value > high):
            limit = "" if low is None else f"{'above' if key.low_open else 'at least'} {low:g}"
            limit += "" if high is None else f" and at most {high:g}"
            self.error(where, f"{value!r} is out of range", f"give a number {limit}")
        return value

    def table(self, name: str) -> Mapping[str, Any]:
        """A section of the user's own words."""
        raw = self.raw.get(name, {})
        return raw if isinstance(raw, dict) else {}

    def texts_to_texts(self, name: str) -> dict[str, str]:
        """A table from text to text."""
        for word, value in self.table(name).items():
            if not isinstance(value, str):
                self.error(f"{name}.{word}", f"{value!r} is no text", f"it is {TABLES[name]}")
        return {word: value for word, value in self.table(name).items() if isinstance(value, str)}

    def words(self, name: str) -> dict[str, tuple[str, ...]]:
        """A filter: column to the words that count."""
        found: dict[str, tuple[str, ...]] = {}
        for column, value in self.table(name).items():
            texts = [value] if isinstance(value, str) else value
            if not _are_texts(texts) or not texts:
                self.error(f"{name}.{column}", f"{value!r} is no list of texts", TABLES[name])
            else:
                found[column] = tuple(texts)
        return found

    def inner(self, name: str) -> dict[str, dict[str, str]]:
        """A table of small tables of texts, with fixed keys."""
        allowed, required = INNER[name]
        found: dict[str, dict[str, str]] = {}
        for word, row in self.table(name).items():
            where = f"{name}.{word}"
            if not isinstance(row, dict) or not _are_texts(list(row.values())):
                self.error(where, f"{row!r} is no table of texts", f"it is {TABLES[name]}")
                continue
            for key in row:
                if key not in allowed:
                    self.error(
                        f"{where}.{key}",
                        "is no such key",
                        did_you_mean(key, allowed, _one_of(allowed)),
                    )
            missing = [key for key in required if not row.get(key)]
            for key in missing:
                self.error(f"{where}.{key}", "is missing", f"it is {TABLES[name]}")
            if not missing:
                found[word] = row
        return found

    def title(self) -> str:
        """What the history is."""
        title = self.raw.get("title", "")
        if not isinstance(title, str):
            self.error("title", f"{title!r} is no text", "say what the history is")
            return ""
        return title

    def distinct(self) -> frozenset[frozenset[str]]:
        """Pairs of sites that look alike and are different."""
        pairs = self.raw.get("distinct_sites", [])
        if not isinstance(pairs, list) or not all(_are_texts(p) and len(p) == 2 for p in pairs):
            self.error("distinct_sites", "is no list of pairs", 'write [["Site A", "Site B"]]')
            return frozenset()
        return frozenset(frozenset(pair) for pair in pairs)

    def check(self, settings: Mapping[str, Mapping[str, Any]], flat: Mapping[str, Any]) -> None:
        """What several keys say together."""
        file = settings["file"]
        if len(str(file["delimiter"])) != 1:
            self.error("file.delimiter", f"{file['delimiter']!r} is not one character", "e.g. ';'")
        if file["thousands"] and file["thousands"] == file["decimal"]:
            self.error("file.thousands", "is the decimal mark too", "give two different marks")
        for key in ("encoding", "mojibake"):
            if file[key] and not _is_codec(file[key]):
                self.error(f"file.{key}", f"{file[key]!r} is no encoding", "e.g. latin-1, cp1252")
        for kind in ("site_aliases", "product_aliases"):
            for word, name in flat[kind].items():
                if name in flat[kind]:
                    self.error(
                        f"{kind}.{word}",
                        f"{name!r} is itself another name",
                        f"give {flat[kind][name]!r}",
                    )


def _keyed() -> list[str]:
    return [key.section for key in KEYS]


def _one_of(words: Any) -> str:
    return "there are " + ", ".join(words)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(word, str) for word in value)


def _is_codec(name: str) -> bool:
    try:
        codecs.lookup(name)
    except LookupError:
        return False
    return True
