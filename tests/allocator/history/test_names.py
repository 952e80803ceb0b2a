"""Ids are short, readable and unique; names that look alike are found."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.history.names import make_ids, near_duplicates, reordered


def test_ids():
    ids = make_ids(["Côte 1, India", "Cote 1 India", "***", "x" * 90])
    assert ids["Côte 1, India"] == "cote-1-india-2"
    assert ids["Cote 1 India"] == "cote-1-india"
    assert ids["***"] == "x"
    assert ids["x" * 90] == "x" * 48


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.sets(st.text(max_size=8), max_size=30))
def test_ids_are_unique_and_do_not_depend_on_order(names):
    ids = make_ids(names)
    assert len(set(ids.values())) == len(names)
    assert ids == make_ids(sorted(names, reverse=True))
    assert all(one and one.isascii() for one in ids.values())


def test_near_duplicates():
    names = [
        "Ranbaxy per Shasun Pharma",
        "Ranbaxy per Shasun Pharma Ltd",
        "Micro Labs, Verna, Goa",
        "Micro labs Hosur",
        "GSK Ware",
        "GSK Ware UK site",
        "Plant Two, Gland",
        "Gland Plant Two",
        "Roche Basel",
    ]
    assert near_duplicates(names) == [
        ("GSK Ware", "GSK Ware UK site"),
        ("Gland Plant Two", "Plant Two, Gland"),
        ("Ranbaxy per Shasun Pharma", "Ranbaxy per Shasun Pharma Ltd"),
    ]
    known = frozenset({frozenset(("GSK Ware", "GSK Ware UK site"))})
    assert ("GSK Ware", "GSK Ware UK site") not in near_duplicates(names, known)


def test_reordered():
    assert reordered(["A 200/300mg", "A 300/200mg", "A 200mg", "B 200/300mg"]) == [
        ("A 200/300mg", "A 300/200mg")
    ]
