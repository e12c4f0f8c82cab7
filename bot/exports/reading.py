"""Rows of an export of any known shape, as a stream: bytes in, what may be an issue out."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from bot.exports.csv_rows import dialect_of
from bot.exports.foreign import refuse_foreign_bytes, refuse_foreign_text
from bot.exports.json_rows import has_object_lines, json_rows
from bot.exports.parquet_rows import MAGIC
from bot.exports.tables import csv_rows, parquet_export_rows
from bot.exports.text import BLANKS, decoded, encoding_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bot.exports.account import ExportAccount, ExportRow
    from bot.exports.refusals import ExportRefused, ExportSource
    from bot.exports.text import Encoding

Piece = TypeVar("Piece", bytes, str)

HEAD_BYTES = 4096
HEAD_CHARACTERS = 1024 * 1024
"""By so much of a file its shape is known: more than any row of issues is."""


def export_rows(
    chunks: Iterable[bytes], columns: Mapping[str, str], account: ExportAccount
) -> Iterator[ExportRow]:
    """Rows of a file that was unpacked; `account` is filled on the way.

    :param columns: field → a table's column, for what its header does not tell.
    :raises ExportRefused: the file is no export, or not one as it is.
    :raises CommandRefused: its JSON breaks off or cannot be told apart any further.
    """
    head, chunks = with_head(chunks, HEAD_BYTES, b"")
    refuse_foreign_bytes(head, account.source)
    if head.startswith(MAGIC):
        return parquet_export_rows(chunks, columns, account)
    encoding = encoding_of(head)
    account.encoding = encoding.name
    return _text_rows(chunks, encoding, columns, account)


def _text_rows(
    chunks: Iterable[bytes],
    encoding: Encoding,
    columns: Mapping[str, str],
    account: ExportAccount,
) -> Iterator[ExportRow]:
    source = account.source
    texts = decoded(chunks, encoding, lambda at, byte: _bad_byte(source, encoding, at, byte))
    begin, texts = with_head(texts, HEAD_CHARACTERS, "")
    refuse_foreign_text(begin, source)
    if not begin.strip():
        return _blank_rows(texts, account)
    if not _is_json(begin, columns):
        return csv_rows(begin, texts, columns, account)
    if columns:
        raise source.refuse("JSON, which has no columns to name", source.imported())
    return json_rows(begin, texts, account)


def _is_json(begin: str, columns: Mapping[str, str]) -> bool:
    """By its first sign; where another program's words come first, by a line that is an object."""
    if begin.lstrip(BLANKS)[:1] in {"[", "{"}:
        return True
    return dialect_of(begin, columns) is None and has_object_lines(begin)


def _blank_rows(texts: Iterable[str], account: ExportAccount) -> Iterator[ExportRow]:
    """No rows; what fails at the first byte fails here.

    :raises ExportRefused: something comes after so many blanks.
    """
    account.container = "an empty file"
    if any(text.strip() for text in texts):
        source = account.source
        raise source.refuse("text after a megabyte of blanks", source.fetched_anew())
    yield from ()


def _bad_byte(source: ExportSource, encoding: Encoding, offset: int, byte: int) -> ExportRefused:
    """UTF-16 that is broken was written by two programs, and no conversion mends that."""
    what = f"text that is not {encoding.name}: byte 0x{byte:02x} at offset {offset}"
    if encoding.codec == "utf-8":
        what = f"text that is neither UTF-8 nor UTF-16: byte 0x{byte:02x} at offset {offset}"
        return source.refuse(what, source.to_utf8("WINDOWS-1252"))
    return source.refuse(what, source.fetched_anew())


def with_head(pieces: Iterable[Piece], size: int, empty: Piece) -> tuple[Piece, Iterator[Piece]]:
    """The first pieces joined, at least `size` long where there are so many; and all of them.

    What fails while they are read fails again where the failure lies, after what came before.
    """
    coming, parts, length = iter(pieces), list[Piece](), 0
    failure: Exception | None = None
    try:
        while length < size:
            parts.append(next(coming))
            length += len(parts[-1])
    except StopIteration:
        pass
    except Exception as error:  # raised again by the iterator
        failure = error
    head = empty.join(parts)
    return head, _after_head(head, failure, coming)


def _after_head(head: Piece, failure: Exception | None, coming: Iterator[Piece]) -> Iterator[Piece]:
    yield head
    if failure is not None:
        raise failure
    yield from coming
