"""Cleaning of version 1: as it was, for the releases that were trained with it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.text.cleaning.expressions import MAX_CHARACTERS, clean


@given(st.text(st.characters(codec=None), max_size=300))
def test_any_text_comes_out_encodable_and_settled(text):
    cleaned = clean(text)
    cleaned.encode("utf-8")
    assert "\x00" not in cleaned
    assert len(cleaned) <= len(text)
    assert cleaned == cleaned.strip()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\x00b", "ab"),
        ("lone \ud83d surrogate", "lone  surrogate"),
        ("one\r\ntwo", "one\ntwo"),
        ("before <!-- tick\none box --> after", "before  after"),
        ("before <!-- never closed", "before"),
        ("- [ ] Windows\n- [x] Linux", "- [x] Linux"),
        ("### Logs\n\n_No response_\n\n### Steps", "### Logs\n\n### Steps"),
        ("a\n\n\n\n\nb", "a\n\nb"),
        ("  \n\t ", ""),
        ("日本語 текст عربى 🐛", "日本語 текст عربى 🐛"),
        ("keep\ttabs", "keep\ttabs"),
    ],
)
def test_what_goes_and_what_stays(text, expected):
    assert clean(text) == expected


def test_a_megabyte_of_log_is_cut():
    assert len(clean("error in line\n" * 100_000)) <= MAX_CHARACTERS


@pytest.mark.parametrize(
    "hostile", ["<!--", "\n \n", "\n", " ", "- [ ]", "- [ ]\n", "\n- ", "_No response_\n", "-->"]
)
def test_a_megabyte_of_anything_ends(hostile):
    """With patterns that look back and forth over blank lines, one of these took a minute."""
    assert len(clean(hostile * (1_000_000 // len(hostile)))) <= MAX_CHARACTERS
