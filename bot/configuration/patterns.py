"""Patterns that maintainers write, made safe to run: regular expressions and names with a `*`.

A regular expression from a public repository runs inside a service for many: one with nested
repeats would stop it for years (https://owasp.org/www-community/attacks/Regular_expression_Denial_of_Service_-_ReDoS).
So each is weighed before it is accepted: the number of ways in which it can try one title is
bounded from above, and too many are refused.
"""

from __future__ import annotations

import fnmatch
import importlib
import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_PATTERN = 200
MAX_TITLE = 256
"""GitHub's own limit for a title; a longer one is cut before a pattern sees it."""
MAX_WAYS = (MAX_TITLE + 1) ** 3
"""Three `.*` behind a `^`, or two without: under 0.1 s on one core for the worst title found."""


@lru_cache(maxsize=1024)
def compile_title_pattern(text: str) -> re.Pattern[str]:
    """Compile a regular expression that is searched in titles.

    :raises ValueError: no regular expression, longer than 200 characters, or one that could take
        very long on some title.
    """
    if len(text) > MAX_PATTERN:
        raise ValueError(f"a pattern of {len(text)} characters, expected at most {MAX_PATTERN}")
    try:
        pattern = re.compile(text)
    except (re.error, RecursionError, OverflowError, FutureWarning) as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from None
    if _ways_to_search(text) > MAX_WAYS:
        raise ValueError(
            f"{text!r} could take very long on some titles; use fewer of * + ? {{}}, none of them "
            "inside another, and begin with ^ where you can"
        )
    return pattern


def any_name_matches(patterns: Iterable[str], name: str) -> bool:
    """Whether a name equals one of the patterns, in any case; `*` stands for any text."""
    return any(_name_pattern(pattern).fullmatch(name.casefold()) for pattern in patterns)


@lru_cache(maxsize=1024)
def _name_pattern(pattern: str) -> re.Pattern[str]:
    """Only `*` is special: `[` is a plain character in names such as `dependabot[bot]`."""
    plain = pattern.casefold().replace("[", "[[]").replace("?", "[?]")
    return re.compile(fnmatch.translate(plain))  # atomic groups: linear, however many stars


def _ways_to_search(text: str) -> int:
    # the parser behind `re`: no public one shows a pattern's structure
    items = list(importlib.import_module("re._parser").parse(text))
    anchored = bool(items) and str(items[0][1]).startswith("AT_BEGINNING")
    return _ways(items) * (1 if anchored else MAX_TITLE)


def _ways(items: Iterable[tuple[Any, Any]]) -> int:
    """An upper bound on how many ways a sequence can be laid on one title, itself bounded."""
    ways = math.prod(_ways_of_one(str(kind), argument) for kind, argument in items)
    return min(ways, MAX_WAYS + 1)


def _ways_of_one(kind: str, argument: Any) -> int:
    if kind.endswith("_REPEAT"):  # MAX_, MIN_ and POSSESSIVE_
        return _ways_of_repeat(*argument)
    if kind == "BRANCH":
        return sum(map(_ways, argument[1]))
    if kind == "GROUPREF_EXISTS":
        return sum(_ways(branch) for branch in argument[1:] if branch)
    if kind in {"SUBPATTERN", "ASSERT", "ASSERT_NOT"}:
        return _ways(argument[-1])
    if kind == "ATOMIC_GROUP":
        return _ways(argument)
    return 1  # a character, a class, a position, a back reference


def _ways_of_repeat(least: int, most: int, body: Iterable[tuple[Any, Any]]) -> int:
    most = min(int(most), MAX_TITLE)
    lengths = max(most - int(least), 0) + 1
    each: int = _ways(body) ** min(most, 32)  # beyond 32 the bound is passed many times over
    return lengths * each
