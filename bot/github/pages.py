"""One page of a GitHub list, what is known of it from last time, and where the next one is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Generic, TypeVar

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
    :ivar unchanged: GitHub answered 304: `items` is empty and what was kept is still right.
    """

    url: str
    items: tuple[T, ...]
    next: str | None
    etag: str | None
    unchanged: bool = False

    @property
    def known(self) -> KnownPage | None:
        """What to hand in as `known[page.url]` next time."""
        return KnownPage(self.etag, self.next) if self.etag else None


def next_link(header: str | None) -> str | None:
    """The URL marked `rel="next"` in a Link header (RFC 8288), None where there is none."""
    found = _LINK.search(header or "")
    return found.group(1) if found else None
