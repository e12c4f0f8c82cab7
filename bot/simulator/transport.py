"""Reaches the simulator from the same process: an httpx transport, without sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from bot.simulator.app import ConnectionFault, create_app
from bot.simulator.faults import NetworkFault

if TYPE_CHECKING:
    from bot.simulator.state import GitHubState


class SimulatorTransport(httpx.AsyncBaseTransport):
    """Hands requests to the simulator, and acts out timeouts and closed connections."""

    def __init__(self, state: GitHubState, prefix: str = "") -> None:
        self._inner = httpx.ASGITransport(create_app(state, prefix))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._inner.handle_async_request(request)
        except ConnectionFault as fault:
            if fault.network_fault is NetworkFault.TIMEOUT:
                raise httpx.ReadTimeout("no answer", request=request) from None
            raise httpx.RemoteProtocolError("connection closed", request=request) from None
