"""Text of an export: its encoding, decided once and kept strictly, and its lines."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MAX_LINE = 64 * 1024 * 1024
"""Characters of one line: bodies end at 64 Ki, so a longer one is another kind of file."""

BLANKS = "\ufeff \t\r\n"
"""What may lie around JSON: files that were joined have byte order marks within."""

_LOOKED_AT = 512
"""Bytes by which an encoding without a mark is told."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a file's bytes stand for characters.

    :ivar name: for people.
    :ivar codec: Python's name of it.
    """

    name: str
    codec: str


UTF_8 = Encoding("UTF-8", "utf-8")
_UTF_16_LE, _UTF_16_BE = Encoding("UTF-16 LE", "utf-16-le"), Encoding("UTF-16 BE", "utf-16-be")
_MARKS = (
    (codecs.BOM_UTF8, UTF_8),
    (codecs.BOM_UTF16_LE, _UTF_16_LE),
    (codecs.BOM_UTF16_BE, _UTF_16_BE),
)


def encoding_of(head: bytes) -> Encoding:
    """The encoding of a file that begins so: by its mark, or by where its zero bytes are.

    JSON and tables have ASCII characters in plenty, whose other byte is zero in UTF-16; what has
    none of those is UTF-8, or refused where it turns out not to be.
    """
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    looked_at = head[:_LOOKED_AT]
    units = max(len(looked_at) // 2, 1)
    even, odd = looked_at[0::2].count(0) / units, looked_at[1::2].count(0) / units
    if max(even, odd) < 0.25:
        return UTF_8
    return _UTF_16_LE if odd > even else _UTF_16_BE


def decoded(
    chunks: Iterable[bytes], encoding: Encoding, refusal: Callable[[int, int], Exception]
) -> Iterator[str]:
    """The text of the bytes without a byte order mark, up to the first bad byte.

    :param refusal: makes the error to raise of a bad byte's offset in the file and its value.
    """
    texts = _decoded(chunks, encoding, refusal)
    for text in texts:
        if text:
            yield text.removeprefix("\ufeff")
            break
    yield from texts


def _decoded(
    chunks: Iterable[bytes], encoding: Encoding, refusal: Callable[[int, int], Exception]
) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding.codec)("strict")
    offset = 0
    for chunk, last in _and_an_end(chunks):
        start = offset - len(decoder.getstate()[0])
        offset += len(chunk)
        try:
            yield decoder.decode(chunk, last)
        except UnicodeDecodeError as error:
            yield error.object[: error.start].decode(encoding.codec)
            raise refusal(start + error.start, error.object[error.start]) from None


def _and_an_end(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    for chunk in chunks:
        yield chunk, False
    yield b"", True


def lines_of(texts: Iterable[str], longest: int = MAX_LINE) -> Iterator[str]:
    """Lines with their ends; of one that is longer than `longest` only its first part, cut."""
    pending: list[str] = []
    length = 0
    for text in texts:
        *whole, rest = text.split("\n")
        for line in whole:
            yield _cut([*pending, line, "\n"], longest)
            pending, length = [], 0
        if length < longest:  # of what is longer no more is kept
            pending.append(rest)
            length += len(rest)
    if length:
        yield _cut(pending, longest)


def _cut(parts: list[str], longest: int) -> str:
    return "".join(parts)[:longest]
