"""A small, suspicious YAML reader: plain data, and the line on which each value stands.

Reads YAML 1.2's core schema, so that `mode: off` is the word and not the boolean false of
YAML 1.1 (https://yaml.org/spec/1.2.2/#103-core-schema). No tags, no anchors, no second document:
a configuration needs none of them, and each is a way to make a small file large.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import yaml

from bot.configuration.problems import Problem, written
from bot.errors import ConfigurationInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.configuration.problems import Path

MAX_BYTES = 64 * 1024
MAX_DEPTH = 10
MAX_VALUES = 8_000
"""Keys and values of a whole file."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml, ten times as fast; a PyYAML that was built without it reads the same."""
_NULL = re.compile("~|null|Null|NULL|")
_BOOL = re.compile("true|True|TRUE|false|False|FALSE")
_INT = re.compile("[-+]?[0-9]{1,18}")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]{1,18}\.[0-9]*|[0-9]{1,18}(?=[eE]))(?:[eE][-+]?[0-9]{1,3})?"
)


@dataclass
class Document:
    """A file's data, and where each of its values stands.

    :ivar data: dicts with text keys, lists, str, int, float, bool, None.
    :ivar lines: the line (from 1) of each value, under its path; a mapping's value has its key's.
    :ivar problems: what was wrong but left the rest readable, such as a key written twice.
    """

    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line_of(self, path: Path) -> int:
        """The line of the value at `path`, or of the nearest thing around it that has one."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_document(raw: str | bytes) -> Document:
    """Read a file's text.

    :raises ConfigurationInvalid: too large, not UTF-8, or no YAML that this reader takes.
    """
    text = _decoded(raw)
    try:
        return _Reader(text).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or ""
        if "Unicode character escape" in problem:
            problem = _NO_CHARACTER
        if mark and _tab_before(text, mark.line):
            problem = "a tab stands where YAML wants spaces; indent with spaces"
        raise _invalid(mark.line + 1 if mark else 1, f"no valid YAML: {problem}") from None
    except (ValueError, OverflowError):  # without libyaml "\\UFFFFFFFF" reaches chr() unchecked
        raise _invalid(1, f"no valid YAML: {_NO_CHARACTER}") from None


def _tab_before(text: str, line: int) -> bool:
    """Whether the line's indentation, or that of the one before, holds a tab."""
    lines = text.splitlines()[max(line - 1, 0) : line + 1]
    return any("\t" in row[: len(row) - len(row.lstrip())] for row in lines)


_NO_CHARACTER = "an escape that is no character"


def _decoded(raw: str | bytes) -> str:
    data = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    if len(data) > MAX_BYTES:
        raise _invalid(1, f"the file has {len(data):,} bytes, expected at most {MAX_BYTES:,}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _invalid(line, "no UTF-8 text; save the file as UTF-8") from None
    odd = yaml.SafeLoader.NON_PRINTABLE.search(text)
    if odd:
        line = text.count("\n", 0, odd.start()) + 1
        raise _invalid(line, f"the character {odd.group()!r} has no place in YAML; remove it")
    return text


def _invalid(line: int, message: str) -> ConfigurationInvalid:
    return ConfigurationInvalid([Problem(line, "", message)])


class _Reader:
    """Builds plain data from a parser's events; refuses aliases, tags, depth and mass."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=_LOADER)
        self._document = Document()
        self._values = 0

    def document(self) -> Document:
        """The only document of the text; none at all is one without data."""
        next(self._events)  # the stream's start
        if isinstance(next(self._events), yaml.DocumentStartEvent):
            self._document.data = self._value(next(self._events), ())
            next(self._events)  # the document's end
            after = next(self._events)
            if not isinstance(after, yaml.StreamEndEvent):
                _refuse(after, "but found another document")
        return self._document

    def _value(self, event: yaml.Event, path: Path, depth: int = 1) -> Any:
        self._check(event, depth)
        self._document.lines.setdefault(path, _line(event))
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            items = self._until(yaml.SequenceEndEvent)
            return [self._value(item, (*path, i), depth + 1) for i, item in enumerate(items)]
        return _scalar(event)

    def _mapping(self, path: Path, depth: int) -> dict[str, Any]:
        content: dict[str, Any] = {}
        for event in self._until(yaml.MappingEndEvent):
            line, key = _line(event), self._key(event, path, depth)
            if key is None or key in content:
                self._value(next(self._events), (*path, ""), depth + 1)
                problem = "a key is a single word or text"
                if key is not None:
                    first = self._document.lines[(*path, key)]
                    problem = f"written twice, first on line {first}; keep one of them"
                where = written(path if key is None else (*path, key))
                self._document.problems.append(Problem(line, where, problem))
                continue
            self._document.lines[(*path, key)] = line
            content[key] = self._value(next(self._events), (*path, key), depth + 1)
        return content

    def _key(self, event: yaml.Event, path: Path, depth: int) -> str | None:
        """The key that begins here; None where it is no scalar."""
        if isinstance(event, yaml.ScalarEvent):
            self._check(event, depth + 1)
            return str(event.value)
        self._value(event, (*path, ""), depth + 1)
        return None

    def _until(self, end: type[yaml.Event]) -> Iterator[yaml.Event]:
        while not isinstance(event := next(self._events), end):
            yield event

    def _check(self, event: yaml.Event, depth: int) -> None:
        self._values += 1
        tag = getattr(event, "tag", None)
        if isinstance(event, yaml.AliasEvent):
            _refuse(event, f"aliases (*{event.anchor}) are not read; write the value out")
        if tag not in {None, "!"}:
            _refuse(event, f"the tag {tag} is not read; leave it out")
        if depth > MAX_DEPTH:
            _refuse(event, f"nested more than {MAX_DEPTH} levels deep")
        if self._values > MAX_VALUES:
            _refuse(event, f"more than {MAX_VALUES:,} keys and values; shorten the file")


def _refuse(event: yaml.Event, problem: str) -> NoReturn:
    raise _invalid(_line(event), f"no valid YAML: {problem}")


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _scalar(event: Any) -> Any:
    text: str = event.value
    if not event.implicit[0]:  # quoted, or a block
        return text
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() == "true"
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
