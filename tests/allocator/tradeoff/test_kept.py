"""Answers kept in files: only for the same question, and never in the way of a new one."""

from __future__ import annotations

import pytest

from allocator.tradeoff.kept import keep, read_kept


def test_what_is_kept_is_read_again_for_the_same_question_only(tmp_path):
    file = tmp_path / "deep" / "kept.json"
    assert read_kept(file, "a") is None
    keep(file, "a", {"found": 1})
    assert read_kept(file, "a") == {"key": "a", "found": 1}
    assert read_kept(file, "b") is None


@pytest.mark.parametrize("text", ["", "{", "[1]", "3", '{"found": 1}'])
def test_a_damaged_file_keeps_nothing(tmp_path, text):
    file = tmp_path / "kept.json"
    file.write_text(text)
    assert read_kept(file, "a") is None
