"""A map with any fault is refused, every fault named, with the word that was meant."""

from __future__ import annotations

import pytest

from allocator.errors import BadData
from allocator.history.keys import KEYS, REQUIRED, TABLES, sections
from allocator.history.mapping import read_map

from .writing import MAP, write_map


def faults(tmp_path, *changes, text=MAP):
    with pytest.raises(BadData) as caught:
        read_map(write_map(tmp_path, *changes, text=text))
    return [str(finding) for finding in caught.value.findings]


def test_a_good_map_holds_every_key_with_its_default(tmp_path):
    mapping = read_map(write_map(tmp_path))
    for key in KEYS:
        assert key.name in mapping.settings[key.section]
    assert mapping["columns.product"] == ("product", "strength")
    assert mapping["assume.currency"] == "USD"
    assert "assume.currency" not in mapping.given
    assert "assume.delay_cost_multiple" in mapping.given
    assert mapping.forms["Oral liquid"].line == "oral_solution"
    assert set(mapping.columns_used) >= {"product", "strength", "via", "group", "pack"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[columns]", "[colums]", "map.toml colums: is no section of a map; did you mean 'colum"),
        ("quantity =", "quantiti =", "columns.quantiti: is no such key; did you mean 'quantity'?"),
        ("quantity =", "quantiti =", "columns.quantity: is missing; give the packs"),
        ('site = "site"', "site = 3", "columns.site: 3 is no text"),
        ('["product", "strength"]', "[]", "columns.product: [] is no text or list"),
        ('["product", "strength"]', "[1]", "columns.product: [1] is no text or list"),
        ("[keep]", "[periods]\nlength = 'quater'\n[keep]", "did you mean 'quarter'?"),
        ("release_months = 0", "release_months = -1", "release_months: -1 is out of range"),
        ("release_months = 0", "release_months = nan", "release_months: nan is out of range"),
        ("release_months = 0", "release_months = inf", "release_months: inf is out of range"),
        ("release_months = 0", "release_months = true", "release_months: True is no number"),
        ("release_months = 0", 'release_months = "1"', "release_months: '1' is no number"),
        (
            "[keep]",
            "[tables]\nheadroom = 0\n[keep]",
            "headroom: 0 is out of range; give a number ab",
        ),
        ("[keep]", "[tables]\nbatch_quantile = 2\n[keep]", "at least 0 and at most 1"),
        ("[keep]", "[periods]\nlast = 1.5\n[keep]", "periods.last: 1.5 is no whole number"),
        ('group = ["MED"]', "group = [1]", "keep.group: [1] is no list of texts"),
        ("[file]", "[file]\ndelimiter = ';;'", "';;' is not one character"),
        ("[file]", "[file]\nencoding = 'utf-99'", "file.encoding: 'utf-99' is no encoding"),
        ("[file]", "[file]\nmojibake = 'x-99'", "file.mojibake: 'x-99' is no encoding"),
        ("[file]", "[file]\nthousands = '.'", "file.thousands: is the decimal mark too"),
        ('unit = "ml" }', 'untit = "ml" }', "forms.Oral liquid.untit: is no such key; did you mea"),
        ('unit = "ml" }', 'untit = "ml" }', "forms.Oral liquid.unit: is missing"),
        ('{ form = "oral_solution", unit = "ml" }', '"ml"', "'ml' is no table of texts"),
        ('India = "Asia"', "India = 1", "regions.India: 1 is no text"),
        ('title = "Test history"', "title = 1", "title: 1 is no text"),
        ('title = "Test history"', "regoins = 1", "regoins: is no section of a map; did you mean"),
        ('title = "Test history"', "repairs = 1", "repairs: must be a table"),
        ('title = "Test history"', 'distinct_sites = [["a"]]', "distinct_sites: is no list of pai"),
        ("[keep]", "[site_aliases]\na = 'b'\nb = 'c'\n[keep]", "site_aliases.a: 'b' is itself"),
        ("[keep]", "[keep", "cannot be read as a map"),
    ],
)
def test_every_fault_is_named(tmp_path, old, new, message):
    assert any(message in fault for fault in faults(tmp_path, (old, new)))


def test_all_faults_come_at_once(tmp_path):
    found = faults(tmp_path, ("quantity =", "quantiti ="), ('site = "site"', "site = 3"))
    assert len(found) == 3


def test_a_broken_file_names_its_line(tmp_path):
    assert faults(tmp_path, text="title = 'x'\n[keep\n")[0].startswith("map.toml:2: cannot be read")


def test_a_missing_file_and_wrong_bytes_are_bad_data(tmp_path):
    with pytest.raises(BadData, match="No such file"):
        read_map(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b'title = "\xe9"')
    with pytest.raises(BadData, match="cannot be read as a map"):
        read_map(tmp_path / "latin.toml")


def test_sections_and_required_keys():
    assert {*sections()} >= {*TABLES, "file", "assume"}
    assert {key.name for key in KEYS if key.default is REQUIRED} == {
        "product",
        "site",
        "quantity",
        "value",
        "scheduled",
    }
