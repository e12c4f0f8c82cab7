"""Requests about issues: reading them, their history and their comments, and writing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, TypeVar

import httpx

from bot.github.exchange import Request
from bot.github.models import ChangedFile, Comment, Issue, IssueEvent
from bot.github.resource import PAGE_SIZE, Resource, repository_path

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime

    from bot.github.resource import KnownPage, Page


T = TypeVar("T", Issue, Comment)

MAX_PATHS = 100
MAX_PATH = 200
"""Characters of a path that are read: its end, which tells most."""


def issue_path(repository: str, number: int) -> str:
    return f"{repository_path(repository)}/issues/{int(number)}"


def _state_of(item: Issue | Comment) -> tuple[int | None, datetime | None]:
    """What tells an item of a list from others, and from what it was before a change."""
    return (item.number if isinstance(item, Issue) else item.id), item.updated_at


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class IssueRequests(Resource):
    """https://docs.github.com/rest/issues"""

    async def issue(self, repository: str, number: int) -> Issue:
        """:raises NotFound, Gone: there is no such issue, or no longer."""
        return await self._read(Issue, Request("GET", issue_path(repository, number)))

    async def issues(
        self,
        repository: str,
        *,
        since: datetime | None = None,
        state: str = "all",
        cursor: str | None = None,
        known_pages: Mapping[str, KnownPage] | None = None,
    ) -> AsyncIterator[Page[Issue]]:
        """Pages of issues and pull requests, the least recently changed first.

        Each page starts where the one before ended in time, and not at a page number: an issue
        that changes during the walk would shift all later ones, and one of them would be missed.
        So `page.next`, kept however long, is a safe `cursor` to go on from, and an issue comes
        again only when it has changed. After the last page, `page.window` is the `cursor` with
        which the next walk picks up what changed since.

        :param since: aware; only what changed at or after it.
        :param known: by page URL, what was kept from last time: unchanged pages come back empty.
        """
        path, fixed = f"{repository_path(repository)}/issues", {"state": state}
        start = self._connection.still_leads_on(cursor) or self._window(
            path, fixed, _timestamp(since) if since else ""
        )
        async for page in self._in_time(Issue, start, path, fixed, known_pages):
            yield page

    async def repository_comments(
        self,
        repository: str,
        *,
        cursor: str | None = None,
        known_pages: Mapping[str, KnownPage] | None = None,
    ) -> AsyncIterator[Page[Comment]]:
        """Pages of the comments on all issues and pull requests, walked as `issues` are.

        https://docs.github.com/rest/issues/comments#list-issue-comments-for-a-repository
        """
        path = f"{repository_path(repository)}/issues/comments"
        start = self._connection.still_leads_on(cursor) or self._window(path, {}, "")
        async for page in self._in_time(Comment, start, path, {}, known_pages):
            yield page

    async def _in_time(
        self,
        shape: type[T],
        start: str,
        path: str,
        fixed: Mapping[str, str | int],
        known_pages: Mapping[str, KnownPage] | None,
    ) -> AsyncIterator[Page[T]]:
        """Pages of a list in the order of its changes, each item once in each of its states."""
        url: str | None = start
        items_seen: set[tuple[int | None, datetime | None]] = set()
        while url is not None:
            remembered = (known_pages or {}).get(url)
            etag = remembered.etag if remembered else None
            page = await self._page(shape, Request("GET", url, etag=etag), remembered)
            if page.full:
                page = self._from_where_it_ended(page, path, fixed)
            fresh = tuple(item for item in page.items if _state_of(item) not in items_seen)
            items_seen.update(map(_state_of, fresh))
            yield replace(page, items=fresh)
            url = page.next

    def _from_where_it_ended(
        self, page: Page[T], path: str, fixed: Mapping[str, str | int]
    ) -> Page[T]:
        """A full page whose next one starts where it ended in time."""
        last = page.items[-1].updated_at
        # A second earlier, so that the last item's second is asked for again as a whole.
        reached = _timestamp(last - timedelta(seconds=1)) if last else ""
        if reached <= (httpx.URL(page.url).params.get("since") or ""):
            return page  # more changed in one second than fits: that can only be paged through
        return replace(page, next=self._window(path, fixed, reached))

    def _window(self, path: str, fixed: Mapping[str, str | int], since: str) -> str:
        """The URL of what changed in a list since a timestamp, "" for all."""
        order: dict[str, str | int] = {"sort": "updated", "direction": "asc", "per_page": PAGE_SIZE}
        params: dict[str, str | int] = {**fixed, **order}
        if since:
            params["since"] = since
        return self._connection.first_url(Request("GET", path, params=params))

    async def changed_paths(self, repository: str, number: int) -> tuple[str, ...]:
        """Names of files that a pull request changes: the first hundred, cut to their ends.

        https://docs.github.com/rest/pulls/pulls#list-pull-requests-files
        """
        path = f"{repository_path(repository)}/pulls/{int(number)}/files"
        request = Request("GET", path, params={"per_page": MAX_PATHS})
        page = await self._page(ChangedFile, request, None)
        return tuple(file.filename[-MAX_PATH:] for file in page.items[:MAX_PATHS] if file.filename)

    async def timeline(self, repository: str, number: int) -> tuple[IssueEvent, ...]:
        """Everything that happened to an issue, oldest first."""
        return await self._all(IssueEvent, f"{issue_path(repository, number)}/timeline")

    def issue_events(
        self,
        repository: str,
        *,
        cursor: str | None = None,
        known_pages: Mapping[str, KnownPage] | None = None,
    ) -> AsyncIterator[Page[IssueEvent]]:
        """Pages of the events of all issues of a repository, newest first."""
        path = f"{repository_path(repository)}/issues/events"
        return self._pages(IssueEvent, path, cursor=cursor, known_pages=known_pages)

    async def create_issue(
        self, repository: str, title: str, body: str, labels: Sequence[str] = ()
    ) -> Issue:
        """Never sent twice: see `Unreachable.may_have_happened`."""
        content = {"title": title, "body": body, "labels": list(labels)}
        path = f"{repository_path(repository)}/issues"
        return await self._read(Issue, Request("POST", path, json=content))

    async def edit_issue(
        self,
        repository: str,
        number: int,
        *,
        title: str | None = None,
        body: str | None = None,
        state: str | None = None,
    ) -> Issue:
        """Change what is given and leave the rest."""
        changes = {"title": title, "body": body, "state": state}
        content = {name: value for name, value in changes.items() if value is not None}
        return await self._read(
            Issue, Request("PATCH", issue_path(repository, number), json=content)
        )

    async def comments(self, repository: str, number: int) -> tuple[Comment, ...]:
        """An issue's comments, oldest first."""
        return await self._all(Comment, f"{issue_path(repository, number)}/comments")

    async def comment(self, repository: str, number: int, body: str) -> Comment:
        """Never sent twice: see `Unreachable.may_have_happened`."""
        path = f"{issue_path(repository, number)}/comments"
        request = Request("POST", path, json={"body": body})
        return await self._read(Comment, request)

    async def edit_comment(self, repository: str, comment_id: int, body: str) -> Comment:
        path = f"{repository_path(repository)}/issues/comments/{int(comment_id)}"
        return await self._read(Comment, Request("PATCH", path, json={"body": body}))
