"""`POST /webhook`: verified over the raw body, parsed, stored, and answered; the work comes later.

202 also for a repeat and for an event that is not used; 401 bad or missing signature; 400 not
JSON; 413 over 25 MB; 503 where the delivery could not be stored, so that GitHub shows it as failed.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from bot.github.signature import verify
from bot.logs import during_delivery
from bot.service import described
from bot.service.body import NotJson, TooLarge, parse_object, read_within
from bot.use_cases.receive import Received, understand
from store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bot.metrics import Metrics
    from bot.service.intake import Intake

log = logging.getLogger(__name__)

_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,200}")
"""What the headers of a delivery may hold: an event's name, a GUID."""
_LARGE = 64 * 1024
"""Bytes from which a body is parsed in a thread: the loop must not stand still for it."""


class Refusal(Exception):
    """An answer that is not 202."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.message = message
        super().__init__(message)


class Webhook:
    """The endpoint.

    :param secrets: tells which may have signed; with none every delivery is refused.
    :param stored: told of each new delivery.
    """

    def __init__(
        self,
        intake: Intake,
        secrets: Callable[[], tuple[str, ...]],
        metrics: Metrics,
        clock: Callable[[], datetime],
        stored: Callable[[str], None],
    ) -> None:
        self._intake = intake
        self._secrets = secrets
        self._metrics = metrics
        self._clock = clock
        self._told = stored
        self.router = APIRouter()
        self.router.add_api_route(
            "/webhook", self.answer, methods=["POST"], status_code=202, **described.WEBHOOK
        )

    async def answer(self, request: Request) -> Response:
        """Take one delivery in."""
        began = time.perf_counter()
        try:
            status, content = 202, await self._take_in(request)
        except Refusal as refusal:
            status, content = refusal.status, {"error": refusal.message}
        self._metrics.webhooks.labels(str(status)).inc()
        self._metrics.webhook_seconds.observe(time.perf_counter() - began)
        headers = {"Retry-After": "30"} if status == 503 else None
        return JSONResponse(content, status, headers)

    async def _take_in(self, request: Request) -> dict[str, str]:
        body = await self._verified_body(request)
        received = await self._understood(request, body)
        with during_delivery(received.delivery.guid):
            if received.problem:
                log.warning("payload not understood", extra={"reason": received.problem})
            return await self._stored(received)

    async def _verified_body(self, request: Request) -> bytes:
        try:
            body = await read_within(request.stream(), request.headers.get("content-length"))
        except TooLarge:
            raise Refusal(413, "the body is over 25 MB") from None
        signature = request.headers.get("x-hub-signature-256")
        if not verify(body, signature, self._secrets()):
            log.warning("delivery refused: its signature is missing or wrong")
            raise Refusal(401, "X-Hub-Signature-256 is missing, or not made with our secret")
        return body

    async def _understood(self, request: Request, body: bytes) -> Received:
        event, guid = (
            request.headers.get(name, "") for name in ("x-github-event", "x-github-delivery")
        )
        if not (_NAME.fullmatch(event) and _NAME.fullmatch(guid)):
            raise Refusal(400, "expected the headers X-GitHub-Event and X-GitHub-Delivery")
        try:
            if len(body) > _LARGE:
                payload = await asyncio.to_thread(parse_object, body)
            else:
                payload = parse_object(body)
        except NotJson:
            raise Refusal(
                400, "expected a JSON object; set the webhook's content type to application/json"
            ) from None
        return understand(guid, event, payload, self._clock())

    async def _stored(self, received: Received) -> dict[str, str]:
        try:
            new = await self._intake.accept(received)
        except StoreError as error:
            log.error(  # noqa: TRY400 - the message says it all; a traceback has no more to say
                "delivery not stored", extra={"reason": str(error), "cause": repr(error.__cause__)}
            )
            raise Refusal(503, "the delivery could not be stored; redeliver it later") from None
        if new:
            delivery = received.delivery
            used = received.fact is not None
            event = delivery.event if used else "other"
            self._metrics.deliveries.labels(event, (delivery.action or "") if used else "").inc()
            self._told(delivery.guid)
            return {"status": "accepted"}
        self._metrics.repeats.inc()
        return {"status": "accepted", "note": "this delivery was here before"}
