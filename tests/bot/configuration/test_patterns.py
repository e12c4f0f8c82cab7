"""Patterns that maintainers write cannot stop the bot."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.configuration.names import Names
from bot.configuration.patterns import TitlePattern, TitlePatterns


@pytest.mark.parametrize(
    ("pattern", "title", "found"),
    [
        (r"^\[WIP\]", "[WIP] faster", True),
        (r"^\[WIP\]", "faster [WIP]", False),
        (r"^\[(WIP|Draft|RFC)\].*", "[RFC] names", True),
        (r".*foo.*", "a foo b", True),
        (r"(?i)\b(wip|do not merge)\b", "Do Not Merge yet", True),
        (r"^Release v\d+\.\d+\.\d+$", "Release v1.20.3", True),
        (r"^Release v\d+\.\d+\.\d+$", "Release v1.20.3b", False),
        (r"^(?:ab)+$", "ababab", True),
        (r"(?P<word>bug)", "a bug", True),
        (r"\p{Cyrillic}", "ошибка", True),
        ("ß", "groß", True),
        (r"(a+)+$", "a" * 255 + "b", False),  # these once stood still
        ("".join([".*"] * 50) + "x", "ab" * 128, False),
        (r"x", "\ud800x", True),
        (r"x", "a" * 256 + "x", False),
    ],
)
def test_patterns_people_write_are_searched_in_titles(
    pattern: str, title: str, found: bool
) -> None:
    assert TitlePattern.of(pattern).is_in(title) is found


@pytest.mark.parametrize(
    ("pattern", "instead"),
    [
        (r"(?=x)a", "looking ahead or behind"),
        (r"^(?!bug)", "write what such titles contain"),
        (r"(?<=x)a", "looking ahead or behind"),
        (r"(?<!x)a", "looking ahead or behind"),
        (r"(a|b) \1", "write each case out"),
        (r"(?P<n>a)(?P=n)", "write each case out"),
        (r"^(a)?b(?(1)c|d)", "write each case out"),
        (r"^(?>a+)b", "leave the ?> or + out"),
        (r"a++b", "leave the ?> or + out"),
        (r"end\Z", "write $"),
        (r"\u00e9", "write the character itself"),
        (r"(?#why)a", "leave (?#…) out"),
        (r"a{,3}", "write {0,n}"),
    ],
)
def test_what_re2_does_not_read_is_told_what_to_write_instead(pattern: str, instead: str) -> None:
    with pytest.raises(ValueError, match="cannot be used: ") as caught:
        TitlePattern.of(pattern)
    assert repr(pattern) in str(caught.value)
    assert instead in str(caught.value)


@pytest.mark.parametrize(
    "pattern", [r"(?:.?){1000}", r"((a{0,30}){0,30}){0,30}b", r"\pL{0,30}", "a{1001}"]
)
def test_what_becomes_too_large_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="becomes too large; repeat less"):
        TitlePattern.of(pattern)


@pytest.mark.parametrize("pattern", ["[WIP", "(", "*", "(?P<x>", "\\", "\ud800"])
def test_what_is_no_regular_expression_is_named(pattern: str) -> None:
    with pytest.raises(ValueError, match="is no regular expression") as caught:
        TitlePattern.of(pattern)
    assert repr(pattern) in str(caught.value)


def test_long_patterns_are_refused() -> None:
    with pytest.raises(ValueError, match="201 characters, expected at most 200"):
        TitlePattern.of("a" * 201)


@given(st.text(alphabet="ab.*+?|()[]{}^$\\0129,:=!<>Pi", max_size=200))
def test_every_pattern_is_compiled_or_refused(pattern: str) -> None:
    with suppress(ValueError):  # any other error is the failure looked for
        TitlePattern.of(pattern).is_in("ab" * 128)  # returns: the time limit is the judge


def test_where_no_pattern_matches_one_that_cannot_be_read_counts_as_one_that_does() -> None:
    assert TitlePatterns(["^a"]).why("b") is None
    assert TitlePatterns(["^(?!b)", "^a"]).why("a") == "its title matches ^a"
    assert "can no longer be read" in (TitlePatterns(["^(?!b)", "^a"]).why("b") or "")


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("bug", "BUG", True),
        ("bug", "bugs", False),
        ("area/*", "area/api", True),
        ("area/*", "area", False),
        ("area/*", "AREA/Straße", True),
        ("*[bot]", "dependabot[bot]", True),
        ("*[bot]", "dependabot", False),
        ("a?*", "ab", False),
        ("what?*", "what?", True),
        ("[ab]*", "a", False),
        ("a.c*", "abc", False),
        ("ä|*", "b", False),
        ("*ö*", "schön", True),
        ("*", "", True),
        ("a*", "a\nb", True),
    ],
)
def test_only_the_star_is_special_in_names(pattern: str, name: str, matches: bool) -> None:
    assert (name in Names([pattern])) is matches


def test_a_name_matches_where_any_of_many_does() -> None:
    names = Names([*(f"area/{i}-*" for i in range(100)), *(f"label {i}" for i in range(1000))])
    assert "Area/99-x" in names
    assert "LABEL 999" in names
    assert "area/100-x" not in names
    assert not Names()


@given(st.text())
def test_a_name_without_a_star_matches_itself(name: str) -> None:
    assert name in Names([name])
    assert name in Names([f"{name}*"])
