"""Rows of exports in tables: CSV by the standard library, Parquet by pyarrow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bot.exports.account import ExportRow
from bot.exports.csv_rows import TableRow, dialect_of, table_rows
from bot.exports.parquet_rows import parquet_rows
from bot.exports.table import FIELDS, guessed, header_of, issue_of
from bot.exports.text import lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bot.exports.account import ExportAccount
    from bot.exports.refusals import ExportRefused, ExportSource
    from bot.exports.table import Header

_SHOWN_COLUMNS = 8


def csv_rows(
    begin: str, texts: Iterable[str], columns: Mapping[str, str], account: ExportAccount
) -> Iterator[ExportRow]:
    """Rows of text that is no JSON.

    :param begin: how the text begins, which is in `texts` as well.
    :raises ExportRefused: it is no table; or columns that no issue can do without are not known.
    """
    dialect = dialect_of(begin, columns)
    if dialect is None:
        raise _no_table(begin, account.source)
    account.container = dialect.name
    rows = table_rows(lines_of(texts), dialect)
    names = next(rows)
    first = next(rows, None)
    header = _header(names.cells, columns, first.cells if first else (), account.source)
    if first is not None:
        yield _row(header, first)
    for row in rows:
        yield _row(header, row)


def parquet_export_rows(
    chunks: Iterable[bytes], columns: Mapping[str, str], account: ExportAccount
) -> Iterator[ExportRow]:
    """Rows of a Parquet file; the line is the row's place, counted from 1.

    :raises ExportRefused: pyarrow is not installed, the file is damaged, or columns are not known.
    """
    account.container = "a Parquet file"
    rows = parquet_rows(account.source, chunks)
    names = next(rows)
    first = next(rows, None)
    texts = ["" if cell is None else str(cell) for cell in first or ()]
    header = _header(names, columns, texts, account.source)
    if first is not None:
        yield _filled(header, 1, first)
    for number, cells in enumerate(rows, 2):
        yield _filled(header, number, cells)


def _header(
    names: Sequence[str], columns: Mapping[str, str], first: Sequence[str], source: ExportSource
) -> Header:
    """:raises ExportRefused: a column is not there, or one that is needed not known."""
    present = {field: name for field, name in columns.items() if name in names}
    header = header_of(names, present)
    absent = [name for name in columns.values() if name not in names]
    if not absent and not header.missing:
        return header
    problem = f"none is called {absent[0]}" if absent else _missing(header)
    what = f"a table with the columns {', '.join(names[:_SHOWN_COLUMNS])}, of which {problem}"
    named = {**present, **guessed(header, first)}
    if set(header.missing) - set(named):
        raise source.refuse(what, source.listed_anew())
    words = {field: word for word, field in FIELDS.items()}
    options = [f"--column={words[field]}={name}" for field, name in named.items()]
    raise source.refuse(what, source.imported(*options))


def _missing(header: Header) -> str:
    return f"none is known as {' or as '.join(header.missing)}"


def _no_table(begin: str, source: ExportSource) -> ExportRefused:
    first_line = begin.strip().partition("\n")[0]
    try:
        value = json.loads(first_line)
    except (ValueError, RecursionError):
        return source.refuse("plain text, neither JSON nor a table", source.fetched_anew())
    kind = "texts" if isinstance(value, str) else "numbers"
    return source.refuse(f"a list of {kind}, not of issues", source.fetched_anew())


def _row(header: Header, row: TableRow) -> ExportRow:
    if row.problem:
        return ExportRow(row.line, 0, None, row.problem)
    return _filled(header, row.line, row.cells)


def _filled(header: Header, line: int, cells: Sequence[Any]) -> ExportRow:
    try:
        return ExportRow(line, 0, issue_of(header, cells))
    except ValueError as error:
        return ExportRow(line, 0, None, str(error))
