"""`POST /webhook`: verified over the raw body, parsed, stored, and answered; the work comes later.

202 also for a repeat and for an event that is not used; 401 bad or missing signature; 400 not
JSON; 408 too slow; 413 over 25 MB; 503 where the delivery could not be taken or stored, so that
GitHub shows it as failed. What cannot be signed, or says that it is too long, is not read at all.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
import time
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.requests import ClientDisconnect

from bot.github.signature import Verification, is_well_formed
from bot.process.logs import during_delivery
from bot.receiving.body import (
    LARGEST,
    NotJson,
    TooLarge,
    announced_length,
    is_form,
    parse_object,
    read_within,
)
from bot.receiving.deliveries import Received, understand
from bot.service import described
from bot.service.body_budget import BODY_SECONDS, SMALL, BodyBudget, NoRoom
from store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime

    from bot.operations.metrics import Metrics
    from bot.service.body_budget import BodyShare
    from bot.service.intake import Intake

log = logging.getLogger(__name__)

_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,200}")
"""What the headers of a delivery may hold: an event's name, a GUID."""
_LARGE = 64 * 1024
"""Bytes from which a body is parsed in a thread: the loop must not stand still for it."""

TOLD_AGAIN = 60.0
"""Seconds between two log lines about deliveries that nobody signed."""


class WebhookRefusal(Exception):
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
        self._budget = BodyBudget()
        self._told_of_unsigned = -math.inf
        self.router = APIRouter()
        self.router.add_api_route(
            "/webhook", self.answer, methods=["POST"], status_code=202, **described.WEBHOOK
        )

    async def answer(self, request: Request) -> Response:
        """Take one delivery in."""
        began = time.perf_counter()
        try:
            status, content = 202, await self._take_in(request)
        except WebhookRefusal as refusal:
            status, content = refusal.status, {"error": refusal.message}
        self._metrics.webhooks.labels(str(status)).inc()
        self._metrics.webhook_seconds.observe(time.perf_counter() - began)
        return JSONResponse(content, status, _headers(status))

    async def _take_in(self, request: Request) -> dict[str, str]:
        signature = request.headers.get("x-hub-signature-256")
        if not is_well_formed(signature):
            raise self._unsigned()
        async with self._budget.share() as share:
            verification = Verification(signature, self._secrets())
            pieces = await _read(request, share, verification)
            if not verification.fits():
                raise self._unsigned()
            body = b"".join(pieces)
            del pieces
            share.settle(len(body))
            received = await self._understood(request, body)
            with during_delivery(received.delivery.guid):
                if received.problem:
                    log.warning("payload not understood", extra={"reason": received.problem})
                return await self._stored(received)

    async def _understood(self, request: Request, body: bytes) -> Received:
        event, guid = (
            request.headers.get(name, "") for name in ("x-github-event", "x-github-delivery")
        )
        if not (_NAME.fullmatch(event) and _NAME.fullmatch(guid)):
            raise WebhookRefusal(400, "expected the headers X-GitHub-Event and X-GitHub-Delivery")
        form = is_form(request.headers.get("content-type"))
        try:
            if len(body) > _LARGE:
                payload = await asyncio.to_thread(parse_object, body, form=form)
            else:
                payload = parse_object(body, form=form)
        except NotJson:
            raise WebhookRefusal(
                400, "expected a JSON object, as the body or as the field payload of a form"
            ) from None
        return understand(guid, event, payload, self._clock())

    async def _stored(self, received: Received) -> dict[str, str]:
        try:
            new = await self._intake.accept(received)
        except StoreError as error:
            log.error(  # noqa: TRY400 - the message says it all; a traceback has no more to say
                "delivery not stored", extra={"reason": str(error), "cause": repr(error.__cause__)}
            )
            raise WebhookRefusal(
                503, "the delivery could not be stored; redeliver it later"
            ) from None
        if new:
            delivery = received.delivery
            self._metrics.delivered(delivery.event if received.fact else None, delivery.action)
            self._told(delivery.guid)
            return {"status": "accepted"}
        self._metrics.repeats.inc()
        return {"status": "accepted", "note": "this delivery was here before"}

    def _unsigned(self) -> WebhookRefusal:
        now = time.monotonic()
        if now - self._told_of_unsigned >= TOLD_AGAIN:  # the rest is counted: a log can be flooded
            self._told_of_unsigned = now
            log.warning("deliveries are refused: the signature is missing or wrong")
        return WebhookRefusal(401, "X-Hub-Signature-256 is missing, or not made with our secret")


async def _read(request: Request, share: BodyShare, verification: Verification) -> list[bytes]:
    """The pieces of the body, not verified yet."""
    announced = request.headers.get("content-length")
    try:
        async with share.reading():
            pieces = _metered(request.stream(), announced, share, verification)
            return await read_within(pieces, announced)
    except TooLarge:
        raise WebhookRefusal(413, "the body is over 25 MB") from None
    except NoRoom:
        raise WebhookRefusal(503, "too many bodies arrive at once; redeliver it later") from None
    except TimeoutError:
        raise WebhookRefusal(408, f"the body took longer than {BODY_SECONDS:g} s") from None
    except ClientDisconnect:  # nobody is left to read this
        raise WebhookRefusal(400, "the body is not whole") from None


async def _metered(
    pieces: AsyncIterator[bytes],
    announced: str | None,
    share: BodyShare,
    verification: Verification,
) -> AsyncIterator[bytes]:
    """No piece is asked for before there is room for the whole body.

    One that does not say how long it is is taken for a small one until it turns out large.
    """
    length, covered = 0, announced_length(announced) or SMALL
    await share.cover(covered)
    async for piece in pieces:
        length += len(piece)
        share.arrived(length)
        verification.update(piece)
        yield piece
        if length > covered:
            await share.cover(LARGEST)


def _headers(status: int) -> dict[str, str] | None:
    """A refusal ends the connection: what is still to come of the body is not worth reading."""
    if status == 202:
        return None
    return {"Connection": "close"} | ({"Retry-After": "30"} if status == 503 else {})
