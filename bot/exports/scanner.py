"""Values of JSON documents of any size, one at a time, with the line on which each begins.

The standard library's decoder reads each value; only what lies around them, brackets of arrays and
the blanks between documents, is read here. Memory is bounded by the largest value. A streaming
parser (ijson) would lose the lines, end a file at one large number, and take gigabytes for brackets
nested a hundred thousand deep.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.exports.text import MAX_LINE

if TYPE_CHECKING:
    from collections.abc import Iterator

DEEPEST = 3
"""Arrays within arrays: pages of pages are two."""

WHOLE_OBJECT = 8 * 1024 * 1024
"""Characters up to which an object is read at once; of a longer one the lists of issues in it."""

LISTS = frozenset({"items", "nodes", "edges", "issues"})
"""Keys of answers of GitHub's APIs under which issues lie."""

BESIDE = frozenset(
    {"labels", "assignees", "comments", "milestone", "pageInfo", "errors", "extensions"}
)
"""Keys under which no issues lie."""

_DEEPEST_OF_ALL = 20
_BETWEEN = re.compile(r"[\s,\ufeff]*")
_DECODER = json.JSONDecoder()
_TOLERANT = json.JSONDecoder(parse_int=float)
_TAIL = 64
"""Characters before the end of what is read within which a mistake may be a value cut in two."""


class BrokenJson(Exception):
    """What comes is no JSON, so nothing after it can be told apart either.

    :ivar line: where, counted from 1.
    """

    def __init__(self, line: int, problem: str) -> None:
        self.line = line
        super().__init__(problem)


class _TooLong(Exception):
    """A value goes on for longer than it may."""


@dataclass(frozen=True, slots=True)
class Element:
    """A value that is no array: a document, or an element of an array.

    :ivar line: on which it begins, counted from 1.
    :ivar place: which of all values it is, counted from 1.
    :ivar key: that of the array it lies in, where that lies in an object too long to read at once.
    """

    line: int
    place: int
    value: Any
    key: str = ""


@dataclass(frozen=True, slots=True)
class _Opened:
    """A bracket that is not yet closed.

    :ivar key: None where it is no member of an object.
    :ivar place: how many values there were before it.
    """

    bracket: str
    key: str | None
    place: int


