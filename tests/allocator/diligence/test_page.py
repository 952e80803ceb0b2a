"""docs/diligence.md prints the table of questions that the program asks."""

from pathlib import Path

from allocator.diligence.page import question_tables

PAGE = Path(__file__).resolve().parents[3] / "docs" / "diligence.md"


def test_the_page_holds_the_questions_as_they_are():
    assert PAGE.read_text(encoding="utf-8").endswith(question_tables())
