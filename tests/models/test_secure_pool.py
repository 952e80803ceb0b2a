"""Entries in little room, and the pool that keeps the latest of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.secure import pool as pooling
from models.secure.pool import Packed, Pool, packed
from models.secure.rebuilding import Rebuilder
from models.secure.standing import Entry
from tests.factory import random_problem
from tests.models.terms import each_cmo, each_pair


def never() -> bool:
    return False


def entries(seed: int) -> tuple[list[tuple[int, Entry]], int]:
    """Entries that a search came across by program, and the first period that counts."""
    problem = random_problem(seed, 4, 3, 5, utilisation=0.6, splits=(0.5, 0.7))
    first = seed % 3
    terms = each_pair(problem, 1.5, 0.9) if seed % 2 else each_cmo(problem, 1.5, 0.9, 0.1)
    rebuilder = Rebuilder(problem, replace(terms, first=first), seed)
    rebuilder.construct(None, never)
    rebuilder.run(5, never)
    standing = [(p, each) for p, each in enumerate(rebuilder.standing.entries) if each is not None]
    return [*standing, *((p, each.unpacked()) for p, each in rebuilder.pool)], first


def same(one: Entry, two: Entry) -> bool:
    held, other = one.reserve, two.reserve
    arrays = [
        (one.lines, two.lines),
        (one.base, two.base),
        (one.taken, two.taken),
        (one.relies, two.relies),
        *((getattr(held, name), getattr(other, name)) for name in ("offers", "slot", "planned")),
        *((getattr(held, name), getattr(other, name)) for name in ("routes", "stock", "unmet")),
    ]
    batches = one.batches.keys() == two.batches.keys() and all(
        np.array_equal(made, two.batches[f]) for f, made in one.batches.items()
    )
    plain = (one.option, one.cost, held.count) == (two.option, two.cost, other.count)
    return plain and batches and all(np.array_equal(a, b) for a, b in arrays)


@pytest.mark.parametrize("seed", range(8))
def test_an_entry_comes_out_as_it_went_in(seed):
    found, first = entries(seed)
    assert found
    for _, entry in found:
        small = packed(entry, first)
        assert same(small.unpacked(), entry)
        assert small.unpacked().reserve.routes.dtype == entry.reserve.routes.dtype
        assert np.array_equal(small.all_days(), entry.taken)


@pytest.mark.parametrize("seed", range(4))
def test_days_of_any_line_and_outage_are_those_of_the_entry(seed):
    found, first = entries(seed)
    for _, entry in found:
        G, T = entry.taken.shape[:2]
        lines = int(entry.lines.max()) + 3  # some that it does not use
        every = np.zeros((G, T, lines, T))
        every[:, :, entry.lines] = entry.taken
        g, s, line, t = (each.reshape(-1) for each in np.indices(every.shape))
        assert np.array_equal(packed(entry, first).days(line, g, s, t), every.reshape(-1))


def test_most_outages_take_no_room():
    found, first = entries(0)
    _, entry = found[0]
    small = packed(entry, first)
    stopped = (small.place >= 0).sum()
    assert 0 < stopped < small.place.size
    assert len(small.taken) == len(small.routes) == stopped
    assert small.size > small.taken.nbytes


def test_keys_are_equal_for_equal_entries_alone():
    found, first = entries(2)
    _, entry = found[0]
    held, key = entry.reserve, packed(entry, first).key
    again = replace(entry, taken=entry.taken.copy(), reserve=replace(held, stock=held.stock.copy()))
    assert packed(again, first).key == key
    taken, routes, planned = entry.taken.copy(), held.routes.copy(), held.planned.copy()
    taken[0, -1, 0, -1] += 1.0
    routes[0, -1, 0, -1] += 1
    planned[0, -1] += 1
    others = [
        replace(entry, option=entry.option + 1),
        replace(entry, taken=taken),
        replace(entry, reserve=replace(held, routes=routes)),
        replace(entry, reserve=replace(held, planned=planned)),
        # it may turn to another offer, and nothing else tells them apart
        replace(entry, reserve=replace(held, offers=held.offers + 1)),
    ]
    assert len({key, *(packed(other, first).key for other in others)}) == 1 + len(others)


def numbered(entry: Entry, number: int) -> Entry:
    """An entry unlike all of other numbers."""
    return replace(entry, option=number)


def options_of(pool: Pool) -> list[tuple[int, int]]:
    return [(p, each.entry.option) for p, each in pool]


def test_a_pool_keeps_the_latest_of_each_program(monkeypatch):
    monkeypatch.setattr(pooling, "MOST", 3)
    (_, entry), first = entries(0)[0][0], entries(0)[1]
    pool = Pool(2, first)
    for number in (1, 2, 3, 1, 4):
        pool.add(0, numbered(entry, number))
    pool.add(1, numbered(entry, 9))
    assert options_of(pool) == [(0, 3), (0, 1), (0, 4), (1, 9)]
    assert len(pool) == 4


@pytest.mark.parametrize("limit", ["ENTRIES", "ROOM"])
def test_a_pool_keeps_to_its_room(monkeypatch, limit):
    found, first = entries(0)
    _, entry = found[0]
    size = packed(entry, first).size
    monkeypatch.setattr(pooling, limit, 8 if limit == "ENTRIES" else 8 * size)
    pool = Pool(2, first)
    for number in range(20):
        pool.add(number % 2, numbered(entry, number))
    assert options_of(pool) == [
        *((0, n) for n in (12, 14, 16, 18)),
        *((1, n) for n in (13, 15, 17, 19)),
    ]
    # a program has two at least
    monkeypatch.setattr(pooling, limit, 0)
    pool.add(0, numbered(entry, 20))
    assert options_of(pool)[:2] == [(0, 18), (0, 20)]


def test_a_pool_takes_in_what_it_does_not_know():
    found, first = entries(0)
    _, entry = found[0]
    one, two = Pool(2, first), Pool(2, first)
    for number in (1, 2):
        one.add(0, numbered(entry, number))
    for number in (3, 1):
        two.add(0, numbered(entry, number))
    one.take_in([two])
    assert options_of(one) == [(0, 1), (0, 2), (0, 3)]
    assert options_of(two) == [(0, 3), (0, 1)]
    assert all(isinstance(each, Packed) for _, each in one)
