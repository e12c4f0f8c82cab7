"""Patterns that maintainers write cannot stop the bot."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.configuration.patterns import any_name_matches, compile_title_pattern


@pytest.mark.parametrize(
    "pattern",
    [
        r"^\[WIP\]",
        r"^\[(WIP|Draft|RFC)\].*",
        r".*foo.*",
        r"(?i)\b(wip|do not merge)\b",
        r"^Release v\d+\.\d+\.\d+$",
        r"^(?:ab)+$",
        r"(?=x)a{2,5}(?!y)",
        r"^(a)?b(?(1)c|d)",
        r"^(?>a+)b",
    ],
)
def test_patterns_people_write_are_accepted(pattern: str) -> None:
    assert compile_title_pattern(pattern) == re.compile(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+$",
        r"(a|aa)*$",
        r"(a?){50}a{50}",
        r"(?:(?:a*)*)*b",
        "a?" * 60 + "a" * 60,
        ".*" * 10 + "x",
        r"\b.*.*.*x",
        "(" * 30 + "a?" + "){9}" * 30,
        r"((a{0,30}){0,30}){0,30}b",
    ],
)
def test_patterns_that_could_run_for_years_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="could take very long"):
        compile_title_pattern(pattern)


@pytest.mark.parametrize("pattern", ["[WIP", "(", "*", "a{99999999999}", "(?P<x>", "\\"])
def test_what_is_no_regular_expression_is_named(pattern: str) -> None:
    with pytest.raises(ValueError, match="is no regular expression") as caught:
        compile_title_pattern(pattern)
    assert repr(pattern) in str(caught.value)


def test_long_patterns_are_refused() -> None:
    with pytest.raises(ValueError, match="201 characters, expected at most 200"):
        compile_title_pattern("a" * 201)


@given(st.text(alphabet="ab.*+?|()[]{}^$\\0129,:=!<>Pi", max_size=40))
def test_every_pattern_is_compiled_or_refused(pattern: str) -> None:
    with suppress(ValueError):  # any other error is the failure looked for
        compile_title_pattern(pattern).search("ab" * 128)  # returns: the time limit is the judge


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("bug", "BUG", True),
        ("bug", "bugs", False),
        ("area/*", "area/api", True),
        ("area/*", "area", False),
        ("*[bot]", "dependabot[bot]", True),
        ("*[bot]", "dependabot", False),
        ("a?", "ab", False),
        ("what?", "what?", True),
        ("[ab]", "a", False),
        ("*", "", True),
    ],
)
def test_only_the_star_is_special_in_names(pattern: str, name: str, matches: bool) -> None:
    assert any_name_matches([pattern], name) is matches


def test_many_stars_take_no_time() -> None:
    assert not any_name_matches(["*a" * 50], "a" * 49 + "b" * 5000)


@given(st.text())
def test_a_name_without_a_star_matches_itself(name: str) -> None:
    assert any_name_matches([name], name)
