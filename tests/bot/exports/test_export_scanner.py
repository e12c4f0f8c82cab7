"""JSON, text and lines come out the same however they come in, and nothing crashes."""

from __future__ import annotations

import gzip
import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as some
from made_exports import EXPORTS, ISSUES, answer, rest

from bot.errors import CommandRefused
from bot.exports.scanner import BrokenJson, Element, JsonScanner
from bot.exports.shapes import PossibleShape, issues_in
from bot.exports.text import decoded, encoding_of, lines_of
from bot.repositories.issue_files import BadRow, FileRow, read_issues
from tagger.domain.strategy import silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SCALARS = (
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | some.text()
)
OBJECTS = some.recursive(
    some.dictionaries(some.text(), SCALARS, max_size=3),
    lambda inner: some.dictionaries(some.text(), inner | some.lists(inner, max_size=3), max_size=3),
)
VALUES = SCALARS | OBJECTS
DOCUMENTS = some.lists(OBJECTS | some.lists(VALUES | some.lists(VALUES, max_size=3), max_size=4))
BORDERS = some.lists(some.integers(0, 400), max_size=12)


def in_pieces(text: Any, borders: Sequence[int]) -> Iterator[Any]:
    places = [0, *sorted(min(border, len(text)) for border in borders), len(text)]
    return (text[begin:end] for begin, end in pairwise(places))


def flat(values: Sequence[Any]) -> list[Any]:
    return [
        inner for value in values for inner in (flat(value) if isinstance(value, list) else [value])
    ]


def scan(text: str, borders: Sequence[int] = (), **limits: int) -> list[Element]:
    return list(JsonScanner(in_pieces(text, borders), **limits).elements())


@given(documents=DOCUMENTS, indent=some.none() | some.integers(0, 2), borders=BORDERS)
def test_values_are_the_same_wherever_what_is_read_ends(
    documents: list[Any], indent: int | None, borders: list[int]
) -> None:
    text = "\n".join(
        json.dumps(document, indent=indent, ensure_ascii=False) for document in documents
    )
    elements = scan(text, borders)
    assert [element.value for element in elements] == flat(documents)
    assert [element.place for element in elements] == list(range(1, len(elements) + 1))
    assert [element.line for element in elements] == [element.line for element in scan(text)]


@given(blanks=some.lists(some.integers(0, 5), min_size=1, max_size=9), borders=BORDERS)
def test_a_value_is_on_the_line_on_which_it_begins(blanks: list[int], borders: list[int]) -> None:
    text, line, lines = "[", 1, []
    for count in blanks:
        text += "\n" * count + '{"a":\n"b\\n"},'
        line += count
        lines.append(line)
        line += 1
    assert [element.line for element in scan(text + "]", borders)] == lines


@given(borders=BORDERS, edges=some.booleans(), indent=some.none() | some.integers(0, 2))
def test_an_object_that_is_too_long_is_gone_into(
    borders: list[int], edges: bool, indent: int | None
) -> None:
    wrapped = {**answer(*(ISSUES * 4), edges=edges), "errors": [{"items": []}]}
    text = json.dumps(wrapped, indent=indent)
    elements = scan(text, [*borders, *range(0, len(text), 50)], whole_object=1000)
    assert {element.key for element in elements} == {"edges" if edges else "nodes"}
    parts = [{element.key: [element.value]} for element in elements]
    issues = [issue for part in parts for issue in issues_of(part)]
    assert [issue["number"] for issue in issues] == [1, 2, 3] * 4
    assert issues == issues_of(wrapped)


