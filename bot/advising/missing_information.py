"""What an issue leaves out that its form or template asks for. Pure, and by rules one can read.

Nothing is asked for that the repository's own form does not ask for: an issue without a heading
"Version" may well need none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Missing = Literal["description", "version", "steps", "form"]
"""`description`: there is no text. `form`: every answer of the form is empty. The others: the
section that asks for it is."""

MAX_READ = 50_000
"""Characters of a body that are read."""

_HEADING = re.compile(
    r" {0,3}(?P<marks>#{1,6})[ \t]+(?P<words>\S.*)|\*\*(?P<bold>[^*\n]{2,80})\*\*:?[ \t]*$"
)
_FENCE = re.compile(r" {0,3}(?:```|~~~)")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_PLEDGE = re.compile(r"[-*+] \[[ xX]?\] I\b")
"""A box to tick, such as "I have searched": it says nothing of the issue."""
_UNASKED = re.compile(
    r"_?no response_?|a clear and concise description of\b.*|add any other context\b.*"
    r"|steps to reproduce the behaviou?r:?|if applicable, add screenshots\b.*"
    r"|\d\. (?:go to '\.+'|click on '\.+'|scroll down to '\.+'|see error)"
    r"|(?:\d{1,2}[.)])?[-*+.:`>|\s]*",
    re.IGNORECASE,
)
"""What a form writes where nobody answers: GitHub's words, and those of its own first templates."""
_LABEL = re.compile(r"[-*+]?\s*(?P<what>[^:\n]{2,40}):(?P<value>.*)")
"""A line that a template begins and somebody is to end."""
_VERSION_ITEM = re.compile(r"[-*+]\s+[^:\n]{0,30}\bversion`?\s*:(?P<value>.*)", re.IGNORECASE)
"""`- Python version: 3.11`."""
_VERSION = re.compile(r"\bversions?\b|\benvironment\b", re.IGNORECASE)
_STEPS = re.compile(r"\bsteps\b|\breproduc", re.IGNORECASE)


@dataclass
class _Section:
    """A heading with what stands below it, down to the next one."""

    heading: str
    level: int
    answered: bool = False


def missing_information(body: str) -> tuple[Missing, ...]:
    """What is left out; empty where nothing is, or where the issue has no form."""
    text = _COMMENT.sub("", body[:MAX_READ])
    if not text.strip():
        return ("description",)
    lines = text.splitlines()
    sections = list(_sections(lines))
    asked = sections[1:]
    if len(asked) > 1 and not any(section.answered for section in sections):
        return ("form",)
    missing: list[Missing] = []
    if _left_empty(asked, _VERSION) or _unnamed_version(lines):
        missing.append("version")
    if _left_empty(asked, _STEPS):
        missing.append("steps")
    return tuple(missing)


def _left_empty(sections: Sequence[_Section], asks: re.Pattern[str]) -> bool:
    """Whether the form asks for it, and each section that does is empty."""
    asking = [
        section.answered or _is_parent(sections, place)
        for place, section in enumerate(sections)
        if asks.search(section.heading)
    ]
    return bool(asking) and not any(asking)


def _is_parent(sections: Sequence[_Section], place: int) -> bool:
    """Whether a heading of another level follows, which a form's next question has not.

    It is a part of the answer then, or a comment in code that nobody fenced.
    """
    following = sections[place + 1 : place + 2]
    return bool(following) and following[0].level != sections[place].level


def _unnamed_version(lines: Sequence[str]) -> bool:
    """Whether a list asks for versions, and none of them is given."""
    asked = [match for line in lines if (match := _VERSION_ITEM.fullmatch(line.strip()))]
    return bool(asked) and not any(match["value"].strip() for match in asked)


def _sections(lines: Sequence[str]) -> Iterator[_Section]:
    """What stands before the first heading, then each heading's section."""
    section, fenced = _Section("", 0), False
    for line in lines:
        if _FENCE.match(line):
            fenced = not fenced
            continue
        heading = None if fenced else _HEADING.match(line)
        if heading is None:
            section.answered = section.answered or _is_answer(line, fenced=fenced)
            continue
        yield section
        level = len(heading["marks"]) if heading["marks"] else 7
        section = _Section(heading["words"] or heading["bold"], level)
    yield section


def _is_answer(line: str, *, fenced: bool) -> bool:
    words = line.strip()
    if fenced:
        return bool(words)
    if not words or _PLEDGE.match(words) or _UNASKED.fullmatch(words):
        return False
    label = _LABEL.fullmatch(words)
    return label is None or bool(label["value"].strip())
