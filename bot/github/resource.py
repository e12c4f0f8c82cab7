"""How every family of requests names a repository and walks through a list, page by page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from bot.github.errors import BadPayload
from bot.github.exchange import GRAPHQL, Request
from bot.github.models import Wire, is_full_name, parse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from bot.github.connection import Connection

T = TypeVar("T")
W = TypeVar("W", bound=Wire)

PAGE_SIZE = 100
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


def repository_path(repository: str) -> str:
    """The path of "OWNER/NAME".

    :raises ValueError: anything else; a stray slash or dot-dot would name another resource.
    """
    if not is_full_name(repository):
        raise ValueError(f"got {repository!r} for a repository, expected OWNER/NAME")
    return f"/repos/{repository}"


def segment(value: str) -> str:
    """One path segment: "/" and dot-dot in a label's name stay part of the name.

    :raises ValueError: an empty value, which would name the whole collection.
    """
    if not value:
        raise ValueError("got an empty name, expected a label, user or branch name")
    quoted = quote(value, safe="")
    return quoted.replace(".", "%2E") if set(value) == {"."} else quoted


class Resource:
    """Requests of one family, over a shared connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def _read(self, shape: type[W], request: Request) -> W:
        answer = await self._connection.send(request)
        return parse(shape, answer.data, request.what)

    async def _page(
        self, shape: type[W], request: Request, known_page: KnownPage | None, key: str = ""
    ) -> Page[W]:
        """One page; `key` names the list inside an object, where GitHub wraps it in one."""
        url = self._connection.first_url(request)
        answer = await self._connection.send(request)
        following = next_link(answer.headers.get("link"))
        if answer.unchanged:
            following = (known_page.next if known_page else None) or following
            return Page(url, (), following, answer.etag or request.etag, unchanged=True)
        data = answer.data
        if key and isinstance(data, dict):
            data = data.get(key)
        items = parse(tuple[shape, ...], data, request.what)  # type: ignore[valid-type]
        return Page(url, items, following, answer.etag, full=len(items) >= PAGE_SIZE)

    async def _pages(
        self,
        shape: type[W],
        path: str,
        params: Mapping[str, str | int] | None = None,
        *,
        cursor: str | None = None,
        known_pages: Mapping[str, KnownPage] | None = None,
        key: str = "",
    ) -> AsyncIterator[Page[W]]:
        """Pages from the first one, or from `cursor`, conditional where `known` has an ETag."""
        request = Request("GET", path, params={"per_page": PAGE_SIZE, **(params or {})})
        url: str | None = self._connection.still_leads_on(cursor)
        url = url or self._connection.first_url(request)
        visited: set[str] = set()
        while url is not None and url not in visited:
            visited.add(url)  # a list that links back to itself ends
            remembered = (known_pages or {}).get(url)
            etag = remembered.etag if remembered else None
            page = await self._page(shape, Request("GET", url, etag=etag), remembered, key)
            yield page
            url = page.next

    async def _all(
        self,
        shape: type[W],
        path: str,
        params: Mapping[str, str | int] | None = None,
        *,
        key: str = "",
    ) -> tuple[W, ...]:
        items: list[W] = []
        async for page in self._pages(shape, path, params, key=key):
            items.extend(page.items)
        return tuple(items)

    async def _ask(self, document: str, variables: Mapping[str, Any], what: str) -> dict[str, Any]:
        """What a GraphQL query or mutation answers; errors are those of REST (`exchange.read`).

        :param what: how errors call it.
        """
        request = Request(
            "POST",
            GRAPHQL,
            json={"query": document, "variables": dict(variables)},
            name=what,
            reads=document.startswith("query"),
        )
        answer = await self._connection.send(request)
        data = answer.data.get("data") if isinstance(answer.data, dict) else None
        if not isinstance(data, dict):
            raise BadPayload(f"{what}: an answer without data; retry later")
        return data