def issues_of(value: object) -> list[Any]:
    return [each.issue for each in issues_in(value) if isinstance(each, PossibleShape)]


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ('[{"a": 1},\n{"a" 1}]', 2, "not JSON: Expecting ':' delimiter"),
        ('[{"a": 1},\n{"a": "b', 2, "the file ends within a value"),
        ('[{"a": 1},\n{"a": ', 2, "the file ends within a value"),
        ('[{"a": 1},\n', 2, "the file ends within an array"),
        ("{}\n]", 2, "] closes what was not opened"),
        ("[1}", 1, "} closes what was not opened"),
        ("[" * 100_000, 1, "arrays nested more than 3 deep"),
        ('{"a":' * 100_000, 1, "values nested too deeply"),
        ('{"a": "' + "b" * 2000 + '"}', 1, "an object of more than 1,500 characters without"),
        ('["' + "b" * 2000 + '"]', 1, "a text of too many characters"),
        ('{"items": [' + '{"a": 1},' * 500, 1, "the file ends within an array"),
        ('{"data": {' + '"a": 1,' * 500, 1, "the file ends within an object"),
        ('{"data": {' + '"a": 1,' * 500 + "7: 8}}", 1, "expected a key and its value"),
        ('{"a": "' + "b" * 9000 + '"}', 1, "a value of more than 4,000 characters"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_broken_is_told_with_its_line(text: str, line: int, problem: str) -> None:
    borders = range(0, len(text), 100)
    with pytest.raises(BrokenJson, match=problem) as broken:
        scan(text, borders, whole_object=1500, longest=4000)
    assert broken.value.line == line


def test_one_large_number_is_no_end_of_a_file() -> None:
    text = '[{"a": ' + "9" * 6000 + '}, {"a": 1}]'
    assert [element.value["a"] for element in scan(text)] == [float("inf"), 1]


@given(
    text=some.text(), codec=some.sampled_from(["utf-8", "utf-16-le", "utf-16-be"]), borders=BORDERS
)
def test_text_is_the_same_wherever_what_is_read_ends(
    text: str, codec: str, borders: list[int]
) -> None:
    content = ("\ufeff" + text).encode(codec, "replace")
    encoding = encoding_of(content)
    assert encoding.codec == codec
    read = "".join(decoded(in_pieces(content, borders), encoding, _no_refusal))
    assert read == text.encode(codec, "replace").decode(codec)


@given(
    content=some.binary(max_size=60), borders=BORDERS, mark=some.sampled_from([b"", b"\xff\xfe"])
)
@example(content=b"{}\xc3", borders=[], mark=b"")
@example(content=b"\x00\xd8", borders=[3], mark=b"\xff\xfe")
def test_a_bad_byte_is_named_by_its_offset_and_all_before_it_is_read(
    content: bytes, borders: list[int], mark: bytes
) -> None:
    content = mark + content
    encoding = encoding_of(content)
    bad = first_bad_byte(content, encoding.codec)
    texts = decoded(in_pieces(content, borders), encoding, _BadByteError)
    read, refused = until_refused(texts)
    if bad is None:
        assert (read, refused) == (content.decode(encoding.codec).removeprefix("\ufeff"), None)
    else:
        assert refused == (bad, content[bad])
        assert read == content[:bad].decode(encoding.codec).removeprefix("\ufeff")


def until_refused(texts: Iterator[str]) -> tuple[str, tuple[int, int] | None]:
    """All texts, and what the error that ended them says."""
    read = ""
    try:
        for text in texts:
            read += text
    except _BadByteError as error:
        return read, error.args
    return read, None


def first_bad_byte(content: bytes, codec: str) -> int | None:
    try:
        content.decode(codec)
    except UnicodeDecodeError as error:
        return error.start
    return None


class _BadByteError(Exception):
    pass


def _no_refusal(offset: int, byte: int) -> Exception:
    raise AssertionError((offset, byte))


@given(text=some.text(alphabet="ab\n\r"), borders=BORDERS)
def test_lines_are_the_same_wherever_what_is_read_ends(text: str, borders: list[int]) -> None:
    lines = list(lines_of(in_pieces(text, borders)))
    assert "".join(lines) == text
    assert [line.removesuffix("\n") for line in lines] == text.removesuffix("\n").split("\n") * (
        text != ""
    )
    cut = [line[:5] for line in lines]
    assert list(lines_of(in_pieces(text, borders), 5)) == cut


def read(path: Path, content: bytes) -> list[FileRow | BadRow]:
    path.write_bytes(content)
    rows: list[FileRow | BadRow] = []
    try:
        for row in read_issues(path, silent):
            rows.append(row)  # noqa: PERF402 - what came before a refusal is kept
    except CommandRefused as refused:
        assert str(path) in str(refused)  # noqa: PT017 - refusing is allowed, nothing else is
    return rows


ANY_TMP = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@ANY_TMP
@given(content=some.binary(max_size=300) | some.text(max_size=200).map(str.encode))
@example(b"\xff")
@example(b"PK\x03\x04")
@example(b"{")
@example(b'{"a":1}\n[')
@example(b'number,title,created_at\n\x00,\r"')
def test_whatever_comes_in_is_read_or_refused(tmp_path: Path, content: bytes) -> None:
    read(tmp_path / "export", content)


@ANY_TMP
@given(
    name=some.sampled_from(sorted(set(EXPORTS) - {"Parquet"})),
    place=some.floats(0, 1, exclude_max=True),
    damage=some.binary(max_size=4),
    packed=some.booleans(),
)
def test_an_export_that_is_damaged_is_read_or_refused(
    tmp_path: Path, name: str, place: float, damage: bytes, packed: bool
) -> None:
    content = EXPORTS[name].bytes()
    at = int(place * len(content))
    content = content[:at] + damage + content[at + len(damage) :] if damage else content[:at]
    read(tmp_path / "export", gzip.compress(content) if packed else content)


def test_what_comes_before_a_bad_byte_of_an_array_is_read(tmp_path: Path) -> None:
    text = json.dumps([rest(issue, body="", title="plain") for issue in ISSUES]).encode()
    rows = read(tmp_path / "export", text[:-1] + b',"\xe9"]')
    assert [row.record.number for row in rows if isinstance(row, FileRow)] == [1, 2, 3]
