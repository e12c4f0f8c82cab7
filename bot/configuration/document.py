"""A small, suspicious YAML reader: plain data, and the line on which each value stands.

Reads YAML 1.2's core schema, so that `mode: off` is the word and not the boolean false of
YAML 1.1 (https://yaml.org/spec/1.2.2/#103-core-schema). No tags, no anchors, no second document:
a configuration needs none of them, and each is a way to make a small file large.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import yaml

from bot.configuration.problems import Problem, written
from bot.errors import ConfigurationInvalid

if TYPE_CHECKING:
    from bot.configuration.problems import Path

MAX_BYTES = 64 * 1024
MAX_DEPTH = 10
_TAGGABLE = (yaml.ScalarEvent, yaml.CollectionStartEvent)

_CORE_SCHEMA = {
    "null": (r"(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    "bool": (r"(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    "int": (r"[-+]?[0-9]{1,18}$", list("-+0123456789")),
    "float": (
        r"[-+]?(?:\.[0-9]+|[0-9]{1,18}\.[0-9]*|[0-9]{1,18}(?=[eE]))(?:[eE][-+]?[0-9]{1,3})?$",
        list("-+0123456789."),
    ),
}
"""Kind of scalar → how it looks, and which characters it can begin with."""


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
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _invalid(mark.line + 1 if mark else 1, f"no valid YAML: {error.problem}") from None
    except (ValueError, OverflowError):  # PyYAML hands "\\UFFFFFFFF" to chr() unchecked
        raise _invalid(loader.line + 1, "no valid YAML: an escape that is no character") from None
    finally:
        loader.dispose()
    document = Document()
    if node is not None:
        document.data = _value(node, (), document)
    return document


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


def _resolvers() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    """`_CORE_SCHEMA` as PyYAML keeps it: by first character."""
    by_first: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for kind, (pattern, beginnings) in _CORE_SCHEMA.items():
        for first in beginnings:
            by_first.setdefault(first, []).append((kind, re.compile(pattern)))
    return by_first


class _Loader(yaml.SafeLoader):
    """Composes nodes and constructs nothing; refuses aliases, tags and deep nesting."""

    yaml_implicit_resolvers = _resolvers()
    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]  # stubs lack it
        if isinstance(event, yaml.AliasEvent):
            raise _refused(event, f"aliases (*{event.anchor}) are not read; write the value out")
        if isinstance(event, _TAGGABLE) and event.tag not in {None, "!"}:
            raise _refused(event, f"the tag {event.tag} is not read; leave it out")
        if self._depth == MAX_DEPTH:
            raise _refused(event, f"nested more than {MAX_DEPTH} levels deep")
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _refused(event: yaml.Event, problem: str) -> yaml.MarkedYAMLError:
    mark = cast("yaml.Mark", event.start_mark)  # the C parser's marks never come this way
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


def _value(node: yaml.Node, path: Path, document: Document) -> Any:
    document.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, document)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*path, i), document) for i, item in enumerate(node.value)]
    return _scalar(node)


def _mapping(node: yaml.MappingNode, path: Path, document: Document) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            document.problems.append(Problem(line, written(path), "a key is a single word or text"))
            continue
        key = key_node.value
        if key in found:
            first = document.lines[(*path, key)]
            message = f"written twice, first on line {first}; keep one of them"
            document.problems.append(Problem(line, written((*path, key)), message))
            continue
        document.lines[(*path, key)] = line
        found[key] = _value(value_node, (*path, key), document)
    return found


def _scalar(node: yaml.Node) -> Any:
    text: str = node.value
    match node.tag:
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            return int(text)
        case "float":
            return float(text)
    return text
