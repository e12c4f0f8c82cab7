"""Sends the webhooks that the simulator's state causes, signed as GitHub signs them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx

from bot.github.signature import sign

if TYPE_CHECKING:
    from bot.simulator.records import Delivery
    from bot.simulator.state import GitHubState


def body_of(delivery: Delivery) -> bytes:
    """The bytes that are sent and signed."""
    return json.dumps(delivery.payload).encode()


def headers_of(delivery: Delivery, body: bytes, secret: str) -> dict[str, str]:
    """GitHub's headers for a delivery."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/simulator",
        "X-GitHub-Event": delivery.event,
        "X-GitHub-Delivery": delivery.guid,
        "X-Hub-Signature-256": sign(body, secret),
    }


class WebhookSender:
    """Posts deliveries to one URL with one secret and notes what came back.

    :param http: its base URL or transport decides where to; it stays open.
    """

    def __init__(self, state: GitHubState, http: httpx.AsyncClient, url: str, secret: str) -> None:
        self._state = state
        self._http = http
        self._url = url
        self._secret = secret

    async def send(self, delivery: Delivery) -> int:
        """Post one delivery; its status code, or 0 where no answer came."""
        body = body_of(delivery)
        try:
            answer = await self._http.post(
                self._url, content=body, headers=headers_of(delivery, body, self._secret)
            )
        except httpx.TransportError:
            delivery.status_code = 0
        else:
            delivery.status_code = answer.status_code
        delivery.delivered_at = self._state.now()
        return delivery.status_code

    async def send_pending(self) -> list[int]:
        """Post everything that was not sent yet, in the order in which it happened."""
        with self._state.lock:
            pending = [
                delivery for delivery in self._state.deliveries if delivery.status_code is None
            ]
        return [await self.send(delivery) for delivery in pending]
