from __future__ import annotations

from pathlib import Path

import pytest

from allocator.findings import Finding, closest, did_you_mean, in_order
from allocator.tables import Table, read_table
from tests.allocator.folders import CMOS, LINES, PORTFOLIO, said


def read(tmp_path: Path, name: str, text: str | bytes) -> Table:
    path = tmp_path / f"{name}.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_table(name, path)


def only(table: Table) -> str:
    assert len(table.findings) == 1, said(table.findings)
    return str(table.findings[0])


def cell(tmp_path: Path, column: str, text: str, table: str = "lines") -> Table:
    """A sound row of lines.csv with one more, or another, cell."""
    values = dict(zip(*(row.split(",") for row in LINES.splitlines()[:2]), strict=True))
    values[column] = text
    rows = [values.keys(), values.values()]
    return read(tmp_path, table, "\n".join(",".join(f'"{v}"' for v in row) for row in rows))


def test_a_sound_table_has_typed_values_and_defaults(tmp_path: Path) -> None:
    table = read(tmp_path, "lines", LINES)
    assert not table.findings
    first = table.rows[0]
    assert first.line == 2
    assert first.values["dosage_forms"] == ("tablet", "capsule")
    assert first.values["batch_max"] == 200.0
    assert first.values["changeover_days"] == 0.0
    assert first.values["price_per_batch"] is None
    assert first.values["cold_chain"] is False
    assert "changeover_days" not in first.given
    assert "batch_max" in first.given
    assert first.sound


def test_finding_reads_as_one_line() -> None:
    finding = Finding(
        "offers.csv", 17, "days_per_batch", "-3 is below 0", "give line-days per batch"
    )
    assert str(finding) == "offers.csv:17 days_per_batch: -3 is below 0; give line-days per batch"
    assert str(Finding("a.csv", None, "", "is empty", "")) == "a.csv: is empty"


def test_findings_stand_in_order_and_once() -> None:
    warning = Finding("a.csv", 1, "x", "w", "", "warning")
    late, early = Finding("b.csv", 9, "x", "e", ""), Finding("b.csv", 2, "x", "e", "")
    assert in_order([warning, late, early, late]) == (early, late, warning)


def test_words_meant() -> None:
    assert closest("Max CMOs", ["max_cmos"]) == "max_cmos"
    assert closest("dosage_from", ["dosage_form", "stage"]) == "dosage_form"
    assert closest("zzz", ["dosage_form"]) is None
    assert did_you_mean("zzz", ["a"], "delete it") == "delete it"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-3", "-3 is below 0; give line-days per campaign"),
        ("NaN", "'NaN' is not a finite number; give line-days per campaign, or leave it blank"),
        ("inf", "'inf' is not a finite number; give line-days per campaign, or leave it blank"),
        ("1e999", "1e999 is not finite; give line-days per campaign"),
        ("1,000", "'1,000' has a thousands separator; write 1000"),
        ("1.000,5", "'1.000,5' has a thousands separator; write 1000.5"),
        ("1 000", "'1 000' has a thousands separator; write 1000"),
        ("1\u00a0000.5", "'1\\xa0000.5' has a thousands separator; write 1000.5"),
        ("1'000", '"1\'000" has a thousands separator; write 1000'),
        ("2,5", "'2,5' has a decimal comma; write 2.5"),
        ("5%", "'5%' has a percent sign; write 0.05"),
        ("$100", "'$100' carries a unit or currency; write 100 alone"),
        ("100 kg", "'100 kg' carries a unit or currency; write 100 alone"),
        ("three", "'three' is not a number; give line-days per campaign"),
        ("0x10", "'0x10' is not a number; give line-days per campaign"),
        ("1_0", "'1_0' is not a number; give line-days per campaign"),
    ],
)
def test_numbers_that_are_none(tmp_path: Path, text: str, message: str) -> None:
    assert (
        only(cell(tmp_path, "changeover_days", text)) == f"lines.csv:2 changeover_days: {message}"
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [("1E+05", 1e5), (" 7 ", 7.0), (".5", 0.5), ("+3.", 3.0), ("1e-3", 1e-3), ("1.000", 1.0)],
)
def test_numbers_that_are_some(tmp_path: Path, text: str, value: float) -> None:
    table = cell(tmp_path, "changeover_days", text)
    assert not table.findings
    assert table.rows[0].values["changeover_days"] == value


