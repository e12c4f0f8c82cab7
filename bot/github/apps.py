"""Requests about who we are: a token's user, the App, its installations and its deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bot.github.exchange import Request
from bot.github.models import (
    App,
    AppInstallation,
    GitHubRepository,
    HookDelivery,
    NewApp,
    User,
    WholeHookDelivery,
)
from bot.github.resource import Resource, segment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from bot.github.resource import KnownPage, Page


class AppRequests(Resource):
    """https://docs.github.com/rest/apps

    All but `me` and `installation_repositories` are asked as the App itself.
    """

    async def me(self) -> User:
        """The user whom a token belongs to."""
        return await self._read(User, Request("GET", "/user"))

    async def app(self) -> App:
        """The App, with the slug that makes its bot's login."""
        return await self._read(App, Request("GET", "/app"))

    async def installations(self) -> tuple[AppInstallation, ...]:
        """Everywhere the App is installed."""
        return await self._all(AppInstallation, "/app/installations")

    def installation_repositories(self) -> AsyncIterator[Page[GitHubRepository]]:
        """Pages of the repositories that an installation may see; asked as the installation."""
        return self._pages(GitHubRepository, "/installation/repositories", key="repositories")

    async def my_installations(self) -> tuple[AppInstallation, ...]:
        """Where the App is installed and the person who is asked for may see it."""
        return await self._all(AppInstallation, "/user/installations", key="installations")

    async def my_repositories(self, installation: int) -> tuple[GitHubRepository, ...]:
        """The repositories of an installation that the person may see, with what they may do."""
        path = f"/user/installations/{int(installation)}/repositories"
        return await self._all(GitHubRepository, path, key="repositories")

    def hook_deliveries(
        self,
        *,
        status: Literal["success", "failure"] | None = None,
        known_pages: Mapping[str, KnownPage] | None = None,
    ) -> AsyncIterator[Page[HookDelivery]]:
        """Pages of GitHub's attempts to deliver the App's webhooks, newest first, for 3 days."""
        params = {"status": status} if status else None
        return self._pages(HookDelivery, "/app/hook/deliveries", params, known_pages=known_pages)

    async def hook_delivery(self, delivery_id: int) -> WholeHookDelivery:
        """One attempt with the payload that was sent."""
        path = f"/app/hook/deliveries/{int(delivery_id)}"
        return await self._read(WholeHookDelivery, Request("GET", path))

    async def redeliver(self, delivery_id: int) -> None:
        """Ask for a delivery again; it comes with the same guid."""
        path = f"/app/hook/deliveries/{int(delivery_id)}/attempts"
        await self._connection.send(Request("POST", path))

    async def convert_manifest(self, code: str) -> NewApp:
        """Swap the manifest flow's code, valid once and for an hour, for the new App's secrets.

        https://docs.github.com/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
        """
        request = Request(
            "POST",
            f"/app-manifests/{segment(code)}/conversions",
            name="POST /app-manifests/…/conversions",
        )
        return await self._read(NewApp, request)
