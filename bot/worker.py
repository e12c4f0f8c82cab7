"""Takes deliveries from the inbox, one after the other, and sees each through or gives it back.

A delivery is held under a lease that is renewed while the work goes on; a worker that dies leaves
a lease that runs out, and the delivery runs again. What fails runs again later and later, and is
given up with its reason only when trying again has stopped making sense.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import threading
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bot.github.errors import RateLimited, Unreachable
from bot.logs import during_delivery
from bot.use_cases.deliveries import handle
from store.errors import LeaseLost, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from bot.use_cases.desk import Desk, Ending
    from store.records import ClaimedDelivery

log = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=1)
MOST_ATTEMPTS = 8
"""With the pauses between them some twenty minutes; what still fails needs a person."""
PATIENCE_WITH_GITHUB = timedelta(days=3)
"""GitHub being away is nobody's fault here: as long as it offers redelivery itself."""


@dataclass(frozen=True)
class Pace:
    """How a worker spends its time.

    :ivar lease: how long a delivery stays a dead worker's; renewed at a third of it.
    :ivar poll: how long an idle worker sleeps unless woken.
    :ivar grace: how long the delivery in hand may still take after `stop`.
    """

    lease: timedelta = timedelta(minutes=1)
    poll: timedelta = timedelta(seconds=1)
    grace: timedelta = timedelta(seconds=20)


def when_again(
    error: Exception, attempts: int, received_at: datetime, now: datetime
) -> datetime | None:
    """When a delivery that failed should run again; None: never.

    :param attempts: the one that just failed included.
    """
    pause = min(FIRST_PAUSE * (1 << min(attempts - 1, 16)), LONGEST_PAUSE)
    if isinstance(error, RateLimited | Unreachable):
        patient = now - received_at < PATIENCE_WITH_GITHUB
        limited = isinstance(error, RateLimited)
        return max(error.retry_at, now if limited else now + pause) if patient else None
    return now + pause if attempts < MOST_ATTEMPTS else None


class Worker:
    """One worker; `run` in the event loop that its desk's GitHub access belongs to.

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
        self.name = name or f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        self._stopping = asyncio.Event()
        self._woken = asyncio.Event()

    def stop(self) -> None:
        """Take no further delivery; the one in hand is finished or handed back."""
        self._stopping.set()
        self._woken.set()

    def wake(self) -> None:
        """Look into the inbox now."""
        self._woken.set()

    async def run(self) -> None:
        """Work until `stop`."""
        log.info("worker started", extra={"worker": self.name})
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                worked = await self.work_one()
            except StoreUnavailable as error:
                log.warning("the database is not available", extra={"reason": str(error)})
                worked = False
            if not worked:
                await self._idle()
        log.info("worker stopped", extra={"worker": self.name})

    async def run_until_empty(self) -> int:
        """Work off all that is due now; returns how many deliveries that was."""
        number = 0
        while await self.work_one():
            number += 1
        return number

    async def work_one(self, guid: str | None = None) -> bool:
        """Claim one delivery and see it through; False: there was none to claim.

        :param guid: this one or none.
        :raises StoreUnavailable: the inbox could not be asked.
        """
        claim = await asyncio.to_thread(self._claim, guid)
        if claim is None:
            return False
        with during_delivery(claim.guid):
            await self._see_through(claim)
        return True

    def _claim(self, guid: str | None) -> ClaimedDelivery | None:
        now = self._desk.clock()
        with self._desk.store.read() as work:  # an idle worker takes no write lock
            if not work.inbox.waiting(now, limit=1):
                return None
        with self._desk.store.begin() as work:
            return work.inbox.claim(self.name, self._pace.lease, now, guid=guid)

    async def _see_through(self, claim: ClaimedDelivery) -> None:
        working = asyncio.ensure_future(self._job(self._desk, claim))
        renewing = asyncio.ensure_future(self._keep_lease(claim))
        try:
            if not await self._finished(working):
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
        finally:
            renewing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await renewing

    async def _finished(self, working: asyncio.Future[Ending]) -> bool:
        """Wait for the job; once the worker is to stop, only for as long as the grace lasts."""
        stopping = asyncio.ensure_future(self._stopping.wait())
        either: set[asyncio.Future[Any]] = {working, stopping}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                await asyncio.wait({working}, timeout=self._pace.grace.total_seconds())
        finally:
            stopping.cancel()
        if working.done():
            return True
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await working
        return False

    async def _keep_lease(self, claim: ClaimedDelivery) -> None:
        while True:
            await asyncio.sleep(self._pace.lease.total_seconds() / 3)
            try:
                await asyncio.to_thread(self._renew, claim)
            except StoreUnavailable as error:
                log.warning("the lease could not be renewed", extra={"reason": str(error)})
            except LeaseLost:
                return  # whoever ends the delivery finds out

    def _renew(self, claim: ClaimedDelivery) -> None:
        with self._desk.store.begin() as work:
            work.inbox.renew(claim, self._pace.lease, self._desk.clock())

    async def _hand_back(self, claim: ClaimedDelivery) -> None:
        with contextlib.suppress(LeaseLost):  # it had been ended in the very last moment
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

    async def _idle(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), self._pace.poll.total_seconds())


class WorkerThread:
    """A worker in a thread of its own, with an event loop and connections of its own.

    :param open_desk: makes the desk inside that loop.
    """

    def __init__(self, open_desk: Callable[[], Desk], pace: Pace | None = None) -> None:
        self._open_desk = open_desk
        self._pace = pace
        self._worker: Worker | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._stop_asked = threading.Event()
        self._reopening = threading.Event()

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def wake(self) -> None:
        """Something came in. Callable from any thread, and cheap."""
        self._call(lambda worker: worker.wake())

    def stop(self) -> None:
        """Stop and wait until the delivery in hand is finished or handed back."""
        self._stop_asked.set()
        self._call(lambda worker: worker.stop())
        if self._thread.is_alive():
            self._thread.join()

    def reopen(self) -> None:
        """Finish the delivery in hand and go on at a desk opened anew: credentials have come."""
        self._reopening.set()
        self._call(lambda worker: worker.stop())

    @property
    def alive(self) -> bool:
        """Whether the thread still works."""
        return self._thread.is_alive()

    @property
    def warm(self) -> bool:
        """Whether the releases are loaded and deliveries are taken up."""
        return self._worker is not None

    def _call(self, act: Callable[[Worker], None]) -> None:
        worker, loop = self._worker, self._loop
        if worker is not None and loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(act, worker)

    def _run(self) -> None:
        try:
            again = True
            while again and not self._stop_asked.is_set():
                self._reopening.clear()
                asyncio.run(work(self._open_desk, self._pace, started=self._started))
                again = self._reopening.is_set()
        except Exception:
            log.exception("the worker ended; restart the service")

    def _started(self, worker: Worker) -> None:
        self._loop = asyncio.get_running_loop()
        self._worker = worker
        if self._stop_asked.is_set():
            worker.stop()


async def work(
    open_desk: Callable[[], Desk],
    pace: Pace | None = None,
    *,
    started: Callable[[Worker], None] | None = None,
) -> None:
    """Open a desk in this loop, load releases, work until stopped, and close the connections.

    :param started: told of the worker, so that it can be woken and stopped.
    """
    desk = open_desk()
    worker = Worker(desk, pace=pace)
    try:
        with contextlib.suppress(StoreUnavailable):  # `run` waits for the database to come back
            await asyncio.to_thread(desk.shelf.warm)
        if started is not None:
            started(worker)
        await worker.run()
    finally:
        if desk.access is not None:
            await desk.access.aclose()
