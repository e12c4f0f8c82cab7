"""Takes deliveries from the inbox, a few at a time, and sees each through or gives it back.

A delivery is held under a lease that is renewed while the work goes on; a worker that dies leaves
a lease that runs out, and the delivery runs again. What fails runs again later and later, and is
given up with its reason only when trying again has stopped making sense.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.github.errors import BadPayload, Forbidden, Moved, RateLimited, Unauthorized, Unreachable
from bot.jobs.in_process import InProcessJobs
from bot.jobs.lanes import KeptLease, Signals, finished, worker_name
from bot.logs import during_delivery
from bot.use_cases.deliveries import handle
from store.errors import LeaseLost, StoreUnavailable
from tagger.errors import ReleaseDamaged

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from bot.use_cases.desk import Desk, Ending
    from store.records import ClaimedDelivery

log = logging.getLogger(__name__)

TAGGING = "tagging"
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=1)
MOST_ATTEMPTS = 8
"""With the pauses between them some twenty minutes; what still fails needs a person."""
LONG_PATIENCE = timedelta(days=3)
"""For what is not the delivery's fault: as long as GitHub itself offers redelivery."""
_NOT_ITS_FAULT = (
    RateLimited, Unreachable, BadPayload, Unauthorized, Forbidden, Moved, StoreUnavailable,
    ReleaseDamaged,
)  # fmt: skip
"""GitHub, the credentials, the database or the release: once that is mended, the work succeeds."""


@dataclass(frozen=True)
class Pace:
    """How a worker spends its time.

    :ivar lease: how long a delivery stays a dead worker's; renewed at a third of it.
    :ivar poll: how long an idle worker sleeps unless woken.
    :ivar grace: how long the deliveries in hand may still take after `stop`.
    :ivar at_once: deliveries in hand at a time, no two of them of one issue: most of a delivery's
        time goes by waiting for GitHub.
    :ivar sweep: how often workers on an engine look for what it does not know.
    """

    lease: timedelta = timedelta(minutes=1)
    poll: timedelta = timedelta(seconds=1)
    grace: timedelta = timedelta(seconds=20)
    at_once: int = 8
    sweep: timedelta = timedelta(seconds=3)


def when_again(
    error: Exception, attempts: int, received_at: datetime, now: datetime
) -> datetime | None:
    """When a delivery that failed should run again; None: never.

    :param attempts: the one that just failed included.
    """
    pause = now + min(FIRST_PAUSE * (1 << min(attempts - 1, 16)), LONGEST_PAUSE)
    # Both must be used up: a clock that jumps ahead must not end anybody's patience.
    waited = isinstance(error, _NOT_ITS_FAULT) and now - received_at < LONG_PATIENCE
    if not waited and attempts >= MOST_ATTEMPTS:
        return None
    if isinstance(error, RateLimited):
        return max(error.retry_at, now)
    return max(error.retry_at, pause) if isinstance(error, Unreachable) else pause


