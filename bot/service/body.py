"""A webhook request's body: read no further than the limit, and taken for JSON by the letter."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LARGEST = 25 * 1024 * 1024
"""GitHub's own cap: https://docs.github.com/webhooks/webhook-events-and-payloads#payload-cap"""


class TooLarge(Exception):
    """The body is longer than the limit; the rest of it was not read."""


class NotJson(Exception):
    """The body is not a JSON object."""


async def read_within(
    chunks: AsyncIterator[bytes], announced: str | None, largest: int = LARGEST
) -> bytes:
    """The whole body.

    :param announced: the Content-Length header; a lie in it changes nothing.
    :raises TooLarge: as soon as that is known.
    """
    if announced is not None and announced.isdecimal() and int(announced[:20]) > largest:
        raise TooLarge
    parts, length = [], 0
    async for chunk in chunks:
        length += len(chunk)
        if length > largest:
            raise TooLarge
        parts.append(chunk)
    return b"".join(parts)


def parse_object(body: bytes) -> dict[str, Any]:
    """The JSON object that a body holds, by the letter of RFC 8259.

    :raises NotJson: anything else, nested too deeply, or a number that JSON does not have.
    """
    try:
        found = json.loads(body, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        raise NotJson from None
    if not isinstance(found, dict):
        raise NotJson
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number beyond all floats could not be stored")
    return number
