"""Names: ids made of them, and pairs that look like two spellings of one thing."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable

#: Words that say nothing of which site it is.
_FILLERS = frozenset(
    ("ltd", "limited", "inc", "llc", "plc", "co", "corp", "gmbh", "ag", "sa", "pvt", "the", "of")
)
_NEAR = 0.86


def make_ids(names: Iterable[str], width: int = 48) -> dict[str, str]:
    """A short, readable, unique id for each name; the same names give the same ids."""
    ids: dict[str, str] = {}
    taken: set[str] = set()
    for name in sorted(set(names)):
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
        plain = re.sub(r"(?<!\d)\.|\.(?!\d)", " ", plain)  # a dot stays in 33.3 only
        stem = re.sub(r"[^a-z0-9.]+", "-", plain).strip("-.")[:width].strip("-.") or "x"
        unique, number = stem, 2
        while unique in taken:
            unique, number = f"{stem}-{number}", number + 1
        taken.add(unique)
        ids[name] = unique
    return ids


def near_duplicates(
    names: Iterable[str], distinct: frozenset[frozenset[str]] = frozenset()
) -> list[tuple[str, str]]:
    """Pairs of names that may be one: nearly the same letters, or the same telling words.

    Pairs in `distinct` are known to differ.
    """
    ordered = sorted(set(names))
    words = {name: _words(name) for name in ordered}
    text = {name: " ".join(words[name]) for name in ordered}
    found = []
    for i, one in enumerate(ordered):
        matcher = difflib.SequenceMatcher(b=text[one], autojunk=False)
        for two in ordered[i + 1 :]:
            if frozenset((one, two)) in distinct:
                continue
            matcher.set_seq1(text[two])
            alike = (
                matcher.real_quick_ratio() >= _NEAR
                and matcher.quick_ratio() >= _NEAR
                and matcher.ratio() >= _NEAR
            )
            if alike or _begins(words[one], words[two]) or same_words(one, two):
                found.append((one, two))
    return found


def same_words(one: str, two: str) -> bool:
    """Whether two names hold the same words and numbers in another order or punctuation."""
    return sorted(_words(one)) == sorted(_words(two))


def reordered(names: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of different names with the same words and numbers: `200/300mg` and `300/200mg`."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for name in sorted(set(names)):
        groups.setdefault(tuple(sorted(_words(name))), []).append(name)
    return [
        (one, two)
        for group in groups.values()
        for i, one in enumerate(group)
        for two in group[i + 1 :]
    ]


def _words(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    found = re.findall(r"[a-z]+|[0-9.]+", plain)
    return [word for word in found if word not in _FILLERS] or found


def _begins(one: list[str], two: list[str]) -> bool:
    """Whether one name is the other's beginning, two words or more long."""
    short, long = sorted((one, two), key=len)
    return len(short) >= 2 and long[: len(short)] == short