def test_limits_belong_to_the_range_or_not(tmp_path: Path) -> None:
    head = "program_id,line_id,batch_size,price_per_batch,days_per_batch,yield,fail_rate\n"
    good = read(tmp_path, "offers", head + "P,L,1,0,1,1,0\n")
    assert not good.findings
    bad = read(tmp_path, "offers", head + "P,L,0,-1,0,0,1\nP,L,2,1,1,1.2,0\n")
    assert said(bad.findings) == [
        "offers.csv:2 batch_size: 0 is not above 0; give the program's unit per batch",
        "offers.csv:2 price_per_batch: -1 is below 0; give money per batch",
        "offers.csv:2 days_per_batch: 0 is not above 0; give line-days per batch",
        "offers.csv:2 yield: 0 is not above 0; give a share above 0 and up to 1",
        "offers.csv:2 fail_rate: 1 is not below 1; give a share from 0 to below 1",
        "offers.csv:3 yield: 1.2 is above 1; give a share above 0 and up to 1",
    ]
    assert not bad.rows[0].sound


def test_whole_numbers_booleans_and_dates(tmp_path: Path) -> None:
    assert only(cell(tmp_path, "max_oeb", "3.5")).endswith(
        "max_oeb: 3.5 is not a whole number; give containment band 1 to 6"
    )
    assert only(cell(tmp_path, "max_oeb", "x")).endswith(
        "is not a number; give containment band 1 to 6"
    )
    for text, value in (("Yes", True), ("TRUE", True), ("1", True), ("no", False), ("0", False)):
        assert cell(tmp_path, "cold_chain", text).rows[0].values["cold_chain"] is value
    assert only(cell(tmp_path, "cold_chain", "maybe")).endswith(
        "cold_chain: 'maybe' is neither yes nor no; write yes or no"
    )
    head = "cmo_id,region,inspection_date\n"
    assert not read(tmp_path, "cmos", head + "K,EU,2026-02-28\n").findings
    for text in ("28.02.2026", "2026-02-30", "20260228"):
        message = only(read(tmp_path, "cmos", f"{head}K,EU,{text}\n"))
        assert message.endswith("is not a date; write YYYY-MM-DD, such as 2027-03-31")
    message = only(read(tmp_path, "demand", "program_id,period,quantity\nP,Q1 2027,3\n"))
    assert message.endswith("'Q1 2027' is not a period; write it like 2027Q1 or 2027-01")


def test_words_in_any_case_with_aliases_and_misspellings(tmp_path: Path) -> None:
    sound = PORTFOLIO.replace("small_molecule", "Small Molecule").replace(
        "commercial", "COMMERCIAL"
    )
    row = read(tmp_path, "portfolio", sound.replace("phase2", "Phase II")).rows
    assert row[0].values["molecule_type"] == "small_molecule"
    assert (row[0].values["stage"], row[1].values["stage"]) == ("commercial", "phase2")
    bad = read(tmp_path, "portfolio", PORTFOLIO.replace("commercial", "comercial"))
    assert (
        only(bad) == "portfolio.csv:2 stage: 'comercial' is not known; did you mean 'commercial'?"
    )
    bad = read(tmp_path, "portfolio", PORTFOLIO.replace("commercial", "market"))
    assert only(bad).endswith("use one of preclinical, phase1, phase2, phase3, commercial")


def test_open_words_are_taken_as_they_are(tmp_path: Path) -> None:
    odd = read(tmp_path, "lines", LINES.replace("capsule", "Nasal Spray"))
    assert not odd.findings
    assert odd.rows[0].values["dosage_forms"] == ("tablet", "nasal_spray")
    assert not read(tmp_path, "lines", LINES.replace("capsule", "oral_suspension")).findings
    near = read(tmp_path, "lines", LINES.replace("capsule", "capsul"))
    assert near.findings[0].severity == "warning"
    assert only(near).endswith("did you mean 'capsule'? otherwise leave it")
    assert near.rows[0].sound
    assert near.rows[0].values["dosage_forms"] == ("tablet", "capsul")
    listed = cell(tmp_path, "controlled_schedules", "CII; 3")
    assert listed.rows[0].values["controlled_schedules"] == ("II", "III")


