"""Takes deliveries from the inbox, a few at a time, and sees each through or gives it back.

A delivery is held under a lease that is renewed while the work goes on; a worker that dies leaves
a lease that runs out, and the delivery runs again. What fails runs again later and later, and is
given up with its reason only when trying again has stopped making sense.

Repositories take turns, and no account gets all of the slots while there are others. Where GitHub
asks a repository to wait, its deliveries wait in the inbox and not here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.backoff import backoff
from bot.github.errors import (
    BadPayload,
    BadRequest,
    Forbidden,
    Moved,
    RateLimited,
    Unauthorized,
    Unreachable,
)
from bot.jobs.consumer import put_down, see_through
from bot.jobs.delivery_handlers import handle
from bot.jobs.polling_jobs import PollingJobs
from bot.jobs.queues import Signals, worker_name
from bot.process.logs import during_delivery
from store.engine.text import name_key
from store.errors import LeaseLost, StoreUnavailable
from store.queues.round_robin import RoundRobin, account_of
from tagger.errors import ReleaseDamaged

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from bot.receiving.handler_context import Ending, HandlerContext
    from store.records import ClaimedDelivery
    from store.unit_of_work import UnitOfWork

log = logging.getLogger(__name__)

TAGGING = "tagging"
FIRST_PAUSE = timedelta(seconds=10)
MAX_PAUSE = timedelta(hours=1)
MAX_ATTEMPTS = 8
"""With the pauses between them some twenty minutes; what still fails needs a person."""
LONG_PATIENCE = timedelta(days=3)
"""For what is not the delivery's fault: as long as GitHub itself offers redelivery."""
_NOT_ITS_FAULT = (
    RateLimited, Unreachable, BadPayload, BadRequest, Unauthorized, Forbidden, Moved,
    StoreUnavailable, ReleaseDamaged,
)  # fmt: skip
"""GitHub, the credentials, the database or the release: once that is mended, the work succeeds."""