class JsonScanner:
    """Goes through JSON documents, one after the other, and the arrays among them.

    :ivar arrays: how many arrays there were that lie in nothing.
    :ivar objects: how many values there were that lie in nothing.
    :ivar deepest: how many arrays lay within each other at most.
    """

    def __init__(
        self,
        texts: Iterator[str],
        longest: int = MAX_LINE,
        whole_object: int = WHOLE_OBJECT,
    ) -> None:
        self._texts = texts
        self._longest = longest
        self._whole_object = whole_object
        self._text = ""
        self._at = 0
        self._line = 1
        self._whole = False
        self._failure: Exception | None = None
        self._opened: list[_Opened] = []
        self._place = 0
        self.arrays = 0
        self.objects = 0
        self.deepest = 0

    def elements(self) -> Iterator[Element]:
        """:raises BrokenJson: what comes is no JSON; all before it was given out."""
        while character := self._next():
            if character in "]}":
                self._close(character)
            elif self._opened and self._opened[-1].bracket == "{":
                self._member()
            elif character == "[":
                self._open("[")
            else:
                yield from self._element()
        if self._opened:
            kind = "an array" if self._opened[-1].bracket == "[" else "an object"
            raise BrokenJson(self._line, f"the file ends within {kind}")

    def _open(self, bracket: str, key: str | None = None) -> None:
        self._opened.append(_Opened(bracket, key, self._place))
        self._at += 1
        depth = len(self._opened)
        if depth > DEEPEST and all(opened.bracket == "[" for opened in self._opened):
            raise BrokenJson(self._line, f"arrays nested more than {DEEPEST} deep")
        if depth > _DEEPEST_OF_ALL:
            raise BrokenJson(self._line, "values nested too deeply")
        if self._opened[0].bracket == "[" and bracket == "[":
            self.arrays += depth == 1
            self.deepest = max(self.deepest, depth)

    def _close(self, character: str) -> None:
        opened = self._opened.pop() if self._opened else None
        if opened is None or opened.bracket + character not in {"[]", "{}"}:
            raise BrokenJson(self._line, f"{character} closes what was not opened")
        if character == "}" and opened.key is None and opened.place == self._place:
            problem = f"an object of more than {self._whole_object:,} characters without issues"
            raise BrokenJson(self._line, problem)
        self._at += 1

    def _element(self) -> Iterator[Element]:
        """The value that begins here; an object that is too long for that is gone into."""
        line, key = self._line, (self._opened[-1].key or "") if self._opened else ""
        self.objects += not self._opened
        try:
            value = self._value(self._whole_object)
        except _TooLong:
            if self._text[self._at] != "{":
                raise BrokenJson(line, "a text of too many characters") from None
            self._open("{")
            return
        self._place += 1
        yield Element(line, self._place, value, key)

    def _member(self) -> None:
        """A key with its value: opened where issues may lie in it, and else passed over."""
        key = self._bounded()
        if not isinstance(key, str) or self._next() != ":":
            raise BrokenJson(self._line, "not JSON: expected a key and its value")
        self._at += 1
        character = self._next()
        if (character == "[" and key in LISTS) or (character == "{" and key not in BESIDE):
            self._open(character, key)
        else:
            self._bounded()

    def _bounded(self) -> Any:
        """The value that begins here, which nobody needs whole."""
        try:
            return self._value(self._longest)
        except _TooLong:
            problem = f"a value of more than {self._longest:,} characters"
            raise BrokenJson(self._line, problem) from None

    def _next(self) -> str:
        """The first character of what comes, "" at the end."""
        while True:
            match = _BETWEEN.match(self._text, self._at)
            self._move_to(match.end() if match else self._at)
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more(1, self._longest):
                return ""

    def _value(self, longest: int) -> Any:
        """The value that begins here.

        :raises _TooLong: it has more characters; nothing of it was passed over.
        """
        while True:
            rest = len(self._text) - self._at
            try:
                value, end = _decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if not (_may_be_cut(error, self._text) and self._more(rest, longest)):
                    raise BrokenJson(self._line_of(error.pos), _problem(error)) from None
                continue
            except RecursionError:
                raise BrokenJson(self._line, "values nested too deeply") from None
            if (
                isinstance(value, int | float)
                and self._may_go_on(end)
                and self._more(rest, longest)
            ):
                continue
            self._move_to(end)
            return value

    def _may_go_on(self, end: int) -> bool:
        """Whether a number that ends here ends the text, but for the "e+" before an exponent."""
        return end >= len(self._text) - 2

    def _more(self, wanted: int, longest: int) -> bool:
        """Read at least as many characters more; False where there are none.

        As many again as there are: a long value is looked at a few times only.

        What fails meanwhile fails once all that came before was used.

        :raises _TooLong: there are `longest` characters already.
        """
        if self._whole:
            return False
        if len(self._text) - self._at >= longest:
            raise _TooLong
        parts: list[str] = []
        while wanted > 0 and self._failure is None and (text := self._read()) is not None:
            parts.append(text)
            wanted -= len(text)
        if not parts and self._failure is not None:
            raise self._failure
        if parts:
            self._text, self._at = "".join((self._text[self._at :], *parts)), 0
        return bool(parts)

    def _read(self) -> str | None:
        try:
            text = next(self._texts, None)
        except Exception as error:  # raised by `_more`, after what came before
            self._failure, text = error, None
        else:
            self._whole = text is None
        return text

    def _move_to(self, end: int) -> None:
        self._line = self._line_of(end)
        self._at = end

    def _line_of(self, position: int) -> int:
        return self._line + self._text.count("\n", self._at, position)


def _decode(text: str, at: int) -> tuple[Any, int]:
    """:raises json.JSONDecodeError: it is no JSON, or not all of it."""
    try:
        return _DECODER.raw_decode(text, at)
    except json.JSONDecodeError:
        raise
    except ValueError:  # a whole number of thousands of digits
        return _TOLERANT.raw_decode(text, at)


def _may_be_cut(error: json.JSONDecodeError, text: str) -> bool:
    return error.pos >= len(text) - _TAIL or error.msg.startswith("Unterminated string")


def _problem(error: json.JSONDecodeError) -> str:
    within_text = error.doc[error.pos :].strip() and not error.msg.startswith("Unterminated")
    return f"not JSON: {error.msg}" if within_text else "the file ends within a value"