def test_a_list_with_a_wrong_word_is_an_error_even_after_a_warning(tmp_path: Path) -> None:
    table = cell(tmp_path, "molecule_types", "mab;;mabs;x")
    assert only(table).endswith("'mabs' is not known; did you mean 'mab'?")
    assert table.rows[0].values["molecule_types"] is None


def test_ids_with_semicolons_or_rewritten_by_excel(tmp_path: Path) -> None:
    bad = cell(tmp_path, "line_id", "A;B")
    assert "holds a semicolon or a control character; rename it" in only(bad)
    odd = cell(tmp_path, "line_id", "1E+05")
    assert "looks like an id that Excel has rewritten" in only(odd)
    assert odd.findings[0].severity == "warning"
    assert odd.rows[0].values["line_id"] == "1E+05"
    assert not cell(tmp_path, "line_id", "001").findings
    assert cell(tmp_path, "line_id", "001").rows[0].values["line_id"] == "001"


def test_blank_required_cells(tmp_path: Path) -> None:
    table = read(tmp_path, "cmos", "cmo_id,region\n,EU\nK2, \n")
    assert said(table.findings) == [
        "cmos.csv:2 cmo_id: is blank; give Unique id of the contract manufacturer",
        "cmos.csv:3 region: is blank; give Region used by award rules and common causes",
    ]


def test_unknown_double_and_missing_columns(tmp_path: Path) -> None:
    table = read(tmp_path, "cmos", "cmo_id,regoin,cmo_id,mood,\nK1,EU,K1,good,\n")
    assert said(table.findings) == [
        "cmos.csv:1 regoin: the column is unknown; did you mean 'region'?",
        "cmos.csv:1 cmo_id: the column stands there twice; delete one of them",
        "cmos.csv:1 mood: the column is unknown; "
        "delete it or rename it; docs/tables.md lists the columns",
        "cmos.csv:1 region: the required column is missing; "
        "add it: Region used by award rules and common causes",
    ]
    assert table.rows == ()


def test_columns_in_any_order_and_case(tmp_path: Path) -> None:
    table = read(tmp_path, "cmos", "Region , CMO ID\nEU,K1\n")
    assert not table.findings
    assert table.rows[0].values["cmo_id"] == "K1"


def test_period_columns(tmp_path: Path) -> None:
    table = read(tmp_path, "portfolio", PORTFOLIO.replace("2027Q1", "2027q1"))
    assert not table.findings
    assert table.periods == ("2027Q1", "2027Q2", "2027Q3", "2027Q4")
    assert table.rows[1].demand == {"2027Q1": 1000.0, "2027Q3": 1000.0, "2027Q4": 1000.0}
    bad = read(tmp_path, "portfolio", PORTFOLIO.replace("2027Q1", "Q1-27"))
    assert only(bad).endswith("write a period like 2027Q1 or 2027-01, or delete the column")
    twice = read(tmp_path, "portfolio", PORTFOLIO.replace("2027Q2", "2027Q1"))
    assert (
        only(twice) == "portfolio.csv:1 2027Q1: the column stands there twice; delete one of them"
    )
    negative = read(tmp_path, "portfolio", PORTFOLIO.replace("60", "-60"))
    assert only(negative).startswith("portfolio.csv:2 2027Q2: -60 is below 0")


