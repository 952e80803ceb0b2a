"""The entries that a search for secure plans came across, the latest of each program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from models.problem import Floats, Ints
from models.secure.standing import Entry

#: Entries kept of all programs together, of each one at most, and bytes that they may take.
ENTRIES, MOST, ROOM = 6_000, 150, 3e8


@dataclass(frozen=True)
class Packed:
    """An entry in little room: most outages leave a program its plan from their start on.

    `place` (G, T) tells where an outage that does not stands in `taken` (n, R, T) and `routes`
    (n, U, T), else -1. `entry` has neither. Outages start from period `first` on. Only equal
    entries of a program have equal keys.
    """

    entry: Entry
    place: npt.NDArray[np.int32]
    taken: Floats
    routes: npt.NDArray[np.int32]
    first: int
    key: bytes

    @property
    def size(self) -> int:
        """Bytes, about."""
        fixed = self.entry.base.nbytes + self.entry.reserve.planned.nbytes
        return int(fixed + self.place.nbytes + self.taken.nbytes + self.routes.nbytes)

    def days(self, line: Ints, group: Ints, start: Ints, t: Ints) -> Floats:
        """Line-days that it takes of lines in periods `t` of outages, all (M,)."""
        entry = self.entry
        row = np.minimum(np.searchsorted(entry.lines, line), len(entry.lines) - 1)
        days = np.where((t >= start) & (start >= self.first), entry.base[row, t], 0.0)
        at = self.place[group, start]
        other = at >= 0
        days[other] = self.taken[at[other], row[other], t[other]]
        return np.where(entry.lines[row] == line, days, 0.0)

    def all_days(self) -> Floats:
        """Line-days that it takes under every outage, (G, T, R, T)."""
        days = np.repeat(_rest(self.entry.base, self.first)[None], len(self.place), axis=0)
        days[self.place >= 0] = self.taken
        return np.asarray(days)

    def unpacked(self) -> Entry:
        """The entry as it was."""
        held = self.entry.reserve
        routes = np.repeat(_rest(held.planned, self.first)[None], len(self.place), axis=0)
        routes[self.place >= 0] = self.routes
        return replace(self.entry, taken=self.all_days(), reserve=replace(held, routes=routes))


def _rest(table: npt.NDArray[np.generic], first: int) -> npt.NDArray[np.generic]:
    """A table (R, T) from the start of each period on, (T, R, T); nothing before `first`."""
    t = np.arange(table.shape[1])
    on = (t[None, :] >= t[:, None]) & (t[:, None] >= first)
    return np.where(on[:, None, :], table[None], np.zeros(1, table.dtype))


def packed(entry: Entry, first: int) -> Packed:
    """An entry without what goes without saying; outages start from period `first` on."""
    held = entry.reserve
    other = (entry.taken != _rest(entry.base, first)).any((2, 3))
    other |= (held.routes != _rest(held.planned, first)).any((2, 3))
    place = np.full(other.shape, -1, np.int32)
    place[other] = np.arange(int(other.sum()))
    slim = replace(
        entry, taken=np.empty((0, 0, 0, 0)), reserve=replace(held, routes=np.empty(0, np.int64))
    )
    taken, routes = entry.taken[other], held.routes[other].astype(np.int32)
    parts = (np.int64(entry.option), held.offers, held.planned, place, routes, taken)
    key = blake2b(b"".join(part.tobytes() for part in parts), digest_size=16).digest()
    return Packed(slim, place, taken, routes, first, key)


class Pool:
    """The latest entries of P programs, each once, for outages from period `first` on."""

    def __init__(self, programs: int, first: int) -> None:
        self.first = first
        self.known: list[dict[bytes, Packed]] = [{} for _ in range(programs)]

    def __len__(self) -> int:
        return sum(len(each) for each in self.known)

    def __iter__(self) -> Iterator[tuple[int, Packed]]:
        """Program and entry."""
        return ((p, each) for p, mine in enumerate(self.known) for each in mine.values())

    def add(self, p: int, entry: Entry) -> None:
        """Remember an entry of a program as its latest."""
        self._put(p, packed(entry, self.first))

    def take_in(self, others: Iterable[Pool]) -> None:
        """Remember what others do and this one does not as the latest."""
        for other in others:
            for p, each in other:
                if each.key not in self.known[p]:
                    self._put(p, each)

    def _put(self, p: int, new: Packed) -> None:
        """Remember an entry as the latest of a program, which has its share of all the room."""
        mine = self.known[p]
        mine.pop(new.key, None)
        mine[new.key] = new
        fair = min(MOST, ENTRIES / len(self.known), ROOM / len(self.known) / new.size)
        while len(mine) > max(2, fair):
            mine.pop(next(iter(mine)))
