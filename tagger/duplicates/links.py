"""What people call a duplicate: "Duplicate of #12" in an issue's body or in a comment. Pure.

The wording is GitHub's own, which marks an issue as a duplicate by it
(https://docs.github.com/en/issues/tracking-your-work-with-issues/marking-issues-or-pull-requests-as-a-duplicate),
with the spellings that people have for it. What stands in a quotation or in code was said by
somebody else, or is none; a question and a denial are no statement.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_READ = 20_000
"""Characters of a text that are read: whoever marks a duplicate says so in few words."""

MAX_LINKS = 5
"""Originals taken from one text."""

MAX_NUMBER = 2**31 - 1

_LINK = re.compile(
    r"(?P<before>[^.!?\n]{0,60}?)\bdup(?:licate)?s?(?:[ ]of|[ ]ticket|:)?[ ]{1,3}"
    r"(?:(?P<short>[\w.-]{1,100}/[\w.-]{1,100})?#|"
    r"https?://[\w.-]{1,100}/(?P<long>[\w.-]{1,100}/[\w.-]{1,100})/(?:issues|pull)/)"
    r"(?P<number>\d{1,10})\b(?P<after>[^\n]{0,40})",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"\b(?:not|isn'?t|no|non|whether|if|might|may|could|maybe|possibl[ey])\b", re.IGNORECASE
)
_QUESTION = re.compile(r"^[^.!]*\?")
_FENCE = re.compile(r"^ {0,3}(?:```|~~~)")


def stated_originals(text: str, repository: str) -> tuple[int, ...]:
    """Numbers of the issues that a text calls the original, in the order of the text.

    :param repository: `OWNER/NAME` in which the text stands; other repositories' numbers are left.
    """
    numbers: dict[int, None] = {}
    for line in _own_lines(text[:MAX_READ]):
        for match in _LINK.finditer(line):
            place = match["short"] or match["long"]
            elsewhere = place is not None and place.casefold() != repository.casefold()
            if elsewhere or _DENIED.search(match["before"]) or _QUESTION.match(match["after"]):
                continue
            if 0 < (number := int(match["number"])) <= MAX_NUMBER:
                numbers[number] = None
    return tuple(numbers)[:MAX_LINKS]


def _own_lines(text: str) -> Iterator[str]:
    """Lines outside of quotations and fenced code."""
    fenced = False
    for line in text.splitlines():
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced and not line.lstrip().startswith(">"):
            yield line.replace("`", "")
