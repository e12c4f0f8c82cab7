"""Seeing a claim through: work on it under its lease, and put down what came of it.

Deliveries and tasks differ in what is done and in what an end, a failure or a stop means for their
rows; each queue is an adapter that says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from bot.process.lease_keeper import LeaseKeeper
from store.errors import LeaseLost, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import datetime, timedelta

log = logging.getLogger(__name__)


class Claim(Protocol):
    """What a worker owns until its lease runs out."""

    @property
    def lease_until(self) -> datetime: ...


ClaimT = TypeVar("ClaimT", bound=Claim)
ClaimT_contra = TypeVar("ClaimT_contra", bound=Claim, contravariant=True)
ResultT = TypeVar("ResultT")


class ClaimAdapter(Protocol[ClaimT_contra, ResultT]):
    """What a queue's claims are to `see_through`.

    :ivar lease: for how long a renewal lasts.
    :ivar grace: how long the work may still take once all is to stop.
    """

    lease: timedelta
    grace: timedelta

    async def work(self, claim: ClaimT_contra) -> ResultT:
        """Do it; raises whatever goes wrong."""

    def renew(self, claim: ClaimT_contra) -> None:
        """Own it for a whole lease from now on. Blocks; raises LeaseLost."""

    async def succeed(self, claim: ClaimT_contra, result: ResultT) -> None:
        """Put down the end of the work."""

    async def hand_back(self, claim: ClaimT_contra) -> None:
        """Let another worker have it, since this one stops."""

    async def fail(self, claim: ClaimT_contra, error: Exception) -> None:
        """Put down what went wrong, and whether it runs again."""

    def lose(self, claim: ClaimT_contra, reason: str) -> None:
        """Another worker has it by now, or may have at any moment: only tell."""


async def see_through(
    adapter: ClaimAdapter[ClaimT, ResultT], claim: ClaimT, stopping: asyncio.Event, now: datetime
) -> None:
    """Work on a claim until it ends, is lost, or is to be handed back; raises nothing of its own.

    :param stopping: set when all is to stop.
    """
    working = asyncio.ensure_future(adapter.work(claim))
    try:
        async with LeaseKeeper(
            lambda: adapter.renew(claim), adapter.lease, claim.lease_until - now
        ) as keeper:
            if await _finished(working, stopping, keeper.until_lost(), adapter.grace):
                await adapter.succeed(claim, working.result())
            elif keeper.is_lost:
                adapter.lose(claim, "its lease could not be renewed, or is another worker's")
            else:
                await adapter.hand_back(claim)
    except LeaseLost as error:
        adapter.lose(claim, str(error))
    except Exception as error:
        await adapter.fail(claim, error)


async def put_down(act: Callable[[], None]) -> None:
    """Record an ending; where even that fails, the lease runs out by itself."""
    try:
        await asyncio.to_thread(act)
    except (StoreUnavailable, LeaseLost) as error:
        log.warning("what came of the work could not be recorded", extra={"reason": str(error)})


async def _finished(
    working: asyncio.Future[Any],
    stopping: asyncio.Event,
    losing: Coroutine[Any, Any, None],
    grace: timedelta,
) -> bool:
    """Wait for the work; once all is to stop, only for as long as the grace lasts.

    :param losing: returns when the work is no longer ours: then it is cancelled at once.
    :returns: False: it was cancelled.
    """
    stop, loss = asyncio.ensure_future(stopping.wait()), asyncio.ensure_future(losing)
    try:
        await asyncio.wait({working, stop, loss}, return_when=asyncio.FIRST_COMPLETED)
        if not (working.done() or loss.done()):
            await asyncio.wait(
                {working, loss},
                timeout=grace.total_seconds(),
                return_when=asyncio.FIRST_COMPLETED,
            )
    finally:
        stop.cancel()
        loss.cancel()
    if working.done():
        return True
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await working
    return False
