"""Rows of exports in JSON: lines, arrays, pages of arrays, answers, events, payloads."""

from __future__ import annotations

import json
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from bot.errors import CommandRefused
from bot.exports import shapes
from bot.exports.account import ExportRow
from bot.exports.foreign_json import refuse_foreign_value
from bot.exports.scanner import BrokenJson, JsonScanner
from bot.exports.text import BLANKS, MAX_LINE, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bot.exports.account import ExportAccount
    from bot.exports.refusals import ExportRefused

_LINES_LOOKED_AT = 1000
_ONE_OBJECT = "a JSON object"


def json_rows(begin: str, texts: Iterable[str], account: ExportAccount) -> Iterator[ExportRow]:
    """Rows of JSON text.

    :param begin: how the text begins, which is in `texts` as well.
    :raises ExportRefused: it is no export of issues.
    :raises CommandRefused: it breaks off, or cannot be told apart any further.
    """
    is_lines = not begin.lstrip(BLANKS).startswith("[") and has_object_lines(begin)
    return (_line_rows if is_lines else _document_rows)(texts, account)


def has_object_lines(begin: str) -> bool:
    """Whether a line of a text that begins so is a JSON object; others may be broken."""
    lines = islice(begin.split("\n"), _LINES_LOOKED_AT)
    return any(isinstance(_parsed(line), dict) for line in lines if line.startswith("{"))


def _parsed(line: str) -> Any:
    """:returns: None where it is no JSON."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _line_rows(texts: Iterable[str], account: ExportAccount) -> Iterator[ExportRow]:
    count = 0
    for number, line in enumerate(lines_of(texts), 1):
        text = line.strip(BLANKS)
        if not text:
            continue
        count += 1
        account.container = "JSON lines" if count > 1 else _ONE_OBJECT
        yield from _rows_of_line(text, number, account, first=count == 1)


def _rows_of_line(
    text: str, number: int, account: ExportAccount, *, first: bool
) -> Iterator[ExportRow]:
    if len(text) >= MAX_LINE:
        yield ExportRow(number, 0, None, f"longer than {MAX_LINE:,} characters")
        return
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        yield ExportRow(number, 0, None, f"not JSON: {error}")
        return
    if first:
        refuse_foreign_value(value, account.source)
    yield from _rows_of(value, number, 0, account)


def _document_rows(texts: Iterable[str], account: ExportAccount) -> Iterator[ExportRow]:
    scanner = JsonScanner(iter(texts))
    elements = scanner.elements()
    try:
        first = next(elements, None)
    except BrokenJson as error:
        raise _no_json(error, account) from None
    if first is not None:
        refuse_foreign_value(first.value, account.source, alone=not first.key)
    try:
        for element in chain([first] if first else [], elements):
            account.container = _container(scanner)
            value = {element.key: [element.value]} if element.key else element.value
            yield from _rows_of(value, element.line, element.place, account)
    except BrokenJson as error:
        raise CommandRefused(
            f"{account.source.path} cannot be read to its end: line {error.line}: {error}; "
            f"`{account.remedy}` gets it whole"
        ) from None
    account.container = _container(scanner)


def _no_json(error: BrokenJson, account: ExportAccount) -> ExportRefused:
    what = f"no JSON, though it begins as such: line {error.line}: {error}"
    return account.source.refuse(what, account.remedy)


def _container(scanner: JsonScanner) -> str:
    """How the documents lie in the file, as far as it was read."""
    if scanner.arrays == 0:
        return _ONE_OBJECT if scanner.objects < 2 else "JSON objects one after the other"
    if scanner.objects:
        return "JSON arrays and objects one after the other"
    if scanner.deepest > 1:
        return "JSON arrays within an array"
    return "a JSON array" if scanner.arrays == 1 else "JSON arrays one after the other"


def _rows_of(value: object, line: int, place: int, account: ExportAccount) -> Iterator[ExportRow]:
    """The issues of one value that are of the repository, as far as that is told."""
    for candidate in shapes.issues_in(value):
        account.kinds[candidate.kind] += 1
        if isinstance(candidate, shapes.LeftOut):
            account.left_out[candidate.reason] += 1
        elif _is_of_another(candidate.repository, account.source.repository):
            account.left_out[shapes.OTHER_REPOSITORY] += 1
            account.others[candidate.repository] += 1
        else:
            yield ExportRow(line, place, candidate.issue)


def _is_of_another(repository: str, wanted: str) -> bool:
    return bool(repository and wanted) and repository.lower() != wanted.lower()
