"""Lets people in, and knows them again: by cookie, or by a script's token."""

from __future__ import annotations

import asyncio
import re
import secrets
from typing import TYPE_CHECKING

from bot.github.auth import TokenAuth
from bot.github.errors import GitHubError
from bot.signin.github_exchange import UserSignIn
from bot.signin.roles import AskedRoles
from bot.signin.script_tokens import viewer_of
from bot.signin.sessions import Session, SessionSeal, same
from bot.signin.sign_in_rate import SignInRate
from bot.signin.viewers import GitHubViewer, LocalViewer

if TYPE_CHECKING:
    from bot.container import Container
    from bot.github.access import Access
    from bot.github.client import GitHubClient
    from bot.signin.one_time_link import OneTimeLink
    from bot.signin.viewers import Viewer

ASKING_LASTS = 600
"""Seconds that GitHub's page may stay open."""
_PATH = re.compile(r"/(?![/\\])[\w./~%?=&-]{0,300}")
_CODE = re.compile(r"[A-Za-z0-9]{1,100}")


class SignInFailed(Exception):
    """Signing in did not work; the message says why, for the person."""


class Authenticator:
    """One for each service.

    :param link: opens the pages on one's own machine; None where they are not on it.
    """

    def __init__(self, container: Container, link: OneTimeLink | None = None) -> None:
        self._container = container
        self._link = link
        self._access: Access | None = None
        self._client: GitHubClient | None = None
        self._is_open = False
        self.seal = SessionSeal("" if link else container.settings.private_key() or "")
        self.rate = SignInRate()
        self.roles = AskedRoles(container.clock)

    @property
    def is_local(self) -> bool:
        return self._link is not None

    @property
    def github(self) -> UserSignIn | None:
        """GitHub's sign-in; None where this installation has not got what it takes."""
        settings = self._container.settings
        if settings.github_client_id is None or settings.github_client_secret is None:
            return None
        return UserSignIn(
            settings.github_api_url,
            settings.github_client_id,
            settings.github_client_secret,
            self._container.transport,
        )

    async def viewer(self, cookie: str, authorization: str = "") -> Viewer | None:
        """Who is asking; None: somebody who has not signed in, or no longer is."""
        scheme, _, token = authorization.partition(" ")
        if scheme.casefold() == "bearer":
            store, now = self._container.store, self._container.clock()
            return await asyncio.to_thread(viewer_of, store, token.strip(), now, self.access())
        session = self.seal.open(cookie, self._container.clock())
        if session is None:
            return None
        if session.kind == "local":
            return LocalViewer(session.csrf, self.access()) if self.is_local else None
        if session.kind != "github":
            return None
        person = self._anonymous().speaking_as(TokenAuth(session.token))
        return GitHubViewer(session.login, session.csrf, person, session.token, self.roles)

    def access(self) -> Access | None:
        """The bot's own, opened once in the service's event loop."""
        if not self._is_open:
            self._access, self._is_open = self._container.access(), True
        return self._access

    def enter_by_link(self, token: str) -> str | None:
        """A cookie for who has the link; None where it does not open, or has been used."""
        now = self._container.clock()
        if self._link is None or not self._link.use(token, now):
            return None
        return self.seal.seal(Session("local"), now)

    def ask_github(self, redirect: str, back: str) -> tuple[str, str]:
        """GitHub's page, and the cookie that knows the answer again.

        :raises SignInFailed: sign-in is not set up.
        """
        github = self.github
        if github is None:
            raise SignInFailed(
                "Signing in through GitHub is not set up here: it takes "
                "ISSUE_TAGGER_GITHUB_CLIENT_ID and ISSUE_TAGGER_GITHUB_CLIENT_SECRET."
            )
        verifier = secrets.token_urlsafe(48)
        session = Session("asking", token=verifier, back=safe_path(back))
        page = github.page(redirect, session.csrf, verifier)
        return page, self.seal.seal(session, self._container.clock())

    async def answered(self, cookie: str, redirect: str, code: str, state: str) -> tuple[str, str]:
        """A cookie for who comes back from GitHub, and where they wanted to go.

        :raises SignInFailed: with the reason.
        """
        now = self._container.clock()
        session, github = self.seal.open(cookie, now, ASKING_LASTS), self.github
        if session is None or session.kind != "asking" or github is None:
            raise SignInFailed("This sign-in was not begun here, or took too long. Begin again.")
        if not same(state, session.csrf):
            raise SignInFailed("This answer belongs to another sign-in. Begin again.")
        if not _CODE.fullmatch(code):
            raise SignInFailed("GitHub did not let you in. Begin again, and say yes there.")
        try:
            answer = await github.exchange(code, redirect, session.token)
            token = answer.access_token.get_secret_value()
            me = await self._anonymous().speaking_as(TokenAuth(token)).me()
        except GitHubError as error:
            raise SignInFailed(f"GitHub did not say who you are: {error}.") from None
        entered = Session("github", login=me.login, token=token)
        return self.seal.seal(entered, now), session.back

    async def aclose(self) -> None:
        """Close every connection."""
        for opened in (self._access, self._client):
            if opened is not None:
                await opened.aclose()

    def _anonymous(self) -> GitHubClient:
        if self._client is None:
            self._client = self._container.github_client()
        return self._client


def safe_path(path: str) -> str:
    """A path of this service, or "/": nobody is led elsewhere by a link."""
    return path if _PATH.fullmatch(path) else "/"
