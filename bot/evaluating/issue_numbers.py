"""Issue numbers from a file that a person wrote."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.errors import CommandRefused

if TYPE_CHECKING:
    from pathlib import Path

MAX_DIGITS = 15
"""Of an issue's number; GitHub's have seven at most."""


def read_numbers(path: Path) -> frozenset[int]:
    """Issue numbers from a file: separated by blanks, commas or lines, with or without `#`.

    :raises CommandRefused: something else is in it, or nothing.
    """
    try:
        words = re.split(r"[\s,\[\]]+", path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise CommandRefused(f"{path} cannot be read: {error}") from None
    words = [word.removeprefix("#") for word in words if word]
    wrong = [word for word in words if not _is_number(word)]
    if wrong or not words:
        got = repr(wrong[0][:40]) if wrong else "nothing"
        raise CommandRefused(f"{path}: got {got}, expected issue numbers, one a line")
    return frozenset(map(int, words))


def _is_number(word: str) -> bool:
    """Whether it is a number that an issue can have, in digits."""
    return word.isascii() and word.isdigit() and len(word) <= MAX_DIGITS
