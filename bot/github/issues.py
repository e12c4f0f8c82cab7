"""Requests about issues: reading them, their history and their comments, and writing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.github.exchange import Request
from bot.github.models import Comment, Issue, IssueEvent
from bot.github.resource import Resource, repository_path

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime

    from bot.github.pages import KnownPage, Page


def issue_path(repository: str, number: int) -> str:
    return f"{repository_path(repository)}/issues/{int(number)}"


class IssueRequests(Resource):
    """https://docs.github.com/rest/issues"""

    async def issue(self, repository: str, number: int) -> Issue:
        """:raises NotFound, Gone: there is no such issue, or no longer."""
        return await self._read(Issue, Request("GET", issue_path(repository, number)))

    def issues(
        self,
        repository: str,
        *,
        since: datetime | None = None,
        state: str = "all",
        cursor: str | None = None,
        known: Mapping[str, KnownPage] | None = None,
    ) -> AsyncIterator[Page[Issue]]:
        """Pages of issues and pull requests, the least recently changed first.

        In this order whatever changes during the walk turns up again at its end, so nothing is
        missed, and `page.next` kept anywhere is a safe `cursor` to go on from.

        :param since: aware; only what changed at or after it.
        :param known: by page URL, what was kept from last time: unchanged pages come back empty.
        """
        params: dict[str, str | int] = {"state": state, "sort": "updated", "direction": "asc"}
        if since is not None:
            params["since"] = since.strftime("%Y-%m-%dT%H:%M:%SZ")
        path = f"{repository_path(repository)}/issues"
        return self._pages(Issue, path, params, cursor=cursor, known=known)

    async def timeline(self, repository: str, number: int) -> tuple[IssueEvent, ...]:
        """Everything that happened to an issue, oldest first."""
        return await self._all(IssueEvent, f"{issue_path(repository, number)}/timeline")

    def issue_events(
        self,
        repository: str,
        *,
        cursor: str | None = None,
        known: Mapping[str, KnownPage] | None = None,
    ) -> AsyncIterator[Page[IssueEvent]]:
        """Pages of the events of all issues of a repository, newest first."""
        path = f"{repository_path(repository)}/issues/events"
        return self._pages(IssueEvent, path, cursor=cursor, known=known)

    async def create_issue(
        self, repository: str, title: str, body: str, labels: Sequence[str] = ()
    ) -> Issue:
        """Never sent twice: see `Unreachable.may_have_happened`."""
        content = {"title": title, "body": body, "labels": list(labels)}
        path = f"{repository_path(repository)}/issues"
        return await self._read(Issue, Request("POST", path, json=content, repeatable=False))

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
        given = {"title": title, "body": body, "state": state}
        content = {name: value for name, value in given.items() if value is not None}
        return await self._read(
            Issue, Request("PATCH", issue_path(repository, number), json=content)
        )

    async def comments(self, repository: str, number: int) -> tuple[Comment, ...]:
        """An issue's comments, oldest first."""
        return await self._all(Comment, f"{issue_path(repository, number)}/comments")

    async def comment(self, repository: str, number: int, body: str) -> Comment:
        """Never sent twice: see `Unreachable.may_have_happened`."""
        path = f"{issue_path(repository, number)}/comments"
        request = Request("POST", path, json={"body": body}, repeatable=False)
        return await self._read(Comment, request)

    async def edit_comment(self, repository: str, comment_id: int, body: str) -> Comment:
        path = f"{repository_path(repository)}/issues/comments/{int(comment_id)}"
        return await self._read(Comment, Request("PATCH", path, json={"body": body}))
