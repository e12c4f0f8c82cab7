"""Labels as people have them: REST's array, its pages one after the other, `gh label list`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.exports.reading import with_head
from bot.exports.scanner import BrokenJson, JsonScanner
from bot.exports.text import decoded, encoding_of

if TYPE_CHECKING:
    from collections.abc import Iterable

_NEEDED = ("name", "description", "color")


def label_fields(chunks: Iterable[bytes]) -> list[dict[str, Any]]:
    """What import needs of each label of a file that was unpacked.

    :raises ValueError: it is not UTF-8 or UTF-16; or anything but JSON arrays of objects.
    """
    head, chunks = with_head(chunks, 4, b"")
    scanner = JsonScanner(decoded(chunks, encoding_of(head), _bad_byte))
    try:
        labels = [element.value for element in scanner.elements()]
    except BrokenJson as error:
        raise ValueError(f"line {error.line}: {error}") from None
    if scanner.objects or not scanner.arrays:
        raise ValueError("there is no array")
    if not all(isinstance(label, dict) for label in labels):
        raise ValueError("it holds what is no object")
    return [{name: label[name] for name in _NEEDED if name in label} for label in labels]


def _bad_byte(offset: int, byte: int) -> ValueError:
    return ValueError(f"byte 0x{byte:02x} at offset {offset} is neither UTF-8 nor UTF-16")
