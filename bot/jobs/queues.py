"""A queue: one kind of work, how much of it a worker does at once, and how it is taken up.

What waits in a queue is known by the database and by nothing else; names are those of the rows
(a delivery's GUID, a task's key). To claim is to own: two workers never hold the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol

from store.errors import LeaseLost, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta
    from typing import Self


class Queue(Protocol):
    """What `JobSource` need of a queue. Both implementations of `JobSource` share every queue."""

    name: str
    at_once: int
    signals: Signals

    async def claim(self, name: str | None = None) -> Any:
        """Own a piece of work that is due; None: there is none to be had.

        :param name: this one, unless the queue has an order of its own.

        :raises StoreUnavailable: the database could not be asked.
        """

    async def see_through(self, claim: Any) -> None:
        """Do it and put down what came of it, whatever that is; raises nothing of its own."""

    def due(self, now: datetime) -> Sequence[str]:
        """Names of what waits for a worker now. Blocks."""

    def following(self, claim: Any) -> str | None:
        """What could not begin before this claim ended, and now can. Blocks."""


class JobSource(Protocol):
    """How workers come by their work: `in_process`, or an engine on PostgreSQL (`engine`)."""

    def put(self, queue: str, name: str, due_at: datetime | None = None) -> None:
        """Tell of work that has been stored. Callable from any thread, never blocks.

        A mere hint: what is lost of it is found by looking into the database.
        """

    async def run(self, queues: Sequence[Queue]) -> None:
        """Work in these queues until all of them were told to stop."""

    def close(self) -> None:
        """Let go of connections and threads."""


class Signals:
    """How a queue is woken and stopped; both within its event loop."""

    def __init__(self) -> None:
        self.stopping = asyncio.Event()
        self.woken = asyncio.Event()

    def stop(self) -> None:
        """Take nothing further; what is in hand is finished or handed back."""
        self.stopping.set()
        self.woken.set()

    def wake(self) -> None:
        """Look for work now."""
        self.woken.set()

    async def idle(self, seconds: float) -> None:
        """Wait to be woken, but no longer than this."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.woken.wait(), seconds)
        self.woken.clear()


def worker_name() -> str:
    """Tells workers apart; a restarted one is another one."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"


class LeaseKeeper:
    """Renews a lease while a block runs, and tells when it could not be kept.

    Whoever cannot renew in time has to stop before the lease runs out, or two would do the same
    work at once. Renewals have a thread of their own: the shared ones may all be waiting for the
    database with the very work that the lease is for.

    :ivar lost: set a little before the lease runs out, or when it is another's already.

    :param renew: blocks; raises LeaseLost where the lease is another's by now.
    :param left: of the lease that is held; a renewed one lasts for `lease`.
    """

    def __init__(self, renew: Callable[[], object], lease: timedelta, left: timedelta) -> None:
        self.lost = asyncio.Event()
        self._renew = renew
        self._lease = lease.total_seconds()
        self._left = left.total_seconds()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lease")
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._keep())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._thread.shutdown(wait=False)

    def check(self, error: LeaseLost) -> None:
        """Raise the error where the lease was lost."""
        if self.lost.is_set():
            raise error

    async def _keep(self) -> None:
        end = time.monotonic() + self._left
        margin, pause = self._lease / 10, self._lease / 3
        while (left := end - margin - time.monotonic()) > 0:
            await asyncio.sleep(min(pause, left))
            began = time.monotonic()
            if await self._renewed(max(end - margin - began, 0.0)):
                end, pause = began + self._lease, self._lease / 3
            else:
                pause = self._lease / 20
        self.lost.set()

    async def _renewed(self, seconds: float) -> bool:
        """Whether the lease was renewed, within so many seconds."""
        renewing = asyncio.get_running_loop().run_in_executor(self._thread, self._renew)
        try:
            await asyncio.wait_for(renewing, seconds)
        except (StoreUnavailable, TimeoutError):
            return False  # the database may be back before the lease runs out
        except LeaseLost:
            self.lost.set()
            return False
        return True


async def finished(
    working: asyncio.Future[Any], stopping: asyncio.Event, lost: asyncio.Event, grace: timedelta
) -> bool:
    """Wait for the work; once all is to stop, only for as long as the grace lasts.

    :param lost: set when the work is no longer ours: then it is cancelled at once.
    :returns: False: it was cancelled.
    """
    task, gone = (asyncio.ensure_future(event.wait()) for event in (stopping, lost))
    try:
        await asyncio.wait({working, task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not (working.done() or gone.done()):
            waiting = {working, gone}
            await asyncio.wait(
                waiting, timeout=grace.total_seconds(), return_when=asyncio.FIRST_COMPLETED
            )
    finally:
        task.cancel()
        gone.cancel()
    if working.done():
        return True
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await working
    return False
