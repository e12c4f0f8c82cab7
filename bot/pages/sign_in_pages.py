"""Signing in and out: by the one-time link, or through GitHub and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.api.refusals import ApiRefusal
from bot.pages.exchange import ASKING, check_own_form, field, form_of, see, with_cookie
from bot.signin.authenticator import SignInFailed, safe_path
from bot.signin.sessions import SESSION_COOKIE

if TYPE_CHECKING:
    from fastapi import Request
    from fastapi.responses import Response

    from bot.api.api_context import ApiContext

TRIES_WORDS = "Too many tries from your address. Wait a minute."


class SignInPages:
    """The endpoints; each raises ApiRefusal where it says no."""

    def __init__(self, api: ApiContext) -> None:
        self._api = api
        self._keeper = api.authenticator

    async def by_link(self, request: Request) -> Response:
        """The one-time link of `issue-tagger open`."""
        self._count(request)
        cookie = self._keeper.enter_by_link(request.query_params.get("token", ""))
        if cookie is None:
            raise ApiRefusal(
                403, "This link was used, or is too old. Run issue-tagger open for another."
            )
        target = safe_path(request.query_params.get("back", "/"))
        return with_cookie(see(target), request, SESSION_COOKIE, cookie)

    async def to_github(self, request: Request) -> Response:
        """Off to GitHub, which asks the person."""
        self._count(request)
        try:
            address, cookie = self._keeper.ask_github(
                _callback(request), request.query_params.get("back", "/")
            )
        except SignInFailed as refused:
            raise ApiRefusal(404, str(refused)) from None
        return with_cookie(see(address), request, ASKING, cookie)

    async def from_github(self, request: Request) -> Response:
        """GitHub sent the browser back."""
        self._count(request)
        code, state = (request.query_params.get(name, "") for name in ("code", "state"))
        asking = request.cookies.get(ASKING, "")
        try:
            cookie, target = await self._keeper.answered(asking, _callback(request), code, state)
        except SignInFailed as refused:
            raise ApiRefusal(403, str(refused)) from None
        entered = with_cookie(see(safe_path(target)), request, SESSION_COOKIE, cookie)
        return with_cookie(entered, request, ASKING, "")

    async def sign_out(self, request: Request) -> Response:
        """Forget the browser."""
        viewer = await self._keeper.viewer(request.cookies.get(SESSION_COOKIE, ""))
        if viewer is not None:
            check_own_form(request, viewer, field(await form_of(request), "csrf"))
        return with_cookie(see("/"), request, SESSION_COOKIE, "")

    def _count(self, request: Request) -> None:
        """:raises ApiRefusal: too many tries of this address within a minute."""
        address = request.client.host if request.client else ""
        wait = self._keeper.rate.wait(address, self._api.now())
        if wait:
            raise ApiRefusal(429, TRIES_WORDS, retry_after=wait)


def _callback(request: Request) -> str:
    """Where GitHub sends the browser back to; GitHub itself refuses any but the App's own."""
    return f"{str(request.base_url).rstrip('/')}/signin/callback"