class Worker:
    """The lane of deliveries; in the event loop that its desk's GitHub access belongs to.

    :param job: what is done with a delivery; it ends the delivery itself.
    :param name: tells workers apart; a restarted one is another one.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        job: Callable[[Desk, ClaimedDelivery], Awaitable[Ending]] = handle,
        pace: Pace | None = None,
        name: str | None = None,
    ) -> None:
        self._desk = desk
        self._job = job
        self._pace = pace or Pace()
        self._me = name or worker_name()
        self.name = TAGGING
        self.at_once = self._pace.at_once
        self.signals = Signals()

    def stop(self) -> None:
        """Take no further delivery; those in hand are finished or handed back."""
        self.signals.stop()

    async def run(self) -> None:
        """Work until `stop`, without an engine."""
        await InProcessJobs(self._pace.poll).run([self])

    async def run_until_empty(self) -> int:
        """Work off all that is due now, one by one; returns how many deliveries that was."""
        number = 0
        while await self.work_one():
            number += 1
        return number

    async def work_one(self, guid: str | None = None) -> bool:
        """Claim one delivery and see it through; False: there was none to claim.

        :param guid: this one or none.
        :raises StoreUnavailable: the inbox could not be asked.
        """
        claim = await self.claim(guid)
        if claim is not None:
            await self.see_through(claim)
        return claim is not None

    async def claim(self, name: str | None = None) -> ClaimedDelivery | None:
        """See `Lane.claim`; the name is a GUID."""
        return await asyncio.to_thread(self._claim, name)

    async def see_through(self, claim: ClaimedDelivery) -> None:
        """See `Lane.see_through`."""
        with during_delivery(claim.guid):
            await self._see_through(claim)

    def due(self, now: datetime) -> tuple[str, ...]:
        """See `Lane.due`."""
        with self._desk.store.read() as work:
            return work.inbox.waiting(now)

    def following(self, claim: ClaimedDelivery) -> str | None:
        """See `Lane.following`: the next delivery of the same issue."""
        with self._desk.store.read() as work:
            return work.inbox.next_in_lane(claim.guid, self._desk.clock())

    def _claim(self, guid: str | None) -> ClaimedDelivery | None:
        now = self._desk.clock()
        if guid is None:
            with self._desk.store.read() as work:  # an idle worker takes no write lock
                if not work.inbox.waiting(now, limit=1):
                    return None
        with self._desk.store.begin() as work:
            return work.inbox.claim(self._me, self._pace.lease, now, guid=guid)

    async def _see_through(self, claim: ClaimedDelivery) -> None:
        working = asyncio.ensure_future(self._job(self._desk, claim))
        try:
            left = claim.lease_until - self._desk.clock()
            async with KeptLease(lambda: self._renew(claim), self._pace.lease, left) as kept:
                stopping, grace = self.signals.stopping, self._pace.grace
                if not await finished(working, stopping, kept.lost, grace):
                    kept.check(LeaseLost(claim.guid, self._me))
                    await self._hand_back(claim)
                    return
                ending = working.result()
            self._desk.metrics.worked.labels(ending.end).inc()
            log.info("delivery worked off", extra={"end": ending.end, "reason": ending.reason})
        except LeaseLost as error:
            self._desk.metrics.worked.labels("lost").inc()
            log.warning("delivery lost to another worker", extra={"reason": str(error)})
        except Exception as error:
            await self._fail(claim, error)

    def _renew(self, claim: ClaimedDelivery) -> None:
        with self._desk.store.begin() as work:
            work.inbox.renew(claim, self._pace.lease, self._desk.clock())

    async def _hand_back(self, claim: ClaimedDelivery) -> None:
        with contextlib.suppress(LeaseLost, StoreUnavailable):  # ended just now, or the lease ends
            await self._desk.postpone(claim, self._desk.clock(), "the worker stops")
        self._desk.metrics.worked.labels("handed back").inc()
        log.info("delivery handed back, the worker stops")

    async def _fail(self, claim: ClaimedDelivery, error: Exception) -> None:
        """Put the failure down; where not even that works, the lease runs out by itself."""
        now = self._desk.clock()
        again = when_again(error, claim.attempts, claim.received_at, now)
        self._desk.metrics.worked.labels("failed" if again is None else "to be repeated").inc()
        level = logging.ERROR if again is None else logging.WARNING
        expected = isinstance(error, RateLimited | Unreachable)
        log.log(
            level,
            "delivery failed",
            exc_info=None if expected else error,
            extra={"reason": str(error), "attempts": claim.attempts, "again_at": again},
        )
        try:
            await asyncio.to_thread(
                self._record_failure, claim, f"{type(error).__name__}: {error}", now, again
            )
        except (StoreUnavailable, LeaseLost) as worse:
            log.warning("the failure could not be recorded", extra={"reason": str(worse)})

    def _record_failure(
        self, claim: ClaimedDelivery, error: str, now: datetime, again: datetime | None
    ) -> None:
        with self._desk.store.begin() as work:
            work.inbox.fail(claim, error, now, again)
