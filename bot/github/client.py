"""The GitHub client: every request that this product sends, over one connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.github.api_version import API_VERSION
from bot.github.apps import AppRequests
from bot.github.connection import DEFAULT_API, Connection, RetryPolicy, open_http
from bot.github.discussions import DiscussionRequests
from bot.github.errors import NotFound
from bot.github.issues import IssueRequests
from bot.github.labels import (
    AssigneeRequests,
    IssueFieldRequests,
    IssueTypeRequests,
    LabelRequests,
)
from bot.github.repositories import RepositoryRequests

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Self

    import httpx

    from bot.github.exchange import ResponseSeen
    from bot.github.labels import ReasonedLabel
    from bot.github.models import GitHubLabel, Issue, Suggestion
    from store.records import TargetKind


class GitHubClient(
    IssueRequests,
    IssueFieldRequests,
    IssueTypeRequests,
    LabelRequests,
    AssigneeRequests,
    DiscussionRequests,
    RepositoryRequests,
    AppRequests,
):
    """One identity's view of one GitHub. Errors: see `Connection.send` and `bot.github.errors`."""

    @classmethod
    def open(
        cls,
        base_url: str = DEFAULT_API,
        *,
        auth: httpx.Auth | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        patience: RetryPolicy | None = None,
        observer: Callable[[ResponseSeen], None] | None = None,
        api_version: str = API_VERSION,
    ) -> GitHubClient:
        """A client with its own pool of connections: close it, or use `async with`."""
        http = open_http(base_url, transport, api_version=api_version)
        return cls(Connection(http, auth, patience, observer))

    def speaking_as(self, auth: httpx.Auth | None) -> GitHubClient:
        """The same pool under another identity."""
        return GitHubClient(self._connection.speaking_as(auth))

    def labelling(self, target: TargetKind) -> GitHubClient:
        """The same identity, whose requests about an issue's labels are about this kind's."""
        return DiscussionClient(self._connection) if target == "discussions" else self

    async def aclose(self) -> None:
        """Close the pool, for every identity that shares it."""
        await self._connection.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()


class DiscussionClient(GitHubClient):
    """A client for whom a number is a discussion's, where its labels are read and written."""

    async def issue(self, repository: str, number: int) -> Issue:
        return await self.discussion(repository, number)

    async def add_labels(
        self, repository: str, number: int, labels: Sequence[str | ReasonedLabel]
    ) -> tuple[GitHubLabel, ...]:
        """Reasons are for issues alone. :raises NotFound: there is no such label; none is made."""
        names = [label if isinstance(label, str) else label.name for label in labels]
        return await self.label_discussion(repository, number, names)

    async def remove_label(self, repository: str, number: int, name: str) -> bool:
        return await self.unlabel_discussion(repository, number, name)

    async def suggestions(
        self, repository: str, number: int, state: str = "all"
    ) -> tuple[Suggestion, ...]:
        """:raises NotFound: always, for discussions have none."""
        raise NotFound(f"{state} suggestions of discussion {repository}#{number}", 404)
