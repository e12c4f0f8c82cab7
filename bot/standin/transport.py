"""Reaches the stand-in from the same process: an httpx transport, without sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from bot.standin.app import TroubleOnTheLine, create_app
from bot.standin.faults import Trouble

if TYPE_CHECKING:
    from bot.standin.state import GitHubState


class StandInTransport(httpx.AsyncBaseTransport):
    """Hands requests to the stand-in, and acts out timeouts and closed connections."""

    def __init__(self, state: GitHubState, prefix: str = "") -> None:
        self._inner = httpx.ASGITransport(create_app(state, prefix))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._inner.handle_async_request(request)
        except TroubleOnTheLine as fault:
            if fault.trouble is Trouble.TIMEOUT:
                raise httpx.ReadTimeout("no answer", request=request) from None
            raise httpx.RemoteProtocolError("connection closed", request=request) from None
