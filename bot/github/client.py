"""The GitHub client: every request that this product sends, over one connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.github.api_version import API_VERSION
from bot.github.apps import AppRequests
from bot.github.connection import DEFAULT_API, Connection, RetryPolicy, open_http
from bot.github.issues import IssueRequests
from bot.github.labels import (
    AssigneeRequests,
    IssueFieldRequests,
    IssueTypeRequests,
    LabelRequests,
)
from bot.github.repositories import RepositoryRequests

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    import httpx

    from bot.github.exchange import ResponseSeen


class GitHubClient(
    IssueRequests,
    IssueFieldRequests,
    IssueTypeRequests,
    LabelRequests,
    AssigneeRequests,
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
