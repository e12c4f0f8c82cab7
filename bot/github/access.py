"""Which client speaks for which repository: one token for all, or an installation each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bot.github.auth import InstallationAuth

if TYPE_CHECKING:
    from bot.github.auth import AppAuth
    from bot.github.client import GitHubClient


class Access(Protocol):
    """How use cases get at GitHub. Errors are those of the requests behind it."""

    async def client(self, repository: str, installation: int | None = None) -> GitHubClient:
        """A client that may act in "OWNER/NAME"; a webhook tells `installation` for free."""

    @property
    def as_app(self) -> GitHubClient | None:
        """Speaks as the App itself; None where a token stands instead of one."""

    async def login(self) -> str:
        """The login under which our own actions appear, so that they can be told apart."""

    def forget(self, installation: int) -> None:
        """Drop what is known of an installation: it ended, or may do other things by now."""

    async def aclose(self) -> None:
        """Close every connection."""


class TokenAccess:
    """The same token everywhere.

    :param client: already speaks with the token.
    :param login: whom the token belongs to, where GitHub does not say: a job's own token may not
        ask. None: GitHub is asked.
    """

    as_app = None

    def __init__(self, client: GitHubClient, login: str | None = None) -> None:
        self._client = client
        self._login = login

    async def client(
        self,
        repository: str,  # noqa: ARG002 - a token is not bound to one
        installation: int | None = None,  # noqa: ARG002
    ) -> GitHubClient:
        return self._client

    async def login(self) -> str:
        if self._login is None:
            self._login = (await self._client.me()).login
        return self._login

    def forget(self, installation: int) -> None:
        """A token knows of no installations."""

    async def aclose(self) -> None:
        await self._client.aclose()


class AppAccess:
    """A GitHub App: one client for each installation, over one pool of connections.

    :param client: its pool is used; whom it speaks as does not matter.
    :param base_url: the API that hands out installation tokens, the client's own.
    """

    def __init__(self, client: GitHubClient, app: AppAuth, base_url: str) -> None:
        self._app_auth = app
        self._base_url = base_url
        self._clients: dict[int, GitHubClient] = {}
        self._installation_of: dict[str, int] = {}
        self._login: str | None = None
        self.as_app = client.speaking_as(app)

    async def client(self, repository: str, installation: int | None = None) -> GitHubClient:
        """:raises NotFound: the App is not installed there."""
        key = repository.lower()
        if installation is not None:
            self._installation_of[key] = installation
        elif key not in self._installation_of:
            app_installation = await self.as_app.repository_installation(repository)
            self._installation_of[key] = app_installation.id
        return self.installation(self._installation_of[key])

    def installation(self, installation: int) -> GitHubClient:
        """The client of one installation; its token is fetched with its first request."""
        if installation not in self._clients:
            auth = InstallationAuth(self._app_auth, installation, self._base_url)
            self._clients[installation] = self.as_app.speaking_as(auth)
        return self._clients[installation]

    def forget(self, installation: int) -> None:
        """The App was uninstalled or lost repositories: look up anew where it may act."""
        self._clients.pop(installation, None)
        self._installation_of = {
            name: of_repository
            for name, of_repository in self._installation_of.items()
            if of_repository != installation
        }

    async def login(self) -> str:
        if self._login is None:
            self._login = (await self.as_app.app()).bot_login
        return self._login

    async def aclose(self) -> None:
        await self.as_app.aclose()