@dataclass(frozen=True)
class DeliveryLimits:
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

    @property
    def share(self) -> int:
        """How many deliveries of one account may be in hand while other accounts are served."""
        return max(self.at_once - max(self.at_once // 4, 1), 1)


def when_again(
    error: Exception, attempts: int, received_at: datetime, now: datetime
) -> datetime | None:
    """When a delivery that failed should run again; None: never.

    :param attempts: the one that just failed included.
    """
    pause = now + backoff(FIRST_PAUSE, attempts - 1, MAX_PAUSE)
    # Both must be used up: a clock that jumps ahead must not end anybody's patience.
    waited = isinstance(error, _NOT_ITS_FAULT) and now - received_at < LONG_PATIENCE
    if not waited and attempts >= MAX_ATTEMPTS:
        return None
    if isinstance(error, RateLimited):
        return max(error.retry_at, now)
    return max(error.retry_at, pause) if isinstance(error, Unreachable) else pause


def _account(claim: ClaimedDelivery) -> str:
    return account_of(name_key(claim.repository or ""))


class DeliveryQueue:
    """The queue of deliveries; in the event loop that its context's GitHub access belongs to.

    :param job: what is done with a delivery; it ends the delivery itself.
    :param name: tells workers apart; a restarted one is another one.
    """

    def __init__(
        self,
        context: HandlerContext,
        *,
        job: Callable[[HandlerContext, ClaimedDelivery], Awaitable[Ending]] = handle,
        pace: DeliveryLimits | None = None,
        name: str | None = None,
    ) -> None:
        self._context = context
        self._job = job
        self._pace = pace or DeliveryLimits()
        self._me = name or worker_name()
        self._turns = RoundRobin()
        self._in_hand: Counter[str] = Counter()
        self._claiming = asyncio.Lock()
        self._busy = self._passed_by = False
        self.name = TAGGING
        self.at_once = self._pace.at_once
        self.lease = self._pace.lease
        self.grace = self._pace.grace
        self.signals = Signals()

    def stop(self) -> None:
        """Take no further delivery; those in hand are finished or handed back."""
        self.signals.stop()

    async def run(self) -> None:
        """Work until `stop`, without an engine."""
        await PollingJobs(self._pace.poll).run([self])

    async def run_until_empty(self) -> int:
        """Work off all that is due now, one by one; returns how many deliveries that was."""
        number = 0
        while await self.work_one():
            number += 1
        return number

    async def work_one(self) -> bool:
        """Claim one delivery and see it through; False: there was none to claim.

        :raises StoreUnavailable: the inbox could not be asked.
        """
        claim = await self.claim()
        if claim is not None:
            await self.see_through(claim)
        return claim is not None

    async def claim(self, name: str | None = None) -> ClaimedDelivery | None:  # noqa: ARG002 - any
        """See `Queue.claim`. A name only says that there is work: whose turn it is comes first."""
        async with self._claiming:  # or several at once would see the same slots free
            claim = await asyncio.to_thread(self._claim)
            if claim is not None:
                self._in_hand[_account(claim)] += 1
        return claim

    async def see_through(self, claim: ClaimedDelivery) -> None:
        """See `Queue.see_through`."""
        try:
            with during_delivery(claim.guid):
                await see_through(self, claim, self.signals.stopping, self._context.clock())
        finally:
            self._in_hand[_account(claim)] -= 1
            self._in_hand += Counter()  # drops who has none

    def due(self, now: datetime) -> tuple[str, ...]:
        """See `Queue.due`."""
        with self._context.store.read() as work:
            return work.inbox.waiting(now)

    def following(self, claim: ClaimedDelivery) -> str | None:
        """See `Queue.following`: of the same issue, or what was left for a slot to be free."""
        now = self._context.clock()
        with self._context.store.read() as work:
            following = work.inbox.next_in_lane(claim.guid, now)
            if following is None and self._passed_by:
                following = next(iter(work.inbox.waiting(now, limit=1)), None)
        return following

    def _claim(self) -> ClaimedDelivery | None:
        now = self._context.clock()
        if not self._busy and not self._has_something_due(now):
            return None
        with self._context.store.begin() as work:
            full = self._full(work)
            claim = work.inbox.claim(self._me, self.lease, now, turns=self._turns, full=full)
        self._busy, self._passed_by = claim is not None, claim is None and bool(full)
        return claim

    def _has_something_due(self, now: datetime) -> bool:
        """Looked up first where the last look found nothing: an idle worker takes no write lock."""
        with self._context.store.read() as work:
            return work.inbox.has_something_due(now)

    def _full(self, work: UnitOfWork) -> frozenset[str]:
        """Accounts that have their share in hand, where there are others to leave the rest to."""
        holding = [name for name, held in self._in_hand.items() if held >= self._pace.share]
        return frozenset(name for name in holding if work.repositories.any_besides(name))

    async def work(self, claim: ClaimedDelivery) -> Ending:
        """See `ClaimAdapter.work`."""
        return await self._job(self._context, claim)

    def renew(self, claim: ClaimedDelivery) -> None:
        """See `ClaimAdapter.renew`."""
        with self._context.store.begin() as work:
            work.inbox.renew(claim, self.lease, self._context.clock())

    async def succeed(self, claim: ClaimedDelivery, result: Ending) -> None:  # noqa: ARG002 - the job has ended it
        """See `ClaimAdapter.succeed`."""
        self._count(result.end)
        log.info("delivery worked off", extra={"end": result.end, "reason": result.reason})

    async def hand_back(self, claim: ClaimedDelivery) -> None:
        """See `ClaimAdapter.hand_back`."""
        with contextlib.suppress(LeaseLost, StoreUnavailable):  # ended just now, or the lease ends
            await self._context.postpone(claim, self._context.clock(), "the worker stops")
        self._count("handed back")
        log.info("delivery handed back, the worker stops")

    def lose(self, claim: ClaimedDelivery, reason: str) -> None:  # noqa: ARG002 - logs name it
        """See `ClaimAdapter.lose`."""
        self._count("lost")
        log.warning("delivery lost to another worker", extra={"reason": reason})

    async def fail(self, claim: ClaimedDelivery, error: Exception) -> None:
        """See `ClaimAdapter.fail`."""
        now = self._context.clock()
        if isinstance(error, RateLimited) and now - claim.received_at < LONG_PATIENCE:
            await self._wait_outside(claim, error, now)
            return
        again = when_again(error, claim.attempts, claim.received_at, now)
        self._count("failed" if again is None else "to be repeated")
        level = logging.ERROR if again is None else logging.WARNING
        expected = isinstance(error, RateLimited | Unreachable)
        log.log(
            level,
            "delivery failed",
            exc_info=None if expected else error,
            extra={"reason": str(error), "attempts": claim.attempts, "again_at": again},
        )

        def record() -> None:
            with self._context.store.begin() as work:
                work.inbox.fail(claim, f"{type(error).__name__}: {error}", now, again)

        await put_down(record)

    async def _wait_outside(
        self, claim: ClaimedDelivery, error: RateLimited, now: datetime
    ) -> None:
        """Hand back what GitHub asks to wait, and hold back what else its repository has."""
        until = max(error.retry_at, now)

        def hold_back() -> None:
            with self._context.store.begin() as work:
                work.inbox.release(claim, until, f"{type(error).__name__}: {error}")
                if claim.repository is not None:
                    work.pauses.hold_back(claim.repository, until, now)

        self._count("handed back")
        extra = {"reason": str(error), "again_at": until}
        log.info("delivery handed back, GitHub asks to wait", extra=extra)
        await put_down(hold_back)

    def _count(self, end: str) -> None:
        self._context.metrics.worked.labels(end).inc()