@pytest.mark.parametrize(("mark", "word"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
def test_files_separated_otherwise(tmp_path: Path, mark: str, word: str) -> None:
    table = read(tmp_path, "cmos", CMOS.replace(",", mark))
    assert only(table) == (
        f"cmos.csv:1: the columns are separated by {word}; save the file separated by commas"
    )


def test_bytes_that_are_not_utf8_are_named_and_the_rest_is_checked(tmp_path: Path) -> None:
    text = "cmo_id,region,owner,max_programs\r\nK1,EU,Müller,3\r\nK2,EU,x,-1\r\n"
    table = read(tmp_path, "cmos", text.encode("latin-1"))
    assert said(table.findings) == [
        "cmos.csv:2: byte 0xFC is not UTF-8 (Latin-1 reads it as 'ü'); "
        "save it as 'CSV UTF-8 (comma delimited)'",
        "cmos.csv:3 max_programs: -1 is below 0; give programs",
    ]


@pytest.mark.parametrize(
    "data",
    [
        CMOS.encode("utf-8-sig"),
        CMOS.replace("\n", "\r").encode(),
        CMOS.replace("\n", "\r\n").encode(),
        CMOS.replace("K2", "\nK2").encode(),
        (CMOS + ",,,\n").encode(),
        CMOS.rstrip().encode(),
        CMOS.replace("DE", "DE,").encode(),
        CMOS.replace("Alpha", '"Alpha"').encode(),
    ],
    ids=["bom", "cr", "crlf", "blank line", "blank row", "no end", "comma at end", "quotes"],
)
def test_harmless_ways_to_write_a_file(tmp_path: Path, data: bytes) -> None:
    table = read(tmp_path, "cmos", data)
    assert not table.findings
    assert [row.values["cmo_id"] for row in table.rows] == ["K1", "K2"]


def test_line_numbers_are_those_of_the_file(tmp_path: Path) -> None:
    text = 'cmo_id,region,name\n\nK1,EU,"two\nlines"\nK2,EU,x\n'
    assert [row.line for row in read(tmp_path, "cmos", text).rows] == [3, 5]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty; start it with the columns cmo_id,region"),
        (b"\n \n", "the file is empty; start it with the columns cmo_id,region"),
        (b"cmo_id,region\n", "the file has a header and no rows; add at least one row"),
        (b"PK\x03\x04abc", "the file is an Excel workbook, not CSV; save it as 'CSV UTF-8"),
        (b"\xd0\xcf\x11\xe0", "the file is an Excel workbook, not CSV; save it as 'CSV UTF-8"),
        (CMOS.encode("utf-16"), "the file is UTF-16; save it as 'CSV UTF-8"),
    ],
)
def test_files_without_rows(tmp_path: Path, data: bytes, message: str) -> None:
    assert only(read(tmp_path, "cmos", data)).startswith(f"cmos.csv: {message}")


def test_optional_tables_may_be_missing_or_have_a_header_only(tmp_path: Path) -> None:
    missing = read_table("offers", tmp_path / "offers.csv")
    assert (missing.findings, missing.present) == ((), False)
    header = read(tmp_path, "tiers", "cmo_id,spend_from,rebate\n")
    assert (header.findings, header.present) == ((), True)
    assert only(read(tmp_path, "tiers", "")).startswith("tiers.csv: the file is empty")


def test_a_missing_required_file(tmp_path: Path) -> None:
    message = only(read_table("lines", tmp_path / "lines.csv"))
    assert message == "lines.csv: the file is missing; put a lines.csv into the portfolio's folder"


def test_rows_with_too_many_or_too_few_fields(tmp_path: Path) -> None:
    table = read(tmp_path, "cmos", "cmo_id,region,owner\nK1,EU,A,B\nK2,EU\nK3,EU,C\n")
    assert said(table.findings) == [
        "cmos.csv:2: the row has 4 fields, the header 3; "
        "put quotes around a text that holds a comma, and no comma into a number",
        "cmos.csv:3: the row has 2 fields, the header 3; write a comma for each blank field too",
    ]
    assert [row.values["cmo_id"] for row in table.rows] == ["K3"]


def test_zero_bytes_and_open_quotes(tmp_path: Path) -> None:
    table = read(tmp_path, "cmos", "cmo_id,region\nK1,E\0U\n")
    assert only(table).startswith("cmos.csv:2: there is a zero byte in the text")
    table = read(tmp_path, "cmos", 'cmo_id,region\nK1,"EU\n')
    assert str(table.findings[0]).startswith("cmos.csv:2: the row cannot be read")


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "cmos.csv").write_text(CMOS)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    message = only(read_table("cmos", tmp_path / "cmos.csv"))
    assert message == "cmos.csv: cannot be read: Permission denied; let it be read"
