"""Cleaning by structure: version 2. A title is plain text; a body is read as Markdown.

Of a body go HTML comments, unticked boxes, `_No response_`, headings with nothing under them and
empty code blocks: what a template wrote and nobody answered. Code is left as it is, and what stays
is the reporter's own Markdown, character for character.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from tagger.text.cleaning.logs import HEAD, condensed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

READ = 8_000
"""Characters of a body that are read; 99 of 100 bodies have fewer."""

MAX_LINES = 400
"""Lines that are read, for each of them may be a block of its own."""

MAX_MARKS = 70
"""Lines of a list, heading or table that are read, a quote's counted once more for each `>`: each
costs the parser what a hundred characters of prose do."""

PASSES = 4
"""Times a body is read at most: what goes may leave something that goes as well."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_MARKED = re.compile(r"^[ \t>]*(?:[-*+#>|<=]|\d{1,9}[.)])", re.MULTILINE)
_UNFILLED = re.compile(
    r"<!--|\[ \]|_No response_|```|~~~|^ {4}|\t|^[ \t>]*(?:#|=|-+[ \t]*$)", re.MULTILINE
)
_UNTICKED = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)+\[ \](?:\s|$)")
_MARKS = re.compile(r"[\s\d>#*+\-.)=_|`~<\[]*")
_LINE_ENDS = re.compile(r"[ \t]*(?:\n|\Z)")
_NO_RESPONSE = "_No response_"
_MARGIN = re.compile(r"[> \t]*")
_BASE64 = re.compile(r"[A-Za-z0-9+/=]{120,}")
_BLANK_LINES = re.compile(r"\n(?:[^\S\n]*\n){2,}")
_LEADING_BLANK_LINES = re.compile(r"\A(?:[^\S\n]*\n)+")
_COMMENT_OR_CODE = re.compile(r"\\[`<\\]|`+|<!--")
_OPEN, _CLOSE = "<!--", "-->"


def clean_title(title: str) -> str:
    """One line of plain text: nothing in it is markup."""
    return " ".join(_CONTROL.sub(" ", title[:READ]).split())


def clean_body(body: str) -> str:
    """What the reporter wrote, without what the template did. Cleaning it again changes nothing."""
    text = body[: 2 * READ].replace("\r\n", "\n").replace("\r", "\n")
    text = _settled(_beginning(_settled(_BASE64.sub("", _CONTROL.sub("", text)))))
    for _ in range(PASSES):
        if not _UNFILLED.search(text):
            return text
        reading = _Body(text)
        text = _settled(reading.cleaned())
        if not reading.begins_anew:
            break
    return text


def _settled(text: str) -> str:
    text = _LEADING_BLANK_LINES.sub("", _BLANK_LINES.sub("\n\n", text))
    return text.rstrip()


def _beginning(text: str) -> str:
    """As much of a text as is read."""
    text = "\n".join(text[:READ].split("\n")[:MAX_LINES])
    marks = 0
    for line in _MARKED.finditer(text):
        marks += 1 + line[0].count(">")
        if marks > MAX_MARKS:
            return text[: line.start()]
    return text


@cache
def _parser() -> MarkdownIt:
    """Blocks only: `_Block` looks for comments and code spans, whose places no token tells."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").disable(["inline", "reference"])


@dataclass(frozen=True, slots=True)
class _Block:
    """A piece of a body that holds no other.

    :ivar kind: type of its token, "heading" for a heading's text.
    :ivar start: first character; `end` is one past the last, without the line's end.
    :ivar level: of a heading, 1 to 6.
    """

    kind: str
    start: int
    end: int
    level: int = 0


@dataclass(frozen=True, slots=True)
class _Cut:
    """Characters that go, and what takes their place."""

    start: int
    end: int
    instead: str = ""


class _Body:
    """One reading of a body.

    :ivar begins_anew: a comment that stood at the beginning of a line is cut and the line goes on:
        what is left of it may be a heading, a box or a comment, which it was not before; so may be
        what follows a line that went.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._thresholds: list[_Cut] = []
        self.begins_anew = False

    def cleaned(self) -> str:
        """The text without everything that nobody filled in."""
        blocks = list(_blocks(self._text))
        filled = [self._fill(block) for block in blocks]
        headings = [block for block in blocks if block.kind == "heading"]
        if self._thresholds or len(headings) > 1 or any(filled):
            # else it is one heading and nothing besides, which is all that the reporter wrote
            self._thresholds += _unfilled_headings(blocks, filled)
        return self._without_cuts()

    def _fill(self, block: _Block) -> bool:
        """Whether a reporter's words are left of a block once its template's are cut."""
        if self._thresholds and block.start < self._thresholds[-1].end:
            return False  # a comment that began before runs into it
        if block.kind in {"fence", "code_block"}:
            return self._fill_code(block)
        if block.kind == "html_block":
            thresholds = list(self._comments_of_html(block))
        else:
            thresholds = list(self._comments_of_text(block))
        self.begins_anew |= any(map(self._begins_line, thresholds))
        if block.kind != "html_block":
            unanswered = list(self._unanswered(block, thresholds))
            self.begins_anew |= bool(unanswered)
            thresholds = _merged([*thresholds, *unanswered])
        self._thresholds += thresholds
        left = _without(self._text, block.start, block.end, thresholds)
        return block.kind in {"inline", "html_block"} and bool(left.strip("> \t\n"))

    def _fill_code(self, block: _Block) -> bool:
        lines = self._text[block.start : block.end].split("\n")
        fences = block.kind == "fence"
        closed = fences and len(lines) > 1 and not lines[-1].strip("> \t`~")
        inside = lines[1 if fences else 0 : -1 if closed else None]
        if not any(line.strip("> \t") for line in inside):
            self._thresholds.append(_Cut(block.start, block.end))
            return False
        if facts := condensed(inside):
            margin = _MARGIN.match(inside[0])[0]  # type: ignore[index] # it matches nothing as well
            facts = [*facts[:HEAD], *(margin + fact for fact in facts[HEAD:])]
            lines = [*lines[:1][: int(fences)], *facts, *(lines[-1:] if closed else [])]
            self._thresholds.append(_Cut(block.start, block.end, "\n".join(lines)))
        return True

    def _comments_of_html(self, block: _Block) -> Iterator[_Cut]:
        """To HTML a comment ends at its mark, wherever that is."""
        place = self._text.find(_OPEN, block.start, block.end)
        while 0 <= place < block.end:
            end = self._text.find(_CLOSE, place + 2)
            if end < 0:
                return
            yield _Cut(place, end + len(_CLOSE))
            place = self._text.find(_OPEN, end)

    def _comments_of_text(self, block: _Block) -> Iterator[_Cut]:
        """Comments outside code spans (https://spec.commonmark.org/0.31.2/#code-spans)."""
        text, place, end = self._text, block.start, block.end
        runs = _backticks(text, block)
        while mark := _COMMENT_OR_CODE.search(text, place, end):
            place = mark.end()
            if mark[0] == _OPEN:
                closed = text.find(_CLOSE, mark.start() + 2, end)
                if closed >= 0:
                    place = closed + len(_CLOSE)
                    yield _Cut(mark.start(), place)
            elif mark[0][0] == "`":
                # an escaped mark before it makes a run shorter than any that could close it
                same = runs.get(len(mark[0]), [])
                following = bisect_left(same, place)
                if following < len(same):
                    place = same[following] + len(mark[0])

    def _begins_line(self, cut: _Cut) -> bool:
        text = self._text
        before = text[text.rfind("\n", 0, cut.start) + 1 : cut.start]
        return bool(_MARKS.fullmatch(before)) and not _LINE_ENDS.match(text, cut.end)

    def _unanswered(self, block: _Block, comments: Sequence[_Cut]) -> Iterator[_Cut]:
        """Lines that only a template wrote, as they read without their comments."""
        place = block.start
        for line in self._text[block.start : block.end].split("\n"):
            thresholds = [
                cut for cut in comments if cut.start < place + len(line) and cut.end > place
            ]
            left = (
                _without(self._text, place, place + len(line), thresholds) if thresholds else line
            )
            if _UNTICKED.match(left) or left.strip("> \t") == _NO_RESPONSE:
                yield _Cut(place, place + len(line))
            place += len(line) + 1

    def _without_cuts(self) -> str:
        return _without(self._text, 0, len(self._text), _merged(self._thresholds))


def _blocks(text: str) -> Iterator[_Block]:
    """The blocks that hold text, in their order; quotes and lists are only around them."""
    starts = [0, *(place.end() for place in re.finditer("\n", text)), len(text) + 1]
    heading: Token | None = None
    for token in _parser().parse(text):
        if token.type == "heading_open":
            heading = token  # its text's own token leaves out a line that underlines it
        elif token.map is not None and token.nesting == 0:
            first, last = (heading or token).map or token.map
            kind, level = ("heading", int(heading.tag[1])) if heading else (token.type, 0)
            yield _Block(kind, starts[first], starts[last] - 1, level)
            heading = None


def _backticks(text: str, block: _Block) -> dict[int, list[int]]:
    """Where runs of backticks begin, by their length."""
    runs: dict[int, list[int]] = {}
    for run in re.compile("`+").finditer(text, block.start, block.end):
        runs.setdefault(len(run[0]), []).append(run.start())
    return runs


def _unfilled_headings(blocks: Sequence[_Block], filled: Sequence[bool]) -> Iterator[_Cut]:
    """Headings with nothing filled in before the next one of their level or above."""
    has_text = [False] * 7
    for block, is_filled in zip(reversed(blocks), reversed(filled), strict=True):
        if is_filled:
            has_text = [True] * 7
        elif block.kind == "heading":
            if not has_text[block.level]:
                yield _Cut(block.start, block.end)
            has_text[block.level :] = [False] * (7 - block.level)


def _merged(thresholds: Sequence[_Cut]) -> list[_Cut]:
    """In their order, none overlapping another."""
    merged: list[_Cut] = []
    for cut in sorted(thresholds, key=lambda cut: (cut.start, -cut.end)):
        if merged and cut.start < merged[-1].end:
            merged[-1] = _Cut(merged[-1].start, max(merged[-1].end, cut.end))
        else:
            merged.append(cut)
    return merged


def _without(text: str, start: int, end: int, thresholds: Sequence[_Cut]) -> str:
    """A piece of the text without the cuts; what stood beside one does not grow together."""
    parts, place = [], start
    for cut in thresholds:
        parts += [text[place : max(cut.start, place)], cut.instead]
        beside = text[max(cut.start - 1, start) : cut.start] + text[cut.end : min(cut.end + 1, end)]
        if len(beside) == 2 and not any(map(str.isspace, beside)):
            parts.append(" ")
        place = max(cut.end, place)
    parts.append(text[place:end])
    return "".join(parts)
