"""Bytes to rows: encodings, line ends, compression, repairs, and shapes that are wrong."""

from __future__ import annotations

import pytest

from allocator.errors import BadData
from allocator.history.mapping import read_map
from allocator.history.source import read_source

from .writing import HEADER, ROWS, write_history, write_map


def rows_of(folder, *changes, **history):
    return read_source(write_history(folder, **history), read_map(write_map(folder, *changes)))


def fault(folder, *changes, **history):
    with pytest.raises(BadData) as caught:
        rows_of(folder, *changes, **history)
    return str(caught.value)


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("packed", [False, True])
def test_line_ends_marks_and_compression_change_nothing(tmp_path, end, encoding, packed):
    source = rows_of(tmp_path, end=end, encoding=encoding, packed=packed)
    assert len(source.rows) == len(ROWS)
    assert source.rows[0][0] == 2
    assert source.rows[0][1]["id"] == "1"
    assert source.rows[-1][1]["group"] == "MED"


def test_a_mark_is_dropped_whatever_the_encoding_is_called(tmp_path):
    change = ("[file]", '[file]\nencoding = "utf-8"')
    assert rows_of(tmp_path, change, encoding="utf-8-sig").rows[0][1]["id"] == "1"


def test_declared_line_ends_are_checked(tmp_path):
    change = ("[file]", '[file]\nline_ends = "cr"')
    assert len(rows_of(tmp_path, change, end="\r").rows) == len(ROWS)
    message = fault(tmp_path, change)
    assert "lines end in LF, the map says CR" in message
    assert 'file.line_ends of map.toml to "lf"' in message


def test_latin_1_needs_the_map_to_say_so(tmp_path):
    rows = ("1,Abac,300mg,Tablet,Usine Orl\xe9ans,100,60,600,02-Jan-20,,Direct,MED",)
    message = fault(tmp_path, rows=rows, encoding="latin-1")
    assert "history.csv:2: byte 0xe9 is no utf-8-sig; set file.encoding" in message
    change = ("[file]", '[file]\nencoding = "latin-1"')
    source = rows_of(tmp_path, change, rows=rows, encoding="latin-1")
    assert source.rows[0][1]["site"] == "Usine Orl\xe9ans"


def test_mojibake_is_repaired_and_right_text_left_alone(tmp_path):
    rows = (
        "1,Abac,300mg,Tablet,Gr\xc3\xb8nland,100,60,600,02-Jan-20,,Direct,MED",
        "2,Abac,300mg,Tablet,C\xf4te,100,60,600,02-Jan-20,,Direct,MED",
        "3,Abac,300mg,Tablet,Plnat,100,60,600,02-Jan-20,,Direct,MED",
    )
    changes = (("[columns]", "[repairs]\nPlnat = 'Plant'\n[columns]"),)
    kept = rows_of(tmp_path, *changes, rows=rows)
    assert [row["site"] for _, row in kept.rows] == ["Gr\xc3\xb8nland", "C\xf4te", "Plant"]
    assert kept.repaired == 1
    changes += (("[file]", '[file]\nmojibake = "cp1252"'),)
    mended = rows_of(tmp_path, *changes, rows=rows)
    assert [row["site"] for _, row in mended.rows] == ["Gr\xf8nland", "C\xf4te", "Plant"]
    assert mended.repaired == 2


def test_quoted_fields_and_blank_lines(tmp_path):
    rows = (
        '1,Abac,300mg,Tablet,"North, ""Plant""\r\nHall 2",100,60,600,02-Jan-20,,Direct,MED',
        ",,,,,,,,,,,",
        "",
        "2,Abac,300mg,Tablet,North,100,60,600,02-Jan-20,,Direct,MED",
    )
    source = rows_of(tmp_path, rows=rows)
    assert [at for at, _ in source.rows] == [2, 6]
    assert source.rows[0][1]["site"] == 'North, "Plant"\nHall 2'


def test_another_delimiter(tmp_path):
    rows = tuple(row.replace(",", ";") for row in ROWS)
    message = fault(tmp_path, rows=rows, header=HEADER.replace(",", ";"))
    assert "one column or none; set file.delimiter" in message
    change = ("[file]", "[file]\ndelimiter = ';'")
    assert len(rows_of(tmp_path, change, rows=rows, header=HEADER.replace(",", ";")).rows) == 8


def test_wrong_shapes_are_named(tmp_path):
    assert "history.csv:10: has 2 fields" in fault(tmp_path, rows=(*ROWS, "9,Abac"))
    assert "holds no rows" in fault(tmp_path, rows=())
    assert "did you mean 'site'?" in fault(tmp_path, ('site = "site"', 'site = "Sites"'))
    assert "'zzzzz'" not in fault(tmp_path, ('site = "site"', 'site = "zzzzz"'))
    twice = fault(tmp_path, header=HEADER.replace("strength", "product"))
    assert "product: stands twice in the header" in twice
    assert "is no CSV" in fault(tmp_path, rows=("x" * 200_000 + "," * 11,))
    assert "one column or none" in fault(tmp_path, rows=(), header="")


def test_unreadable_files_are_bad_data(tmp_path):
    mapping = read_map(write_map(tmp_path, ("[file]", '[file]\ncompression = "gzip"')))
    with pytest.raises(BadData, match="No such file"):
        read_source(tmp_path / "none.csv", mapping)
    with pytest.raises(BadData, match="cannot be read: Not a gzipped file"):
        read_source(write_history(tmp_path), mapping)
    path = write_history(tmp_path, packed=True)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(BadData, match="cannot be read"):
        read_source(path, mapping)
