"""The endpoints of `/api/v1`: who asks, by a token or a session, and the answer."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import JSONResponse
from fastapi.security import APIKeyCookie, HTTPBearer

from bot.api import reviewing
from bot.api.documents import (
    DecidedDocument,
    DecisionOrder,
    ErrorDocument,
    RepositoriesDocument,
    TodayDocument,
)
from bot.api.learning_routes import LearningRoutes, Name, Owner
from bot.api.refusals import ApiRefusal, SignInNeeded
from bot.signin.sessions import SESSION_COOKIE, same
from bot.signin.viewers import Viewer

if TYPE_CHECKING:
    from bot.api.api_context import ApiContext

PREFIX = "/api/v1"
SAFE = {"GET", "HEAD"}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"model": ErrorDocument, "description": "No token or session, or one that has ended"},
    403: {"model": ErrorDocument, "description": "It takes more rights, or the CSRF token"},
    404: {"model": ErrorDocument, "description": "Not there, or not to be seen"},
    409: {"model": ErrorDocument, "description": "Refused, with the reason"},
    503: {"model": ErrorDocument, "description": "Not now; try again"},
}
_BEARER = HTTPBearer(auto_error=False, description="A token of `issue-tagger token`")
_COOKIE = APIKeyCookie(name=SESSION_COOKIE, auto_error=False)


class Api:
    """The endpoints; documented in `/openapi.json`."""

    def __init__(self, api: ApiContext) -> None:
        self._api = api
        self.router = APIRouter(
            prefix=PREFIX,
            tags=["v1"],
            responses=_REFUSALS,
            dependencies=[Depends(_BEARER), Depends(_COOKIE)],
        )
        of = "/repositories/{owner}/{name}"
        self._get("/repositories", self.repositories)
        self._get(f"{of}/today", self.today)
        self._post(f"{of}/decisions", self.decide)
        self._post(f"{of}/failed/{{guid}}/retry", self.retry)
        self.router.include_router(LearningRoutes(api, self.viewer).router)

    def _get(self, path: str, endpoint: Any) -> None:
        self.router.add_api_route(path, endpoint, methods=["GET"])

    def _post(self, path: str, endpoint: Any) -> None:
        self.router.add_api_route(path, endpoint, methods=["POST"])

    async def viewer(self, request: Request) -> Viewer:
        """Who asks.

        :raises ApiRefusal: nobody known, or a writing request without the session's CSRF token.
        """
        authorization = request.headers.get("authorization", "")
        cookie = request.cookies.get(SESSION_COOKIE, "")
        viewer = await self._api.authenticator.viewer(cookie, authorization)
        if viewer is None:
            raise SignInNeeded
        token = request.headers.get("x-csrf-token", "")
        if viewer.csrf and request.method not in SAFE and not same(token, viewer.csrf):
            raise ApiRefusal(403, "A session must send its CSRF token as X-CSRF-Token.")
        return viewer

    async def repositories(self, request: Request) -> RepositoriesDocument:
        """Repositories that who asks may decide in."""
        return await reviewing.repositories(self._api, await self.viewer(request))

    async def today(
        self,
        request: Request,
        owner: Owner,
        name: Name,
        days: Annotated[int, Query(ge=0, le=366)] = 1,
        before: datetime | None = None,
    ) -> TodayDocument:
        """What the bot set, suggested and left since midnight, so many days ago."""
        viewer = await self.viewer(request)
        return await reviewing.today(self._api, viewer, f"{owner}/{name}", days, before)

    async def decide(
        self, request: Request, owner: Owner, name: Name, order: DecisionOrder
    ) -> DecidedDocument:
        """Approve a label, dismiss it, or undo what was decided about it."""
        viewer = await self.viewer(request)
        return await reviewing.decided(self._api, viewer, f"{owner}/{name}", order)

    async def retry(
        self,
        request: Request,
        owner: Owner,
        name: Name,
        guid: Annotated[str, Path(max_length=200)],
    ) -> dict[str, str]:
        """Set a webhook going again that was given up."""
        await reviewing.retried(self._api, await self.viewer(request), f"{owner}/{name}", guid)
        return {"status": "waiting"}


async def answer_refusal(_: Request, refusal: Exception) -> JSONResponse:
    """An `ApiRefusal` as JSON."""
    assert isinstance(refusal, ApiRefusal)  # noqa: S101 - registered for these alone
    headers = {"Cache-Control": "no-store"}
    if refusal.retry_after:
        headers["Retry-After"] = str(refusal.retry_after)
    return JSONResponse({"error": refusal.message}, refusal.status, headers=headers)
