"""One page of a GitHub list, what is known of it from last time, and where the next one is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

T = TypeVar("T")

_LINK = re.compile(r'<([^<>]*)>\s*;[^<>]*?\brel="?next"?')


@dataclass(frozen=True, slots=True)
class KnownPage:
    """What to remember of a page so that asking again can be answered with 304.

    :ivar next: the following page's URL; a 304 does not have to repeat it.
    """

    etag: str
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list.

    :ivar url: what was asked for: the key under which to keep `known`.
    :ivar next: the cursor to go on from after an interruption, None on the last page.
    :ivar full: it has as many items as fit, so new ones will start a page after it.
    :ivar unchanged: GitHub answered 304: `items` is empty and what was kept is still right.
    """

    url: str
    items: tuple[T, ...]
    next: str | None
    etag: str | None
    unchanged: bool = False
    full: bool = False

    @property
    def known(self) -> KnownPage | None:
        """What to hand in as `known[page.url]` next time.

        None for a last page that is full: an ETag speaks for the items and not for the link to a
        page that may have come after them.
        """
        if not self.etag or (self.full and self.next is None):
            return None
        return KnownPage(self.etag, self.next)

    @property
    def window(self) -> str:
        """Where the next walk begins once this was the last page: the URL without its number."""
        parts = urlsplit(self.url)
        pairs = [pair for pair in parse_qsl(parts.query) if pair[0] not in {"page", "after"}]
        return urlunsplit(parts._replace(query=urlencode(pairs)))


def next_link(header: str | None) -> str | None:
    """The URL marked `rel="next"` in a Link header (RFC 8288), None where there is none."""
    match = _LINK.search(header or "")
    return match.group(1) if match else None
