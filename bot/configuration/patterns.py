"""Regular expressions that maintainers write, searched in titles in linear time.

A regular expression from a public repository runs inside a service for many: with an engine that
tries one way after another, a short one stops it for years
(https://owasp.org/www-community/attacks/Regular_expression_Denial_of_Service_-_ReDoS). RE2
(https://github.com/google/re2/wiki/WhyRE2) follows all ways at once; a search takes at most the
length of the title times the size of the program that the pattern becomes, and both are bounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Protocol

import re2

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_PATTERN = 200
MAX_TITLE = 256
"""GitHub's own limit for a title; a longer one is cut before a pattern sees it."""
MAX_PROGRAM = 1500
"""Instructions of one pattern: a search stays under 5 ms whatever the title."""
MAX_PROGRAMS = 4500
"""Instructions of all patterns of a file: twenty of 200 plain characters fit."""
MAX_MEMORY = 256 * 1024
"""Bytes of one pattern's program and of the states that RE2 caches for it."""

SYNTAX = "https://github.com/google/re2/wiki/Syntax"
_ALTERNATIVES = (
    (
        r"\(\?<?[=!]",
        "looking ahead or behind ((?= (?! (?<= (?<!) is not read: write what such titles contain, "
        "in several patterns if need be; an issue is left alone where any of them is found",
    ),
    (
        r"\\[1-9]|\(\?P=|\(\?\(",
        "referring back to a group (\\1, (?P=name), (?(1)…)) is not read: write each case out, "
        "such as (?:a a|b b) for (a|b) \\1",
    ),
    (r"\(\?>|[*+?}]\+", "atomic groups and possessive repeats are not read: leave the ?> or + out"),
    (r"\\Z", r"\Z is not read: write $"),
    (r"\\[uUN]", r"\u, \U and \N are not read: write the character itself"),
    (r"\(\?#", "comments are not read: leave (?#…) out"),
)
"""What Python's `re` reads and RE2 does not, and what to write instead."""


_NO_REPEAT = re.compile(r"(?<!\\)\{,\d+\}")
"""A repeat to Python, plain text to RE2: read silently, it would mean something else."""


class _Compiled(Protocol):
    """What is used of RE2, which comes without types."""

    @property
    def programsize(self) -> int: ...

    def search(self, text: bytes) -> object | None: ...


@dataclass(frozen=True)
class TitlePattern:
    """A regular expression that is searched in titles."""

    text: str
    _compiled: _Compiled

    @classmethod
    def of(cls, text: str) -> TitlePattern:
        """Compile a pattern.

        :raises ValueError: no regular expression, one that RE2 does not read, longer than 200
            characters, or one that becomes too large a program.
        """
        if len(text) > MAX_PATTERN:
            raise ValueError(f"a pattern of {len(text)} characters, expected at most {MAX_PATTERN}")
        if _NO_REPEAT.search(text):
            raise ValueError(f"{text!r} cannot be used: for {{,n}} write {{0,n}}")
        try:
            pattern = cls(text, re2.compile(text, _options()))
        except (re2.error, UnicodeEncodeError) as error:
            raise ValueError(_explained(text, error)) from None
        if pattern.size > MAX_PROGRAM:
            raise ValueError(_too_large(text))
        return pattern

    @property
    def size(self) -> int:
        """Instructions of the program that the pattern becomes."""
        return self._compiled.programsize

    def is_in(self, title: str) -> bool:
        """Whether the pattern is found in the first 256 characters of a title."""
        text = title[:MAX_TITLE].encode("utf-8", "replace")  # a payload may hold half a surrogate
        return self._compiled.search(text) is not None


class TitlePatterns:
    """The patterns of one file.

    One that was accepted once and that RE2 does not read may match any title: where no other
    rule decides, it counts as one that does. A label that nobody wanted is worse than none.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._patterns: list[TitlePattern] = []
        self._unreadable: list[str] = []
        for text in texts:
            try:
                self._patterns.append(TitlePattern.of(text))
            except ValueError:
                self._unreadable.append(text)

    def why(self, title: str) -> str | None:
        """Why an issue of this title is left alone, or None where it is not."""
        for pattern in self._patterns:
            if pattern.is_in(title):
                return f"its title matches {pattern.text}"
        for text in self._unreadable:
            return f"its title may match {text}, which can no longer be read: mend the file"
        return None


def too_large_together(texts: Iterable[str]) -> int | None:
    """The position of the first pattern that those before it leave no room for."""
    sizes = accumulate(TitlePattern.of(text).size for text in texts)
    return next((i for i, size in enumerate(sizes) if size > MAX_PROGRAMS), None)


def _options() -> re2.Options:
    options = re2.Options()
    options.max_mem = MAX_MEMORY
    options.never_capture = True
    options.log_errors = False
    return options


def _explained(text: str, error: Exception) -> str:
    reason = error.args[0] if isinstance(error, re2.error) else "half a surrogate pair"
    if isinstance(reason, bytes):
        reason = reason.decode("utf-8", "replace")
    if "too large" in reason or "repetition size" in reason:
        return _too_large(text)
    for sign, instead in _ALTERNATIVES:
        if re.search(sign, text):
            return f"{text!r} cannot be used: {instead}"
    return f"{text!r} is no regular expression: {reason} (see {SYNTAX})"


def _too_large(text: str) -> str:
    return (
        f"{text!r} becomes too large; repeat less ({{…}}), and prefer single characters to "
        "classes such as \\pL"
    )
