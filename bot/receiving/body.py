"""A webhook request's body: read no further than the limit, and taken for JSON by the letter.

Or for a form with one field `payload`, whose value is the JSON: GitHub offers either
(https://docs.github.com/webhooks/using-webhooks/creating-webhooks, content type).
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LARGEST = 25 * 1024 * 1024
"""GitHub's own cap: https://docs.github.com/webhooks/webhook-events-and-payloads#payload-cap"""
FORM = "application/x-www-form-urlencoded"


class TooLarge(Exception):
    """The body is longer than the limit; the rest of it was not read."""


class NotJson(Exception):
    """The body is not a JSON object, nor a form that holds one."""


def announced_length(header: str | None) -> int:
    """What a Content-Length header says; 0 where it says nothing."""
    return int(header[:20]) if header is not None and header.isdecimal() else 0


async def read_within(
    chunks: AsyncIterator[bytes], announced: str | None, largest: int = LARGEST
) -> list[bytes]:
    """The whole body, in pieces: joined it would stand in memory twice, and may be nobody's.

    :param announced: the Content-Length header; a lie in it changes nothing.
    :raises TooLarge: as soon as that is known.
    """
    if announced_length(announced) > largest:
        raise TooLarge
    pieces: list[bytes] = []
    length = 0
    try:
        async for chunk in chunks:
            length += len(chunk)
            if length > largest:
                raise TooLarge  # noqa: TRY301 - what was read is dropped below
            pieces.append(chunk)
    except BaseException:
        pieces.clear()  # its traceback would hold them for as long as anybody holds the exception
        raise
    return pieces


def is_form(content_type: str | None) -> bool:
    """Whether a Content-Type header announces a form."""
    return (content_type or "").partition(";")[0].strip().lower() == FORM


def parse_object(body: bytes, *, form: bool = False) -> dict[str, Any]:
    """The JSON object that a body holds, by the letter of RFC 8259.

    :param form: the body is a form, and the object stands in its field `payload`.
    :raises NotJson: anything else, nested too deeply, or a number that JSON does not have.
    """
    try:
        text = _payload_field(body) if form else body
        loads = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        raise NotJson from None
    if not isinstance(loads, dict):
        raise NotJson
    return loads


def _payload_field(body: bytes) -> str:
    """:raises ValueError: no form, or not exactly one such field."""
    fields = parse_qs(
        body.decode("utf-8"), keep_blank_values=True, max_num_fields=10, errors="strict"
    )
    (payload,) = fields.get("payload", [])
    return payload


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number beyond all floats could not be stored")
    return number
