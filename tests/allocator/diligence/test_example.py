"""Made-up answers are sound, varied and repeatable."""

import csv
import io
from collections import Counter

from allocator.diligence import example_rows, questions
from allocator.read import inspect
from tests.allocator.diligence.folder import write

IDS = [f"K{n}" for n in range(1, 4)]


def text(rows):
    stream = io.StringIO()
    csv.DictWriter(stream, rows[0], lineterminator="\n").writerows(rows)
    return stream.getvalue()


def test_the_same_ids_and_seed_give_the_same_rows_in_any_order():
    assert example_rows(IDS, 3) == example_rows(reversed(IDS), 3)
    assert example_rows(IDS, 3) != example_rows(IDS, 4)
    one = [row for row in example_rows(IDS, 3) if row["cmo_id"] == "K2"]
    assert one == example_rows(["K2"], 3)


def test_every_row_can_be_read(tmp_path):
    for seed in range(6):
        rows = example_rows(IDS, seed)
        portfolio, found = inspect(write(tmp_path, text(rows)))
        assert portfolio is not None
        assert len(portfolio.diligence) == len(rows)
        told = [f for f in found if f.file == "diligence.csv"]
        assert {f.column for f in told} <= {"as_of", ""}


def test_products_made_are_those_of_the_lines_where_they_are_given():
    ids = [f"C{n:02d}" for n in range(20)]
    made = {i: {"dosage_form": ("tablet",), "route": ("oral",)} for i in ids}
    rows = example_rows(ids, 0, made=made)
    forms = {r["answer"].split("=")[0] for r in rows if r["question"] == "products_dosage_form"}
    molecules = [r["answer"] for r in rows if r["question"] == "products_molecule_type"]
    assert forms == {"tablet"}
    assert any(";" in answer for answer in molecules)


def test_some_are_blank_some_old_and_some_cmos_have_not_answered():
    rows = example_rows([f"C{n:02d}" for n in range(40)], 0)
    count = Counter(row["cmo_id"] for row in rows)
    assert 25 <= len(count) < 40
    assert max(count.values()) < len(questions())
    assert {row["question"] for row in rows} == set(questions())
    old = sum(row["as_of"] < "2025-07-01" for row in rows)
    assert 0.1 < old / len(rows) < 0.25
