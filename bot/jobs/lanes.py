"""A lane: one kind of work, how much of it a worker does at once, and how it is taken up.

What waits in a lane is known by the database and by nothing else; names are those of the rows
(a delivery's GUID, a task's key). To claim is to own: two workers never hold the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import uuid
from typing import TYPE_CHECKING, Any, Protocol

from store.errors import LeaseLost, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta
    from typing import Self


class Lane(Protocol):
    """What `Jobs` need of a lane. Both implementations of `Jobs` share every lane."""

    name: str
    at_once: int
    signals: Signals

    async def claim(self, name: str | None = None) -> Any:
        """Own a piece of work, this one or whichever is due; None: there is none to be had.

        :raises StoreUnavailable: the database could not be asked.
        """

    async def see_through(self, claim: Any) -> None:
        """Do it and put down what came of it, whatever that is; raises nothing of its own."""

    def due(self, now: datetime) -> Sequence[str]:
        """Names of what waits for a worker now. Blocks."""

    def following(self, claim: Any) -> str | None:
        """What could not begin before this claim ended, and now can. Blocks."""


class Jobs(Protocol):
    """How workers come by their work: `in_process`, or an engine on PostgreSQL (`engine`)."""

    def put(self, lane: str, name: str, due_at: datetime | None = None) -> None:
        """Tell of work that has been stored. Callable from any thread, never blocks.

        A mere hint: what is lost of it is found by looking into the database.
        """

    async def run(self, lanes: Sequence[Lane]) -> None:
        """Work in these lanes until all of them were told to stop."""

    def close(self) -> None:
        """Let go of connections and threads."""


class Signals:
    """How a lane is woken and stopped; both within its event loop."""

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


class KeptLease:
    """Renews a lease while a block runs.

    :param renew: blocks; raises LeaseLost where the lease is another's by now.
    """

    def __init__(self, renew: Callable[[], object], lease: timedelta) -> None:
        self._renew = renew
        self._pause = lease.total_seconds() / 3
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._keep())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._pause)
            try:
                await asyncio.to_thread(self._renew)
            except StoreUnavailable:
                continue  # it may be back before the lease runs out
            except LeaseLost:
                return  # whoever ends the work finds out


async def finished(working: asyncio.Future[Any], stopping: asyncio.Event, grace: timedelta) -> bool:
    """Wait for the work; once all is to stop, only for as long as the grace lasts.

    :returns: False: it was cancelled.
    """
    asked = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait({working, asked}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            await asyncio.wait({working}, timeout=grace.total_seconds())
    finally:
        asked.cancel()
    if working.done():
        return True
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await working
    return False
