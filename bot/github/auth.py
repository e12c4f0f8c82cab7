"""Who a request speaks for: a personal token, the App itself, or one of its installations.

https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import jwt

from bot.github.api_version import VERSION_HEADER
from bot.github.connection import DEFAULT_API, AuthenticationFailed, utc_now
from bot.github.errors import GitHubError, Unauthorized
from bot.github.models import InstallationToken, parse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from datetime import datetime

# GitHub takes a JWT for ten minutes at most; a minute on each side forgives a wrong clock.
JWT_BACKDATED = timedelta(seconds=60)
JWT_LIFETIME = timedelta(minutes=9)
# A token is replaced while it still works, so that no request starts with one about to end.
RENEW_BEFORE = timedelta(minutes=5)


class TokenAuth(httpx.Auth):
    """A personal access token, or the one that GitHub Actions provides."""

    def __init__(self, token: str) -> None:
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise GitHubError("the GitHub token is empty or has spaces; check GITHUB_TOKEN")
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class AppAuth(httpx.Auth):
    """The App itself, by a JWT signed with its private key.

    :raises GitHubError: a private key that is no RSA key in PEM.
    """

    def __init__(
        self, app_id: int | str, private_key: str, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self.clock = clock
        self._app_id = str(app_id)
        self._key = private_key
        self.token()  # a wrong key shows now and not in the middle of the night

    def token(self) -> str:
        """A JWT that is valid for the next nine minutes."""
        now = self.clock()
        claims = {"iat": now - JWT_BACKDATED, "exp": now + JWT_LIFETIME, "iss": self._app_id}
        try:
            return jwt.encode(claims, self._key, algorithm="RS256")
        except (jwt.PyJWTError, ValueError, TypeError):
            raise GitHubError(
                "the App's private key is not an RSA key in PEM form; "
                "check GITHUB_PRIVATE_KEY or GITHUB_PRIVATE_KEY_FILE"
            ) from None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self.token()}"
        yield request


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    expires_at: datetime

    def usable(self, now: datetime) -> bool:
        return now < self.expires_at - RENEW_BEFORE


class InstallationAuth(httpx.Auth):
    """One installation of the App, by a token that is fetched when needed and kept for an hour.

    Requests that need a new token at the same time wait for one to fetch it.
    """

    def __init__(self, app: AppAuth, installation_id: int, base_url: str = DEFAULT_API) -> None:
        self._app = app
        self._url = f"{base_url.rstrip('/')}/app/installations/{installation_id}/access_tokens"
        self._token: _Token | None = None
        self._fetching = asyncio.Lock()

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """:raises AuthenticationFailed: GitHub's answer to asking for a token, if not a token."""
        for _ in range(2):
            if self._current() is None:
                async with self._fetching:
                    if self._current() is None:  # nobody fetched it while we waited
                        response = yield self._ask_for_token(request)
                        await response.aread()
                        self._keep(response)
            token = self._current()
            if token is None:
                raise Unauthorized(
                    "installation token", 401, "a fresh token is already about to expire"
                )
            request.headers["Authorization"] = f"Bearer {token.value}"
            response = yield request
            if response.status_code != 401:
                return
            self._forget(token)  # revoked, or the clocks disagree: once more with a new one

    def _current(self) -> _Token | None:
        token = self._token
        return token if token and token.usable(self._app.clock()) else None

    def _forget(self, token: _Token) -> None:
        if self._token is token:  # else somebody else has replaced it already
            self._token = None

    def _ask_for_token(self, request: httpx.Request) -> httpx.Request:
        shared = ("Accept", VERSION_HEADER, "User-Agent")
        headers = {name: request.headers[name] for name in shared if name in request.headers}
        headers["Authorization"] = f"Bearer {self._app.token()}"
        extensions = {"timeout": request.extensions.get("timeout", {})}
        return httpx.Request("POST", self._url, headers=headers, extensions=extensions)

    def _keep(self, response: httpx.Response) -> None:
        if response.status_code != 201:
            raise AuthenticationFailed(response)
        try:
            data = response.json()
        except ValueError:
            data = None
        answer = parse(InstallationToken, data, "installation token")
        self._token = _Token(answer.token.get_secret_value(), answer.expires_at)
